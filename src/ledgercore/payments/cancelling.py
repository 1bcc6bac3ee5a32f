"""Cancelling payments that nobody has begun to process."""

from uuid import UUID

from attrs import frozen

from ledgercore.clock import Clock
from ledgercore.identity.access import Caller
from ledgercore.identity.audit import Actor
from ledgercore.payments.payments import Payment
from ledgercore.payments.ports import Store
from ledgercore.payments.processing import check_may_view, locked_payment
from ledgercore.payments.records import tell


@frozen(kw_only=True)
class PaymentCancellation:
    """Calls payments off."""

    store: Store
    clock: Clock

    def cancel(self, id: UUID, *, by: Caller, actor: Actor) -> Payment:
        """Call a pending payment off for good.

        Whoever may see it may do so. Raises `payment_not_found`, `insufficient_permissions`, `already_processed`.
        """
        with self.store.begin() as work:
            payment = locked_payment(work, id)
            check_may_view(payment, by)
            cancelled = payment.moved("cancel", now=self.clock())
            work.payments.save_all([cancelled])
            tell(work, [("cancelled", cancelled)], {id: actor})
        return cancelled
