"""Storing what the engine decided: rows by binary COPY, balances by one update, the log's head last."""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain, islice
from typing import Any, Final

from psycopg import Copy, Cursor

from ledgercore.ledger.accounts import AccountState
from ledgercore.ledger.holds import Hold
from ledgercore.ledger.log.chain import LogEntry
from ledgercore.ledger.log.encoding import ROW_FIELDS, encode_records
from ledgercore.ledger.log.merkle import leaf_hash, tree_root
from ledgercore.ledger.log.records import Record
from ledgercore.ledger.rules.hold_rules import lines_body
from ledgercore.ledger.rules.working_set import paths_of_hold
from ledgercore.ledger.texts import encode_json
from ledgercore_postgres.parameters import Amounts, Array, BigIntegers, Integers, Moments

COPY_ROWS: Final = f"COPY journal (ledger_id, {', '.join(ROW_FIELDS)}) FROM STDIN (FORMAT binary)"
COPY_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
COPY_TRAILER: Final = b"\xff\xff"
CHUNK_ROWS: Final = 256
"""Rows sent at a time: while the server stores one chunk, the next is being encoded and hashed."""

# An upsert of rows that are known to be there: the conflict always leads through the primary key,
# while the plan of an UPDATE ... FROM depends on what the planner believes of the table.
_UPDATE_BALANCES: Final = """
    INSERT INTO accounts AS a (ledger_id, account, version, latest_effective_at, opened_at, exponent, balance,
        pending_debits, pending_credits, type, status, currency, path)
    SELECT %s, n.account, n.version, n.latest_effective_at, 'epoch', 0, n.balance, 0, 0, 'asset', 'open', '', ''
    FROM unnest(%b, %b, %b, %b) AS n (account, balance, version, latest_effective_at)
    ON CONFLICT (ledger_id, account) DO UPDATE
    SET balance = excluded.balance, version = excluded.version, latest_effective_at = excluded.latest_effective_at
"""
_UPDATE_BALANCES_AND_PENDING: Final = """
    INSERT INTO accounts AS a (ledger_id, account, version, latest_effective_at, opened_at, exponent, balance,
        pending_debits, pending_credits, type, status, currency, path)
    SELECT %s, n.account, n.version, n.latest_effective_at, 'epoch', 0, n.balance,
        n.pending_debits, n.pending_credits, 'asset', 'open', '', ''
    FROM unnest(%b, %b, %b, %b, %b, %b)
        AS n (account, balance, version, latest_effective_at, pending_debits, pending_credits)
    ON CONFLICT (ledger_id, account) DO UPDATE
    SET balance = excluded.balance, version = excluded.version, latest_effective_at = excluded.latest_effective_at,
        pending_debits = excluded.pending_debits, pending_credits = excluded.pending_credits
"""
_UPDATE_RULES: Final = """
    UPDATE accounts SET status = %s, minimum = %s, maximum = %s, metadata = %s WHERE ledger_id = %s AND account = %s
"""
_COPY_ACCOUNTS: Final = """
    COPY accounts (ledger_id, account, version, latest_effective_at, opened_at, exponent, balance,
        pending_debits, pending_credits, minimum, maximum, type, status, currency, path, metadata) FROM STDIN
"""
_UPSERT_HOLD: Final = """
    INSERT INTO holds (ledger_id, hold_id, status, placed_at, expires_at, tolerance_bps, hold_group, lines, accounts,
        description, metadata, replaces)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (ledger_id, hold_id) DO UPDATE SET status = excluded.status, lines = excluded.lines
"""
_APPEND_LOG: Final = """
    WITH entry AS (
        INSERT INTO log (ledger_id, batch, first_number, last_number, recorded_at, root, head)
        VALUES (%(ledger)s, %(batch)s, %(first)s, %(last)s, %(recorded_at)s, %(root)b, %(head)b)
    )
    UPDATE heads
    SET number = %(last)s, batch = %(batch)s, head = %(head)b, recorded_at = %(recorded_at)s,
        accounts_count = %(accounts)s, closed_through = %(closed)s, settings = %(settings)s
    WHERE ledger_id = %(ledger)s
"""


class Rows:
    """The rows of records, which are numbered, spelled and hashed as they are drawn."""

    def __init__(self, records: Sequence[Record], *, first_number: int, recorded_at: datetime) -> None:
        self._leaves: list[bytes] = []
        self._rows = self._draw(encode_records(records, first_number=first_number, recorded_at=recorded_at))

    def __iter__(self) -> Iterator[bytes]:
        return self._rows

    def prepare(self, count: int) -> None:
        """Spell so many rows before they are asked for."""
        self._rows = chain(list(islice(self._rows, count)), self._rows)

    @property
    def root(self) -> bytes:
        """The records' Merkle root, once all rows have been drawn."""
        return tree_root(self._leaves)

    def _draw(self, encoded_records: Iterable[tuple[Record, list[bytes]]]) -> Iterator[bytes]:
        for _, encoded in encoded_records:
            self._leaves.append(leaf_hash(encoded[0] if len(encoded) == 1 else b"".join(encoded)))
            yield from encoded


@contextmanager
def copied_rows(cursor: Cursor[Any], ledger_id: int, rows: Iterable[bytes]) -> Iterator[None]:
    """Store encoded rows as they are.

    The server is still storing the last rows while the block runs, and is waited for at its end.
    """
    with cursor.copy(COPY_ROWS) as copy:
        _write_rows(copy, ledger_id, rows)
        yield


def copy_rows(cursor: Cursor[Any], ledger_id: int, rows: Iterable[bytes]) -> None:
    """Store encoded rows as they are, and wait for them."""
    with copied_rows(cursor, ledger_id, rows):
        pass


def _write_rows(copy: Copy, ledger_id: int, rows: Iterable[bytes]) -> None:
    prefix = struct.pack(">hii", len(ROW_FIELDS) + 1, 4, ledger_id)
    chunk = [COPY_HEADER]
    for row in rows:
        chunk.append(prefix)
        chunk.append(row)
        if len(chunk) > 2 * CHUNK_ROWS:
            copy.write(b"".join(chunk))
            chunk.clear()
    chunk.append(COPY_TRAILER)
    copy.write(b"".join(chunk))


def insert_accounts(cursor: Cursor[Any], ledger_id: int, opened: Sequence[AccountState]) -> None:
    """Store new accounts, which have their numbers by now, with what they hold already."""
    with cursor.copy(_COPY_ACCOUNTS) as copy:
        for state in opened:
            copy.write_row(
                (
                    ledger_id, state.number, state.version, state.latest_effective_at, state.opened_at,
                    state.currency.exponent, state.balance, state.pending_debits, state.pending_credits,
                    state.limits.minimum, state.limits.maximum, state.type.value, state.status.value,
                    state.currency.code, state.path, _json(state.metadata),
                )
            )  # fmt: skip


def balances_of(changed: Sequence[AccountState], *, pending: bool = True) -> Sequence[Array]:
    """The moved balances of accounts as `update_accounts` sends them; what is pending moves only with holds."""
    posted = (
        Integers(state.number for state in changed),
        Amounts(state.balance for state in changed),
        BigIntegers(state.version for state in changed),
        Moments(state.latest_effective_at for state in changed),
    )
    if not pending:
        return posted
    return (
        *posted,
        Amounts(state.pending_debits for state in changed),
        Amounts(state.pending_credits for state in changed),
    )


def update_accounts(cursor: Cursor[Any], ledger_id: int, balances: Sequence[Array]) -> None:
    """Store the moved balances of accounts that were there before."""
    statement = _UPDATE_BALANCES if len(balances) == 4 else _UPDATE_BALANCES_AND_PENDING
    cursor.execute(statement, (ledger_id, *balances))


def update_rules(cursor: Cursor[Any], ledger_id: int, changed: Iterable[AccountState]) -> None:
    """Store the status and limits of accounts that were told others."""
    cursor.executemany(
        _UPDATE_RULES,
        [
            (
                state.status.value,
                state.limits.minimum,
                state.limits.maximum,
                _json(state.metadata),
                ledger_id,
                state.number,
            )
            for state in changed
        ],
    )


def upsert_holds(cursor: Cursor[Any], ledger_id: int, holds: Iterable[Hold]) -> None:
    """Store holds that were placed or moved."""
    cursor.executemany(
        _UPSERT_HOLD,
        [
            (
                ledger_id, hold.id, hold.status.value, hold.placed_at, hold.expires_at, hold.tolerance_bps, hold.group,
                encode_json(lines_body(hold)).decode(), sorted(paths_of_hold(hold)), hold.description,
                _json(hold.metadata), hold.replaces,
            )
            for hold in holds
        ],
    )  # fmt: skip


def append_log(
    cursor: Cursor[Any],
    ledger_id: int,
    entry: LogEntry,
    *,
    accounts_count: int,
    closed_through: datetime | None,
    settings: str,
) -> None:
    """Store the batch's log entry and move the head, which is locked."""
    cursor.execute(
        _APPEND_LOG,
        {
            "ledger": ledger_id, "batch": entry.batch, "first": entry.first_number, "last": entry.last_number,
            "recorded_at": entry.recorded_at, "root": entry.root, "head": entry.head, "accounts": accounts_count,
            "closed": closed_through, "settings": settings,
        },
    )  # fmt: skip


def _json(metadata: Mapping[str, Any] | None) -> str | None:
    return None if metadata is None else encode_json(metadata).decode()
