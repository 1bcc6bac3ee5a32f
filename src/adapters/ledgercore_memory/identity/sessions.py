"""Sessions in memory."""

from datetime import datetime
from uuid import UUID

from attrs import evolve

from ledgercore.identity.sessions import Session
from ledgercore_memory.identity.state import State


class MemorySessions:
    """See the port `Sessions`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, session: Session) -> None:
        """See the port."""
        self.save(session)

    def find(self, id: UUID) -> Session | None:
        """See the port."""
        return self._state.sessions.get(id)

    def save(self, session: Session) -> None:
        """See the port."""
        self._state.sessions[session.id] = session

    def revoke_all(self, user_id: UUID, *, now: datetime, but: UUID | None = None) -> int:
        """See the port."""
        live = [
            session
            for session in self._state.sessions.values()
            if session.user_id == user_id and session.is_live(now) and session.id != but
        ]
        for session in live:
            self.save(evolve(session, revoked_at=now))
        return len(live)
