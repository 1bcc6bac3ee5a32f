"""What workers take jobs from, in memory."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import evolve

from ledgercore.jobs.jobs import Claim, Failure, JobState
from ledgercore.jobs.leases import given_together, taken_back
from ledgercore_memory.work import MemoryWorkStore


class MemoryJobQueue:
    """See the port `JobQueue`."""

    def __init__(self, store: MemoryWorkStore) -> None:
        self._store = store

    def claim(self, queue: str, *, kinds: Sequence[str], limit: int, lease: timedelta) -> Sequence[Claim]:
        """See the port."""
        with self._store.begin() as work:
            now = work.jobs.clock()
            mine = [job for job in work.jobs.every() if job.queue == queue]
            for job in mine:
                if job.leased_until is not None and job.leased_until <= now:
                    work.jobs.save(taken_back(job, now=now))
            ready = sorted(
                (
                    job
                    for job in work.jobs.every()
                    if (job.queue, job.state) == (queue, JobState.WAITING) and job.kind in kinds and job.run_at <= now
                ),
                key=lambda job: (job.priority, job.run_at, job.id),
            )
            taken = [
                evolve(job, state=JobState.RUNNING, attempts=job.attempts + 1, leased_until=now + lease)
                for job in given_together(ready[:limit])
            ]
            for job in taken:
                work.jobs.save(job)
            return [Claim(job=job) for job in taken]

    def extend(self, claims: Sequence[Claim], *, lease: timedelta) -> Sequence[Claim]:
        """See the port."""
        with self._store.begin() as work:
            leased_until = work.jobs.clock() + lease
            kept = [
                evolve(job, leased_until=leased_until) for claim in claims if (job := work.jobs.find_claimed(claim))
            ]
            for job in kept:
                work.jobs.save(job)
            return [Claim(job=job) for job in kept]

    def fail(self, claim: Claim, failure: Failure, *, retry_at: datetime | None) -> None:
        """See the port."""
        with self._store.begin() as work:
            job = work.jobs.find_claimed(claim)
            if job is None:
                return
            failed = evolve(job, leased_until=None, failures=(*job.failures, failure))
            if retry_at is None:
                work.jobs.save(evolve(failed, state=JobState.DEAD, finished_at=work.jobs.clock()))
            else:
                work.jobs.save(evolve(failed, state=JobState.WAITING, run_at=retry_at))

    def release(self, claims: Sequence[Claim]) -> None:
        """See the port."""
        with self._store.begin() as work:
            for claim in claims:
                job = work.jobs.find_claimed(claim)
                if job is not None:
                    given_back = evolve(job, state=JobState.WAITING, leased_until=None, attempts=job.attempts - 1)
                    work.jobs.save(given_back)
