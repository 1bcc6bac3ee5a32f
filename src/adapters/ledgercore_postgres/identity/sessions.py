"""Sessions in PostgreSQL."""

from datetime import datetime
from uuid import UUID

from attrs import asdict
from sqlalchemy import Connection, insert, select, update

from ledgercore.identity.sessions import Session
from ledgercore_postgres.identity.tables import SESSIONS


class PostgresSessions:
    """See the port `Sessions`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, session: Session) -> None:
        """See the port."""
        self._connection.execute(insert(SESSIONS).values(asdict(session)))

    def find(self, id: UUID) -> Session | None:
        """See the port."""
        found = self._connection.execute(select(SESSIONS).where(SESSIONS.c.id == id).with_for_update()).first()
        return None if found is None else Session(**found._asdict())

    def save(self, session: Session) -> None:
        """See the port."""
        self._connection.execute(update(SESSIONS).where(SESSIONS.c.id == session.id).values(asdict(session)))

    def revoke_all(self, user_id: UUID, *, now: datetime, but: UUID | None = None) -> int:
        """See the port."""
        live = [SESSIONS.c.user_id == user_id, SESSIONS.c.revoked_at.is_(None), SESSIONS.c.expires_at > now]
        others = [] if but is None else [SESSIONS.c.id != but]
        return self._connection.execute(update(SESSIONS).where(*live, *others).values(revoked_at=now)).rowcount
