"""Users in memory."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from ledgercore.errors import ConflictError
from ledgercore.errors.catalog import EMAIL_ALREADY_EXISTS
from ledgercore.identity.users import Role, User, UserCounts, UserFilter, UserStatus
from ledgercore_memory.identity.state import State


class MemoryUsers:
    """See the port `Users`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, user: User) -> None:
        """See the port."""
        self.save(user)

    def find(self, id: UUID) -> User | None:
        """See the port."""
        return self._state.users.get(id)

    def find_by_email(self, email: str) -> User | None:
        """See the port."""
        return next((user for user in self._state.users.values() if user.email == email), None)

    def save(self, user: User) -> None:
        """See the port."""
        owner = self.find_by_email(user.email)
        if owner is not None and owner.id != user.id:
            raise ConflictError(EMAIL_ALREADY_EXISTS, field="email")
        self._state.users[user.id] = user

    def list_offset(
        self, wanted: UserFilter, *, sort: Sequence[tuple[str, bool]], offset: int, limit: int
    ) -> tuple[Sequence[User], int]:
        """See the port."""
        found = self._fitting(wanted)
        for name, descends in reversed(sort):
            found.sort(key=attrgetter(name), reverse=descends)
        return found[offset : offset + limit], len(found)

    def list_after(self, wanted: UserFilter, *, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[User]:
        """See the port."""
        found = self._fitting(wanted)
        return [user for user in found if after is None or (user.inserted_at, user.id) < after][:limit]

    def count(self) -> UserCounts:
        """See the port."""
        found = self._fitting(UserFilter())
        return UserCounts(
            total=len(found),
            active=sum(user.is_active for user in found),
            admins=sum(user.role is Role.ADMIN for user in found),
            suspended=sum(user.status is UserStatus.SUSPENDED for user in found),
        )

    def _fitting(self, wanted: UserFilter) -> list[User]:
        """Users that fit, newest first."""
        found = [
            user
            for user in self._state.users.values()
            if wanted.role in (None, user.role)
            and (user.status is wanted.status or (wanted.status is None and user.status is not UserStatus.DELETED))
        ]
        return sorted(found, key=attrgetter("inserted_at", "id"), reverse=True)
