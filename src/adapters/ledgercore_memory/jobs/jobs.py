"""Jobs in a unit of work in memory."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from attrs import evolve

from ledgercore.clock import Clock
from ledgercore.errors import ConflictError
from ledgercore.errors.catalog import JOB_LEASE_LOST
from ledgercore.ids import TimeOrderedIds
from ledgercore.jobs.jobs import Claim, Job, JobState, NewJob
from ledgercore.jobs.ports import COUNTED, JobFilter, QueueCounts
from ledgercore_memory.jobs.state import State


class MemoryJobs:
    """See the port `Jobs`."""

    def __init__(self, state: State, *, clock: Clock, ids: TimeOrderedIds) -> None:
        self._state = state
        self.clock = clock
        self._ids = ids

    def enqueue(self, new: Sequence[NewJob]) -> Sequence[UUID]:
        """See the port."""
        now = self.clock()
        draw = self._ids.batch(now)
        return [self._enqueue_one(each, UUID(bytes=draw()), now) for each in new]

    def complete(self, claims: Sequence[Claim]) -> None:
        """See the port."""
        now = self.clock()
        for claim in claims:
            job = self.find_claimed(claim)
            if job is None:
                raise ConflictError(JOB_LEASE_LOST, job_id=claim.job.id, attempt=claim.attempt)
            self.save(evolve(job, state=JobState.DONE, leased_until=None, finished_at=now))

    def find(self, id: UUID) -> Job | None:
        """See the port."""
        return self._state.jobs.get(id)

    def save(self, job: Job) -> None:
        """See the port."""
        self._state.jobs[job.id] = job

    def last_of(self, kind: str, unique_keys: Sequence[str]) -> Mapping[str, Job]:
        """See the port."""
        alike = (job for job in self.every() if job.kind == kind and job.unique_key in unique_keys)
        return {str(job.unique_key): job for job in sorted(alike, key=lambda job: (job.enqueued_at, job.id))}

    def list_after(self, wanted: JobFilter, *, after: UUID | None, limit: int) -> Sequence[Job]:
        """See the port."""
        found = [
            job
            for id, job in sorted(self._state.jobs.items(), reverse=True)
            if wanted.queue in (None, job.queue)
            and wanted.kind in (None, job.kind)
            and wanted.state in (None, job.state)
            and (after is None or id < after)
        ]
        return found[:limit]

    def counts(self) -> Sequence[QueueCounts]:
        """See the port."""
        now = self.clock()
        counted = [job for job in self._state.jobs.values() if job.state in COUNTED]
        return [
            QueueCounts(
                queue=queue,
                states=Counter(job.state for job in counted if job.queue == queue),
                oldest_ready_at=min(
                    (
                        job.run_at
                        for job in counted
                        if job.queue == queue and job.state is JobState.WAITING and job.run_at <= now
                    ),
                    default=None,
                ),
            )
            for queue in sorted({job.queue for job in counted})
        ]

    def prune(self, *, finished_before: datetime, limit: int) -> int:
        """See the port."""
        old = [
            job.id
            for job in self.every()
            if job.state in (JobState.DONE, JobState.CANCELLED)
            and job.finished_at is not None
            and job.finished_at < finished_before
        ]
        for id in old[:limit]:
            del self._state.jobs[id]
        return len(old[:limit])

    def every(self) -> Sequence[Job]:
        """All jobs that are kept."""
        return list(self._state.jobs.values())

    def find_claimed(self, claim: Claim) -> Job | None:
        """The job of a claim, unless another worker has it by now."""
        job = self.find(claim.job.id)
        fits = job is not None and job.state is JobState.RUNNING and job.attempts == claim.attempt
        return job if fits else None

    def _enqueue_one(self, new: NewJob, id: UUID, now: datetime) -> UUID:
        known = self._twin(new, now)
        if known is not None:
            return known
        self._state.jobs[id] = Job(
            id=id,
            kind=new.kind,
            # What a handler gets shares nothing with what was enqueued, and is what JSON makes of it.
            arguments=json.loads(json.dumps(dict(new.arguments), allow_nan=False)),
            queue=new.queue,
            priority=new.priority,
            state=JobState.WAITING,
            run_at=now if new.run_at is None else new.run_at,
            attempts=0,
            enqueued_at=now,
            unique_key=new.unique_key,
            correlation_id=new.correlation_id,
        )
        return id

    def _twin(self, new: NewJob, now: datetime) -> UUID | None:
        if new.unique_key is None:
            return None
        twins = [
            job.id
            for job in self._state.jobs.values()
            if (job.kind, job.unique_key) == (new.kind, new.unique_key)
            and job.state not in (JobState.CANCELLED, JobState.DEAD)
            and (new.unique_for is None or job.enqueued_at > now - new.unique_for)
        ]
        return max(twins, default=None)
