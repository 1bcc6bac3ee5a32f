"""Reading payments: one, pages of them, how one stands, and figures."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from attrs import frozen

from ledgercore.clock import Clock
from ledgercore.errors import AuthorizationError, LedgercoreError, NotFoundError
from ledgercore.errors.catalog import INSUFFICIENT_PERMISSIONS, PAYMENT_NOT_FOUND
from ledgercore.identity.access import Caller
from ledgercore.identity.principals import Principal
from ledgercore.money import Money, currency
from ledgercore.payments.facts import balance_of, find_in_ledger
from ledgercore.payments.figures import AccountHealth, PaymentStats
from ledgercore.payments.limits import PaymentLimits
from ledgercore.payments.payments import Payment, PaymentFilter, PaymentStatus, Return, start_of_day
from ledgercore.payments.policies import can_see_stats
from ledgercore.payments.ports import Store, Work
from ledgercore.payments.processing import check_may_process, check_may_view

RECENT: Final = 10


@frozen(kw_only=True)
class PaymentPage:
    """Payments from an offset, newest first, and how many there are in all."""

    items: Sequence[Payment]
    page: int
    page_size: int
    total_count: int

    @property
    def total_pages(self) -> int:
        """How many pages of this size there are."""
        return -(-self.total_count // self.page_size)

    @property
    def has_next(self) -> bool:
        """Whether pages follow."""
        return self.page < self.total_pages

    @property
    def has_prev(self) -> bool:
        """Whether pages come before."""
        return self.page > 1


@frozen(kw_only=True)
class PaymentStanding:
    """A payment, whether the asker may process it, and whether one that looks the same was just completed."""

    payment: Payment
    can_process: bool
    is_duplicate: bool


@frozen(kw_only=True)
class PaymentReading:
    """Shows payments to those who may see them."""

    store: Store
    clock: Clock
    ledger: str
    limits: PaymentLimits

    def get(self, id: UUID, *, by: Caller) -> Payment:
        """A payment; raises `payment_not_found`, and `insufficient_permissions` for somebody else's."""
        with self.store.begin() as work:
            return _visible(work, id, by)

    def page(self, wanted: PaymentFilter, *, by: Caller, page: int, page_size: int) -> PaymentPage:
        """Payments by page number, counted from 1; only one's own, operators those of all users."""
        if isinstance(by, Principal) and wanted.user_id != by.user_id:
            raise AuthorizationError(INSUFFICIENT_PERMISSIONS, user_id=wanted.user_id)
        with self.store.begin() as work:
            items, total = work.payments.page(wanted, offset=(page - 1) * page_size, limit=page_size)
        return PaymentPage(items=items, page=page, page_size=page_size, total_count=total)

    def standing(self, id: UUID, *, by: Caller) -> PaymentStanding:
        """A payment and what may be done with it; raises as `get` does."""
        with self.store.begin() as work:
            payment = _visible(work, id, by)
            since = self.clock() - self.limits.duplicate_window
            twins = [each for each in work.payments.look_alikes([payment], since=since) if each.id != id]
        return PaymentStanding(payment=payment, can_process=_may_process(payment, by), is_duplicate=bool(twins))

    def returns(self, id: UUID, *, by: Caller) -> Sequence[Return]:
        """What came back of a payment; raises as `get` does."""
        with self.store.begin() as work:
            _visible(work, id, by)
            return work.payments.returns_of(id)

    def stats(self, user_id: UUID | None, *, by: Caller) -> PaymentStats:
        """How a user stands, or everybody; raises `insufficient_permissions` for others than admins and oneself."""
        if isinstance(by, Principal) and not can_see_stats(by, user_id):
            raise AuthorizationError(INSUFFICIENT_PERMISSIONS, user_id=user_id)
        with self.store.begin() as work:
            counts = work.payments.count(user_id)
            recent, _ = work.payments.page(PaymentFilter(user_id=user_id), offset=0, limit=RECENT)
            return PaymentStats(
                user_id=user_id,
                accounts=self._health(work, user_id),
                counts={status: counts.get(status, 0) for status in PaymentStatus},
                recent=recent,
            )

    def _health(self, work: Work, user_id: UUID | None) -> list[AccountHealth]:
        accounts = work.accounts.list_of(user_id)
        in_ledger = find_in_ledger(work, self.ledger, accounts)
        spent = work.payments.spent([account.id for account in accounts], since=start_of_day(self.clock()))
        return [
            AccountHealth(
                account=account,
                balance=balance_of(account, in_ledger),
                daily_limit=self.limits.daily_of(account.account_type, currency(account.currency)),
                daily_spent=Money(spent.get(account.id, 0), currency(account.currency)),
            )
            for account in accounts
        ]


def _visible(work: Work, id: UUID, by: Caller) -> Payment:
    payment = work.payments.find(id)
    if payment is None:
        raise NotFoundError(PAYMENT_NOT_FOUND, payment_id=id)
    check_may_view(payment, by)
    return payment


def _may_process(payment: Payment, by: Caller) -> bool:
    try:
        check_may_process(payment, by)
    except LedgercoreError:
        return False
    return True
