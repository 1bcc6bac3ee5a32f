"""A gathered journal keeps the promises of the port that it stands in for."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from ledgercore.ledger.commands import Settings
from ledgercore.ledger.ports import Journal
from ledgercore.testing import JournalContract, StoppedClock
from ledgercore_gather import GatheredJournal
from ledgercore_memory import MemoryStore


class GatheredStore:
    """Ledgers in memory whose single posts are gathered."""

    def __init__(self, store: MemoryStore, executor: ThreadPoolExecutor) -> None:
        self.store = store
        self.executor = executor

    def create(self, name: str, settings: Settings | None = None) -> Journal:
        """Gather what is posted to a new ledger."""
        return GatheredJournal(self.store.create(name, settings), executor=self.executor)

    def create_empty(self, name: str) -> Journal:
        """For what is restored."""
        return GatheredJournal(self.store.create_empty(name), executor=self.executor)

    def journal(self, name: str) -> Journal:
        """Gather what is posted to a ledger that is there."""
        return GatheredJournal(self.store.journal(name), executor=self.executor)

    def names(self) -> Sequence[str]:
        """As the store has them."""
        return self.store.names()


class TestGatheredJournal(JournalContract):
    """Posting, holding, reversing and reading through a gatherer."""

    @pytest.fixture
    def store(self, clock: StoppedClock, executor: ThreadPoolExecutor) -> GatheredStore:
        """Ledgers in memory."""
        return GatheredStore(MemoryStore(clock=clock), executor)
