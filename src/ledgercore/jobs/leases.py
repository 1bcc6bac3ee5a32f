"""Jobs that workers left behind: when they may begin again, and how one that ends its workers is kept from the rest."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zlib import crc32

from attrs import evolve

from ledgercore.errors.catalog import JOB_ABANDONED
from ledgercore.jobs.jobs import ATTEMPTS_MAX, Failure, Job, JobState


def taken_back(job: Job, *, now: datetime) -> Job:
    """A running job whose lease has lapsed, as it goes on: waiting again, or dead when its attempts are used up.

    It may begin at once the first time. Later it waits some seconds, each job others, so that one that ends its
    workers does not meet the same innocent ones again and again.
    """
    abandoned = Failure(attempt=job.attempts, at=now, reason=JOB_ABANDONED.code)
    job = evolve(job, leased_until=None, failures=(*job.failures, abandoned))
    if job.attempts >= ATTEMPTS_MAX:
        return evolve(job, state=JobState.DEAD, finished_at=now)
    waits = timedelta(milliseconds=crc32(job.id.bytes) % (500 * 2**job.attempts))
    run_at = job.run_at if job.attempts == 1 else now + waits
    return evolve(job, state=JobState.WAITING, run_at=run_at)


def is_suspect(job: Job) -> bool:
    """Whether a worker ended in the middle of its last attempt."""
    return bool(job.failures) and job.failures[-1].reason == JOB_ABANDONED.code


def given_together(ready: Sequence[Job]) -> Sequence[Job]:
    """Those of the ready jobs, first ones first, that one worker gets at once: a suspect only by itself."""
    if ready and is_suspect(ready[0]):
        return ready[:1]
    return [job for job in ready if not is_suspect(job)]
