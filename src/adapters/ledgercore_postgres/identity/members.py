"""Memberships in PostgreSQL."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, ScalarSelect, delete, null, select, text

from ledgercore.errors import NotFoundError
from ledgercore.errors.catalog import LEDGER_NOT_FOUND
from ledgercore.identity.memberships import LedgerAccess, Membership
from ledgercore_postgres.identity.tables import MEMBERSHIPS
from ledgercore_postgres.tables import LEDGERS

_GRANT: Final = text(
    "INSERT INTO memberships (ledger_id, user_id, access, granted_at)"
    " SELECT ledger_id, :user_id, :access, :granted_at FROM ledgers WHERE name = :ledger"
    " ON CONFLICT (ledger_id, user_id) DO UPDATE SET access = excluded.access, granted_at = excluded.granted_at"
)


class PostgresMembers:
    """See the port `Members`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def grant(self, membership: Membership) -> None:
        """See the port."""
        granted = self._connection.execute(
            _GRANT,
            {
                "ledger": membership.ledger,
                "user_id": membership.user_id,
                "access": membership.access,
                "granted_at": membership.granted_at,
            },
        )
        if not granted.rowcount:
            raise NotFoundError(LEDGER_NOT_FOUND, ledger=membership.ledger)

    def revoke(self, ledger: str, user_id: UUID) -> bool:
        """See the port."""
        gone = delete(MEMBERSHIPS).where(MEMBERSHIPS.c.ledger_id == _id_of(ledger), MEMBERSHIPS.c.user_id == user_id)
        return bool(self._connection.execute(gone).rowcount)

    def find(self, ledger: str, user_id: UUID) -> Membership | None:
        """See the port."""
        found = self._connection.execute(
            select(MEMBERSHIPS).where(MEMBERSHIPS.c.ledger_id == _id_of(ledger), MEMBERSHIPS.c.user_id == user_id)
        ).first()
        return None if found is None else _membership(ledger, found)

    def list_in(self, ledger: str) -> Sequence[Membership]:
        """See the port."""
        found = self._connection.execute(
            select(MEMBERSHIPS)
            .where(MEMBERSHIPS.c.ledger_id == _id_of(ledger))
            .order_by(MEMBERSHIPS.c.user_id)
            .with_for_update()
        )
        return [_membership(ledger, row) for row in found]

    def list_of(self, user_id: UUID | None, *, after: str, limit: int) -> Sequence[tuple[str, LedgerAccess | None]]:
        """See the port."""
        found = select(LEDGERS.c.name, null()).where(LEDGERS.c.name > after)
        if user_id is not None:
            found = (
                select(LEDGERS.c.name, MEMBERSHIPS.c.access)
                .join_from(MEMBERSHIPS, LEDGERS, MEMBERSHIPS.c.ledger_id == LEDGERS.c.ledger_id)
                .where(MEMBERSHIPS.c.user_id == user_id, LEDGERS.c.name > after)
            )
        rows = self._connection.execute(found.order_by(LEDGERS.c.name).limit(limit))
        return [(name, None if access is None else LedgerAccess(access)) for name, access in rows]


def _id_of(ledger: str) -> ScalarSelect[int]:
    return select(LEDGERS.c.ledger_id).where(LEDGERS.c.name == ledger).scalar_subquery()


def _membership(ledger: str, row: Row[Any]) -> Membership:
    return Membership(ledger=ledger, user_id=row.user_id, access=LedgerAccess(row.access), granted_at=row.granted_at)
