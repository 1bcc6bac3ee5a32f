"""Identifiers: time-ordered UUIDs of version 7 (RFC 9562), from a clock and a source of randomness."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from ledgercore.clock import EPOCH


def id_text(identity: bytes) -> str:
    """Sixteen bytes as a UUID is written, in a quarter of the time that a `UUID` takes.

    >>> id_text(bytes(range(16)))
    '00010203-0405-0607-0809-0a0b0c0d0e0f'
    """
    digits = identity.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class TimeOrderedIds:
    """Draws 16-byte ids that sort by millisecond, and within one batch in the order of drawing.

    The first 48 bits are the Unix time in milliseconds; a counter that starts at a random
    place for each batch fills the rest, so that ids drawn together lie side by side in an
    index. `random_bytes` must come from the operating system's generator.
    """

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes

    def batch(self, now: datetime) -> Callable[[], bytes]:
        """A drawer of ids for one moment; not to be shared between threads."""
        milliseconds = (now - EPOCH) // timedelta(milliseconds=1)
        seed = int.from_bytes(self._random_bytes(10))
        # 74 random bits: the counter starts in the lower half of its range and never overflows.
        value = (
            milliseconds << 80 | 0x7 << 76 | ((seed >> 62) & 0xFFF) << 64 | 0b10 << 62 | (seed & ((1 << 62) - 1)) >> 1
        )

        def draw() -> bytes:
            nonlocal value
            value += 1
            return value.to_bytes(16)

        return draw

    def one(self, now: datetime) -> UUID:
        """A single id."""
        return UUID(bytes=self.batch(now)())
