"""What clients of OAuth2 (RFC 6749) have in common: where users go, and tokens for codes."""

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from ledgercore.banking.clients.answers import (
    Members,
    read_answer,
    refusal_code,
    refuse_unless_clear,
    refused,
)
from ledgercore.banking.clients.client import Registration
from ledgercore.banking.clients.pkce import METHOD, challenge_of
from ledgercore.banking.exchange import Exchange
from ledgercore.banking.observations import Tokens
from ledgercore.errors.catalog import BANK_REFUSED, CONSENT_EXPIRED
from ledgercore.http_messages import HttpRequest

LIFETIME_SECONDS_MAX: Final = 10 * 365 * 86_400
_STATUSES_OF_REFUSAL: Final = frozenset({400, 401})
# These say that we are set up wrongly (RFC 6749, 5.2). Whatever else a bank says is about the code or refresh token.
_OUR_FAULT: Final = frozenset(
    {"invalid_client", "invalid_request", "invalid_scope", "unauthorized_client", "unsupported_grant_type"}
)


def authorize_url(registration: Registration, *, state: str, verifier: str, scope: str | None = None) -> str:
    """Where a user goes to let us in."""
    query = {
        "response_type": "code",
        "client_id": registration.client_id,
        "redirect_uri": registration.redirect_url,
        "state": state,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": METHOD,
        **({"scope": scope} if scope else {}),
    }
    joint = "&" if "?" in registration.authorize_url else "?"
    return f"{registration.authorize_url}{joint}{urlencode(query)}"


def code_form(registration: Registration, *, code: str, verifier: str) -> dict[str, str]:
    """What is sent for the first tokens."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": registration.redirect_url,
        "code_verifier": verifier,
        **_credentials(registration),
    }


def refresh_form(registration: Registration, refresh_token: str) -> dict[str, str]:
    """What is sent for tokens in place of old ones."""
    return {"grant_type": "refresh_token", "refresh_token": refresh_token, **_credentials(registration)}


def request_tokens(
    name: str, registration: Registration, form: dict[str, str], *, extra: dict[str, str], now: datetime
) -> Exchange[Tokens]:
    """Ask for tokens once: both codes and refresh tokens are good for one use.

    Raises `consent_expired` when the bank does not take what it gave before, `bank_refused` when it does not know us.
    """
    request = HttpRequest(
        name=name,
        method="POST",
        url=registration.token_url or f"{registration.api_url}/oauth2/token",
        headers={"accept": "application/json"},
        form=form,
        safe=False,
    )
    response = yield request
    refuse_unless_clear(request, response)
    if response.is_success:
        return _tokens(read_answer(request, response), extra=extra, now=now)
    bank_code = refusal_code(response, "error", "code")
    spent = response.status in _STATUSES_OF_REFUSAL and bank_code not in _OUR_FAULT
    raise refused(request, response, CONSENT_EXPIRED if spent else BANK_REFUSED, bank_code)


def _tokens(answer: Members, *, extra: dict[str, str], now: datetime) -> Tokens:
    lifetime_seconds = None if answer.values.get("expires_in") is None else answer.whole("expires_in")
    if lifetime_seconds is not None and not 0 <= lifetime_seconds <= LIFETIME_SECONDS_MAX:
        raise answer.unreadable("expires_in", "a number of seconds up to ten years is expected")
    if answer.find_id("token_type") not in (None, "Bearer", "bearer"):
        raise answer.unreadable("token_type", "Bearer is expected")
    return Tokens(
        access_token=answer.word("access_token"),
        refresh_token=None if answer.values.get("refresh_token") is None else answer.word("refresh_token"),
        expires_at=None if lifetime_seconds is None else now + timedelta(seconds=lifetime_seconds),
        extra=extra,
    )


def _credentials(registration: Registration) -> dict[str, str]:
    secret = {"client_secret": registration.client_secret} if registration.client_secret else {}
    return {"client_id": registration.client_id, **secret}
