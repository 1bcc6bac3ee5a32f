"""`ledgercore statement`: files of banks, and what is kept of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final
from uuid import UUID

import click

from ledgercore.errors import LedgercoreError, error_for
from ledgercore.identity.audit import OPERATOR
from ledgercore.ledger.documents import money_document
from ledgercore.ledger.paths import check_path
from ledgercore.money import Currency, Money, known_currency
from ledgercore.statements.credit_transfer_documents import order_from, status_report_document
from ledgercore.statements.documents import imported_document, line_document, statement_document
from ledgercore.statements.importing import Imported
from ledgercore.statements.lines import StatementLine, StatementRecord
from ledgercore.statements.status_reports import StatusReason
from ledgercore_cli.parameters import ID, TEXT_FILE, document, paging_options
from ledgercore_cli.rendering import Column, Facts, Table, Text, amount, moment
from ledgercore_cli.session import Session, pass_session

account_option = click.option(
    "--account", required=True, metavar="PATH", callback=lambda _, __, path: check_path(path),
    help="The ledger account that stands for the bank account.",
)  # fmt: skip

_STATEMENT_COLUMNS: Final = (
    Column("format"), Column("number"), Column("until"), Column("opening", right=True), Column("closing", right=True),
    Column(""), Column("closes"),
)  # fmt: skip
PART_COLUMNS: Final = (Column("on"), Column("amount", right=True), Column(""), Column("text", folds=True), Column("id"))


@click.group()
def statement() -> None:
    """Import and read what banks say.

    A file is MT940, MT942, CAMT.052 to 054, OFX, QFX, QIF or CSV. It may be imported again, and files may overlap: what
    was told before adds nothing.
    """


@statement.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=TEXT_FILE)
@account_option
@click.option(
    "--format", "format_", metavar="NAME", help="How to read them, where a file does not tell: csv, qif-dmy, …."
)
@click.option("--dialect", metavar="NAME", help="The dialect of CSV files, by its bank.")
@click.option("--dialect-file", type=TEXT_FILE, metavar="FILE", help="A dialect of your own, declared in JSON or TOML.")
@click.option("--bank-account", metavar="TEXT", help="The only one to import, of files about several.")
@pass_session
def import_(
    session: Session,
    files: tuple[IO[bytes], ...],
    account: str,
    format_: str | None,
    dialect: str | None,
    dialect_file: IO[bytes] | None,
    bank_account: str | None,
) -> None:
    """Import the statements of each FILE, wholly or not at all; - reads standard input.

    Nothing is stored before every file has been read.
    """
    ledger = session.ledger_name
    if dialect_file is not None:
        dialect = dialect_file.read().decode("utf-8", "backslashreplace")
    told = {"format": format_, "dialect": dialect, "bank_account": bank_account}
    with session.bank() as bank, session.progress("importing", total=2 * len(files)) as advance:
        importing, read, done = bank.statement_import, [], list[tuple[str, Imported]]()
        for file in files:
            # What comes by a pipe may have no name.
            name = str(getattr(file, "name", "-"))
            with _naming(name):
                read.append((name, importing.read(file.read(), ledger=ledger, account=account, **told)))
            advance(1)
        for name, statements in read:
            with _naming(name):
                imported = importing.store_all(
                    statements, ledger=ledger, account=account, file_name=Path(name).name, actor=OPERATOR
                )
            done += [(name, each) for each in imported]
            advance(1)
    columns = (Column("file", folds=True), *_STATEMENT_COLUMNS, Column("new lines", right=True))
    rows = [
        (name, *_statement_cells(each.record), str(each.record.lines_added) if each.is_new else "known")
        for name, each in done
    ]
    session.show({"items": [imported_document(each) for _, each in done]}, Table(columns=columns, rows=rows))
    for name, each in done:
        for warning in each.record.warnings if each.is_new else ():
            session.note(f"{name}: {warning}")


@statement.command("list")
@click.option("--account", metavar="PATH", help="Only those of this account.")
@paging_options
@pass_session
def list_(session: Session, account: str | None, limit: int, cursor: str | None) -> None:
    """List statements in the order they were imported."""
    with session.bank() as bank:
        page = bank.statements.page(session.ledger_name, account=account, cursor=cursor, limit=limit)
    columns = (Column("id"), Column("account"), *_STATEMENT_COLUMNS, Column("imported"))
    rows = [(str(each.id), each.account, *_statement_cells(each), moment(each.imported_at)) for each in page.items]
    session.show(
        {"items": [statement_document(each) for each in page.items], "next_cursor": page.next_cursor},
        Table(columns=columns, rows=rows, empty="no statements: ledgercore statement import FILE --account PATH"),
    )
    session.more(page.next_cursor)


@statement.command()
@click.argument("id_", metavar="ID", type=ID)
@pass_session
def show(session: Session, id_: UUID) -> None:
    """Show a statement; its ID is in the list."""
    with session.bank() as bank:
        found = bank.statements.get(session.ledger_name, id_)
    facts = Facts([(name.replace("_", " "), _text(value)) for name, value in statement_document(found).items()])
    session.show(statement_document(found), facts)


@statement.command()
@click.option("--account", metavar="PATH", help="The lines of an account.")
@click.option("--statement", "id_", type=ID, metavar="ID", help="Those that a statement was the first to tell.")
@paging_options
@pass_session
def lines(session: Session, account: str | None, id_: UUID | None, limit: int, cursor: str | None) -> None:
    """List lines of an account, or of a statement, in the order they were stored."""
    if (account is None) is (id_ is None):
        raise click.UsageError("one of --account and --statement is expected")
    with session.bank() as bank:
        if id_ is not None:
            page = bank.statements.lines_of(session.ledger_name, id_, cursor=cursor, limit=limit)
        else:
            page = bank.statements.lines(session.ledger_name, str(account), cursor=cursor, limit=limit)
    columns = (Column("number", right=True), *PART_COLUMNS, Column("counterparty", folds=True))
    rows = [
        (str(each.number), *line_cells(each, each.said.signed_minor), each.said.counterparty or "")
        for each in page.items
    ]
    session.show(
        {"items": [line_document(each) for each in page.items], "next_cursor": page.next_cursor},
        Table(columns=columns, rows=rows, empty="no lines"),
    )
    session.more(page.next_cursor)


@statement.command("write-pain001")
@click.argument("file", metavar="ORDER", type=TEXT_FILE)
@click.option(
    "-o", "--output", required=True, metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write.",
)  # fmt: skip
@pass_session
def write_pain001(session: Session, file: IO[bytes], output: Path) -> None:
    """Write SEPA credit transfers as a pain.001 file for a bank; ORDER is a JSON document.

    It has message_id, requested_on, debtor_name, debtor_iban and transfers, each with end_to_end_id, amount,
    creditor_name, creditor_iban and a text or a structured_reference. Names and texts are spelt with the letters that
    every bank of the area takes.
    """
    order = order_from(document(file), created_at=session.application.clock())
    output.write_bytes(session.application.write_credit_transfers(order))
    total = order.total
    session.show(
        {"file": str(output), "transfers": len(order.transfers), **money_document(total)},
        Text(f"{output}: {len(order.transfers)} transfers, {amount(total)} {total.currency.code}"),
    )


@statement.command("read-pain002")
@click.argument("file", metavar="FILE", type=TEXT_FILE)
@pass_session
def read_pain002(session: Session, file: IO[bytes]) -> None:
    """Read what a bank answers to a file of payments: a pain.002 file."""
    report = session.application.read_status_report(file.read())
    rows = [("file", report.original_message_id, report.status or "", _because(report.reasons))]
    for batch in report.batches:
        rows.append(("batch", batch.payment_id or "", batch.status or "", _because(batch.reasons)))
        rows += [
            ("transfer", each.end_to_end_id or each.instruction_id or "", each.status or "", _because(each.reasons))
            for each in batch.transfers
        ]
    columns = Column("of"), Column("name"), Column("status"), Column("why", folds=True)
    session.show(status_report_document(report), Table(columns=columns, rows=rows))


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Tell the file in what goes wrong with it."""
    try:
        yield
    except LedgercoreError as error:
        raise error_for(error.reason, {"file": name, **error.details}) from error


def _statement_cells(record: StatementRecord) -> Sequence[str]:
    currency = known_currency(record.currency, record.exponent)
    off = record.difference_minor
    return (
        record.format,
        record.number or "",
        "" if record.closing_on is None else record.closing_on.isoformat(),
        minor_text(record.opening_minor, currency),
        minor_text(record.closing_minor, currency),
        record.currency,
        "" if off is None else f"off by {minor_text(off, currency)}" if off else "yes",
    )


def line_cells(line: StatementLine, minor: int) -> Sequence[str]:
    """A line under `PART_COLUMNS`, with an amount that may be a part of it."""
    said = line.said
    day = "" if said.on is None else said.on.isoformat()
    return day, minor_text(minor, said.amount.currency), said.amount.currency.code, said.text, str(line.id)


def minor_text(minor: int | None, currency: Currency) -> str:
    """An amount for a table, or nothing."""
    return "" if minor is None else amount(Money(minor, currency))


def _because(reasons: Sequence[StatusReason]) -> str:
    return "; ".join(" ".join(filter(None, (each.code, *each.texts))) for each in reasons)


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
