"""The suite for a store of events: every promise of its ports."""

from ledgercore.testing.events_outbox import OutboxContract
from ledgercore.testing.events_webhooks import WebhookContract


class EventStoreContract(OutboxContract, WebhookContract):
    """Subclass it, override the fixtures `store` and `events`, and run pytest."""
