"""Filters and points in time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledgercore.errors import ValidationError
from ledgercore.ledger.accounts import AccountType
from ledgercore.ledger.queries import NOW, AccountBalance, AsOf, HoldFilter, TransactionFilter
from ledgercore.money import Money, currency

EUR = currency("EUR")
FLOAT: Any = 1.0
TEXT: Any = "now"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("make", "code", "field"),
    [
        (lambda: TransactionFilter(account="a:"), "invalid_account_path", "account"),
        (lambda: TransactionFilter(reference="\x00"), "invalid_reference", "reference"),
        (lambda: TransactionFilter(metadata={"a": 1.0}), "invalid_metadata", "metadata.a"),
        (lambda: TransactionFilter(amount_minor_min=-1), "invalid_filter", "amount_minor_min"),
        (lambda: TransactionFilter(amount_minor_max=10**38), "invalid_filter", "amount_minor_max"),
        (lambda: TransactionFilter(amount_minor_max=FLOAT), "invalid_filter", "amount_minor_max"),
        (lambda: TransactionFilter(amount_minor_max=True), "invalid_filter", "amount_minor_max"),
        (lambda: TransactionFilter(effective_from=datetime(2026, 1, 1)), "invalid_datetime_format", "effective_from"),
        (lambda: TransactionFilter(recorded_to=TEXT), "invalid_datetime_format", "recorded_to"),
        (
            lambda: TransactionFilter(effective_from=NOON, effective_to=NOON - timedelta(days=1)),
            "invalid_filter",
            "effective_from",
        ),
        (
            lambda: TransactionFilter(recorded_from=NOON, recorded_to=NOON - timedelta(days=1)),
            "invalid_filter",
            "recorded_from",
        ),
        (lambda: HoldFilter(account="\ud800"), "invalid_account_path", "account"),
        (lambda: HoldFilter(group=""), "invalid_reference", "group"),
        (lambda: AsOf(effective_at=datetime(2026, 1, 1)), "invalid_datetime_format", "effective_at"),
        (lambda: AsOf(recorded_at=datetime(1, 1, 1, tzinfo=UTC)), "datetime_out_of_range", "recorded_at"),
    ],
)
def test_wrong_filters_are_refused(make, code, field):
    """Each refusal names its field."""
    with pytest.raises(ValidationError) as caught:
        make()

    assert (caught.value.code, caught.value.details["field"]) == (code, field)


def test_range_may_be_a_single_moment():
    """From and to may be the same."""
    wanted = TransactionFilter(effective_from=NOON, effective_to=NOON, account="a", reference="R")

    assert (wanted.effective_from, wanted.effective_to) == (NOON, NOON)
    assert (NOW.effective_at, NOW.recorded_at) == (None, None)


@pytest.mark.parametrize(("type_", "signed"), [("asset", 5), ("income", -5)])
def test_balance_on_its_side(type_, signed):
    """Debits count up, credits down."""
    balance = AccountBalance(path="a", type=AccountType(type_), currency=EUR, posted=Money(5, EUR))

    assert balance.debits_minus_credits.minor == signed
