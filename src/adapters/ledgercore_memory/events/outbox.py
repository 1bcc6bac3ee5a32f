"""Events in memory."""

from collections.abc import Sequence
from uuid import UUID

from ledgercore.clock import Clock
from ledgercore.events.events import Event, StoredEvent, next_events
from ledgercore.ids import TimeOrderedIds
from ledgercore_memory.events.state import State


class MemoryEvents:
    """See the port `Events`."""

    def __init__(self, state: State, *, clock: Clock, ids: TimeOrderedIds) -> None:
        self._state = state
        self._clock = clock
        self._ids = ids

    def publish_all(self, events: Sequence[Event]) -> Sequence[StoredEvent]:
        """See the port."""
        earlier = self._state.events[-1].occurred_at if self._state.events else None
        stored = next_events(self.last_number(), earlier, events, now=self._clock(), ids=self._ids)
        self._state.events.extend(stored)
        return stored

    def list_after(
        self, number: int, *, types: frozenset[str] = frozenset(), owner_id: UUID | None = None, limit: int
    ) -> Sequence[StoredEvent]:
        """See the port."""
        return [
            stored
            for stored in self._state.events[max(number, 0) :]
            if (not types or stored.event.type in types) and owner_id in (None, stored.event.owner_id)
        ][:limit]

    def last_number(self) -> int:
        """See the port."""
        return len(self._state.events)
