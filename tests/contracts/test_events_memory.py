"""Events in memory keep the promises of their ports."""

import pytest

from ledgercore.testing.events import EventStoreContract
from ledgercore.testing.ledgers import StoppedClock
from ledgercore_memory import MemoryStore, MemoryWorkStore


class TestMemoryEvents(EventStoreContract):
    """Events, webhooks and deliveries in memory."""

    @pytest.fixture
    def store(self, clock: StoppedClock) -> MemoryStore:
        """Ledgers in memory."""
        return MemoryStore(clock=clock)

    @pytest.fixture
    def events(self, store: MemoryStore, clock: StoppedClock) -> MemoryWorkStore:
        """Events beside them."""
        return MemoryWorkStore(store, clock=clock)
