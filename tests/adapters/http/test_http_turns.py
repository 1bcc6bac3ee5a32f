"""Turns at hashing passwords: few at once, a bounded queue, and everybody else is served meanwhile."""

import asyncio

import pytest

from ledgercore.errors import ExternalDependencyError
from ledgercore_http.turns import AT_ONCE, Turns

PASSWORD = "correct horse battery"


def test_no_more_than_so_many_are_in_at_once():
    async def run():
        turns, inside, most = Turns(2), 0, 0

        async def one():
            nonlocal inside, most
            async with turns:
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0)
                inside -= 1

        await asyncio.gather(*(one() for _ in range(20)))
        return most

    assert asyncio.run(run()) == 2


def test_who_comes_when_the_queue_is_full_is_sent_away():
    async def run():
        turns = Turns(1, waiting_max=1)
        async with turns:
            waiting = asyncio.create_task(turns.__aenter__())
            await asyncio.sleep(0)
            with pytest.raises(ExternalDependencyError) as refusal:
                await turns.__aenter__()
        await waiting
        return refusal.value.code

    assert asyncio.run(run()) == "service_overloaded"


def test_who_gives_up_waiting_or_fails_inside_leaves_no_gap():
    async def run():
        turns = Turns(1, waiting_max=1)
        async with turns:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(turns.__aenter__(), 0.01)
        with pytest.raises(ZeroDivisionError):
            async with turns:
                raise ZeroDivisionError
        async with turns:
            return True

    assert asyncio.run(run())


class SlowHasher:
    """Hashes like another, and remembers how many did at once."""

    def __init__(self, hasher):
        self.hasher = hasher
        self.inside = 0
        self.most = 0

    def verify(self, password, hashed):
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            return self.hasher.verify(password, hashed)
        finally:
            self.inside -= 1

    def __getattr__(self, name):
        return getattr(self.hasher, name)


def test_logins_that_come_together_hash_in_turn(service, anonymous, alice, event_loop_thread):
    hasher = SlowHasher(service.identity.hasher)
    object.__setattr__(service.identity, "hasher", hasher)
    sent = {"email": alice.email, "password": PASSWORD}

    async def together():
        logins = [anonymous._send("POST", "/api/auth/login", None, "127.0.0.1", {"json": sent}) for _ in range(12)]
        return await asyncio.gather(*logins)

    answers = asyncio.run_coroutine_threadsafe(together(), event_loop_thread).result(60)
    assert [answer.status_code for answer in answers] == [200] * 12
    assert 1 <= hasher.most <= AT_ONCE
