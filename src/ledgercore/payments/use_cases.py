"""Everything about payments in one value."""

from collections.abc import Callable

from attrs import frozen

from ledgercore.clock import Clock
from ledgercore.payments.cancelling import PaymentCancellation
from ledgercore.payments.creating import PaymentCreation
from ledgercore.payments.dry_run import PaymentDryRuns
from ledgercore.payments.handling import PaymentHandlers
from ledgercore.payments.limits import PaymentLimits
from ledgercore.payments.ports import Store
from ledgercore.payments.processing import PaymentProcessing
from ledgercore.payments.reading import PaymentReading
from ledgercore.payments.reporting import PaymentReports
from ledgercore.payments.returning import PaymentReturns
from ledgercore.payments.stranded import StrandedPayments


@frozen(kw_only=True)
class Payments:
    """The use cases of payments, each over the same store. `ledger` is the bank's."""

    store: Store
    clock: Clock
    random_bytes: Callable[[int], bytes]
    ledger: str
    limits: PaymentLimits

    @property
    def creation(self) -> PaymentCreation:
        """New payments."""
        return PaymentCreation(store=self.store, clock=self.clock, random_bytes=self.random_bytes, limits=self.limits)

    @property
    def processing(self) -> PaymentProcessing:
        """Carrying payments out."""
        return PaymentProcessing(store=self.store, clock=self.clock, ledger=self.ledger, limits=self.limits)

    @property
    def cancellation(self) -> PaymentCancellation:
        """Calling payments off."""
        return PaymentCancellation(store=self.store, clock=self.clock)

    @property
    def returns(self) -> PaymentReturns:
        """Taking payments back."""
        return PaymentReturns(store=self.store, clock=self.clock, ledger=self.ledger)

    @property
    def reports(self) -> PaymentReports:
        """What providers tell."""
        return PaymentReports(store=self.store, clock=self.clock, processing=self.processing)

    @property
    def reading(self) -> PaymentReading:
        """Payments and figures about them."""
        return PaymentReading(store=self.store, clock=self.clock, ledger=self.ledger, limits=self.limits)

    @property
    def dry_runs(self) -> PaymentDryRuns:
        """Trying payments."""
        return PaymentDryRuns(store=self.store, clock=self.clock, ledger=self.ledger, limits=self.limits)

    @property
    def handlers(self) -> PaymentHandlers:
        """What workers do."""
        return PaymentHandlers(
            processing=self.processing,
            reports=self.reports,
            stranded=StrandedPayments(store=self.store, clock=self.clock),
        )
