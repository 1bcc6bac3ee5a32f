"""`ledgercore balance`, `balances` and `register`: what accounts hold, now and before."""

from datetime import datetime

import click

from ledgercore.ledger.accounts import Side
from ledgercore.ledger.documents import account_document, money_document
from ledgercore.ledger.queries import AsOf
from ledgercore.ledger.report_documents import balance_document, entry_document
from ledgercore_cli.accounts import balance_table
from ledgercore_cli.parameters import paging_options, time_options
from ledgercore_cli.rendering import Column, Table, Text, amount, moment, point
from ledgercore_cli.reports import tree_document, tree_rows
from ledgercore_cli.session import Session, pass_session


@click.command()
@click.argument("path")
@time_options
@pass_session
def balance(session: Session, path: str, effective_at: datetime | None, recorded_at: datetime | None) -> None:
    """An account's posted, pending and available balance; at another time, the posted one."""
    with session.ledger() as ledger:
        if effective_at is None and recorded_at is None:
            found = ledger.get_account(path)
            session.show(account_document(found), balance_table(found))
            return
        posted = ledger.balance_at(path, effective_at=effective_at, recorded_at=recorded_at)
    at = AsOf(effective_at=effective_at, recorded_at=recorded_at)
    times = {name: value.isoformat() for name, value in _times(at) if value is not None}
    session.show(
        {"account": path, **times, **money_document(posted)},
        Text(f"{amount(posted)} {posted.currency.code}  {point(at)}"),
    )


@click.command()
@click.argument("prefix", default="")
@time_options
@click.option("--tree", is_flag=True, help="Add up along the tree of accounts.")
@pass_session
def balances(
    session: Session, prefix: str, effective_at: datetime | None, recorded_at: datetime | None, tree: bool
) -> None:
    """Posted balances at or below PREFIX, all from one moment."""
    columns = Column("account"), Column("type"), Column("posted", right=True), Column("")
    with session.ledger() as ledger:
        if tree:
            totals = ledger.totals(prefix=prefix, effective_at=effective_at, recorded_at=recorded_at)
            session.show(
                {"items": tree_document(totals), "next_cursor": None},
                Table(columns=(columns[0], *columns[2:]), rows=tree_rows(totals), empty="no accounts"),
            )
            return
        found = ledger.balances(prefix=prefix, effective_at=effective_at, recorded_at=recorded_at)
    rows = [(each.path, each.type.value, amount(each.posted), each.currency.code) for each in found]
    session.show(
        {"items": [balance_document(each) for each in found], "next_cursor": None},
        Table(columns=columns, rows=rows, empty="no accounts"),
    )


@click.command()
@click.argument("path")
@paging_options
@click.option("--newest-first", is_flag=True, help="Begin at the end.")
@pass_session
def register(session: Session, path: str, limit: int, cursor: str | None, newest_first: bool) -> None:
    """An account's entries in recorded order, each with the running balance."""
    with session.ledger() as ledger:
        page = ledger.list_entries(path, cursor=cursor, limit=limit, newest_first=newest_first)
    columns = (
        Column("number", right=True), Column("effective"), Column("description", folds=True),
        Column("counterpart", folds=True),
        Column("debit", right=True), Column("credit", right=True), Column("balance", right=True), Column(""),
    )  # fmt: skip
    rows = []
    for entry in page.items:
        text = amount(entry.amount)
        sides = (text, "") if entry.side is Side.DEBIT else ("", text)
        rows.append(
            (
                str(entry.number), moment(entry.effective_at), entry.description or "", entry.counterpart or "",
                *sides, amount(entry.balance), entry.amount.currency.code,
            )
        )  # fmt: skip
    session.show(
        {"items": [entry_document(entry) for entry in page.items], "next_cursor": page.next_cursor},
        Table(columns=columns, rows=rows, empty="no entries"),
    )
    session.more(page.next_cursor)


def _times(at: AsOf) -> tuple[tuple[str, datetime | None], ...]:
    return ("effective_at", at.effective_at), ("recorded_at", at.recorded_at)
