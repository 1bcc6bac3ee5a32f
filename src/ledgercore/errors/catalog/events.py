"""Events and webhooks."""

from typing import Final

from ledgercore.errors.category import Category
from ledgercore.errors.reason import Reason

WEBHOOK_NOT_FOUND: Final = Reason(
    "webhook_not_found",
    Category.NOT_FOUND,
    "Webhook not found",
    description="There is no webhook of this id, or it is somebody else's.",
)
DELIVERY_NOT_FOUND: Final = Reason(
    "delivery_not_found",
    Category.NOT_FOUND,
    "Delivery not found",
    description="There is no delivery of this id for this webhook.",
)
INVALID_EVENT_TYPE: Final = Reason(
    "invalid_event_type",
    Category.VALIDATION,
    "Invalid event type",
    description="Use the types in the details.",
)
WEBHOOK_GONE: Final = Reason(
    "webhook_gone",
    Category.BUSINESS_RULE,
    "The receiver wants no more deliveries",
    description="It answered 410, so the webhook was disabled; enable it again when it is back.",
)
WEBHOOK_REFUSED: Final = Reason(
    "webhook_refused",
    Category.EXTERNAL_DEPENDENCY,
    "The receiver did not take the delivery",
    description="It answered with a status other than 2xx; the delivery log has it.",
)
