"""Banking in PostgreSQL keeps the promises of its ports, on the newest and the oldest server."""

import pytest
from sqlalchemy import Engine

from ledgercore.testing import BankStoreContract, StoppedClock
from ledgercore_postgres import PostgresWorkStore


class TestPostgresBanking(BankStoreContract):
    """In the server that comes as a wheel."""

    @pytest.fixture
    def bank_store(self, shared_engine: Engine, clock: StoppedClock) -> PostgresWorkStore:
        """Everything in the shared database."""
        return PostgresWorkStore(shared_engine, clock=clock)


@pytest.mark.slow
class TestOldestPostgresBanking(BankStoreContract):
    """In the oldest version that is supported."""

    @pytest.fixture
    def bank_store(self, system_engine: Engine, clock: StoppedClock) -> PostgresWorkStore:
        """Everything in the shared database of the older server."""
        return PostgresWorkStore(system_engine, clock=clock)
