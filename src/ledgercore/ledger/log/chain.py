"""The append-only log: one entry for each batch, each committing to its records and to the entry before."""

import struct
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Final

from attrs import frozen

from ledgercore.ledger.log.encoding import microseconds

GENESIS: Final = bytes(32)
"""The head of a ledger that has recorded nothing."""


@frozen(kw_only=True)
class LogEntry:
    """One batch in the log: its records' numbers, their Merkle root, and the head that follows.

    `head` is the SHA-256 of a 2 byte, the head before, the batch's number, first and last record
    number and time (64-bit big-endian integers, time in microseconds since 2000-01-01 UTC), and the
    root. Whoever keeps one head can detect any later change of what it commits to.
    """

    batch: int
    first_number: int
    last_number: int
    recorded_at: datetime
    root: bytes
    head: bytes

    def follows(self, previous: "LogEntry | None") -> bool:
        """Whether this entry continues the other, without a gap, and its head is what it must be."""
        batch, last, head = (
            (0, 0, GENESIS) if previous is None else (previous.batch, previous.last_number, previous.head)
        )
        return (
            self.batch == batch + 1
            and self.first_number == last + 1
            and self.last_number >= self.first_number
            and (previous is None or self.recorded_at > previous.recorded_at)
            and self.head == head_after(head, self)
        )


def head_after(previous: bytes, entry: LogEntry) -> bytes:
    """The head that commits to this entry and to everything before it."""
    return next_head(
        previous, batch=entry.batch, first=entry.first_number, last=entry.last_number,
        recorded_at=entry.recorded_at, root=entry.root,
    )  # fmt: skip


def next_head(previous: bytes, *, batch: int, first: int, last: int, recorded_at: datetime, root: bytes) -> bytes:
    """The hash chain's step."""
    numbers = struct.pack(">qqqq", batch, first, last, microseconds(recorded_at))
    return sha256(b"\x02" + previous + numbers + root).digest()


def next_entry(*, previous: bytes, batch: int, first: int, last: int, recorded_at: datetime, root: bytes) -> LogEntry:
    """The log entry that continues a head."""
    head = next_head(previous, batch=batch, first=first, last=last, recorded_at=recorded_at, root=root)
    return LogEntry(batch=batch, first_number=first, last_number=last, recorded_at=recorded_at, root=root, head=head)


def first_gap(entries: Iterable[LogEntry], after: LogEntry | None = None) -> LogEntry | None:
    """The first entry that does not continue the one before it, or `None` for a sound chain."""
    previous = after
    for entry in entries:
        if not entry.follows(previous):
            return entry
        previous = entry
    return None
