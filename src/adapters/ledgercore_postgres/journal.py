"""A ledger in PostgreSQL: batches are appended in transactions of their own, or inside the caller's."""

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, TypeAlias, TypeVar

from psycopg import Cursor
from sqlalchemy import Connection, Engine

from ledgercore.clock import Clock
from ledgercore.errors import ExternalDependencyError, InternalError, ValidationError
from ledgercore.errors.catalog import BATCH_TOO_LARGE, ISOLATION_UNSUPPORTED, TOO_MUCH_CONTENTION
from ledgercore.ids import TimeOrderedIds
from ledgercore.ledger.commands import BATCH_MAX, BatchItem, flatten
from ledgercore.ledger.log.chain import LogEntry
from ledgercore.ledger.outcomes import Outcome
from ledgercore_postgres.appending import Appended, Head, HeadMoved, ManyHoldsDue, append_batch, enter, read_head
from ledgercore_postgres.database import borrowed, driver_connection, driver_cursor
from ledgercore_postgres.driver_errors import MetOthers, noticed_others, translated_commit, translated_errors
from ledgercore_postgres.loading import DUE_HOLDS_MAX
from ledgercore_postgres.parameters import register_arrays
from ledgercore_postgres.reading import SEAL, Reader, SnapshotReader
from ledgercore_postgres.restoring import restore_batch

ATTEMPTS_MAX: Final = 12
PAUSE_SECONDS: Final = 0.001
PAUSE_SECONDS_MAX: Final = 0.25

Sleep: TypeAlias = Callable[[float], None]
RandomBytes: TypeAlias = Callable[[int], bytes]
_Result = TypeVar("_Result")


class PostgresJournal(Reader):
    """Keeps the promises of the `Journal` port on connections of its own."""

    _alone = False

    def __init__(
        self,
        engine: Engine,
        *,
        ledger_id: int,
        name: str,
        clock: Clock,
        sleep: Sleep = time.sleep,
        random_bytes: RandomBytes = os.urandom,
    ) -> None:
        super().__init__(ledger_id=ledger_id, name=name, clock=clock)
        self._engine = engine
        self._sleep = sleep
        self._ids = TimeOrderedIds(random_bytes)
        self._rules: Head | None = None

    def append(self, batch: Sequence[BatchItem], *, atomic: bool = False) -> list[Outcome]:
        """See the port. Serialization failures and races are tried again here, up to 12 times."""
        check_size(batch)
        return self._attempt(lambda cursor: self._append(cursor, batch, atomic=atomic)).outcomes

    def restore(self, entry: LogEntry, rows: Sequence[bytes]) -> None:
        """See the port."""
        self._attempt(lambda cursor: restore_batch(cursor, self.ledger_id, entry, rows))
        self._rules = None

    def expire_holds(self) -> int:
        """See the port."""
        count = 0
        while True:
            expired = self._attempt(lambda cursor: self._append(cursor, (), atomic=False)).records_count
            count += expired
            if expired < DUE_HOLDS_MAX:
                return count

    def _append(self, cursor: Cursor[Any], batch: Sequence[BatchItem], *, atomic: bool) -> Appended:
        # Kept in a variable of this call: other threads may learn of newer rules at any moment.
        rules = self._rules or read_head(cursor, self.ledger_id)
        self._rules = rules
        return append_batch(
            cursor,
            self.ledger_id,
            batch,
            atomic=atomic,
            alone=self._alone,
            rules=rules,
            now=self._clock(),
            ids=self._ids,
        )

    def _attempt(self, work: Callable[[Cursor[Any]], _Result]) -> _Result:
        for attempt in range(ATTEMPTS_MAX):
            if attempt > 1:
                # Once is bad luck. Whoever keeps meeting others steps back, each for another while.
                self._sleep(random.uniform(0, min(PAUSE_SECONDS * 2**attempt, PAUSE_SECONDS_MAX)))
            try:
                with self._transaction() as cursor:
                    return work(cursor)
            except ManyHoldsDue:
                self.expire_holds()
            except HeadMoved as moved:
                self._rules = moved.head
            except MetOthers:
                continue
        raise ExternalDependencyError(TOO_MUCH_CONTENTION, ledger=self.name, attempts=ATTEMPTS_MAX)

    @contextmanager
    def _transaction(self) -> Iterator[Cursor[Any]]:
        with borrowed(self._engine) as connection:
            check_transactional(connection)
            with noticed_others():
                yield driver_cursor(connection)
            with translated_commit():
                connection.commit()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with borrowed(self._engine) as connection, translated_errors():
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Reader]:
        """See the port."""
        with self._reading() as connection:
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            # The first statement fixes the moment.
            read_head(driver_cursor(connection), self.ledger_id)
            yield SnapshotReader(connection, ledger_id=self.ledger_id, name=self._name, clock=self._clock)

    def _move_seal(self, recorded_at: datetime) -> None:
        # The update waits for a batch that is being stored; every later one is recorded after this time.
        with self._reading() as connection:
            connection.execute(SEAL, {"sealed_at": recorded_at, "ledger": self.ledger_id})


class JoinedJournal(PostgresJournal):
    """A ledger inside the caller's own transaction: what it appends commits or rolls back with the caller's rows.

    From its first batch to the end of the caller's transaction nobody else posts to the ledger: append
    last and commit soon. Each attempt is a savepoint. Whoever posts to several ledgers in one
    transaction does so in one order everywhere.
    """

    _alone = True

    def __init__(
        self,
        connection: Connection,
        *,
        ledger_id: int,
        name: str,
        clock: Clock,
        sleep: Sleep = time.sleep,
        random_bytes: RandomBytes = os.urandom,
    ) -> None:
        super().__init__(
            connection.engine, ledger_id=ledger_id, name=name, clock=clock, sleep=sleep, random_bytes=random_bytes
        )
        self._connection = connection

    @contextmanager
    def _transaction(self) -> Iterator[Cursor[Any]]:
        with noticed_others(), self._connection.begin_nested():
            yield driver_cursor(self._connection)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated_errors():
            yield self._connection

    @contextmanager
    def snapshot(self) -> Iterator[Reader]:
        """Reads that agree with one another and see what was posted here; nobody else posts from now on."""
        with self._reading() as connection:
            enter(driver_cursor(connection), self.ledger_id, alone=True)
        yield self

    def _move_seal(self, recorded_at: datetime) -> None:
        with self._reading() as connection:
            enter(driver_cursor(connection), self.ledger_id, alone=True)
            connection.execute(SEAL, {"sealed_at": recorded_at, "ledger": self.ledger_id})


def check_joinable(connection: Connection) -> None:
    """Raise `isolation_unsupported` unless the caller's transaction may hold batches, and teach it our arrays.

    Above READ COMMITTED a batch would not see what others committed while it waited for its accounts.
    """
    check_transactional(connection)
    level = connection.exec_driver_sql("SHOW transaction_isolation").scalar_one()
    if level != "read committed":
        raise InternalError(ISOLATION_UNSUPPORTED, isolation=level, wanted="read committed")
    register_arrays(driver_connection(connection))


def check_transactional(connection: Connection) -> None:
    """Raise `isolation_unsupported` in autocommit mode, where half a batch could stay."""
    if driver_connection(connection).autocommit:
        raise InternalError(ISOLATION_UNSUPPORTED, isolation="autocommit", wanted="read committed")


def check_size(batch: Sequence[BatchItem]) -> None:
    """Refuse batches beyond 20,000 commands."""
    count = len(flatten(batch))
    if count > BATCH_MAX:
        raise ValidationError(BATCH_TOO_LARGE, field="batch", commands=count, commands_max=BATCH_MAX)
