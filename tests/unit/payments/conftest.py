"""The bank's payments over the memory store, and a user with an account."""

import os
from collections.abc import Callable

import pytest

from ledgercore.banking.accounts import BankAccount
from ledgercore.events.events import Event
from ledgercore.identity.principals import Principal
from ledgercore.ledger.ledger import Ledger
from ledgercore.payments.limits import PaymentLimits
from ledgercore.payments.use_cases import Payments
from ledgercore.testing.ledgers import StoppedClock
from ledgercore.testing.payments_people import funded_account, owner_of
from ledgercore_memory import MemoryStore, MemoryWorkStore

LEDGER = "bank"


@pytest.fixture
def ledgers(clock: StoppedClock) -> MemoryStore:
    """The ledgers in memory."""
    return MemoryStore(clock=clock)


@pytest.fixture
def bank_store(ledgers: MemoryStore, clock: StoppedClock) -> MemoryWorkStore:
    """Everything in memory."""
    return MemoryWorkStore(ledgers, clock=clock)


@pytest.fixture
def payments(bank_store: MemoryWorkStore, clock: StoppedClock) -> Payments:
    """The use cases under the usual limits."""
    return Payments(store=bank_store, clock=clock, random_bytes=os.urandom, ledger=LEDGER, limits=PaymentLimits())


@pytest.fixture
def account(bank_store: MemoryWorkStore) -> BankAccount:
    """A checking account with 500 euros."""
    return funded_account(bank_store, "500", ledger=LEDGER)


@pytest.fixture
def owner(account: BankAccount) -> Principal:
    """Whose account it is."""
    return owner_of(account)


@pytest.fixture
def balance(ledgers: MemoryStore) -> Callable[[BankAccount], str]:
    """What the ledger says is in an account."""
    return lambda account: str(Ledger(ledgers.journal(LEDGER)).get_account(account.path).balance.posted)


@pytest.fixture
def told(bank_store: MemoryWorkStore) -> Callable[[], list[Event]]:
    """The events that were published."""

    def look() -> list[Event]:
        with bank_store.begin() as work:
            return [stored.event for stored in work.events.list_after(0, limit=1_000)]

    return look
