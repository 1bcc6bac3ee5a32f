"""What identity needs from a store: one unit of work at a time, and one look-up for many requests at once."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from ledgercore.identity.answers import KeptAnswer
from ledgercore.identity.audit import AuditEntry, AuditEvent, AuditFilter
from ledgercore.identity.memberships import LedgerAccess, Membership
from ledgercore.identity.principals import Standing, Subject
from ledgercore.identity.service_tokens import ServiceToken
from ledgercore.identity.sessions import Session
from ledgercore.identity.users import User, UserCounts, UserFilter
from ledgercore.ledger.commands import Settings
from ledgercore.ledger.ports import Journal


class Users(Protocol):
    """Users by id and by email; deleted ones stay."""

    def add(self, user: User) -> None:
        """Store a new user; raises `email_already_exists`, also for the email of a deleted one."""
        ...

    def find(self, id: UUID) -> User | None:
        """A user, deleted or not; locked until the end of the unit of work."""
        ...

    def find_by_email(self, email: str) -> User | None:
        """The user with an address in lower case, deleted or not; not locked."""
        ...

    def save(self, user: User) -> None:
        """Replace a user; raises `email_already_exists`."""
        ...

    def list_offset(
        self, wanted: UserFilter, *, sort: Sequence[tuple[str, bool]], offset: int, limit: int
    ) -> tuple[Sequence[User], int]:
        """Users from an offset, and how many fit in all; deleted ones only when the filter asks for them.

        `sort` names fields of `SORTABLE` with whether they descend; inserted_at and id, descending, decide the rest.
        """
        ...

    def list_after(self, wanted: UserFilter, *, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[User]:
        """At most `limit` users after a position, by inserted_at and id, both descending."""
        ...

    def count(self) -> UserCounts:
        """How many users there are."""
        ...


class Sessions(Protocol):
    """Logins."""

    def add(self, session: Session) -> None:
        """Store a new session."""
        ...

    def find(self, id: UUID) -> Session | None:
        """A session, locked until the end of the unit of work: of simultaneous askers one comes after the other."""
        ...

    def save(self, session: Session) -> None:
        """Replace a session."""
        ...

    def revoke_all(self, user_id: UUID, *, now: datetime, but: UUID | None = None) -> int:
        """End every live session of a user, except one if it is named; returns how many ended."""
        ...


class ServiceTokens(Protocol):
    """Keys of machines."""

    def add(self, token: ServiceToken) -> None:
        """Store a new key."""
        ...

    def find(self, id: UUID) -> ServiceToken | None:
        """A key by its id, locked until the end of the unit of work."""
        ...

    def save(self, token: ServiceToken) -> None:
        """Replace a key."""
        ...

    def list_after(self, *, owner_id: UUID | None, after: UUID | None, limit: int) -> Sequence[ServiceToken]:
        """At most `limit` keys of an owner, or of all, after an id, in the order of ids."""
        ...

    def revoke_all(self, owner_id: UUID, *, now: datetime) -> int:
        """End every live key of an owner; returns how many ended."""
        ...


class Members(Protocol):
    """Who is what in which ledger."""

    def grant(self, membership: Membership) -> None:
        """Give a user an access, in place of an earlier one; raises `ledger_not_found`."""
        ...

    def revoke(self, ledger: str, user_id: UUID) -> bool:
        """Take a user's access away; false when there was none."""
        ...

    def find(self, ledger: str, user_id: UUID) -> Membership | None:
        """A user's membership."""
        ...

    def list_in(self, ledger: str) -> Sequence[Membership]:
        """All members of a ledger, by user id, locked until the end of the unit of work."""
        ...

    def list_of(self, user_id: UUID | None, *, after: str, limit: int) -> Sequence[tuple[str, LedgerAccess | None]]:
        """At most `limit` ledgers after a name, by name, with the user's access.

        Only those of the user; with `None` every ledger there is, without access.
        """
        ...


class AuditLog(Protocol):
    """The audit log; nothing is ever changed or removed."""

    def append(self, event: AuditEvent) -> AuditEntry:
        """Store an event after all others, in this unit of work.

        From then until the unit of work ends nobody else appends, so it is done last.
        """
        ...

    def append_all(self, events: Sequence[AuditEvent]) -> Sequence[AuditEntry]:
        """Store events one after the other; the same as appending each, in as many trips as one takes."""
        ...

    def list_before(self, wanted: AuditFilter, *, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """At most `limit` entries that fit, newest first, before a number."""
        ...

    def entries(self, *, after: int = 0) -> Iterator[AuditEntry]:
        """Every entry after a number, in order; for verification."""
        ...


class Answers(Protocol):
    """Answers kept under idempotency keys."""

    def claim(self, scope: str, key: str, fingerprint: bytes, *, now: datetime) -> KeptAnswer | None:
        """Take a key for this unit of work, or give what was kept under it in the last 24 hours.

        Waits while another unit of work holds the key, so of twins one acts and the other is answered.
        """
        ...

    def keep(self, scope: str, key: str, sealed: bytes) -> None:
        """Store the answer under a key that this unit of work has claimed."""
        ...


class Ledgers(Protocol):
    """The ledgers of the same database, inside the unit of work."""

    def create(self, name: str, settings: Settings | None = None) -> Journal:
        """Start a ledger; raises `ledger_already_exists` and `invalid_ledger_name`."""
        ...

    def journal(self, name: str) -> Journal:
        """A ledger whose commands commit with the unit of work; raises `ledger_not_found`."""
        ...


class Work(Protocol):
    """One unit of work: what is done through it is committed together, or not at all."""

    @property
    def users(self) -> Users: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def tokens(self) -> ServiceTokens: ...
    @property
    def members(self) -> Members: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def answers(self) -> Answers: ...
    @property
    def ledgers(self) -> Ledgers: ...


class IdentityStore(Protocol):
    """Where identity is kept."""

    def begin(self) -> AbstractContextManager[Work]:
        """A unit of work: committed at the end of the block, undone by an exception.

        Raises `database_unavailable` and `commit_outcome_unknown`.
        """
        ...

    def standings(self, subjects: Sequence[Subject]) -> Sequence[Standing]:
        """How each subject stands now, in the order asked, all from one trip."""
        ...

    def touch_tokens(self, used: Sequence[tuple[UUID, datetime]]) -> None:
        """Note when keys were last used."""
        ...
