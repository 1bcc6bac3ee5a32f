"""`ledgercore account`: open, list, freeze, limit and close accounts."""

import json
from typing import Any
from uuid import UUID

import click

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import INVALID_ARGUMENT
from ledgercore.ledger.accounts import Account, AccountStatus, AccountType, Limits
from ledgercore.ledger.documents import account_document
from ledgercore.money import Currency, format_grouped
from ledgercore_cli.parameters import (
    currencies_of,
    metadata,
    naming_options,
    paging_options,
    signed_minor,
)
from ledgercore_cli.rendering import Column, Facts, Table, View, amount, moment
from ledgercore_cli.session import Session, pass_session

NO_LIMIT = "none"


@click.group()
def account() -> None:
    """Open, list, freeze, limit and close accounts."""


@account.command("open")
@click.argument("path")
@click.argument("currency")
@click.option("--type", "type_", metavar="TYPE", help="asset, liability, equity, income or expense.")
@click.option("--minimum", metavar="AMOUNT", help="The least that may be available; 0 forbids overdrafts.")
@click.option("--maximum", metavar="AMOUNT", help="The most that may be available.")
@click.option("--metadata", "metadata_", multiple=True, metavar="NAME=VALUE", help="Attach a text.")
@naming_options
@pass_session
def open_(
    session: Session,
    path: str,
    currency: str,
    type_: str | None,
    minimum: str | None,
    maximum: str | None,
    metadata_: tuple[str, ...],
    id_: UUID | None,
    key: str | None,
) -> None:
    """Open an account at PATH in CURRENCY; without --type the ledger's rules decide by the path."""
    with session.ledger() as ledger:
        known = currencies_of(ledger).get(currency)
        opened = ledger.open_account(
            path,
            known,
            type=None if type_ is None else AccountType.parse(type_),
            limits=Limits(minimum=_limit(minimum, known, "minimum"), maximum=_limit(maximum, known, "maximum")),
            metadata=metadata(metadata_),
            id=id_,
            key=key,
        )
    _show(session, opened)


@account.command("list")
@click.argument("prefix", default="")
@paging_options
@pass_session
def list_(session: Session, prefix: str, limit: int, cursor: str | None) -> None:
    """List the accounts at or below PREFIX, by path."""
    with session.ledger() as ledger:
        page = ledger.list_accounts(prefix=prefix, cursor=cursor, limit=limit)
    columns = (
        Column("account"), Column("type"), Column("posted", right=True), Column("available", right=True),
        Column(""), Column("status"),
    )  # fmt: skip
    rows = [
        (
            each.path, each.type.value, amount(each.balance.posted), amount(each.balance.available),
            each.currency.code, each.status.value,
        )
        for each in page.items
    ]  # fmt: skip
    session.show(
        {"items": [account_document(each) for each in page.items], "next_cursor": page.next_cursor},
        Table(columns=columns, rows=rows, empty="no accounts"),
    )
    session.more(page.next_cursor)


@account.command()
@click.argument("path")
@pass_session
def show(session: Session, path: str) -> None:
    """Show an account with its balances and limits."""
    with session.ledger() as ledger:
        found = ledger.get_account(path)
    _show(session, found)


@account.command()
@click.argument("path")
@naming_options
@pass_session
def freeze(session: Session, path: str, id_: UUID | None, key: str | None) -> None:
    """Refuse entries on an account until it is unfrozen."""
    _change(session, path, status=AccountStatus.FROZEN, id=id_, key=key)


@account.command()
@click.argument("path")
@naming_options
@pass_session
def unfreeze(session: Session, path: str, id_: UUID | None, key: str | None) -> None:
    """Let a frozen account take entries again."""
    _change(session, path, status=AccountStatus.OPEN, id=id_, key=key)


@account.command()
@click.argument("path")
@naming_options
@pass_session
def close(session: Session, path: str, id_: UUID | None, key: str | None) -> None:
    """Close an empty account for good."""
    _change(session, path, status=AccountStatus.CLOSED, id=id_, key=key)


@account.command()
@click.argument("path")
@click.option("--minimum", metavar="AMOUNT", help="The least that may be available, or none.")
@click.option("--maximum", metavar="AMOUNT", help="The most that may be available, or none.")
@naming_options
@pass_session
def limit(
    session: Session, path: str, minimum: str | None, maximum: str | None, id_: UUID | None, key: str | None
) -> None:
    """Give an account other limits; one that is not given stays."""
    if minimum is None and maximum is None:
        raise ValidationError(INVALID_ARGUMENT, field="minimum", why="give --minimum, --maximum or both")
    with session.ledger() as ledger:
        found = ledger.get_account(path)
        limits = Limits(
            minimum=found.limits.minimum if minimum is None else _limit(minimum, found.currency, "minimum"),
            maximum=found.limits.maximum if maximum is None else _limit(maximum, found.currency, "maximum"),
        )
        changed = ledger.change_account(path, limits=limits, id=id_, key=key)
    _show(session, changed)


def views_of(found: Account) -> list[View]:
    """An account for people."""
    balance, currency = found.balance, found.currency
    return [
        Facts(
            [
                ("account", found.path),
                ("type", f"{found.type.value}, {balance.normal_side.value} normal"),
                ("status", found.status.value),
                ("minimum", _limit_text(found.limits.minimum, currency)),
                ("maximum", _limit_text(found.limits.maximum, currency)),
                ("opened", moment(found.opened_at)),
                ("version", str(found.version)),
                ("metadata", json.dumps(found.metadata, ensure_ascii=False) if found.metadata else ""),
            ]
        ),
        balance_table(found),
    ]


def balance_table(found: Account) -> Table:
    """What an account holds: posted, pending and available."""
    balance = found.balance
    return Table(
        columns=(Column("balance"), Column(found.currency.code, right=True)),
        rows=[
            ("posted", amount(balance.posted)),
            ("pending in", amount(balance.pending_in)),
            ("pending out", amount(balance.pending_out)),
        ],
        totals=[("available", amount(balance.available))],
    )


def _show(session: Session, found: Account) -> None:
    session.show(account_document(found), *views_of(found))


def _change(session: Session, path: str, **changes: Any) -> None:
    with session.ledger() as ledger:
        changed = ledger.change_account(path, **changes)
    _show(session, changed)


def _limit(text: str | None, currency: Currency, field: str) -> int | None:
    return None if text in (None, NO_LIMIT) else signed_minor(str(text), currency, field=field)


def _limit_text(minor: int | None, currency: Currency) -> str:
    return "" if minor is None else format_grouped(minor, currency)
