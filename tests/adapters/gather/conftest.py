"""What these tests share: threads for the work, and work that goes on when it is told to."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

PATIENCE_SECONDS = 30
"""How long a test waits for what happens at once, before it calls it a hang."""


class Gated:
    """Work whose every run waits until it is let go; it answers 3 by "3 done", or as `answers` says."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.answers: Callable[[list[int]], Any] = lambda asks: [f"{ask} done" for ask in asks]
        self._begun = threading.Semaphore(0)
        self._let_go = threading.Semaphore(0)

    def __call__(self, asks: list[int]) -> Any:
        self.batches.append(list(asks))
        self._begun.release()
        assert self._let_go.acquire(timeout=PATIENCE_SECONDS)
        return self.answers(asks)

    def begun(self) -> None:
        """Wait until the next run is under way."""
        assert self._begun.acquire(timeout=PATIENCE_SECONDS)

    def let_go(self, runs: int = 1) -> None:
        """Let that many runs end, now or later."""
        self._let_go.release(runs)


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    """Two threads, more than one gatherer may ever use at a time."""
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
def gated() -> Iterator[Gated]:
    """Work under the test's control; what still runs at the end is let go."""
    gated = Gated()
    yield gated
    gated.let_go(1_000)
