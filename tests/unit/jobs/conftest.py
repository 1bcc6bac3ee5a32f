"""Jobs in memory, and a runner that does them without threads."""

import pytest

from ledgercore.jobs.administration import JobAdministration
from ledgercore.jobs.handlers import Handler
from ledgercore.jobs.running import Runner
from ledgercore_memory import MemoryJobQueue, MemoryStore, MemoryWorkStore


@pytest.fixture
def jobs(memory_store: MemoryStore, clock) -> MemoryWorkStore:
    """Units of work in memory."""
    return MemoryWorkStore(memory_store, clock=clock)


@pytest.fixture
def runner(jobs: MemoryWorkStore, clock):
    """Makes a runner of some handlers; by chance nothing is waited for longer."""

    def make(*handlers: Handler) -> Runner:
        queue = MemoryJobQueue(jobs)
        return Runner(store=jobs, queue=queue, handlers=handlers, clock=clock, random=lambda: 0.0)

    return make


@pytest.fixture
def administration(jobs: MemoryWorkStore, clock) -> JobAdministration:
    """What operators do with them."""
    return JobAdministration(store=jobs, clock=clock)
