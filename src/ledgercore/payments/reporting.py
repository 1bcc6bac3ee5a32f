"""What providers tell of payments that they carry out: taken in once, however often it is told."""

from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from ledgercore.clock import Clock
from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import PAYMENT_PROVIDER_ERROR, WEBHOOK_PROCESSING_FAILED
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import Actor
from ledgercore.payments.normalizers import check_amount_form, read_amount
from ledgercore.payments.payments import Payment, PaymentStatus
from ledgercore.payments.ports import Store, Work
from ledgercore.payments.processing import PaymentProcessing, locked_payment
from ledgercore.payments.records import tell

SETTLED: Final = {
    "pending": frozenset({PaymentStatus.PENDING, PaymentStatus.PROCESSING}),
    "completed": frozenset({PaymentStatus.COMPLETED}),
    "failed": frozenset({PaymentStatus.FAILED}),
    "cancelled": frozenset({PaymentStatus.FAILED, PaymentStatus.CANCELLED}),
}
"""In which statuses there is nothing left to do about a report."""


@frozen(kw_only=True)
class PaymentReports:
    """Takes reports in."""

    store: Store
    clock: Clock
    processing: PaymentProcessing

    def report(
        self, id: UUID, *, status: str, amount: object, actor: Actor, external_transaction_id: str | None = None
    ) -> Payment:
        """Complete a payment, fail it, or let it be, as its provider says, and give it as it is then.

        `completed` carries it out by all the rules; one that they forbid is FAILED. A payment that a provider failed
        or cancelled is FAILED with `payment_provider_error`. Raises `payment_not_found`,
        and
        `webhook_processing_failed` for another amount or status than there can be, for a payment that is not being
        processed, and for one that ended otherwise.
        """
        with self.store.begin() as work:
            return self.report_in(
                work, id, status=status, amount=amount, actor=actor, external_transaction_id=external_transaction_id
            )

    def report_in(
        self,
        work: Work,
        id: UUID,
        *,
        status: str,
        amount: object,
        actor: Actor,
        external_transaction_id: str | None = None,
    ) -> Payment:
        """`report` inside a unit of work."""
        if status not in SETTLED:
            raise ValidationError(WEBHOOK_PROCESSING_FAILED, field="status", value=status, allowed=sorted(SETTLED))
        payment = locked_payment(work, id)
        told = read_amount(check_amount_form(amount), payment.amount.currency)
        if told != payment.amount:
            raise ValidationError(
                WEBHOOK_PROCESSING_FAILED, field="amount", payment_id=id, amount=payment.amount, told=told
            )
        if payment.status in SETTLED[status]:
            return payment
        if payment.status is not PaymentStatus.PROCESSING:
            # A report is no reason to move money that nobody has asked to be moved, nor to change what is final.
            raise ValidationError(
                WEBHOOK_PROCESSING_FAILED, field="status", payment_id=id, status=payment.status, told=status
            )
        if external_transaction_id is not None:
            payment = evolve(payment, external_transaction_id=external_transaction_id)
            work.payments.save_all([payment])
        if status == "completed":
            processed = self.processing.process_in(work, {id: actor}, by=Operator(), failing=True)[id].payment
            assert processed is not None
            return processed
        failed = payment.failed(PAYMENT_PROVIDER_ERROR, now=self.clock())
        work.payments.save_all([failed])
        tell(work, [("failed", failed)], {id: actor})
        return failed
