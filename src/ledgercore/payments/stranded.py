"""Payments left to the workers whose job nobody will do any more: they fail, rather than wait for ever."""

from collections.abc import Sequence
from typing import Final

from attrs import frozen

from ledgercore.clock import Clock
from ledgercore.errors.catalog import JOB_ABANDONED, JOB_CANCELLED, find_reason
from ledgercore.errors.reason import Reason
from ledgercore.identity.audit import Actor
from ledgercore.jobs.jobs import Claim, Job, JobState, NewJob
from ledgercore.jobs.schedules import Schedule
from ledgercore.payments.payments import Payment, PaymentStatus
from ledgercore.payments.ports import Store, Work
from ledgercore.payments.processing import JOB_KIND
from ledgercore.payments.records import tell

STRANDED_KIND: Final = "fail_stranded_payments"
BATCH: Final = 100
SCHEDULES: Final = (Schedule("* * * * *", NewJob(kind=STRANDED_KIND, priority=3)),)
"""Each minute; until then an operator may still replay a dead job."""


@frozen(kw_only=True)
class StrandedPayments:
    """Looks for them."""

    store: Store
    clock: Clock

    def run(self, claim: Claim) -> None:
        """Carry out a job `fail_stranded_payments`: it may be done again without harm."""
        after = None
        while True:
            with self.store.begin() as work:
                found = work.payments.list_processing(after=after, limit=BATCH)
                self.fail_in(work, found)
            if len(found) < BATCH:
                break
            after = found[-1].id
        with self.store.begin() as work:
            work.jobs.complete([claim])

    def fail_in(self, work: Work, processing: Sequence[Payment]) -> None:
        """Make those FAILED whose job is dead or cancelled, for the reason for which it is."""
        jobs = work.jobs.last_of(JOB_KIND, [payment.key for payment in processing])
        stranded = {payment.id: job for payment in processing if _is_over(job := jobs.get(payment.key))}
        # Whoever held one meanwhile may have carried it out.
        locked = [each for each in work.payments.lock(sorted(stranded)) if each.status is PaymentStatus.PROCESSING]
        if not locked:
            return
        now = self.clock()
        failed = [payment.failed(_reason(stranded[payment.id]), now=now) for payment in locked]
        work.payments.save_all(failed)
        actors = {payment.id: _actor(stranded[payment.id]) for payment in failed}
        tell(work, [("failed", payment) for payment in failed], actors)


def _is_over(job: Job | None) -> bool:
    return job is None or job.state in (JobState.DEAD, JobState.CANCELLED)


def _reason(job: Job | None) -> Reason:
    if job is not None and job.state is JobState.CANCELLED:
        return JOB_CANCELLED
    last = None if job is None or not job.failures else find_reason(job.failures[-1].reason)
    return last or JOB_ABANDONED


def _actor(job: Job | None) -> Actor:
    if job is None:
        return Actor(name="system")
    return Actor(name="system", source=f"job:{job.id}", correlation_id=job.correlation_id)
