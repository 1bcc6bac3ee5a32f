"""`ledgercore import`, `export` and `restore`: ledgers and files."""

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final

import click

from ledgercore.errors import ConflictError, LedgercoreError, NotFoundError, ValidationError
from ledgercore.errors.catalog import INVALID_ARGUMENT, LEDGER_ALREADY_EXISTS, LEDGER_NOT_FOUND
from ledgercore.ledger.accounts import Opening
from ledgercore.ledger.commands import Settings
from ledgercore.ledger.files.beancount import beancount_lines
from ledgercore.ledger.files.csv_rows import CsvReader, CsvRejects, Source
from ledgercore.ledger.files.exporting import ExportReader, export_lines
from ledgercore.ledger.files.hledger import hledger_lines
from ledgercore.ledger.files.importing import BATCH_SIZE, ImportSummary, import_rows, prepare, read_opening_rule
from ledgercore.ledger.files.ndjson_rows import NdjsonReader, NdjsonRejects, is_ndjson
from ledgercore.ledger.files.text_lines import UTF_8, check_encoding
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.ports import Journal
from ledgercore.ledger.report_documents import state_document
from ledgercore.money import Currencies, Currency
from ledgercore_cli import exit_codes
from ledgercore_cli.application import Store
from ledgercore_cli.parameters import TEXT_FILE, currencies_of, signed_minor
from ledgercore_cli.rendering import Facts, Text
from ledgercore_cli.session import Session, pass_session

CHUNK_BYTES: Final = 1024 * 1024
WRITERS: Final[Mapping[str, Callable[..., Iterator[str]]]] = {
    "ndjson": export_lines,
    "hledger": hledger_lines,
    "beancount": beancount_lines,
}
# With the default of 700, a third of an import's time would go into looking for garbage that is not there.
COLLECT_EVERY: Final = 50_000


@click.command("import")
@click.argument("file", type=TEXT_FILE)
@click.option("--format", "format_", type=click.Choice(["auto", "csv", "ndjson"]), default="auto", show_default=True)
@click.option("--encoding", default=UTF_8, show_default=True, help="How the file's text is encoded.")
@click.option("--batch-size", type=int, default=BATCH_SIZE, show_default=True, help="Rows in one commit, up to 20,000.")
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where refused rows go (default: FILE.rejects.csv or .ndjson); written only if there are any.",
)
@click.option("--strict", is_flag=True, help="Stop at the first refused row; rows are posted one by one.")
@click.option("--create", is_flag=True, help="Create the ledger if it is missing; accounts open on first use.")
@click.option("--open", "types", multiple=True, metavar="PREFIX=TYPE", help="Open accounts below PREFIX as TYPE.")
@click.option("--min-balance", metavar="AMOUNT", help='The least available balance: 0, or as in "-500.00 EUR".')
@click.option("--on", "prefixes", multiple=True, metavar="PREFIX", help="The accounts that --min-balance is for.")
@pass_session
def import_(
    session: Session,
    file: IO[bytes],
    format_: str,
    encoding: str,
    batch_size: int,
    rejects: Path | None,
    strict: bool,
    create: bool,
    types: tuple[str, ...],
    min_balance: str | None,
    prefixes: tuple[str, ...],
) -> None:
    """Post the movements of a CSV or NDJSON FILE; - reads standard input.

    A CSV file has the columns id, effective_at, debit_account, credit_account, amount, currency and
    description; others are left alone. An NDJSON file has one transaction as a JSON document on each
    line. Each row's id keeps it from being posted twice, so an import may be repeated, or begun again
    after it was cut off. Refused rows go to the rejects file with the reason, and the import goes on.
    """
    check_encoding(encoding)
    if (min_balance is None) is bool(prefixes):
        raise click.UsageError("--min-balance and --on are given together")
    rules = [read_opening_rule(text) for text in types]
    with ExitStack() as stack:
        stack.enter_context(_collecting_seldom())
        store = stack.enter_context(session.store())
        ledger = Ledger(_ledger(session, store, create))
        currencies = currencies_of(ledger)
        minimum, currency = (None, None) if min_balance is None else _minimum(min_balance, currencies)
        advance = stack.enter_context(session.progress("importing", total=_size(file)))
        start = file.read(CHUNK_BYTES)
        kind = format_ if format_ != "auto" else "ndjson" if is_ndjson(start) else "csv"
        chunks = chain((start,), _chunks(file))
        reader: CsvReader | NdjsonReader
        if kind == "ndjson":
            reader = NdjsonReader(chunks, currencies, encoding=encoding, advance=advance)
        else:
            reader = CsvReader(chunks, currencies, encoding=encoding, advance=advance)
        target = _Rejects(rejects or Path(f"{_name(file)}.rejects.{kind}"), file, encoding, reader.header, kind)
        stack.callback(target.close)
        prepare(ledger, types=rules, minimum=minimum, currency=currency, prefixes=prefixes)
        began = time.perf_counter()
        summary = import_rows(
            ledger,
            reader,
            reject=target.add,
            batch_size=batch_size,
            strict=strict,
            settled=target.flush,
        )
        seconds = time.perf_counter() - began
    _show(session, ledger.name, summary, seconds, target)
    if summary.rejected:
        click.get_current_context().exit(exit_codes.REFUSED_IN_PART)


@click.command()
@click.option("--format", "format_", type=click.Choice(list(WRITERS)), default="ndjson", show_default=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write, instead of standard output.",
)
@pass_session
def export(session: Session, format_: str, output: Path | None) -> None:
    """Write the whole ledger as NDJSON, or its transactions as a journal for hledger or beancount.

    NDJSON is what `restore` reads; it keeps everything, up to the head of the log. The journals
    assert the balance of every account, so that `hledger check -s` and `bean-check` can judge them.
    """
    with session.ledger() as ledger:
        state = ledger.state()
        with session.progress("exporting", total=state.number) as advance:
            lines = WRITERS[format_](ledger.journal, advance=advance)
            if output is None:
                _write(sys.stdout.buffer, lines)
                return
            with _whole_file(output) as target:
                _write(target, lines)
    said = f"wrote {state.name} through record {state.number:,} to {output}"
    document = {"ledger": state.name, "file": str(output), "format": format_, "bytes": output.stat().st_size}
    session.show(document, Text(said))


@click.command()
@click.argument("file", type=TEXT_FILE)
@pass_session
def restore(session: Session, file: IO[bytes]) -> None:
    """Make a ledger from an NDJSON export FILE, with the same head; - reads standard input.

    The ledger gets the name it had, or that of --ledger. Begun again after it was cut off, restoring
    goes on after the last whole batch.
    """
    with session.store() as store, session.progress("restoring", total=_size(file)) as advance:
        reader = ExportReader(_chunks(file), advance=advance)
        name = session.ledger_option or reader.header.ledger
        try:
            journal = store.create_empty(name)
        except ConflictError as error:
            if error.reason is not LEDGER_ALREADY_EXISTS:
                raise
            journal = store.journal(name)
        state = reader.restore(journal)
    session.show(
        state_document(state),
        Facts([("ledger", state.name), ("records", f"{state.number:,}"), ("head", state.head.hex())]),
    )


class _Rejects:
    """The rejects file, made when the first row is refused."""

    def __init__(self, path: Path, source: IO[bytes], encoding: str, header: Sequence[str], kind: str) -> None:
        self.path = path
        self.count = 0
        self._encoding = encoding
        self._header = header
        self._kind = kind
        self._file: IO[str] | None = None
        self._writer: CsvRejects | NdjsonRejects | None = None
        if path.exists() and Path(_name(source)).exists() and path.samefile(_name(source)):
            raise ValidationError(INVALID_ARGUMENT, field="rejects", why="it is the file that is imported")

    def add(self, line: int, source: Source, error: LedgercoreError) -> None:
        if self._writer is None:
            # Bytes that could not be decoded come back as they were.
            self._file = self.path.open("w", encoding=self._encoding, errors="surrogateescape", newline="")
            write = self._file.write
            self._writer = NdjsonRejects(write) if self._kind == "ndjson" else CsvRejects(write, self._header)
        self._writer.add(line, source, error)
        self.count += 1

    def flush(self, _: ImportSummary) -> None:
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _ledger(session: Session, store: Store, create: bool) -> Journal:
    name = session.ledger_name
    try:
        return store.journal(name)
    except NotFoundError as error:
        if error.reason is not LEDGER_NOT_FOUND or not create:
            raise NotFoundError(error.reason, ledger=name, remedy=f"ledgercore ledger create {name}") from error
    try:
        return store.create(name, Settings(opening=Opening(on_first_use=True)))
    except ConflictError:
        # Another import was quicker.
        return store.journal(name)


def _minimum(text: str, currencies: Currencies) -> tuple[int, Currency | None]:
    amount, _, code = text.strip().partition(" ")
    if not code:
        if amount != "0":
            raise ValidationError(
                INVALID_ARGUMENT, field="min_balance", value=text[:60], why="an amount other than 0 names its currency"
            )
        return 0, None
    currency = currencies.get(code.strip())
    return signed_minor(amount, currency, field="min_balance"), currency


def _show(session: Session, ledger: str, summary: ImportSummary, seconds: float, rejects: _Rejects) -> None:
    rate = round(summary.rows / seconds) if seconds else 0
    path = str(rejects.path) if rejects.count else None
    document: dict[str, Any] = {
        "ledger": ledger,
        "rows": summary.rows,
        "posted": summary.posted,
        "replayed": summary.replayed,
        "rejected": summary.rejected,
        "rejects": path,
        "rows_per_second": rate,
    }
    session.show(
        document,
        Facts(
            [
                ("posted", f"{summary.posted:,}"),
                ("replayed", f"{summary.replayed:,}"),
                ("rejected", f"{summary.rejected:,}"),
                ("rejects", path or ""),
                ("rows/s", f"{rate:,}"),
            ]
        ),
    )


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(COLLECT_EVERY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def _whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes its name only once all of it is on the disk."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as target:
            yield target
            target.flush()
            os.fsync(target.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _write(target: IO[bytes], lines: Iterator[str]) -> None:
    for line in lines:
        target.write(line.encode())
    target.flush()


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def _name(file: IO[bytes]) -> str:
    name = getattr(file, "name", None)
    return name if isinstance(name, str) and name not in ("-", "<stdin>") else "import"


def _size(file: IO[bytes]) -> int | None:
    try:
        return os.fstat(file.fileno()).st_size or None
    except (OSError, AttributeError, ValueError):
        return None
