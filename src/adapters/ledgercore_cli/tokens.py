"""`ledgercore token`: keys of machines."""

from datetime import datetime

import click

from ledgercore.identity.audit import OPERATOR
from ledgercore.identity.documents import issued_token_document, service_token_document
from ledgercore.identity.service_tokens import Scope, ServiceToken
from ledgercore.ledger.documents import id_from
from ledgercore_cli.parameters import MOMENT, paging_options
from ledgercore_cli.people import SITTING_HERE, user_id
from ledgercore_cli.rendering import Column, Facts, Table, Text, moment
from ledgercore_cli.session import Session, pass_session


@click.group()
def token() -> None:
    """Issue and revoke keys of machines.

    A key acts for its owner, with no more than its scopes and the owner's own rights.
    """


@token.command()
@click.option("--owner", required=True, metavar="USER", help="For whom it acts: an email or id.")
@click.option("--name", required=True, metavar="TEXT", help="What it is for.")
@click.option(
    "--scope", "scopes", multiple=True, required=True, metavar="SCOPE",
    help=f"What it may do, once for each of {', '.join(Scope)}.",
)  # fmt: skip
@click.option(
    "--ledger", "ledgers", multiple=True, metavar="NAME",
    help="The ledger that it is for, once for each; without any, all of its owner's.",
)  # fmt: skip
@click.option("--expires-at", type=MOMENT, metavar="TIME", help="When it ends by itself.")
@pass_session
def issue(
    session: Session,
    owner: str,
    name: str,
    scopes: tuple[str, ...],
    ledgers: tuple[str, ...],
    expires_at: datetime | None,
) -> None:
    """Issue a key; it is printed once and never again."""
    # A ledger that is named before the command limits the key as well: it must not open more than was meant.
    named = {*ledgers, *([session.ledger_option] if session.ledger_option else [])}
    with session.identity() as identity:
        issued = identity.service_tokens.issue(
            by=SITTING_HERE,
            name=name,
            scopes=scopes,
            ledgers=named or None,
            expires_at=expires_at,
            owner_id=user_id(identity, owner),
            actor=OPERATOR,
        )
    shown = Facts([("key", issued.key), *_facts(issued.token)])
    session.show(issued_token_document(issued), shown, Text("keep the key: it is not shown again"))


@token.command("list")
@click.option("--owner", metavar="USER", help="Only keys of this user: an email or id.")
@paging_options
@pass_session
def list_(session: Session, owner: str | None, limit: int, cursor: str | None) -> None:
    """List keys in the order they were issued, revoked ones too."""
    with session.identity() as identity:
        owner_id = None if owner is None else user_id(identity, owner)
        page = identity.service_tokens.page(by=SITTING_HERE, owner_id=owner_id, cursor=cursor, limit=limit)
        emails = identity.users.emails_of({each.owner_id for each in page.items}, by=SITTING_HERE)
        now = session.application.clock()
    columns = (
        Column("id"), Column("key"), Column("name", folds=True), Column("owner"), Column("scopes", folds=True),
        Column("ledgers", folds=True), Column("last used"), Column("state"),
    )  # fmt: skip
    rows = [
        (
            str(each.id), f"{each.shown}…", each.name, emails[each.owner_id], _scopes(each), _ledgers(each),
            moment(each.last_used_at), _state(each, now),
        )
        for each in page.items
    ]  # fmt: skip
    session.show(
        {"items": [service_token_document(each) for each in page.items], "next_cursor": page.next_cursor},
        Table(columns=columns, rows=rows, empty="no keys"),
    )
    session.more(page.next_cursor)


@token.command()
@click.argument("id_", metavar="ID")
@pass_session
def revoke(session: Session, id_: str) -> None:
    """End a key at once and for good; its ID is in the list."""
    id = id_from(id_)
    assert id is not None
    with session.identity() as identity:
        revoked = identity.service_tokens.revoke(id, by=SITTING_HERE, actor=OPERATOR)
    session.show(service_token_document(revoked), Facts(_facts(revoked)))


def _facts(found: ServiceToken) -> list[tuple[str, str]]:
    return [
        ("id", str(found.id)),
        ("name", found.name),
        ("owner", str(found.owner_id)),
        ("scopes", _scopes(found)),
        ("ledgers", _ledgers(found)),
        ("issued", moment(found.issued_at)),
        ("expires", moment(found.expires_at)),
        ("revoked", moment(found.revoked_at)),
    ]


def _scopes(found: ServiceToken) -> str:
    return ", ".join(sorted(found.scopes))


def _ledgers(found: ServiceToken) -> str:
    return "all of the owner's" if found.ledgers is None else ", ".join(sorted(found.ledgers))


def _state(found: ServiceToken, now: datetime) -> str:
    if found.is_live(now):
        return "live"
    return "expired" if found.revoked_at is None else "revoked"
