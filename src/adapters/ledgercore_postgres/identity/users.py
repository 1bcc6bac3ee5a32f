"""Users in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import asdict
from sqlalchemy import ColumnElement, Connection, Row, Update, func, insert, select, tuple_, update
from sqlalchemy.sql.dml import Insert

from ledgercore.identity.users import Role, User, UserCounts, UserFilter, UserStatus
from ledgercore_postgres.driver_errors import translated_errors
from ledgercore_postgres.identity.tables import USERS


class PostgresUsers:
    """See the port `Users`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, user: User) -> None:
        """See the port."""
        self._store(insert(USERS).values(_values(user)))

    def find(self, id: UUID) -> User | None:
        """See the port."""
        # The key stays as it is, so whoever adds rows that refer to the user need not wait.
        found = self._connection.execute(select(USERS).where(USERS.c.id == id).with_for_update(key_share=True)).first()
        return None if found is None else _user(found)

    def find_by_email(self, email: str) -> User | None:
        """See the port."""
        found = self._connection.execute(select(USERS).where(USERS.c.email == email)).first()
        return None if found is None else _user(found)

    def save(self, user: User) -> None:
        """See the port."""
        self._store(update(USERS).where(USERS.c.id == user.id).values(_values(user)))

    def list_offset(
        self, wanted: UserFilter, *, sort: Sequence[tuple[str, bool]], offset: int, limit: int
    ) -> tuple[Sequence[User], int]:
        """See the port."""
        fitting = _fits(wanted)
        order = [USERS.c[name].desc() if descends else USERS.c[name].asc() for name, descends in sort]
        found = self._connection.execute(
            select(USERS)
            .where(*fitting)
            .order_by(*order, USERS.c.inserted_at.desc(), USERS.c.id.desc())
            .offset(offset)
            .limit(limit)
        ).all()
        total = self._connection.execute(select(func.count()).select_from(USERS).where(*fitting)).scalar_one()
        return [_user(row) for row in found], total

    def list_after(self, wanted: UserFilter, *, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[User]:
        """See the port."""
        place = tuple_(USERS.c.inserted_at, USERS.c.id)
        found = self._connection.execute(
            select(USERS)
            .where(*_fits(wanted), *(() if after is None else (place < after,)))
            .order_by(USERS.c.inserted_at.desc(), USERS.c.id.desc())
            .limit(limit)
        ).all()
        return [_user(row) for row in found]

    def count(self) -> UserCounts:
        """See the port."""
        active = USERS.c.status == UserStatus.ACTIVE
        suspended = USERS.c.status == UserStatus.SUSPENDED
        admins = USERS.c.role == Role.ADMIN
        row = self._connection.execute(
            select(func.count(), *(func.count().filter(each) for each in (active, admins, suspended)))
            .select_from(USERS)
            .where(*_fits(UserFilter()))
        ).one()
        return UserCounts(total=row[0], active=row[1], admins=row[2], suspended=row[3])

    def _store(self, statement: Insert | Update) -> None:
        # Behind a savepoint, so that the unit of work can go on after an email that is taken.
        with translated_errors(), self._connection.begin_nested():
            self._connection.execute(statement)


def _values(user: User) -> dict[str, Any]:
    return asdict(user, recurse=False)


def _user(row: Row[Any]) -> User:
    fields = row._asdict()
    return User(**{**fields, "role": Role(row.role), "status": UserStatus(row.status)})


def _fits(wanted: UserFilter) -> list[ColumnElement[bool]]:
    status = USERS.c.status != UserStatus.DELETED if wanted.status is None else USERS.c.status == wanted.status
    return [status, *(() if wanted.role is None else (USERS.c.role == wanted.role,))]
