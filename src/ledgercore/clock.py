"""Time as a port: the core is told what time it is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Returns the present as an aware UTC time."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
TICK: Final = timedelta(microseconds=1)


def next_recorded_at(now: datetime, *earlier: datetime | None) -> datetime:
    """The time to record a batch under: now, yet always later than every time already given out."""
    return max([now, *(moment + TICK for moment in earlier if moment is not None)])
