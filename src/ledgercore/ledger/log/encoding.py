"""The one spelling of a journal row: the bytes that are stored are the bytes that are hashed.

A row is written as PostgreSQL's binary COPY writes it: for each field a 32-bit length (or -1 for
none) and the field's bytes, integers big-endian, times as microseconds since 2000-01-01 UTC,
amounts in base 10,000. It is unambiguous since every field carries its length, and anybody can ask
a database for the very same bytes with `COPY (SELECT ...) TO STDOUT (FORMAT binary)`.

The ledger's own number in one database is not part of it, so that a ledger keeps its proofs when it
is restored elsewhere.
"""

import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from ledgercore.ledger.log.records import Record
from ledgercore.ledger.texts import encode_json

ROW_FIELDS: Final = (
    "number", "line", "kind", "id", "effective_at", "recorded_at", "flags", "debit_account", "credit_account",
    "amount", "debit_balance", "credit_balance", "key", "description", "reference", "metadata", "subject",
    "fingerprint", "body",
)  # fmt: skip
"""The fields of a row in their order; in a database `ledger_id` stands before them."""

PG_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
NONE: Final = b"\xff\xff\xff\xff"
NO_TEXTS: Final = NONE * 7

_HEAD: Final = struct.Struct(">iqihi1si16siqiqih").pack
_ACCOUNTS: Final = struct.Struct(">iiii").pack
_ACCOUNT: Final = struct.Struct(">ii").pack
_LENGTH: Final = struct.Struct(">i").pack
_NUMERIC: Final = struct.Struct(">hhHh").unpack_from
_DIGITS: Final = tuple(struct.Struct(f">{count}h").unpack_from for count in range(11))
_ONE_DIGIT: Final = struct.Struct(">ihhHhh").pack
_TWO_DIGITS: Final = struct.Struct(">ihhHhhh").pack
_THREE_DIGITS: Final = struct.Struct(">ihhHhhhh").pack
_POSITIVE: Final = 0x0000
_NEGATIVE: Final = 0x4000
_ZERO: Final = struct.pack(">ihhHh", 8, 0, 0, 0, 0)


def microseconds(moment: datetime) -> int:
    """Microseconds since 2000-01-01 UTC."""
    delta = moment - PG_EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def moment_of(value: int) -> datetime:
    """The time that `microseconds` counted; raises `ValueError` beyond the years that a `datetime` has."""
    try:
        return PG_EPOCH + timedelta(microseconds=value)
    except OverflowError as error:
        raise ValueError("not a time") from error


def encode_amount(minor: int) -> bytes:
    """A whole number as PostgreSQL's binary `numeric`, length first, without idle zeros.

    Base-10,000 digits, most significant first; `weight` is the power of the first.
    """
    sign = _POSITIVE
    if minor < 0:
        sign, minor = _NEGATIVE, -minor
    if minor < 10_000:
        return _ONE_DIGIT(10, 1, 0, sign, 0, minor) if minor else _ZERO
    if minor < 100_000_000:
        high, low = divmod(minor, 10_000)
        return _TWO_DIGITS(12, 2, 1, sign, 0, high, low) if low else _ONE_DIGIT(10, 1, 1, sign, 0, high)
    rest, low = divmod(minor, 10_000)
    if low and rest < 100_000_000:
        high, middle = divmod(rest, 10_000)
        return _THREE_DIGITS(14, 3, 2, sign, 0, high, middle, low)
    return _encode_long(minor, sign)


def decode_amount(data: bytes) -> int:
    """Read a whole number back from the bytes of a binary `numeric`, without its length.

    Raises `ValueError` for infinities, fractions, and what is no number at all.
    """
    try:
        count, weight, sign, scale = _NUMERIC(data)
        digits = _DIGITS[count](data, 8) if 0 <= count < len(_DIGITS) else ()
    except struct.error as error:
        raise ValueError("not a number") from error
    # 38 digits are ten of base 10,000.
    whole = len(digits) == count and len(data) == 8 + 2 * count and count - 1 <= weight < 10
    if not whole or scale or sign not in (_POSITIVE, _NEGATIVE):
        raise ValueError("not a whole number")
    value = 0
    for digit in digits:
        value = value * 10_000 + digit
    if weight >= count:
        value *= 10_000 ** (weight + 1 - count)
    return -value if sign == _NEGATIVE else value


def encode_record(record: Record, recorded_microseconds: int) -> list[bytes]:
    """The rows of a record, one for each line, or one for a record that posts nothing."""
    number = record.number
    kind = record.kind.encode()
    effective = microseconds(record.effective_at)
    if (
        record.description is None
        and record.key is None
        and record.subject is None
        and record.reference is None
        and record.metadata is None
        and record.fingerprint is None
        and record.body is None
    ):
        texts = NO_TEXTS
    else:
        texts = b"".join(
            (
                _text(record.key),
                _text(record.description),
                _text(record.reference),
                _bytes(None if record.metadata is None else encode_json(record.metadata)),
                _bytes(record.subject),
                _bytes(record.fingerprint),
                _bytes(None if record.body is None else encode_json(record.body)),
            )
        )
    rows = []
    for index, (debit, credit, minor, debit_balance, credit_balance, flags) in enumerate(record.lines):
        head = _HEAD(
            8,
            number,
            2,
            index,
            1,
            kind,
            16,
            record.identity,
            8,
            effective,
            8,
            recorded_microseconds,
            2,
            flags,
        )
        if debit is not None and credit is not None:
            rows.append(
                b"".join(
                    (
                        head,
                        _ACCOUNTS(4, debit.number, 4, credit.number),
                        encode_amount(minor),
                        encode_amount(debit_balance),  # type: ignore[arg-type]
                        encode_amount(credit_balance),  # type: ignore[arg-type]
                        NO_TEXTS if index else texts,
                    )
                )
            )
        else:
            rows.append(
                b"".join(
                    (
                        head,
                        NONE if debit is None else _ACCOUNT(4, debit.number),
                        NONE if credit is None else _ACCOUNT(4, credit.number),
                        encode_amount(minor),
                        NONE if debit_balance is None else encode_amount(debit_balance),
                        NONE if credit_balance is None else encode_amount(credit_balance),
                        NO_TEXTS if index else texts,
                    )
                )
            )
    if not rows:
        head = _HEAD(8, number, 2, 0, 1, kind, 16, record.identity, 8, effective, 8, recorded_microseconds, 2, 0)
        rows.append(b"".join((head, NONE * 5, texts)))
    return rows


def encode_records(
    records: Sequence[Record], *, first_number: int, recorded_at: datetime
) -> Iterator[tuple[Record, list[bytes]]]:
    """Give each record its place in the log, in order, and spell it."""
    recorded = microseconds(recorded_at)
    for number, record in enumerate(records, first_number):
        record.number = number
        yield record, encode_record(record, recorded)


def split_row(row: bytes) -> list[bytes | None]:
    """The fields of a row; raises `ValueError` when the bytes are no row."""
    fields: list[bytes | None] = []
    at = 0
    while at < len(row):
        if len(row) - at < 4:
            raise ValueError("a field's length is cut off")
        length = int.from_bytes(row[at : at + 4], signed=True)
        at += 4
        if length < 0:
            fields.append(None)
            continue
        if at + length > len(row):
            raise ValueError("a field is cut off")
        fields.append(row[at : at + length])
        at += length
    if len(fields) != len(ROW_FIELDS):
        raise ValueError(f"{len(fields)} fields, {len(ROW_FIELDS)} are expected")
    return fields


def _text(text: str | None) -> bytes:
    return NONE if text is None else _bytes(text.encode())


def _bytes(data: bytes | None) -> bytes:
    return NONE if data is None else _LENGTH(len(data)) + data


def _encode_long(minor: int, sign: int) -> bytes:
    digits: list[int] = []
    while minor:
        minor, digit = divmod(minor, 10_000)
        digits.append(digit)
    weight = len(digits) - 1
    while digits[0] == 0:
        del digits[0]
    digits.reverse()
    return struct.pack(f">ihhHh{len(digits)}h", 8 + 2 * len(digits), len(digits), weight, sign, 0, *digits)
