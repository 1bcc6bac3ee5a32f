"""Service tokens: keys for machines, shown once."""

from typing import Any, Final

from ledgercore.errors.catalog import (
    ACCOUNT_INACTIVE,
    DATETIME_OUT_OF_RANGE,
    INVALID_ARGUMENT,
    INVALID_CURSOR,
    INVALID_DATETIME_FORMAT,
    INVALID_EXPIRY,
    INVALID_FILTER,
    INVALID_LEDGER_NAME,
    INVALID_NAME_FORMAT,
    INVALID_SCOPE,
    INVALID_UUID_FORMAT,
    SERVICE_TOKEN_NOT_FOUND,
    USER_NOT_FOUND,
)
from ledgercore.identity.access import bearer
from ledgercore.identity.documents import issued_token_document, service_token_document
from ledgercore.identity.service_tokens import Scope
from ledgercore.ledger.documents import check_object, id_from, moment_from, refused
from ledgercore_http.answers import Answer, pagination
from ledgercore_http.call import Call
from ledgercore_http.parameters import CURSOR, LIMIT, path_id, read_flag, read_id
from ledgercore_http.routes import Body, Parameter, Routes, Success
from ledgercore_http.schemas import administration as schemas
from ledgercore_http.schemas.building import BOOLEAN, UUID, array
from ledgercore_http.schemas.identity import USER_ID, done
from ledgercore_http.schemas.values import PAGINATION

ROUTES = Routes("tokens", "Service tokens: keys for machines, with no more than their owner's rights.")
ACCESS: Final = bearer(Scope.TOKENS_WRITE)
FIELDS: Final = frozenset({"name", "scopes", "ledgers", "expires_at", "owner_id"})
OWNER: Final = Parameter(
    name="owner_id", schema=UUID, read=read_id, description="Whose; one's own if left out.", example=USER_ID
)
EVERYBODYS: Final = Parameter(
    name="everybodys", schema=BOOLEAN, read=read_flag, description="Those of all owners, for admins.", default=False
)


@ROUTES.route(
    "POST",
    "/tokens",
    access=ACCESS,
    body=Body(schema=schemas.SERVICE_TOKEN_ASKED, example=schemas.SERVICE_TOKEN_ASKED_EXAMPLE),
    success=Success(
        status=201, schema=schemas.ISSUED_TOKEN, example=schemas.ISSUED_TOKEN_EXAMPLE, metadata=done("issued")
    ),
    reasons=(
        INVALID_ARGUMENT,
        INVALID_NAME_FORMAT,
        INVALID_SCOPE,
        INVALID_LEDGER_NAME,
        INVALID_DATETIME_FORMAT,
        DATETIME_OUT_OF_RANGE,
        INVALID_EXPIRY,
        INVALID_UUID_FORMAT,
        USER_NOT_FOUND,
        ACCOUNT_INACTIVE,
    ),
)
def issue_token(call: Call) -> Answer:
    """Issue a service token.

    Its key is in this answer and never shown again. A service token that issues another gives it no more than it has.
    """
    document = call.body
    check_object(document, FIELDS, required=("name", "scopes"))
    ledgers = document.get("ledgers")
    issued = call.identity.service_tokens.issue(
        by=call.principal,
        name=document["name"],
        scopes=_texts(document["scopes"], field="scopes"),
        ledgers=None if ledgers is None else _texts(ledgers, field="ledgers"),
        expires_at=moment_from(document.get("expires_at"), field="expires_at"),
        owner_id=id_from(document.get("owner_id"), field="owner_id"),
        actor=call.actor,
    )
    return call.answer(issued_token_document(issued), action="issued")


@ROUTES.route(
    "GET",
    "/tokens",
    access=ACCESS,
    query=(OWNER, EVERYBODYS, LIMIT, CURSOR),
    success=Success(
        schema=array(schemas.SERVICE_TOKEN),
        example=[schemas.SERVICE_TOKEN_EXAMPLE],
        metadata=done("listed", PAGINATION),
    ),
    reasons=(INVALID_UUID_FORMAT, INVALID_FILTER, INVALID_CURSOR),
)
def list_tokens(call: Call) -> Answer:
    """List service tokens in the order they were issued, revoked ones too."""
    limit, owner_id = call.query["limit"], call.query["owner_id"]
    if owner_id is None and not call.query["everybodys"]:
        owner_id = call.principal.user_id
    page = call.identity.service_tokens.page(
        by=call.principal, owner_id=owner_id, cursor=call.query["cursor"], limit=limit
    )
    return call.answer(
        [service_token_document(token) for token in page.items], action="listed", pagination=pagination(page, limit)
    )


@ROUTES.route(
    "DELETE",
    "/tokens/{id}",
    access=ACCESS,
    success=Success(
        schema=schemas.SERVICE_TOKEN,
        example={**schemas.SERVICE_TOKEN_EXAMPLE, "revoked_at": "2026-03-03T09:00:00+00:00"},
        metadata=done("revoked"),
    ),
    reasons=(INVALID_UUID_FORMAT, SERVICE_TOKEN_NOT_FOUND),
)
def revoke_token(call: Call) -> Answer:
    """Revoke a service token; it opens nothing any more."""
    token = call.identity.service_tokens.revoke(path_id(call.path["id"]), by=call.principal, actor=call.actor)
    return call.answer(service_token_document(token), action="revoked")


def _texts(value: Any, *, field: str) -> list[str]:
    if not isinstance(value, list):
        raise refused(value, field, "a JSON array of texts")
    for index, text in enumerate(value):
        if not isinstance(text, str):
            raise refused(text, f"{field}[{index}]", "text")
    return value
