"""One attempt at a batch inside an open transaction: lock, load, decide, store.

The order of locks is always the same, so that no two batches can wait for each other: the ledger's
gate and the turn of large batches, the accounts by path, the ledger's head last. The head is held
from the first row that is stored until the commit, and no longer: batches on the same ledger
evaluate side by side and take their places in the log one after the other.

A batch of postings sends a fixed number of statements, whatever its size: gate, due holds, accounts,
known names (when any are given), head, rows, balances, log. What does not need an answer first is
sent together, which makes six trips of them. The balances of hundreds of accounts go before the
rows, behind the head, whose answer is read on the way: the server stores them while we spell rows.
"""

import json
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from psycopg import Cursor

from ledgercore.clock import next_recorded_at
from ledgercore.errors import NotFoundError
from ledgercore.errors.catalog import LEDGER_NOT_FOUND
from ledgercore.ids import TimeOrderedIds
from ledgercore.ledger.accounts import AccountState
from ledgercore.ledger.commands import AnyCommand, BatchItem, Settings, flatten
from ledgercore.ledger.log.chain import LogEntry, next_entry
from ledgercore.ledger.log.records import ACCOUNT_CHANGED, Record
from ledgercore.ledger.outcomes import Outcome
from ledgercore.ledger.rules.account_rules import settings_body, settings_of
from ledgercore.ledger.rules.engine import evaluate
from ledgercore.ledger.rules.working_set import WorkingSet, paths_of, targets_of
from ledgercore.ledger.texts import encode_json
from ledgercore_postgres import loading, writing
from ledgercore_postgres.driver_errors import MetOthers
from ledgercore_postgres.parameters import Array

TURN_AT: Final = 256
"""Batches of at least so many commands take turns: row locks alone would make them trip over one another."""

BESIDE: Final = range(256, 4_096)
"""With so many moved accounts it pays to spell the first rows while the server stores balances, for one wait more.

With fewer the wait costs more than it saves. With more, spelling the balances themselves does: where they come
last, that happens while the server stores rows.
"""

# Locks that PostgreSQL keeps until the transaction ends, by class and ledger.
_GATE: Final = 0x1ED6E3
_TURN: Final = 0x1ED6E2
_ENTER: Final = "SELECT pg_advisory_xact_lock_shared(%s, %s)"
_ENTER_AND_TAKE_TURN: Final = f"{_ENTER}, pg_advisory_xact_lock(%s, %s)"
_ENTER_ALONE: Final = "SELECT pg_advisory_xact_lock(%s, %s)"
_HEAD_FIELDS: Final = "number, batch, head, recorded_at, sealed_at, closed_through, accounts_count, settings::text"
_READ_HEAD: Final = f"SELECT {_HEAD_FIELDS} FROM heads WHERE ledger_id = %s"
_LOCK_HEAD: Final = f"{_READ_HEAD} FOR UPDATE"


@frozen(kw_only=True)
class Head:
    """A ledger's head as it is stored."""

    number: int
    batch: int
    head: bytes
    recorded_at: datetime | None
    sealed_at: datetime | None
    closed_through: datetime | None
    accounts_count: int
    settings_text: str

    @property
    def rules(self) -> tuple[datetime | None, str]:
        """What the engine must know and a concurrent batch may have changed."""
        return (self.closed_through, self.settings_text)

    @cached_property
    def settings(self) -> Settings:
        """The ledger's settings."""
        return settings_of(json.loads(self.settings_text))


class HeadMoved(MetOthers):
    """The rules that the engine was given are no longer the ledger's; `head` has the new ones."""

    def __init__(self, head: Head) -> None:
        super().__init__("the ledger's settings or lock date changed meanwhile")
        self.head = head


@frozen(kw_only=True)
class Appended:
    """What became of a batch, and how many records it took."""

    outcomes: list[Outcome]
    records_count: int


def read_head(cursor: Cursor[Any], ledger_id: int, *, lock: bool = False) -> Head:
    """The ledger's head, locked to the end of the transaction if asked."""
    cursor.execute(_LOCK_HEAD if lock else _READ_HEAD, (ledger_id,))
    row = cursor.fetchone()
    if row is None:
        raise NotFoundError(LEDGER_NOT_FOUND, ledger_id=ledger_id)
    number, batch, head, recorded_at, sealed_at, closed_through, accounts_count, settings = row
    return Head(
        number=number, batch=batch, head=head, recorded_at=recorded_at, sealed_at=sealed_at,
        closed_through=closed_through, accounts_count=accounts_count, settings_text=settings,
    )  # fmt: skip


def enter(cursor: Cursor[Any], ledger_id: int, commands_count: int = 0, *, alone: bool) -> None:
    """Pass the ledger's gate: side by side with other batches, or alone until the transaction ends.

    A transaction that stores several batches, or reads between them, would lock accounts while it holds
    the head, against the order of all others; so it keeps them out from the start.
    """
    if alone:
        cursor.execute(_ENTER_ALONE, (_GATE, ledger_id))
    elif commands_count >= TURN_AT:
        cursor.execute(_ENTER_AND_TAKE_TURN, (_GATE, ledger_id, _TURN, ledger_id))
    else:
        cursor.execute(_ENTER, (_GATE, ledger_id))


def append_batch(
    cursor: Cursor[Any],
    ledger_id: int,
    batch: Sequence[BatchItem],
    *,
    atomic: bool,
    alone: bool,
    rules: Head,
    now: datetime,
    ids: TimeOrderedIds,
) -> Appended:
    """Carry out a batch; raises `MetOthers` when it has to be tried again."""
    working = _load(cursor, ledger_id, flatten(batch), rules, now, alone=alone)
    there_before = list(working.accounts.values())
    decided = evaluate(batch, working, now=now, new_id=ids.batch(now), atomic=atomic)
    if not decided.records:
        # Nothing is stored, but a refusal must not rest on rules that have changed meanwhile.
        _check_rules(read_head(cursor, ledger_id), rules)
        return Appended(outcomes=decided.outcomes(now), records_count=0)
    changed = [state for state in there_before if state.changed]
    spell_balances = partial(writing.balances_of, changed, pending=bool(decided.holds))
    store = partial(
        store_states,
        cursor,
        ledger_id,
        rules_changed=_rules_changed(decided.records, working),
        holds=decided.holds,
    )
    beside = len(changed) in BESIDE
    balances = spell_balances() if beside else None
    with cursor.connection.pipeline() if beside else nullcontext():
        head = read_head(cursor, ledger_id, lock=True)
        _check_rules(head, rules)
        recorded_at = next_recorded_at(now, head.recorded_at, head.sealed_at)
        decided.number_accounts(after=head.accounts_count, recorded_at=recorded_at)
        first, last = head.number + 1, head.number + len(decided.records)
        rows = writing.Rows(decided.records, first_number=first, recorded_at=recorded_at)
        if beside:
            store(balances=balances)
            # The server is storing balances now: about as long for each as it takes to spell a row.
            rows.prepare(len(changed))
    with writing.copied_rows(cursor, ledger_id, rows):
        entry = next_entry(
            previous=head.head, batch=head.batch + 1, first=first, last=last, recorded_at=recorded_at, root=rows.root
        )
        appended = Appended(outcomes=decided.outcomes(recorded_at), records_count=len(decided.records))
        if changed and not beside:
            balances = spell_balances()
    if decided.opened:
        writing.insert_accounts(cursor, ledger_id, decided.opened)
    with cursor.connection.pipeline():
        if not beside:
            store(balances=balances)
        _move_head(cursor, ledger_id, entry, head, len(decided.opened), working, rules)
    return appended


def store_states(
    cursor: Cursor[Any],
    ledger_id: int,
    *,
    balances: Sequence[Array] | None,
    rules_changed: Sequence[AccountState],
    holds: Sequence[Any],
) -> None:
    """Store accounts that were there before, and holds, as they are after a batch."""
    if balances is not None:
        writing.update_accounts(cursor, ledger_id, balances)
    if rules_changed:
        writing.update_rules(cursor, ledger_id, rules_changed)
    if holds:
        writing.upsert_holds(cursor, ledger_id, holds)


def _load(
    cursor: Cursor[Any], ledger_id: int, commands: Sequence[AnyCommand], rules: Head, now: datetime, *, alone: bool
) -> WorkingSet:
    targets = targets_of(commands)
    paths = paths_of(commands)
    with cursor.connection.pipeline():
        enter(cursor, ledger_id, len(commands), alone=alone)
        due_answer = loading.ask_due_holds(cursor, ledger_id, now)
    due = [loading.hold_of(row) for row in due_answer.fetchall()]
    if len(due) == loading.DUE_HOLDS_MAX and commands:
        raise ManyHoldsDue
    meant = loading.load_holds(cursor, ledger_id, targets.holds, targets.groups) if targets else []
    reversible = loading.load_reversibles(cursor, ledger_id, targets.transactions) if targets.transactions else {}
    paths |= loading.paths_behind([*due, *meant], reversible.values())
    working = WorkingSet(settings=rules.settings, closed_through=rules.closed_through)
    with cursor.connection.pipeline():
        accounts_answer = loading.ask_accounts(cursor, ledger_id, paths)
        known_answer = loading.ask_known(cursor, ledger_id, commands)
    working.accounts = loading.accounts_in(accounts_answer)
    working.known = loading.known_in(known_answer, cursor, ledger_id, working.accounts.values())
    hold_ids = {hold.id for hold in due} | targets.holds
    if hold_ids or targets.groups:
        _load_locked_holds(cursor, ledger_id, working, hold_ids, targets.groups, paths)
    if targets.transactions:
        working.reversibles = loading.load_reversibles(cursor, ledger_id, targets.transactions)
        if not loading.paths_behind((), working.reversibles.values()) <= paths:
            raise MetOthers("a transaction to be reversed was posted meanwhile")
    return working


def _check_rules(head: Head, rules: Head) -> None:
    if head.rules != rules.rules:
        raise HeadMoved(head)


class ManyHoldsDue(MetOthers):
    """More holds have run out than one batch should let go of on the way: let them go first."""


def _load_locked_holds(
    cursor: Cursor[Any],
    ledger_id: int,
    working: WorkingSet,
    ids: Iterable[UUID],
    groups: Iterable[str],
    locked: set[str],
) -> None:
    """Read holds again now that their accounts are locked; a group may have grown meanwhile."""
    for hold in loading.load_holds(cursor, ledger_id, ids, groups):
        if not loading.paths_behind([hold], ()) <= locked:
            raise MetOthers("a hold was added to the group meanwhile")
        working.holds[hold.id] = hold
        if hold.group is not None:
            working.groups.setdefault(hold.group, []).append(hold.id)


def _rules_changed(records: Iterable[Record], working: WorkingSet) -> list[AccountState]:
    paths = {record.body["account"] for record in records if record.kind == ACCOUNT_CHANGED and record.body}
    return [working.accounts[path] for path in sorted(paths)]


def _move_head(
    cursor: Cursor[Any],
    ledger_id: int,
    entry: LogEntry,
    head: Head,
    opened_count: int,
    working: WorkingSet,
    rules: Head,
) -> None:
    unchanged = working.settings == rules.settings
    writing.append_log(
        cursor,
        ledger_id,
        entry,
        accounts_count=head.accounts_count + opened_count,
        closed_through=working.closed_through,
        settings=head.settings_text if unchanged else encode_json(settings_body(working.settings)).decode(),
    )
