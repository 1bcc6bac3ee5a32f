"""Transfers in a CSV file: one row each, read strictly, the faulty ones told apart from the rest."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple, Protocol, TypeAlias
from uuid import UUID

from ledgercore.errors import LedgercoreError, ValidationError, error_for, shortened
from ledgercore.errors.catalog import INVALID_CSV, INVALID_IDEMPOTENCY_KEY, MISSING_COLUMNS
from ledgercore.ledger.files.text_lines import UTF_8, Undecodable, encoding_refused, nothing, physical_lines
from ledgercore.ledger.texts import parse_moment
from ledgercore.ledger.transactions import Transaction, plain_transfer
from ledgercore.money import Currencies, parse_positive_amount

COLUMNS: Final = ("id", "effective_at", "debit_account", "credit_account", "amount", "currency", "description")
RECORD_CHARACTERS_MAX: Final = 65_536
REJECT_COLUMNS: Final = ("reject_line", "reject_reason", "reject_detail", "reject_text")
"""What a rejects file has behind the columns of the original; the last has what no columns could be found in."""

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_COLUMN_OF: Final = {"debit": "debit_account", "credit": "credit_account", "key": "id"}

Source: TypeAlias = Sequence[str] | str
"""A row's columns, or its text where it has none."""


class Row(NamedTuple):
    """What a file has at a line: a transaction, or why it is none."""

    line: int
    source: Source
    found: Transaction | LedgercoreError


class Reader(Protocol):
    """Reads one format; `header` are the file's columns, if it has any."""

    header: Sequence[str]

    def __iter__(self) -> Iterator[Row]:
        """Every row in the order of the file."""
        ...


class CsvReader:
    """Reads rows from chunks of bytes.

    The header names the columns in any order; those beyond `COLUMNS` are left alone. Raises
    `missing_columns`, `invalid_csv` or `invalid_encoding` when the header cannot be used, and
    `invalid_csv` where a quote that was never closed swallows the file: what follows may be anything.
    """

    def __init__(
        self,
        chunks: Iterable[bytes],
        currencies: Currencies,
        *,
        encoding: str = UTF_8,
        advance: Callable[[int], None] = nothing,
    ) -> None:
        self._encoding = encoding
        self._taken: list[str] = []
        self._line = 1
        self._records = csv.reader(self._lines(chunks, advance), strict=True)
        self.header: Sequence[str] = self._header()
        self._transaction = _builder(self.header, currencies)

    def __iter__(self) -> Iterator[Row]:
        """Every row; one that is refused comes with its error, and the next follows."""
        taken = self._taken
        records = self._records
        build = self._transaction
        width = len(self.header)
        line = self._line
        while True:
            taken.clear()
            try:
                columns = next(records)
            except StopIteration:
                return
            except (csv.Error, _QuoteLeftOpen) as error:
                yield self._broken(line, error)
                line += len(taken)
                continue
            try:
                if len(columns) == width and len(taken) == 1 and type(taken[0]) is str:
                    row = Row(line, columns, build(columns))
                elif columns:
                    row = self._unusual(line, columns)
                else:
                    line += 1
                    continue
            except LedgercoreError as error:
                row = Row(line, columns, _at(error, line))
            yield row
            line += len(taken)

    def _unusual(self, line: int, columns: list[str]) -> Row:
        """A row of several lines, of too few or many columns, or with bytes that are no text."""
        for undecodable in self._taken:
            if isinstance(undecodable, Undecodable):
                return Row(line, "".join(self._taken), encoding_refused(undecodable, self._encoding, line=line))
        if len(columns) != len(self.header):
            error = ValidationError(
                INVALID_CSV, line=line, columns=len(columns), expected=len(self.header),
                why="the row has more or fewer columns than the header",
            )  # fmt: skip
            return Row(line, "".join(self._taken), error)
        return Row(line, columns, self._transaction(columns))

    def _broken(self, line: int, error: Exception) -> Row:
        refused = ValidationError(INVALID_CSV, line=line, last_line=line + len(self._taken) - 1, why=str(error))
        if isinstance(error, _QuoteLeftOpen):
            raise refused
        return Row(line, "".join(self._taken), refused)

    def _header(self) -> Sequence[str]:
        try:
            columns = next(self._records, [])
        except (csv.Error, _QuoteLeftOpen) as error:
            raise ValidationError(INVALID_CSV, line=1, why=str(error)) from error
        for line in self._taken:
            if isinstance(line, Undecodable):
                raise encoding_refused(line, self._encoding, line=1)
        names = [column.strip() for column in columns]
        missing = [name for name in COLUMNS if name not in names]
        if missing:
            raise ValidationError(
                MISSING_COLUMNS,
                field=missing[0],
                line=1,
                columns=missing,
                found=[shortened(name) for name in names[:20]],
            )
        repeated = [name for name in COLUMNS if names.count(name) > 1]
        if repeated:
            raise ValidationError(INVALID_CSV, line=1, field=repeated[0], why="the column is there more than once")
        self._line += len(self._taken)
        return names

    def _lines(self, chunks: Iterable[bytes], advance: Callable[[int], None]) -> Iterator[str]:
        taken = self._taken
        for line in physical_lines(chunks, encoding=self._encoding, advance=advance):
            taken.append(line)
            if len(taken) > 1 and sum(map(len, taken)) > RECORD_CHARACTERS_MAX:
                raise _QuoteLeftOpen
            yield line


class CsvRejects:
    """Writes refused rows with their original columns, so that the mended file can be imported again."""

    def __init__(self, write: Callable[[str], Any], header: Sequence[str]) -> None:
        self._writer = csv.writer(_Sink(write), lineterminator="\n")
        self._blank = [""] * len(header)
        self._writer.writerow([*header, *REJECT_COLUMNS])

    def add(self, line: int, source: Source, error: LedgercoreError) -> None:
        """Write one row."""
        columns, text = (self._blank, source) if isinstance(source, str) else (source, "")
        self._writer.writerow([*columns, line, error.code, str(error), text])


class _QuoteLeftOpen(Exception):
    def __str__(self) -> str:
        return f"a quote is not closed within {RECORD_CHARACTERS_MAX} characters"


class _Sink:
    def __init__(self, write: Callable[[str], Any]) -> None:
        self.write = write


def _builder(header: Sequence[str], currencies: Currencies) -> Callable[[list[str]], Transaction]:
    pick = itemgetter(*(header.index(name) for name in COLUMNS))
    find = currencies.find
    is_uuid = _UUID.fullmatch

    def build(columns: list[str]) -> Transaction:
        id_, effective_at, debit, credit, amount, code, description = pick(columns)
        currency = find(code) or currencies.get(code)
        minor = parse_positive_amount(amount, currency)
        moment = parse_moment(effective_at, field="effective_at")
        uuid = None
        if len(id_) == 36 and is_uuid(id_):
            uuid = UUID(id_)
        elif not id_:
            raise ValidationError(INVALID_IDEMPOTENCY_KEY, field="id", why="a row without an id is not imported")
        return plain_transfer(
            debit=debit, credit=credit, minor=minor, currency=currency, effective_at=moment,
            id=uuid, key=None if uuid else id_, description=description or None,
        )  # fmt: skip

    return build


def _at(error: LedgercoreError, line: int) -> LedgercoreError:
    """The same error, with the line of the file and the field by the name of its column."""
    details = dict(error.details)
    field = details.get("field")
    if isinstance(field, str):
        details["field"] = _COLUMN_OF.get(field, field)
    return error_for(error.reason, {**details, "line": line})
