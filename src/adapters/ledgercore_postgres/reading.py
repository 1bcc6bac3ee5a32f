"""Reading a ledger: state, accounts, balances, entries, transactions, holds and the log itself."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import evolve
from psycopg import Cursor
from sqlalchemy import Connection, Text, and_, cast, or_, select, text

from ledgercore.clock import Clock
from ledgercore.errors import NotFoundError, ValidationError
from ledgercore.errors.catalog import ACCOUNT_NOT_FOUND, RECORDED_TIME_IN_FUTURE
from ledgercore.ledger.accounts import Account, AccountState, AccountType
from ledgercore.ledger.holds import Hold, HoldStatus
from ledgercore.ledger.log.chain import LogEntry
from ledgercore.ledger.log.encoding import ROW_FIELDS
from ledgercore.ledger.log.logged import JournalRow, by_record, entry_of, posted_of
from ledgercore.ledger.log.records import POSTING_KINDS
from ledgercore.ledger.paths import check_path, check_prefix
from ledgercore.ledger.queries import (
    AccountBalance,
    AccountEntry,
    AsOf,
    HoldFilter,
    LedgerState,
    TransactionFilter,
)
from ledgercore.ledger.texts import LATEST
from ledgercore.ledger.transactions import PostedTransaction
from ledgercore.money import Money, known_currency
from ledgercore.pages import Page, check_limit, decode_cursor, page_of
from ledgercore_postgres import balances, loading
from ledgercore_postgres.appending import Head, read_head
from ledgercore_postgres.database import driver_cursor
from ledgercore_postgres.registers import EVERYTHING, entry_rows
from ledgercore_postgres.searching import newest_numbers
from ledgercore_postgres.tables import ACCOUNTS, HOLDS, JOURNAL, LOG
from ledgercore_postgres.writing import COPY_HEADER, COPY_TRAILER

SEAL: Final = text(
    "UPDATE heads SET sealed_at = greatest(sealed_at, CAST(:sealed_at AS timestamptz)) WHERE ledger_id = :ledger"
)
STREAM_ROWS: Final = 5_000
EVERY_LINE: Final = 2**15 - 1
COPY_HEADER_BYTES: Final = len(COPY_HEADER)
FIELD_COUNT_BYTES: Final = 2


class Reader:
    """The reading half of the `Journal` port; subclasses say on which connection."""

    def __init__(self, *, ledger_id: int, name: str, clock: Clock) -> None:
        self.ledger_id = ledger_id
        self._name = name
        self._clock = clock

    def _reading(self) -> AbstractContextManager[Connection]:
        raise NotImplementedError

    @property
    def name(self) -> str:
        """The ledger's name."""
        return self._name

    def state(self) -> LedgerState:
        """See the port."""
        with self._reading() as connection:
            head = read_head(driver_cursor(connection), self.ledger_id)
        return _state(self._name, head)

    def find_account(self, path: str) -> Account | None:
        """See the port."""
        return self.find_accounts([path])[0]

    def find_accounts(self, paths: Sequence[str]) -> list[Account | None]:
        """See the port. One statement, however many are asked for and whatever is held on them."""
        for path in paths:
            check_path(path)
        with self._reading() as connection:
            found = loading.accounts_now(driver_cursor(connection), self.ledger_id, self._clock(), set(paths))
        accounts = {state.path: state.as_account() for state in found}
        return [accounts.get(path) for path in paths]

    def list_accounts(self, *, prefix: str = "", cursor: str | None = None, limit: int = 100) -> Page[Account]:
        """See the port."""
        check_limit(limit)
        wanted = [_below(check_prefix(prefix))] if prefix else []
        if cursor is not None:
            wanted.append(ACCOUNTS.c.path > decode_cursor("accounts", cursor, str)[0])
        with self._reading() as connection:
            found = self._accounts(connection, *wanted, limit=limit + 1)
        return page_of(found, limit, "accounts", lambda account: (account.path,))

    def balances(self, paths: Sequence[str] | None = None, *, prefix: str = "", at: AsOf) -> list[AccountBalance]:
        """See the port."""
        for path in paths or ():
            check_path(path)
        which, values = _which(paths, check_prefix(prefix))
        if at.recorded_at is not None:
            self.seal(at.recorded_at)
        with self._reading() as connection:
            if at.effective_at is None and at.recorded_at is None:
                statement = balances.BALANCES_NOW
            else:
                statement = balances.BALANCES_AT
                values["last_number"] = self._last_number(connection, at.recorded_at)
                values["effective_at"] = at.effective_at or LATEST
            if paths is None and at.recorded_at is not None:
                which += balances.OPENED_BY
                values["recorded_at"] = at.recorded_at
            rows = connection.execute(text(statement.format(which=which)), {"ledger": self.ledger_id, **values}).all()
        found = [_balance(row) for row in rows]
        if paths is not None and len(found) < len(set(paths)):
            raise NotFoundError(ACCOUNT_NOT_FOUND, account=min(set(paths) - {balance.path for balance in found}))
        return found

    def list_entries(
        self, path: str, *, cursor: str | None = None, limit: int = 100, newest_first: bool = False
    ) -> Page[AccountEntry]:
        """See the port."""
        check_limit(limit)
        check_path(path)
        kind = "entries-newest" if newest_first else "entries"
        after = None if cursor is None else decode_cursor(kind, cursor, int, int)
        with self._reading() as connection:
            states = self._states(connection, ACCOUNTS.c.path == path)
            if not states:
                raise NotFoundError(ACCOUNT_NOT_FOUND, account=path)
            cursor_here = driver_cursor(connection)
            rows = entry_rows(cursor_here, self.ledger_id, states[0].number, after, limit + 1, newest_first)
            known = loading.accounts_of(cursor_here, self.ledger_id, [rows], states)
        found = [entry_of(row, states[0], known.__getitem__) for row in rows]
        return page_of(found, limit, kind, lambda entry: (entry.number, entry.line))

    def find_transaction(self, id: UUID) -> PostedTransaction | None:
        """See the port."""
        wanted = and_(JOURNAL.c.id == id, JOURNAL.c.line == 0, JOURNAL.c.kind.in_(POSTING_KINDS))
        with self._reading() as connection:
            found = self._transactions(
                connection, select(JOURNAL.c.number).where(JOURNAL.c.ledger_id == self.ledger_id, wanted)
            )
        return found[0] if found else None

    def list_transactions(
        self, wanted: TransactionFilter, *, cursor: str | None = None, limit: int = 100
    ) -> Page[PostedTransaction]:
        """See the port."""
        check_limit(limit)
        before = EVERYTHING if cursor is None else decode_cursor("transactions", cursor, int)[0]
        with self._reading() as connection:
            account = None if wanted.account is None else self._number_of(connection, wanted.account)
            numbers = newest_numbers(connection, self.ledger_id, wanted, account, before=before, limit=limit + 1)
            found = self._transactions(connection, numbers)
        return page_of(found, limit, "transactions", lambda transaction: (transaction.number,))

    def find_hold(self, id: UUID) -> Hold | None:
        """See the port."""
        with self._reading() as connection:
            found = loading.load_holds(driver_cursor(connection), self.ledger_id, [id], ())
        return self._as_of_now(found[0]) if found else None

    def list_holds(self, wanted: HoldFilter, *, cursor: str | None = None, limit: int = 100) -> Page[Hold]:
        """See the port."""
        check_limit(limit)
        now = self._clock()
        due = and_(HOLDS.c.status == "open", HOLDS.c.expires_at.is_not(None), HOLDS.c.expires_at <= now)
        conditions: list[Any] = [HOLDS.c.ledger_id == self.ledger_id]
        if wanted.status is HoldStatus.OPEN:
            conditions += [
                HOLDS.c.status == "open",
                or_(HOLDS.c.expires_at.is_(None), HOLDS.c.expires_at > now),
            ]
        elif wanted.status is HoldStatus.EXPIRED:
            conditions.append(or_(HOLDS.c.status == "expired", due))
        elif wanted.status is not None:
            conditions.append(HOLDS.c.status == wanted.status.value)
        if wanted.group is not None:
            conditions.append(HOLDS.c.hold_group == wanted.group)
        if wanted.account is not None:
            conditions.append(HOLDS.c.accounts.contains([wanted.account]))
        if cursor is not None:
            conditions.append(HOLDS.c.hold_id > decode_cursor("holds", cursor, UUID)[0])
        statement = select(*_HOLD_COLUMNS).where(*conditions).order_by(HOLDS.c.hold_id).limit(limit + 1)
        with self._reading() as connection:
            found = [self._as_of_now(loading.hold_of(row)) for row in connection.execute(statement)]
        return page_of(found, limit, "holds", lambda hold: (str(hold.id),))

    def log_entries(self, *, after_batch: int = 0, limit: int | None = None) -> Iterator[LogEntry]:
        """See the port."""
        statement = (
            select(*_LOG_COLUMNS)
            .where(LOG.c.ledger_id == self.ledger_id, LOG.c.batch > after_batch)
            .order_by(LOG.c.batch)
            .limit(limit)
        )
        with (
            self._reading() as connection,
            connection.execute(statement.execution_options(yield_per=STREAM_ROWS)) as rows,
        ):
            for row in rows:
                yield _log_entry(row)

    def batch_of(self, number: int) -> LogEntry | None:
        """See the port."""
        statement = (
            select(*_LOG_COLUMNS)
            .where(LOG.c.ledger_id == self.ledger_id, LOG.c.last_number >= number)
            .order_by(LOG.c.last_number)
            .limit(1)
        )
        with self._reading() as connection:
            row = connection.execute(statement).first()
        return _log_entry(row) if row is not None and row[1] <= number else None

    def rows(self, *, after_number: int = 0, through_number: int | None = None) -> Iterator[bytes]:
        """See the port."""
        through = EVERYTHING if through_number is None else through_number
        after, line = after_number, EVERY_LINE
        while True:
            # Piece by piece, so that a reader may stop anywhere, and read other things in between.
            with self._reading() as connection:
                piece = _copied_piece(driver_cursor(connection), self.ledger_id, after, line, through)
            yield from piece
            if len(piece) < STREAM_ROWS:
                return
            after, line = _place_of(piece[-1])

    def read_rows(self, *, after_number: int = 0, limit: int = 1_000) -> list[JournalRow]:
        """See the port."""
        with self._reading() as connection:
            cursor = driver_cursor(connection)
            cursor.execute(
                f"SELECT {loading.ROW_FIELDS} FROM journal WHERE ledger_id = %s AND number > %s AND number <= %s"
                " ORDER BY number, line",
                (self.ledger_id, after_number, after_number + limit),
            )
            return [loading.journal_row(row) for row in cursor.fetchall()]

    def stored_accounts(self) -> Iterator[AccountState]:
        """See the port."""
        statement = select(*_ACCOUNT_COLUMNS).where(ACCOUNTS.c.ledger_id == self.ledger_id).order_by(ACCOUNTS.c.account)
        with (
            self._reading() as connection,
            connection.execute(statement.execution_options(yield_per=STREAM_ROWS)) as rows,
        ):
            for row in rows:
                yield loading.account_state(row)

    def stored_holds(self) -> Iterator[Hold]:
        """See the port."""
        statement = select(*_HOLD_COLUMNS).where(HOLDS.c.ledger_id == self.ledger_id).order_by(HOLDS.c.hold_id)
        with (
            self._reading() as connection,
            connection.execute(statement.execution_options(yield_per=STREAM_ROWS)) as rows,
        ):
            for row in rows:
                yield loading.hold_of(row)

    def stored_hold_accounts(self) -> Iterator[tuple[UUID, tuple[str, ...]]]:
        """See the port."""
        statement = select(HOLDS.c.hold_id, HOLDS.c.accounts).where(HOLDS.c.ledger_id == self.ledger_id)
        with (
            self._reading() as connection,
            connection.execute(statement.execution_options(yield_per=STREAM_ROWS)) as rows,
        ):
            for id_, paths in rows:
                yield id_, tuple(paths)

    def _accounts(self, connection: Connection, *wanted: Any, limit: int | None = None) -> list[Account]:
        states = self._states(connection, *wanted, limit=limit)
        if any(state.pending_debits or state.pending_credits for state in states):
            by_path = {state.path: state for state in states}
            for hold in loading.due_holds_on(driver_cursor(connection), self.ledger_id, self._clock(), by_path):
                _forget_hold(by_path, hold)
        return [state.as_account() for state in states]

    def _states(self, connection: Connection, *wanted: Any, limit: int | None = None) -> list[AccountState]:
        statement = (
            select(*_ACCOUNT_COLUMNS)
            .where(ACCOUNTS.c.ledger_id == self.ledger_id, *wanted)
            .order_by(ACCOUNTS.c.path)
            .limit(limit)
        )
        return [loading.account_state(row) for row in connection.execute(statement)]

    def _number_of(self, connection: Connection, path: str) -> int:
        states = self._states(connection, ACCOUNTS.c.path == path)
        if not states:
            raise NotFoundError(ACCOUNT_NOT_FOUND, account=path)
        return states[0].number

    def _transactions(self, connection: Connection, numbers: Any) -> list[PostedTransaction]:
        statement = (
            select(*_ROW_COLUMNS)
            .where(JOURNAL.c.ledger_id == self.ledger_id, JOURNAL.c.number.in_(numbers))
            .order_by(JOURNAL.c.number.desc(), JOURNAL.c.line)
        )
        records = list(by_record(loading.journal_row(row) for row in connection.execute(statement)))
        accounts = loading.accounts_of(driver_cursor(connection), self.ledger_id, records, ())
        return [posted_of(rows, accounts.__getitem__) for rows in records]

    def _last_number(self, connection: Connection, recorded_at: datetime | None) -> int:
        """The last record of a recorded time that is sealed, or of all."""
        if recorded_at is None:
            return read_head(driver_cursor(connection), self.ledger_id).number
        statement = (
            select(LOG.c.last_number)
            .where(LOG.c.ledger_id == self.ledger_id, LOG.c.recorded_at <= recorded_at)
            .order_by(LOG.c.recorded_at.desc())
            .limit(1)
        )
        return connection.execute(statement).scalar_one_or_none() or 0

    def seal(self, recorded_at: datetime) -> None:
        """See the port."""
        with self._reading() as connection:
            head = read_head(driver_cursor(connection), self.ledger_id)
        if any(moment is not None and recorded_at <= moment for moment in (head.recorded_at, head.sealed_at)):
            return
        now = self._clock()
        if recorded_at > now:
            raise ValidationError(RECORDED_TIME_IN_FUTURE, field="recorded_at", recorded_at=recorded_at, now=now)
        self._move_seal(recorded_at)

    def _move_seal(self, recorded_at: datetime) -> None:
        raise NotImplementedError

    def _as_of_now(self, hold: Hold) -> Hold:
        return evolve(hold, status=HoldStatus.EXPIRED) if hold.is_due(self._clock()) else hold


class SnapshotReader(Reader):
    """Reads that all see the same moment."""

    def __init__(self, connection: Connection, *, ledger_id: int, name: str, clock: Clock) -> None:
        super().__init__(ledger_id=ledger_id, name=name, clock=clock)
        self._connection = connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        yield self._connection

    def _move_seal(self, recorded_at: datetime) -> None:
        # What others record after this snapshot began is not in it, so it cannot answer for that time.
        raise ValidationError(
            RECORDED_TIME_IN_FUTURE,
            field="recorded_at",
            recorded_at=recorded_at,
            why="the time was not sealed before the snapshot began",
        )


_ACCOUNT_COLUMNS: Final = (
    ACCOUNTS.c.account, ACCOUNTS.c.path, ACCOUNTS.c.currency, ACCOUNTS.c.exponent, ACCOUNTS.c.type, ACCOUNTS.c.status,
    cast(ACCOUNTS.c.minimum, Text), cast(ACCOUNTS.c.maximum, Text), cast(ACCOUNTS.c.balance, Text),
    cast(ACCOUNTS.c.pending_debits, Text), cast(ACCOUNTS.c.pending_credits, Text), ACCOUNTS.c.version,
    ACCOUNTS.c.latest_effective_at, ACCOUNTS.c.opened_at, cast(ACCOUNTS.c.metadata, Text),
)  # fmt: skip
_ROW_COLUMNS: Final = tuple(
    cast(JOURNAL.c[field], Text)
    if field in ("amount", "debit_balance", "credit_balance", "metadata", "body")
    else JOURNAL.c[field]
    for field in ROW_FIELDS
)
_HOLD_COLUMNS: Final = (
    HOLDS.c.hold_id, HOLDS.c.status, HOLDS.c.placed_at, HOLDS.c.expires_at, HOLDS.c.tolerance_bps, HOLDS.c.hold_group,
    cast(HOLDS.c.lines, Text), HOLDS.c.description, cast(HOLDS.c.metadata, Text), HOLDS.c.replaces,
)  # fmt: skip
_LOG_COLUMNS: Final = (
    LOG.c.batch, LOG.c.first_number, LOG.c.last_number, LOG.c.recorded_at, LOG.c.root, LOG.c.head
)  # fmt: skip


def _state(name: str, head: Head) -> LedgerState:
    return LedgerState(
        name=name,
        settings=head.settings,
        number=head.number,
        batch=head.batch,
        head=head.head,
        recorded_at=head.recorded_at,
        closed_through=head.closed_through,
        accounts_count=head.accounts_count,
    )


def _log_entry(row: Sequence[Any]) -> LogEntry:
    batch, first, last, recorded_at, root, head = row
    return LogEntry(
        batch=batch,
        first_number=first,
        last_number=last,
        recorded_at=recorded_at,
        root=bytes(root),
        head=bytes(head),
    )


def _balance(row: Sequence[Any]) -> AccountBalance:
    path, type_, code, exponent, minor = row
    currency = known_currency(code, exponent)
    return AccountBalance(path=path, type=AccountType(type_), currency=currency, posted=Money(int(minor), currency))


def _below(prefix: str) -> Any:
    return or_(ACCOUNTS.c.path == prefix, and_(ACCOUNTS.c.path >= f"{prefix}:", ACCOUNTS.c.path < f"{prefix};"))


def _which(paths: Sequence[str] | None, prefix: str) -> tuple[str, dict[str, Any]]:
    if paths is not None:
        return balances.BY_PATHS, {"paths": list(paths)}
    return (balances.BELOW, {"prefix": prefix}) if prefix else (balances.ALL, {})


def _forget_hold(states: dict[str, AccountState], hold: Hold) -> None:
    for line in hold.remaining_lines():
        if line.debit in states:
            states[line.debit].pending_debits -= line.amount.minor
        if line.credit in states:
            states[line.credit].pending_credits -= line.amount.minor


def _copied_piece(cursor: Cursor[Any], ledger_id: int, after: int, line: int, through: int) -> list[bytes]:
    """The next rows of the log as the database spells them, at most `STREAM_ROWS`."""
    statement = (
        f"COPY (SELECT {', '.join(ROW_FIELDS)} FROM journal WHERE ledger_id = {ledger_id:d}"
        f" AND (number, line) > ({after:d}, {line:d}) AND number <= {through:d}"
        f" ORDER BY number, line LIMIT {STREAM_ROWS}) TO STDOUT (FORMAT binary)"
    )
    with cursor.copy(statement) as copy:
        # The driver hands over one row at a time, the header before the first and the trailer by itself.
        data = [bytes(part) for part in copy]
    data[0] = data[0][COPY_HEADER_BYTES:]
    return [row[FIELD_COUNT_BYTES:] for row in data if row and row != COPY_TRAILER]


def _place_of(row: bytes) -> tuple[int, int]:
    """A row's number and line, which stand at its beginning, each after its length."""
    return int.from_bytes(row[4:12], signed=True), int.from_bytes(row[16:18], signed=True)
