"""`ledgercore seed`: sample users, banks, accounts and payments to try things on; never where strangers may call."""

import os
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import click

from ledgercore.bank import Bank
from ledgercore.banking.accounts import BankAccount
from ledgercore.banking.banks import Bank as BankOfUsers
from ledgercore.banking.ledger_accounts import bank_path, ensure_ledger
from ledgercore.banking.logins import BankLogin
from ledgercore.errors import InternalError
from ledgercore.errors.catalog import CONFIGURATION_ERROR
from ledgercore.identity.audit import OPERATOR
from ledgercore.identity.identity import Identity
from ledgercore.identity.principals import Principal
from ledgercore.identity.users import User
from ledgercore.ledger.transactions import transfer
from ledgercore.money import Money
from ledgercore.money.currency import ISO
from ledgercore.money.parsing import parse_amount
from ledgercore.statements.statements import Direction
from ledgercore_app.service_settings import ServiceSettings
from ledgercore_cli.people import SITTING_HERE
from ledgercore_cli.rendering import Column, Table
from ledgercore_cli.session import Session, pass_session

PASSWORDS: Final[Mapping[str, str]] = {
    "alice@example.com": "password123!",
    "bob@example.com": "password123!",
    "admin@example.com": "adminpassword123456",
}
"""The documented passwords of the sample users."""
USERS: Final = (
    ("alice@example.com", "Alice Sample", "user"),
    ("bob@example.com", "Bob Sample", "user"),
    ("admin@example.com", "Ada Admin", "admin"),
)
BANKS: Final = (
    ("DEMO_BANK_US", "Demo Bank", "US", {"name": "Main Street", "routing_number": "021000021"}),
    ("TEST_BANK_UK", "Test Bank", "GB", {"name": "Moorgate", "iban": "GB82WEST12345698765432"}),
)
# What is in an account in the end is what the sample promises, payments included.
ACCOUNTS: Final = (
    ("alice@example.com", "DEMO_BANK_US", "alice01", "USD", "CHECKING", "Everyday", "1445.50", (
        ("DEBIT", "45.50", "Groceries"), ("CREDIT", "200.00", "Refund"),
    ), ("WITHDRAWAL", "DEBIT", "100.00", "Cash withdrawal")),
    ("bob@example.com", "TEST_BANK_UK", "bob01", "GBP", "SAVINGS", "Rainy days", "860.00", (
        ("DEBIT", "60.00", "Utilities"), ("CREDIT", "1200.00", "Salary"),
    ), ("DEPOSIT", "CREDIT", "500.00", "Cash deposit")),
)  # fmt: skip


@click.command()
@pass_session
def seed(session: Session) -> None:
    """Load sample users, banks, accounts and payments; run again, it changes nothing.

    Refused with LEDGERCORE_ENVIRONMENT=production: everybody knows the passwords, which it prints.
    """
    if ServiceSettings.from_environment(os.environ).production:
        raise InternalError(
            CONFIGURATION_ERROR,
            setting="LEDGERCORE_ENVIRONMENT",
            why="everybody knows the passwords of sample users",
        )
    with session.identity() as identity:
        users = {email: _user(identity, email, name, role) for email, name, role in USERS}
    with session.bank() as bank:
        accounts = load(bank, users)
    columns = (Column("email"), Column("password"), Column("role"), Column("account"), Column("balance", right=True))
    rows = [
        (email, PASSWORDS[email], user.role.value, *_account_of(accounts, user.id)) for email, user in users.items()
    ]
    document = [dict(zip(("email", "password", "role", "account_id", "balance"), row, strict=True)) for row in rows]
    session.show({"items": document}, Table(columns=columns, rows=rows, empty=""))


def load(bank: Bank, users: Mapping[str, User]) -> Mapping[UUID, tuple[str, str]]:
    """Load banks, accounts, transactions and payments of users who are there; gives account and balance of each."""
    for code, name, country, branch in BANKS:
        _bank(bank, code, name, country, branch)
    shown = {}
    for email, code, username, currency, account_type, name, opening, transactions, payment in ACCOUNTS:
        user = users[email]
        login = _login(bank, user, code, username)
        account = _account(bank, user, login, currency, account_type, name)
        _post(bank, account, "CREDIT", opening, "opening balance, as of the bank", key="opening")
        for direction, amount, description in transactions:
            _post(bank, account, direction, amount, description, key=description.lower())
        _pay(bank, user, account, payment)
        balance = bank.banking.accounts.get(account.id, by=SITTING_HERE).balance
        shown[user.id] = (str(account.id), str(balance))
    return shown


def _user(identity: Identity, email: str, name: str, role: str) -> User:
    with identity.store.begin() as work:
        found = work.users.find_by_email(email)
    if found is not None:
        return found
    password = PASSWORDS[email]
    told = {
        "email": email, "full_name": name, "role": role, "password": password, "password_confirmation": password,
    }  # fmt: skip
    return identity.users.create(told, by=SITTING_HERE, actor=OPERATOR)


def _bank(bank: Bank, code: str, name: str, country: str, branch: Mapping[str, str]) -> BankOfUsers:
    with bank.store.begin() as work:
        found = work.banks.find_by_code(code)
    if found is not None:
        return found
    banks = bank.banking.banks
    made = banks.add({"code": code, "name": name, "country": country}, actor=OPERATOR)
    banks.add_branch(made.id, {"country": country, **branch}, actor=OPERATOR)
    return made


def _login(bank: Bank, user: User, code: str, username: str) -> BankLogin:
    with bank.store.begin() as work:
        found = work.banks.find_by_code(code)
    assert found is not None, "it was just added"
    [branch] = bank.banking.banks.branches(found.id)
    return bank.banking.logins.add_by_hand(user.id, branch.id, username, actor=OPERATOR)


def _account(bank: Bank, user: User, login: BankLogin, currency: str, account_type: str, name: str) -> BankAccount:
    with bank.store.begin() as work:
        for found in work.accounts.list_of(user.id, login_id=login.id):
            return found
    told = {
        "user_bank_login_id": str(login.id), "currency": currency, "account_type": account_type, "account_name": name,
    }  # fmt: skip
    return bank.banking.accounts.add(told, by=_principal(user), actor=OPERATOR).account


def _post(bank: Bank, account: BankAccount, direction: str, amount: str, description: str, *, key: str) -> None:
    currency = ISO.get(account.currency)
    own, clearing = account.path, bank_path(account.currency)
    debit, credit = (own, clearing) if direction == Direction.DEBIT else (clearing, own)
    money = Money(parse_amount(amount, currency), currency)
    named = f"seed:{account.id}:{key}"
    wanted = transfer(debit=debit, credit=credit, amount=money, key=named, description=description)
    with bank.store.begin() as work:
        [outcome] = ensure_ledger(work, bank.ledger).append([wanted])
        outcome.or_raise()


def _pay(bank: Bank, user: User, account: BankAccount, payment: tuple[str, str, str, str]) -> None:
    payment_type, direction, amount, description = payment
    wanted: dict[str, Any] = {
        "user_bank_account_id": str(account.id), "payment_type": payment_type, "direction": direction,
        "amount": amount, "description": description,
    }  # fmt: skip
    with bank.store.begin() as work:
        if any(work.payments.count(user.id).values()):
            return
        joined = bank.within(work).payments
        made = joined.creation.create(wanted, by=_principal(user), actor=OPERATOR)
        joined.processing.process(made.id, by=SITTING_HERE, actor=OPERATOR)


def _principal(user: User) -> Principal:
    return Principal(user_id=user.id, email=user.email, role=user.role)


def _account_of(accounts: Mapping[UUID, tuple[str, str]], user_id: UUID) -> tuple[str, str]:
    return accounts.get(user_id, ("", ""))
