"""What the suites for banking share: banks, branches, logins and accounts that were never there before."""

import itertools
from typing import Any, Final

from ledgercore.banking.accounts import AccountStatus, AccountType, BankAccount
from ledgercore.banking.banks import Bank, BankStatus, Branch, Integration
from ledgercore.banking.logins import BankLogin, LoginStatus
from ledgercore.banking.ports import Store
from ledgercore.identity.users import User
from ledgercore.testing.identity_people import new_id, someone
from ledgercore.testing.ledgers import MONDAY

_numbers: Final = itertools.count(1)


def bank(**fields: Any) -> Bank:
    """A bank that is not stored yet."""
    number = next(_numbers)
    defaults = {
        "id": new_id(),
        "name": f"Bank {number:06}",
        "country": "GB",
        "code": f"BANK_{number:06}",
        "status": BankStatus.ACTIVE,
        "integration": Integration.NONE,
        "inserted_at": MONDAY,
        "updated_at": MONDAY,
    }
    return Bank(**{**defaults, **fields})


def branch(of: Bank, **fields: Any) -> Branch:
    """A branch of a bank that is not stored yet."""
    defaults = {
        "id": new_id(),
        "bank_id": of.id,
        "name": "Main branch",
        "country": of.country,
        "inserted_at": MONDAY,
        "updated_at": MONDAY,
    }
    return Branch(**{**defaults, **fields})


def bank_login(user: User, at: Branch, **fields: Any) -> BankLogin:
    """A login of a user at a branch that is not stored yet."""
    defaults = {
        "id": new_id(),
        "user_id": user.id,
        "bank_branch_id": at.id,
        "username": f"user{next(_numbers)}",
        "status": LoginStatus.ACTIVE,
        "inserted_at": MONDAY,
        "updated_at": MONDAY,
    }
    return BankLogin(**{**defaults, **fields})


def bank_account(login: BankLogin, **fields: Any) -> BankAccount:
    """An account of a login that is not stored yet."""
    defaults = {
        "id": new_id(),
        "user_id": login.user_id,
        "user_bank_login_id": login.id,
        "currency": "EUR",
        "account_type": AccountType.CHECKING,
        "account_name": "Household",
        "status": AccountStatus.ACTIVE,
        "inserted_at": MONDAY,
        "updated_at": MONDAY,
    }
    return BankAccount(**{**defaults, **fields})


def stored_login(store: Store, *, user: User | None = None, **fields: Any) -> BankLogin:
    """A login that is stored, with its bank and branch, and with a new user unless one is given who is stored."""
    of = bank()
    at = branch(of)
    owner = user or someone()
    login = bank_login(owner, at, **fields)
    with store.begin() as work:
        if user is None:
            work.users.add(owner)
        work.banks.add(of)
        work.banks.add_branch(at)
        work.bank_logins.add(login)
    return login


def stored_account(store: Store, *, user: User | None = None, **fields: Any) -> BankAccount:
    """An account that is stored with all that it needs, but not opened in any ledger."""
    account = bank_account(stored_login(store, user=user), **fields)
    with store.begin() as work:
        work.accounts.add(account)
    return account
