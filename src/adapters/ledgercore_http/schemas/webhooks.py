"""Webhooks in the document: those that users have, and those that providers send."""

from typing import Final

from ledgercore.events.deliveries import DeliveryStatus
from ledgercore.events.received import ID_LENGTH_MAX, Provider
from ledgercore.events.types import BANK_TYPES
from ledgercore.events.webhook_administration import URL_LENGTH_MAX
from ledgercore.events.webhooks import LEDGER_TYPES, EndpointStatus
from ledgercore_http.routes import JsonSchema
from ledgercore_http.schemas.building import (
    BOOLEAN,
    MOMENT,
    UUID,
    array,
    asked,
    component,
    needing,
    one_of,
    record,
    text,
    whole,
)
from ledgercore_http.schemas.identity import TIME, USER_ID

WEBHOOK_ID: Final = "01970000-0000-7000-8000-000000000021"
DELIVERY_ID: Final = "01970000-0000-7000-8000-000000000022"
PAYMENT_ID: Final = "01970000-0000-7000-8000-000000000023"
_TYPES: Final = sorted(BANK_TYPES | LEDGER_TYPES)
_URL: Final = text("An https address of a public host.", minLength=1, maxLength=URL_LENGTH_MAX)
_WANTED: Final = array(one_of(_TYPES), description="The types of events to deliver; every type if left out or empty.")
_WEBHOOK: Final = {
    "id": UUID,
    "owner_id": UUID,
    "url": text(),
    "types": array(text()),
    "status": one_of(EndpointStatus),
    "failing": {**BOOLEAN, "description": "Whether the last attempt to deliver failed."},
    "after_number": whole("The number of the last event that has a delivery.", minimum=0),
    "created_at": MOMENT,
    "updated_at": MOMENT,
}
_WEBHOOK_MAYBE: Final = {
    "ledger": text("The ledger whose records are delivered; one's own events if left out."),
    "disabled_reason": text(),
    "previous_secret_until": MOMENT,
}
WEBHOOK: Final = component("Webhook", record(_WEBHOOK, _WEBHOOK_MAYBE))
WEBHOOK_EXAMPLE: Final = {
    "id": WEBHOOK_ID,
    "owner_id": USER_ID,
    "url": "https://example.com/hooks/bank",
    "types": ["payment.completed", "payment.failed"],
    "status": "active",
    "failing": False,
    "after_number": 42,
    "created_at": TIME,
    "updated_at": TIME,
}
NEW_WEBHOOK: Final = component(
    "NewWebhook",
    record(
        {**_WEBHOOK, "secret": text("What deliveries are signed with, by Standard Webhooks; shown this once.")},
        _WEBHOOK_MAYBE,
    ),
)
NEW_WEBHOOK_EXAMPLE: Final = {**WEBHOOK_EXAMPLE, "secret": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}
WEBHOOK_ASKED: Final = component(
    "WebhookAsked",
    asked(
        {"url": _URL},
        {"types": _WANTED, "ledger": text("A ledger that you may read; your own events if left out.", minLength=1)},
    ),
)
WEBHOOK_ASKED_EXAMPLE: Final = {
    "url": "https://example.com/hooks/bank",
    "types": ["payment.completed", "payment.failed"],
}
_CHANGES: Final[dict[str, JsonSchema]] = {"url": _URL, "types": _WANTED, "status": one_of(EndpointStatus)}
WEBHOOK_CHANGE: Final = component("WebhookChange", needing(asked({}, _CHANGES), *_CHANGES))
WEBHOOK_CHANGE_EXAMPLE: Final = {"status": "active"}
REPLAY: Final = component(
    "WebhookReplay", record({"from_number": whole("Where to begin; at most one after `after_number`.", minimum=1)})
)
REPLAY_EXAMPLE: Final = {"from_number": 1}
_ATTEMPT: Final = record(
    {"at": MOMENT, "duration_ms": whole(minimum=0)},
    {"status_code": whole("The status of the answer, if there was one."), "reason": text("What went wrong.")},
)
DELIVERY: Final = component(
    "WebhookDelivery",
    record(
        {
            "id": UUID,
            "event_number": whole(minimum=1),
            "event_id": text("The `webhook-id` that it is sent with.", format="uuid"),
            "event_type": text(),
            "status": one_of(DeliveryStatus),
            "attempts": array(_ATTEMPT),
            "created_at": MOMENT,
        },
        {"next_attempt_at": text("Not before this time it is sent again.", format="date-time")},
    ),
)
DELIVERY_EXAMPLE: Final = {
    "id": DELIVERY_ID,
    "event_number": 42,
    "event_id": "01970000-0000-7000-8000-000000000024",
    "event_type": "payment.completed",
    "status": "delivered",
    "attempts": [{"at": TIME, "duration_ms": 12, "status_code": 204}],
    "created_at": TIME,
}

PROVIDERS: Final = array(record({"provider": one_of(Provider), "path": text()}))
PROVIDERS_EXAMPLE: Final = [{"provider": "payments", "path": "/webhooks/payments"}]
TAKEN: Final = component(
    "WebhookTaken",
    record(
        {
            "provider": one_of(Provider),
            "webhook_id": text(),
            "duplicate": {**BOOLEAN, "description": "Whether it had come before, and so does nothing."},
        }
    ),
)
TAKEN_EXAMPLE: Final = {"provider": "payments", "webhook_id": "evt_1", "duplicate": False}
_SIGNED: Final[dict[str, JsonSchema]] = {
    "id": text("Needed where the signature is over the body alone.", minLength=1, maxLength=ID_LENGTH_MAX),
    "timestamp": {
        "description": "Unix seconds, or an ISO 8601 time; needed as the id is.",
        "anyOf": [whole(), text()],
    },
}


def _told(name: str, required: dict[str, JsonSchema]) -> JsonSchema:
    return component(name, {**record(required, _SIGNED), "additionalProperties": True})


_SIGNED_EXAMPLE: Final = {"id": "evt_1", "timestamp": 1_772_442_000}
REPORTS: Final = {
    Provider.PAYMENTS: _told(
        "PaymentWebhook",
        {
            "payment_id": UUID,
            "status": one_of(["pending", "completed", "failed", "cancelled"]),
            "amount": {"anyOf": [text("A decimal number."), whole()]},
        },
    ),
    Provider.BANKS: _told("BankWebhook", {"user_id": UUID, "bank_id": UUID, "accounts_synced": whole(minimum=0)}),
    Provider.FRAUD: _told(
        "FraudWebhook", {"payment_id": UUID, "severity": text(minLength=1), "risk_score": {"type": "number"}}
    ),
}
"""What each provider sends."""
REPORT_EXAMPLES: Final = {
    Provider.PAYMENTS: {**_SIGNED_EXAMPLE, "payment_id": PAYMENT_ID, "status": "completed", "amount": "12.50"},
    Provider.BANKS: {**_SIGNED_EXAMPLE, "user_id": USER_ID, "bank_id": WEBHOOK_ID, "accounts_synced": 2},
    Provider.FRAUD: {**_SIGNED_EXAMPLE, "payment_id": PAYMENT_ID, "severity": "high", "risk_score": 87},
}
