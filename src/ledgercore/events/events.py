"""Events: facts that others may want to know, stored in the commit that made them true."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import field, frozen

from ledgercore.clock import next_recorded_at
from ledgercore.ids import TimeOrderedIds


@frozen(kw_only=True)
class Event:
    """A fact before it has its number. `data` is JSON in the schema that `type` and `version` name.

    `subject` is what it is about, such as `payment:<id>`; `owner_id` the user who may see it, `None` for nobody.
    """

    type: str
    subject: str
    data: Mapping[str, Any] = field(factory=dict)
    owner_id: UUID | None = None
    version: int = 1


@frozen(kw_only=True)
class StoredEvent:
    """A fact with its place: numbers grow in the order of commits, without gaps, and are offsets to resume from."""

    number: int
    id: UUID
    occurred_at: datetime
    event: Event


def next_events(
    last_number: int, last_at: datetime | None, events: Iterable[Event], *, now: datetime, ids: TimeOrderedIds
) -> list[StoredEvent]:
    """Give events their places after the last one. Those of one commit occurred at one time, later than any before."""
    at = next_recorded_at(now, last_at)
    draw = ids.batch(at)
    return [
        StoredEvent(number=number, id=UUID(bytes=draw()), occurred_at=at, event=event)
        for number, event in enumerate(events, last_number + 1)
    ]
