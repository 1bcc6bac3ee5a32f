"""Payments: what somebody asked to be moved, how far it has got, and what came back of it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeAlias
from uuid import UUID

from attrs import evolve, frozen

from ledgercore.errors import ConflictError
from ledgercore.errors.catalog import ALREADY_PROCESSED
from ledgercore.errors.reason import Reason
from ledgercore.money import Money
from ledgercore.statements.statements import Direction

DESCRIPTION_LENGTH_MAX: Final = 255


class PaymentType(StrEnum):
    """What a payment is for; any type may go in either direction."""

    TRANSFER = "TRANSFER"
    PAYMENT = "PAYMENT"
    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"


class PaymentStatus(StrEnum):
    """How far a payment has got. PROCESSING is one that a worker will carry out; the last three are final."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


MOVES: Final[Mapping[tuple[PaymentStatus, str], PaymentStatus]] = {
    (PaymentStatus.PENDING, "process"): PaymentStatus.PROCESSING,
    (PaymentStatus.PENDING, "cancel"): PaymentStatus.CANCELLED,
    (PaymentStatus.PROCESSING, "complete"): PaymentStatus.COMPLETED,
    (PaymentStatus.PROCESSING, "fail"): PaymentStatus.FAILED,
}
"""The life cycle. Who waits for the answer gets from PENDING to COMPLETED at once, or stays where they were."""

Likeness: TypeAlias = tuple[UUID, Direction, Money, str]
"""What two payments have in common that look alike: user, direction, amount and description."""


@frozen(kw_only=True)
class Payment:
    """An amount into (CREDIT) or out of (DEBIT) a user's bank account.

    `posted_at` and `transaction_id`, the transaction of the ledger that it is, belong to a completed one;
    `failure` is the code of the reason for which one failed. `external_transaction_id` is a provider's name of it.
    """

    id: UUID
    user_id: UUID
    user_bank_account_id: UUID
    amount: Money
    direction: Direction
    payment_type: PaymentType
    description: str
    status: PaymentStatus
    inserted_at: datetime
    updated_at: datetime
    failure: str | None = None
    posted_at: datetime | None = None
    transaction_id: UUID | None = None
    external_transaction_id: str | None = None

    @property
    def likeness(self) -> Likeness:
        """What a payment that is sent twice by mistake has in common with the first."""
        return self.user_id, self.direction, self.amount, self.description

    @property
    def key(self) -> str:
        """The name of its transaction in the ledger, which is posted once under it."""
        return f"payment:{self.id}"

    def moved(self, move: str, *, now: datetime) -> "Payment":
        """The payment after a move of its life cycle; raises `already_processed` where there is no such move."""
        status = MOVES.get((self.status, move))
        if status is None:
            raise ConflictError(ALREADY_PROCESSED, payment_id=self.id, status=self.status)
        return evolve(self, status=status, updated_at=now)

    def begun(self, *, now: datetime) -> "Payment":
        """The payment being processed, whether or not a worker has got it already; raises `already_processed`."""
        return self if self.status is PaymentStatus.PROCESSING else self.moved("process", now=now)

    def completed(self, transaction_id: UUID, *, now: datetime) -> "Payment":
        """The payment with its money moved; raises `already_processed`."""
        done = self.begun(now=now).moved("complete", now=now)
        return evolve(done, posted_at=now, transaction_id=transaction_id)

    def failed(self, reason: Reason, *, now: datetime) -> "Payment":
        """The payment given up for a reason; raises `already_processed`."""
        return evolve(self.begun(now=now).moved("fail", now=now), failure=reason.code)


@frozen(kw_only=True)
class Return:
    """An amount of a completed payment that came back; `number` counts those of the payment, from 1."""

    payment_id: UUID
    number: int
    amount: Money
    transaction_id: UUID
    returned_at: datetime


@frozen(kw_only=True)
class PaymentFilter:
    """Which payments to find; every field that is given must fit.

    Dates are inclusive and count by `posted_at` or, before there is one, by `inserted_at`; amounts, inclusive too,
    are units of whatever currency a payment has.
    """

    user_id: UUID | None = None
    status: PaymentStatus | None = None
    direction: Direction | None = None
    payment_type: PaymentType | None = None
    date_from: datetime | None = None
    date_to: datetime | None = None
    amount_min: Decimal | None = None
    amount_max: Decimal | None = None


def start_of_day(now: datetime) -> datetime:
    """When the UTC day of a time began: daily limits count from there."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
