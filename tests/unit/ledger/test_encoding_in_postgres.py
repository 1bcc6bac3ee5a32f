"""PostgreSQL gives back a record's bytes exactly as the core spelled them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledgercore.ledger.accounts import AccountState, AccountType
from ledgercore.ledger.log.encoding import ROW_FIELDS, decode_amount, encode_amount, encode_record, microseconds
from ledgercore.ledger.log.records import HOLD_PLACED, TRANSACTION, Record
from ledgercore.ledger.texts import encode_json
from ledgercore.money import currency

MOST = 10**38 - 1
COPY = f"COPY (SELECT {', '.join(ROW_FIELDS)} FROM journal ORDER BY number, line) TO STDOUT (FORMAT binary)"

# One transaction that is rolled back serves all examples.
examples = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
amounts = st.one_of(
    st.integers(1, MOST),
    st.builds(lambda digits, zeros: digits * 10**zeros, st.integers(1, 99_999), st.integers(0, 33)),
    st.sampled_from([10**power for power in range(38)] + [10**power - 1 for power in range(1, 39)]),
)
balances = st.one_of(amounts, amounts.map(int.__neg__), st.just(0))
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40)
plain = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), texts)
metadata = st.dictionaries(
    texts, st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)),
    min_size=1, max_size=4,
)  # fmt: skip
moments = st.datetimes(datetime(1000, 1, 1), datetime(9998, 12, 31, 23, 59, 59, 999_999), timezones=st.just(UTC))


@pytest.fixture
def cursor(database_url: str) -> Iterator[psycopg.Cursor]:
    """The journal of an empty database, in a transaction that never commits."""
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        yield connection.cursor()
        connection.rollback()


def account(number: int) -> AccountState:
    return AccountState(
        number=number, path=f"assets:{number}", currency=currency("EUR"), type=AccountType.ASSET,
        opened_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def given_back(cursor: psycopg.Cursor) -> list[bytes]:
    with cursor.copy(COPY) as copy:
        data = b"".join(map(bytes, copy))
    count = len(ROW_FIELDS).to_bytes(2)
    rows, at = [], 19
    while data[at : at + 2] == count:
        start = at = at + 2
        for _ in ROW_FIELDS:
            at += 4 + max(int.from_bytes(data[at : at + 4], signed=True), 0)
        rows.append(data[start:at])
    assert data[at:] == b"\xff\xff"
    return rows


def insert(cursor: psycopg.Cursor, record: Record, recorded_at: datetime) -> None:
    """Store the record by plain SQL with text parameters: nothing of our own spelling is used."""
    cursor.execute("DELETE FROM journal")
    nothing: Any = (None, None, None, None, None, 0)
    lines = record.lines or [nothing]
    for index, (debit, credit, minor, debit_balance, credit_balance, flags) in enumerate(lines):
        extras = [
            record.key, record.description, record.reference, record.metadata and encode_json(record.metadata).decode(),
            record.subject and UUID(bytes=record.subject), record.fingerprint,
            record.body and encode_json(record.body).decode(),
        ]  # fmt: skip
        values = [
            record.number, index, record.kind, UUID(bytes=record.identity), record.effective_at, recorded_at, flags,
            debit and debit.number, credit and credit.number,
            *(None if number is None else str(number) for number in (minor, debit_balance, credit_balance)),
            *(extras if index == 0 else [None] * len(extras)),
        ]  # fmt: skip
        cursor.execute(
            f"INSERT INTO journal (ledger_id, {', '.join(ROW_FIELDS)}) VALUES (1{', %s' * len(ROW_FIELDS)})",
            values,
        )


@examples
@given(amounts, balances)
def test_numeric_is_spelled_alike(cursor: psycopg.Cursor, amount: int, balance: int) -> None:
    """An amount's bytes are those that PostgreSQL sends for the same number, both ways."""
    sent = []
    for minor in (amount, balance):
        with cursor.copy(f"COPY (SELECT '{minor}'::numeric(38, 0)) TO STDOUT (FORMAT binary)") as copy:
            sent.append(b"".join(map(bytes, copy))[21:-2])

    assert sent == [encode_amount(amount), encode_amount(balance)]
    assert [decode_amount(data[4:]) for data in sent] == [amount, balance]


@examples
@given(st.lists(st.tuples(amounts, balances, balances, st.sampled_from("dcb")), min_size=1, max_size=4),
       st.one_of(st.none(), texts), st.one_of(st.none(), metadata), moments, moments, st.uuids())  # fmt: skip
def test_transaction_is_given_back_byte_for_byte(
    cursor: psycopg.Cursor,
    lines: list[tuple[int, int, int, str]],
    text: str | None,
    extra: dict[str, object] | None,
    effective_at: datetime,
    recorded_at: datetime,
    id_: UUID,
) -> None:
    """Amounts up to 38 digits, any text, any metadata, any time: what is stored is what was hashed."""
    record = Record(
        TRANSACTION, id_.bytes, effective_at,
        [
            (
                account(1) if sides in "db" else None, account(2) if sides in "cb" else None, minor,
                first if sides in "db" else None, second if sides in "cb" else None, 3,
            )
            for minor, first, second, sides in lines
        ],
        key=text, description=text, reference=text, metadata=extra,
    )  # fmt: skip
    record.number = 2**40 + 1
    insert(cursor, record, recorded_at)

    assert given_back(cursor) == encode_record(record, microseconds(recorded_at))


@examples
@given(metadata, st.binary(min_size=16, max_size=16), st.uuids(), moments)
def test_other_record_is_given_back_byte_for_byte(
    cursor: psycopg.Cursor, body: dict[str, object], fingerprint: bytes, id_: UUID, recorded_at: datetime
) -> None:
    """A record that posts nothing has a body, a subject and a fingerprint."""
    record = Record(
        HOLD_PLACED, id_.bytes, recorded_at, [], subject=id_.bytes[::-1], fingerprint=fingerprint, body=body
    )
    record.number = 1
    insert(cursor, record, recorded_at)

    [row] = given_back(cursor)

    assert [row] == encode_record(record, microseconds(recorded_at))
    assert json.loads(row[-len(encode_json(body)) :]) == body
