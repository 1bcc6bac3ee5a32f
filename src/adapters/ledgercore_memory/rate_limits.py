"""Rate limits in memory, for a single process."""

import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ledgercore.clock import Clock
from ledgercore.rate_limits import Take, Taken, decide_take

KEYS_MIN: Final = 1_024
"""Up to so many keys nothing is forgotten."""


class MemoryRateLimiter:
    """Keeps the promises of the `RateLimiter` port without outliving the process."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._even_at: dict[str, datetime] = {}
        self._keys_max = KEYS_MIN

    def take(self, takes: Sequence[Take]) -> Sequence[Taken]:
        """See the port."""
        with self._lock:
            now = self._clock()
            answers = []
            for take in takes:
                taken, self._even_at[take.key] = decide_take(self._even_at.get(take.key), take.quota, now)
                answers.append(taken)
            if len(self._even_at) > self._keys_max:
                self._forget(now)
        return answers

    def _forget(self, now: datetime) -> None:
        """Drop the keys that are even again; the next time is when there are twice as many as are left."""
        self._even_at = {key: even_at for key, even_at in self._even_at.items() if even_at > now}
        self._keys_max = max(KEYS_MIN, 2 * len(self._even_at))
