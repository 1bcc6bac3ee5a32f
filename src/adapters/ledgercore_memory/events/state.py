"""Everything that is kept of events, by what it is found by."""

from uuid import UUID

from attrs import define, field

from ledgercore.events.deliveries import Delivery
from ledgercore.events.events import StoredEvent
from ledgercore.events.received import Provider, ReceivedWebhook
from ledgercore.events.webhooks import WebhookEndpoint


@define
class State:
    """What is kept; all of it frozen, in lists and dictionaries."""

    events: list[StoredEvent] = field(factory=list)
    endpoints: dict[UUID, WebhookEndpoint] = field(factory=dict)
    deliveries: dict[UUID, Delivery] = field(factory=dict)
    received: dict[tuple[Provider, str], ReceivedWebhook] = field(factory=dict)
