"""Gathering what decisions about payments rest on, each kind in one trip."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from ledgercore.banking.accounts import BankAccount
from ledgercore.errors import NotFoundError
from ledgercore.ledger.accounts import Account
from ledgercore.money import Money, currency
from ledgercore.payments.limits import PaymentLimits
from ledgercore.payments.payments import Payment, start_of_day
from ledgercore.payments.ports import Work
from ledgercore.payments.rules import Facts


def gather_facts(
    work: Work,
    payments: Sequence[Payment],
    accounts: Mapping[UUID, BankAccount],
    *,
    ledger: str,
    limits: PaymentLimits,
    now: datetime,
) -> Facts:
    """Everything that decides about payments of these accounts.

    Where the accounts are locked nobody else pays from them, and nobody completes a look-alike, until the unit of
    work ends; so the facts stay true until then.
    """
    look_alikes = work.payments.look_alikes(payments, since=now - limits.duplicate_window)
    return Facts(
        now=now,
        limits=limits,
        accounts=accounts,
        in_ledger=find_in_ledger(work, ledger, accounts.values()),
        spent=work.payments.spent(sorted(accounts), since=start_of_day(now)),
        look_alikes=look_alikes,
    )


def find_in_ledger(work: Work, ledger: str, accounts: Iterable[BankAccount]) -> dict[UUID, Account]:
    """What the bank's ledger has of bank accounts, by their ids; nothing before there is such a ledger."""
    asked = list(accounts)
    try:
        found = work.ledgers.journal(ledger).find_accounts([account.path for account in asked])
    except NotFoundError:
        return {}
    return {account.id: there for account, there in zip(asked, found, strict=True) if there is not None}


def balance_of(account: BankAccount, in_ledger: Mapping[UUID, Account]) -> Money:
    """What is in an account: the posted balance of its ledger account, nothing before there is one."""
    there = in_ledger.get(account.id)
    return Money.zero(currency(account.currency)) if there is None else there.balance.posted
