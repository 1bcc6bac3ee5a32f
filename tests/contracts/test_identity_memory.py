"""Identity and rate limits in memory keep the promises of their ports."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from ledgercore.identity.principals import Subject
from ledgercore.ledger.ledger import Ledger
from ledgercore.rate_limits import Quota, Take
from ledgercore.testing import OPENING, IdentityStoreContract, RateLimiterContract, StoppedClock
from ledgercore.testing.ledgers import eur
from ledgercore_memory import MemoryRateLimiter, MemoryStore, MemoryWorkStore
from ledgercore_memory.rate_limits import KEYS_MIN


class TestMemoryWorkStore(IdentityStoreContract):
    """Users, sessions, keys, members, the audit log and answers in memory."""

    @pytest.fixture
    def store(self, clock: StoppedClock) -> MemoryStore:
        """Ledgers in memory."""
        return MemoryStore(clock=clock)

    @pytest.fixture
    def identity(self, store: MemoryStore, clock: StoppedClock) -> MemoryWorkStore:
        """Identity beside them."""
        return MemoryWorkStore(store, clock=clock)


class TestMemoryRateLimiter(RateLimiterContract):
    """Rate limits in memory, by a clock that is moved by hand."""

    @pytest.fixture
    def limiter(self, clock: StoppedClock) -> MemoryRateLimiter:
        """Accounts in memory."""
        return MemoryRateLimiter(clock=clock)

    @pytest.fixture
    def elapse(self, clock: StoppedClock) -> Callable[[timedelta], object]:
        """Move the clock."""
        return lambda delta: clock.forward(seconds=delta.total_seconds())


class TestForgetting:
    """What memory would otherwise keep for ever."""

    def test_keys_that_are_even_again_are_dropped(self, clock: StoppedClock) -> None:
        """However many keys come, those of the last minute are all that stay."""
        limiter = MemoryRateLimiter(clock=clock)
        for number in range(10_000):
            clock.forward(seconds=1)
            limiter.take([Take(f"key-{number}", Quota(1, timedelta(minutes=1)))])

        assert len(limiter._even_at) <= KEYS_MIN
        refused = limiter.take([Take(f"key-{n}", Quota(1, timedelta(minutes=1))) for n in range(9_980, 10_000)])
        assert not any(taken.allowed for taken in refused)

    def test_old_answers_go_as_new_ones_come(self, memory_store: MemoryStore, clock: StoppedClock) -> None:
        """Two for each claim."""
        identity = MemoryWorkStore(memory_store, clock=clock)
        for day in range(2):
            for number in range(10):
                with identity.begin() as work:
                    work.answers.claim("scope", f"{day}-{number}", b"", now=clock())
                    work.answers.keep("scope", f"{day}-{number}", b"")
            clock.forward(days=1, seconds=1)

        assert [key for _, key in identity._states.identity.answers] == [f"1-{number}" for number in range(10)]


class TestUnitsOfWork:
    """One after the other."""

    def test_others_wait_for_a_unit_of_work(self, memory_store: MemoryStore, clock: StoppedClock) -> None:
        """Neither identity nor a ledger that it uses shows anything of it before its end."""
        identity = MemoryWorkStore(memory_store, clock=clock)
        ledger = Ledger(memory_store.create("books", OPENING))
        seen: list[int] = []
        threads = [
            threading.Thread(target=lambda: seen.append(identity.standings([Subject(ledger="shop")])[0].ledger_exists)),
            threading.Thread(target=lambda: seen.append(len(ledger.list_transactions().items))),
        ]

        with identity.begin() as work:
            work.ledgers.create("shop")
            joined = Ledger(work.ledgers.journal("books"))
            for thread in threads:
                thread.start()
            joined.transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"))
            assert seen == []

        for thread in threads:
            thread.join()
        assert seen == [1, 1]
