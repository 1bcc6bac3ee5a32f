"""Webhook endpoints: who is told, of what, where, and how far they have been told."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from attrs import evolve, field, frozen

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import INVALID_EVENT_TYPE
from ledgercore.events.types import BANK_TYPES
from ledgercore.ledger.log.records import KIND_NAMES

PREVIOUS_SECRET_VALID_FOR: Final = timedelta(hours=24)
LEDGER_TYPES: Final = frozenset(KIND_NAMES.values())


class EndpointStatus(StrEnum):
    """Whether events are delivered; those of a disabled endpoint wait until it is enabled again."""

    ACTIVE = "active"
    DISABLED = "disabled"


@frozen(kw_only=True)
class WebhookEndpoint:
    """An address that a user's events are delivered to, or the log of a ledger if one is named.

    Without `types` every type is delivered. `after_number` is the last event that has a delivery, `replays` how often
    it was set back. Secrets are sealed. `failing` says that the last attempt to deliver failed.
    """

    id: UUID
    owner_id: UUID
    url: str
    types: frozenset[str] = frozenset()
    ledger: str | None = None
    after_number: int = 0
    replays: int = 0
    secret: bytes = field(repr=False)
    previous_secret: bytes | None = field(default=None, repr=False)
    previous_until: datetime | None = None
    status: EndpointStatus = EndpointStatus.ACTIVE
    disabled_reason: str | None = None
    failing: bool = False
    created_at: datetime
    updated_at: datetime

    @property
    def is_active(self) -> bool:
        """Whether events are delivered."""
        return self.status is EndpointStatus.ACTIVE

    @property
    def seal_context(self) -> str:
        """What its secrets are sealed for: this row and no other."""
        return f"webhook_endpoints:{self.id}:secret"

    def sealed_secrets(self, now: datetime) -> tuple[bytes, ...]:
        """The secrets to sign with: the newest, and the one before it for a day after the rotation."""
        if self.previous_secret is None or self.previous_until is None or now >= self.previous_until:
            return (self.secret,)
        return (self.secret, self.previous_secret)

    def rotated(self, secret: bytes, now: datetime) -> "WebhookEndpoint":
        """The same with another secret; the one it had is good for a day more."""
        return evolve(
            self, secret=secret, previous_secret=self.secret, previous_until=now + PREVIOUS_SECRET_VALID_FOR,
            updated_at=now,
        )  # fmt: skip

    def disabled(self, reason: str, now: datetime) -> "WebhookEndpoint":
        """The same, told nothing any more."""
        return evolve(self, status=EndpointStatus.DISABLED, disabled_reason=reason, updated_at=now)

    def enabled(self, now: datetime) -> "WebhookEndpoint":
        """The same, told from where it had got to."""
        return evolve(self, status=EndpointStatus.ACTIVE, disabled_reason=None, failing=False, updated_at=now)


def check_types(types: Iterable[object], ledger: str | None) -> frozenset[str]:
    """The types of events to deliver; raises `invalid_event_type` for one that there is not."""
    allowed = BANK_TYPES if ledger is None else LEDGER_TYPES
    wanted = set()
    for type in types:
        if not isinstance(type, str) or type not in allowed:
            raise ValidationError(INVALID_EVENT_TYPE, field="types", value=shortened(type), allowed=sorted(allowed))
        wanted.add(type)
    return frozenset(wanted)
