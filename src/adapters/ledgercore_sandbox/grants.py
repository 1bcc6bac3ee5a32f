"""Who may see what: authorization codes, access tokens that expire, and refresh tokens for one use (RFC 6749, 7636)."""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field, frozen

from ledgercore.clock import Clock
from ledgercore_sandbox.generating import Names

CLIENT_ID: Final = "sandbox-client"
CLIENT_SECRET: Final = "sandbox-secret"
"""How the one client is known here; whoever runs a sandbox on their machine has nothing to hide from themselves."""
CODE_LIFETIME: Final = timedelta(minutes=10)


class OAuthRefused(Exception):
    """A request for tokens is refused: `error` is the code of RFC 6749, 5.2."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


class TokenRefused(Exception):
    """An access token does not open anything: `why` is unknown, expired or evicted."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@define(kw_only=True, eq=False)
class Grant:
    """What a customer let a client do; `authenticated_at` is when they last proved who they are."""

    customer_id: str
    scope: str
    authenticated_at: datetime
    is_approved: bool
    is_revoked: bool = False
    access_tokens: list[str] = field(factory=list)


@frozen(kw_only=True)
class IssuedTokens:
    """What the token endpoint answers with."""

    access_token: str
    refresh_token: str
    expires_in_seconds: int
    grant: Grant


@define(kw_only=True)
class _Code:
    grant: Grant
    redirect_uri: str
    challenge: str | None
    expires_at: datetime
    is_used: bool = False


@define(kw_only=True)
class _Opening:
    grant: Grant
    expires_at: datetime
    is_evicted: bool = False


@define(kw_only=True)
class _Renewal:
    grant: Grant
    is_used: bool = False


@define(kw_only=True)
class Grants:
    """The authorization server of one face of the bank.

    With `one_at_a_time` a customer's new access token puts an end to all older ones.
    """

    clock: Clock
    names: Names
    lifetime: timedelta
    one_at_a_time: bool
    _codes: dict[str, _Code] = field(factory=dict)
    _access: dict[str, _Opening] = field(factory=dict)
    _refresh: dict[str, _Renewal] = field(factory=dict)
    _grants: list[Grant] = field(factory=list)

    def authorize(
        self, *, customer_id: str, scope: str, redirect_uri: str, challenge: str | None, is_approved: bool
    ) -> str:
        """A code for what a customer has just allowed; `challenge` is that of PKCE with S256."""
        now = self.clock()
        grant = Grant(customer_id=customer_id, scope=scope, authenticated_at=now, is_approved=is_approved)
        self._grants.append(grant)
        code = self.names.secret()
        self._codes[code] = _Code(
            grant=grant, redirect_uri=redirect_uri, challenge=challenge, expires_at=now + CODE_LIFETIME
        )
        return code

    def exchange(self, *, code: str, redirect_uri: str, verifier: str | None) -> IssuedTokens:
        """Tokens for a code; one that is used twice costs what the first use gave. Raises `OAuthRefused`."""
        known = self._codes.get(code)
        if known is None:
            raise OAuthRefused("invalid_grant", "Authorization code is not known")
        if known.is_used:
            self.revoke(known.grant)
            raise OAuthRefused("invalid_grant", "Authorization code has been used")
        known.is_used = True
        if self.clock() >= known.expires_at:
            raise OAuthRefused("invalid_grant", "Authorization code has expired")
        if redirect_uri != known.redirect_uri:
            raise OAuthRefused("invalid_grant", "redirect_uri is not the one of the authorization request")
        if known.challenge is not None and not _proves(verifier, known.challenge):
            raise OAuthRefused("invalid_grant", "code_verifier does not fit the challenge")
        known.grant.authenticated_at = self.clock()
        return self._issue(known.grant)

    def refresh(self, refresh_token: str) -> IssuedTokens:
        """New tokens for old ones; a refresh token that is used twice costs the whole grant. Raises `OAuthRefused`."""
        known = self._refresh.get(refresh_token)
        if known is None:
            raise OAuthRefused("invalid_grant", "Refresh token is not known")
        if known.is_used:
            self.revoke(known.grant)
            raise OAuthRefused("invalid_grant", "Refresh token has been used")
        if known.grant.is_revoked:
            raise OAuthRefused("invalid_grant", "Refresh token has been revoked")
        known.is_used = True
        return self._issue(known.grant)

    def open(self, access_token: str) -> Grant:
        """What a token stands for; raises `TokenRefused`."""
        known = self._access.get(access_token)
        if known is None:
            raise TokenRefused("unknown")
        if known.is_evicted or known.grant.is_revoked:
            raise TokenRefused("evicted")
        if self.clock() >= known.expires_at:
            raise TokenRefused("expired")
        return known.grant

    def expire(self, access_token: str) -> None:
        """Let a token's time be over now."""
        if access_token in self._access:
            self._access[access_token].expires_at = self.clock()

    def revoke(self, grant: Grant) -> None:
        """Take back what was granted, with every token."""
        grant.is_revoked = True

    def of_customer(self, customer_id: str) -> list[Grant]:
        """What a customer has allowed."""
        return [grant for grant in self._grants if grant.customer_id == customer_id]

    def _issue(self, grant: Grant) -> IssuedTokens:
        ended = self.of_customer(grant.customer_id) if self.one_at_a_time else [grant]
        for token in (token for old in ended for token in old.access_tokens):
            self._access[token].is_evicted = True
        access, refresh = self.names.secret(), self.names.secret()
        grant.access_tokens = [access]
        self._access[access] = _Opening(grant=grant, expires_at=self.clock() + self.lifetime)
        self._refresh[refresh] = _Renewal(grant=grant)
        return IssuedTokens(
            access_token=access,
            refresh_token=refresh,
            expires_in_seconds=int(self.lifetime.total_seconds()),
            grant=grant,
        )


def _proves(verifier: str | None, challenge: str) -> bool:
    digest = hashlib.sha256((verifier or "").encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"="), challenge.encode())
