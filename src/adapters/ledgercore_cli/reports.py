"""`ledgercore report`: trial balance, balance sheet, income statement."""

from collections.abc import Iterable
from datetime import datetime

import click

from ledgercore.ledger.report_documents import (
    balance_sheet_document,
    by_code,
    income_statement_document,
    tree_document,
    trial_balance_document,
)
from ledgercore.ledger.reports import BalanceSheet, IncomeStatement, TreeLine, TrialBalance
from ledgercore_cli.parameters import MOMENT, time_options
from ledgercore_cli.rendering import Column, Table, Text, View, amount, point
from ledgercore_cli.session import Session, pass_session

__all__ = ["report", "tree_document", "tree_rows"]

_TREE = (Column("account"), Column("balance", right=True), Column(""))


@click.group()
def report() -> None:
    """Trial balance, balance sheet, income statement."""


@report.command("trial-balance")
@click.argument("prefix", default="")
@time_options
@pass_session
def trial_balance(session: Session, prefix: str, effective_at: datetime | None, recorded_at: datetime | None) -> None:
    """Every account's balance as debit or credit, with totals that agree in each currency."""
    with session.ledger() as ledger:
        found = ledger.trial_balance(prefix=prefix, effective_at=effective_at, recorded_at=recorded_at)
    session.show(trial_balance_document(found), *trial_balance_views(found))


@report.command("balance-sheet")
@time_options
@pass_session
def balance_sheet(session: Session, effective_at: datetime | None, recorded_at: datetime | None) -> None:
    """What is owned, what is owed, and what remains."""
    with session.ledger() as ledger:
        found = ledger.balance_sheet(effective_at=effective_at, recorded_at=recorded_at)
    session.show(balance_sheet_document(found), *balance_sheet_views(found))


@report.command("income-statement")
@click.option("--since", type=MOMENT, help="Leave out what was effective by then.")
@click.option("--until", type=MOMENT, help="Count what was effective by then.")
@click.option("--recorded-at", type=MOMENT, help="Count only what had been recorded by then.")
@pass_session
def income_statement(
    session: Session, since: datetime | None, until: datetime | None, recorded_at: datetime | None
) -> None:
    """Income less expenses of a period."""
    with session.ledger() as ledger:
        found = ledger.income_statement(since=since, until=until, recorded_at=recorded_at)
    session.show(income_statement_document(found), *income_statement_views(found))


def trial_balance_views(found: TrialBalance) -> list[View]:
    """A trial balance for people."""
    rows = [
        (
            line.path, amount(line.debit) if line.debit.minor else "", amount(line.credit) if line.credit.minor else "",
            line.debit.currency.code,
        )
        for line in found.lines
    ]  # fmt: skip
    totals = [
        ("total", amount(debit), amount(found.credits[currency]), currency.code)
        for currency, debit in by_code(found.debits)
    ]
    columns = Column("account"), Column("debit", right=True), Column("credit", right=True), Column("")
    verdict = "debits equal credits" if found.is_balanced else "debits and credits differ: not all accounts are here"
    return [
        Text(f"Trial balance, {point(found.at)}"),
        Table(columns=columns, rows=rows, totals=totals),
        Text(verdict),
    ]


def balance_sheet_views(found: BalanceSheet) -> list[View]:
    """A balance sheet for people."""
    totals = found.totals.values()
    columns = Column("totals"), *(Column(name, right=True) for name in ("assets", "liabilities", "equity", "result"))
    rows = [
        (
            each.assets.currency.code, amount(each.assets), amount(each.liabilities), amount(each.equity),
            amount(each.result),
        )
        for each in totals
    ]  # fmt: skip
    sections = (("Assets", found.assets), ("Liabilities", found.liabilities), ("Equity", found.equity))
    return [
        Text(f"Balance sheet, {point(found.at)}"),
        *(Table(columns=_TREE, rows=tree_rows(lines), title=title) for title, lines in sections if lines),
        Table(columns=columns, rows=rows, empty="nothing has been posted"),
        Text(
            "assets equal liabilities, equity and result"
            if found.is_balanced
            else "assets differ from liabilities, equity and result"
        ),
    ]


def income_statement_views(found: IncomeStatement) -> list[View]:
    """An income statement for people."""
    since = "" if found.since is None else f" after {found.since.isoformat()}"
    until = " until now" if found.until is None else f" until {found.until.isoformat()}"
    sections = (("Income", found.income), ("Expenses", found.expenses))
    rows = [("result", amount(result), currency.code) for currency, result in by_code(found.results)]
    return [
        Text(f"Income statement,{since}{until}"),
        *(Table(columns=_TREE, rows=tree_rows(lines), title=title) for title, lines in sections if lines),
        Table(columns=(Column("income less expenses"), *_TREE[1:]), rows=rows, empty="nothing has been posted"),
    ]


def tree_rows(lines: Iterable[TreeLine]) -> list[tuple[str, ...]]:
    """Accounts and the nodes above them, indented by depth."""
    return [
        ("  " * line.depth + line.path.rpartition(":")[2], amount(line.total), line.total.currency.code)
        for line in lines
    ]
