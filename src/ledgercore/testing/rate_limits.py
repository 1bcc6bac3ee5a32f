"""The suite for a rate limiter: so many at once, as many again in time, each key for itself."""

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import pytest

from ledgercore.rate_limits import Quota, RateLimiter, Take, Taken, decide_take

HOURLY: Final = Quota(5, timedelta(hours=1))
SLACK: Final = timedelta(minutes=1)
"""More than a test takes, less than one request weighs."""

_numbers: Final = itertools.count(1)


class RateLimiterContract:
    """Subclass it, override the fixtures `limiter` and `elapse`, and run pytest; the time may be the real one."""

    @pytest.fixture
    def limiter(self) -> RateLimiter:
        """Where accounts of keys are kept; every adapter says for itself."""
        raise NotImplementedError("override the fixture `limiter`")

    @pytest.fixture
    def elapse(self) -> Callable[[timedelta], None]:
        """Makes all that was asked for before lie so much further back."""
        raise NotImplementedError("override the fixture `elapse`")

    @pytest.fixture
    def key(self) -> str:
        """A key that was never used before."""
        return f"user:{next(_numbers):06}"

    def test_limit_is_let_through_and_no_more(self, limiter: RateLimiter, key: str) -> None:
        """Each is told how many may follow; the one too many is told how long to wait."""
        taken = [limiter.take([Take(key, HOURLY)])[0] for _ in range(6)]

        assert [each.allowed for each in taken] == [True] * 5 + [False]
        assert [each.remaining for each in taken] == [4, 3, 2, 1, 0, 0]
        assert {each.limit for each in taken} == {5}
        assert [each.retry_after for each in taken[:5]] == [timedelta()] * 5
        assert timedelta(minutes=12) - SLACK < taken[5].retry_after <= timedelta(minutes=12)

    def test_whole_limit_is_back_when_told(self, limiter: RateLimiter, key: str) -> None:
        """Each request puts the time off by what it weighs; a refused one does not."""
        taken = limiter.take([Take(key, HOURLY)] * 7)

        steps = [later.reset_at - earlier.reset_at for earlier, later in itertools.pairwise(taken)]
        assert steps == [timedelta(minutes=12)] * 4 + [timedelta()] * 2

    def test_batch_is_judged_as_one_after_the_other(self, limiter: RateLimiter, key: str) -> None:
        """As many as fit are let through, in order, whatever stands between them."""
        other = f"{key}-other"
        wanted = [Take(key, HOURLY), Take(other, HOURLY), Take(key, HOURLY)] * 4

        taken = limiter.take(wanted)

        assert allowed(taken, wanted, key) == [True] * 5 + [False] * 3
        assert allowed(taken, wanted, other) == [True] * 4
        assert taken == list(replayed(wanted, taken))

    def test_batch_goes_on_where_the_last_one_ended(self, limiter: RateLimiter, key: str) -> None:
        """What is left of the limit is partly given to a batch that wants more."""
        limiter.take([Take(key, HOURLY)] * 3)

        taken = limiter.take([Take(key, HOURLY)] * 4)

        assert [each.allowed for each in taken] == [True, True, False, False]
        assert [each.remaining for each in taken] == [1, 0, 0, 0]

    def test_time_gives_back_evenly(self, limiter: RateLimiter, key: str, elapse: Callable[[timedelta], None]) -> None:
        """One for each fifth of the hour, all after the whole hour, and never more than the limit."""
        limiter.take([Take(key, HOURLY)] * 5)

        elapse(timedelta(minutes=25))
        after_two_fifths = limiter.take([Take(key, HOURLY)] * 4)
        elapse(timedelta(days=2))
        after_days = limiter.take([Take(key, HOURLY)] * 6)

        assert [each.allowed for each in after_two_fifths] == [True, True, False, False]
        assert [each.allowed for each in after_days] == [True] * 5 + [False]

    def test_waiting_as_told_is_enough(
        self, limiter: RateLimiter, key: str, elapse: Callable[[timedelta], None]
    ) -> None:
        """`retry_after` is neither too short nor much too long."""
        refused = limiter.take([Take(key, HOURLY)] * 6)[-1]

        elapse(refused.retry_after - SLACK)
        too_early = limiter.take([Take(key, HOURLY)])
        elapse(SLACK)
        in_time = limiter.take([Take(key, HOURLY)] * 2)

        assert [each.allowed for each in (*too_early, *in_time)] == [False, True, False]

    @pytest.mark.parametrize(
        ("limit", "seconds"), [(1, 86_400), (7, 60_000), (3, 200), (9_999, 360_000), (300, 86_400)]
    )
    def test_limit_is_exact_whatever_divides_the_period(
        self, limiter: RateLimiter, key: str, limit: int, seconds: int
    ) -> None:
        """Rounding to microseconds takes no request away and adds none."""
        quota = Quota(limit, timedelta(seconds=seconds))

        taken = limiter.take([Take(key, quota)] * (limit + 1))

        assert sum(each.allowed for each in taken) == limit
        assert (taken[0].remaining, taken[limit - 1].remaining) == (limit - 1, 0)

    def test_key_may_come_with_several_quotas(self, limiter: RateLimiter, key: str) -> None:
        """They share the key's account, and each request is judged by its own."""
        strict = Quota(2, timedelta(hours=1))
        wanted = [Take(key, HOURLY), Take(key, strict), Take(key, HOURLY), Take(key, strict), Take(key, HOURLY)]

        taken = limiter.take(wanted)

        assert [each.limit for each in taken] == [5, 2, 5, 2, 5]
        # One of the strict ones weighs half an hour, one of the others a fifth.
        assert [each.allowed for each in taken] == [True, True, True, False, False]

    def test_lowered_limit_counts_at_once(self, limiter: RateLimiter, key: str) -> None:
        """What was let through before weighs as it did; nothing remains below nothing."""
        limiter.take([Take(key, HOURLY)] * 5)

        [taken] = limiter.take([Take(key, Quota(5, timedelta(minutes=1)))])

        assert (taken.allowed, taken.remaining) == (False, 0)
        assert taken.retry_after > timedelta(minutes=58)

    def test_nothing_asked_is_nothing_answered(self, limiter: RateLimiter) -> None:
        """An empty batch has an empty answer."""
        assert list(limiter.take([])) == []

    def test_simultaneous_requests_share_the_limit(self, limiter: RateLimiter, key: str) -> None:
        """Eight threads ask for twenty of each of three keys, in different orders: exactly the limit is let through."""
        quota = Quota(50, timedelta(hours=10))
        keys = [f"{key}-{number}" for number in range(3)]
        answers: list[tuple[str, bool]] = []
        ready = threading.Barrier(8)

        def ask(number: int) -> None:
            order = keys if number % 2 else keys[::-1]
            ready.wait()
            for _ in range(10):
                taken = limiter.take([Take(name, quota) for name in order for _ in range(2)])
                answers.extend(zip([name for name in order for _ in range(2)], (t.allowed for t in taken), strict=True))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(answers) == 8 * 10 * 6
        assert [sum(passed for name, passed in answers if name == wanted) for wanted in keys] == [50, 50, 50]


def allowed(taken: Sequence[Taken], wanted: Sequence[Take], key: str) -> list[bool]:
    """Whether each request on a key was let through."""
    return [each.allowed for each, take in zip(taken, wanted, strict=True) if take.key == key]


def replayed(wanted: Sequence[Take], taken: Sequence[Taken]) -> Iterator[Taken]:
    """What the pure rule says of a first batch, each key by the time it was judged at."""
    even_at: dict[str, datetime] = {}
    judged_at = {
        take.key: each.reset_at - take.quota.interval for take, each in reversed(list(zip(wanted, taken, strict=True)))
    }
    for take in wanted:
        now = judged_at[take.key]
        answer, even_at[take.key] = decide_take(even_at.get(take.key), take.quota, now)
        yield answer
