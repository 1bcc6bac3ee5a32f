"""The audit log in memory."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ledgercore.clock import Clock
from ledgercore.identity.audit import AuditEntry, AuditEvent, AuditFilter, next_audit_entries
from ledgercore.ids import TimeOrderedIds
from ledgercore_memory.identity.state import State


class MemoryAuditLog:
    """See the port `AuditLog`."""

    def __init__(self, state: State, *, clock: Clock, ids: TimeOrderedIds) -> None:
        self._state = state
        self._clock = clock
        self._ids = ids

    def append(self, event: AuditEvent) -> AuditEntry:
        """See the port."""
        [entry] = self.append_all([event])
        return entry

    def append_all(self, events: Sequence[AuditEvent]) -> Sequence[AuditEntry]:
        """See the port."""
        previous = self._state.audit[-1].log if self._state.audit else None
        entries = next_audit_entries(previous, events, now=self._clock(), ids=self._ids)
        self._state.audit.extend(entries)
        return entries

    def list_before(self, wanted: AuditFilter, *, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """See the port."""
        earlier = self._state.audit if before is None else self._state.audit[: max(before - 1, 0)]
        return [entry for entry in reversed(earlier) if _fits(entry, wanted)][:limit]

    def entries(self, *, after: int = 0) -> Iterator[AuditEntry]:
        """See the port."""
        yield from self._state.audit[max(after, 0) :]


def _fits(entry: AuditEntry, wanted: AuditFilter) -> bool:
    body: dict[str, Any] = json.loads(entry.body)
    return (
        all(getattr(wanted, name) in (None, body[name]) for name in ("action", "actor", "target", "correlation_id"))
        and (wanted.since is None or wanted.since <= entry.log.recorded_at)
        and (wanted.until is None or entry.log.recorded_at <= wanted.until)
    )
