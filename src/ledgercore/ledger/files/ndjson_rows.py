"""Transactions in a file of JSON documents, one each line: any number of lines, currencies and fields."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from ledgercore.errors import LedgercoreError, ValidationError, error_for
from ledgercore.errors.catalog import INVALID_ARGUMENT, INVALID_IDEMPOTENCY_KEY
from ledgercore.ledger.documents import parse_json, transaction_from
from ledgercore.ledger.files.csv_rows import Row, Source
from ledgercore.ledger.files.text_lines import UTF_8, Undecodable, encoding_refused, nothing, physical_lines
from ledgercore.ledger.transactions import Transaction
from ledgercore.money import Currencies

EXPORT_FORMAT: Final = "export/1"


class NdjsonReader:
    """Reads documents as `transaction_from` does, each with an `id` or a `key`.

    Raises `invalid_argument` when the file is an export: that is for `restore`.
    """

    header: Sequence[str] = ()

    def __init__(
        self,
        chunks: Iterable[bytes],
        currencies: Currencies,
        *,
        encoding: str = UTF_8,
        advance: Callable[[int], None] = nothing,
    ) -> None:
        self._lines = physical_lines(chunks, encoding=encoding, advance=advance)
        self._encoding = encoding
        self._currencies = currencies

    def __iter__(self) -> Iterator[Row]:
        """Every document; one that is refused comes with its error, and the next follows."""
        for number, line in enumerate(self._lines, 1):
            if line.isspace():
                continue
            found: Transaction | LedgercoreError
            try:
                found = self._transaction(line, number)
            except LedgercoreError as error:
                found = error_for(error.reason, {**error.details, "line": number})
            if number == 1 and isinstance(found, LedgercoreError):
                _check_no_export(line)
            yield Row(number, line, found)

    def _transaction(self, line: str, number: int) -> Transaction:
        if isinstance(line, Undecodable):
            raise encoding_refused(line, self._encoding, line=number)
        transaction = transaction_from(parse_json(line), self._currencies)
        if transaction.id is None and transaction.key is None:
            raise ValidationError(
                INVALID_IDEMPOTENCY_KEY, field="id", why="each transaction of a file needs an id or a key"
            )
        return transaction


class NdjsonRejects:
    """Writes refused documents with their reasons, the original as text."""

    def __init__(self, write: Callable[[str], Any]) -> None:
        self._write = write

    def add(self, line: int, source: Source, error: LedgercoreError) -> None:
        """Write one document."""
        told = {"line": line, "reason": error.code, "detail": str(error), "text": source}
        self._write(json.dumps(told) + "\n")


def is_ndjson(start: bytes) -> bool:
    """Whether a file that begins like this holds JSON documents rather than CSV."""
    return start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def _check_no_export(line: str) -> None:
    try:
        document = json.loads(line)
    except ValueError:
        return
    if isinstance(document, Mapping) and document.get("format") == EXPORT_FORMAT:
        raise ValidationError(
            INVALID_ARGUMENT, field="file", line=1, why="this is an export of a whole ledger; use `ledgercore restore`"
        )
