"""Users and sessions in the document."""

from typing import Any, Final

from ledgercore.errors.catalog import (
    EMAIL_ALREADY_EXISTS,
    INVALID_AUDIENCE,
    INVALID_EMAIL_FORMAT,
    INVALID_ISSUER,
    INVALID_NAME_FORMAT,
    INVALID_PASSWORD_FORMAT,
    INVALID_TOKEN,
    INVALID_TOKEN_TYPE,
    MISSING_REQUIRED_CLAIMS,
    TOKEN_EXPIRED,
    TOKEN_NOT_YET_VALID,
    TOKEN_REVOKED,
)
from ledgercore.identity.users import Role, UserStatus
from ledgercore_http.routes import JsonSchema
from ledgercore_http.schemas.building import (
    BOOLEAN,
    MOMENT,
    UUID,
    array,
    asked,
    component,
    needing,
    one_of,
    or_null,
    record,
    text,
    whole,
)

NOTHING: Final[JsonSchema] = {"type": "null"}
_CONTROLS: Final = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
USER_ID: Final = "01970000-0000-7000-8000-000000000002"
TIME: Final = "2026-03-02T09:00:00+00:00"
_JWT: Final = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTk3In0.c2lnbmF0dXJl"


def some_of(properties: dict[str, JsonSchema], *, description: str = "") -> dict[str, Any]:
    """An object of a request that has at least one of these fields; `null` counts as absent."""
    return needing(asked({}, properties, description=description), *properties)


def or_blank(schema: JsonSchema) -> JsonSchema:
    """The schema, or blanks, which count as absent."""
    return {"anyOf": [schema, {"type": "string", "pattern": r"^\s*$"}]}


def done(action: str, pagination: JsonSchema | None = None) -> dict[str, Any]:
    """The metadata that says what was done."""
    return record({"action": {"const": action}}, None if pagination is None else {"pagination": pagination})


def then(operation: str, **parameters: str) -> dict[str, Any]:
    """What can be done next with an answer; `id="id"` takes that field of the data."""
    found = {name: f"$response.body#/data/{field}" for name, field in parameters.items()}
    return {"operationId": operation, "parameters": found}


def trimmed(length_max: int, description: str) -> dict[str, Any]:
    """A text without control characters, whose blanks around it do not count."""
    inside = rf"[^{_CONTROLS}]{{0,{length_max - 2}}}[^\s{_CONTROLS}]"
    return text(description, pattern=rf"^\s*[^\s{_CONTROLS}](?:{inside})?\s*$")


EMAIL: Final = text(
    "Counts in lower case, without blanks around it.",
    maxLength=255,
    pattern=rf"^[^\s@{_CONTROLS}]+@[^\s@.{_CONTROLS}]+(\.[^\s@.{_CONTROLS}]+)+$",
)
FULL_NAME: Final = trimmed(255, "1 to 255 characters.")
PASSWORD: Final = text("At least 8 characters, for admins and support 15.", minLength=1)
NEW_PASSWORD: Final = text(
    "At least 8 characters, for admins and support 15.", minLength=8, maxLength=255, pattern=r"^[^\u0000]*$"
)
REFRESH_TOKEN: Final = text("As it was issued.", pattern=r"\S")

_SUMMARY: Final = {
    "id": UUID,
    "email": text(),
    "full_name": text(),
    "role": one_of(Role),
    "status": one_of(UserStatus),
}
_SUMMARY_EXAMPLE: Final = {
    "id": USER_ID,
    "email": "alice@example.com",
    "full_name": "Alice Example",
    "role": "user",
    "status": "ACTIVE",
}
USER: Final = component(
    "User",
    record(
        {
            **_SUMMARY,
            "active": BOOLEAN,
            "verified": BOOLEAN,
            "suspended": BOOLEAN,
            "deleted": BOOLEAN,
            "inserted_at": MOMENT,
            "updated_at": MOMENT,
        },
        description="A user.",
    ),
)
USER_EXAMPLE: Final = {
    **_SUMMARY_EXAMPLE,
    "active": True,
    "verified": False,
    "suspended": False,
    "deleted": False,
    "inserted_at": TIME,
    "updated_at": TIME,
}
USERS: Final = array(USER)
USER_COUNTS: Final = component(
    "UserCounts",
    record({name: whole(minimum=0) for name in ("total_users", "active_users", "admin_users", "suspended_users")}),
)
USER_COUNTS_EXAMPLE: Final = {"total_users": 100, "active_users": 96, "admin_users": 3, "suspended_users": 4}
OFFSET_PAGINATION: Final = record(
    {
        "page": whole(minimum=1),
        "page_size": whole(minimum=1, maximum=100),
        "total_count": whole(minimum=0),
        "total_pages": whole(minimum=0),
    }
)
KEYSET_PAGINATION: Final = record(
    {
        "type": {"const": "keyset"},
        "limit": whole(minimum=1, maximum=100),
        "has_more": BOOLEAN,
        "next_cursor": or_null(record({"inserted_at": MOMENT, "id": UUID})),
    }
)

TOKENS: Final = component(
    "TokenPair",
    record({"access_token": text(), "refresh_token": text()}, description="A pair of tokens of one session."),
)
TOKENS_EXAMPLE: Final = {"access_token": _JWT, "refresh_token": _JWT}
SIGNED_IN: Final = component(
    "SignedIn",
    record(
        {"access_token": text(), "refresh_token": text(), "user": record(_SUMMARY)},
        description="A new session, and whose it is.",
    ),
)
SIGNED_IN_EXAMPLE: Final = {**TOKENS_EXAMPLE, "user": _SUMMARY_EXAMPLE}
VALIDATED: Final = record(
    {"valid": {"const": True}, "user_id": UUID, "role": one_of(Role), "expires_at": or_null(MOMENT)}
)
VALIDATED_EXAMPLE: Final = {"valid": True, "user_id": USER_ID, "role": "user", "expires_at": TIME}

LOGIN_ASKED: Final = component("Login", record({"email": EMAIL, "password": PASSWORD}))
LOGIN_EXAMPLE: Final = {"email": "alice@example.com", "password": "password123!"}
REFRESH_ASKED: Final = component("RefreshToken", record({"refresh_token": REFRESH_TOKEN}))
REFRESH_EXAMPLE: Final = {"refresh_token": _JWT}
_NEW_USER: Final = {
    "email": EMAIL,
    "full_name": FULL_NAME,
    "password": NEW_PASSWORD,
    "password_confirmation": NEW_PASSWORD,
}
REGISTRATION_ASKED: Final = component(
    "Registration", asked(_NEW_USER, {"role": {"description": "Ignored: whoever registers is a user."}})
)
REGISTRATION_EXAMPLE: Final = {
    "email": "alice@example.com",
    "full_name": "Alice Example",
    "password": "password123!",
    "password_confirmation": "password123!",
}
NEW_USER_ASKED: Final = component("NewUser", asked(_NEW_USER, {"role": or_blank(one_of(Role, "`user` if left out."))}))
NEW_USER_EXAMPLE: Final = {
    "email": "sam@example.com",
    "full_name": "Sam Example",
    "password": "a password of support",
    "password_confirmation": "a password of support",
    "role": "support",
}
USER_CHANGE_ASKED: Final = component(
    "UserChange",
    some_of({"email": EMAIL, "full_name": FULL_NAME, "role": one_of(Role), "status": one_of(UserStatus)}),
)
USER_CHANGE_EXAMPLE: Final = {"status": "SUSPENDED"}
PROFILE_CHANGE_ASKED: Final = component("ProfileChange", some_of({"full_name": FULL_NAME, "email": EMAIL}))
PROFILE_CHANGE_EXAMPLE: Final = {"full_name": "Alice Exemplar"}
PASSWORD_CHANGE_ASKED: Final = component(
    "PasswordChange",
    record(
        {
            "current_password": PASSWORD,
            "new_password": NEW_PASSWORD,
            "password_confirmation": NEW_PASSWORD,
        }
    ),
)
PASSWORD_CHANGE_EXAMPLE: Final = {
    "current_password": "password123!",
    "new_password": "a better password",
    "password_confirmation": "a better password",
}

CHANGING_REASONS: Final = (INVALID_EMAIL_FORMAT, INVALID_NAME_FORMAT, EMAIL_ALREADY_EXISTS)
REGISTERING_REASONS: Final = (*CHANGING_REASONS, INVALID_PASSWORD_FORMAT)
REFRESHING_REASONS: Final = (
    INVALID_TOKEN,
    TOKEN_EXPIRED,
    TOKEN_REVOKED,
    INVALID_TOKEN_TYPE,
    MISSING_REQUIRED_CLAIMS,
    INVALID_ISSUER,
    INVALID_AUDIENCE,
    TOKEN_NOT_YET_VALID,
)
