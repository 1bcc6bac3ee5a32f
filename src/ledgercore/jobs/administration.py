"""Jobs as operators see them: listing, cancelling what waits, trying again what was given up."""

from collections.abc import Sequence
from uuid import UUID

from attrs import evolve, frozen

from ledgercore.clock import Clock
from ledgercore.errors import ConflictError, NotFoundError
from ledgercore.errors.catalog import INVALID_JOB_STATE, JOB_NOT_FOUND
from ledgercore.identity.audit import Actor, AuditEvent
from ledgercore.jobs.jobs import MOVES, Job, JobState
from ledgercore.jobs.ports import JobFilter, QueueCounts, Store, Work
from ledgercore.pages import Page, check_limit, decode_cursor, page_of


@frozen(kw_only=True)
class JobAdministration:
    """What operators and admins do with jobs."""

    store: Store
    clock: Clock

    def get(self, id: UUID) -> Job:
        """A job; raises `job_not_found`."""
        with self.store.begin() as work:
            return _existing(work, id)

    def page(self, wanted: JobFilter | None = None, *, cursor: str | None = None, limit: int = 100) -> Page[Job]:
        """Jobs that fit, newest first; raises `invalid_cursor` and `invalid_argument`."""
        after = None if cursor is None else decode_cursor("jobs", cursor, UUID)[0]
        with self.store.begin() as work:
            found = work.jobs.list_after(wanted or JobFilter(), after=after, limit=check_limit(limit) + 1)
        return page_of(found, limit, "jobs", lambda job: (str(job.id),))

    def counts(self) -> Sequence[QueueCounts]:
        """How many jobs of each queue are waiting, running and dead."""
        with self.store.begin() as work:
            return work.jobs.counts()

    def cancel(self, id: UUID, *, actor: Actor) -> Job:
        """Have a waiting job never begin; raises `job_not_found` and `invalid_job_state`."""
        with self.store.begin() as work:
            job = _existing(work, id)
            job = evolve(job, state=_next_state(job, "cancel"), finished_at=self.clock())
            return _saved(work, job, "job_cancelled", actor)

    def retry(self, id: UUID, *, actor: Actor) -> Job:
        """Let a dead job begin again at once, with all its attempts; what went wrong before stays noted.

        Raises `job_not_found` and `invalid_job_state`.
        """
        with self.store.begin() as work:
            job = _existing(work, id)
            job = evolve(job, state=_next_state(job, "replay"), attempts=0, run_at=self.clock(), finished_at=None)
            return _saved(work, job, "job_replayed", actor)


def _existing(work: Work, id: UUID) -> Job:
    job = work.jobs.find(id)
    if job is None:
        raise NotFoundError(JOB_NOT_FOUND, job_id=id)
    return job


def _next_state(job: Job, move: str) -> JobState:
    state = MOVES.get((job.state, move))
    if state is None:
        raise ConflictError(INVALID_JOB_STATE, job_id=job.id, state=job.state)
    return state


def _saved(work: Work, job: Job, action: str, actor: Actor) -> Job:
    work.jobs.save(job)
    work.audit.append(AuditEvent(action=action, actor=actor, target=f"job:{job.id}", details={"kind": job.kind}))
    return job
