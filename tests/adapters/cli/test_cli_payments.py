"""`ledgercore payment`: what operators see of payments and do with them."""

import pytest

from ledgercore.errors.catalog import INSUFFICIENT_FUNDS
from ledgercore.testing.identity_people import new_id
from ledgercore.testing.ledgers import MONDAY
from ledgercore.testing.payments_people import funded_account, payment, stored_payments

LEDGER = "bank"


@pytest.fixture
def account(application):
    """Somebody's account with 100 euros."""
    return funded_account(application.bank.store, "100", ledger=LEDGER)


@pytest.fixture
def made(application, account):
    """A pending debit of 10 euros."""
    found = payment(account, "10.00", description="rent")
    stored_payments(application.bank.store, found)
    return found


def test_payment_is_shown_processed_and_returned(console, made):
    assert "rent" in console("payment", "show", str(made.id)).out
    assert console.json("payment", "process", str(made.id))["status"] == "COMPLETED"
    assert console.json("payment", "return", str(made.id), "4")["amount"] == "4.00"
    assert console("payment", "return", str(made.id)).out.startswith("returned 6.00 EUR at ")

    shown = console.json("payment", "show", str(made.id))
    assert [each["amount"] for each in shown["returns"]] == ["4.00", "6.00"]
    assert "COMPLETED" in console("payment", "show", str(made.id)).out


def test_payment_is_cancelled(console, made):
    assert "CANCELLED" in console("payment", "cancel", str(made.id)).out
    again = console("payment", "process", str(made.id), "--json")
    assert (again.status, again.problem["code"]) == (4, "already_processed")


def test_failed_payment_says_why(console, application, account):
    failed = payment(account).failed(INSUFFICIENT_FUNDS, now=MONDAY)
    stored_payments(application.bank.store, failed)

    assert "FAILED: insufficient_funds" in console("payment", "show", str(failed.id)).out


def test_payments_are_listed_by_filters_and_pages(console, application, account, made):
    other = payment(account, "20.00")
    stored_payments(application.bank.store, other)

    listed = console("payment", "list", "--limit", "1")

    assert str(other.id) in listed.out
    assert listed.err == "more: --page 2\n"
    for line, expected in (
        (("--status", "pending", "--user", str(account.user_id)), [other, made]),
        (("--at-least", "15"), [other]),
        (("--at-most", "15", "--direction", "debit", "--type", "payment"), [made]),
        (("--user", str(new_id())), []),
        (("--from", "2030-01-01T00:00:00Z"), []),
    ):
        found = console.json("payment", "list", *line)
        assert [each["id"] for each in found["items"]] == [str(each.id) for each in expected]
    assert console("payment", "list", "--status", "failed").out == "no payments\n"


def test_unknown_payment_is_not_found(console):
    result = console("payment", "show", str(new_id()), "--json")

    assert (result.status, result.problem["code"]) == (3, "payment_not_found")
