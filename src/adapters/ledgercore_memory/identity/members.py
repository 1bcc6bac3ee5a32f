"""Memberships in memory."""

from collections.abc import Sequence
from uuid import UUID

from ledgercore.errors import NotFoundError
from ledgercore.errors.catalog import LEDGER_NOT_FOUND
from ledgercore.identity.memberships import LedgerAccess, Membership
from ledgercore_memory.identity.state import State
from ledgercore_memory.store import MemoryStore


class MemoryMembers:
    """See the port `Members`."""

    def __init__(self, state: State, store: MemoryStore) -> None:
        self._state = state
        self._store = store

    def grant(self, membership: Membership) -> None:
        """See the port."""
        if membership.ledger not in self._store.names():
            raise NotFoundError(LEDGER_NOT_FOUND, ledger=membership.ledger)
        self._state.members[membership.ledger, membership.user_id] = membership

    def revoke(self, ledger: str, user_id: UUID) -> bool:
        """See the port."""
        return self._state.members.pop((ledger, user_id), None) is not None

    def find(self, ledger: str, user_id: UUID) -> Membership | None:
        """See the port."""
        return self._state.members.get((ledger, user_id))

    def list_in(self, ledger: str) -> Sequence[Membership]:
        """See the port."""
        return [membership for (name, _), membership in sorted(self._state.members.items()) if name == ledger]

    def list_of(self, user_id: UUID | None, *, after: str, limit: int) -> Sequence[tuple[str, LedgerAccess | None]]:
        """See the port."""
        found = {membership.ledger: membership for (_, id), membership in self._state.members.items() if id == user_id}
        names = self._store.names() if user_id is None else sorted(found)
        wanted = [name for name in names if name > after][:limit]
        return [(name, found[name].access if name in found else None) for name in wanted]
