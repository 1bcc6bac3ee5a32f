"""Statements in PostgreSQL keep the promises of their ports, on the newest and the oldest server."""

import pytest
from sqlalchemy import Engine

from ledgercore.testing import StatementStoreContract, StoppedClock
from ledgercore_postgres import PostgresStore, PostgresWorkStore


class InPostgres(StatementStoreContract):
    """The stores of a database."""

    @pytest.fixture
    def store(self, database: Engine, clock: StoppedClock) -> PostgresStore:
        """Its ledgers."""
        return PostgresStore(database, clock=clock)

    @pytest.fixture
    def statements(self, database: Engine, clock: StoppedClock) -> PostgresWorkStore:
        """Statements beside them."""
        return PostgresWorkStore(database, clock=clock)


class TestPostgresStatements(InPostgres):
    """Statements and matches in PostgreSQL."""

    @pytest.fixture
    def database(self, shared_engine: Engine) -> Engine:
        """In the server that comes as a wheel."""
        return shared_engine


@pytest.mark.slow
class TestOldestPostgresStatements(InPostgres):
    """The same on the oldest version that is supported."""

    @pytest.fixture
    def database(self, system_engine: Engine) -> Engine:
        """In the system's server."""
        return system_engine
