"""Identity and rate limits in PostgreSQL keep the promises of their ports, on the newest and the oldest server."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from ledgercore.testing import IdentityStoreContract, RateLimiterContract, StoppedClock
from ledgercore_postgres import PostgresRateLimiter, PostgresStore, PostgresWorkStore


class OnEmbeddedServer:
    """Where this is kept: in the server that comes as a wheel."""

    @pytest.fixture
    def database(self, shared_engine: Engine) -> Engine:
        """The shared database."""
        return shared_engine


class OnSystemServer:
    """Where this is kept: in the system's PostgreSQL 15."""

    @pytest.fixture
    def database(self, system_engine: Engine) -> Engine:
        """The shared database of the older server."""
        return system_engine


class InPostgres(IdentityStoreContract):
    """The stores of a database."""

    @pytest.fixture
    def store(self, database: Engine, clock: StoppedClock) -> PostgresStore:
        """Its ledgers."""
        return PostgresStore(database, clock=clock)

    @pytest.fixture
    def identity(self, database: Engine, clock: StoppedClock) -> PostgresWorkStore:
        """Identity beside them."""
        return PostgresWorkStore(database, clock=clock)


class LimitsInPostgres(RateLimiterContract):
    """The rate limits of a database, by its own clock."""

    @pytest.fixture
    def limiter(self, database: Engine) -> PostgresRateLimiter:
        """Accounts in the database."""
        return PostgresRateLimiter(database)

    @pytest.fixture
    def elapse(self, database: Engine) -> Callable[[timedelta], None]:
        """Put what was judged before so far back, since the server's clock cannot be moved."""

        def put_back(delta: timedelta) -> None:
            with database.begin() as connection:
                connection.execute(text("UPDATE rate_limits SET even_at = even_at - :delta"), {"delta": delta})

        return put_back


class TestPostgresWorkStore(OnEmbeddedServer, InPostgres):
    """Users, sessions, keys, members, the audit log and answers in PostgreSQL."""


class TestPostgresRateLimiter(OnEmbeddedServer, LimitsInPostgres):
    """Rate limits in PostgreSQL."""


@pytest.mark.slow
class TestOldestPostgresWorkStore(OnSystemServer, InPostgres):
    """The same on the oldest version that is supported."""


@pytest.mark.slow
class TestOldestPostgresRateLimiter(OnSystemServer, LimitsInPostgres):
    """The same on the oldest version that is supported."""
