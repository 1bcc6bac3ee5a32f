"""`ledgercore quickstart` and `sample`: from nothing to a year of books, imported, reported and verified."""

import csv
import io
import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

import click
from attrs import asdict

from ledgercore.errors import LedgercoreError
from ledgercore.ledger.accounts import Opening
from ledgercore.ledger.commands import Settings as LedgerSettings
from ledgercore.ledger.files.csv_rows import COLUMNS, Source
from ledgercore.ledger.files.importing import ImportSummary, import_rows
from ledgercore.ledger.files.ndjson_rows import NdjsonReader
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.proofs.verification import verify
from ledgercore.ledger.report_documents import balance_sheet_document, income_statement_document
from ledgercore.money import ISO
from ledgercore_app.databases import Embedded, database_from
from ledgercore_app.library import Ledgers
from ledgercore_app.sample import YEAR, sample_year
from ledgercore_app.settings import Settings
from ledgercore_cli import exit_codes
from ledgercore_cli.rendering import Text, amount
from ledgercore_cli.reports import balance_sheet_views
from ledgercore_cli.session import Session

LEDGER: Final = "sample"
FILE: Final = f"sample-{YEAR}.ndjson"
CHUNK_BYTES: Final = 1 << 16


@click.command()
@click.option(
    "--data-directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the embedded database keeps its data; made if need be.",
)
@click.pass_context
def quickstart(ctx: click.Context, data_directory: Path | None) -> None:
    """Start the embedded database, make a sample year of a small company's books, import it into the
    ledger "sample", and print a balance sheet and a verification.

    Run again, it changes nothing and prints the same.
    """
    session = ctx.find_object(Session)
    assert session is not None
    if data_directory is not None:
        session.database = f"embedded:{data_directory.resolve()}"
    name = session.ledger_option or LEDGER
    session.note(f"database  {_database(session)}")
    with session.store() as store:
        file = _folder(session) / FILE
        movements = _write(file)
        session.note(f"sample    {movements:,} movements of {YEAR} in {file}")
        ledger = Ledgers(store).ensure(name, LedgerSettings(opening=Opening(on_first_use=True)))
        with session.progress("importing", total=file.stat().st_size) as advance, file.open("rb") as data:
            summary = _import(ledger, data, advance)
        session.note(f"import    {summary.posted:,} posted, {summary.replayed:,} known already")
        sheet, income = ledger.balance_sheet(), ledger.income_statement()
        with session.progress("verifying", total=ledger.state().number) as advance:
            done = verify(ledger.journal, progress=_by_steps(advance))
        session.note("")
    results = ", ".join(f"{amount(result)} {code}" for code, result in income.results.items())
    checked = f"{done.records:,} records in {done.batches:,} batches, {done.accounts:,} accounts, {done.holds:,} holds"
    verdict = "sound" if done.sound else f"diverges in {', '.join(done.divergences)}"
    session.show(
        {
            "ledger": name,
            "database": _database(session),
            "file": str(file),
            "import": asdict(summary),
            "balance_sheet": balance_sheet_document(sheet),
            "income_statement": income_statement_document(income),
            "verification": {"sound": done.sound, "records": done.records, "head": done.head.hex()},
        },
        *balance_sheet_views(sheet),
        Text(f"Income less expenses: {results}"),
        Text(f"Verified: {verdict}; {checked}\nHead of the log: {done.head.hex()}"),
        Text(_next_steps(session, name)),
    )
    ctx.exit(exit_codes.DONE if done.sound else exit_codes.DIVERGED)


@click.command()
@click.argument("file", type=click.File("w", encoding="utf-8", lazy=False), default="-")
@click.option("--ndjson", is_flag=True, help="Whole transactions, instead of CSV with a row for each line.")
def sample(file: IO[str], ndjson: bool) -> None:
    """Write the sample year to FILE, or to standard output: what quickstart imports."""
    for line in _ndjson_lines() if ndjson else _csv_lines():
        file.write(line)


def _import(ledger: Ledger, data: IO[bytes], advance: Callable[[int], None]) -> ImportSummary:
    reader = NdjsonReader(
        iter(lambda: data.read(CHUNK_BYTES), b""), ledger.state().settings.currencies(ISO), advance=advance
    )
    return import_rows(ledger, reader, reject=_refuse)


def _by_steps(advance: Callable[[int], None]) -> Callable[[int, int], None]:
    """Tell a bar how far each report is beyond the one before."""
    before = 0

    def progress(records: int, _: int) -> None:
        nonlocal before
        advance(records - before)
        before = records

    return progress


def _refuse(_: int, __: Source, error: LedgercoreError) -> None:
    """The sample has no wrong rows: a ledger that refuses one holds something else under that name."""
    raise error


def _write(file: Path) -> int:
    lines = list(_ndjson_lines())
    unfinished = file.with_suffix(f".{os.getpid()}.unfinished")
    unfinished.write_text("".join(lines), encoding="utf-8")
    unfinished.replace(file)
    return len(lines)


def _ndjson_lines() -> Iterator[str]:
    return (json.dumps(movement.document(), ensure_ascii=False) + "\n" for movement in sample_year())


def _csv_lines() -> Iterator[str]:
    for row in (COLUMNS, *(row for movement in sample_year() for row in movement.rows())):
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(row)
        yield line.getvalue()


def _database(session: Session) -> str:
    return session.database or session.application.default_database()


def _folder(session: Session) -> Path:
    """Beside the embedded server's data, or here."""
    named = database_from(_database(session), Settings())
    return named.data_directory if isinstance(named, Embedded) else Path.cwd()


def _next_steps(session: Session, ledger: str) -> str:
    """Commands to go on with, as they must be typed here."""
    program = "ledgercore" if shutil.which("ledgercore") else os.path.relpath(sys.argv[0])
    where = [] if session.database is None else ["--database", session.database]
    command = shlex.join([program, *where, "--ledger", ledger])
    steps = (
        "register assets:bank:checking --newest-first --limit 10",
        f"report income-statement --until {YEAR}-06-30T23:59:59Z",
        f"balance assets:bank:checking --effective-at {YEAR}-03-31T23:59:59Z",
        "post expenses:office assets:bank:checking 42.00 EUR --key my-first",
        "verify",
        "--help",
    )
    return "Try next:\n" + "\n".join(f"  {command} {step}" for step in steps)
