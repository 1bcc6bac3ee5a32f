"""Turns at what takes a processor for long, such as hashing passwords: few at once, so that all else goes on."""

import asyncio
import os
from typing import Final

from ledgercore.errors import ExternalDependencyError
from ledgercore.errors.catalog import SERVICE_OVERLOADED

AT_ONCE: Final = max((os.cpu_count() or 1) // 2, 1)
"""Half of the processors hash at most; the event loop and everybody else have the others."""
WAITING_MAX: Final = 500
"""More would wait longer than a request may take."""


class Turns:
    """Lets some in at once and others wait, without a thread while they do; `async with` takes a turn.

    Raises `service_overloaded` when too many wait already.
    """

    def __init__(self, at_once: int = AT_ONCE, waiting_max: int = WAITING_MAX) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._waiting = 0
        self._waiting_max = waiting_max

    async def __aenter__(self) -> None:
        if self._free.locked() and self._waiting >= self._waiting_max:
            raise ExternalDependencyError(SERVICE_OVERLOADED, waiting=self._waiting)
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1

    async def __aexit__(self, *_: object) -> None:
        self._free.release()
