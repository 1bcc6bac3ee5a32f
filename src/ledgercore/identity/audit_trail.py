"""The audit log as its readers and the edge use it."""

from attrs import frozen

from ledgercore.identity.audit import AuditEntry, AuditEvent, AuditFilter, first_broken
from ledgercore.identity.ports import IdentityStore
from ledgercore.pages import Page, check_limit, decode_cursor, page_of


@frozen
class AuditTrail:
    """Records what no use case records itself, and reads what was recorded."""

    store: IdentityStore

    def record(self, event: AuditEvent) -> AuditEntry:
        """Record a refusal, or whatever else has no unit of work of its own."""
        with self.store.begin() as work:
            return work.audit.append(event)

    def page(self, wanted: AuditFilter, *, cursor: str | None = None, limit: int = 100) -> Page[AuditEntry]:
        """Entries that fit a filter, newest first."""
        before = None if cursor is None else decode_cursor("audit", cursor, int)[0]
        with self.store.begin() as work:
            found = work.audit.list_before(wanted, before=before, limit=check_limit(limit) + 1)
        return page_of(found, limit, "audit", lambda entry: (entry.log.batch,))

    def verify(self) -> AuditEntry | None:
        """The first entry that was changed, moved, or does not continue the one before it; `None` for a sound log."""
        with self.store.begin() as work:
            return first_broken(work.audit.entries())
