"""Service tokens in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import asdict
from sqlalchemy import Connection, Row, insert, or_, select, text, update

from ledgercore.identity.service_tokens import Scope, ServiceToken
from ledgercore_postgres.identity.tables import SERVICE_TOKENS

_TOUCH: Final = text(
    "UPDATE service_tokens SET last_used_at = greatest(last_used_at, CAST(:used_at AS timestamptz)) WHERE id = :id"
)


class PostgresServiceTokens:
    """See the port `ServiceTokens`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, token: ServiceToken) -> None:
        """See the port."""
        self._connection.execute(insert(SERVICE_TOKENS).values(_values(token)))

    def find(self, id: UUID) -> ServiceToken | None:
        """See the port."""
        found = self._connection.execute(
            select(SERVICE_TOKENS).where(SERVICE_TOKENS.c.id == id).with_for_update()
        ).first()
        return None if found is None else _token(found)

    def save(self, token: ServiceToken) -> None:
        """See the port."""
        self._connection.execute(update(SERVICE_TOKENS).where(SERVICE_TOKENS.c.id == token.id).values(_values(token)))

    def list_after(self, *, owner_id: UUID | None, after: UUID | None, limit: int) -> Sequence[ServiceToken]:
        """See the port."""
        found = select(SERVICE_TOKENS).order_by(SERVICE_TOKENS.c.id).limit(limit)
        if owner_id is not None:
            found = found.where(SERVICE_TOKENS.c.owner_id == owner_id)
        if after is not None:
            found = found.where(SERVICE_TOKENS.c.id > after)
        return [_token(row) for row in self._connection.execute(found)]

    def revoke_all(self, owner_id: UUID, *, now: datetime) -> int:
        """See the port."""
        unexpired = or_(SERVICE_TOKENS.c.expires_at.is_(None), SERVICE_TOKENS.c.expires_at > now)
        return self._connection.execute(
            update(SERVICE_TOKENS)
            .where(SERVICE_TOKENS.c.owner_id == owner_id, SERVICE_TOKENS.c.revoked_at.is_(None), unexpired)
            .values(revoked_at=now)
        ).rowcount


def touch(connection: Connection, used: Sequence[tuple[UUID, datetime]]) -> None:
    """Note when keys were last used, one after the other by id, so that nobody waits for one another in a circle."""
    for id, used_at in sorted(used):
        connection.execute(_TOUCH, {"id": id, "used_at": used_at})


def _values(token: ServiceToken) -> dict[str, Any]:
    fields = asdict(token, recurse=False)
    ledgers = None if token.ledgers is None else sorted(token.ledgers)
    return {**fields, "scopes": sorted(token.scopes), "ledgers": ledgers}


def _token(row: Row[Any]) -> ServiceToken:
    return ServiceToken(**{**row._asdict(), "scopes": frozenset(map(Scope, row.scopes))})
