"""Rate limits: so many in so long, by the generic cell rate algorithm (ITU-T I.371, annex A).

One time is kept for each key: when its account of requests would be even again. No timestamps are
listed, nothing happens at the edge of a window, and what has passed can be forgotten.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from attrs import frozen


@frozen
class Quota:
    """At most `limit` at once, and as many again in each `period`, evenly."""

    limit: int
    period: timedelta

    @property
    def interval(self) -> timedelta:
        """How long one request weighs."""
        return self.period / self.limit

    @property
    def burst(self) -> timedelta:
        """How long all of the limit weighs: the period, but for what rounding adds or takes."""
        return self.interval * self.limit


@frozen
class Take:
    """One request on the account of a key."""

    key: str
    quota: Quota


@frozen(kw_only=True)
class Taken:
    """What became of a request: `remaining` more may follow at once, all of the limit at `reset_at`.

    `retry_after` is how long a refused one has to wait; zero for one that was let through.
    """

    allowed: bool
    limit: int
    remaining: int
    reset_at: datetime
    retry_after: timedelta


def decide_take(even_at: datetime | None, quota: Quota, now: datetime) -> tuple[Taken, datetime]:
    """Judge a request by when its key is even again, and give when it is even after it.

    >>> from datetime import UTC
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> taken, _ = decide_take(now + timedelta(seconds=60), Quota(60, timedelta(seconds=60)), now)
    >>> taken.allowed, taken.retry_after
    (False, datetime.timedelta(seconds=1))
    """
    before = now if even_at is None else max(even_at, now)
    after = before + quota.interval
    if after - now > quota.burst:
        return taken_at(before, quota, now, allowed=False), before
    return taken_at(after, quota, now, allowed=True), after


def taken_at(even_at: datetime, quota: Quota, now: datetime, *, allowed: bool) -> Taken:
    """What a key that is even again at a time tells its caller."""
    owed = max(even_at - now, timedelta())
    return Taken(
        allowed=allowed,
        limit=quota.limit,
        remaining=max((quota.burst - owed) // quota.interval, 0),
        reset_at=now + owed,
        retry_after=timedelta() if allowed else owed + quota.interval - quota.burst,
    )


class RateLimiter(Protocol):
    """Keeps the accounts of keys."""

    def take(self, takes: Sequence[Take]) -> Sequence[Taken]:
        """Judge requests in order, all in one trip; the same key may come several times.

        Exact among all that share the limiter: of simultaneous requests no more than the quota are let through.
        """
        ...
