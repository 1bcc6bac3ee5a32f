"""The chain of batches: each entry commits to its records and to everything before."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from attrs import evolve

from ledgercore.ledger.log.chain import GENESIS, LogEntry, first_gap, head_after, next_entry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BATCH_SIZES = (1, 3, 2, 5)


def chain() -> list[LogEntry]:
    entries: list[LogEntry] = []
    head, number = GENESIS, 0
    for batch, size in enumerate(BATCH_SIZES, 1):
        entry = next_entry(
            previous=head,
            batch=batch,
            first=number + 1,
            last=number + size,
            recorded_at=NOON + timedelta(seconds=batch),
            root=sha256(bytes([batch])).digest(),
        )
        entries.append(entry)
        head, number = entry.head, number + size
    return entries


def test_sound_chain_has_no_gap() -> None:
    """Every entry follows the one before, the first one follows nothing."""
    assert first_gap(chain()) is None
    assert first_gap(chain()[2:], after=chain()[1]) is None


CHANGES: list[dict[str, Any]] = [
    {"batch": 7},
    {"first_number": 4},
    {"last_number": 7},
    {"recorded_at": NOON + timedelta(seconds=2, microseconds=1)},
    {"root": bytes(32)},
    {"head": bytes(32)},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_changed_entry_does_not_follow(change: dict[str, Any]) -> None:
    """Each field of an entry is part of its head."""
    entries = chain()
    entries[1] = evolve(entries[1], **change)

    assert first_gap(entries) == entries[1]


def test_changed_entry_with_a_new_head_breaks_the_next() -> None:
    """Whoever changes one entry has to change all that follow, up to the head that others know."""
    entries = chain()
    changed = evolve(entries[1], root=bytes(32))
    entries[1] = evolve(changed, head=head_after(entries[0].head, changed))

    assert first_gap(entries) == entries[2]


def test_missing_and_swapped_entries_leave_a_gap() -> None:
    """Entries are numbered, and so are the records that they name."""
    first, second, third, fourth = chain()

    assert first_gap([first, third, fourth]) == third
    assert first_gap([first, third, second, fourth]) == third
    assert first_gap([second, third, fourth]) == second


def test_time_must_move_on() -> None:
    """Two batches never have the same time, so that a recorded time is a place in the log."""
    first, second, *_ = chain()
    changed = evolve(second, recorded_at=first.recorded_at)
    stopped = evolve(changed, head=head_after(first.head, changed))

    assert first_gap([first, stopped]) == stopped


def test_head_is_hashed_as_documented() -> None:
    """The bytes under the hash, spelled out: a 2, the head before, four numbers, the root."""
    [first, *_] = chain()
    seconds = (NOON + timedelta(seconds=1) - datetime(2000, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    numbers = b"".join(number.to_bytes(8, "big") for number in (1, 1, 1, seconds))

    assert first.head == sha256(b"\x02" + bytes(32) + numbers + first.root).digest()
