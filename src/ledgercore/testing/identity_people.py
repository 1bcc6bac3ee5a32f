"""What the suites for identity share: stores, and users, sessions and keys that were never there before."""

import hashlib
import itertools
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from ledgercore.identity.memberships import LedgerAccess, Membership
from ledgercore.identity.ports import IdentityStore
from ledgercore.identity.service_tokens import Scope, ServiceToken
from ledgercore.identity.sessions import Session
from ledgercore.identity.users import Role, User, UserStatus
from ledgercore.testing.ledgers import MONDAY, LedgerContract

HOUR: Final = timedelta(hours=1)
EVERYBODY: Final = 100_000
"""A limit beyond all that a database shared by many tests may hold."""

_numbers: Final = itertools.count(1)


class IdentityContract(LedgerContract):
    """The fixtures; subclasses override `store` and `identity`, and `clock` if they like."""

    @pytest.fixture
    def identity(self) -> IdentityStore:
        """Where identity is kept, in the same database as the ledgers of `store`; every adapter says for itself."""
        raise NotImplementedError("override the fixture `identity`")


def new_id() -> UUID:
    """An id that was never used before in this process, above all earlier ones."""
    return UUID(int=0x0190_0000_0000_7000_8000_0000_0000_0000 + next(_numbers))


def someone(**fields: Any) -> User:
    """A user who is not stored yet, inserted after all earlier ones."""
    number = next(_numbers)
    at = fields.pop("inserted_at", MONDAY + timedelta(seconds=number))
    defaults = {
        "id": new_id(),
        "email": f"somebody-{number:06}@example.com",
        "full_name": "Ada Lovelace",
        "role": Role.USER,
        "status": UserStatus.ACTIVE,
        "password_hash": "$argon2id$…",
        "inserted_at": at,
        "updated_at": at,
    }
    return User(**{**defaults, **fields})


def login(user: User, **fields: Any) -> Session:
    """A session of a user that is not stored yet, with a week to live."""
    defaults = {
        "id": new_id(),
        "user_id": user.id,
        "token_id": f"token-{next(_numbers)}",
        "started_at": MONDAY,
        "rotated_at": MONDAY,
        "expires_at": MONDAY + timedelta(days=7),
    }
    return Session(**{**defaults, **fields})


def machine(owner: User, **fields: Any) -> ServiceToken:
    """A key of an owner that is not stored yet."""
    number = next(_numbers)
    defaults = {
        "id": new_id(),
        "owner_id": owner.id,
        "name": f"machine {number}",
        "shown": "lc_test_abcd",
        "digest": hashlib.sha256(b"%d" % number).digest(),
        "scopes": frozenset({Scope.LEDGER_READ, Scope.LEDGER_WRITE}),
        "issued_at": MONDAY,
    }
    return ServiceToken(**{**defaults, **fields})


def member(ledger: str, user: User, access: LedgerAccess = LedgerAccess.READER) -> Membership:
    """A membership that is not stored yet."""
    return Membership(ledger=ledger, user_id=user.id, access=access, granted_at=MONDAY)


def stored(identity: IdentityStore, *things: User | Session | ServiceToken | Membership) -> None:
    """Store users and what is theirs, in one unit of work."""
    with identity.begin() as work:
        for thing in things:
            if isinstance(thing, User):
                work.users.add(thing)
            elif isinstance(thing, Session):
                work.sessions.add(thing)
            elif isinstance(thing, ServiceToken):
                work.tokens.add(thing)
            else:
                work.members.grant(thing)
