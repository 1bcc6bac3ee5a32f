"""What workers do for payments: carry out those that were left to them, and take in what providers tell."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from attrs import frozen

from ledgercore.errors import LedgercoreError, ValidationError, error_for
from ledgercore.errors.catalog import INVALID_ARGUMENT, find_reason
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import Actor
from ledgercore.jobs.handlers import External, Handler, Transactional
from ledgercore.jobs.jobs import Job
from ledgercore.ledger.documents import id_from
from ledgercore.payments.payments import Payment, PaymentStatus
from ledgercore.payments.ports import Work
from ledgercore.payments.processing import JOB_KIND, JOB_QUEUE, PaymentProcessing, Processed
from ledgercore.payments.reporting import PaymentReports
from ledgercore.payments.stranded import STRANDED_KIND, StrandedPayments

REPORT_KIND: Final = "payment_status_reported"
"""The kind of jobs that pass on what a provider told: payment_id, status and amount."""


@frozen(kw_only=True)
class PaymentHandlers:
    """The handlers of jobs about payments."""

    processing: PaymentProcessing
    reports: PaymentReports
    stranded: StrandedPayments

    @property
    def all(self) -> Sequence[Handler]:
        """Each of them."""
        return (
            Transactional(kind=JOB_KIND, handle=self.process, queue=JOB_QUEUE),
            Transactional(kind=REPORT_KIND, handle=self.report, batch_max=1),
            External(kind=STRANDED_KIND, handle=self.stranded.run),
        )

    def process(self, work: Work, jobs: Sequence[Job]) -> Sequence[LedgercoreError | None]:
        """Carry out the payments of jobs; one that a rule forbids is FAILED, and its job too for the same reason.

        A job that is done again finds its payment as the first time has left it.
        """
        actors = {_payment_id(job): _actor(job) for job in jobs}
        outcomes = self.processing.process_in(work, actors, by=Operator(), failing=True)
        return [_refusal(outcomes[_payment_id(job)]) for job in jobs]

    def report(self, work: Work, jobs: Sequence[Job]) -> Sequence[LedgercoreError | None]:
        """Take in what a provider told of a payment; one that a rule forbids makes the job fail."""
        for job in jobs:
            arguments = job.arguments
            payment = self.reports.report_in(
                work,
                _payment_id(job),
                status=str(arguments.get("status")),
                amount=arguments.get("amount"),
                actor=_actor(job),
                external_transaction_id=arguments.get("external_transaction_id"),
            )
            if arguments.get("status") == "completed" and payment.failure is not None:
                return [_failure(payment)]
        return [None for _ in jobs]


def _payment_id(job: Job) -> UUID:
    id = id_from(job.arguments.get("payment_id"), field="payment_id")
    if id is None:
        raise ValidationError(INVALID_ARGUMENT, field="payment_id", why="the job names no payment")
    return id


def _actor(job: Job) -> Actor:
    return Actor(name="system", source=f"job:{job.id}", correlation_id=job.correlation_id)


def _refusal(outcome: Processed) -> LedgercoreError | None:
    """Why a job failed: for what its payment did, now or before; nothing for one that is done."""
    payment = outcome.payment
    if outcome.refusal is None or (payment is not None and payment.status is PaymentStatus.COMPLETED):
        return None
    if payment is not None and payment.failure is not None:
        failure = _failure(payment)
        # What is final is not tried again, though the reason that it failed for might have been.
        return outcome.refusal if failure.reason.retryable or failure.code == outcome.refusal.code else failure
    return outcome.refusal


def _failure(payment: Payment) -> LedgercoreError:
    reason = find_reason(payment.failure or "")
    assert reason is not None, "only reasons of the catalog are kept"
    return error_for(reason, {"payment_id": payment.id})
