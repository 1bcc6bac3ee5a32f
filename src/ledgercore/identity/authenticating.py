"""From a bearer token to a principal: what the token says, and whether that still counts."""

from datetime import datetime

from attrs import evolve, frozen

from ledgercore.errors import AuthenticationError, AuthorizationError
from ledgercore.errors.catalog import FORBIDDEN, INVALID_TOKEN, TOKEN_EXPIRED, TOKEN_REVOKED
from ledgercore.identity.principals import Principal, Standing, Subject
from ledgercore.identity.secrets import TokenSigner, TokenType
from ledgercore.identity.service_tokens import TOKEN_PREFIX, digest_of, is_key
from ledgercore.identity.users import UserStatus


@frozen
class Authenticator:
    """Reads bearer tokens, and judges them by how their subjects stand in the store now."""

    signer: TokenSigner

    def subject_of(self, bearer: str, *, ledger: str | None, now: datetime) -> Subject:
        """Whom to look up for a token; raises as `TokenSigner.read` does, and `invalid_token` for a mistyped key."""
        if bearer.startswith(TOKEN_PREFIX):
            if not is_key(bearer):
                raise AuthenticationError(INVALID_TOKEN)
            return Subject(token_digest=digest_of(bearer), ledger=ledger)
        claims = self.signer.read(bearer, wanted=TokenType.ACCESS, now=now)
        return Subject(user_id=claims.user_id, session_id=claims.session_id, ledger=ledger)

    def principal_of(self, subject: Subject, standing: Standing, now: datetime) -> Principal:
        """Who acts, with the role that counts now.

        Raises `AuthenticationError`: `invalid_token` for a session, key or user that is not there or was deleted,
        `token_revoked` and `token_expired` for a session or key that has ended. Raises `forbidden` for a suspended
        user: who asks is known, and a new login would not help. The token is judged before the user, so that one
        that has ended tells nothing about its owner.
        """
        _check_token(subject, standing, now)
        if (
            standing.user_id is None
            or standing.email is None
            or standing.role is None
            or standing.status in (None, UserStatus.DELETED)
        ):
            raise AuthenticationError(INVALID_TOKEN)
        if standing.status is not UserStatus.ACTIVE:
            raise AuthorizationError(FORBIDDEN, status=standing.status)
        person = Principal(
            user_id=standing.user_id, email=standing.email, role=standing.role, session_id=subject.session_id
        )
        if subject.token_digest is None or (token := standing.token) is None:
            return person
        return evolve(person, token_id=token.id, scopes=token.scopes, ledgers=token.ledgers)

    def expires_at(self, bearer: str, standing: Standing, *, now: datetime) -> datetime | None:
        """When a token ends by itself; `None` for a key that does not."""
        if bearer.startswith(TOKEN_PREFIX):
            return None if standing.token is None else standing.token.expires_at
        return self.signer.read(bearer, wanted=TokenType.ACCESS, now=now).expires_at


def _check_token(subject: Subject, standing: Standing, now: datetime) -> None:
    revoked_at, expires_at = standing.session_revoked_at, standing.session_expires_at
    found = expires_at is not None
    if subject.token_digest is not None:
        found = standing.token is not None
        if standing.token is not None:
            revoked_at, expires_at = standing.token.revoked_at, standing.token.expires_at
    if not found:
        raise AuthenticationError(INVALID_TOKEN)
    if revoked_at is not None:
        raise AuthenticationError(TOKEN_REVOKED)
    if expires_at is not None and now >= expires_at:
        raise AuthenticationError(TOKEN_EXPIRED)
