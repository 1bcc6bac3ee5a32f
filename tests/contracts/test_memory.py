"""The memory adapter keeps the promises of its ports."""

import pytest

from ledgercore.testing import JournalContract, LedgerStoreContract, StoppedClock
from ledgercore_memory import MemoryStore


class InMemory:
    """Where these ledgers are kept."""

    @pytest.fixture
    def store(self, clock: StoppedClock) -> MemoryStore:
        """Ledgers in memory."""
        return MemoryStore(clock=clock)


class TestMemoryJournal(InMemory, JournalContract):
    """Posting, holding, reversing and reading in memory."""


class TestMemoryStore(InMemory, LedgerStoreContract):
    """Ledgers by name in memory."""
