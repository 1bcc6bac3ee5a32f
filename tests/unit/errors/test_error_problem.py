"""Problem details of RFC 9457."""

from datetime import UTC, datetime

import pytest

from ledgercore.errors import (
    BusinessRuleError,
    ExternalDependencyError,
    InternalError,
    LedgercoreError,
    problem,
    retry_after_seconds,
)
from ledgercore.errors.catalog import (
    BANK_API_ERROR,
    DATABASE_ERROR,
    INSUFFICIENT_FUNDS,
    RATE_LIMIT_EXCEEDED,
    UNSAFE_DURABILITY,
)

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def body_of(error: LedgercoreError) -> dict[str, object]:
    return {**problem(error, instance="req_1", correlation_id="c0ffee", timestamp=NOON)}


def test_problem_has_the_members_of_the_api() -> None:
    """Standard members first, then the extensions that clients of the bank API read."""
    error = BusinessRuleError(INSUFFICIENT_FUNDS, account_id="a-1", available="5.00", requested="7.00")

    body = body_of(error)

    assert body == {
        "type": "https://ledgercore.dev/problems/insufficient_funds",
        "title": "Insufficient funds for this transaction",
        "status": 422,
        "detail": "Insufficient funds for this transaction: account_id=a-1, available=5.00, requested=7.00",
        "instance": "req_1",
        "code": "insufficient_funds",
        "reason": "insufficient_funds",
        "category": "business_rule",
        "retryable": False,
        "details": {"account_id": "a-1", "available": "5.00", "requested": "7.00"},
        "timestamp": "2026-01-02T12:00:00+00:00",
        "correlation_id": "c0ffee",
    }


def test_problem_without_correlation_leaves_it_out() -> None:
    """A member without a value is no member."""
    error = BusinessRuleError(INSUFFICIENT_FUNDS)

    body = problem(error, instance="req_1", correlation_id=None, timestamp=NOON)

    assert "correlation_id" not in body


def test_retryable_problem_says_when_to_come_back() -> None:
    """Only a failure that may pass has a delay and a number of attempts."""
    body = body_of(ExternalDependencyError(BANK_API_ERROR))

    assert (body["retryable"], body["retry_after_ms"], body["max_retry_attempts"]) == (True, 1000, 3)


def test_known_wait_goes_before_the_usual_one() -> None:
    """A rate limit knows to the millisecond when the next request will pass."""
    error = BusinessRuleError(RATE_LIMIT_EXCEEDED, retry_after_ms=2_345)

    body = body_of(error)

    assert (body["status"], body["retry_after_ms"]) == (429, 2_345)
    assert retry_after_seconds(error) == 3


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (ExternalDependencyError(BANK_API_ERROR), 1),
        (InternalError(DATABASE_ERROR), 1),
        (InternalError(UNSAFE_DURABILITY), None),
        (BusinessRuleError(INSUFFICIENT_FUNDS), None),
    ],
)
def test_retry_after_is_whole_seconds_or_absent(error: LedgercoreError, seconds: int | None) -> None:
    """The header of RFC 9110 is rounded up, and never sent where repeating is useless."""
    assert retry_after_seconds(error) == seconds


def test_system_problem_shows_nothing_of_the_inside() -> None:
    """Statements, hosts and paths belong in the log, not in the answer to a stranger."""
    error = InternalError(DATABASE_ERROR, statement="SELECT secret FROM vault", host="10.0.0.7")

    body = body_of(error)

    assert (body["detail"], body["details"]) == ("Database error", {})
