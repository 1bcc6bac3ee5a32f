"""Events in PostgreSQL keep the promises of their ports, on the newest and the oldest server."""

import pytest
from sqlalchemy import Engine

from ledgercore.testing.events import EventStoreContract
from ledgercore.testing.ledgers import StoppedClock
from ledgercore_postgres import PostgresStore, PostgresWorkStore


class InPostgres(EventStoreContract):
    """The stores of a database."""

    @pytest.fixture
    def store(self, database: Engine, clock: StoppedClock) -> PostgresStore:
        """Its ledgers."""
        return PostgresStore(database, clock=clock)

    @pytest.fixture
    def events(self, database: Engine, clock: StoppedClock) -> PostgresWorkStore:
        """Events beside them."""
        return PostgresWorkStore(database, clock=clock)


class TestPostgresEvents(InPostgres):
    """Events, webhooks and deliveries in PostgreSQL."""

    @pytest.fixture
    def database(self, shared_engine: Engine) -> Engine:
        """In the server that comes as a wheel."""
        return shared_engine


@pytest.mark.slow
class TestOldestPostgresEvents(InPostgres):
    """The same on the oldest version that is supported."""

    @pytest.fixture
    def database(self, system_engine: Engine) -> Engine:
        """In the system's PostgreSQL 15."""
        return system_engine
