"""Logging in, refreshing, logging out: the life of a session.

Whoever locks several rows takes the user first, then sessions, and the head of the audit log last, so that nobody
waits in a circle. Passwords are hashed between units of work, never inside one: that takes milliseconds.
"""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, Self
from uuid import UUID

from attrs import evolve, field, frozen

from ledgercore.clock import Clock
from ledgercore.errors import AuthenticationError, BusinessRuleError, ValidationError
from ledgercore.errors.catalog import (
    ACCOUNT_INACTIVE,
    INVALID_CREDENTIALS,
    INVALID_TOKEN,
    MISSING_FIELDS,
    TOKEN_EXPIRED,
    TOKEN_REVOKED,
)
from ledgercore.identity.access import SESSION, check_access
from ledgercore.identity.audit import Actor, AuditEvent
from ledgercore.identity.credentials import is_right, is_still_right
from ledgercore.identity.ports import IdentityStore, Work
from ledgercore.identity.principals import Principal
from ledgercore.identity.secrets import Claims, PasswordHasher, TokenSigner, TokenType
from ledgercore.identity.sessions import Lifetimes, Rotation, Session, decide_rotation
from ledgercore.identity.users import User, UserStatus, check_email
from ledgercore.ids import TimeOrderedIds

TOKEN_ID_BYTES: Final = 18
"""144 random bits in the id of each token."""


@frozen(kw_only=True)
class Recognised:
    """A user whose password was right; `new_hash` is set when the stored one is outdated."""

    user: User
    password: str = field(repr=False)
    new_hash: str | None = field(default=None, repr=False)


@frozen(kw_only=True)
class SignedIn:
    """A session with a new pair of tokens."""

    user: User
    session: Session
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires_at: datetime


class SessionMustEnd(AuthenticationError):
    """A refresh token was refused, and its session has to end for good.

    The refusal undoes the unit of work that it comes up in, so the session is ended in another one, by
    `SignIn.end`. `SignIn` does so itself, and `Identity.answered_once` for what it was given to run.
    """

    session_id: UUID
    event: AuditEvent

    @classmethod
    def because(cls, action: str, session: Session, actor: Actor) -> Self:
        """The refusal, and what the audit log will say of it."""
        refusal = cls(TOKEN_REVOKED)
        refusal.session_id = session.id
        refusal.event = _event(action, actor, session)
        return refusal


@frozen(kw_only=True)
class SignIn:
    """Begins, continues and ends sessions."""

    store: IdentityStore
    hasher: PasswordHasher
    signer: TokenSigner
    clock: Clock
    random_bytes: Callable[[int], bytes]
    lifetimes: Lifetimes

    def login(self, email: object, password: object, *, actor: Actor) -> SignedIn:
        """Begin a session for whoever has this email and password; raises as `recognise` does."""
        return self.admit(self.recognise(email, password), actor=actor)

    def recognise(self, email: object, password: object) -> Recognised:
        """The active user with this email and password.

        An unknown email, a wrong password and one that cannot be anybody's are the same `invalid_credentials`,
        after the same work; the status is looked at only after the password. Raises `missing_fields` and
        `invalid_email_format` for the email alone, and `account_inactive` for a suspended user.
        """
        address = check_email(email)
        with self.store.begin() as work:
            user = work.users.find_by_email(address)
        hashed = None if user is None else user.password_hash
        right = is_right(self.hasher, password, hashed)
        if not right or user is None or not isinstance(password, str):
            raise AuthenticationError(INVALID_CREDENTIALS)
        _check_active(user)
        outdated = self.hasher.is_outdated(user.password_hash)
        return Recognised(user=user, password=password, new_hash=self.hasher.hash(password) if outdated else None)

    def admit(self, recognised: Recognised, *, actor: Actor) -> SignedIn:
        """Begin a session for a user who was recognised just before, unless that does not hold any more."""
        seen = recognised.user.password_hash
        with self.store.begin() as work:
            user = work.users.find(recognised.user.id)
            if user is None or not is_still_right(self.hasher, recognised.password, seen=seen, now=user.password_hash):
                raise AuthenticationError(INVALID_CREDENTIALS)
            _check_active(user)
            now = self.clock()
            session = Session(
                id=TimeOrderedIds(self.random_bytes).one(now),
                user_id=user.id,
                token_id=self._token_id(),
                started_at=now,
                rotated_at=now,
                expires_at=now + self.lifetimes.session,
            )
            actor = evolve(actor, name=f"user:{user.id}")
            work.sessions.add(session)
            if recognised.new_hash is not None and user.password_hash == seen:
                user = evolve(user, password_hash=recognised.new_hash)
                work.users.save(user)
                work.audit.append(_event("password_rehashed", actor, session))
            work.audit.append(_event("user_login", actor, session))
        return self._signed_in(user, session, now)

    def refresh(self, token: object, *, actor: Actor, began_at: datetime | None = None) -> SignedIn:
        """Replace a refresh token by a new pair of tokens; `began_at` is when the request came in.

        Raises `missing_fields`, what `TokenSigner.read` raises, and `token_revoked`. Of requests that present the
        same token at the same time one gets the new pair. One that comes later ends the session: somebody has
        a copy of the token, and nobody knows who. Whatever happens, the session ends when its time is over.
        """
        began_at = began_at or self.clock()
        claims = self._read(token)
        with self._ending(), self.store.begin() as work:
            user, session = self._present(work, claims, actor, began_at=began_at)
            work.audit.append(_event("session_refreshed", evolve(actor, name=f"user:{user.id}"), session))
            # The clock is read as late as can be: what began before this moment is a twin, later it is a thief.
            now = self.clock()
            session = evolve(session, token_id=self._token_id(), rotated_at=now)
            work.sessions.save(session)
        return self._signed_in(user, session, now)

    def logout(self, token: object, *, actor: Actor) -> None:
        """End the session of a refresh token; raises as `refresh` does."""
        began_at = self.clock()
        claims = self._read(token)
        with self._ending(), self.store.begin() as work:
            user, session = self._present(work, claims, actor, began_at=began_at)
            work.sessions.save(evolve(session, revoked_at=self.clock()))
            work.audit.append(_event("user_logout", evolve(actor, name=f"user:{user.id}"), session))

    def logout_all(self, principal: Principal, *, actor: Actor) -> int:
        """End every session of a user, who has to be in one; returns how many there were."""
        check_access(SESSION, principal)
        with self.store.begin() as work:
            ended = work.sessions.revoke_all(principal.user_id, now=self.clock())
            target = f"user:{principal.user_id}"
            work.audit.append(
                AuditEvent(action="user_logout_all", actor=actor, target=target, details={"sessions": ended})
            )
        return ended

    def end(self, refusal: SessionMustEnd) -> None:
        """End the session that a refusal is about, in a unit of work of its own."""
        with self.store.begin() as work:
            session = work.sessions.find(refusal.session_id)
            if session is not None and session.revoked_at is None:
                work.sessions.save(evolve(session, revoked_at=self.clock()))
            work.audit.append(refusal.event)

    @contextmanager
    def _ending(self) -> Iterator[None]:
        try:
            yield
        except SessionMustEnd as refusal:
            self.end(refusal)
            raise

    def _read(self, token: object) -> Claims:
        if token is None or token == "":
            raise ValidationError(MISSING_FIELDS, field="refresh_token", fields=["refresh_token"])
        if not isinstance(token, str):
            raise AuthenticationError(INVALID_TOKEN)
        return self.signer.read(token, wanted=TokenType.REFRESH, now=self.clock())

    def _present(self, work: Work, claims: Claims, actor: Actor, *, began_at: datetime) -> tuple[User, Session]:
        """The user and the session, both locked, of a refresh token that is the current one."""
        user = work.users.find(claims.user_id)
        session = work.sessions.find(claims.session_id)
        if user is None or session is None or session.user_id != user.id:
            raise AuthenticationError(INVALID_TOKEN)
        rotation = decide_rotation(session, claims.token_id, began_at=began_at, now=self.clock())
        if rotation is Rotation.REUSED:
            raise SessionMustEnd.because("refresh_token_reused", session, actor)
        if rotation is Rotation.ENDED and session.revoked_at is None:
            raise AuthenticationError(TOKEN_EXPIRED)
        if rotation is not Rotation.CURRENT:
            raise AuthenticationError(TOKEN_REVOKED)
        if not user.is_active:
            raise SessionMustEnd.because("session_revoked", session, actor)
        return user, session

    def _signed_in(self, user: User, session: Session, now: datetime) -> SignedIn:
        access_expires_at = min(now + self.lifetimes.access, session.expires_at)
        access = Claims(
            token_id=self._token_id(),
            user_id=user.id,
            session_id=session.id,
            type=TokenType.ACCESS,
            issued_at=now,
            expires_at=access_expires_at,
            email=user.email,
            role=user.role.value,
        )
        refresh = Claims(
            token_id=session.token_id,
            user_id=user.id,
            session_id=session.id,
            type=TokenType.REFRESH,
            issued_at=now,
            expires_at=min(now + self.lifetimes.refresh, session.expires_at),
        )
        return SignedIn(
            user=user,
            session=session,
            access_token=self.signer.sign(access),
            refresh_token=self.signer.sign(refresh),
            access_expires_at=access_expires_at,
        )

    def _token_id(self) -> str:
        return base64.urlsafe_b64encode(self.random_bytes(TOKEN_ID_BYTES)).decode()


def _check_active(user: User) -> None:
    if user.status is UserStatus.DELETED:
        raise AuthenticationError(INVALID_CREDENTIALS)
    if not user.is_active:
        raise BusinessRuleError(ACCOUNT_INACTIVE, status=user.status)


def _event(action: str, actor: Actor, session: Session) -> AuditEvent:
    return AuditEvent(action=action, actor=actor, target=f"user:{session.user_id}", details={"session_id": session.id})
