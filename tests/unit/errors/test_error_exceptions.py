"""One exception class per category."""

import copy
import pickle

import pytest

from ledgercore.errors import (
    BusinessRuleError,
    LedgercoreError,
    NotFoundError,
    Reason,
    ValidationError,
    error_for,
)
from ledgercore.errors.catalog import ACCOUNT_NOT_FOUND, CATALOG, HOLD_EXPIRED, INVALID_ARGUMENT


def test_message_names_the_values_on_one_line() -> None:
    """The title, then each detail, as a log or a terminal shows them."""
    error = BusinessRuleError(HOLD_EXPIRED, hold_id="h-1", late_seconds=5)

    assert str(error) == "The hold has expired: hold_id=h-1, late_seconds=5"
    assert repr(error) == "<BusinessRuleError hold_expired {'hold_id': 'h-1', 'late_seconds': 5}>"


def test_message_without_details_is_the_title() -> None:
    """Nothing is made up where nothing is known."""
    assert str(BusinessRuleError(HOLD_EXPIRED)) == "The hold has expired"


def test_code_and_retryable_come_from_the_reason() -> None:
    """Callers ask the error; they need not know how reasons are built."""
    error = BusinessRuleError(HOLD_EXPIRED)

    assert (error.reason, error.code, error.retryable) == (HOLD_EXPIRED, "hold_expired", False)


def test_a_class_refuses_reasons_of_other_categories() -> None:
    """`except NotFoundError` would otherwise miss what is not found."""
    with pytest.raises(TypeError, match="NotFoundError cannot report hold_expired, a business_rule"):
        NotFoundError(HOLD_EXPIRED)


@pytest.mark.parametrize("reason", CATALOG.values(), ids=lambda reason: reason.code)
def test_error_for_picks_the_class_of_the_category(reason: Reason) -> None:
    """Every reason can be raised as a value of the class that callers catch."""
    error = error_for(reason, {"field": "amount"})

    assert type(error) is not LedgercoreError
    assert type(error).category is reason.category
    assert error.details == {"field": "amount"}


def test_details_may_have_any_name() -> None:
    """Even names that the constructor itself uses."""
    error = error_for(INVALID_ARGUMENT, {"reason": "r", "self": "s", "cls": "c", "details": "d"})

    assert error.details == {"reason": "r", "self": "s", "cls": "c", "details": "d"}


def test_errors_survive_pickling() -> None:
    """A worker process hands its errors on whole, notes included."""
    error = NotFoundError(ACCOUNT_NOT_FOUND, account="assets:cash", reason="none")
    error.add_note("while reading line 7")

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is NotFoundError
    assert (again.reason, again.details, str(again)) == (error.reason, error.details, str(error))
    assert again.__notes__ == ["while reading line 7"]


def test_errors_can_be_copied() -> None:
    """A copy is an error of its own with the same reason and details."""
    error = ValidationError(INVALID_ARGUMENT, field="amount")

    again = copy.copy(error)

    assert again is not error
    assert (again.reason, again.details) == (error.reason, error.details)
