"""What the suites for jobs share: a store, what workers take jobs from, and queues that were never used before."""

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from ledgercore.jobs.jobs import Claim, Failure, Job, NewJob
from ledgercore.jobs.ports import JobFilter, JobQueue, Store
from ledgercore.testing.ledgers import MONDAY, StoppedClock

LEASE: Final = timedelta(seconds=30)
KIND: Final = "count_sheep"

_numbers: Final = itertools.count(1)


class JobContract:
    """The fixtures; subclasses override `jobs` and `job_queue`, and `clock` if they like."""

    @pytest.fixture
    def clock(self) -> StoppedClock:
        """The time that the store and the tests go by."""
        return StoppedClock(MONDAY)

    @pytest.fixture
    def jobs(self) -> Store:
        """Where jobs are kept; every adapter says for itself."""
        raise NotImplementedError("override the fixture `jobs`")

    @pytest.fixture
    def job_queue(self) -> JobQueue:
        """What workers take the jobs of `jobs` from; every adapter says for itself."""
        raise NotImplementedError("override the fixture `job_queue`")

    @pytest.fixture
    def queue(self) -> str:
        """The name of a queue that nobody used before."""
        return f"queue-{next(_numbers)}"


def enqueued(jobs: Store, *new: NewJob) -> Sequence[Job]:
    """Enqueue jobs in a unit of work of their own; gives them as they are kept."""
    with jobs.begin() as work:
        ids = work.jobs.enqueue(new)
    with jobs.begin() as work:
        return [job for id in ids if (job := work.jobs.find(id)) is not None]


def sheep(queue: str, **fields: Any) -> NewJob:
    """A job to enqueue."""
    return NewJob(kind=KIND, queue=queue, **fields)


def claimed(job_queue: JobQueue, queue: str, *, limit: int = 100) -> Sequence[Claim]:
    """Claim what may begin."""
    return job_queue.claim(queue, kinds=[KIND], limit=limit, lease=LEASE)


def kept(jobs: Store, queue: str) -> Sequence[Job]:
    """All jobs of a queue, oldest first."""
    with jobs.begin() as work:
        return work.jobs.list_after(JobFilter(queue=queue), after=None, limit=1000)[::-1]


def failure(claim: Claim, at: datetime = MONDAY) -> Failure:
    """What went wrong in an attempt."""
    return Failure(
        attempt=claim.attempt, at=at, reason="timeout", details={"after_ms": 500, "names": ["a\u0000", None]}
    )
