"""Registering users, and what admins and operators do with them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import evolve, field, frozen

from ledgercore.clock import Clock
from ledgercore.errors import AuthorizationError, NotFoundError, ValidationError
from ledgercore.errors.catalog import FORBIDDEN, MISSING_FIELDS, USER_NOT_FOUND
from ledgercore.identity.access import Caller, check_admin
from ledgercore.identity.audit import Actor, AuditEvent
from ledgercore.identity.normalizers import admin_user_attrs, user_attrs, user_update_attrs
from ledgercore.identity.passwords import check_new_password
from ledgercore.identity.policies import can_delete_user
from ledgercore.identity.ports import IdentityStore, Work
from ledgercore.identity.principals import Principal
from ledgercore.identity.secrets import PasswordHasher
from ledgercore.identity.service_tokens import Scope
from ledgercore.identity.user_changes import checked, decide_move, decide_update, existing_user, store_change
from ledgercore.identity.users import (
    Role,
    User,
    UserCounts,
    UserFilter,
    UserStatus,
    check_email,
    check_full_name,
    check_role,
)
from ledgercore.ids import TimeOrderedIds

REQUIRED: Final = ("email", "full_name", "password", "password_confirmation")


@frozen(kw_only=True)
class NewUser:
    """A user who may be stored: everything is checked and the password hashed, which takes milliseconds."""

    email: str
    full_name: str
    role: Role
    password_hash: str = field(repr=False)
    action: str


@frozen(kw_only=True)
class UserPage:
    """Users from an offset, and how many there are in all."""

    items: Sequence[User]
    page: int
    page_size: int
    total_count: int

    @property
    def total_pages(self) -> int:
        """How many pages of this size there are."""
        return -(-self.total_count // self.page_size)


@frozen(kw_only=True)
class UserSlice:
    """Users after a position; `next_after` is where the next slice begins, `None` at the end."""

    items: Sequence[User]
    limit: int
    next_after: tuple[datetime, UUID] | None


@frozen(kw_only=True)
class UserAdministration:
    """Creates, finds, changes and removes users."""

    store: IdentityStore
    hasher: PasswordHasher
    clock: Clock
    random_bytes: Callable[[int], bytes]

    def register(self, attrs: object, *, actor: Actor) -> User:
        """Add whoever asks for it, as an ordinary user; raises as `prepare_registration` and `add` do."""
        return self.add(self.prepare_registration(attrs), actor=actor)

    def create(self, attrs: object, *, by: Caller, actor: Actor) -> User:
        """Add a user with a role; raises as `prepare` and `add` do."""
        return self.add(self.prepare(attrs, by=by), actor=actor)

    def prepare_registration(self, attrs: object) -> NewUser:
        """Check a registration and hash its password, outside any unit of work.

        Raises `missing_fields`, `invalid_email_format`, `invalid_name_format` and `invalid_password_format`.
        """
        return self._prepared(user_attrs(attrs), action="user_created")

    def prepare(self, attrs: object, *, by: Caller) -> NewUser:
        """Check what an admin or operator sends of a new user; also raises `invalid_role`."""
        check_admin(by, Scope.USERS_WRITE)
        return self._prepared(admin_user_attrs(attrs), action="user_created_by_admin")

    def add(self, new: NewUser, *, actor: Actor) -> User:
        """Store a user who was prepared; raises `email_already_exists`."""
        now = self.clock()
        user = User(
            id=TimeOrderedIds(self.random_bytes).one(now),
            email=new.email,
            full_name=new.full_name,
            role=new.role,
            status=UserStatus.ACTIVE,
            password_hash=new.password_hash,
            inserted_at=now,
            updated_at=now,
        )
        with self.store.begin() as work:
            work.users.add(user)
            work.audit.append(
                AuditEvent(action=new.action, actor=actor, target=f"user:{user.id}", details={"role": user.role})
            )
        return user

    def get(self, id: UUID, *, by: Caller) -> User:
        """A user; raises `user_not_found`, also for a deleted one."""
        check_admin(by, Scope.USERS_READ)
        with self.store.begin() as work:
            return existing_user(work, id)

    def id_of(self, email: object, *, by: Caller) -> UUID:
        """The id of the user who has an address, or had it when they were deleted; raises `user_not_found`."""
        check_admin(by, Scope.USERS_READ)
        address = check_email(email)
        with self.store.begin() as work:
            user = work.users.find_by_email(address)
        if user is None:
            raise NotFoundError(USER_NOT_FOUND, email=address)
        return user.id

    def emails_of(self, ids: Iterable[UUID], *, by: Caller) -> Mapping[UUID, str]:
        """The addresses of users, deleted ones too; who is not there is left out."""
        check_admin(by, Scope.USERS_READ)
        with self.store.begin() as work:
            # Always in one order, so that of two who ask nobody waits in a circle.
            found = [work.users.find(id) for id in sorted(set(ids))]
        return {user.id: user.email for user in found if user is not None}

    def page(
        self, wanted: UserFilter, *, by: Caller, page: int, page_size: int, sort: Sequence[tuple[str, bool]] = ()
    ) -> UserPage:
        """Users by page number, counted from 1; the total counts what fits the filter."""
        check_admin(by, Scope.USERS_READ)
        with self.store.begin() as work:
            items, total = work.users.list_offset(wanted, sort=sort, offset=(page - 1) * page_size, limit=page_size)
        return UserPage(items=items, page=page, page_size=page_size, total_count=total)

    def page_after(
        self, wanted: UserFilter, *, by: Caller, limit: int, after: tuple[datetime, UUID] | None = None
    ) -> UserSlice:
        """Users after a position, newest first."""
        check_admin(by, Scope.USERS_READ)
        with self.store.begin() as work:
            found = work.users.list_after(wanted, after=after, limit=limit + 1)
        items = tuple(found[:limit])
        last = (items[-1].inserted_at, items[-1].id) if len(found) > limit else None
        return UserSlice(items=items, limit=limit, next_after=last)

    def stats(self, *, by: Caller) -> UserCounts:
        """How many users there are."""
        check_admin(by, Scope.USERS_READ)
        with self.store.begin() as work:
            return work.users.count()

    def update(self, id: UUID, attrs: object, *, by: Caller, actor: Actor) -> User:
        """Give a user another email, name, role or status.

        Raises `missing_fields` when none is given, what the checks of the values raise, `user_not_found`,
        `email_already_exists`, `last_admin`, and `forbidden` for a status that would delete oneself.
        """
        check_admin(by, Scope.USERS_WRITE)
        changes = checked(user_update_attrs(attrs), one_of=("email", "full_name", "role", "status"))
        return self._changed(by, id, lambda user, now: decide_update(user, changes, now=now), actor)

    def suspend(self, id: UUID, *, by: Caller, actor: Actor) -> User:
        """Shut a user out at once, keys included; raises `user_not_found`, `invalid_status_change`, `last_admin`."""
        return self._moved(by, id, "suspend", actor)

    def activate(self, id: UUID, *, by: Caller, actor: Actor) -> User:
        """Let a suspended user in again, who has to log in anew; raises `user_not_found`, `invalid_status_change`."""
        return self._moved(by, id, "activate", actor)

    def delete(self, id: UUID, *, by: Caller, actor: Actor) -> User:
        """Remove a user from sight for ever, with all sessions and keys; the email stays taken.

        Raises `user_not_found`, `last_admin`, and `forbidden` for oneself.
        """
        return self._moved(by, id, "delete", actor)

    def set_password(self, id: UUID, password: object, *, by: Caller, actor: Actor) -> int:
        """Give a user another password and end every session; returns how many ended.

        Raises `user_not_found`, `missing_fields` and `invalid_password_format`.
        """
        check_admin(by, Scope.USERS_WRITE)
        with self.store.begin() as work:
            user = existing_user(work, id)
        hashed = self.hasher.hash(check_new_password(password, password, role=user.role, email=user.email))
        with self.store.begin() as work:
            user, now = existing_user(work, id), self.clock()
            work.users.save(evolve(user, password_hash=hashed, updated_at=now))
            return _end_sessions(work, user, "password_changed", actor, now=now)

    def end_sessions(self, id: UUID, *, by: Caller, actor: Actor) -> int:
        """Log a user out everywhere; returns how many sessions ended. Raises `user_not_found`."""
        check_admin(by, Scope.USERS_WRITE)
        with self.store.begin() as work:
            return _end_sessions(work, existing_user(work, id), "user_logout_all", actor, now=self.clock())

    def _prepared(self, attrs: dict[str, Any], *, action: str) -> NewUser:
        missing = [name for name in REQUIRED if attrs.get(name) in (None, "")]
        if missing:
            raise ValidationError(MISSING_FIELDS, field=missing[0], fields=missing)
        email, full_name = check_email(attrs["email"]), check_full_name(attrs["full_name"])
        role = check_role(attrs["role"])
        password = check_new_password(attrs["password"], attrs["password_confirmation"], role=role, email=email)
        return NewUser(
            email=email, full_name=full_name, role=role, password_hash=self.hasher.hash(password), action=action
        )

    def _moved(self, by: Caller, id: UUID, move: str, actor: Actor) -> User:
        check_admin(by, Scope.USERS_WRITE)
        return self._changed(by, id, lambda user, now: decide_move(user, move, now=now), actor)

    def _changed(self, by: Caller, id: UUID, decide: Callable[[User, datetime], User], actor: Actor) -> User:
        with self.store.begin() as work:
            before = existing_user(work, id)
            after = decide(before, self.clock())
            deleted = after.status is UserStatus.DELETED
            if deleted and isinstance(by, Principal) and not can_delete_user(by, before):
                raise AuthorizationError(FORBIDDEN, why="nobody deletes themselves")
            store_change(work, before, after, actor=actor)
        return after


def _end_sessions(work: Work, user: User, action: str, actor: Actor, *, now: datetime) -> int:
    ended = work.sessions.revoke_all(user.id, now=now)
    work.audit.append(AuditEvent(action=action, actor=actor, target=f"user:{user.id}", details={"sessions": ended}))
    return ended
