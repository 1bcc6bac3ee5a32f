"""Accounts whose past is still being imported: nobody makes them active before it is here."""

import os
from typing import Any

import pytest
from attrs import evolve

from ledgercore.banking.accounts import AccountStatus
from ledgercore.banking.accounts_administration import BankAccountAdministration
from ledgercore.banking.ledger_accounts import ensure_ledger, opening_of
from ledgercore.banking.runs import Surroundings
from ledgercore.errors import BusinessRuleError
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR
from ledgercore.testing.banking_people import stored_account
from ledgercore.testing.payments_people import owner_of
from ledgercore_memory import MemoryStore, MemoryWorkStore

NOTHING: Any = None


@pytest.fixture
def store(clock) -> MemoryWorkStore:
    """Everything in memory."""
    return MemoryWorkStore(MemoryStore(clock=clock), clock=clock)


@pytest.fixture
def administration(store, clock) -> BankAccountAdministration:
    """What is done with accounts; it calls no bank."""
    around = Surroundings(
        store=store, clock=clock, random_bytes=os.urandom, sealer=NOTHING, exchanges=NOTHING, redirect_url=""
    )
    return BankAccountAdministration(around=around, ledger="bank")


def test_account_is_not_made_active_before_its_first_page(store, administration) -> None:
    """It is in the ledger without limits, and has no cursor yet."""
    told = stored_account(store, status=AccountStatus.INACTIVE)
    with store.begin() as work:
        ensure_ledger(work, "bank").append([opening_of(told, is_imported=False)])

    for by in (owner_of(told), Operator()):
        with pytest.raises(BusinessRuleError) as caught:
            administration.change(told.id, {"status": "ACTIVE"}, by=by, actor=OPERATOR)
        assert caught.value.code == "account_inactive"


def test_account_is_not_made_active_between_two_pages(store, administration) -> None:
    """Its cursor says where the next one goes on."""
    told = stored_account(store, status=AccountStatus.INACTIVE, sync_cursor="page 2")

    with pytest.raises(BusinessRuleError) as caught:
        administration.change(told.id, {"status": "ACTIVE"}, by=Operator(), actor=OPERATOR)

    assert caught.value.code == "account_inactive"


def test_account_that_nobody_imports_is_made_active(store, administration) -> None:
    """One that its owner has opened and put aside."""
    aside = stored_account(store, status=AccountStatus.INACTIVE)
    with store.begin() as work:
        ensure_ledger(work, "bank").append([opening_of(aside)])

    changed = administration.change(aside.id, {"status": "ACTIVE"}, by=owner_of(aside), actor=OPERATOR)

    assert changed.account == evolve(aside, status=AccountStatus.ACTIVE, updated_at=changed.account.updated_at)
