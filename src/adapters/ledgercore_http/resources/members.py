"""Ledgers and their members: who starts a ledger, and who may do what in it."""

from typing import Final

from ledgercore.errors.catalog import (
    INVALID_ACCESS,
    INVALID_CURSOR,
    INVALID_FILTER,
    INVALID_LEDGER_NAME,
    INVALID_UUID_FORMAT,
    LAST_OWNER,
    LEDGER_ALREADY_EXISTS,
    MEMBER_NOT_FOUND,
    USER_NOT_FOUND,
)
from ledgercore.identity.access import LEDGER_MANAGE, bearer
from ledgercore.identity.documents import ledger_document, membership_document
from ledgercore.identity.memberships import LedgerAccess, check_access
from ledgercore.identity.service_tokens import Scope
from ledgercore.ledger.command_documents import settings_from
from ledgercore.ledger.documents import check_object, object_from, within
from ledgercore_http.answers import Answer, pagination
from ledgercore_http.call import Call
from ledgercore_http.parameters import CURSOR, LIMIT, path_id, read_flag
from ledgercore_http.routes import Body, Parameter, Routes, Success
from ledgercore_http.schemas import administration as schemas
from ledgercore_http.schemas.building import BOOLEAN, array
from ledgercore_http.schemas.identity import NOTHING, done, then
from ledgercore_http.schemas.ledgers import SETTINGS_REASONS
from ledgercore_http.schemas.values import PAGINATION

ROUTES = Routes("ledgers", "Books that belong to their members: readers, writers and owners.")
LEDGER_FIELDS: Final = frozenset({"name", "settings"})
ACCESS_FIELDS: Final = frozenset({"access"})
EVERYBODYS: Final = Parameter(
    name="everybodys",
    schema=BOOLEAN,
    read=read_flag,
    description="All there are, for admins and support.",
    default=False,
)


@ROUTES.route(
    "POST",
    "/ledgers",
    access=bearer(Scope.LEDGER_MANAGE),
    body=Body(schema=schemas.LEDGER_ASKED, example=schemas.LEDGER_ASKED_EXAMPLE),
    success=Success(
        status=201,
        schema=schemas.LEDGER_OF,
        example=schemas.LEDGER_OF_EXAMPLE,
        metadata=done("created"),
        links={
            "get": then("get_ledger", ledger="ledger"),
            "members": then("list_members", ledger="ledger"),
            "accounts": then("create_account", ledger="ledger"),
        },
    ),
    reasons=(INVALID_LEDGER_NAME, LEDGER_ALREADY_EXISTS, *SETTINGS_REASONS),
)
def create_ledger(call: Call) -> Answer:
    """Start a ledger and own it.

    Users get ten random characters after the name, so that nobody learns which names others use; admins get the
    name as it is.
    """
    check_object(call.body, LEDGER_FIELDS, required=("name",))
    sent = object_from(call.body.get("settings"), field="settings")
    with within("settings"):
        settings = None if sent is None else settings_from(sent)
    name = call.identity.ledgers.create(call.body["name"], settings, by=call.principal, actor=call.actor)
    return call.answer(ledger_document((name, LedgerAccess.OWNER)), action="created")


@ROUTES.route(
    "GET",
    "/ledgers",
    access=bearer(Scope.LEDGER_READ),
    query=(EVERYBODYS, LIMIT, CURSOR),
    success=Success(
        schema=array(schemas.LEDGER_OF), example=[schemas.LEDGER_OF_EXAMPLE], metadata=done("listed", PAGINATION)
    ),
    reasons=(INVALID_FILTER, INVALID_CURSOR),
)
def list_ledgers(call: Call) -> Answer:
    """List the ledgers that one is a member of, by name."""
    limit = call.query["limit"]
    page = call.identity.ledgers.page(
        by=call.principal, everybodys=call.query["everybodys"], cursor=call.query["cursor"], limit=limit
    )
    return call.answer(
        [ledger_document(ledger) for ledger in page.items], action="listed", pagination=pagination(page, limit)
    )


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/members",
    access=LEDGER_MANAGE,
    success=Success(schema=array(schemas.MEMBER), example=[schemas.MEMBER_EXAMPLE], metadata=done("listed")),
)
def list_members(call: Call) -> Answer:
    """List the members of a ledger."""
    members = call.identity.ledgers.members(call.path["ledger"], by=call.principal)
    return call.answer([membership_document(member) for member in members], action="listed")


@ROUTES.route(
    "PUT",
    "/ledgers/{ledger}/members/{user_id}",
    access=LEDGER_MANAGE,
    body=Body(schema=schemas.MEMBER_ASKED, example=schemas.MEMBER_ASKED_EXAMPLE),
    success=Success(schema=schemas.MEMBER, example=schemas.MEMBER_EXAMPLE, metadata=done("granted")),
    reasons=(INVALID_UUID_FORMAT, INVALID_ACCESS, USER_NOT_FOUND, LAST_OWNER),
)
def grant_membership(call: Call) -> Answer:
    """Make a user a member of a ledger, or change what the user may do in it."""
    user_id = path_id(call.path["user_id"], "user_id")
    check_object(call.body, ACCESS_FIELDS, required=("access",))
    membership = call.identity.ledgers.grant(
        call.path["ledger"], user_id, check_access(call.body["access"]), by=call.principal, actor=call.actor
    )
    return call.answer(membership_document(membership), action="granted")


@ROUTES.route(
    "DELETE",
    "/ledgers/{ledger}/members/{user_id}",
    access=LEDGER_MANAGE,
    success=Success(schema=NOTHING, example=None, metadata=done("revoked")),
    reasons=(INVALID_UUID_FORMAT, MEMBER_NOT_FOUND, LAST_OWNER),
)
def revoke_membership(call: Call) -> Answer:
    """Take a user's access to a ledger away; its last owner stays."""
    user_id = path_id(call.path["user_id"], "user_id")
    call.identity.ledgers.revoke(call.path["ledger"], user_id, by=call.principal, actor=call.actor)
    return call.answer(None, action="revoked", message="Member removed successfully")
