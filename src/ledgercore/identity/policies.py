"""Who may do what to users and ledgers: pure answers from values alone.

A route or use case may ask for more than a policy does (only admins administer users, though support may view them
by these functions), never for less.
"""

from collections.abc import Callable, Collection
from typing import Final, TypeAlias

from ledgercore.identity.memberships import LedgerAccess
from ledgercore.identity.principals import Principal
from ledgercore.identity.users import Role, User

RESTRICTED: Final = frozenset({"role", "status", "active", "verified", "suspended", "deleted"})
"""What only an admin changes of a user."""
OWN: Final = frozenset({"full_name", "email", "password", "password_confirmation"})
"""What users change of themselves."""

Condition: TypeAlias = bool | Callable[[], bool]


def can_update_user(actor: Principal, target: User, names: Collection[str]) -> bool:
    """Whether fields of these names may be given: admins all, everybody their own, support what is unrestricted."""
    if actor.role is Role.ADMIN:
        return True
    if actor.user_id == target.id:
        return RESTRICTED.isdisjoint(names) and not OWN.isdisjoint(names)
    return actor.role is Role.SUPPORT and RESTRICTED.isdisjoint(names)


def can_change_password(current: object, new: object) -> bool:
    """Whether both passwords are given and differ."""
    return bool(current) and bool(new) and current != new


def can_list_users(actor: Principal) -> bool:
    """Admins and support."""
    return actor.role in (Role.ADMIN, Role.SUPPORT)


def can_view_user(actor: Principal, target: User) -> bool:
    """Admins, support, and everybody themselves."""
    return can_list_users(actor) or actor.user_id == target.id


def can_delete_user(actor: Principal, target: User) -> bool:
    """Admins, but not themselves."""
    return actor.role is Role.ADMIN and actor.user_id != target.id


def can_create_user(actor: Principal, role: Role) -> bool:
    """Only an admin makes admins. Not enough to let anybody in: creating with a role at all is for admins."""
    return actor.role is Role.ADMIN or role is not Role.ADMIN


def can_access_user_stats(actor: Principal) -> bool:
    """Admins."""
    return actor.role is Role.ADMIN


def can_do_sensitive_operation(actor: Principal, target: User, names: Collection[str]) -> bool:
    """Admins, and support on others, as long as nothing restricted is touched."""
    trusted = actor.role is Role.ADMIN or (actor.role is Role.SUPPORT and actor.user_id != target.id)
    return trusted and RESTRICTED.isdisjoint(names)


def can_read_ledger(actor: Principal, access: LedgerAccess | None) -> bool:
    """Members, admins and support."""
    return access is not None or actor.role in (Role.ADMIN, Role.SUPPORT)


def can_post(actor: Principal, access: LedgerAccess | None) -> bool:  # noqa: ARG001 - that no role is enough is the rule
    """Writers and owners; neither admins nor support unless they are members."""
    return access in (LedgerAccess.WRITER, LedgerAccess.OWNER)


def can_manage(actor: Principal, access: LedgerAccess | None) -> bool:
    """Owners and admins: members, settings, the closing of periods."""
    return access is LedgerAccess.OWNER or actor.role is Role.ADMIN


def can_name_ledger_exactly(actor: Principal) -> bool:
    """Admins; to others a taken name would tell that another tenant uses it."""
    return actor.role is Role.ADMIN


def all_of(*conditions: Condition) -> bool:
    """Whether every condition holds. What is neither a truth value nor gives one does not hold."""
    return all(map(_holds, conditions))


def any_of(*conditions: Condition) -> bool:
    """Whether one condition holds."""
    return any(map(_holds, conditions))


def negate(condition: Condition) -> bool:
    """Whether a condition does not hold."""
    return not _holds(condition)


def _holds(condition: Condition) -> bool:
    return (condition() if callable(condition) else condition) is True
