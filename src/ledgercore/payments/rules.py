"""Which payments may be carried out: decided for a whole batch from facts that stay true until it is stored."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import field, frozen

from ledgercore.banking.accounts import AccountStatus, BankAccount
from ledgercore.banking.ledger_accounts import limits_of
from ledgercore.errors import BusinessRuleError, ConflictError, LedgercoreError
from ledgercore.errors.catalog import (
    ACCOUNT_FROZEN,
    ACCOUNT_INACTIVE,
    ACCOUNT_SUSPENDED,
    ALREADY_PROCESSED,
    AMOUNT_EXCEEDS_LIMIT,
    DAILY_LIMIT_EXCEEDED,
    DUPLICATE_TRANSACTION,
    INSUFFICIENT_FUNDS,
    NEGATIVE_AMOUNT,
)
from ledgercore.errors.reason import Reason
from ledgercore.ledger.accounts import Account
from ledgercore.ledger.accounts import AccountStatus as LedgerStatus
from ledgercore.money import Money
from ledgercore.payments.limits import PaymentLimits
from ledgercore.payments.payments import Likeness, Payment, PaymentStatus
from ledgercore.statements.statements import Direction

WAITING: Final = frozenset({PaymentStatus.PENDING})
"""What whoever waits for the answer may process."""
SCHEDULED: Final = frozenset({PaymentStatus.PENDING, PaymentStatus.PROCESSING})
"""What workers and operators may."""

_REFUSALS: Final[Mapping[AccountStatus, Reason]] = {
    AccountStatus.FROZEN: ACCOUNT_FROZEN,
    AccountStatus.SUSPENDED: ACCOUNT_SUSPENDED,
}
_LEDGER_REFUSALS: Final[Mapping[LedgerStatus, Reason]] = {
    LedgerStatus.FROZEN: ACCOUNT_FROZEN,
    LedgerStatus.CLOSED: ACCOUNT_INACTIVE,
}


@frozen(kw_only=True)
class Facts:
    """What a decision rests on: accounts and what the ledger has of them, by id; what was spent today; look-alikes.

    `spent` are minor units. An account that the ledger does not have is empty.
    """

    now: datetime
    limits: PaymentLimits
    accounts: Mapping[UUID, BankAccount] = field(factory=dict)
    in_ledger: Mapping[UUID, Account] = field(factory=dict)
    spent: Mapping[UUID, int] = field(factory=dict)
    look_alikes: Sequence[Payment] = ()


class Situation:
    """The facts as they become while a batch is decided; private to one decision."""

    def __init__(self, facts: Facts) -> None:
        self.limits = facts.limits
        self._accounts = facts.accounts
        self._in_ledger = facts.in_ledger
        self._available = {id: there.balance.available.minor for id, there in facts.in_ledger.items()}
        self._spent = dict(facts.spent)
        self._completed: dict[Likeness, UUID] = {each.likeness: each.id for each in reversed(facts.look_alikes)}

    def account(self, payment: Payment) -> BankAccount:
        """The account of a payment."""
        return self._accounts[payment.user_bank_account_id]

    def ledger_status(self, payment: Payment) -> LedgerStatus:
        """Whether the ledger takes entries on the account of a payment."""
        there = self._in_ledger.get(payment.user_bank_account_id)
        return LedgerStatus.OPEN if there is None else there.status

    def available(self, payment: Payment) -> Money:
        """What may leave the account of a payment, a credit limit included."""
        minimum = limits_of(self.account(payment)).minimum
        assert minimum is not None
        return Money(self._available.get(payment.user_bank_account_id, 0) - minimum, payment.amount.currency)

    def left_today(self, payment: Payment) -> Money:
        """What the daily limit of the account leaves."""
        limit = self.limits.daily_of(self.account(payment).account_type, payment.amount.currency)
        return limit - Money(self._spent.get(payment.user_bank_account_id, 0), payment.amount.currency)

    def look_alike(self, payment: Payment) -> UUID | None:
        """A payment that was completed a short while ago and looks the same."""
        return self._completed.get(payment.likeness)

    def complete(self, payment: Payment) -> None:
        """Count a payment as completed."""
        id, minor = payment.user_bank_account_id, payment.amount.minor
        self._available[id] = self._available.get(id, 0) + payment.direction.sign * minor
        if payment.direction is Direction.DEBIT:
            self._spent[id] = self._spent.get(id, 0) + minor
        self._completed[payment.likeness] = payment.id


def check_status(payment: Payment, allowed: frozenset[PaymentStatus] = WAITING) -> None:
    """Raise `already_processed` unless a payment still has to be processed."""
    if payment.status not in allowed:
        raise ConflictError(ALREADY_PROCESSED, payment_id=payment.id, status=payment.status)


def check_account(account: BankAccount) -> None:
    """Raise `account_frozen`, `account_suspended` or `account_inactive` unless an account is active.

    One whose past is still being imported is not: what is in it so far is not what it has.
    """
    if account.sync_cursor is not None and account.last_sync_at is None:
        raise BusinessRuleError(ACCOUNT_INACTIVE, account_id=account.id, why="its past is still being imported")
    if account.status is not AccountStatus.ACTIVE:
        reason = _REFUSALS.get(account.status, ACCOUNT_INACTIVE)
        raise BusinessRuleError(reason, account_id=account.id, status=account.status)


def check_positive(amount: Money) -> Money:
    """An amount above zero; `negative_amount` for any other."""
    if not amount.is_positive:
        raise BusinessRuleError(NEGATIVE_AMOUNT, field="amount", amount=amount)
    return amount


def check_amount(amount: Money, limits: PaymentLimits) -> None:
    """Raise `negative_amount` unless an amount is above zero, and `amount_exceeds_limit` above the single limit."""
    check_positive(amount)
    limit = limits.single_in(amount.currency)
    if amount > limit:
        raise BusinessRuleError(AMOUNT_EXCEEDS_LIMIT, field="amount", amount=amount, limit=limit)


def check_payment(payment: Payment, now: Situation) -> None:
    """Raise the first of the refusals that a payment meets which is to be processed.

    In this order: `account_frozen`, `account_suspended` or `account_inactive`; `negative_amount` or
    `amount_exceeds_limit`; for debits `insufficient_funds` and `daily_limit_exceeded`; `duplicate_transaction`.
    """
    account = now.account(payment)
    check_account(account)
    if (status := now.ledger_status(payment)) is not LedgerStatus.OPEN:
        raise BusinessRuleError(_LEDGER_REFUSALS[status], account_id=account.id, status=status)
    check_amount(payment.amount, now.limits)
    if payment.direction is Direction.DEBIT:
        _check_debit(payment, now)
    twin = now.look_alike(payment)
    if twin is not None and twin != payment.id:
        raise ConflictError(DUPLICATE_TRANSACTION, payment_id=payment.id, duplicate_of=twin)


def _check_debit(payment: Payment, now: Situation) -> None:
    available = now.available(payment)
    if payment.amount > available:
        raise BusinessRuleError(
            INSUFFICIENT_FUNDS,
            account_id=payment.user_bank_account_id,
            available=available,
            requested=payment.amount,
        )
    left = now.left_today(payment)
    if payment.amount > left:
        raise BusinessRuleError(
            DAILY_LIMIT_EXCEEDED, account_id=payment.user_bank_account_id, left=left, requested=payment.amount
        )


def decide_all(
    payments: Sequence[Payment], facts: Facts, *, allowed: frozenset[PaymentStatus] = WAITING
) -> list[LedgercoreError | None]:
    """Why each payment is refused, or `None` for one to be carried out; earlier ones count for later ones."""
    now = Situation(facts)
    decided: list[LedgercoreError | None] = []
    for payment in payments:
        try:
            check_status(payment, allowed)
            check_payment(payment, now)
        except LedgercoreError as refusal:
            decided.append(refusal)
        else:
            now.complete(payment)
            decided.append(None)
    return decided
