"""Who may do what with payments, by every role; and how what is sent is brought into one form."""

import itertools
from decimal import Decimal

import pytest
from attrs import evolve

from ledgercore.errors import ValidationError
from ledgercore.identity.users import Role
from ledgercore.payments.normalizers import payment_attrs, payment_filter
from ledgercore.payments.payments import PaymentFilter, PaymentStatus, PaymentType
from ledgercore.payments.policies import (
    can_cancel_payment,
    can_create_payment,
    can_list_payments,
    can_process_payment,
    can_return_payment,
    can_see_stats,
    can_use_account,
    can_view_payment,
)
from ledgercore.statements.statements import Direction
from ledgercore.testing.banking_people import bank, bank_account, bank_login, branch
from ledgercore.testing.identity_people import new_id, someone
from ledgercore.testing.payments_people import owner_of, payment, principal

ACCOUNT = bank_account(bank_login(someone(), branch(bank())))
MADE = payment(ACCOUNT)
STATUSES = [evolve(MADE, status=status) for status in PaymentStatus]


def actor(role: Role, *, owns: bool):
    """Somebody in a role, who owns the payment or not."""
    return owner_of(ACCOUNT, role) if owns else principal(new_id(), role)


@pytest.mark.parametrize(("role", "owns"), list(itertools.product(Role, (True, False))))
def test_truth_tables(role, owns):
    """Each policy by role, ownership and status."""
    who = actor(role, owns=owns)

    assert can_list_payments(who)
    assert can_use_account(who, ACCOUNT) is owns
    assert can_view_payment(who, MADE) is (owns or role in (Role.ADMIN, Role.SUPPORT))
    assert can_return_payment(who) is (role is Role.ADMIN)
    assert can_see_stats(who, ACCOUNT.user_id) is (owns or role is Role.ADMIN)
    assert can_see_stats(who, None) is (role is Role.ADMIN)
    for each in STATUSES:
        pending = each.status is PaymentStatus.PENDING
        assert can_process_payment(who, each) is (role is Role.ADMIN or (role is Role.USER and owns and pending))
        assert can_cancel_payment(who, each) is (pending and (owns or role in (Role.ADMIN, Role.SUPPORT)))


def test_the_system_processes_and_never_cancels_or_creates():
    for each in STATUSES:
        assert can_process_payment(None, each)
        assert not can_cancel_payment(None, each)
    assert not can_create_payment(None, ACCOUNT.id)


@pytest.mark.parametrize(("account_id", "expected"), [("an id", True), ("", False), (None, False)])
def test_creating_needs_a_user_and_an_account(account_id, expected):
    assert can_create_payment(principal(new_id()), account_id) is expected


@pytest.mark.parametrize("nothing", [None, [], "text", 5])
def test_what_is_no_mapping_is_empty(nothing):
    assert payment_attrs(nothing) == {}


def test_known_fields_are_kept_in_one_form():
    """Values of a wrong type or kind stay as they are, for the checks that follow."""
    sent = {
        "amount": 10, "direction": " credit ", "payment_type": "deposit", "description": " rent\n",
        "user_bank_account_id": "x", "user_id": "y", "status": "COMPLETED",
    }  # fmt: skip

    assert payment_attrs(sent) == {
        "amount": 10, "direction": "CREDIT", "payment_type": "DEPOSIT", "description": "rent",
        "user_bank_account_id": "x",
    }  # fmt: skip
    assert payment_attrs({"direction": 5, "description": None}) == {"direction": 5, "description": None}


def test_filter_reads_what_is_given_and_ignores_blanks():
    user_id = new_id()
    sent = {
        "status": " pending", "direction": "debit", "payment_type": "TRANSFER", "amount_min": "1.50",
        "amount_max": " ", "date_from": "2026-03-02T09:00:00 01:00", "date_to": None,
    }  # fmt: skip

    found = payment_filter(sent, user_id=user_id)

    assert found.date_from is not None
    assert found.date_from.isoformat() == "2026-03-02T08:00:00+00:00"
    assert evolve(found, date_from=None) == PaymentFilter(
        user_id=user_id, status=PaymentStatus.PENDING, direction=Direction.DEBIT, payment_type=PaymentType.TRANSFER,
        amount_min=Decimal("1.50"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("status", "OPEN", "invalid_status"),
        ("direction", "UP", "invalid_direction"),
        ("payment_type", "GIFT", "invalid_payment_type"),
        ("date_from", "today", "invalid_datetime_format"),
        ("amount_max", "1,5", "invalid_amount_format"),
    ],
)
def test_filter_names_what_is_wrong(name, value, code):
    with pytest.raises(ValidationError) as caught:
        payment_filter({name: value}, user_id=None)

    assert (caught.value.code, caught.value.details["field"]) == (code, name)
