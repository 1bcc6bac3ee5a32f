"""Service tokens in memory."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import evolve

from ledgercore.identity.service_tokens import ServiceToken
from ledgercore_memory.identity.state import State


class MemoryServiceTokens:
    """See the port `ServiceTokens`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, token: ServiceToken) -> None:
        """See the port."""
        self.save(token)

    def find(self, id: UUID) -> ServiceToken | None:
        """See the port."""
        return self._state.tokens.get(id)

    def save(self, token: ServiceToken) -> None:
        """See the port."""
        self._state.tokens[token.id] = token

    def list_after(self, *, owner_id: UUID | None, after: UUID | None, limit: int) -> Sequence[ServiceToken]:
        """See the port."""
        found = [
            token
            for id, token in sorted(self._state.tokens.items())
            if owner_id in (None, token.owner_id) and (after is None or id > after)
        ]
        return found[:limit]

    def revoke_all(self, owner_id: UUID, *, now: datetime) -> int:
        """See the port."""
        live = [token for token in self._state.tokens.values() if token.owner_id == owner_id and token.is_live(now)]
        for token in live:
            self.save(evolve(token, revoked_at=now))
        return len(live)

    def touch(self, id: UUID, used_at: datetime) -> None:
        """Note that a key was used, unless a later use is known."""
        token = self.find(id)
        if token is not None:
            self.save(evolve(token, last_used_at=max(used_at, token.last_used_at or used_at)))
