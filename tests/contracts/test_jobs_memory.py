"""Jobs in memory keep the promises of their ports."""

import pytest

from ledgercore.testing import JobStoreContract, StoppedClock
from ledgercore_memory import MemoryJobQueue, MemoryStore, MemoryWorkStore


class TestMemoryJobs(JobStoreContract):
    """Jobs in memory."""

    @pytest.fixture
    def jobs(self, clock: StoppedClock) -> MemoryWorkStore:
        """Units of work in memory."""
        return MemoryWorkStore(MemoryStore(clock=clock), clock=clock)

    @pytest.fixture
    def job_queue(self, jobs: MemoryWorkStore) -> MemoryJobQueue:
        """What workers take their jobs from."""
        return MemoryJobQueue(jobs)
