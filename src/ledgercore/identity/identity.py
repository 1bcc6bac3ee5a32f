"""Everything about identity in one value, also inside a unit of work that somebody else has begun."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from attrs import evolve, field, frozen

from ledgercore.clock import Clock
from ledgercore.errors import ConflictError
from ledgercore.errors.catalog import IDEMPOTENCY_KEY_REUSED
from ledgercore.identity.audit_trail import AuditTrail
from ledgercore.identity.authenticating import Authenticator
from ledgercore.identity.ledger_administration import LedgerAdministration
from ledgercore.identity.ports import IdentityStore, Work
from ledgercore.identity.principals import Standing, Subject
from ledgercore.identity.profiles import Profiles
from ledgercore.identity.secrets import PasswordHasher, Sealer, TokenSigner
from ledgercore.identity.service_token_administration import ServiceTokenAdministration
from ledgercore.identity.sessions import Lifetimes
from ledgercore.identity.signing_in import SessionMustEnd, SignIn
from ledgercore.identity.users_administration import UserAdministration
from ledgercore.ledger.texts import encode_json


@frozen(kw_only=True)
class Identity:
    """The use cases of identity, each over the same store.

    `environment` stands in the keys of service tokens: `live`, `test`, whatever tells one's databases apart.
    """

    store: IdentityStore
    hasher: PasswordHasher
    signer: TokenSigner
    clock: Clock
    random_bytes: Callable[[int], bytes]
    lifetimes: Lifetimes = field(factory=Lifetimes)
    environment: str = "live"

    @property
    def sign_in(self) -> SignIn:
        """Sessions."""
        return SignIn(
            store=self.store,
            hasher=self.hasher,
            signer=self.signer,
            clock=self.clock,
            random_bytes=self.random_bytes,
            lifetimes=self.lifetimes,
        )

    @property
    def authenticator(self) -> Authenticator:
        """Bearer tokens."""
        return Authenticator(self.signer)

    @property
    def users(self) -> UserAdministration:
        """Users, as admins and operators see them, and registration."""
        return UserAdministration(
            store=self.store, hasher=self.hasher, clock=self.clock, random_bytes=self.random_bytes
        )

    @property
    def profiles(self) -> Profiles:
        """Users, as they see themselves."""
        return Profiles(store=self.store, hasher=self.hasher, clock=self.clock)

    @property
    def service_tokens(self) -> ServiceTokenAdministration:
        """Keys of machines."""
        return ServiceTokenAdministration(
            store=self.store, clock=self.clock, random_bytes=self.random_bytes, environment=self.environment
        )

    @property
    def ledgers(self) -> LedgerAdministration:
        """Ledgers and their members."""
        return LedgerAdministration(store=self.store, clock=self.clock, random_bytes=self.random_bytes)

    @property
    def audit(self) -> AuditTrail:
        """The audit log."""
        return AuditTrail(self.store)

    def within(self, work: Work) -> "Identity":
        """The same use cases inside a unit of work: what they do is committed or undone with it."""
        return evolve(self, store=JoinedStore(self.store, work))

    def answered_once(
        self,
        scope: str,
        key: str,
        fingerprint: bytes,
        run: Callable[[Work], bytes],
        *,
        sealer: Sealer,
    ) -> tuple[bytes, bool]:
        """The answer that `run` gave under this key, and whether it was given before.

        `run` gets the unit of work that also keeps its answer, sealed. When it raises, nothing
        is done and nothing kept, so that the request may be sent again; of simultaneous requests under one key one
        runs and the others get its answer. A password that `run` hashes keeps the unit of work open meanwhile;
        `recognise` and `prepare` may go before instead. Raises `idempotency_key_reused` for a key whose first
        request had another fingerprint.
        """
        try:
            with self.store.begin() as work:
                kept = self._kept(work, scope, key, fingerprint)
                if kept is not None:
                    return sealer.open(kept, context=_answers_of(scope, key)), True
                answer = run(work)
                work.answers.keep(scope, key, sealer.seal(answer, context=_answers_of(scope, key)))
        except SessionMustEnd as refusal:
            # What `run` did about it is undone with everything else, and it must last.
            self.sign_in.end(refusal)
            raise
        return answer, False

    def find_answer(self, scope: str, key: str, fingerprint: bytes, *, sealer: Sealer) -> bytes | None:
        """The answer that was given under this key, if one was; the key is not claimed.

        For what has to be done before a unit of work, and not again for a repeat. Raises `idempotency_key_reused`.
        """
        try:
            with self.store.begin() as work:
                kept = self._kept(work, scope, key, fingerprint)
                if kept is None:
                    raise _NotKept
        except _NotKept:
            return None
        return sealer.open(kept, context=_answers_of(scope, key))

    def _kept(self, work: Work, scope: str, key: str, fingerprint: bytes) -> bytes | None:
        """Claim a key, and get the sealed answer if there is one."""
        kept = work.answers.claim(scope, key, fingerprint, now=self.clock())
        if kept is not None and kept.fingerprint != fingerprint:
            raise ConflictError(IDEMPOTENCY_KEY_REUSED, key=key)
        return None if kept is None else kept.sealed


class _NotKept(Exception):
    """Undoes the claim of a key."""


def _answers_of(scope: str, key: str) -> str:
    return "answers " + encode_json([scope, key]).decode()


@frozen
class JoinedStore:
    """A store whose units of work are all part of one that is open already."""

    store: IdentityStore
    work: Work

    @contextmanager
    def begin(self) -> Iterator[Work]:
        """The open unit of work; whoever has begun it commits."""
        yield self.work

    def standings(self, subjects: Sequence[Subject]) -> Sequence[Standing]:
        """See the port; as committed, not as this unit of work will leave them."""
        return self.store.standings(subjects)

    def touch_tokens(self, used: Sequence[tuple[UUID, datetime]]) -> None:
        """See the port."""
        self.store.touch_tokens(used)
