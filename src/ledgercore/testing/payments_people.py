"""What the suites for payments share: users with accounts, money in them, and payments that were never there before."""

import itertools
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from ledgercore.banking.accounts import BankAccount
from ledgercore.banking.ledger_accounts import ensure_ledger, opening_of
from ledgercore.identity.principals import Principal
from ledgercore.identity.users import Role, User
from ledgercore.ledger.ledger import Ledger
from ledgercore.money import Money, currency
from ledgercore.payments.payments import Payment, PaymentStatus, PaymentType
from ledgercore.payments.ports import Store
from ledgercore.statements.statements import Direction
from ledgercore.testing.banking_people import stored_account
from ledgercore.testing.identity_people import new_id
from ledgercore.testing.ledgers import MONDAY

_numbers: Final = itertools.count(1)


def payment(account: BankAccount, amount: str = "10.00", **fields: Any) -> Payment:
    """A pending debit of an account that is not stored yet, inserted after all earlier ones."""
    number = next(_numbers)
    at = fields.pop("inserted_at", MONDAY + timedelta(milliseconds=number))
    defaults: dict[str, Any] = {
        "id": new_id(),
        "user_id": account.user_id,
        "user_bank_account_id": account.id,
        "amount": Money.of(amount, currency(account.currency)),
        "direction": Direction.DEBIT,
        "payment_type": PaymentType.PAYMENT,
        "description": f"invoice {number}",
        "status": PaymentStatus.PENDING,
        "inserted_at": at,
        "updated_at": at,
    }
    return Payment(**{**defaults, **fields})


def completed(account: BankAccount, amount: str = "10.00", *, at: datetime = MONDAY, **fields: Any) -> Payment:
    """A debit of an account that was completed, though no ledger has it; not stored yet."""
    return payment(account, amount, **fields).completed(new_id(), now=at)


def stored_payments(store: Store, *payments: Payment) -> None:
    """Store payments, each in the status that it has."""
    with store.begin() as work:
        for each in payments:
            work.payments.add(each)


def funded_account(
    store: Store, amount: str = "0", *, ledger: str, user: User | None = None, **fields: Any
) -> BankAccount:
    """An account that is stored, opened in the bank's ledger, and has money in it."""
    account = stored_account(store, user=user, **fields)
    with store.begin() as work:
        journal = ensure_ledger(work, ledger)
        journal.append([opening_of(account)])
        money = Money.of(amount, currency(account.currency))
        if money.is_positive:
            Ledger(journal).transfer(
                debit=f"clearing:bank:{account.currency}", credit=account.path, amount=money, id=new_id()
            )
    return account


def owner_of(account: BankAccount, role: Role = Role.USER) -> Principal:
    """The owner of an account in a session."""
    return principal(account.user_id, role)


def principal(user_id: UUID, role: Role = Role.USER) -> Principal:
    """A user in a session."""
    return Principal(user_id=user_id, email="somebody@example.com", role=role, session_id=new_id())
