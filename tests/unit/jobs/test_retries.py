"""When a failed job is tried again: the policy of the catalog, chance, and the ends of both."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve

from ledgercore.errors import LedgercoreError, error_for
from ledgercore.errors.catalog import (
    CATALOG,
    CONFIGURATION_ERROR,
    DATABASE_ERROR,
    HOLD_EXPIRED,
    INTERNAL_SERVER_ERROR,
    TIMEOUT,
)
from ledgercore.jobs.jobs import Job, JobState
from ledgercore.jobs.retries import WAIT_MAX, decide_retry, failure_behind

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
JOB = Job(
    id=UUID(int=1), kind="count_sheep", arguments={}, queue="default", priority=5, state=JobState.RUNNING, run_at=NOW,
    attempts=1, enqueued_at=NOW,
)  # fmt: skip


def wait(attempt: int, error: LedgercoreError, *, chance: float = 0.0) -> float | None:
    """How many milliseconds pass before the next attempt."""
    retry_at = decide_retry(evolve(JOB, attempts=attempt), error, now=NOW, random=lambda: chance)
    return None if retry_at is None else (retry_at - NOW) / timedelta(milliseconds=1)


def test_outside_failures_are_tried_three_times_more():
    """From a second, doubled each time."""
    assert [wait(attempt, error_for(TIMEOUT)) for attempt in (1, 2, 3, 4)] == [1000, 2000, 4000, None]


def test_failures_of_our_own_are_tried_twice_more():
    """From half a second."""
    assert [wait(attempt, error_for(DATABASE_ERROR)) for attempt in (1, 2, 3)] == [500, 1000, None]


def test_chance_adds_up_to_half_of_the_first_wait():
    """Jobs that failed together do not come back together."""
    assert [wait(2, error_for(TIMEOUT), chance=chance) for chance in (0.0, 0.5, 1.0)] == [2000, 2250, 2500]


@pytest.mark.parametrize("reason", [reason for reason in CATALOG.values() if not reason.retryable], ids=str)
def test_refusals_are_given_up_at_once(reason):
    """Trying again changes nothing."""
    assert wait(1, error_for(reason)) is None


def test_reason_may_depart_from_its_category():
    """A server that is set up wrongly is not mended by trying again, or the catalog says otherwise."""
    assert (wait(1, error_for(CONFIGURATION_ERROR)) is not None) is CONFIGURATION_ERROR.retryable


def test_failure_may_ask_for_a_longer_wait():
    """What somebody asks for is honoured up to an hour, and never shortens our own wait."""
    asked = [error_for(TIMEOUT, {"retry_after_ms": ms}) for ms in (30_000, 10, 10**9, "soon")]

    assert [wait(1, error) for error in asked] == [30_000, 1000, WAIT_MAX / timedelta(milliseconds=1), 1000]


def test_nothing_is_attempted_more_than_five_times():
    """Attempts that were abandoned count too."""
    assert wait(5, error_for(TIMEOUT)) is None


def test_unexpected_exceptions_are_failures_of_our_own():
    """What is in them is not kept: nobody has looked at it for secrets."""
    error = failure_behind(ZeroDivisionError("secret"))

    assert (error.reason, dict(error.details)) == (INTERNAL_SERVER_ERROR, {"error": "ZeroDivisionError"})


def test_expected_exceptions_stay_as_they_are():
    """They are of the catalog."""
    error = error_for(HOLD_EXPIRED)

    assert failure_behind(error) is error
