"""`ledgercore bank` and `bank-login`: banks, connections to them and accounts there, as an operator sees them."""

from uuid import UUID

import click

from ledgercore.banking.banks import Bank, Branch, Integration
from ledgercore.banking.documents import account_document, bank_document, branch_document, login_document
from ledgercore.identity.audit import OPERATOR
from ledgercore_cli.parameters import ID, paging_options
from ledgercore_cli.people import SITTING_HERE
from ledgercore_cli.rendering import Column, Facts, Table, Text, moment
from ledgercore_cli.session import Session, pass_session


@click.group()
def bank() -> None:
    """List, add and show banks, and the accounts that users have there."""


@bank.command("list")
@paging_options
@pass_session
def list_banks(session: Session, limit: int, cursor: str | None) -> None:
    """List banks in the order they were added."""
    with session.bank() as opened:
        page = opened.banking.banks.page(cursor=cursor, limit=limit)
    columns = tuple(map(Column, ("code", "name", "country", "status", "integration", "id")))
    rows = [
        (each.code, each.name, each.country, each.status.value, each.integration.value, str(each.id))
        for each in page.items
    ]
    session.show(
        {"items": [bank_document(each) for each in page.items], "next_cursor": page.next_cursor},
        Table(columns=columns, rows=rows, empty="no banks"),
    )
    session.more(page.next_cursor)


@bank.command()
@click.argument("code")
@click.option("--name", required=True, help="2 to 100 characters.")
@click.option("--country", required=True, help="2 or 3 capital letters.")
@click.option("--integration", type=click.Choice([each.value for each in Integration]), help="How it is spoken with.")
@click.option("--api-url", metavar="URL", help="Where its interface begins.")
@click.option("--authorize-url", metavar="URL", help="Where users go to let us in.")
@click.option("--token-url", metavar="URL", help="Where codes become tokens, if not below the interface.")
@click.option("--client-id", help="What it knows us as.")
@click.option("--client-secret", envvar="BANK_CLIENT_SECRET", help="Kept sealed; better in BANK_CLIENT_SECRET.")
@click.option("--branch", help="Also add a branch of this name.")
@pass_session
def add(session: Session, /, branch: str | None, **attrs: str | None) -> None:
    """Add a bank; CODE is 3 to 32 capital letters, digits and underscores."""
    with session.bank() as opened:
        banks = opened.banking.banks
        added = banks.add(attrs, actor=OPERATOR)
        wanted = {"name": branch, "country": attrs["country"]}
        branches = [] if branch is None else [banks.add_branch(added.id, wanted, actor=OPERATOR)]
    _show(session, added, branches)


@bank.command()
@click.argument("id_", metavar="BANK", type=ID)
@pass_session
def show(session: Session, id_: UUID) -> None:
    """Show a bank and its branches; BANK is its id."""
    with session.bank() as opened:
        found, branches = opened.banking.banks.get(id_), opened.banking.banks.branches(id_)
    _show(session, found, list(branches))


@bank.command()
@click.option("--user", "user_id", type=ID, metavar="UUID", help="Only this user's.")
@pass_session
def accounts(session: Session, user_id: UUID | None) -> None:
    """List users' bank accounts with their balances."""
    with session.bank() as opened:
        found = opened.banking.accounts.list_of(by=SITTING_HERE, user_id=user_id)
    columns = (
        Column("name", folds=True), Column("type"), Column("status"), Column("balance", right=True),
        Column("synced"), Column("id"),
    )  # fmt: skip
    rows = [
        (
            each.account.account_name, each.account.account_type.value, each.account.status.value, str(each.balance),
            moment(each.account.last_sync_at), str(each.account.id),
        )
        for each in found
    ]  # fmt: skip
    session.show(
        {"items": [account_document(each) for each in found]}, Table(columns=columns, rows=rows, empty="no accounts")
    )


@bank.command()
@pass_session
def reseal(session: Session) -> None:
    """Seal all secrets of banks, connections and webhooks anew.

    Once this is done, and a day has passed, what was LEDGERCORE_SECRET before can be taken out of
    LEDGERCORE_PREVIOUS_SECRETS.
    """
    with session.bank() as opened:
        done = opened.banking.resealing.run(actor=OPERATOR)
    document = {"clients": done.clients, "logins": done.logins, "webhooks": done.webhooks}
    session.show(document, Facts([(name, str(count)) for name, count in document.items()]))


@click.group("bank-login")
def bank_login() -> None:
    """List users' connections to banks, and synchronise them."""


@bank_login.command("list")
@click.option("--user", "user_id", type=ID, metavar="UUID", help="Only this user's.")
@paging_options
@pass_session
def list_logins(session: Session, user_id: UUID | None, limit: int, cursor: str | None) -> None:
    """List connections in the order they were begun."""
    with session.bank() as opened:
        page = opened.banking.logins.page(by=SITTING_HERE, user_id=user_id, cursor=cursor, limit=limit)
    columns = tuple(map(Column, ("user", "username", "status", "reason", "synced", "next", "id")))
    rows = [
        (
            str(each.user_id), each.username, each.status.value, each.status_reason or "", moment(each.last_sync_at),
            moment(each.next_sync_at), str(each.id),
        )
        for each in page.items
    ]  # fmt: skip
    session.show(
        {"items": [login_document(each) for each in page.items], "next_cursor": page.next_cursor},
        Table(columns=columns, rows=rows, empty="no connections"),
    )
    session.more(page.next_cursor)


@bank_login.command()
@click.argument("id_", metavar="LOGIN", type=ID)
@pass_session
def sync(session: Session, id_: UUID) -> None:
    """Synchronise a connection now, here; LOGIN is its id."""
    with session.bank() as opened:
        synced = opened.banking.sync.run(id_, actor=OPERATOR)
    document = {"status": synced.status.value, "reason": synced.reason}
    session.show(document, Facts([("status", synced.status.value), ("reason", synced.reason or "")]))


def _show(session: Session, found: Bank, branches: list[Branch]) -> None:
    facts = Facts(
        [
            ("id", str(found.id)),
            ("code", found.code),
            ("name", found.name),
            ("country", found.country),
            ("status", found.status.value),
            ("integration", found.integration.value),
            ("api url", found.api_url or ""),
        ]
    )
    named = [Text(f"branch {branch.name}, {branch.country}: {branch.id}") for branch in branches]
    document = {**bank_document(found), "branches": [branch_document(branch) for branch in branches]}
    session.show(document, facts, *named)
