"""Profile: everybody's own user."""

from typing import Final

from ledgercore.errors.catalog import INVALID_CREDENTIALS, INVALID_PASSWORD_FORMAT, USER_NOT_FOUND
from ledgercore.identity.access import SESSION, bearer
from ledgercore.identity.documents import user_document
from ledgercore.identity.service_tokens import Scope
from ledgercore.ledger.documents import check_object
from ledgercore_http.answers import Answer
from ledgercore_http.call import Call
from ledgercore_http.resources.users import USER_FIELDS
from ledgercore_http.routes import Body, Routes, Success
from ledgercore_http.schemas import identity as schemas
from ledgercore_http.schemas.identity import done

ROUTES = Routes("profile", "Everybody's own name, email and password.")
PASSWORD_FIELDS: Final = frozenset({"current_password", "new_password", "password_confirmation"})


@ROUTES.route(
    "GET",
    "/profile",
    access=bearer(Scope.PROFILE_READ),
    success=Success(schema=schemas.USER, example=schemas.USER_EXAMPLE, metadata=done("retrieved")),
    reasons=(USER_NOT_FOUND,),
)
def get_profile(call: Call) -> Answer:
    """Show one's own user."""
    return call.answer(user_document(call.identity.profiles.get(call.principal)), action="retrieved")


@ROUTES.route(
    "PUT",
    "/profile",
    access=SESSION,
    body=Body(schema=schemas.PROFILE_CHANGE_ASKED, example=schemas.PROFILE_CHANGE_EXAMPLE),
    success=Success(schema=schemas.USER, example=schemas.USER_EXAMPLE, metadata=done("updated")),
    reasons=(*schemas.CHANGING_REASONS, USER_NOT_FOUND),
)
def update_profile(call: Call) -> Answer:
    """Change one's own name or email; a role or status is refused."""
    check_object(call.body, USER_FIELDS)
    user = call.identity.profiles.update(call.principal, call.body, actor=call.actor)
    return call.answer(user_document(user), action="updated")


def change(call: Call) -> None:
    """Check the current password and set the new one, so many times for each user: nobody guesses in a session."""
    check_object(call.body, PASSWORD_FIELDS)
    call.take(f"password:{call.principal.user_id}", call.service.limits.logins)
    call.identity.profiles.change_password(call.principal, call.body, actor=call.actor)


@ROUTES.route(
    "PUT",
    "/profile/password",
    access=SESSION,
    body=Body(schema=schemas.PASSWORD_CHANGE_ASKED, example=schemas.PASSWORD_CHANGE_EXAMPLE),
    success=Success(schema=schemas.NOTHING, example=None, metadata=done("updated")),
    reasons=(INVALID_CREDENTIALS, INVALID_PASSWORD_FORMAT, USER_NOT_FOUND),
    hashing=change,
)
async def change_password(call: Call) -> Answer:
    """Set another password; every other session of the user ends."""
    return call.answer(None, action="updated", message="Password updated successfully")
