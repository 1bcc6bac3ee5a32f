"""Statements in memory keep the promises of their ports."""

import pytest

from ledgercore.testing import StatementStoreContract, StoppedClock
from ledgercore_memory import MemoryStore, MemoryWorkStore


class TestMemoryStatements(StatementStoreContract):
    """Statements and matches in memory."""

    @pytest.fixture
    def store(self, clock: StoppedClock) -> MemoryStore:
        """Ledgers in memory."""
        return MemoryStore(clock=clock)

    @pytest.fixture
    def statements(self, store: MemoryStore, clock: StoppedClock) -> MemoryWorkStore:
        """Statements beside them."""
        return MemoryWorkStore(store, clock=clock)
