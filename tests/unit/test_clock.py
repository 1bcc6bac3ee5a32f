"""Times under which batches are recorded."""

from datetime import UTC, datetime, timedelta

from ledgercore.clock import TICK, next_recorded_at

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_present_is_taken_when_it_is_later():
    """The clock decides as long as it moves forward."""
    assert next_recorded_at(NOON, None, NOON - timedelta(hours=1)) == NOON


def test_clock_that_stands_or_goes_back_is_overruled():
    """A time that was given out is not given again."""
    assert next_recorded_at(NOON, NOON) == NOON + TICK
    assert next_recorded_at(NOON - timedelta(days=1), NOON, None) == NOON + TICK


def test_latest_of_several_times_counts():
    """Head and seal both bind."""
    sealed = NOON + timedelta(seconds=5)

    assert next_recorded_at(NOON, NOON, sealed) == sealed + TICK
