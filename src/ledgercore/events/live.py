"""What is told live: payments and balances, to their owner alone."""

from typing import Any, Final

from ledgercore.events.events import StoredEvent

PAYMENT: Final = "payment."
BALANCE: Final = "balance."


def is_live(stored: StoredEvent) -> bool:
    """Whether an event is told to those who listen: only one with an owner."""
    return stored.event.owner_id is not None and stored.event.type.startswith((PAYMENT, BALANCE))


def live_document(stored: StoredEvent) -> dict[str, Any]:
    """An event as listeners get it; its number is where to go on from."""
    return {
        "number": stored.number,
        "id": str(stored.id),
        "type": stored.event.type,
        "occurred_at": stored.occurred_at.isoformat(),
        "subject": stored.event.subject,
        "data": dict(stored.event.data),
    }
