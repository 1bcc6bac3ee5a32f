"""Keys for machines: issuing, listing, revoking."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import evolve, field, frozen

from ledgercore.clock import Clock
from ledgercore.errors import AuthorizationError, BusinessRuleError, NotFoundError, ValidationError, shortened
from ledgercore.errors.catalog import (
    ACCOUNT_INACTIVE,
    INSUFFICIENT_PERMISSIONS,
    INVALID_ARGUMENT,
    INVALID_NAME_FORMAT,
    MISSING_FIELDS,
    SERVICE_TOKEN_NOT_FOUND,
)
from ledgercore.identity.access import Caller, check_admin
from ledgercore.identity.audit import Actor, AuditEvent
from ledgercore.identity.ports import IdentityStore
from ledgercore.identity.principals import Principal
from ledgercore.identity.service_tokens import (
    NAME_LENGTH_MAX,
    Scope,
    ServiceToken,
    check_scopes,
    digest_of,
    new_key,
    shown_of,
)
from ledgercore.identity.user_changes import existing_user
from ledgercore.identity.users import Role
from ledgercore.ids import TimeOrderedIds
from ledgercore.ledger.holds import check_expiry
from ledgercore.ledger.texts import check_moment, fault_in
from ledgercore.pages import Page, check_limit, decode_cursor, page_of

KEY_BYTES: Final = 32
LEDGERS_MAX: Final = 100
"""How many ledgers a token can be bound to."""


@frozen(kw_only=True)
class IssuedToken:
    """A new service token and its key, which nobody can learn again."""

    token: ServiceToken
    key: str = field(repr=False)


@frozen(kw_only=True)
class ServiceTokenAdministration:
    """Issues, lists and revokes service tokens; `environment` stands in each key, and tells where one belongs."""

    store: IdentityStore
    clock: Clock
    random_bytes: Callable[[int], bytes]
    environment: str

    def issue(
        self,
        *,
        by: Caller,
        name: object,
        scopes: Iterable[object],
        ledgers: Iterable[str] | None = None,
        expires_at: datetime | None = None,
        owner_id: UUID | None = None,
        actor: Actor,
    ) -> IssuedToken:
        """Issue a token to oneself or, as an admin or operator, to another user.

        A token that issues one gives it no more scopes, no other ledgers and no longer life than its own. Raises
        `missing_fields`, `invalid_name_format`, `invalid_scope`, `invalid_ledger_name`, `invalid_argument`,
        `invalid_expiry`, `user_not_found`, `account_inactive` for an owner who is suspended, and
        `insufficient_permissions`.
        """
        owner_id = _owner(by, owner_id)
        now = self.clock()
        key = new_key(self.environment, self.random_bytes(KEY_BYTES))
        token = ServiceToken(
            id=TimeOrderedIds(self.random_bytes).one(now),
            owner_id=owner_id,
            name=_checked_name(name),
            shown=shown_of(key),
            digest=digest_of(key),
            scopes=check_scopes(scopes),
            ledgers=_checked_ledgers(ledgers),
            issued_at=now,
            expires_at=check_moment(expires_at, field="expires_at"),
        )
        check_expiry(token.expires_at, now)
        with self.store.begin() as work:
            owner = existing_user(work, owner_id)
            if not owner.is_active:
                raise BusinessRuleError(ACCOUNT_INACTIVE, status=owner.status)
            if isinstance(by, Principal) and by.token_id is not None:
                _check_within(token, by, work.tokens.find(by.token_id))
            work.tokens.add(token)
            details = {"owner_id": owner_id, "scopes": token.scopes, "ledgers": token.ledgers}
            work.audit.append(_event("service_token_issued", token, actor, **details))
        return IssuedToken(token=token, key=key)

    def page(
        self, *, by: Caller, owner_id: UUID | None = None, cursor: str | None = None, limit: int = 100
    ) -> Page[ServiceToken]:
        """Tokens in the order they were issued: one's own, or for admins and operators those of any owner, or all."""
        if isinstance(by, Principal) and owner_id != by.user_id:
            check_admin(by, Scope.TOKENS_WRITE)
        after = None if cursor is None else decode_cursor("service_tokens", cursor, UUID)[0]
        with self.store.begin() as work:
            found = work.tokens.list_after(owner_id=owner_id, after=after, limit=check_limit(limit) + 1)
        return page_of(found, limit, "service_tokens", lambda token: (str(token.id),))

    def revoke(self, id: UUID, *, by: Caller, actor: Actor) -> ServiceToken:
        """End a token at once; one that has been revoked stays as it is.

        Raises `service_token_not_found`, also for another's token unless an admin or operator asks.
        """
        with self.store.begin() as work:
            token = work.tokens.find(id)
            if token is None or not _may_revoke(by, token):
                raise NotFoundError(SERVICE_TOKEN_NOT_FOUND, token_id=id)
            if token.revoked_at is None:
                token = evolve(token, revoked_at=self.clock())
                work.tokens.save(token)
                work.audit.append(_event("service_token_revoked", token, actor, owner_id=token.owner_id))
        return token


def _owner(by: Caller, owner_id: UUID | None) -> UUID:
    if isinstance(by, Principal) and owner_id in (None, by.user_id):
        return by.user_id
    if owner_id is None:
        raise ValidationError(MISSING_FIELDS, field="owner_id", fields=["owner_id"])
    check_admin(by, Scope.TOKENS_WRITE)
    return owner_id


def _may_revoke(by: Caller, token: ServiceToken) -> bool:
    if not isinstance(by, Principal) or by.user_id == token.owner_id:
        return True
    return by.role is Role.ADMIN and by.has_scope(Scope.TOKENS_WRITE)


def _check_within(token: ServiceToken, by: Principal, issuer: ServiceToken | None) -> None:
    """Refuse a token that would open more, or live longer, than the one that issues it."""
    if token.owner_id != by.user_id:
        raise AuthorizationError(INSUFFICIENT_PERMISSIONS, why="a token issues tokens of its own owner")
    foreign = [scope for scope in sorted(token.scopes) if not by.has_scope(scope)]
    if foreign:
        raise AuthorizationError(INSUFFICIENT_PERMISSIONS, scope=foreign[0], scopes=foreign)
    if by.ledgers is not None and (token.ledgers is None or not token.ledgers <= by.ledgers):
        raise AuthorizationError(INSUFFICIENT_PERMISSIONS, ledgers=by.ledgers)
    end = None if issuer is None else issuer.expires_at
    if end is not None and (token.expires_at is None or token.expires_at > end):
        raise AuthorizationError(INSUFFICIENT_PERMISSIONS, expires_at=end)


def _checked_name(name: object) -> str:
    if name is None or (isinstance(name, str) and not name.strip()):
        raise ValidationError(MISSING_FIELDS, field="name", fields=["name"])
    text = name.strip() if isinstance(name, str) else name
    why = fault_in(text, NAME_LENGTH_MAX)
    if why or not isinstance(text, str) or not text.isprintable():
        raise ValidationError(
            INVALID_NAME_FORMAT, field="name", value=shortened(name), why=why or "a control character"
        )
    return text


def _checked_ledgers(ledgers: Iterable[str] | None) -> frozenset[str] | None:
    if ledgers is None:
        return None
    names = frozenset(ledgers)
    if not 1 <= len(names) <= LEDGERS_MAX:
        raise ValidationError(
            INVALID_ARGUMENT, field="ledgers", value=len(names), why=f"1 to {LEDGERS_MAX} names, or none for all"
        )
    return names


def _event(action: str, token: ServiceToken, actor: Actor, **details: object) -> AuditEvent:
    return AuditEvent(action=action, actor=actor, target=f"token:{token.id}", details=details)
