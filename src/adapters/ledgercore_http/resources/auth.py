"""Sessions: log in, refresh, log out, and who one is."""

import hashlib
from typing import Final

from ledgercore.errors import shortened
from ledgercore.errors.catalog import ACCOUNT_INACTIVE, INVALID_CREDENTIALS, INVALID_EMAIL_FORMAT, USER_NOT_FOUND
from ledgercore.identity.access import PUBLIC, SESSION, bearer
from ledgercore.identity.documents import signed_in_document, tokens_document, user_document
from ledgercore.identity.normalizers import login_attrs, refresh_token_attrs
from ledgercore.identity.service_tokens import Scope
from ledgercore.identity.signing_in import Recognised
from ledgercore.identity.users import check_email
from ledgercore.ledger.documents import check_object
from ledgercore_http.answers import Answer
from ledgercore_http.call import Call
from ledgercore_http.edge import network_of
from ledgercore_http.routes import Body, Routes, Success
from ledgercore_http.schemas import identity as schemas

ROUTES = Routes("auth", "Sessions: an access token for minutes, and a refresh token for the next pair.")
LOGIN_FIELDS: Final = frozenset({"email", "password"})
REFRESH_FIELDS: Final = frozenset({"refresh_token"})
REFRESH: Final = Body(schema=schemas.REFRESH_ASKED, example=schemas.REFRESH_EXAMPLE)
NOTHING: Final = Success(schema=schemas.NOTHING, example=None)


def recognise(call: Call) -> Recognised:
    """Check email and password, so many times for each email and address."""
    check_object(call.body, LOGIN_FIELDS)
    sent = login_attrs(call.body)
    email = check_email(sent.get("email"))
    call.request.scope["state"]["target"] = f"email:{shortened(email)}"
    digest = hashlib.sha256(email.encode()).hexdigest()
    call.take(f"login:{digest}:{network_of(call.address)}", call.service.limits.logins)
    return call.service.identity.sign_in.recognise(email, sent.get("password"))


@ROUTES.route(
    "POST",
    "/auth/login",
    access=PUBLIC,
    body=Body(schema=schemas.LOGIN_ASKED, example=schemas.LOGIN_EXAMPLE),
    success=Success(schema=schemas.SIGNED_IN, example=schemas.SIGNED_IN_EXAMPLE),
    reasons=(INVALID_EMAIL_FORMAT, INVALID_CREDENTIALS, ACCOUNT_INACTIVE),
    hashing=recognise,
)
def login(call: Call) -> Answer:
    """Log in.

    An unknown email and a wrong or missing password are refused alike, after the same time. Too many attempts for
    one email from one address have to wait.
    """
    return call.answer(signed_in_document(call.identity.sign_in.admit(call.hashed, actor=call.actor)))


@ROUTES.route(
    "POST",
    "/auth/refresh",
    access=PUBLIC,
    body=REFRESH,
    success=Success(schema=schemas.TOKENS, example=schemas.TOKENS_EXAMPLE),
    reasons=schemas.REFRESHING_REASONS,
)
def refresh(call: Call) -> Answer:
    """Replace a refresh token by a new pair of tokens.

    Each refresh token is good once. One that is used again ends its session, since somebody has a copy of it.
    """
    signed_in = call.identity.sign_in.refresh(_refresh_token(call), actor=call.actor, began_at=call.began_at)
    return call.answer(tokens_document(signed_in))


@ROUTES.route("POST", "/auth/logout", access=PUBLIC, body=REFRESH, success=NOTHING, reasons=schemas.REFRESHING_REASONS)
def logout(call: Call) -> Answer:
    """Log out: end the session of a refresh token.

    Its access tokens end at once, too.
    """
    call.identity.sign_in.logout(_refresh_token(call), actor=call.actor)
    return call.answer(None, message="Logged out successfully")


@ROUTES.route("POST", "/auth/logout-all", access=SESSION, success=NOTHING)
def logout_all(call: Call) -> Answer:
    """Log out everywhere: end all of one's own sessions, this one included."""
    call.identity.sign_in.logout_all(call.principal, actor=call.actor)
    return call.answer(None, message="Logged out from all devices successfully")


@ROUTES.route(
    "GET",
    "/auth/me",
    access=bearer(Scope.PROFILE_READ),
    success=Success(schema=schemas.USER, example=schemas.USER_EXAMPLE),
    reasons=(USER_NOT_FOUND,),
)
def me(call: Call) -> Answer:
    """Show who one is; of a service token, its owner."""
    return call.answer(user_document(call.identity.profiles.get(call.principal)))


@ROUTES.route(
    "GET",
    "/auth/validate",
    access=bearer(Scope.PROFILE_READ),
    success=Success(schema=schemas.VALIDATED, example=schemas.VALIDATED_EXAMPLE),
)
async def validate(call: Call) -> Answer:
    """Check a token, and see when it ends; a service token may have no end."""
    now = call.service.clock()
    expires_at = call.identity.authenticator.expires_at(call.bearer, call.standing, now=now)
    return call.answer(
        {
            "valid": True,
            "user_id": str(call.principal.user_id),
            "role": call.principal.role.value,
            "expires_at": expires_at and expires_at.isoformat(),
        }
    )


def _refresh_token(call: Call) -> object:
    check_object(call.body, REFRESH_FIELDS)
    return refresh_token_attrs(call.body).get("refresh_token")
