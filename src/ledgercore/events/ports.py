"""What events need from a store."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from ledgercore.events.deliveries import Delivery
from ledgercore.events.events import Event, StoredEvent
from ledgercore.events.received import ReceivedWebhook
from ledgercore.events.webhooks import WebhookEndpoint
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


class Webhooks(Protocol):
    """Endpoints, their deliveries, and the webhooks of others that came in."""

    def add(self, endpoint: WebhookEndpoint) -> None:
        """Store a new endpoint."""
        ...

    def find(self, id: UUID) -> WebhookEndpoint | None:
        """An endpoint, locked until the end of the unit of work."""
        ...

    def save(self, endpoint: WebhookEndpoint) -> None:
        """Replace an endpoint."""
        ...

    def remove(self, id: UUID) -> None:
        """Remove an endpoint with all of its deliveries."""
        ...

    def list_of(self, owner_id: UUID | None, *, after: UUID | None, limit: int) -> Sequence[WebhookEndpoint]:
        """At most `limit` endpoints of an owner, or of all, after an id, in the order of ids; not locked."""
        ...

    def list_active(self, *, after: UUID | None, limit: int) -> Sequence[WebhookEndpoint]:
        """At most `limit` active endpoints after an id, in the order of ids; not locked."""
        ...

    def add_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Store new deliveries; an event has one for each endpoint and replay."""
        ...

    def find_delivery(self, id: UUID) -> Delivery | None:
        """A delivery, locked until the end of the unit of work."""
        ...

    def save_delivery(self, delivery: Delivery) -> None:
        """Replace a delivery, if it is still there."""
        ...

    def list_deliveries(self, endpoint_id: UUID, *, before: UUID | None, limit: int) -> Sequence[Delivery]:
        """At most `limit` deliveries to an endpoint, newest first, before an id; not locked."""
        ...

    def receive(self, webhook: ReceivedWebhook) -> bool:
        """Store a webhook of a provider; false when its id was received before, by whoever came first.

        Waits while another unit of work stores the same one, so that of many at once one acts.
        """
        ...


class Work(JobsWork, Protocol):
    """A unit of work with events."""

    @property
    def events(self) -> Events: ...
    @property
    def webhooks(self) -> Webhooks: ...


class Store(Protocol):
    """Where events are kept with everything else."""

    def begin(self) -> AbstractContextManager[Work]:
        """A unit of work: committed at the end of the block, undone by an exception."""
        ...
