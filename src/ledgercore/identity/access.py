"""What a route asks of its caller, as a value, and the one check of it."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from attrs import frozen

from ledgercore.errors import AuthenticationError, AuthorizationError, NotFoundError
from ledgercore.errors.catalog import INSUFFICIENT_PERMISSIONS, INVALID_TOKEN, LEDGER_NOT_FOUND
from ledgercore.identity.memberships import LedgerAccess
from ledgercore.identity.policies import can_manage, can_post, can_read_ledger
from ledgercore.identity.principals import Principal, Standing
from ledgercore.identity.service_tokens import Scope
from ledgercore.identity.users import Role


class Door(StrEnum):
    """Whom a route lets in, before anything else is asked."""

    PUBLIC = "public"
    BEARER = "bearer"
    ADMIN = "admin"
    LEDGER = "ledger"


@frozen(kw_only=True)
class Access:
    """Who may call a route.

    A service token needs `scope` on top of what its owner may; without a scope only a user in a session gets in.
    `ledger` is the least that a member has to be for it.
    """

    door: Door
    scope: Scope | None = None
    ledger: LedgerAccess | None = None


PUBLIC: Final = Access(door=Door.PUBLIC)
SESSION: Final = Access(door=Door.BEARER)
"""Any user in a session, and no service token."""
LEDGER_READ: Final = Access(door=Door.LEDGER, scope=Scope.LEDGER_READ, ledger=LedgerAccess.READER)
LEDGER_POST: Final = Access(door=Door.LEDGER, scope=Scope.LEDGER_WRITE, ledger=LedgerAccess.WRITER)
LEDGER_MANAGE: Final = Access(door=Door.LEDGER, scope=Scope.LEDGER_MANAGE, ledger=LedgerAccess.OWNER)

_POLICIES: Final[Mapping[LedgerAccess, Callable[[Principal, LedgerAccess | None], bool]]] = {
    LedgerAccess.READER: can_read_ledger,
    LedgerAccess.WRITER: can_post,
    LedgerAccess.OWNER: can_manage,
}


@frozen
class Operator:
    """Whoever sits at the server's command line and reaches its database: may do what an admin may."""


Caller: TypeAlias = Principal | Operator


def bearer(scope: Scope) -> Access:
    """Any user, and service tokens with the scope."""
    return Access(door=Door.BEARER, scope=scope)


def admin(scope: Scope) -> Access:
    """Admins, and service tokens of admins with the scope."""
    return Access(door=Door.ADMIN, scope=scope)


def check_access(
    rule: Access, principal: Principal | None, standing: Standing | None = None, ledger: str | None = None
) -> None:
    """Let a caller pass, or refuse.

    Raises `invalid_token` for nobody, `insufficient_permissions` with the role, scope or access that is missing, and
    `ledger_not_found` for a ledger that the caller may not read, as if it were not there.
    """
    if rule.door is Door.PUBLIC:
        return
    if principal is None:
        raise AuthenticationError(INVALID_TOKEN)
    if rule.door is Door.ADMIN and principal.role is not Role.ADMIN:
        raise AuthorizationError(INSUFFICIENT_PERMISSIONS, role=Role.ADMIN)
    if principal.scopes is not None and rule.scope is None:
        raise AuthorizationError(INSUFFICIENT_PERMISSIONS, why="service tokens cannot do this: log in")
    if rule.scope is not None and not principal.has_scope(rule.scope):
        raise AuthorizationError(INSUFFICIENT_PERMISSIONS, scope=rule.scope)
    if rule.ledger is not None:
        _check_ledger(rule.ledger, principal, standing or Standing(), ledger)


def check_admin(by: Caller, scope: Scope) -> None:
    """Let admins and operators pass; raises as `check_access` does."""
    if isinstance(by, Principal):
        check_access(admin(scope), by)


def _check_ledger(needed: LedgerAccess, principal: Principal, standing: Standing, ledger: str | None) -> None:
    access = standing.access
    if (
        ledger is None
        or not standing.ledger_exists
        or not principal.covers_ledger(ledger)
        or not can_read_ledger(principal, access)
    ):
        raise NotFoundError(LEDGER_NOT_FOUND, ledger=ledger)
    if not _POLICIES[needed](principal, access):
        raise AuthorizationError(INSUFFICIENT_PERMISSIONS, access=needed)
