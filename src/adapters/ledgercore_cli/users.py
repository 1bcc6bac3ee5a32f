"""`ledgercore user`: who may log in, and as what."""

import sys
from typing import Final
from uuid import UUID

import click

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import INVALID_PASSWORD_FORMAT
from ledgercore.identity.audit import OPERATOR
from ledgercore.identity.documents import user_document
from ledgercore.identity.normalizers import sort_attrs, user_filter
from ledgercore.identity.users import Role, User
from ledgercore.pages import check_limit
from ledgercore_cli.parameters import text
from ledgercore_cli.people import SITTING_HERE, user_argument, user_id
from ledgercore_cli.rendering import Column, Facts, Table, Text, moment
from ledgercore_cli.session import Session, pass_session

PASSWORD_BYTES_MAX: Final = 4_096
"""So much is read of a password: more than the longest can have."""

_password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input, also on a terminal."
)


@click.group()
def user() -> None:
    """Create, list, change and remove users.

    A USER is named by email or id. The password of a new user, and a new one, is asked for twice on a
    terminal, and otherwise read from standard input.
    """


@user.command()
@click.argument("email")
@click.option("--name", "full_name", required=True, metavar="TEXT", help="The user's full name.")
@click.option("--role", default=Role.USER.value, show_default=True, help="user, support or admin.")
@_password_stdin
@pass_session
def create(session: Session, email: str, full_name: str, role: str, password_stdin: bool) -> None:
    """Create a user; the first admin comes into being this way."""
    password = _password(password_stdin)
    attrs = {
        "email": email, "full_name": full_name, "role": role,
        "password": password, "password_confirmation": password,
    }  # fmt: skip
    with session.identity() as identity:
        created = identity.users.create(attrs, by=SITTING_HERE, actor=OPERATOR)
    _show(session, created)


@user.command("list")
@click.option("--role", metavar="ROLE", help="Only users of this role.")
@click.option("--status", metavar="STATUS", help="Only active, suspended or deleted users; deleted ones only by it.")
@click.option("--sort", metavar="FIELD[:desc],…", help="By fields such as email, role or inserted_at.")
@click.option("--limit", type=int, default=50, show_default=True, help="At most so many, up to 1,000.")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Which page of so many.")
@pass_session
def list_(session: Session, role: str | None, status: str | None, sort: str | None, limit: int, page: int) -> None:
    """List users, newest first unless sorted otherwise."""
    wanted = user_filter({"role": role, "status": status})
    order = sort_attrs({"sort": sort})
    with session.identity() as identity:
        found = identity.users.page(wanted, by=SITTING_HERE, page=page, page_size=check_limit(limit), sort=order)
    columns = (
        Column("email"), Column("name", folds=True), Column("role"), Column("status"), Column("created"), Column("id"),
    )  # fmt: skip
    rows = [
        (each.email, each.full_name, each.role.value, each.status.value, moment(each.inserted_at), str(each.id))
        for each in found.items
    ]
    document = {
        "items": [user_document(each) for each in found.items],
        "page": found.page, "page_size": found.page_size,
        "total_count": found.total_count, "total_pages": found.total_pages,
    }  # fmt: skip
    session.show(document, Table(columns=columns, rows=rows, empty="no users"))
    if found.page < found.total_pages:
        session.note(f"more: --page {found.page + 1}")


@user.command()
@user_argument
@pass_session
def show(session: Session, name: str) -> None:
    """Show a user."""
    with session.identity() as identity:
        found = identity.users.get(user_id(identity, name), by=SITTING_HERE)
    _show(session, found)


@user.command("set-role")
@user_argument
@click.argument("role")
@pass_session
def set_role(session: Session, name: str, role: str) -> None:
    """Give a user the role user, support or admin; it counts at once."""
    with session.identity() as identity:
        id = user_id(identity, name)
        changed = identity.users.update(id, {"role": role}, by=SITTING_HERE, actor=OPERATOR)
    _show(session, changed)


@user.command()
@user_argument
@pass_session
def suspend(session: Session, name: str) -> None:
    """Shut a user out at once, with all sessions and keys, until activated again."""
    with session.identity() as identity:
        changed = identity.users.suspend(user_id(identity, name), by=SITTING_HERE, actor=OPERATOR)
    _show(session, changed)


@user.command()
@user_argument
@pass_session
def activate(session: Session, name: str) -> None:
    """Let a suspended user in again, who has to log in anew."""
    with session.identity() as identity:
        changed = identity.users.activate(user_id(identity, name), by=SITTING_HERE, actor=OPERATOR)
    _show(session, changed)


@user.command()
@user_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_session
def delete(session: Session, name: str, yes: bool) -> None:
    """Remove a user for good, with all sessions and keys; the email stays taken."""
    with session.identity() as identity:
        found = identity.users.get(user_id(identity, name), by=SITTING_HERE)
        if not yes:
            click.confirm(f"Delete {found.email} ({found.role.value}) for good?", abort=True, err=True)
        deleted = identity.users.delete(found.id, by=SITTING_HERE, actor=OPERATOR)
    _show(session, deleted)


@user.command("set-password")
@user_argument
@_password_stdin
@pass_session
def set_password(session: Session, name: str, password_stdin: bool) -> None:
    """Give a user another password and end all sessions."""
    password = _password(password_stdin)
    with session.identity() as identity:
        id = user_id(identity, name)
        ended = identity.users.set_password(id, password, by=SITTING_HERE, actor=OPERATOR)
    _show_ended(session, id, ended, f"{name} has another password")


@user.command()
@user_argument
@pass_session
def logout(session: Session, name: str) -> None:
    """End all sessions of a user, who may log in again; keys of machines stay."""
    with session.identity() as identity:
        id = user_id(identity, name)
        ended = identity.users.end_sessions(id, by=SITTING_HERE, actor=OPERATOR)
    _show_ended(session, id, ended, f"{name} is logged out")


def _show(session: Session, found: User) -> None:
    facts = Facts(
        [
            ("user", found.email),
            ("name", found.full_name),
            ("role", found.role.value),
            ("status", found.status.value),
            ("id", str(found.id)),
            ("created", moment(found.inserted_at)),
            ("changed", moment(found.updated_at)),
        ]
    )
    session.show(user_document(found), facts)


def _show_ended(session: Session, id: UUID, ended: int, said: str) -> None:
    session.show({"id": str(id), "sessions_ended": ended}, Text(f"{said}; sessions ended: {ended:,}"))


def _password(from_stdin: bool) -> str:
    """A password, which never stands among the arguments: those are seen by others and kept by shells."""
    if not from_stdin and sys.stdin.isatty():
        asked: str = click.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True)
        return asked
    read = text(sys.stdin.buffer.read(PASSWORD_BYTES_MAX), field="password").removesuffix("\n").removesuffix("\r")
    if "\n" in read:
        raise ValidationError(INVALID_PASSWORD_FORMAT, field="password", why="one line is expected")
    return read
