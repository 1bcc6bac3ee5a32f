"""Changes of users: what may be given, which moves of the status there are, and what goes with each in one commit."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import evolve

from ledgercore.errors import BusinessRuleError, ConflictError, NotFoundError, ValidationError
from ledgercore.errors.catalog import INVALID_STATUS_CHANGE, LAST_ADMIN, MISSING_FIELDS, USER_NOT_FOUND
from ledgercore.identity.audit import Actor, AuditEvent
from ledgercore.identity.ports import Work
from ledgercore.identity.users import (
    MOVES,
    Role,
    User,
    UserFilter,
    UserStatus,
    check_email,
    check_full_name,
    check_role,
    check_status,
)

CHECKS: Final[Mapping[str, Callable[[object], Any]]] = {
    "email": check_email,
    "full_name": check_full_name,
    "role": check_role,
    "status": check_status,
}


def given(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that have a value: `null` counts as absent."""
    return {name: value for name, value in attrs.items() if value is not None}


def checked(attrs: Mapping[str, Any], *, one_of: tuple[str, ...]) -> dict[str, Any]:
    """Changes as values, at least one; raises `missing_fields` and what the checks of the values raise."""
    changes = {name: CHECKS[name](value) for name, value in given(attrs).items() if name in one_of}
    if not changes:
        raise ValidationError(MISSING_FIELDS, field=one_of[0], fields=list(one_of), why="at least one is needed")
    return changes


def existing_user(work: Work, id: UUID) -> User:
    """A user, locked; raises `user_not_found`, also for a deleted one."""
    user = work.users.find(id)
    if user is None or user.status is UserStatus.DELETED:
        raise NotFoundError(USER_NOT_FOUND, user_id=id)
    return user


def decide_update(user: User, changes: Mapping[str, Any], *, now: datetime) -> User:
    """The user with these values; one who has them all already stays as they are."""
    wanted = changes.get("status", user.status)
    changed = evolve(user, **{**changes, "status": user.status})
    if wanted is not user.status:
        moves = {after: move for (before, move), after in MOVES.items() if before is user.status}
        changed = decide_move(changed, moves.get(wanted, str(wanted)), now=now)
    return user if changed == user else evolve(changed, updated_at=now)


def decide_move(user: User, move: str, *, now: datetime) -> User:
    """The user after `suspend`, `activate` or `delete`; raises `invalid_status_change`."""
    status = MOVES.get((user.status, move))
    if status is None:
        raise ConflictError(INVALID_STATUS_CHANGE, status=user.status, move=move)
    return evolve(user, status=status, updated_at=now)


def store_change(work: Work, before: User, after: User, *, actor: Actor) -> None:
    """Store a changed user and what follows: one who is not active loses the sessions, a deleted one the keys.

    Raises `last_admin` when no active admin would remain.
    """
    if after == before:
        return
    work.users.save(after)
    if not after.is_active:
        work.sessions.revoke_all(after.id, now=after.updated_at)
    if after.status is UserStatus.DELETED:
        work.tokens.revoke_all(after.id, now=after.updated_at)
    action = "user_deleted" if after.status is UserStatus.DELETED else "user_updated"
    work.audit.append(
        AuditEvent(action=action, actor=actor, target=f"user:{after.id}", details=_differences(before, after))
    )
    # After the audit log, whose head is held until the commit: two admins who remove one another come one after the
    # other, and the second finds nobody left.
    if _is_acting_admin(before) and not _is_acting_admin(after):
        _, remaining = work.users.list_offset(
            UserFilter(status=UserStatus.ACTIVE, role=Role.ADMIN), sort=(), offset=0, limit=1
        )
        if not remaining:
            raise BusinessRuleError(LAST_ADMIN, user_id=after.id)


def _is_acting_admin(user: User) -> bool:
    return user.role is Role.ADMIN and user.is_active


def _differences(before: User, after: User) -> dict[str, Any]:
    """Which fields changed, with the values of those that give rights; names and addresses stay out of the log."""
    fields = [name for name in CHECKS if getattr(before, name) != getattr(after, name)]
    return {"fields": fields} | {name: getattr(after, name) for name in fields if name in ("role", "status")}
