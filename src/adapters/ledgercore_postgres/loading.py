"""Loading the working set of a batch: lock its accounts in one order, then read what they guard.

The lock on an account row guards everything about the account: its holds, and the names of the
commands that touch it. Statements after the lock see what earlier holders committed, since each
statement takes a new snapshot (READ COMMITTED).
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg import Cursor

from ledgercore.ledger.accounts import AccountState, AccountStatus, AccountType, limits_of
from ledgercore.ledger.commands import AnyCommand, identity_of
from ledgercore.ledger.holds import Hold, HoldStatus
from ledgercore.ledger.log.logged import JournalRow, by_record, known_of, posted_of
from ledgercore.ledger.rules.hold_rules import held_lines_of
from ledgercore.ledger.rules.working_set import (
    Known,
    Pair,
    Reversible,
    paths_of_hold,
    paths_of_lines,
)
from ledgercore.money import known_currency
from ledgercore_postgres.parameters import Texts, Uuids

DUE_HOLDS_MAX: Final = 500

ACCOUNT_FIELDS: Final = (
    "account, path, currency, exponent, type, status, minimum::text, maximum::text, balance::text,"
    " pending_debits::text, pending_credits::text, version, latest_effective_at, opened_at, metadata::text"
)
ROW_FIELDS: Final = (
    "number, line, kind, id, effective_at, recorded_at, flags, debit_account, credit_account, amount::text,"
    " debit_balance::text, credit_balance::text, key, description, reference, metadata::text, subject,"
    " fingerprint, body::text"
)
HOLD_FIELDS: Final = (
    "hold_id, status, placed_at, expires_at, tolerance_bps, hold_group, lines::text, description, metadata::text,"
    " replaces"
)

# Each name is looked up by itself (LATERAL with LIMIT), so that the plan is the same index look-up
# whatever the planner believes of a table that it has no statistics of yet.
_LOCK_ACCOUNTS: Final = (
    f"SELECT found.* FROM unnest(%b) AS wanted (name), LATERAL (SELECT {ACCOUNT_FIELDS} FROM accounts"
    " WHERE ledger_id = %s AND path = wanted.name LIMIT 1 FOR UPDATE) AS found"
)
# What is due is read at most once, by its own index and not by the accounts' one, which all ledgers share.
ACCOUNTS_NOW: Final = (
    "WITH due AS MATERIALIZED (SELECT accounts, lines::text FROM holds"
    " WHERE ledger_id = %s AND status = 'open' AND expires_at <= %s ORDER BY expires_at)"
    " SELECT found.*, CASE WHEN found.pending_debits <> '0' OR found.pending_credits <> '0'"
    " THEN ARRAY(SELECT lines FROM due WHERE accounts @> ARRAY[found.path]) END"
    f" FROM unnest(%b) AS wanted (name), LATERAL (SELECT {ACCOUNT_FIELDS} FROM accounts"
    " WHERE ledger_id = %s AND path = wanted.name LIMIT 1) AS found"
)
_DUE_HOLDS: Final = (
    f"SELECT {HOLD_FIELDS} FROM holds WHERE ledger_id = %s AND status = 'open' AND expires_at <= %s"
    f" ORDER BY expires_at LIMIT {DUE_HOLDS_MAX}"
)
_DUE_HOLDS_ON: Final = (
    f"SELECT {HOLD_FIELDS} FROM holds WHERE ledger_id = %s AND status = 'open' AND expires_at <= %s AND accounts && %b"
)
_HOLDS: Final = f"SELECT {HOLD_FIELDS} FROM holds WHERE ledger_id = %s AND (hold_id = ANY(%b) OR hold_group = ANY(%b))"
_NAMED: Final = (
    f"SELECT found.* FROM unnest(%b) AS wanted (name), LATERAL (SELECT {ROW_FIELDS} FROM journal"
    " WHERE ledger_id = %s AND id = wanted.name AND line = 0 LIMIT 1) AS found"
)
# Time-ordered ids that are new lie above every id that the ledger has: one look at the highest tells.
_KNOWN: Final = (
    f"{_NAMED} WHERE (SELECT id FROM journal WHERE ledger_id = %s AND line = 0 ORDER BY id DESC LIMIT 1) >= %s"
)
_LINES: Final = f"SELECT {ROW_FIELDS} FROM journal WHERE ledger_id = %s AND number = ANY(%s) ORDER BY number, line"
_ACCOUNTS_BY_NUMBER: Final = f"SELECT {ACCOUNT_FIELDS} FROM accounts WHERE ledger_id = %s AND account = ANY(%s)"
# Only the first line of a reversal names what it reverses; its other lines follow by number.
_REVERSED: Final = (
    "SELECT first.subject, j.debit_account, j.credit_account, sum(j.amount)::text"
    " FROM journal AS first JOIN journal AS j ON j.ledger_id = first.ledger_id AND j.number = first.number"
    " WHERE first.ledger_id = %s AND first.subject = ANY(%b) AND first.kind = 'r' AND first.line = 0"
    " GROUP BY 1, 2, 3"
)


def ask(cursor: Cursor[Any], statement: LiteralString, values: Sequence[Any]) -> Cursor[Any]:
    """Send a statement on a cursor of its own, whose answer is fetched later: for use inside a pipeline."""
    own = cursor.connection.cursor(binary=True)
    own.execute(statement, values)
    return own


def ask_accounts(cursor: Cursor[Any], ledger_id: int, paths: Iterable[str]) -> Cursor[Any]:
    """Lock the accounts that exist, in the order of their paths, and read them."""
    return ask(cursor, _LOCK_ACCOUNTS, (Texts(sorted(paths)), ledger_id))


def accounts_in(answer: Cursor[Any]) -> dict[str, AccountState]:
    """The accounts that were asked for, by path."""
    return {row[1]: account_state(row) for row in answer.fetchall()}


def lock_accounts(cursor: Cursor[Any], ledger_id: int, paths: Iterable[str]) -> dict[str, AccountState]:
    """Lock the accounts that exist, in the order of their paths, and read them."""
    return accounts_in(ask_accounts(cursor, ledger_id, paths))


def accounts_now(cursor: Cursor[Any], ledger_id: int, now: datetime, paths: Iterable[str]) -> list[AccountState]:
    """The accounts that exist, without what holds reserve whose time has passed; all from one snapshot."""
    cursor.execute(ACCOUNTS_NOW, (ledger_id, now, Texts(paths), ledger_id))
    found = []
    for *fields, due in cursor.fetchall():
        state = account_state(fields)
        for held in (held for lines in due or () for held in held_lines_of(json.loads(lines))):
            state.pending_debits -= held.remaining if held.line.debit == state.path else 0
            state.pending_credits -= held.remaining if held.line.credit == state.path else 0
        found.append(state)
    return found


def ask_due_holds(cursor: Cursor[Any], ledger_id: int, now: datetime) -> Cursor[Any]:
    """Open holds whose time has passed, oldest first, at most `DUE_HOLDS_MAX`."""
    return ask(cursor, _DUE_HOLDS, (ledger_id, now))


def due_holds_on(cursor: Cursor[Any], ledger_id: int, now: datetime, paths: Iterable[str]) -> list[Hold]:
    """All open holds on some accounts whose time has passed."""
    cursor.execute(_DUE_HOLDS_ON, (ledger_id, now, Texts(paths)))
    return [hold_of(row) for row in cursor.fetchall()]


def load_holds(cursor: Cursor[Any], ledger_id: int, ids: Iterable[UUID], groups: Iterable[str]) -> list[Hold]:
    """Holds by id or group."""
    cursor.execute(_HOLDS, (ledger_id, Uuids(id.bytes for id in ids), Texts(groups)))
    return [hold_of(row) for row in cursor.fetchall()]


def ask_known(cursor: Cursor[Any], ledger_id: int, commands: Sequence[AnyCommand]) -> Cursor[Any] | None:
    """Look for the commands' ids and keys, if they carry any."""
    names = [name for name in map(identity_of, commands) if name is not None]
    if not names:
        return None
    return ask(cursor, _KNOWN, (Uuids(names), ledger_id, ledger_id, UUID(bytes=min(names))))


def known_in(
    answer: Cursor[Any] | None, cursor: Cursor[Any], ledger_id: int, loaded: Iterable[AccountState]
) -> dict[bytes, Known]:
    """What the ids and keys that were asked for had been used for before."""
    first_rows = [journal_row(row) for row in answer.fetchall()] if answer is not None else []
    if not first_rows:
        return {}
    records = load_records(cursor, ledger_id, first_rows)
    accounts = accounts_of(cursor, ledger_id, records, loaded)
    return {rows[0].id.bytes: known_of(rows, accounts.__getitem__) for rows in records}


def load_reversibles(cursor: Cursor[Any], ledger_id: int, ids: Iterable[UUID]) -> dict[UUID, Reversible]:
    """Posted transactions by id, with what has been reversed of them."""
    cursor.execute(_NAMED, (Uuids(id.bytes for id in ids), ledger_id))
    records = [
        rows
        for rows in load_records(cursor, ledger_id, [journal_row(row) for row in cursor.fetchall()])
        if rows[0].amount is not None
    ]
    if not records:
        return {}
    accounts = accounts_of(cursor, ledger_id, records, ())
    cursor.execute(_REVERSED, (ledger_id, Uuids(rows[0].id.bytes for rows in records)))
    reversed_minor: dict[UUID, dict[Pair, int]] = {}
    for subject, debited, credited, minor in cursor.fetchall():
        pair = (credited and accounts[credited].path, debited and accounts[debited].path)
        reversed_minor.setdefault(subject, {})[pair] = int(minor)
    return {
        rows[0].id: Reversible(
            posted=posted_of(rows, accounts.__getitem__), reversed_minor=reversed_minor.get(rows[0].id, {})
        )
        for rows in records
    }


def load_records(cursor: Cursor[Any], ledger_id: int, first_rows: Sequence[JournalRow]) -> list[list[JournalRow]]:
    """The records that begin with these rows, whole."""
    if not first_rows:
        return []
    cursor.execute(_LINES, (ledger_id, [row.number for row in first_rows]))
    return list(by_record(journal_row(row) for row in cursor.fetchall()))


def accounts_of(
    cursor: Cursor[Any],
    ledger_id: int,
    records: Iterable[Sequence[JournalRow]],
    loaded: Iterable[AccountState],
) -> dict[int, AccountState]:
    """The accounts that records name, by number; reads those that are not loaded yet."""
    accounts = {state.number: state for state in loaded}
    numbers = {
        number for rows in records for row in rows for number in (row.debit_account, row.credit_account) if number
    }
    if missing := numbers - accounts.keys():
        cursor.execute(_ACCOUNTS_BY_NUMBER, (ledger_id, list(missing)))
        accounts.update((row[0], account_state(row)) for row in cursor.fetchall())
    return accounts


def paths_behind(holds: Iterable[Hold], reversibles: Iterable[Reversible]) -> set[str]:
    """The accounts that a batch moves through what it refers to."""
    paths: set[str] = set()
    for hold in holds:
        paths |= paths_of_hold(hold)
    for reversible in reversibles:
        paths |= paths_of_lines(posted.line for posted in reversible.posted.lines)
    return paths


def account_state(row: Sequence[Any]) -> AccountState:
    """An account from its row, in the order of `ACCOUNT_FIELDS`."""
    (
        number, path, code, exponent, type_, status, minimum, maximum, balance,
        pending_debits, pending_credits, version, latest_effective_at, opened_at, metadata,
    ) = row  # fmt: skip
    return AccountState(
        number=number,
        path=path,
        currency=known_currency(code, exponent),
        type=_TYPES[type_],
        opened_at=opened_at,
        status=_STATUSES[status],
        limits=limits_of(minimum, maximum),
        balance=int(balance),
        pending_debits=int(pending_debits),
        pending_credits=int(pending_credits),
        version=version,
        latest_effective_at=latest_effective_at,
        metadata=None if metadata is None else json.loads(metadata),
    )


def journal_row(row: Sequence[Any]) -> JournalRow:
    """A journal row, in the order of `ROW_FIELDS`."""
    (
        number, line, kind, id_, effective_at, recorded_at, flags, debit_account, credit_account, amount,
        debit_balance, credit_balance, key, description, reference, metadata, subject, fingerprint, body,
    ) = row  # fmt: skip
    return JournalRow(
        number, line, kind, id_, effective_at, recorded_at, flags, debit_account, credit_account,
        None if amount is None else int(amount),
        None if debit_balance is None else int(debit_balance),
        None if credit_balance is None else int(credit_balance),
        key, description, reference,
        None if metadata is None else json.loads(metadata),
        subject, fingerprint,
        None if body is None else json.loads(body),
    )  # fmt: skip


def hold_of(row: Sequence[Any]) -> Hold:
    """A hold, in the order of `HOLD_FIELDS`."""
    id_, status, placed_at, expires_at, tolerance_bps, group, lines, description, metadata, replaces = row
    return Hold(
        id=id_,
        lines=held_lines_of(json.loads(lines)),
        status=HoldStatus(status),
        placed_at=placed_at,
        expires_at=expires_at,
        tolerance_bps=tolerance_bps,
        group=group,
        description=description,
        metadata=None if metadata is None else json.loads(metadata),
        replaces=replaces,
    )


_TYPES: Final = {member.value: member for member in AccountType}
_STATUSES: Final = {member.value: member for member in AccountStatus}
