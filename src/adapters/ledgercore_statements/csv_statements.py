"""CSV files of banks, read by a declared dialect."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import islice
from typing import Final

from attrs import frozen

from ledgercore.money import Currency, Money
from ledgercore.statements.statements import Direction, Statement, StatementEntry
from ledgercore_statements.amounts import read_currency, read_minor
from ledgercore_statements.csv_banks import DIALECTS
from ledgercore_statements.csv_dialects import Dialect
from ledgercore_statements.dates import read_date
from ledgercore_statements.decoding import decoded
from ledgercore_statements.faults import malformed, quoted

# Banks put a few lines about the account above the header.
_HEADER_WITHIN: Final = 50
_HEAD_BYTES: Final = 65_536


@frozen(kw_only=True)
class _Row:
    """One line of the file, with its cells by the names of the header."""

    line: int
    cells: Sequence[str]
    index: Mapping[str, int]

    def __getitem__(self, column: str) -> str:
        return self.cells[self.index[column]].strip()

    def find(self, column: str | None) -> str | None:
        """What stands in the column, or `None` where nothing does or the dialect has no such column."""
        return (self[column] or None) if column is not None else None


def read_csv(data: bytes, dialect: Dialect) -> tuple[Statement, ...]:
    """Read a CSV file: one statement for each account and currency, in the order of first appearance.

    Raises `ValidationError` (`malformed_statement`) with the line; nothing is returned then.
    """
    entries: dict[tuple[str | None, str], list[StatementEntry]] = {}
    for row in _rows(_text(data, dialect), dialect):
        with _placed(dialect, row.line):
            if row.find(dialect.status) not in dialect.ignored_words:
                entry = _entry(row, dialect)
                entries.setdefault((row.find(dialect.account), entry.amount.currency.code), []).append(entry)
    return tuple(
        Statement(format=_name(dialect), account=account, currency=currency, entries=tuple(of_account))
        for (account, currency), of_account in entries.items()
    )


def find_dialect(data: bytes) -> Dialect | None:
    """The bank whose header the file has; `None` when that is no bank we know, or more than one."""
    head = data[:_HEAD_BYTES].rpartition(b"\n")[0] if len(data) > _HEAD_BYTES else data
    text = decoded(head)
    fitting = [dialect for dialect in DIALECTS.values() if _has_header(text, dialect)]
    return fitting[0] if len(fitting) == 1 else None


def _has_header(text: str, dialect: Dialect) -> bool:
    try:
        return any(_index_of(cells, dialect) for _, cells in islice(_lines(text, dialect), _HEADER_WITHIN))
    except csv.Error:
        return False


def _text(data: bytes, dialect: Dialect) -> str:
    # A file that was saved again is UTF-8, whatever the bank wrote; hardly any other text can be read as that.
    declared = dialect.encoding
    try:
        text = decoded(data, (declared,) if declared.startswith("utf") else ("utf-8-sig", declared))
    except UnicodeDecodeError as error:
        raise malformed(_name(dialect), f"byte {error.start + 1}", f"no text in {declared}: {error.reason}") from error
    return text.removeprefix("\ufeff")


def _lines(text: str, dialect: Dialect) -> Iterator[tuple[int, Sequence[str]]]:
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True
    )
    for cells in reader:
        yield reader.line_num, cells


def _rows(text: str, dialect: Dialect) -> Iterator[_Row]:
    index: Mapping[str, int] | None = None
    width, line = 0, 0
    try:
        for line, cells in _lines(text, dialect):
            if index is None:
                if line > dialect.lines_before_header:
                    index, width = _index_of(cells, dialect), len(cells)
                if index is None and line >= dialect.lines_before_header + _HEADER_WITHIN:
                    break
            elif not any(cells) or cells[0].startswith(dialect.footers):
                continue
            elif len(cells) < width or any(cells[width:]):
                raise malformed(_name(dialect), f"line {line}", f"{len(cells)} cells, but the header has {width}")
            else:
                yield _Row(line=line, cells=cells, index=index)
    except csv.Error as error:
        raise malformed(_name(dialect), f"line {line + 1}", str(error)) from error
    if index is None:
        wanted = ", ".join(dialect.columns)
        raise malformed(_name(dialect), f"line {dialect.lines_before_header + 1}", f"no header with {wanted}")


def _index_of(cells: Sequence[str], dialect: Dialect) -> Mapping[str, int] | None:
    """Where each column stands, if these cells are the header; the second of a name is `Name#2`."""
    index: dict[str, int] = {}
    count: dict[str, int] = {}
    for position, cell in enumerate(cells):
        name = cell.strip().removeprefix("\ufeff")
        count[name] = count.get(name, 0) + 1
        index[name if count[name] == 1 else f"{name}#{count[name]}"] = position
    return index if index.keys() >= set(dialect.columns) else None


def _entry(row: _Row, dialect: Dialect) -> StatementEntry:
    currency = read_currency(row[dialect.currency_column] if dialect.currency_column else dialect.currency or "")
    minor = _signed_minor(row, dialect, currency)
    is_pending = row.find(dialect.status) in dialect.pending_words
    warnings: list[str] = []
    booked_on = _date(row, dialect.booked_on, dialect, warnings, is_required=not is_pending)
    value_on = _date(row, dialect.value_on, dialect, warnings) if dialect.value_on != dialect.booked_on else booked_on
    return StatementEntry(
        direction=Direction.DEBIT if minor < 0 else Direction.CREDIT,
        amount=Money(abs(minor), currency),
        booked_on=booked_on,
        value_on=value_on,
        position=f"line {row.line}",
        is_pending=is_pending,
        bank_id=row.find(dialect.bank_id),
        reference=row.find(dialect.reference),
        code=row.find(dialect.code),
        text=" ".join(filter(None, (row.find(column) for column in dialect.text))),
        counterparty=row.find(dialect.counterparty) or row.find(dialect.payee if minor < 0 else dialect.payer),
        counterparty_account=row.find(dialect.counterparty_account),
        warnings=tuple(warnings),
    )


def _signed_minor(row: _Row, dialect: Dialect, currency: Currency) -> int:
    def minor_in(column: str | None) -> int:
        written = row.find(column)
        if written is None:
            return 0
        return read_minor(written, currency, decimal=dialect.decimal, thousands=dialect.thousands)

    if dialect.amount is None:
        if row.find(dialect.debit) is None and row.find(dialect.credit) is None:
            raise ValueError(f"neither {dialect.debit} nor {dialect.credit} has an amount")
        lowered, raised = minor_in(dialect.debit), minor_in(dialect.credit)
        if lowered and raised:
            raise ValueError(f"both {dialect.debit} and {dialect.credit} have an amount")
        return raised + (lowered if dialect.debits_are_negative else -lowered)
    if row.find(dialect.amount) is None:
        raise ValueError(f"{dialect.amount} is empty")
    minor = minor_in(dialect.amount) - minor_in(dialect.fee)
    is_turned = dialect.charges_are_positive or row.find(dialect.direction) in dialect.debit_words
    return -minor if is_turned else minor


def _date(
    row: _Row, column: str | None, dialect: Dialect, warnings: list[str], *, is_required: bool = False
) -> date | None:
    written = row.find(column)
    if written is None or written in dialect.pending_words:
        if is_required:
            raise ValueError(f"{column} is empty")
        return None
    found = read_date(written, dialect.date_format)
    if found is None:
        warnings.append(f"{quoted(written)} is no date of the calendar")
    return found


@contextmanager
def _placed(dialect: Dialect, line: int) -> Iterator[None]:
    """Say of what cannot be read in a row which line it is."""
    try:
        yield
    except ValueError as error:
        raise malformed(_name(dialect), f"line {line}", str(error)) from error


def _name(dialect: Dialect) -> str:
    return f"csv:{dialect.name}"
