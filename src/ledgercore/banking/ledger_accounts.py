"""Where bank accounts are in the bank's ledger, beside the accounts that money comes from and goes to."""

from typing import Final

from ledgercore.banking.accounts import AccountType, BankAccount
from ledgercore.errors import ConflictError, NotFoundError
from ledgercore.identity.ports import Work
from ledgercore.ledger.accounts import AccountType as LedgerAccountType
from ledgercore.ledger.accounts import Limits, Opening
from ledgercore.ledger.commands import OpenAccount, Settings
from ledgercore.ledger.ports import Journal
from ledgercore.money.currency import ISO

CLEARING: Final = "clearing"
SETTINGS: Final = Settings(opening=Opening(on_first_use=True, types=((CLEARING, LedgerAccountType.ASSET),)))
"""Clearing accounts open on first use; a bank account that was never opened is refused."""


def payments_path(currency: str) -> str:
    """What payments in a currency move against."""
    return f"{CLEARING}:payments:{currency}"


def bank_path(currency: str) -> str:
    """What transactions that banks tell of, and opening balances, move against."""
    return f"{CLEARING}:bank:{currency}"


def limits_of(account: BankAccount) -> Limits:
    """How low an account may go: to zero, a CREDIT account to its credit limit."""
    return Limits(minimum=-account.credit_limit_minor if account.account_type is AccountType.CREDIT else 0)


def opening_of(account: BankAccount, *, is_imported: bool = True) -> OpenAccount:
    """The command that opens an account's ledger account: a liability, so that credits raise it.

    One whose past is still being imported (`is_imported` false) has no limits until its opening balance is posted.
    """
    limits = limits_of(account) if is_imported else Limits()
    currency = ISO.get(account.currency)
    return OpenAccount(path=account.path, currency=currency, type=LedgerAccountType.LIABILITY, limits=limits)


def ensure_ledger(work: Work, name: str) -> Journal:
    """The bank's ledger in a unit of work, created on first use."""
    try:
        return work.ledgers.journal(name)
    except NotFoundError:
        pass
    try:
        return work.ledgers.create(name, SETTINGS)
    except ConflictError:
        # Somebody else has created it in the meantime.
        return work.ledgers.journal(name)


def open_ledger_account(work: Work, ledger: str, account: BankAccount) -> None:
    """Open a bank account in the bank's ledger; raises `account_already_exists`."""
    [outcome] = ensure_ledger(work, ledger).append([opening_of(account)])
    outcome.or_raise()
