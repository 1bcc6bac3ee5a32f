"""The PostgreSQL adapter keeps the promises of its ports, on the newest and on the oldest server."""

import pytest
from sqlalchemy import Engine

from ledgercore.testing import JournalContract, LedgerStoreContract, StoppedClock
from ledgercore_postgres import PostgresStore


class OnEmbeddedServer:
    """Where these ledgers are kept: in the server that comes as a wheel."""

    @pytest.fixture
    def store(self, shared_engine: Engine, clock: StoppedClock) -> PostgresStore:
        """Ledgers in the shared database."""
        return PostgresStore(shared_engine, clock=clock)


class OnSystemServer:
    """Where these ledgers are kept: in the system's PostgreSQL 15."""

    @pytest.fixture
    def store(self, system_engine: Engine, clock: StoppedClock) -> PostgresStore:
        """Ledgers in the shared database of the older server."""
        return PostgresStore(system_engine, clock=clock)


class TestPostgresJournal(OnEmbeddedServer, JournalContract):
    """Posting, holding, reversing and reading in PostgreSQL."""


class TestPostgresStore(OnEmbeddedServer, LedgerStoreContract):
    """Ledgers by name in PostgreSQL."""


@pytest.mark.slow
class TestOldestPostgresJournal(OnSystemServer, JournalContract):
    """The same on the oldest version that is supported."""


@pytest.mark.slow
class TestOldestPostgresStore(OnSystemServer, LedgerStoreContract):
    """The same on the oldest version that is supported."""
