"""Jobs in PostgreSQL keep the promises of their ports, on the newest and the oldest server."""

import pytest
from sqlalchemy import Engine

from ledgercore.testing import JobStoreContract, StoppedClock
from ledgercore_postgres import PostgresJobQueue, PostgresWorkStore


class InPostgres(JobStoreContract):
    """The jobs of a database."""

    @pytest.fixture
    def jobs(self, database: Engine, clock: StoppedClock) -> PostgresWorkStore:
        """Units of work in the database."""
        return PostgresWorkStore(database, clock=clock)

    @pytest.fixture
    def job_queue(self, database: Engine, clock: StoppedClock) -> PostgresJobQueue:
        """What workers take its jobs from."""
        return PostgresJobQueue(database, clock=clock)


class TestPostgresJobs(InPostgres):
    """Jobs in PostgreSQL, in the server that comes as a wheel."""

    @pytest.fixture
    def database(self, shared_engine: Engine) -> Engine:
        """The shared database."""
        return shared_engine


@pytest.mark.slow
class TestOldestPostgresJobs(InPostgres):
    """The same in the system's PostgreSQL 15."""

    @pytest.fixture
    def database(self, system_engine: Engine) -> Engine:
        """The shared database of the older server."""
        return system_engine
