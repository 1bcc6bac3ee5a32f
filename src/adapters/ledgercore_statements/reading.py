"""The door for statement files: finds out what a file is, and has it read."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from attrs import frozen

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import UNKNOWN_STATEMENT_FORMAT
from ledgercore.statements.statements import Statement
from ledgercore_statements.camt import read_camt
from ledgercore_statements.csv_banks import DIALECTS
from ledgercore_statements.csv_dialects import Dialect, read_dialect
from ledgercore_statements.csv_statements import find_dialect, read_csv
from ledgercore_statements.faults import malformed
from ledgercore_statements.mt94x import read_mt94x
from ledgercore_statements.ofx import read_ofx
from ledgercore_statements.qif import read_qif

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
_HEAD_BYTES: Final = 65_536
_BYTE_ORDER_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_OFX: Final = re.compile(rb"OFXHEADER|<OFX>", re.IGNORECASE)
_CAMT: Final = re.compile(rb"camt\.05[234]\.001|BkToCstmr")
_MT94X: Final = re.compile(rb"(?:\A|[\r\n])(?:\{[^\r\n]{0,200}\{4:)?:20:")
_QIF: Final = re.compile(rb"!(?:Type|Option|Clear):|!Account", re.IGNORECASE)


@frozen(kw_only=True)
class _File:
    """A file, and what the caller says of it that the file may not tell itself."""

    data: bytes
    dialect: Dialect | None
    currency: str | None
    is_day_first: bool | None
    decimal: str | None


def read_statements(
    data: bytes,
    *,
    format: str | None = None,
    dialect: Dialect | str | None = None,
    currency: str | None = None,
    is_day_first: bool | None = None,
    decimal: str | None = None,
) -> tuple[Statement, ...]:
    """Read all statements of a file of at most 64 MiB, in its order; without a `format` the content tells it.

    A CSV file is read by the `dialect`, given itself, as a JSON or TOML document, or by the name of a bank's; without
    one its header tells it. QIF needs the `currency`, and `is_day_first` or `decimal` where its dates or amounts can
    be read both ways. Raises `ValidationError`: `unknown_statement_format` for a format, dialect or content that is not
    known, `invalid_argument` for what the caller says of a QIF file, `malformed_statement` with the position for
    a file that cannot be read; nothing is returned then.
    """
    if len(data) > FILE_BYTES_MAX:
        raise malformed(format or "any", f"byte {FILE_BYTES_MAX + 1}", f"a file has at most {FILE_BYTES_MAX} bytes")
    declared = _dialect(dialect) if isinstance(dialect, str) else dialect
    if format is None:
        format = "csv" if declared is not None else find_format(data)
    if format is None or (reader := _READERS.get(format.lower())) is None:
        raise _unknown(format, "the content is of none of the formats" if format is None else "no such format")
    return reader(_File(data=data, dialect=declared, currency=currency, is_day_first=is_day_first, decimal=decimal))


def find_format(data: bytes) -> str | None:
    """The format that a file has by its content, or `None`; `csv` only with the header of a bank we know."""
    # Without its zero bytes, UTF-16 is legible enough for this.
    head = data[:_HEAD_BYTES].replace(b"\0", b"")
    for mark in _BYTE_ORDER_MARKS:
        head = head.removeprefix(mark)
    start = head.lstrip()
    if start[:3].upper() == b"OFX" or start.startswith(b"<"):
        return "ofx" if _OFX.search(start) else "camt" if _CAMT.search(start) else None
    if _QIF.match(start):
        return "qif"
    if _MT94X.search(head):
        return "mt942" if b":34F:" in head and b":60" not in head else "mt940"
    return "csv" if find_dialect(data) else None


def _read_csv(file: _File) -> tuple[Statement, ...]:
    dialect = file.dialect or find_dialect(file.data)
    if dialect is None:
        raise _unknown("csv", "the header is of no bank that is known; name or declare a dialect")
    return read_csv(file.data, dialect)


_READERS: Final[Mapping[str, Callable[[_File], tuple[Statement, ...]]]] = {
    "mt940": lambda file: read_mt94x(file.data),
    "mt942": lambda file: read_mt94x(file.data),
    "camt": lambda file: read_camt(file.data),
    "ofx": lambda file: read_ofx(file.data),
    "qfx": lambda file: read_ofx(file.data),
    "qif": lambda file: read_qif(
        file.data, currency=file.currency, is_day_first=file.is_day_first, decimal=file.decimal
    ),
    "qif-dmy": lambda file: read_qif(file.data, currency=file.currency, is_day_first=True, decimal=file.decimal),
    "qif-mdy": lambda file: read_qif(file.data, currency=file.currency, is_day_first=False, decimal=file.decimal),
    "csv": _read_csv,
}
FORMATS: Final = tuple(_READERS)


def _dialect(name: str) -> Dialect:
    if "=" in name or name.lstrip().startswith("{"):
        return read_dialect(name.encode("utf-8", "backslashreplace"))
    if (found := DIALECTS.get(name)) is None:
        raise _unknown("csv", f"there is no dialect {shortened(name)}")
    return found


def _unknown(asked: str | None, why: str) -> ValidationError:
    return ValidationError(
        UNKNOWN_STATEMENT_FORMAT,
        format=None if asked is None else shortened(asked),
        why=why,
        formats=FORMATS,
        dialects=tuple(DIALECTS),
    )
