"""Webhooks in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import asdict
from sqlalchemy import Connection, Row, delete, insert, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_leave

from ledgercore.events.deliveries import Attempt, Delivery, DeliveryStatus
from ledgercore.events.received import ReceivedWebhook
from ledgercore.events.webhooks import EndpointStatus, WebhookEndpoint
from ledgercore_postgres.events.tables import DELIVERIES, ENDPOINTS, RECEIVED


class PostgresWebhooks:
    """See the port `Webhooks`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, endpoint: WebhookEndpoint) -> None:
        """See the port."""
        self._connection.execute(insert(ENDPOINTS).values(_endpoint_values(endpoint)))

    def find(self, id: UUID) -> WebhookEndpoint | None:
        """See the port."""
        found = self._connection.execute(select(ENDPOINTS).where(ENDPOINTS.c.id == id).with_for_update()).first()
        return None if found is None else _endpoint(found)

    def save(self, endpoint: WebhookEndpoint) -> None:
        """See the port."""
        self._connection.execute(
            update(ENDPOINTS).where(ENDPOINTS.c.id == endpoint.id).values(_endpoint_values(endpoint))
        )

    def remove(self, id: UUID) -> None:
        """See the port."""
        self._connection.execute(delete(ENDPOINTS).where(ENDPOINTS.c.id == id))

    def list_of(self, owner_id: UUID | None, *, after: UUID | None, limit: int) -> Sequence[WebhookEndpoint]:
        """See the port."""
        found = select(ENDPOINTS).order_by(ENDPOINTS.c.id).limit(limit)
        if owner_id is not None:
            found = found.where(ENDPOINTS.c.owner_id == owner_id)
        if after is not None:
            found = found.where(ENDPOINTS.c.id > after)
        return [_endpoint(row) for row in self._connection.execute(found)]

    def list_active(self, *, after: UUID | None, limit: int) -> Sequence[WebhookEndpoint]:
        """See the port."""
        # Spelled out, so that the planner knows it for the condition of the index.
        is_active = ENDPOINTS.c.status == literal_column("'active'")
        found = select(ENDPOINTS).where(is_active).order_by(ENDPOINTS.c.id).limit(limit)
        if after is not None:
            found = found.where(ENDPOINTS.c.id > after)
        return [_endpoint(row) for row in self._connection.execute(found)]

    def add_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """See the port."""
        if deliveries:
            self._connection.execute(insert(DELIVERIES), [_delivery_values(delivery) for delivery in deliveries])

    def find_delivery(self, id: UUID) -> Delivery | None:
        """See the port."""
        found = self._connection.execute(select(DELIVERIES).where(DELIVERIES.c.id == id).with_for_update()).first()
        return None if found is None else _delivery(found)

    def save_delivery(self, delivery: Delivery) -> None:
        """See the port."""
        self._connection.execute(
            update(DELIVERIES).where(DELIVERIES.c.id == delivery.id).values(_delivery_values(delivery))
        )

    def list_deliveries(self, endpoint_id: UUID, *, before: UUID | None, limit: int) -> Sequence[Delivery]:
        """See the port."""
        found = (
            select(DELIVERIES)
            .where(DELIVERIES.c.endpoint_id == endpoint_id)
            .order_by(DELIVERIES.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            found = found.where(DELIVERIES.c.id < before)
        return [_delivery(row) for row in self._connection.execute(found)]

    def receive(self, webhook: ReceivedWebhook) -> bool:
        """See the port."""
        stored = insert_or_leave(RECEIVED).values(
            provider=webhook.provider.value,
            id=webhook.id,
            sent_at=webhook.sent_at,
            received_at=webhook.received_at,
            body=webhook.document,
        )
        new = stored.on_conflict_do_nothing().returning(RECEIVED.c.id)
        return self._connection.execute(new).first() is not None


def _endpoint_values(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {**asdict(endpoint, recurse=False), "types": sorted(endpoint.types), "status": endpoint.status.value}


def _endpoint(row: Row[Any]) -> WebhookEndpoint:
    return WebhookEndpoint(**{**row._asdict(), "types": frozenset(row.types), "status": EndpointStatus(row.status)})


def _delivery_values(delivery: Delivery) -> dict[str, Any]:
    return {
        **asdict(delivery, recurse=False),
        "status": delivery.status.value,
        "attempts": [{**asdict(attempt), "at": attempt.at.isoformat()} for attempt in delivery.attempts],
    }


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        **{
            **row._asdict(),
            "status": DeliveryStatus(row.status),
            "attempts": tuple(_attempt(told) for told in row.attempts),
        }
    )


def _attempt(told: Mapping[str, Any]) -> Attempt:
    return Attempt(**{**told, "at": datetime.fromisoformat(told["at"])})
