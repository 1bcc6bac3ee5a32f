"""Service tokens: keys for machines, with scopes, shown once and kept as a hash."""

import hashlib
import zlib
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from attrs import field, frozen

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import INVALID_SCOPE
from ledgercore.ledger.names import check_ledger_name

TOKEN_PREFIX: Final = "lc_"
RANDOM_LENGTH: Final = 32
CHECKSUM_LENGTH: Final = 6
SHOWN_LENGTH: Final = 12
NAME_LENGTH_MAX: Final = 100
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Scope(StrEnum):
    """What a service token may do, at most; its owner's own rights bound it too."""

    LEDGER_READ = "ledger:read"
    LEDGER_WRITE = "ledger:write"
    LEDGER_MANAGE = "ledger:manage"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    TOKENS_WRITE = "tokens:write"
    AUDIT_READ = "audit:read"
    PROFILE_READ = "profile:read"
    PAYMENTS_READ = "payments:read"
    PAYMENTS_WRITE = "payments:write"
    BANKING_READ = "banking:read"
    BANKING_WRITE = "banking:write"
    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    WEBHOOKS_WRITE = "webhooks:write"


def check_scopes(scopes: Iterable[object]) -> frozenset[Scope]:
    """Scopes by their names, at least one; `invalid_scope`."""
    found = set()
    for name in scopes:
        try:
            found.add(Scope(str(name)))
        except ValueError as error:
            raise ValidationError(INVALID_SCOPE, field="scopes", value=shortened(name), allowed=list(Scope)) from error
    if not found:
        raise ValidationError(INVALID_SCOPE, field="scopes", why="at least one is needed", allowed=list(Scope))
    return frozenset(found)


def _as_ledgers(names: Iterable[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(check_ledger_name(name) for name in names)


@frozen(kw_only=True)
class ServiceToken:
    """A key of a machine. `ledgers` limits it to these; `None` leaves all of its owner's.

    Kept are the SHA-256 of the key, which 190 random bits make impossible to guess back, and the start that is
    shown in lists.
    """

    id: UUID
    owner_id: UUID
    name: str
    shown: str
    digest: bytes = field(repr=False)
    scopes: frozenset[Scope]
    ledgers: frozenset[str] | None = field(default=None, converter=_as_ledgers)
    issued_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        """Whether the key still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def new_key(environment: str, random: bytes) -> str:
    """A key `lc_<environment>_<32 random characters><checksum>` from at least 32 random bytes."""
    number = int.from_bytes(random)
    secret = _base62(number % 62**RANDOM_LENGTH, RANDOM_LENGTH)
    start = f"{TOKEN_PREFIX}{environment}_{secret}"
    return start + _checksum(start)


def is_key(text: str) -> bool:
    """Whether a text is a key that was not mistyped: known without asking the database."""
    start, checksum = text[:-CHECKSUM_LENGTH], text[-CHECKSUM_LENGTH:]
    return text.startswith(TOKEN_PREFIX) and text.isascii() and _checksum(start) == checksum


def digest_of(key: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).digest()


def shown_of(key: str) -> str:
    """The start of a key, for lists: enough to tell keys apart, too little to guess from."""
    return key[:SHOWN_LENGTH]


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, rest = divmod(number, 62)
        letters.append(_ALPHABET[rest])
    return "".join(reversed(letters))
