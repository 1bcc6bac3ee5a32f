"""`ledgercore member`: who may do what in a ledger."""

import click

from ledgercore.identity.audit import OPERATOR
from ledgercore.identity.documents import membership_document
from ledgercore.identity.memberships import check_access
from ledgercore_cli.people import SITTING_HERE, user_argument, user_id
from ledgercore_cli.rendering import Column, Table, Text, moment
from ledgercore_cli.session import Session, pass_session


@click.group()
def member() -> None:
    """Say who may do what in a ledger.

    Readers see everything, writers also post, owners also decide about members and settings. --ledger names
    the ledger; a USER is named by email or id.
    """


@member.command()
@user_argument
@click.argument("access")
@pass_session
def grant(session: Session, name: str, access: str) -> None:
    """Make a user a reader, writer or owner, in place of what the user was."""
    with session.identity() as identity:
        granted = identity.ledgers.grant(
            session.ledger_name, user_id(identity, name), check_access(access), by=SITTING_HERE, actor=OPERATOR
        )
    session.show(membership_document(granted), Text(f"{name} is {granted.access.value} of {granted.ledger}"))


@member.command()
@user_argument
@pass_session
def revoke(session: Session, name: str) -> None:
    """Take a user's access away."""
    ledger = session.ledger_name
    with session.identity() as identity:
        id = user_id(identity, name)
        identity.ledgers.revoke(ledger, id, by=SITTING_HERE, actor=OPERATOR)
    session.show({"ledger": ledger, "user_id": str(id)}, Text(f"{name} is no member of {ledger} any more"))


@member.command("list")
@pass_session
def list_(session: Session) -> None:
    """List the members of the ledger."""
    with session.identity() as identity:
        members = identity.ledgers.members(session.ledger_name, by=SITTING_HERE)
        emails = identity.users.emails_of({each.user_id for each in members}, by=SITTING_HERE)
    columns = Column("member"), Column("access"), Column("granted"), Column("id")
    rows = [(emails[each.user_id], each.access.value, moment(each.granted_at), str(each.user_id)) for each in members]
    session.show(
        {"items": [membership_document(each) for each in members], "next_cursor": None},
        Table(columns=columns, rows=sorted(rows), empty="no members: ledgercore member grant USER owner"),
    )
