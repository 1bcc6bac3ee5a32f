"""Banking in memory keeps the promises of its ports."""

import pytest

from ledgercore.testing import BankStoreContract, StoppedClock
from ledgercore_memory import MemoryStore, MemoryWorkStore


class TestMemoryBanking(BankStoreContract):
    """In memory."""

    @pytest.fixture
    def bank_store(self, clock: StoppedClock) -> MemoryWorkStore:
        """Everything in memory."""
        return MemoryWorkStore(MemoryStore(clock=clock), clock=clock)
