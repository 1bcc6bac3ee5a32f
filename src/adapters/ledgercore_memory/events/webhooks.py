"""Webhooks in memory."""

from collections.abc import Sequence
from uuid import UUID

from ledgercore.events.deliveries import Delivery
from ledgercore.events.received import ReceivedWebhook
from ledgercore.events.webhooks import WebhookEndpoint
from ledgercore_memory.events.state import State


class MemoryWebhooks:
    """See the port `Webhooks`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, endpoint: WebhookEndpoint) -> None:
        """See the port."""
        self._state.endpoints[endpoint.id] = endpoint

    def find(self, id: UUID) -> WebhookEndpoint | None:
        """See the port."""
        return self._state.endpoints.get(id)

    def save(self, endpoint: WebhookEndpoint) -> None:
        """See the port."""
        self._state.endpoints[endpoint.id] = endpoint

    def remove(self, id: UUID) -> None:
        """See the port."""
        del self._state.endpoints[id]
        self._state.deliveries = {
            key: delivery for key, delivery in self._state.deliveries.items() if delivery.endpoint_id != id
        }

    def list_of(self, owner_id: UUID | None, *, after: UUID | None, limit: int) -> Sequence[WebhookEndpoint]:
        """See the port."""
        found = self._listed(after)
        return [endpoint for endpoint in found if owner_id in (None, endpoint.owner_id)][:limit]

    def list_active(self, *, after: UUID | None, limit: int) -> Sequence[WebhookEndpoint]:
        """See the port."""
        return [endpoint for endpoint in self._listed(after) if endpoint.is_active][:limit]

    def add_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """See the port."""
        self._state.deliveries.update({delivery.id: delivery for delivery in deliveries})

    def find_delivery(self, id: UUID) -> Delivery | None:
        """See the port."""
        return self._state.deliveries.get(id)

    def save_delivery(self, delivery: Delivery) -> None:
        """See the port."""
        if delivery.id in self._state.deliveries:
            self._state.deliveries[delivery.id] = delivery

    def list_deliveries(self, endpoint_id: UUID, *, before: UUID | None, limit: int) -> Sequence[Delivery]:
        """See the port."""
        found = sorted(self._state.deliveries.values(), key=lambda delivery: delivery.id, reverse=True)
        return [
            delivery
            for delivery in found
            if delivery.endpoint_id == endpoint_id and (before is None or delivery.id < before)
        ][:limit]

    def receive(self, webhook: ReceivedWebhook) -> bool:
        """See the port."""
        key = (webhook.provider, webhook.id)
        is_new = key not in self._state.received
        self._state.received.setdefault(key, webhook)
        return is_new

    def _listed(self, after: UUID | None) -> list[WebhookEndpoint]:
        found = sorted(self._state.endpoints.values(), key=lambda endpoint: endpoint.id)
        return [endpoint for endpoint in found if after is None or endpoint.id > after]
