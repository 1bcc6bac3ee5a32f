"""Returning payments: the money of a completed one comes back by a transaction that reverses its own."""

from collections.abc import Sequence
from uuid import UUID

from attrs import frozen

from ledgercore.banking.accounts import AccountStatus
from ledgercore.banking.ledger_accounts import ensure_ledger
from ledgercore.clock import Clock
from ledgercore.errors import BusinessRuleError, ConflictError
from ledgercore.errors.catalog import ACCOUNT_INACTIVE, PAYMENT_NOT_COMPLETED, TRANSACTION_ALREADY_REVERSED
from ledgercore.identity.access import Caller, check_admin
from ledgercore.identity.audit import Actor
from ledgercore.identity.service_tokens import Scope
from ledgercore.ledger.ledger import Ledger
from ledgercore.money import Money
from ledgercore.payments.facts import balance_of, find_in_ledger
from ledgercore.payments.normalizers import check_amount_form, read_amount
from ledgercore.payments.payments import Payment, Return
from ledgercore.payments.ports import Store
from ledgercore.payments.processing import locked_payment
from ledgercore.payments.records import tell
from ledgercore.payments.rules import check_positive


@frozen(kw_only=True)
class PaymentReturns:
    """Takes payments back; they stay COMPLETED, and each return has a record of its own."""

    store: Store
    clock: Clock
    ledger: str

    def return_(self, id: UUID, amount: object = None, *, by: Caller, actor: Actor) -> Return:
        """Give back what is left of a completed payment, or an amount of it.

        Raises `insufficient_permissions` for all but admins and operators, `payment_not_found`,
        `payment_not_completed`, `account_inactive` for an account that is closed, `invalid_amount_format`,
        `negative_amount`, `reversal_exceeds_remainder`, `transaction_already_reversed` when nothing is left,
        `insufficient_funds` when what was paid in has been spent, and `account_frozen` where the ledger says so.
        """
        check_admin(by, Scope.PAYMENTS_WRITE)
        with self.store.begin() as work:
            payment = locked_payment(work, id)
            if payment.transaction_id is None:
                raise ConflictError(PAYMENT_NOT_COMPLETED, payment_id=id, status=payment.status)
            [account] = work.accounts.lock([payment.user_bank_account_id])
            if account.status is AccountStatus.CLOSED:
                # It was empty when it was closed, and nobody could ever take out what came into it.
                raise BusinessRuleError(ACCOUNT_INACTIVE, account_id=account.id, status=account.status)
            earlier = work.payments.returns_of(id)
            number, wanted = len(earlier) + 1, _amount(payment, amount, earlier)
            journal = ensure_ledger(work, self.ledger)
            posted = Ledger(journal).reverse(
                payment.transaction_id, amount=wanted, description=payment.description, key=f"return:{id}:{number}"
            )
            returned = Return(
                payment_id=id, number=number, amount=wanted, transaction_id=posted.id, returned_at=self.clock()
            )
            work.payments.add_return(returned)
            balance = balance_of(account, find_in_ledger(work, self.ledger, [account]))
            tell(work, [("returned", payment)], {id: actor}, balances=[(account, balance)], returned=returned)
        return returned


def _amount(payment: Payment, amount: object, earlier: Sequence[Return]) -> Money:
    if amount is not None:
        return check_positive(read_amount(check_amount_form(amount), payment.amount.currency))
    left = payment.amount - Money(sum(each.amount.minor for each in earlier), payment.amount.currency)
    if left.is_zero:
        raise BusinessRuleError(TRANSACTION_ALREADY_REVERSED, payment_id=payment.id)
    return left
