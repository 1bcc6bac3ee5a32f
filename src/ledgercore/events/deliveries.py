"""Deliveries: one event on its way to one endpoint, and every attempt to bring it there."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from attrs import evolve, field, frozen


class DeliveryStatus(StrEnum):
    """Whether the receiver has taken it. A dead one was given up, and can be sent again by hand."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@frozen(kw_only=True)
class Attempt:
    """One sending: the status of the answer, or none and the reason why there is none."""

    at: datetime
    duration_ms: int
    status_code: int | None = None
    reason: str | None = None


@frozen(kw_only=True)
class Delivery:
    """An event for an endpoint. `body` is what is signed and sent, the same in every attempt."""

    id: UUID
    endpoint_id: UUID
    replay: int
    event_number: int
    event_id: UUID
    event_type: str
    body: str = field(repr=False)
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: tuple[Attempt, ...] = ()
    next_attempt_at: datetime | None = None
    created_at: datetime

    def attempted(
        self, attempt: Attempt, status: DeliveryStatus, *, next_attempt_at: datetime | None = None
    ) -> "Delivery":
        """The same after one more attempt."""
        return evolve(self, attempts=(*self.attempts, attempt), status=status, next_attempt_at=next_attempt_at)
