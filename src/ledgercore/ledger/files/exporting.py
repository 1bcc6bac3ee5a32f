"""A whole ledger as lines of JSON: a header, then each batch of the log followed by its records."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from ledgercore.errors import ConflictError, InternalError, LedgercoreError, ValidationError
from ledgercore.errors.catalog import EXPORT_DIVERGES, LOG_DIVERGED
from ledgercore.ledger.documents import parse_json
from ledgercore.ledger.files.export_records import (
    AccountBook,
    entry_document,
    entry_from,
    record_document,
    record_rows,
)
from ledgercore.ledger.files.ndjson_rows import EXPORT_FORMAT
from ledgercore.ledger.files.text_lines import Undecodable, nothing, physical_lines
from ledgercore.ledger.log.chain import GENESIS, LogEntry
from ledgercore.ledger.log.logged import read_row
from ledgercore.ledger.log.merkle import leaf_hash, tree_root
from ledgercore.ledger.names import check_ledger_name
from ledgercore.ledger.ports import Journal, JournalReader
from ledgercore.ledger.queries import LedgerState

CHUNK_BATCHES: Final = 500
_FAULTS: Final = (AttributeError, KeyError, TypeError, ValueError)


@frozen(kw_only=True)
class ExportHeader:
    """What an export says of itself first: whose it is, how much follows, and the head it ends with."""

    ledger: str
    records: int
    batches: int
    head: bytes

    def document(self) -> dict[str, Any]:
        """The header as the first line has it."""
        return {
            "format": EXPORT_FORMAT,
            "ledger": self.ledger,
            "records": self.records,
            "batches": self.batches,
            "head": self.head.hex(),
        }


def export_lines(journal: JournalReader, *, advance: Callable[[int], None] = nothing) -> Iterator[str]:
    """Everything that a ledger has recorded up to now, line by line.

    What is written restores to the same head: each batch is checked against the log's commitment on the
    way. `advance` is told the records of each batch. Memory grows with the number of accounts, not
    with that of records. Raises `log_diverged` where rows are not those the log committed to.
    """
    state = journal.state()
    header = ExportHeader(ledger=state.name, records=state.number, batches=state.batch, head=state.head)
    yield _line(header.document())
    book = AccountBook()
    done = 0
    while done < state.batch:
        entries = list(journal.log_entries(after_batch=done, limit=min(CHUNK_BATCHES, state.batch - done)))
        if not entries:
            raise InternalError(LOG_DIVERGED, batch=done + 1, why="the batch is missing from the log")
        records = _Records(journal, entries)
        for entry in entries:
            yield _line(entry_document(entry))
            yield from records.of(entry, book)
            advance(entry.last_number - entry.first_number + 1)
        done = entries[-1].batch


class _Records:
    """The rows of some batches, in one stream."""

    def __init__(self, journal: JournalReader, entries: Sequence[LogEntry]) -> None:
        self._rows = journal.rows(after_number=entries[0].first_number - 1, through_number=entries[-1].last_number)
        self._ahead = next(self._rows, None)

    def of(self, entry: LogEntry, book: AccountBook) -> Iterator[str]:
        leaves = []
        for number in range(entry.first_number, entry.last_number + 1):
            rows = self._record(number)
            leaves.append(leaf_hash(b"".join(rows)))
            try:
                document = record_document([read_row(row) for row in rows], book)
            except (*_FAULTS, IndexError) as error:
                raise InternalError(LOG_DIVERGED, batch=entry.batch, number=number, why=str(error)) from error
            yield _line(document)
        if tree_root(leaves) != entry.root:
            raise InternalError(
                LOG_DIVERGED, batch=entry.batch, why="its records are not those that the log committed to"
            )

    def _record(self, number: int) -> list[bytes]:
        rows = []
        # A row begins with its number: four bytes of length and eight of the number itself.
        while self._ahead is not None and int.from_bytes(self._ahead[4:12]) == number:
            rows.append(self._ahead)
            self._ahead = next(self._rows, None)
        return rows


class ExportReader:
    """Reads an export from chunks of bytes and puts it into a ledger, batch by batch.

    Raises `export_diverges` when the file does not begin like an export.
    """

    def __init__(self, chunks: Iterable[bytes], *, advance: Callable[[int], None] = nothing) -> None:
        self._number = 0
        self._lines = physical_lines(chunks, advance=advance)
        self.header = self._header()

    def restore(self, journal: Journal) -> LedgerState:
        """Append what the ledger does not have yet; return where it stands then.

        Begun again after it was cut off, it goes on after the last whole batch. Raises
        `export_diverges` naming the line when the ledger has recorded anything else, or when the file
        was shortened, changed or put in another order; the whole batches before that stay.
        """
        state = journal.state()
        if state.batch > self.header.batches:
            raise self._diverges("the ledger has recorded more than the export", batches=state.batch)
        if state.batch == 0 and state.head != GENESIS:
            raise self._diverges("the ledger is not empty")
        book = AccountBook()
        head = GENESIS
        for batch in range(1, self.header.batches + 1):
            line, entry = self._entry(batch)
            rows = [row for _ in range(entry.last_number - entry.first_number + 1) for row in self._record(entry, book)]
            head = entry.head
            if batch > state.batch:
                try:
                    journal.restore(entry, rows)
                except ConflictError as error:
                    raise ConflictError(error.reason, **{**error.details, "line": line}) from error
            elif batch == state.batch and entry.head != state.head:
                raise self._diverges("the ledger has recorded something else up to this batch", line=line)
        if head != self.header.head:
            raise self._diverges("the last head is not the header's")
        if self._next() is not None:
            raise self._diverges("more follows than the header announces")
        return journal.state()

    def _header(self) -> ExportHeader:
        document = self._next()
        try:
            assert document is not None
            header = ExportHeader(
                ledger=check_ledger_name(document["ledger"]),
                records=document["records"],
                batches=document["batches"],
                head=bytes.fromhex(document["head"]),
            )
            counts = (header.records, header.batches)
            if header.document() != document or [type(count) for count in counts] != [int, int] or min(counts) < 0:
                raise ValueError("a field is wrong")
        except (AssertionError, LedgercoreError, *_FAULTS) as error:
            raise self._diverges("the file does not begin with the header of an export") from error
        return header

    def _entry(self, batch: int) -> tuple[int, LogEntry]:
        document = self._next()
        if document is None:
            raise self._diverges("the file ends before its last batch", batch=batch)
        try:
            entry = entry_from(document)
        except _FAULTS as error:
            raise self._diverges("batch expected", batch=batch) from error
        if entry.batch != batch:
            raise self._diverges("another batch expected", batch=batch, found=entry.batch)
        if not 1 <= entry.first_number <= entry.last_number <= self.header.records:
            raise self._diverges("its records are beyond those of the header", batch=batch)
        return self._number, entry

    def _record(self, entry: LogEntry, book: AccountBook) -> list[bytes]:
        document = self._next()
        if document is None:
            raise self._diverges("the file ends within a batch", batch=entry.batch)
        try:
            return record_rows(document, book, entry.recorded_at)
        except _FAULTS as error:
            why = f"{type(error).__name__}: {error}" if type(error) is not ValueError else str(error)
            raise self._diverges(f"no record of an export: {why}", batch=entry.batch) from error

    def _next(self) -> Mapping[str, Any] | None:
        self._number += 1
        try:
            line = next(self._lines, None)
            if line is None:
                return None
            if isinstance(line, Undecodable):
                raise self._diverges("not UTF-8", byte=line.first_byte)
            document: Mapping[str, Any] = parse_json(line)
        except ValidationError as error:
            raise self._diverges(str(error)) from error
        return document

    def _diverges(self, why: str, *, line: int | None = None, **details: object) -> ConflictError:
        return ConflictError(EXPORT_DIVERGES, line=line or self._number, why=why, **details)


def _line(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False) + "\n"
