"""Payments in memory keep the promises of their port."""

import pytest

from ledgercore.testing import PaymentStoreContract, StoppedClock
from ledgercore_memory import MemoryStore, MemoryWorkStore


class TestMemoryPayments(PaymentStoreContract):
    """In memory."""

    @pytest.fixture
    def bank_store(self, clock: StoppedClock) -> MemoryWorkStore:
        """Everything in memory."""
        return MemoryWorkStore(MemoryStore(clock=clock), clock=clock)
