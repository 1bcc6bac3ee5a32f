"""The spelling of rows and amounts, in itself; `test_encoding_in_postgres` holds it against the database."""

import struct
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgercore.ledger.log.encoding import (
    decode_amount,
    encode_amount,
    encode_record,
    microseconds,
    moment_of,
    split_row,
)
from ledgercore.ledger.log.logged import read_row
from ledgercore.ledger.log.records import REFUSED, Record

MOST = 10**38 - 1
amounts = st.one_of(
    st.integers(-MOST, MOST),
    st.builds(lambda digits, zeros: digits * 10**zeros, st.integers(-9999, 9999), st.integers(0, 34)),
    st.sampled_from([0, 1, 9_999, 10_000, 99_999_999, 100_000_000, 10**12 - 1, 10**12, 10**37, MOST, -MOST]),
)
moments = st.datetimes(datetime(1000, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC))


@given(amounts)
def test_amount_is_read_back(minor: int) -> None:
    """Every whole number of up to 38 digits survives, on either side of nothing."""
    encoded = encode_amount(minor)

    assert int.from_bytes(encoded[:4]) == len(encoded) - 4
    assert decode_amount(encoded[4:]) == minor


@given(amounts.filter(bool))
def test_amount_has_one_spelling(minor: int) -> None:
    """No idle zeros before or after: equal numbers are equal bytes."""
    count, weight, _, scale = struct.unpack_from(">hhHh", encode_amount(minor), 4)
    digits = struct.unpack_from(f">{count}h", encode_amount(minor), 12)

    assert digits[0]
    assert digits[-1]
    assert all(0 <= digit < 10_000 for digit in digits)
    assert (weight, scale) == ((len(str(abs(minor))) - 1) // 4, 0)


NO_NUMBERS = {
    "empty": b"",
    "cut off": b"\x00\x01\x00\x00",
    "NaN": struct.pack(">hhHh", 0, 0, 0xC000, 0),
    "infinity": struct.pack(">hhHh", 0, 0, 0xD000, 0),
    "fraction": struct.pack(">hhHhh", 1, -1, 0, 4, 5000),
    "with a fraction": struct.pack(">hhHhhh", 2, 0, 0, 4, 1, 5000),
    "huge": struct.pack(">hhHhh", 1, 30_000, 0, 0, 1),
    "digit missing": struct.pack(">hhHhh", 2, 1, 0, 0, 1),
    "digit too many": struct.pack(">hhHhhh", 1, 0, 0, 0, 1, 1),
    "negative count": struct.pack(">hhHh", -1, 0, 0, 0),
    "too long": struct.pack(">hhHh11h", 11, 10, 0, 0, *[1] * 11),
}


@pytest.mark.parametrize("data", NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_what_is_no_whole_number_is_refused(data: bytes) -> None:
    """Bytes from anywhere are read as a number or refused, never guessed."""
    with pytest.raises(ValueError, match="not a"):
        decode_amount(data)


@given(moments)
def test_moment_is_read_back(moment: datetime) -> None:
    """Times are counted in microseconds from the year 2000, before and after it."""
    assert moment_of(microseconds(moment)) == moment


@pytest.mark.parametrize("value", [2**62, -(2**62), 2**63 - 1])
def test_moment_beyond_all_years_is_refused(value: int) -> None:
    """A time that no `datetime` has is a fault of the bytes."""
    with pytest.raises(ValueError, match="not a time"):
        moment_of(value)


def test_row_has_its_fields_where_the_documentation_says() -> None:
    """The fixed part: lengths and numbers, big-endian."""
    recorded_at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    record = Record(REFUSED, bytes(range(16)), recorded_at, [], key="k", fingerprint=bytes(16), body={"b": 1, "a": "é"})
    record.number = 7

    [row] = encode_record(record, microseconds(recorded_at))

    assert row[:73] == (
        b"\0\0\0\x08" + (7).to_bytes(8)
        + b"\0\0\0\x02" + bytes(2)
        + b"\0\0\0\x01x"
        + b"\0\0\0\x10" + bytes(range(16))
        + b"\0\0\0\x08" + microseconds(recorded_at).to_bytes(8)
        + b"\0\0\0\x08" + microseconds(recorded_at).to_bytes(8)
        + b"\0\0\0\x02" + bytes(2)
    )  # fmt: skip
    nothing = b"\xff\xff\xff\xff"
    body = '{"a":"é","b":1}'.encode()
    assert row[73:] == (
        nothing * 5 + b"\0\0\0\x01k" + nothing * 4 + b"\0\0\0\x10" + bytes(16) + len(body).to_bytes(4) + body
    )


def test_row_that_is_cut_anywhere_is_refused() -> None:
    """A prefix of a row is never a row."""
    record = Record(REFUSED, bytes(16), datetime(2026, 3, 1, tzinfo=UTC), [], key="k", body={"a": 1})
    [row] = encode_record(record, 0)

    for length in range(len(row)):
        with pytest.raises(ValueError, match=r"cut off|expected"):
            split_row(row[:length])


def test_row_longer_than_its_fields_is_refused() -> None:
    """Nothing may hide behind the last field."""
    [row] = encode_record(Record(REFUSED, bytes(16), datetime(2026, 3, 1, tzinfo=UTC), []), 0)

    with pytest.raises(ValueError, match="expected"):
        split_row(row + b"\xff\xff\xff\xff")


def test_row_without_what_every_row_has_is_refused() -> None:
    """Number, kind, id and times are never absent."""
    [row] = encode_record(Record(REFUSED, bytes(16), datetime(2026, 3, 1, tzinfo=UTC), []), 0)
    without_kind = row[:18] + b"\xff\xff\xff\xff" + row[23:]

    with pytest.raises(ValueError, match="missing"):
        read_row(without_kind)


def test_read_row_gives_back_what_was_written() -> None:
    """All fields of a record that posts nothing, through the bytes and back."""
    recorded_at = datetime(2026, 3, 1, tzinfo=UTC)
    record = Record(
        REFUSED, bytes(range(16)), recorded_at - timedelta(days=1), [], key="ключ", description="“d”", reference="r",
        metadata={"m": [1, None, {"x": True}]}, subject=bytes(16), fingerprint=b"f" * 16, body={"b": "\u2028"},
    )  # fmt: skip
    record.number = 2**40

    [row] = encode_record(record, microseconds(recorded_at))
    read = read_row(row)

    assert (read.number, read.line, read.kind, read.id.bytes) == (2**40, 0, REFUSED, bytes(range(16)))
    assert (read.effective_at, read.recorded_at) == (recorded_at - timedelta(days=1), recorded_at)
    assert (read.key, read.description, read.reference) == ("ключ", "“d”", "r")
    assert (read.metadata, read.body) == ({"m": [1, None, {"x": True}]}, {"b": "\u2028"})
    assert (read.subject.bytes if read.subject else None, read.fingerprint) == (bytes(16), b"f" * 16)
