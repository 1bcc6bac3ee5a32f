"""A ledger in memory: plain lists and dictionaries behind one lock, every question answered by looking at all."""

import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import evolve

from ledgercore.clock import Clock, next_recorded_at
from ledgercore.errors import NotFoundError, ValidationError
from ledgercore.errors.catalog import ACCOUNT_NOT_FOUND, BATCH_TOO_LARGE, RECORDED_TIME_IN_FUTURE
from ledgercore.ids import TimeOrderedIds
from ledgercore.ledger.accounts import Account, AccountState
from ledgercore.ledger.commands import BATCH_MAX, AnyCommand, BatchItem, Settings, flatten, identity_of
from ledgercore.ledger.holds import Hold, HoldStatus
from ledgercore.ledger.log.chain import GENESIS, LogEntry, next_entry
from ledgercore.ledger.log.encoding import encode_records
from ledgercore.ledger.log.logged import JournalRow, entry_of, known_of, posted_of, read_row
from ledgercore.ledger.log.merkle import tree_root
from ledgercore.ledger.log.projection import Projection
from ledgercore.ledger.log.records import POSTING_KINDS, REVERSAL
from ledgercore.ledger.log.restoring import apply_checked, check_batch, record_leaves
from ledgercore.ledger.outcomes import Outcome
from ledgercore.ledger.paths import check_path, check_prefix, is_below
from ledgercore.ledger.queries import (
    AccountBalance,
    AccountEntry,
    AsOf,
    HoldFilter,
    LedgerState,
    TransactionFilter,
)
from ledgercore.ledger.rules.engine import evaluate
from ledgercore.ledger.rules.working_set import (
    Pair,
    Reversible,
    WorkingSet,
    paths_of,
    paths_of_hold,
    paths_of_lines,
    targets_of,
)
from ledgercore.ledger.transactions import PostedTransaction
from ledgercore.money import Money
from ledgercore.pages import Page, check_limit, decode_cursor, page_of
from ledgercore_memory.undoing import undone_after_error

_STATE: Final = (
    "_accounts", "_by_number", "_holds", "_settings", "_closed_through", "_rows", "_records", "_numbers", "_log",
    "_sealed_at",
)  # fmt: skip
"""What a batch changes."""


class MemoryJournal:
    """Keeps the promises of the `Journal` port; a batch that fails half-way leaves nothing behind."""

    def __init__(self, name: str, *, clock: Clock, random_bytes: Callable[[int], bytes]) -> None:
        self._name = name
        self._clock = clock
        self._ids = TimeOrderedIds(random_bytes)
        self._lock = threading.RLock()
        self._accounts: dict[str, AccountState] = {}
        self._by_number: dict[int, AccountState] = {}
        self._holds: dict[UUID, Hold] = {}
        self._settings = Settings()
        self._closed_through: datetime | None = None
        self._rows: list[bytes] = []
        self._records: list[list[JournalRow]] = []
        self._numbers: dict[bytes, int] = {}
        self._log: list[LogEntry] = []
        self._sealed_at: datetime | None = None

    @property
    def name(self) -> str:
        """The ledger's name."""
        return self._name

    def append(self, batch: Sequence[BatchItem], *, atomic: bool = False) -> list[Outcome]:
        """See the port."""
        commands = flatten(batch)
        if len(commands) > BATCH_MAX:
            raise ValidationError(BATCH_TOO_LARGE, field="batch", commands=len(commands), commands_max=BATCH_MAX)
        with self._lock:
            now = self._clock()
            working = self._working_set(commands, now)
            decided = evaluate(batch, working, now=now, new_id=self._ids.batch(now), atomic=atomic)
            if not decided.records:
                return decided.outcomes(now)
            recorded_at = self._next_recorded_at(now)
            decided.number_accounts(after=len(self._accounts), recorded_at=recorded_at)
            encoded = encode_records(decided.records, first_number=len(self._records) + 1, recorded_at=recorded_at)
            rows = [row for _, rows in encoded for row in rows]
            previous = self._log[-1] if self._log else None
            entry = next_entry(
                previous=previous.head if previous else GENESIS,
                batch=len(self._log) + 1,
                first=len(self._records) + 1,
                last=len(self._records) + len(decided.records),
                recorded_at=recorded_at,
                root=tree_root(record_leaves(rows)),
            )
            self._store(entry, rows)
            for state in working.accounts.values():
                state.changed = False
                self._accounts[state.path] = self._by_number[state.number] = state
            self._holds.update((hold.id, hold) for hold in decided.holds)
            self._settings, self._closed_through = working.settings, working.closed_through
            return decided.outcomes(recorded_at)

    def expire_holds(self) -> int:
        """See the port."""
        with self._lock:
            before = len(self._records)
            self.append(())
            return len(self._records) - before

    def restore(self, entry: LogEntry, rows: Sequence[bytes]) -> None:
        """See the port."""
        with self._lock:
            head = self._log[-1].head if self._log else GENESIS
            records = check_batch(entry, rows, batch=len(self._log), number=len(self._records), head=head)
            projection = Projection()
            projection.by_path = {path: copy.copy(state) for path, state in self._accounts.items()}
            projection.accounts = {state.number: state for state in projection.by_path.values()}
            projection.holds = dict(self._holds)
            projection.settings, projection.closed_through = self._settings, self._closed_through
            projection.next_account = len(self._accounts) + 1
            apply_checked(projection, entry, records)
            self._store(entry, list(rows))
            self._accounts, self._holds = projection.by_path, projection.holds
            self._by_number = projection.accounts
            self._settings, self._closed_through = projection.settings, projection.closed_through

    def state(self) -> LedgerState:
        """See the port."""
        with self._lock:
            last = self._log[-1] if self._log else None
            return LedgerState(
                name=self._name,
                settings=self._settings,
                number=len(self._records),
                batch=len(self._log),
                head=last.head if last else GENESIS,
                recorded_at=last.recorded_at if last else None,
                closed_through=self._closed_through,
                accounts_count=len(self._accounts),
            )

    def find_account(self, path: str) -> Account | None:
        """See the port."""
        return self.find_accounts([path])[0]

    def find_accounts(self, paths: Sequence[str]) -> list[Account | None]:
        """See the port."""
        for path in paths:
            check_path(path)
        with self._lock:
            now = self._clock()
            return [self._account(self._accounts[path], now) if path in self._accounts else None for path in paths]

    def list_accounts(self, *, prefix: str = "", cursor: str | None = None, limit: int = 100) -> Page[Account]:
        """See the port."""
        check_limit(limit)
        check_prefix(prefix)
        after = "" if cursor is None else decode_cursor("accounts", cursor, str)[0]
        with self._lock:
            now = self._clock()
            found = [
                self._account(state, now)
                for path, state in sorted(self._accounts.items())
                if path > after and is_below(path, prefix)
            ]
        return page_of(found, limit, "accounts", lambda account: (account.path,))

    def balances(self, paths: Sequence[str] | None = None, *, prefix: str = "", at: AsOf) -> list[AccountBalance]:
        """See the port."""
        check_prefix(prefix)
        for path in paths or ():
            check_path(path)
        with self._lock:
            if at.recorded_at is not None:
                self.seal(at.recorded_at)
            wanted = sorted(self._accounts if paths is None else set(paths))
            for path in wanted:
                if path not in self._accounts:
                    raise NotFoundError(ACCOUNT_NOT_FOUND, account=path)
            return [
                AccountBalance(
                    path=path,
                    type=self._accounts[path].type,
                    currency=self._accounts[path].currency,
                    posted=Money(self._sum(self._accounts[path], at), self._accounts[path].currency),
                )
                for path in wanted
                if paths is not None or (is_below(path, prefix) and _was_open(self._accounts[path], at))
            ]

    def list_entries(
        self, path: str, *, cursor: str | None = None, limit: int = 100, newest_first: bool = False
    ) -> Page[AccountEntry]:
        """See the port."""
        check_limit(limit)
        check_path(path)
        kind = "entries-newest" if newest_first else "entries"
        after = None if cursor is None else decode_cursor(kind, cursor, int, int)
        with self._lock:
            if path not in self._accounts:
                raise NotFoundError(ACCOUNT_NOT_FOUND, account=path)
            state = self._accounts[path]
            found = [
                entry_of(
                    row._replace(description=self._records[row.number - 1][0].description), state, self._account_of
                )
                for row in self._rows_of(state)
            ]
        found.sort(key=lambda entry: (entry.number, entry.line), reverse=newest_first)
        if after is not None:
            found = [
                entry
                for entry in found
                if ((entry.number, entry.line) < after if newest_first else (entry.number, entry.line) > after)
            ]
        return page_of(found, limit, kind, lambda entry: (entry.number, entry.line))

    def find_transaction(self, id: UUID) -> PostedTransaction | None:
        """See the port."""
        with self._lock:
            number = self._numbers.get(id.bytes)
            record = self._records[number - 1] if number else None
            return posted_of(record, self._account_of) if record and record[0].kind in POSTING_KINDS else None

    def list_transactions(
        self, wanted: TransactionFilter, *, cursor: str | None = None, limit: int = 100
    ) -> Page[PostedTransaction]:
        """See the port."""
        check_limit(limit)
        before = None if cursor is None else decode_cursor("transactions", cursor, int)[0]
        with self._lock:
            if wanted.account is not None and wanted.account not in self._accounts:
                raise NotFoundError(ACCOUNT_NOT_FOUND, account=wanted.account)
            number = self._accounts[wanted.account].number if wanted.account is not None else None
            found = [
                posted_of(rows, self._account_of)
                for rows in reversed(self._records)
                if (before is None or rows[0].number < before) and _fits(rows, wanted, number)
            ]
        return page_of(found, limit, "transactions", lambda transaction: (transaction.number,))

    def find_hold(self, id: UUID) -> Hold | None:
        """See the port."""
        with self._lock:
            return self._as_of_now(self._holds[id]) if id in self._holds else None

    def list_holds(self, wanted: HoldFilter, *, cursor: str | None = None, limit: int = 100) -> Page[Hold]:
        """See the port."""
        check_limit(limit)
        after = None if cursor is None else decode_cursor("holds", cursor, UUID)[0]
        with self._lock:
            holds = [self._as_of_now(hold) for hold in sorted(self._holds.values(), key=lambda hold: hold.id)]
        found = [
            hold
            for hold in holds
            if (after is None or hold.id > after)
            and wanted.status in (None, hold.status)
            and wanted.group in (None, hold.group)
            and (wanted.account is None or wanted.account in paths_of_hold(hold))
        ]
        return page_of(found, limit, "holds", lambda hold: (str(hold.id),))

    def log_entries(self, *, after_batch: int = 0, limit: int | None = None) -> Iterator[LogEntry]:
        """See the port."""
        yield from list(self._log[max(after_batch, 0) :])[:limit]

    def batch_of(self, number: int) -> LogEntry | None:
        """See the port."""
        return next((entry for entry in self._log if entry.first_number <= number <= entry.last_number), None)

    def rows(self, *, after_number: int = 0, through_number: int | None = None) -> Iterator[bytes]:
        """See the port."""
        for row in list(self._rows):
            number = int.from_bytes(row[4:12])
            if number > after_number and (through_number is None or number <= through_number):
                yield row

    def read_rows(self, *, after_number: int = 0, limit: int = 1_000) -> list[JournalRow]:
        """See the port."""
        with self._lock:
            return [row for rows in self._records[max(after_number, 0) : max(after_number + limit, 0)] for row in rows]

    def stored_accounts(self) -> Iterator[AccountState]:
        """See the port."""
        yield from sorted(self._accounts.values(), key=lambda state: state.number)

    def stored_holds(self) -> Iterator[Hold]:
        """See the port."""
        yield from sorted(self._holds.values(), key=lambda hold: hold.id)

    def stored_hold_accounts(self) -> Iterator[tuple[UUID, tuple[str, ...]]]:
        """See the port."""
        yield from ((hold.id, tuple(sorted(paths_of_hold(hold)))) for hold in self.stored_holds())

    @contextmanager
    def snapshot(self) -> Iterator["MemoryJournal"]:
        """See the port."""
        with self._lock:
            yield self

    @contextmanager
    def undoable(self) -> Iterator["MemoryJournal"]:
        """The journal for nobody but this block; what the block did is undone when it fails."""
        with self._lock, undone_after_error(self, *_STATE):
            yield self

    def _store(self, entry: LogEntry, rows: list[bytes]) -> None:
        for row in rows:
            read = read_row(row)
            if read.line:
                self._records[-1].append(read)
            else:
                self._records.append([read])
                self._numbers[read.id.bytes] = read.number
        self._rows.extend(rows)
        self._log.append(entry)

    def _next_recorded_at(self, now: datetime) -> datetime:
        return next_recorded_at(now, self._log[-1].recorded_at if self._log else None, self._sealed_at)

    def seal(self, recorded_at: datetime) -> None:
        """See the port."""
        with self._lock:
            sealed = (self._log[-1].recorded_at if self._log else None, self._sealed_at)
            if any(moment is not None and recorded_at <= moment for moment in sealed):
                return
            now = self._clock()
            if recorded_at > now:
                raise ValidationError(RECORDED_TIME_IN_FUTURE, field="recorded_at", recorded_at=recorded_at, now=now)
            self._sealed_at = recorded_at

    def _account_of(self, number: int) -> AccountState:
        return self._by_number[number]

    def _account(self, state: AccountState, now: datetime) -> Account:
        shown = copy.copy(state)
        for hold in self._holds.values():
            if hold.is_due(now):
                for line in hold.remaining_lines():
                    shown.pending_debits -= line.amount.minor if line.debit == state.path else 0
                    shown.pending_credits -= line.amount.minor if line.credit == state.path else 0
        return shown.as_account()

    def _rows_of(self, state: AccountState) -> list[JournalRow]:
        return [
            row for rows in self._records for row in rows if state.number in (row.debit_account, row.credit_account)
        ]

    def _sum(self, state: AccountState, at: AsOf) -> int:
        total = 0
        for row in self._rows_of(state):
            counts = (at.effective_at is None or row.effective_at <= at.effective_at) and (
                at.recorded_at is None or row.recorded_at <= at.recorded_at
            )
            if counts and row.amount is not None:
                raises = (row.debit_account == state.number) is state.debit_normal
                total += row.amount if raises else -row.amount
        return total

    def _working_set(self, commands: Sequence[AnyCommand], now: datetime) -> WorkingSet:
        """Copies of what the commands touch, so that a batch which fails changes nothing here."""
        targets = targets_of(commands)
        holds = {
            hold.id: hold
            for hold in self._holds.values()
            if hold.id in targets.holds or hold.group in targets.groups or hold.is_due(now)
        }
        groups: dict[str, list[UUID]] = {}
        for hold in holds.values():
            if hold.group is not None:
                groups.setdefault(hold.group, []).append(hold.id)
        reversibles = {id_: found for id_ in targets.transactions if (found := self._reversible(id_))}
        paths = paths_of(commands).union(*map(paths_of_hold, holds.values()))
        for reversible in reversibles.values():
            paths |= paths_of_lines(posted.line for posted in reversible.posted.lines)
        return WorkingSet(
            accounts={path: copy.copy(self._accounts[path]) for path in paths & self._accounts.keys()},
            holds=holds,
            groups=groups,
            reversibles=reversibles,
            known={
                name: known_of(self._records[self._numbers[name] - 1], self._account_of)
                for name in map(identity_of, commands)
                if name in self._numbers
            },
            settings=self._settings,
            closed_through=self._closed_through,
        )

    def _reversible(self, id: UUID) -> Reversible | None:
        posted = self.find_transaction(id)
        if posted is None:
            return None
        undone: dict[Pair, int] = {}
        for rows in self._records[posted.number :]:
            if rows[0].kind == REVERSAL and rows[0].subject == id:
                for line in posted_of(rows, self._account_of).lines:
                    pair: Pair = (line.line.credit, line.line.debit)
                    undone[pair] = undone.get(pair, 0) + line.line.amount.minor
        return Reversible(posted=posted, reversed_minor=undone)

    def _as_of_now(self, hold: Hold) -> Hold:
        return evolve(hold, status=HoldStatus.EXPIRED) if hold.is_due(self._clock()) else hold


def _was_open(state: AccountState, at: AsOf) -> bool:
    return at.recorded_at is None or state.opened_at <= at.recorded_at


def _fits(rows: Sequence[JournalRow], wanted: TransactionFilter, account: int | None) -> bool:
    first = rows[0]
    metadata = first.metadata or {}
    if first.kind not in POSTING_KINDS:
        return False
    fitting = [
        row
        for row in rows
        if (account is None or account in (row.debit_account, row.credit_account))
        and row.amount is not None
        and (wanted.amount_minor_min is None or row.amount >= wanted.amount_minor_min)
        and (wanted.amount_minor_max is None or row.amount <= wanted.amount_minor_max)
    ]
    return (
        bool(fitting)
        and wanted.reference in (None, first.reference)
        and (wanted.effective_from is None or first.effective_at >= wanted.effective_from)
        and (wanted.effective_to is None or first.effective_at <= wanted.effective_to)
        and (wanted.recorded_from is None or first.recorded_at >= wanted.recorded_from)
        and (wanted.recorded_to is None or first.recorded_at <= wanted.recorded_to)
        and (wanted.metadata is None or _contains(metadata, wanted.metadata))
    )


def _contains(whole: Any, part: Any) -> bool:
    """Containment as PostgreSQL's `@>` has it: objects by key, lists as sets."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and _contains(whole[key], part[key]) for key in part)
    if isinstance(part, list | tuple):
        return isinstance(whole, list) and all(any(_contains(item, wanted) for item in whole) for wanted in part)
    return type(whole) is type(part) and whole == part
