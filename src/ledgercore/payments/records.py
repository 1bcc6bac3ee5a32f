"""What others learn of payments: events for whoever subscribes, and entries of the audit log."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from ledgercore.banking.accounts import BankAccount
from ledgercore.events.events import Event
from ledgercore.identity.audit import Actor, AuditEvent
from ledgercore.money import Money
from ledgercore.payments.documents import amount_text, payment_document, return_document
from ledgercore.payments.payments import Payment, Return
from ledgercore.payments.ports import Work

AUDITED: Final[Mapping[str, str]] = {
    "created": "payment_created",
    "processing": "payment_scheduled",
    "completed": "payment_processed",
    "failed": "payment_failed",
    "cancelled": "payment_cancelled",
    "returned": "payment_returned",
}
"""The action of the audit log for what events call `payment.<…>`."""


def tell(
    work: Work,
    news: Sequence[tuple[str, Payment]],
    actors: Mapping[UUID, Actor],
    *,
    balances: Iterable[tuple[BankAccount, Money]] = (),
    returned: Return | None = None,
) -> None:
    """Publish and audit what became of payments, and what is in the accounts that changed; to be done last.

    `actors` say by whom, for the id of each payment.
    """
    changed = [_balance_changed(account, balance) for account, balance in balances]
    work.events.publish_all([*(_event(what, payment, returned) for what, payment in news), *changed])
    work.audit.append_all([_audited(what, payment, actors[payment.id], returned) for what, payment in news])


def _event(what: str, payment: Payment, returned: Return | None) -> Event:
    data = payment_document(payment) if returned is None else return_document(returned)
    return Event(type=f"payment.{what}", subject=f"payment:{payment.id}", data=data, owner_id=payment.user_id)


def _balance_changed(account: BankAccount, balance: Money) -> Event:
    data = {"account_id": str(account.id), "balance": amount_text(balance), "currency": account.currency}
    return Event(type="balance.changed", subject=f"account:{account.id}", data=data, owner_id=account.user_id)


def _audited(what: str, payment: Payment, actor: Actor, returned: Return | None) -> AuditEvent:
    amount = payment.amount if returned is None else returned.amount
    details: dict[str, object] = {"amount": str(amount), "direction": payment.direction}
    if payment.failure is not None:
        details["reason"] = payment.failure
    if payment.transaction_id is not None:
        transaction_id: UUID = payment.transaction_id if returned is None else returned.transaction_id
        details["transaction_id"] = transaction_id
    return AuditEvent(action=AUDITED[what], actor=actor, target=f"payment:{payment.id}", details=details)
