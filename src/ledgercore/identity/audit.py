"""The audit log: who did what to whom, when and from where; append-only and chained like a ledger's log."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import field, frozen

from ledgercore.clock import next_recorded_at
from ledgercore.errors.details import json_details
from ledgercore.ids import TimeOrderedIds
from ledgercore.ledger.log.chain import GENESIS, LogEntry, next_entry
from ledgercore.ledger.log.merkle import leaf_hash
from ledgercore.ledger.texts import encode_json

ACTIONS: Final = (
    "user_created", "user_created_by_admin", "user_updated", "user_deleted", "user_login", "user_logout",
    "user_logout_all", "session_revoked", "password_changed", "password_rehashed", "session_refreshed",
    "refresh_token_reused", "service_token_issued", "service_token_revoked", "ledger_created", "member_granted",
    "member_revoked", "settings_changed", "period_closed", "authentication_failure", "authorization_failure",
    "rate_limit_exceeded", "malformed_json_request", "job_cancelled", "job_replayed",
    "payment_created", "payment_scheduled", "payment_processed", "payment_failed", "payment_cancelled",
    "payment_returned", "bank_created", "bank_updated", "branch_created", "bank_login_added", "bank_login_connecting",
    "secrets_resealed",
    "bank_login_connected", "bank_login_disconnected", "bank_login_synced", "bank_login_failed", "bank_finding",
    "bank_account_created", "bank_account_updated",
    "statement_imported", "lines_matched", "match_undone",
    "webhook_created", "webhook_changed", "webhook_secret_rotated", "webhook_removed", "webhook_replayed",
    "webhook_redelivered", "webhook_disabled", "fraud_reported",
)  # fmt: skip
"""Every action that is ever recorded."""

TEXT_LENGTH_MAX: Final = 255


def _as_details(details: Mapping[str, object]) -> Mapping[str, Any]:
    # The same rule as for errors: what has a sensitive name is left out.
    return {_storable(name): _storable(value) for name, value in json_details(details).items()}


def _as_text(text: str | None) -> str | None:
    return None if text is None else _storable(text)[:TEXT_LENGTH_MAX]


def _storable(value: Any) -> Any:
    """The same without NUL and lone surrogates, which are spelled out: whatever a stranger sent can be stored."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")
    if isinstance(value, Mapping):
        return {_storable(name): _storable(inner) for name, inner in value.items()}
    return [_storable(inner) for inner in value] if isinstance(value, list) else value


@frozen(kw_only=True)
class Actor:
    """Who acts, and from where: `user:<id>`, `token:<id>`, `operator` at the command line, or `anonymous`."""

    name: str
    source: str | None = field(default=None, converter=_as_text)
    correlation_id: str | None = field(default=None, converter=_as_text)


OPERATOR: Final = Actor(name="operator", source="cli")


@frozen(kw_only=True)
class AuditEvent:
    """One thing that happened, before it has its place in the log. `target` is what it was done to."""

    action: str
    actor: Actor
    target: str | None = field(default=None, converter=_as_text)
    details: Mapping[str, Any] = field(factory=dict, converter=_as_details)


@frozen(kw_only=True)
class AuditEntry:
    """A stored event: `body` is the canonical JSON that the log entry's root is the leaf hash of."""

    body: bytes
    log: LogEntry


@frozen(kw_only=True)
class AuditFilter:
    """Which entries to find; every field that is given must fit. Times are inclusive."""

    action: str | None = None
    actor: str | None = None
    target: str | None = None
    correlation_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def next_audit_entry(previous: LogEntry | None, event: AuditEvent, *, id: UUID, now: datetime) -> AuditEntry:
    """Give an event its place after another entry: a batch of one in the chain of the log."""
    number = 1 if previous is None else previous.batch + 1
    body = encode_json(
        {
            "id": str(id),
            "number": number,
            "at": now.isoformat(),
            "action": event.action,
            "actor": event.actor.name,
            "source": event.actor.source,
            "correlation_id": event.actor.correlation_id,
            "target": event.target,
            "details": event.details,
        }
    )
    head = GENESIS if previous is None else previous.head
    log = next_entry(previous=head, batch=number, first=number, last=number, recorded_at=now, root=leaf_hash(body))
    return AuditEntry(body=body, log=log)


def next_audit_entries(
    previous: LogEntry | None, events: Iterable[AuditEvent], *, now: datetime, ids: TimeOrderedIds
) -> list[AuditEntry]:
    """Give events their places one after the other, each later than the one before it."""
    entries = []
    for event in events:
        at = next_recorded_at(now, None if previous is None else previous.recorded_at)
        entry = next_audit_entry(previous, event, id=ids.one(at), now=at)
        entries.append(entry)
        previous = entry.log
    return entries


def first_broken(entries: Iterable[AuditEntry]) -> AuditEntry | None:
    """The first entry that was changed, moved, or does not continue the one before it; `None` for a sound log."""
    previous: LogEntry | None = None
    for entry in entries:
        if entry.log.root != leaf_hash(entry.body) or not entry.log.follows(previous):
            return entry
        previous = entry.log
    return None
