"""Files of payments as others wrote them (pain.001): what they say, whether or not it is right."""

from datetime import date
from decimal import Decimal

from attrs import frozen

from ledgercore.money import Money


@frozen(kw_only=True)
class InitiatedTransfer:
    """One payment of a file. The account is an IBAN or whatever the file calls it by, and is not checked."""

    end_to_end_id: str | None
    amount: Money
    creditor: str | None = None
    creditor_account: str | None = None
    text: str = ""
    structured_reference: str | None = None


@frozen(kw_only=True)
class InitiatedBatch:
    """The payments from one account on one day. `requested_on` is `None` for a day that no calendar has."""

    payment_id: str
    requested_on: date | None
    debtor: str | None
    debtor_account: str | None
    transfers: tuple[InitiatedTransfer, ...]


@frozen(kw_only=True)
class PaymentInitiation:
    """A whole file, with the number and the sum that it declares itself; `None` where it declares none."""

    format: str
    message_id: str
    declared_count: int | None
    declared_sum: Decimal | None
    batches: tuple[InitiatedBatch, ...]
    warnings: tuple[str, ...] = ()

    @property
    def transfers(self) -> tuple[InitiatedTransfer, ...]:
        """The payments of all batches."""
        return tuple(transfer for batch in self.batches for transfer in batch.transfers)

    @property
    def plain_sum(self) -> Decimal:
        """All amounts added up as numbers, whatever their currencies: what a control sum is made of."""
        return sum((transfer.amount.decimal for transfer in self.transfers), Decimal(0))

    @property
    def is_as_declared(self) -> bool:
        """Whether number and sum are those that the file declares, as far as it does."""
        return self.declared_count in (None, len(self.transfers)) and self.declared_sum in (None, self.plain_sum)
