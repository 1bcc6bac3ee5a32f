"""Who may do what with payments: pure answers from values alone. No actor is the system itself: a worker."""

from ledgercore.banking.accounts import BankAccount
from ledgercore.identity.principals import Principal
from ledgercore.identity.users import Role
from ledgercore.payments.payments import Payment, PaymentStatus


def can_create_payment(actor: Principal | None, account_id: object) -> bool:
    """Whoever is known and names an account; whose account it is, creating checks."""
    return actor is not None and bool(account_id)


def can_use_account(actor: Principal, account: BankAccount) -> bool:
    """Only its owner: nobody pays from another's account, whatever their role."""
    return actor.user_id == account.user_id


def can_list_payments(actor: Principal) -> bool:  # noqa: ARG001 - that nothing is asked is the rule
    """Everybody, their own."""
    return True


def can_view_payment(actor: Principal, payment: Payment) -> bool:
    """Admins, support and the owner."""
    return actor.role in (Role.ADMIN, Role.SUPPORT) or actor.user_id == payment.user_id


def can_process_payment(actor: Principal | None, payment: Payment) -> bool:
    """The system and admins; owners while it is pending. Support never."""
    if actor is None or actor.role is Role.ADMIN:
        return True
    return actor.role is not Role.SUPPORT and actor.user_id == payment.user_id and _is_pending(payment)


def can_cancel_payment(actor: Principal | None, payment: Payment) -> bool:
    """Admins, support and the owner, while it is pending; not the system."""
    return actor is not None and _is_pending(payment) and can_view_payment(actor, payment)


def can_return_payment(actor: Principal) -> bool:
    """Admins."""
    return actor.role is Role.ADMIN


def can_see_stats(actor: Principal, user_id: object) -> bool:
    """Admins anybody's, others their own."""
    return actor.role is Role.ADMIN or actor.user_id == user_id


def _is_pending(payment: Payment) -> bool:
    return payment.status is PaymentStatus.PENDING
