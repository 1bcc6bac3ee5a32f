"""How accounts and their owners stand: what is left of today's limit, and whether they can pay."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from attrs import frozen

from ledgercore.banking.accounts import AccountStatus, BankAccount
from ledgercore.money import Money
from ledgercore.payments.payments import Payment, PaymentStatus


@frozen(kw_only=True)
class AccountHealth:
    """An account, what is in it, and how much of the daily limit is spent."""

    account: BankAccount
    balance: Money
    daily_limit: Money
    daily_spent: Money

    @property
    def daily_remaining(self) -> Money:
        """What may still leave the account today; never below zero, should the limit have been lowered."""
        return max(self.daily_limit - self.daily_spent, Money.zero(self.daily_limit.currency))

    @property
    def utilization_percent(self) -> int:
        """How much of the limit is spent, in whole percent, rounded down; all of one that is zero."""
        return self.daily_spent.minor * 100 // self.daily_limit.minor if self.daily_limit.minor else 100

    @property
    def is_active(self) -> bool:
        """Whether it may be paid from and to."""
        return self.account.status is AccountStatus.ACTIVE

    @property
    def is_healthy(self) -> bool:
        """Whether it is active and has money in it."""
        return self.is_active and self.balance.is_positive

    @property
    def can_make_payments(self) -> bool:
        """Whether it is active and something is left of today's limit."""
        return self.is_active and self.daily_remaining.is_positive


@frozen(kw_only=True)
class PaymentStats:
    """How a user stands, or, without one, everybody together: accounts, payments by status, and the last ones."""

    user_id: UUID | None
    accounts: Sequence[AccountHealth]
    counts: Mapping[PaymentStatus, int]
    recent: Sequence[Payment]

    @property
    def balances(self) -> dict[str, Money]:
        """What is in all accounts of a currency, by its code."""
        totals: dict[str, Money] = {}
        for health in self.accounts:
            code, balance = health.account.currency, health.balance
            totals[code] = totals[code] + balance if code in totals else balance
        return totals

    @property
    def total_accounts(self) -> int:
        """How many accounts there are, closed ones too."""
        return len(self.accounts)

    @property
    def active_accounts(self) -> int:
        """How many may be paid from."""
        return self._count(AccountStatus.ACTIVE)

    @property
    def frozen_accounts(self) -> int:
        """How many are frozen."""
        return self._count(AccountStatus.FROZEN)

    @property
    def suspended_accounts(self) -> int:
        """How many are suspended."""
        return self._count(AccountStatus.SUSPENDED)

    @property
    def is_healthy(self) -> bool:
        """Whether one of the accounts is."""
        return any(health.is_healthy for health in self.accounts)

    @property
    def can_make_payments(self) -> bool:
        """Whether one of the accounts can."""
        return any(health.can_make_payments for health in self.accounts)

    def _count(self, status: AccountStatus) -> int:
        return sum(health.account.status is status for health in self.accounts)
