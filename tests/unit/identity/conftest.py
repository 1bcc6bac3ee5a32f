"""Identity over the memory store, with a hasher, signer and sealer that cost nothing and protect nothing."""

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from ledgercore.errors import AuthenticationError, InternalError
from ledgercore.errors.catalog import INTERNAL_SERVER_ERROR, INVALID_TOKEN, INVALID_TOKEN_TYPE, TOKEN_EXPIRED
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR, Actor
from ledgercore.identity.documents import audit_document
from ledgercore.identity.identity import Identity
from ledgercore.identity.principals import Principal, Standing
from ledgercore.identity.secrets import Claims, TokenType
from ledgercore.identity.service_tokens import ServiceToken
from ledgercore.identity.sessions import Session
from ledgercore.identity.users import Role, User
from ledgercore_memory import MemoryStore, MemoryWorkStore

PASSWORD = "correct horse battery"


class CheapHasher:
    """One round of SHA-256; notes what it was asked, and what units of work were open meanwhile."""

    def __init__(self) -> None:
        self.version = 1
        self.verified: list[str | None] = []
        self.inside: list[str] = []
        self.store: WatchedStore | None = None

    def hash(self, password: str) -> str:
        self._note("hash")
        return f"{self.version}:{self._digest(password)}"

    def verify(self, password: str, hashed: str | None) -> bool:
        self._note("verify")
        self.verified.append(hashed)
        return hashed is not None and hashed.partition(":")[2] == self._digest(password)

    def is_outdated(self, hashed: str) -> bool:
        return not hashed.startswith(f"{self.version}:")

    def _digest(self, password: str) -> str:
        return hashlib.sha256(password.encode()).hexdigest()

    def _note(self, what: str) -> None:
        if self.store is not None and self.store.open:
            self.inside.append(what)


class PlainSigner:
    """Tokens that anybody could make."""

    def sign(self, claims: Claims) -> str:
        said = {
            "jti": claims.token_id, "sub": str(claims.user_id), "sid": str(claims.session_id), "type": claims.type,
            "iat": claims.issued_at.isoformat(), "exp": claims.expires_at.isoformat(), "email": claims.email,
            "role": claims.role,
        }  # fmt: skip
        return base64.urlsafe_b64encode(json.dumps(said).encode()).decode()

    def read(self, token: str, *, wanted: TokenType, now: datetime) -> Claims:
        try:
            said = json.loads(base64.urlsafe_b64decode(token))
        except ValueError:
            raise AuthenticationError(INVALID_TOKEN) from None
        if said["type"] != wanted:
            raise AuthenticationError(INVALID_TOKEN_TYPE)
        if now >= datetime.fromisoformat(said["exp"]):
            raise AuthenticationError(TOKEN_EXPIRED)
        return Claims(
            token_id=said["jti"],
            user_id=UUID(said["sub"]),
            session_id=UUID(said["sid"]),
            type=TokenType(said["type"]),
            issued_at=datetime.fromisoformat(said["iat"]),
            expires_at=datetime.fromisoformat(said["exp"]),
            email=said["email"],
            role=said["role"],
        )


class PlainSealer:
    """Bytes with their context before them, turned around so that they cannot be found by their text."""

    def seal(self, plain: bytes, *, context: str) -> bytes:
        return (context.encode() + b"|" + plain)[::-1]

    def open(self, sealed: bytes, *, context: str) -> bytes:
        found, _, plain = sealed[::-1].partition(b"|")
        if found != context.encode():
            raise InternalError(INTERNAL_SERVER_ERROR)
        return plain


class WatchedStore:
    """A store that counts the units of work that are open, and fails when told to."""

    def __init__(self, store: MemoryWorkStore) -> None:
        self._store = store
        self.open = 0
        self.begun = 0
        self.audit_fails = False

    @contextmanager
    def begin(self) -> Iterator[Any]:
        with self._store.begin() as work:
            self.open += 1
            self.begun += 1
            if self.audit_fails:
                work.audit = FailingAudit()  # type: ignore[assignment]
            try:
                yield work
            finally:
                self.open -= 1

    def standings(self, subjects: Any) -> Any:
        return self._store.standings(subjects)

    def touch_tokens(self, used: Any) -> None:
        self._store.touch_tokens(used)


class FailingAudit:
    """An audit log that cannot be written."""

    def append(self, event: Any) -> Any:
        raise InternalError(INTERNAL_SERVER_ERROR)


class World:
    """An identity with short ways to what tests need of it."""

    def __init__(self, identity: Identity, clock: Any, hasher: CheapHasher, store: WatchedStore) -> None:
        self.identity = identity
        self.clock = clock
        self.hasher = hasher
        self.store = store
        self.actor = Actor(name="anonymous", source="192.0.2.1", correlation_id="c-1")

    def add(self, name: str, role: Role = Role.USER, password: str = PASSWORD) -> User:
        """A user who was made by the operator."""
        attrs = {
            "email": f"{name}@example.com", "full_name": name.title(), "password": password,
            "password_confirmation": password, "role": role,
        }  # fmt: skip
        return self.identity.users.create(attrs, by=Operator(), actor=OPERATOR)

    def login(self, user: User, password: str = PASSWORD) -> Any:
        """A new session of a user."""
        return self.identity.sign_in.login(user.email, password, actor=self.actor)

    def principal(self, user: User, session_id: UUID | None = None) -> Principal:
        """A user as a request in a session would have it."""
        return Principal(user_id=user.id, email=user.email, role=user.role, session_id=session_id or UUID(int=9))

    def enter(self, bearer: str, ledger: str | None = None) -> Principal:
        """Whom a bearer token lets in now."""
        now, authenticator = self.clock(), self.identity.authenticator
        subject = authenticator.subject_of(bearer, ledger=ledger, now=now)
        [standing] = self.store.standings([subject])
        return authenticator.principal_of(subject, standing, now)

    def standing(self, bearer: str, ledger: str | None = None) -> Standing:
        """How the subject of a bearer token stands now."""
        subject = self.identity.authenticator.subject_of(bearer, ledger=ledger, now=self.clock())
        [standing] = self.store.standings([subject])
        return standing

    def session(self, id: UUID) -> Session:
        """A session as it is stored."""
        with self.store.begin() as work:
            return work.sessions.find(id)

    def user(self, id: UUID) -> User:
        """A user as stored, deleted or not."""
        with self.store.begin() as work:
            return work.users.find(id)

    def token(self, id: UUID) -> ServiceToken:
        """A service token as it is stored."""
        with self.store.begin() as work:
            return work.tokens.find(id)

    def audited(self, *, since: int = 0) -> list[dict[str, Any]]:
        """The audit log after an entry, as documents, in order."""
        with self.store.begin() as work:
            return [audit_document(entry) for entry in work.audit.entries(after=since)]

    def actions(self, *, since: int = 0) -> list[str]:
        """What the audit log says was done after an entry."""
        return [entry["action"] for entry in self.audited(since=since)]

    def state(self) -> Any:
        """Everything that is stored, to see that nothing has changed."""
        with self.store.begin() as work:
            state = work.users._state
            return [dict(state.users), dict(state.sessions), dict(state.tokens), dict(state.members), len(state.audit),
                    dict(state.answers)]  # fmt: skip


@pytest.fixture
def sealer() -> PlainSealer:
    """Seals what is kept."""
    return PlainSealer()


@pytest.fixture
def world(clock: Any) -> World:
    """An identity without users, at noon."""
    hasher = CheapHasher()
    store = WatchedStore(MemoryWorkStore(MemoryStore(clock=clock), clock=clock))
    hasher.store = store
    identity = Identity(
        store=store, hasher=hasher, signer=PlainSigner(), clock=clock, random_bytes=os.urandom, environment="test"
    )
    return World(identity, clock, hasher, store)
