"""What the identity rules need of cryptography: hashed passwords, signed tokens, sealed bytes."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from attrs import frozen


class TokenType(StrEnum):
    """What a token of a session is good for: asking for resources, or asking for the next pair of tokens."""

    ACCESS = "access"
    REFRESH = "refresh"


@frozen(kw_only=True)
class Claims:
    """What one of our tokens says; both times count in whole seconds, and only access tokens name email and role."""

    token_id: str
    user_id: UUID
    session_id: UUID
    type: TokenType
    issued_at: datetime
    expires_at: datetime
    email: str | None = None
    role: str | None = None


class PasswordHasher(Protocol):
    """Keeps passwords so that nobody can read them, and knows them again.

    Each call takes milliseconds of a processor on purpose: the caller bounds how many run at once.
    """

    def hash(self, password: str) -> str:
        """The password's hash with its algorithm, parameters and a fresh salt, as one text.

        Every character counts, however long the password is.
        """
        ...

    def verify(self, password: str, hashed: str | None) -> bool:
        """Whether this password was hashed to that.

        `None` stands for an unknown user: it is refused after the same work as a real hash of the current
        parameters. Raises `configuration_error` for a hash of a kind that this hasher does not read.
        """
        ...

    def is_outdated(self, hashed: str) -> bool:
        """Whether the hash has another algorithm or other parameters than new ones: hash again at login."""
        ...


class TokenSigner(Protocol):
    """Issues tokens that nobody else can make, and reads those it issued."""

    def sign(self, claims: Claims) -> str:
        """A token that says this, valid from the time of its issue; fractions of seconds are dropped."""
        ...

    def read(self, token: str, *, wanted: TokenType, now: datetime) -> Claims:
        """What a token says, after everything about it was checked.

        Whether the session still lives, it does not know. Raises `AuthenticationError`: `invalid_token`
        (malformed, forged, of an unknown key, issued in the future), `missing_required_claims`,
        `invalid_issuer`, `invalid_audience`, `invalid_token_type`, `token_not_yet_valid` or `token_expired`.
        """
        ...


class Sealer(Protocol):
    """Keeps bytes at rest so that they can be neither read nor changed without a key."""

    def seal(self, plain: bytes, *, context: str) -> bytes:
        """The bytes encrypted under the newest key, bound to their context: the row and column they are for."""
        ...

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """The bytes that were sealed for this context.

        Raises `InternalError` when they were changed, were sealed for another context, or under a key that
        is not known any more.
        """
        ...
