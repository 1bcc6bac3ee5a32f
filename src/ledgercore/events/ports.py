"""What events need from a store."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from ledgercore.events.events import Event, StoredEvent
from ledgercore.jobs.ports import Work as JobsWork


class Events(Protocol):
    """The outbox; nothing is ever changed or removed."""

    def publish_all(self, events: Sequence[Event]) -> Sequence[StoredEvent]:
        """Store events after all others, in this unit of work.

        From then until the unit of work ends nobody else publishes or writes to the audit log, so it is done last
        but for the audit log.
        """
        ...

    def list_after(
        self, number: int, *, types: frozenset[str] = frozenset(), owner_id: UUID | None = None, limit: int
    ) -> Sequence[StoredEvent]:
        """At most `limit` events after a number, in order, of these types and this owner; of any if none is named."""
        ...

    def last_number(self) -> int:
        """The number of the last event; 0 before the first."""
        ...


class Work(JobsWork, Protocol):
    """A unit of work with events."""

    @property
    def events(self) -> Events: ...
