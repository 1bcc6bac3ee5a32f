"""Webhooks and deliveries as JSON documents; a secret is in none but that of a new webhook."""

from typing import Any

from ledgercore.events.deliveries import Attempt, Delivery
from ledgercore.events.webhook_administration import NewWebhook
from ledgercore.events.webhooks import WebhookEndpoint
from ledgercore.ledger.documents import present


def webhook_document(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """A webhook; without `types` it gets every type, without `ledger` its owner's events."""
    until = endpoint.previous_until
    return present(
        id=str(endpoint.id),
        owner_id=str(endpoint.owner_id),
        url=endpoint.url,
        types=sorted(endpoint.types),
        ledger=endpoint.ledger,
        status=endpoint.status.value,
        disabled_reason=endpoint.disabled_reason,
        failing=endpoint.failing,
        after_number=endpoint.after_number,
        previous_secret_until=None if until is None else until.isoformat(),
        created_at=endpoint.created_at.isoformat(),
        updated_at=endpoint.updated_at.isoformat(),
    )


def new_webhook_document(new: NewWebhook) -> dict[str, Any]:
    """A webhook and its secret, which is not told again."""
    return {**webhook_document(new.endpoint), "secret": new.secret}


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    """A delivery and every attempt at it."""
    return present(
        id=str(delivery.id),
        event_number=delivery.event_number,
        event_id=str(delivery.event_id),
        event_type=delivery.event_type,
        status=delivery.status.value,
        attempts=[attempt_document(attempt) for attempt in delivery.attempts],
        next_attempt_at=None if delivery.next_attempt_at is None else delivery.next_attempt_at.isoformat(),
        created_at=delivery.created_at.isoformat(),
    )


def attempt_document(attempt: Attempt) -> dict[str, Any]:
    """One attempt."""
    return present(
        at=attempt.at.isoformat(),
        duration_ms=attempt.duration_ms,
        status_code=attempt.status_code,
        reason=attempt.reason,
    )
