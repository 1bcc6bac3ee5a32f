"""Payments in PostgreSQL keep the promises of their port, on the newest and the oldest server."""

import pytest
from sqlalchemy import Engine

from ledgercore.testing import PaymentStoreContract, StoppedClock
from ledgercore_postgres import PostgresWorkStore


class TestPostgresPayments(PaymentStoreContract):
    """In the server that comes as a wheel."""

    @pytest.fixture
    def bank_store(self, shared_engine: Engine, clock: StoppedClock) -> PostgresWorkStore:
        """Everything in the shared database."""
        return PostgresWorkStore(shared_engine, clock=clock)


@pytest.mark.slow
class TestOldestPostgresPayments(PaymentStoreContract):
    """In the oldest version that is supported."""

    @pytest.fixture
    def bank_store(self, system_engine: Engine, clock: StoppedClock) -> PostgresWorkStore:
        """Everything in the shared database of the older server."""
        return PostgresWorkStore(system_engine, clock=clock)
