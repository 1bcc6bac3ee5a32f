"""Bank logins: connecting a bank by OAuth2, disconnecting it, having it synchronised."""

from typing import Final

from ledgercore.banking.connecting import Wish
from ledgercore.banking.documents import login_document
from ledgercore.banking.logins import BankLogin
from ledgercore.errors.catalog import (
    BANK_API_ERROR,
    BANK_LOGIN_NOT_FOUND,
    BANK_NOT_CONNECTED,
    BANK_RATE_LIMITED,
    BANK_REFUSED,
    BRANCH_NOT_FOUND,
    CIRCUIT_OPEN,
    CONSENT_DENIED,
    CONSENT_EXPIRED,
    FORBIDDEN_ADDRESS,
    INVALID_ARGUMENT,
    INVALID_BANK,
    INVALID_CONSENT_STATE,
    INVALID_CURSOR,
    INVALID_FILTER,
    INVALID_UUID_FORMAT,
    SERVICE_UNAVAILABLE,
    TIMEOUT,
)
from ledgercore.identity.access import PUBLIC, bearer
from ledgercore.identity.service_tokens import Scope
from ledgercore.ledger.documents import check_object, refused
from ledgercore_http.answers import Answer
from ledgercore_http.call import Call
from ledgercore_http.parameters import CURSOR, LIMIT, path_id, read_id, text_parameter
from ledgercore_http.routes import Body, Parameter, Routes, Success
from ledgercore_http.schemas import banking as schemas
from ledgercore_http.schemas.building import UUID, array
from ledgercore_http.schemas.identity import USER_ID, done
from ledgercore_http.schemas.values import PAGED

ROUTES = Routes("bank logins", "Connections to banks: users let us see their accounts there.")
READ: Final = bearer(Scope.BANKING_READ)
WRITE: Final = bearer(Scope.BANKING_WRITE)
OF_USER: Final = Parameter(
    name="user_id", schema=UUID, read=read_id, description="Whose; one's own if left out.", example=USER_ID
)
_BANKS_FAIL: Final = (TIMEOUT, SERVICE_UNAVAILABLE, CIRCUIT_OPEN, BANK_API_ERROR, BANK_RATE_LIMITED)
_ASKED: Final = frozenset({"bank_branch_id", "username", "sync_frequency"})
_BROUGHT: Final = frozenset({"state", "code", "error"})
_FINISH_FAILS: Final = (
    INVALID_CONSENT_STATE, CONSENT_DENIED, CONSENT_EXPIRED, BANK_NOT_CONNECTED, BANK_LOGIN_NOT_FOUND, BANK_REFUSED,
    FORBIDDEN_ADDRESS, *_BANKS_FAIL,
)  # fmt: skip
# Banks may send more than we ask for (RFC 6749, 4.1.2; RFC 9207; OpenID Connect).
_PASSED_OVER: Final = tuple(
    text_parameter(name, "What banks may add; it is not looked at.", maxLength=2_000)
    for name in ("error_description", "error_uri", "iss", "scope", "session_state")
)


def _ask(call: Call) -> Wish:
    check_object(call.body, _ASKED, required=("bank_branch_id", "username"))
    return call.bank.banking.connecting.ask(call.body, by=call.principal, user_address=call.address)


def _finish(call: Call) -> BankLogin:
    told = call.query
    return call.bank.banking.connecting.finish(
        state=told["state"], code=told["code"], refusal=told["error"], actor=call.actor
    )


def _finish_as_user(call: Call) -> BankLogin:
    told = call.body
    check_object(told, _BROUGHT, required=("state",))
    return call.bank.banking.connecting.finish(
        state=told["state"], code=told.get("code"), refusal=told.get("error"), by=call.principal, actor=call.actor
    )


@ROUTES.route(
    "POST",
    "/bank-logins",
    access=WRITE,
    body=Body(schema=schemas.LOGIN_ASKED, example=schemas.LOGIN_ASKED_EXAMPLE),
    success=Success(status=201, schema=schemas.BEGUN, example=schemas.BEGUN_EXAMPLE, metadata=done("begun")),
    reasons=(
        INVALID_UUID_FORMAT, INVALID_BANK, BRANCH_NOT_FOUND, BANK_NOT_CONNECTED, BANK_REFUSED, FORBIDDEN_ADDRESS,
        *_BANKS_FAIL,
    ),
    before=_ask,
)  # fmt: skip
def connect_bank(call: Call) -> Answer:
    """Begin to connect a bank.

    Send the user to `authorization_url` within ten minutes; the bank sends them back to us. The same branch and
    username connect the same login again.
    """
    begun = call.bank.banking.connecting.begin(call.prepared, actor=call.actor)
    document = {**login_document(begun.login), "authorization_url": begun.authorization_url}
    return call.answer(document, action="begun")


@ROUTES.route(
    "GET",
    "/bank-logins/callback",
    access=PUBLIC,
    query=(
        text_parameter("state", "As it was in the authorization URL; good once.", maxLength=500),
        text_parameter("code", "What the bank lets us in with.", maxLength=4_096),
        text_parameter("error", "The bank's code for not letting us in.", maxLength=100),
        *_PASSED_OVER,
    ),
    success=Success(schema=schemas.LOGIN, example=schemas.LOGIN_EXAMPLE, metadata=done("connected")),
    reasons=_FINISH_FAILS,
    before=_finish,
)
def finish_connecting(call: Call) -> Answer:
    """Take a user who comes back from a bank, and synchronise the accounts."""
    return call.answer(login_document(call.prepared), action="connected")


@ROUTES.route(
    "POST",
    "/bank-logins/callback",
    access=WRITE,
    body=Body(schema=schemas.BROUGHT, example=schemas.BROUGHT_EXAMPLE),
    success=Success(schema=schemas.LOGIN, example=schemas.LOGIN_EXAMPLE, metadata=done("connected")),
    reasons=_FINISH_FAILS,
    before=_finish_as_user,
)
def finish_connecting_as_user(call: Call) -> Answer:
    """Take a user whom a bank sent back to a page of yours.

    The page passes on what it was called with. The connection is made only for the user who began it: whoever is
    lured into agreeing to another's connection gives nothing away.
    """
    return call.answer(login_document(call.prepared), action="connected")


@ROUTES.route(
    "GET",
    "/bank-logins",
    access=READ,
    query=(OF_USER, LIMIT, CURSOR),
    success=Success(schema=array(schemas.LOGIN), example=[schemas.LOGIN_EXAMPLE], metadata=PAGED),
    reasons=(INVALID_UUID_FORMAT, INVALID_FILTER, INVALID_CURSOR),
)
def list_bank_logins(call: Call) -> Answer:
    """List logins in the order they were begun: one's own, or for admins and support another's."""
    query = call.query
    page = call.bank.banking.logins.page(
        by=call.principal, user_id=query["user_id"], cursor=query["cursor"], limit=query["limit"]
    )
    return call.page(page, login_document)


@ROUTES.route(
    "GET",
    "/bank-logins/{id}",
    access=READ,
    success=Success(schema=schemas.LOGIN, example=schemas.LOGIN_EXAMPLE, metadata=done("retrieved")),
    reasons=(INVALID_UUID_FORMAT, BANK_LOGIN_NOT_FOUND),
)
def get_bank_login(call: Call) -> Answer:
    """Show a login."""
    login = call.bank.banking.logins.get(path_id(call.path["id"]), by=call.principal)
    return call.answer(login_document(login), action="retrieved")


@ROUTES.route(
    "DELETE",
    "/bank-logins/{id}",
    access=WRITE,
    success=Success(
        schema=schemas.LOGIN,
        example={**schemas.LOGIN_EXAMPLE, "status": "INACTIVE", "next_sync_at": None},
        metadata=done("disconnected"),
    ),
    reasons=(INVALID_UUID_FORMAT, BANK_LOGIN_NOT_FOUND),
)
def disconnect_bank(call: Call) -> Answer:
    """Disconnect a bank: its tokens are forgotten, its accounts stay as they are."""
    ended = call.bank.banking.logins.disconnect(path_id(call.path["id"]), by=call.principal, actor=call.actor)
    return call.answer(login_document(ended), action="disconnected")


@ROUTES.route(
    "POST",
    "/bank-logins/{id}/sync",
    access=WRITE,
    success=Success(
        status=202, schema=schemas.SYNC_ASKED, example=schemas.SYNC_ASKED_EXAMPLE, metadata=done("scheduled")
    ),
    reasons=(INVALID_UUID_FORMAT, BANK_LOGIN_NOT_FOUND, BANK_NOT_CONNECTED),
)
def sync_bank_login(call: Call) -> Answer:
    """Have a login synchronised soon; asked for again within five minutes, it is the same job."""
    job_id = call.bank.banking.logins.request_sync(path_id(call.path["id"]), by=call.principal, actor=call.actor)
    return call.answer({"job_id": str(job_id)}, action="scheduled")


@ROUTES.route(
    "POST",
    "/bank-logins/{id}/monzo-webhook",
    access=PUBLIC,
    body=Body(schema=schemas.HEARD, example=schemas.HEARD_EXAMPLE),
    success=Success(schema=schemas.TAKEN, example=schemas.TAKEN_EXAMPLE, metadata=done("received")),
    reasons=(INVALID_UUID_FORMAT, INVALID_ARGUMENT),
)
def hear_monzo(call: Call) -> Answer:
    """Take a webhook of Monzo's.

    It is not signed, so nothing of it is believed: the login is synchronised, if there is one, and that is all.
    """
    check_object(call.body, frozenset(call.body), required=("type",))
    if not isinstance(call.body["type"], str):
        raise refused(call.body["type"], "type", "a text")
    call.bank.banking.logins.hear(path_id(call.path["id"]), correlation_id=call.correlation_id)
    return call.answer({"received": True}, action="received")
