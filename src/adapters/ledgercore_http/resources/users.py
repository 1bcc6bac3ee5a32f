"""Users: registration by anybody, administration by admins."""

import re
from typing import Any, Final

from ledgercore.errors.catalog import (
    FORBIDDEN,
    INVALID_ROLE,
    INVALID_SORT,
    INVALID_STATUS,
    INVALID_STATUS_CHANGE,
    INVALID_UUID_FORMAT,
    LAST_ADMIN,
    USER_NOT_FOUND,
)
from ledgercore.identity.access import PUBLIC, admin
from ledgercore.identity.documents import position_document, user_counts_document, user_document
from ledgercore.identity.normalizers import PAGE_SIZE, PAGE_SIZE_MAX, keyset_attrs, pagination_attrs, sort_attrs
from ledgercore.identity.normalizers import user_filter as filter_from
from ledgercore.identity.service_tokens import Scope
from ledgercore.identity.users import SORTABLE, Role, UserStatus
from ledgercore.identity.users_administration import REQUIRED, NewUser
from ledgercore.ledger.documents import check_object
from ledgercore_http.answers import Answer
from ledgercore_http.call import Call
from ledgercore_http.parameters import path_id
from ledgercore_http.routes import Body, JsonSchema, Parameter, Routes, Success
from ledgercore_http.schemas import identity as schemas
from ledgercore_http.schemas.building import one_of, text, whole
from ledgercore_http.schemas.identity import done, or_blank, then

ROUTES = Routes("users", "People who may log in.")
READ: Final = admin(Scope.USERS_READ)
WRITE: Final = admin(Scope.USERS_WRITE)
NEW_USER_FIELDS: Final = frozenset({*REQUIRED, "role"})
USER_FIELDS: Final = frozenset({"email", "full_name", "role", "status"})

_FIELD: Final = "|".join(map(re.escape, (*SORTABLE, "created_at")))
# Fields with a direction or none; parts without a field or with another direction are ignored.
_SORT_PART: Final = rf"\s*(?:(?:{_FIELD})(?::(?:asc|desc)?)?|[^,:]*:[^,\sad][^,]*|:[^,]*)?\s*"


def _lenient(name: str, description: str, **bounds: Any) -> Parameter:
    """A whole number for which anything else counts as its default."""
    return _as_sent(name, {"anyOf": [whole(**bounds), text()]}, description)


def _as_sent(name: str, schema: JsonSchema, description: str, example: str | None = None) -> Parameter:
    """A parameter that a normaliser reads."""
    return Parameter(name=name, schema=schema, read=lambda value, _: value, description=description, example=example)


FILTERS: Final = (
    _as_sent("status", or_blank(one_of(UserStatus)), "Only users of this status; deleted ones only by it."),
    _as_sent("role", or_blank(one_of(Role)), "Only users of this role."),
)
PAGE: Final = (
    _lenient("page", "Which page; the first if it cannot be read.", minimum=1, default=1),
    _lenient(
        "page_size", "How many users; the default if it cannot be read, and never above 100.",
        minimum=1, maximum=PAGE_SIZE_MAX, default=PAGE_SIZE,
    ),
    _as_sent(
        "sort",
        text(pattern=rf"^{_SORT_PART}(?:,{_SORT_PART})*$"),
        f"Fields joined by commas, each with `:asc` or `:desc` or neither: {', '.join(SORTABLE)}.",
        example="email:asc,inserted_at:desc",
    ),
)  # fmt: skip
SLICE: Final = (
    _lenient("limit", "How many users; the default if it cannot be read, and never above 100.",
             minimum=1, maximum=PAGE_SIZE_MAX, default=PAGE_SIZE),
    _as_sent(
        "cursor", text(), "The `next_cursor` of the page before, as JSON text; any other text gives the first page.",
        example='{"inserted_at": "2026-03-02T09:00:00+00:00", "id": "01970000-0000-7000-8000-000000000002"}',
    ),
)  # fmt: skip


def _user(action: str) -> Success:
    return Success(schema=schemas.USER, example=schemas.USER_EXAMPLE, metadata=done(action))


CREATED: Final = Success(
    status=201,
    schema=schemas.USER,
    example=schemas.USER_EXAMPLE,
    metadata=done("created"),
    links={
        "get": then("get_user", id="id"),
        "change": then("update_user", id="id"),
        "delete": then("delete_user", id="id"),
    },
)


def prepare_registration(call: Call) -> NewUser:
    """Check a registration and hash its password."""
    check_object(call.body, NEW_USER_FIELDS)
    return call.service.identity.users.prepare_registration(call.body)


def prepare_user(call: Call) -> NewUser:
    """Check what an admin sends of a new user and hash the password."""
    check_object(call.body, NEW_USER_FIELDS)
    return call.service.identity.users.prepare(call.body, by=call.principal)


@ROUTES.route(
    "POST",
    "/users",
    access=PUBLIC,
    body=Body(schema=schemas.REGISTRATION_ASKED, example=schemas.REGISTRATION_EXAMPLE),
    success=CREATED,
    reasons=schemas.REGISTERING_REASONS,
    hashing=prepare_registration,
)
def register_user(call: Call) -> Answer:
    """Register; whoever does is an ordinary user."""
    user = call.identity.users.add(call.hashed, actor=call.actor)
    return call.answer(user_document(user), action="created")


@ROUTES.route(
    "POST",
    "/users/admin",
    access=WRITE,
    body=Body(schema=schemas.NEW_USER_ASKED, example=schemas.NEW_USER_EXAMPLE),
    success=CREATED,
    reasons=(*schemas.REGISTERING_REASONS, INVALID_ROLE),
    hashing=prepare_user,
)
def create_user(call: Call) -> Answer:
    """Create a user with a role."""
    user = call.identity.users.add(call.hashed, actor=call.actor)
    return call.answer(user_document(user), action="created")


@ROUTES.route(
    "GET",
    "/users",
    access=READ,
    query=(*PAGE, *FILTERS),
    success=Success(
        schema=schemas.USERS, example=[schemas.USER_EXAMPLE], metadata=done("listed", schemas.OFFSET_PAGINATION)
    ),
    reasons=(INVALID_SORT, INVALID_STATUS, INVALID_ROLE),
)
def list_users(call: Call) -> Answer:
    """List users by page number."""
    page = call.identity.users.page(
        filter_from(call.query), by=call.principal, sort=sort_attrs(call.query), **pagination_attrs(call.query)
    )
    pagination = {
        "page": page.page,
        "page_size": page.page_size,
        "total_count": page.total_count,
        "total_pages": page.total_pages,
    }
    return call.answer([user_document(user) for user in page.items], action="listed", pagination=pagination)


@ROUTES.route(
    "GET",
    "/users/keyset",
    access=READ,
    query=(*SLICE, *FILTERS),
    success=Success(
        schema=schemas.USERS, example=[schemas.USER_EXAMPLE], metadata=done("listed", schemas.KEYSET_PAGINATION)
    ),
    reasons=(INVALID_STATUS, INVALID_ROLE),
)
def list_users_by_keyset(call: Call) -> Answer:
    """List users from a position, newest first.

    Nobody is shown twice or left out when others register meanwhile.
    """
    limit, after = keyset_attrs(call.query)
    found = call.identity.users.page_after(filter_from(call.query), by=call.principal, limit=limit, after=after)
    pagination = {
        "type": "keyset",
        "limit": found.limit,
        "has_more": found.next_after is not None,
        "next_cursor": position_document(found.next_after),
    }
    return call.answer([user_document(user) for user in found.items], action="listed", pagination=pagination)


@ROUTES.route(
    "GET",
    "/users/stats",
    access=READ,
    success=Success(schema=schemas.USER_COUNTS, example=schemas.USER_COUNTS_EXAMPLE, metadata=done("stats_retrieved")),
)
def count_users(call: Call) -> Answer:
    """Count users; deleted ones are left out."""
    return call.answer(user_counts_document(call.identity.users.stats(by=call.principal)), action="stats_retrieved")


@ROUTES.route(
    "GET", "/users/{id}", access=READ, success=_user("retrieved"), reasons=(INVALID_UUID_FORMAT, USER_NOT_FOUND)
)
def get_user(call: Call) -> Answer:
    """Show a user."""
    user = call.identity.users.get(path_id(call.path["id"]), by=call.principal)
    return call.answer(user_document(user), action="retrieved")


@ROUTES.route(
    "PUT",
    "/users/{id}",
    access=WRITE,
    body=Body(schema=schemas.USER_CHANGE_ASKED, example=schemas.USER_CHANGE_EXAMPLE),
    success=_user("updated"),
    reasons=(
        *schemas.CHANGING_REASONS,
        INVALID_UUID_FORMAT,
        INVALID_ROLE,
        INVALID_STATUS,
        INVALID_STATUS_CHANGE,
        USER_NOT_FOUND,
        LAST_ADMIN,
        FORBIDDEN,
    ),
)
def update_user(call: Call) -> Answer:
    """Change a user's email, name, role or status.

    A suspended user is out at once, and has to log in anew when active again.
    """
    id = path_id(call.path["id"])
    check_object(call.body, USER_FIELDS)
    return call.answer(
        user_document(call.identity.users.update(id, call.body, by=call.principal, actor=call.actor)), action="updated"
    )


@ROUTES.route(
    "DELETE",
    "/users/{id}",
    access=WRITE,
    success=Success(schema=schemas.NOTHING, example=None, metadata=done("deleted")),
    reasons=(INVALID_UUID_FORMAT, USER_NOT_FOUND, LAST_ADMIN, FORBIDDEN),
)
def delete_user(call: Call) -> Answer:
    """Delete a user, but not oneself.

    The user is out at once and never shown again; what was recorded stays.
    """
    call.identity.users.delete(path_id(call.path["id"]), by=call.principal, actor=call.actor)
    return call.answer(None, action="deleted", message="User deleted successfully")
