"""Units of work in the database that the ledgers are in, and how subjects stand."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine

from ledgercore.clock import Clock
from ledgercore.errors import InternalError
from ledgercore.errors.catalog import DATABASE_ERROR
from ledgercore.identity.principals import Standing, Subject
from ledgercore.ids import TimeOrderedIds
from ledgercore.ledger.commands import Settings
from ledgercore_postgres.banking.accounts import PostgresBankAccounts
from ledgercore_postgres.banking.banks import PostgresBanks
from ledgercore_postgres.banking.logins import PostgresBankLogins
from ledgercore_postgres.banking.rows import PostgresBankRows, PostgresFindings
from ledgercore_postgres.database import borrowed, borrowed_alone, driver_connection, driver_cursor, teach_arrays
from ledgercore_postgres.driver_errors import translated_commit, translated_errors
from ledgercore_postgres.events.outbox import PostgresEvents
from ledgercore_postgres.events.webhooks import PostgresWebhooks
from ledgercore_postgres.identity.answers import PostgresAnswers
from ledgercore_postgres.identity.audit import PostgresAuditLog
from ledgercore_postgres.identity.members import PostgresMembers
from ledgercore_postgres.identity.service_tokens import PostgresServiceTokens, touch
from ledgercore_postgres.identity.sessions import PostgresSessions
from ledgercore_postgres.identity.standings import read_standings
from ledgercore_postgres.identity.users import PostgresUsers
from ledgercore_postgres.jobs.jobs import PostgresJobs
from ledgercore_postgres.journal import JoinedJournal, RandomBytes
from ledgercore_postgres.payments.payments import PostgresPayments
from ledgercore_postgres.statements.statements import PostgresStatements
from ledgercore_postgres.store import PostgresStore


class PostgresLedgers:
    """See the port `Ledgers`."""

    def __init__(self, connection: Connection, store: PostgresStore) -> None:
        self._connection = connection
        self._store = store
        self._joined: dict[str, JoinedJournal] = {}

    def create(self, name: str, settings: Settings | None = None) -> JoinedJournal:
        """See the port."""
        return self._store.create_in(self._connection, name, settings)

    def journal(self, name: str) -> JoinedJournal:
        """See the port. A unit of work looks a ledger up once."""
        if name not in self._joined:
            self._joined[name] = self._store.join(self._connection, name)
        return self._joined[name]


class PostgresWork:
    """See the port `Work`: everything on one connection, in one transaction."""

    def __init__(self, connection: Connection, *, store: PostgresStore, clock: Clock, ids: TimeOrderedIds) -> None:
        self.users = PostgresUsers(connection)
        self.sessions = PostgresSessions(connection)
        self.tokens = PostgresServiceTokens(connection)
        self.members = PostgresMembers(connection)
        self.audit = PostgresAuditLog(connection, clock=clock, ids=ids)
        self.answers = PostgresAnswers(connection)
        self.ledgers = PostgresLedgers(connection, store)
        self.statements = PostgresStatements(connection, clock=clock, ids=ids)
        self.jobs = PostgresJobs(connection, clock=clock, ids=ids)
        self.banks = PostgresBanks(connection)
        self.bank_logins = PostgresBankLogins(connection)
        self.accounts = PostgresBankAccounts(connection)
        self.bank_rows = PostgresBankRows(connection)
        self.findings = PostgresFindings(connection)
        self.payments = PostgresPayments(connection)
        self.events = PostgresEvents(connection, clock=clock, ids=ids)
        self.webhooks = PostgresWebhooks(connection)


class PostgresWorkStore:
    """Keeps the promises of the `IdentityStore` port and of those above it, on connections of its own."""

    def __init__(self, engine: Engine, *, clock: Clock, random_bytes: RandomBytes = os.urandom) -> None:
        self._engine = engine
        self._clock = clock
        self._ids = TimeOrderedIds(random_bytes)
        self._ledgers = PostgresStore(engine, clock=clock, random_bytes=random_bytes)
        teach_arrays(engine)

    @contextmanager
    def begin(self) -> Iterator[PostgresWork]:
        """See the port. Raises `too_much_contention` when the database had to end a circle of waiting."""
        with borrowed(self._engine) as connection, translated_errors():
            # Above it, nobody would see what those did for whom they have waited.
            connection.execution_options(isolation_level="READ COMMITTED")
            yield PostgresWork(connection, store=self._ledgers, clock=self._clock, ids=self._ids)
            _check_sound(connection)
            with translated_commit():
                connection.commit()

    def standings(self, subjects: Sequence[Subject]) -> Sequence[Standing]:
        """See the port. One statement, however many are asked for."""
        with borrowed_alone(self._engine) as connection:
            return read_standings(driver_cursor(connection), subjects)

    def touch_tokens(self, used: Sequence[tuple[UUID, datetime]]) -> None:
        """See the port."""
        with borrowed(self._engine) as connection, translated_errors():
            touch(connection, used)


def _check_sound(connection: Connection) -> None:
    """Raise when an error of the database was passed over: the server would undo all, and call it a commit."""
    if driver_connection(connection).info.transaction_status is TransactionStatus.INERROR:
        raise InternalError(DATABASE_ERROR, why="the unit of work went on after an error that had ended it")
