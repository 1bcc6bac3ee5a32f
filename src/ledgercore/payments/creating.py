"""Creating payments; nothing moves before they are processed."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from attrs import frozen

from ledgercore.banking.accounts import BankAccount
from ledgercore.clock import Clock
from ledgercore.errors import AuthorizationError, NotFoundError
from ledgercore.errors.catalog import ACCOUNT_NOT_FOUND, UNAUTHORIZED_ACCESS
from ledgercore.identity.audit import Actor
from ledgercore.identity.principals import Principal
from ledgercore.ids import TimeOrderedIds
from ledgercore.money import currency
from ledgercore.payments.limits import PaymentLimits
from ledgercore.payments.normalizers import NewPayment, new_payment, read_amount
from ledgercore.payments.payments import Payment, PaymentStatus
from ledgercore.payments.policies import can_use_account
from ledgercore.payments.ports import Store, Work
from ledgercore.payments.records import tell
from ledgercore.payments.rules import check_account, check_amount


@frozen(kw_only=True)
class PaymentCreation:
    """Takes payments in."""

    store: Store
    clock: Clock
    random_bytes: Callable[[int], bytes]
    limits: PaymentLimits

    def create(self, attrs: object, *, by: Principal, actor: Actor) -> Payment:
        """Store a payment that waits to be processed.

        Raises what `new_payment` does, then `account_not_found`, `unauthorized_access`, `invalid_amount_format` for
        more decimals than the currency has, `account_inactive` (or `account_frozen`, `account_suspended`),
        `negative_amount` and `amount_exceeds_limit`.
        """
        asked = new_payment(attrs)
        with self.store.begin() as work:
            account = existing_account(work, asked.user_bank_account_id)
            check_owner(account, by)
            now = self.clock()
            payment = payment_from(asked, account, id=TimeOrderedIds(self.random_bytes).one(now), now=now)
            check_account(account)
            check_amount(payment.amount, self.limits)
            work.payments.add(payment)
            tell(work, [("created", payment)], {payment.id: actor})
        return payment


def existing_account(work: Work, id: UUID) -> BankAccount:
    """A bank account; raises `account_not_found`."""
    account = work.accounts.find(id)
    if account is None:
        raise NotFoundError(ACCOUNT_NOT_FOUND, account_id=id)
    return account


def check_owner(account: BankAccount, by: Principal) -> None:
    """Raise `unauthorized_access` for anybody else's account."""
    if not can_use_account(by, account):
        raise AuthorizationError(UNAUTHORIZED_ACCESS, account_id=account.id)


def payment_from(asked: NewPayment, account: BankAccount, *, id: UUID, now: datetime) -> Payment:
    """The payment that somebody asks for, in the currency of the account; raises `invalid_amount_format`."""
    return Payment(
        id=id,
        user_id=account.user_id,
        user_bank_account_id=account.id,
        amount=read_amount(asked.amount, currency(account.currency)),
        direction=asked.direction,
        payment_type=asked.payment_type,
        description=asked.description,
        status=PaymentStatus.PENDING,
        inserted_at=now,
        updated_at=now,
    )
