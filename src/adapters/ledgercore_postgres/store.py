"""Ledgers in one PostgreSQL database."""

import os
import time
from collections.abc import Sequence

from sqlalchemy import Connection, Engine, text

from ledgercore.clock import Clock
from ledgercore.errors import ConflictError, NotFoundError
from ledgercore.errors.catalog import LEDGER_ALREADY_EXISTS, LEDGER_NOT_FOUND
from ledgercore.ledger.commands import ChangeSettings, Settings
from ledgercore.ledger.log.chain import GENESIS
from ledgercore.ledger.names import check_ledger_name
from ledgercore.ledger.rules.account_rules import settings_body
from ledgercore.ledger.texts import encode_json
from ledgercore_postgres.database import borrowed, check_server, teach_arrays
from ledgercore_postgres.driver_errors import translated_errors
from ledgercore_postgres.journal import JoinedJournal, PostgresJournal, RandomBytes, Sleep, check_joinable
from ledgercore_postgres.migration import check_schema


class PostgresStore:
    """Keeps the promises of the `LedgerStore` port; `join` works inside the caller's transaction.

    `connect` makes the engine that suits it best; any other on psycopg 3 works too.
    """

    def __init__(
        self, engine: Engine, *, clock: Clock, sleep: Sleep = time.sleep, random_bytes: RandomBytes = os.urandom
    ) -> None:
        self.engine = engine
        self._clock = clock
        self._sleep = sleep
        self._random_bytes = random_bytes
        teach_arrays(engine)

    def check(self) -> None:
        """Raise unless the server is durable and its schema is this version's."""
        with borrowed(self.engine) as connection, translated_errors():
            check_server(connection)
            check_schema(connection)

    def create(self, name: str, settings: Settings | None = None) -> PostgresJournal:
        """See the port. Whoever sees the ledger sees its settings too."""
        with borrowed(self.engine) as connection, translated_errors():
            created = self._create(connection, name, settings)
        return self._journal(created.ledger_id, name)

    def create_in(self, connection: Connection, name: str, settings: Settings | None = None) -> JoinedJournal:
        """Start a ledger inside the caller's open transaction; see `join` and the port."""
        with translated_errors():
            check_joinable(connection)
            return self._create(connection, name, settings)

    def create_empty(self, name: str) -> PostgresJournal:
        """A ledger that has recorded nothing yet, into which an export may be restored."""
        with borrowed(self.engine) as connection, translated_errors():
            ledger_id = self._insert(connection, name)
        return self._journal(ledger_id, name)

    def journal(self, name: str) -> PostgresJournal:
        """See the port."""
        with borrowed(self.engine) as connection, translated_errors():
            return self._journal(_ledger_id(connection, name), name)

    def join(self, connection: Connection, name: str) -> JoinedJournal:
        """A ledger inside the caller's open transaction.

        Raises `isolation_unsupported` above READ COMMITTED and in autocommit mode, and `ledger_not_found`.
        """
        with translated_errors():
            check_joinable(connection)
            return self._joined(connection, _ledger_id(connection, name), name)

    def names(self) -> Sequence[str]:
        """See the port."""
        with borrowed(self.engine) as connection, translated_errors():
            return list(connection.execute(text("SELECT name FROM ledgers ORDER BY name")).scalars())

    def close(self) -> None:
        """Close the pool's connections."""
        self.engine.dispose()

    def _create(self, connection: Connection, name: str, settings: Settings | None) -> JoinedJournal:
        journal = self._joined(connection, self._insert(connection, name), name)
        journal.append([ChangeSettings(settings=settings or Settings())])
        return journal

    def _insert(self, connection: Connection, name: str) -> int:
        check_ledger_name(name)
        ledger_id = connection.execute(
            text(
                "INSERT INTO ledgers (name, created_at) VALUES (:name, :now)"
                " ON CONFLICT (name) DO NOTHING RETURNING ledger_id"
            ),
            {"name": name, "now": self._clock()},
        ).scalar_one_or_none()
        if ledger_id is None:
            raise ConflictError(LEDGER_ALREADY_EXISTS, ledger=name)
        connection.execute(
            text(
                "INSERT INTO heads (ledger_id, number, batch, head, accounts_count, settings)"
                " VALUES (:ledger, 0, 0, :head, 0, CAST(:settings AS json))"
            ),
            {
                "ledger": ledger_id,
                "head": GENESIS,
                "settings": encode_json(settings_body(Settings())).decode(),
            },
        )
        return int(ledger_id)

    def _journal(self, ledger_id: int, name: str) -> PostgresJournal:
        return PostgresJournal(
            self.engine,
            ledger_id=ledger_id,
            name=name,
            clock=self._clock,
            sleep=self._sleep,
            random_bytes=self._random_bytes,
        )

    def _joined(self, connection: Connection, ledger_id: int, name: str) -> JoinedJournal:
        return JoinedJournal(
            connection,
            ledger_id=ledger_id,
            name=name,
            clock=self._clock,
            sleep=self._sleep,
            random_bytes=self._random_bytes,
        )


def _ledger_id(connection: Connection, name: str) -> int:
    found = connection.execute(
        text("SELECT ledger_id FROM ledgers WHERE name = :name"), {"name": check_ledger_name(name)}
    ).scalar_one_or_none()
    if found is None:
        raise NotFoundError(LEDGER_NOT_FOUND, ledger=name)
    return int(found)
