"""Events in PostgreSQL: one after the other, in the order of their commits."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, func, select

from ledgercore.clock import Clock
from ledgercore.events.events import Event, StoredEvent, next_events
from ledgercore.ids import TimeOrderedIds
from ledgercore.ledger.texts import encode_json
from ledgercore_postgres.database import driver_cursor
from ledgercore_postgres.events.tables import EVENTS
from ledgercore_postgres.parameters import BigIntegers, Integers, Moments, Texts, Uuids
from ledgercore_postgres.turns import take_turn

_LAST: Final = "SELECT number, occurred_at FROM events ORDER BY number DESC LIMIT 1"
_INSERT: Final = (
    "INSERT INTO events (number, id, occurred_at, type, version, subject, owner_id, data)"
    " SELECT number, id, occurred_at, type, version, subject, owner_id, data::json"
    " FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b)"
    " AS new (number, id, occurred_at, type, version, subject, owner_id, data)"
)


class PostgresEvents:
    """See the port `Events`."""

    def __init__(self, connection: Connection, *, clock: Clock, ids: TimeOrderedIds) -> None:
        self._connection = connection
        self._clock = clock
        self._ids = ids

    def publish_all(self, events: Sequence[Event]) -> Sequence[StoredEvent]:
        """See the port."""
        if not events:
            return []
        cursor = driver_cursor(self._connection)
        number, earlier = take_turn(cursor, _LAST) or (0, None)
        stored = next_events(number, earlier, events, now=self._clock(), ids=self._ids)
        cursor.execute(
            _INSERT,
            (
                BigIntegers(each.number for each in stored),
                Uuids(each.id.bytes for each in stored),
                Moments(each.occurred_at for each in stored),
                Texts(event.type for event in events),
                Integers(event.version for event in events),
                Texts(event.subject for event in events),
                Uuids(None if event.owner_id is None else event.owner_id.bytes for event in events),
                Texts(encode_json(event.data).decode() for event in events),
            ),
        )
        return stored

    def list_after(
        self, number: int, *, types: frozenset[str] = frozenset(), owner_id: UUID | None = None, limit: int
    ) -> Sequence[StoredEvent]:
        """See the port."""
        found = select(EVENTS).where(EVENTS.c.number > number).order_by(EVENTS.c.number).limit(limit)
        if types:
            found = found.where(EVENTS.c.type.in_(sorted(types)))
        if owner_id is not None:
            found = found.where(EVENTS.c.owner_id == owner_id)
        return [_stored(row) for row in self._connection.execute(found)]

    def last_number(self) -> int:
        """See the port."""
        number: int = self._connection.execute(select(func.coalesce(func.max(EVENTS.c.number), 0))).scalar_one()
        return number


def _stored(row: Row[Any]) -> StoredEvent:
    event = Event(type=row.type, subject=row.subject, data=row.data, owner_id=row.owner_id, version=row.version)
    return StoredEvent(number=row.number, id=row.id, occurred_at=row.occurred_at, event=event)
