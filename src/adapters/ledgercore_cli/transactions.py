"""`ledgercore transaction` and `events`: what was posted, and the log it stands in."""

import json
from datetime import datetime
from uuid import UUID

import click

from ledgercore.ledger.documents import transaction_document
from ledgercore.ledger.log.records import KIND_NAMES
from ledgercore.ledger.report_documents import event_document
from ledgercore.ledger.transactions import PostedTransaction
from ledgercore.money import Money
from ledgercore_cli.parameters import ID, MOMENT, metadata, paging_options
from ledgercore_cli.rendering import Column, Facts, Table, View, amount, moment
from ledgercore_cli.session import Session, pass_session

DATA_SHOWN_MAX = 100


@click.group()
def transaction() -> None:
    """Show and search transactions."""


@transaction.command()
@click.argument("id_", metavar="ID", type=ID)
@pass_session
def show(session: Session, id_: UUID) -> None:
    """Show a transaction by its UUID or key:TEXT, with the balances after each line."""
    with session.ledger() as ledger:
        posted = ledger.get_transaction(id_)
    session.show(transaction_document(posted), *transaction_views(posted))


@transaction.command()
@click.option("--account", metavar="PATH", help="Those with an entry on this account.")
@click.option("--reference", metavar="TEXT", help="Those with this reference.")
@click.option("--metadata", "metadata_", multiple=True, metavar="NAME=VALUE", help="Those with this attached text.")
@click.option("--minor-min", type=int, metavar="N", help="Those with a line of at least N minor units.")
@click.option("--minor-max", type=int, metavar="N", help="Those with a line of at most N minor units.")
@click.option("--effective-from", type=MOMENT, help="Effective at this time or later.")
@click.option("--effective-to", type=MOMENT, help="Effective at this time or earlier.")
@click.option("--recorded-from", type=MOMENT, help="Recorded at this time or later.")
@click.option("--recorded-to", type=MOMENT, help="Recorded at this time or earlier.")
@paging_options
@pass_session
def search(
    session: Session,
    account: str | None,
    reference: str | None,
    metadata_: tuple[str, ...],
    minor_min: int | None,
    minor_max: int | None,
    effective_from: datetime | None,
    effective_to: datetime | None,
    recorded_from: datetime | None,
    recorded_to: datetime | None,
    limit: int,
    cursor: str | None,
) -> None:
    """Find transactions that fit everything that is given, newest first."""
    with session.ledger() as ledger:
        page = ledger.list_transactions(
            account=account,
            reference=reference,
            metadata=metadata(metadata_),
            amount_minor_min=minor_min,
            amount_minor_max=minor_max,
            effective_from=effective_from,
            effective_to=effective_to,
            recorded_from=recorded_from,
            recorded_to=recorded_to,
            limit=limit,
            cursor=cursor,
        )
    columns = (
        Column("number", right=True), Column("id"), Column("effective"), Column("debit"), Column("credit"),
        Column("amount", right=True), Column(""), Column("description", folds=True),
    )  # fmt: skip
    rows = []
    for posted in page.items:
        for index, each in enumerate(posted.lines):
            line = each.line
            head = (str(posted.number), str(posted.id), moment(posted.effective_at)) if index == 0 else ("", "", "")
            rows.append(
                (
                    *head, line.debit or "", line.credit or "", amount(line.amount), line.amount.currency.code,
                    posted.description or "" if index == 0 else "",
                )
            )  # fmt: skip
    session.show(
        {"items": [transaction_document(posted) for posted in page.items], "next_cursor": page.next_cursor},
        Table(columns=columns, rows=rows, empty="no transactions"),
    )
    session.more(page.next_cursor)


@click.command()
@click.option("--after", default=0, metavar="NUMBER", help="Resume after this record.")
@click.option("--type", "types", multiple=True, type=click.Choice([*KIND_NAMES.values()]), help="Only these types.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="At most so many.")
@pass_session
def events(session: Session, after: int, types: tuple[str, ...], limit: int) -> None:
    """What happened after a record, in order; resume with --after and the last number."""
    with session.ledger() as ledger:
        found = list(ledger.events(after_number=after, types=types, limit=limit))
    resume = found[-1].number if found else after
    rows = [
        (
            str(each.number), each.type, moment(each.recorded_at),
            json.dumps(each.data, ensure_ascii=False)[:DATA_SHOWN_MAX],
        )
        for each in found
    ]  # fmt: skip
    session.show(
        {
            "items": [event_document(each) for each in found],
            "next_cursor": str(resume) if len(found) == limit else None,
        },
        Table(
            columns=(Column("number", right=True), Column("type"), Column("recorded"), Column("data", folds=True)),
            rows=rows,
            empty="no events",
        ),
    )
    if len(found) == limit:
        session.note(f"more: --after {resume}")


def transaction_views(posted: PostedTransaction, *, replayed: bool = False) -> list[View]:
    """A transaction for people."""
    columns = (
        Column("account"), Column("debit", right=True), Column("credit", right=True), Column(""),
        Column("balance", right=True),
    )  # fmt: skip
    rows = []
    for each in posted.lines:
        line = each.line
        text, code = amount(line.amount), line.amount.currency.code
        if line.debit is not None:
            rows.append((line.debit, text, "", code, _balance(each.debit_balance)))
        if line.credit is not None:
            rows.append((line.credit, "", text, code, _balance(each.credit_balance)))
    facts = Facts(
        [
            ("transaction", str(posted.id) + (" (replayed: it was posted before)" if replayed else "")),
            ("number", str(posted.number)),
            ("key", posted.key or ""),
            ("effective", posted.effective_at.isoformat()),
            ("recorded", posted.recorded_at.isoformat()),
            ("description", posted.description or ""),
            ("reference", posted.reference or ""),
            ("metadata", json.dumps(posted.metadata, ensure_ascii=False) if posted.metadata else ""),
            ("reverses", str(posted.reverses or "")),
            ("captures", str(posted.captures or "")),
        ]
    )
    return [facts, Table(columns=columns, rows=rows)]


def _balance(money: Money | None) -> str:
    return "" if money is None else amount(money)
