"""What jobs need from a store: enqueuing and acknowledging inside units of work, claiming outside of them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from attrs import frozen

from ledgercore.identity.ports import Work as IdentityWork
from ledgercore.jobs.jobs import Claim, Failure, Job, JobState, NewJob

COUNTED: Final = (JobState.WAITING, JobState.RUNNING, JobState.DEAD)
"""The states of jobs that somebody has yet to do something about."""


@frozen(kw_only=True)
class JobFilter:
    """Which jobs to list; every field that is given must fit."""

    queue: str | None = None
    kind: str | None = None
    state: JobState | None = None


@frozen(kw_only=True)
class QueueCounts:
    """How many jobs of a queue are waiting, running and dead, and since when the oldest that may begin has waited.

    Those that are done or cancelled are not counted: they are many, and go.
    """

    queue: str
    states: Mapping[JobState, int]
    oldest_ready_at: datetime | None = None


class Jobs(Protocol):
    """Jobs, in the same commit as what caused them or what they did."""

    def enqueue(self, new: Sequence[NewJob]) -> Sequence[UUID]:
        """Store jobs and give their ids, in order; one that is not unique gives the id of the one there is."""
        ...

    def complete(self, claims: Sequence[Claim]) -> None:
        """Mark claimed jobs as done.

        Raises `job_lease_lost` when one of them is another worker's by now, so that the whole unit of work is undone.
        """
        ...

    def find(self, id: UUID) -> Job | None:
        """A job, locked until the end of the unit of work."""
        ...

    def save(self, job: Job) -> None:
        """Replace a job."""
        ...

    def last_of(self, kind: str, unique_keys: Sequence[str]) -> Mapping[str, Job]:
        """The job of a kind that was enqueued last under each key, not locked; none for a key without one."""
        ...

    def list_after(self, wanted: JobFilter, *, after: UUID | None, limit: int) -> Sequence[Job]:
        """At most `limit` jobs that fit, newest first, after an id."""
        ...

    def counts(self) -> Sequence[QueueCounts]:
        """How many jobs each queue has, by name; queues that have none are left out."""
        ...

    def prune(self, *, finished_before: datetime, limit: int) -> int:
        """Remove at most `limit` jobs that were done or cancelled before a time; returns how many."""
        ...


class JobQueue(Protocol):
    """What workers take jobs from; every call is a commit of its own."""

    def claim(self, queue: str, *, kinds: Sequence[str], limit: int, lease: timedelta) -> Sequence[Claim]:
        """Take jobs that may begin, by priority and then by age; nobody else gets them while the lease lasts.

        Those whose lease has lapsed are taken back first, as `ledgercore.jobs.leases.taken_back` decides: given up
        as `job_abandoned` when their attempts are used up, else ready again. One that was abandoned is given out
        alone, so that what ends its worker ends no other job's attempt.
        """
        ...

    def extend(self, claims: Sequence[Claim], *, lease: timedelta) -> Sequence[Claim]:
        """Keep jobs longer; gives those that are kept.

        Not kept are those that are another worker's by now, and those that are just being completed.
        """
        ...

    def fail(self, claim: Claim, failure: Failure, *, retry_at: datetime | None) -> None:
        """Note a failed attempt: to be tried again at a time, or dead. Nothing happens when the lease was lost."""
        ...

    def release(self, claims: Sequence[Claim]) -> None:
        """Give back jobs whose attempt has not begun; it does not count."""
        ...


class Work(IdentityWork, Protocol):
    """A unit of work with jobs."""

    @property
    def jobs(self) -> Jobs: ...


class Store(Protocol):
    """Where jobs are kept with everything else."""

    def begin(self) -> AbstractContextManager[Work]:
        """A unit of work: committed at the end of the block, undone by an exception."""
        ...
