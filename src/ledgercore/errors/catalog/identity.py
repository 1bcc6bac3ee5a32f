"""Users, tokens and permissions: who asks, and whether they may."""

from typing import Final

from ledgercore.errors.category import Category
from ledgercore.errors.reason import Reason

INVALID_EMAIL_FORMAT: Final = Reason(
    "invalid_email_format",
    Category.VALIDATION,
    "Invalid email format",
    description="Send one address of the form `name@domain`, at most 255 characters.",
)
INVALID_PASSWORD_FORMAT: Final = Reason(
    "invalid_password_format",
    Category.VALIDATION,
    "Invalid password format",
    description="Choose a longer password; the details give the length that the role requires.",
)
INVALID_NAME_FORMAT: Final = Reason(
    "invalid_name_format",
    Category.VALIDATION,
    "Invalid name format",
    description="Send a name of 1 to 255 characters.",
)
INVALID_ROLE: Final = Reason(
    "invalid_role",
    Category.VALIDATION,
    "Invalid role",
    description="Use one of the roles user, support and admin.",
)

USER_NOT_FOUND: Final = Reason("user_not_found", Category.NOT_FOUND, "User not found", description="Check the user id.")
TOKEN_NOT_FOUND: Final = Reason(
    "token_not_found", Category.NOT_FOUND, "Token not found", description="Log in again to get a new token."
)

INVALID_CREDENTIALS: Final = Reason(
    "invalid_credentials",
    Category.AUTHENTICATION,
    "Invalid credentials",
    description="Check the email and the password; which of them is wrong is not told.",
)
INVALID_PASSWORD: Final = Reason(
    "invalid_password", Category.AUTHENTICATION, "Invalid password", description="Send the current password."
)
INVALID_TOKEN: Final = Reason(
    "invalid_token",
    Category.AUTHENTICATION,
    "Invalid token",
    description="Send `Authorization: Bearer` with an access token that was issued here.",
)
TOKEN_EXPIRED: Final = Reason(
    "token_expired",
    Category.AUTHENTICATION,
    "Token has expired",
    description="Refresh the token, or log in again.",
)
TOKEN_REVOKED: Final = Reason(
    "token_revoked", Category.AUTHENTICATION, "Token has been revoked", description="Log in again."
)
INVALID_TOKEN_TYPE: Final = Reason(
    "invalid_token_type",
    Category.AUTHENTICATION,
    "Invalid token type",
    description="Send an access token to resources and a refresh token to refresh.",
)
INVALID_REFRESH_TOKEN_FORMAT: Final = Reason(
    "invalid_refresh_token_format",
    Category.AUTHENTICATION,
    "Invalid refresh token format",
    description="Send the refresh token exactly as it was issued.",
)
INVALID_ISSUER: Final = Reason(
    "invalid_issuer",
    Category.AUTHENTICATION,
    "Invalid token issuer",
    description="Use a token that this service issued.",
)
INVALID_AUDIENCE: Final = Reason(
    "invalid_audience",
    Category.AUTHENTICATION,
    "Invalid token audience",
    description="Use a token that was issued for this service.",
)
TOKEN_NOT_YET_VALID: Final = Reason(
    "token_not_yet_valid",
    Category.AUTHENTICATION,
    "Token not yet valid",
    description="Wait until the token becomes valid, and check the clock of its issuer.",
)
MISSING_REQUIRED_CLAIMS: Final = Reason(
    "missing_required_claims",
    Category.AUTHENTICATION,
    "Missing required token claims",
    description="Use a token that has the claims named in the details.",
)
UNAUTHORIZED: Final = Reason(
    "unauthorized",
    Category.AUTHENTICATION,
    "Unauthorized access",
    description="Send valid credentials with the request.",
)

FORBIDDEN: Final = Reason(
    "forbidden", Category.AUTHORIZATION, "Access forbidden", description="Ask somebody who may do this."
)
INSUFFICIENT_PERMISSIONS: Final = Reason(
    "insufficient_permissions",
    Category.AUTHORIZATION,
    "Insufficient permissions",
    description="Ask an administrator for the role or scope named in the details.",
)
UNAUTHORIZED_ACCESS: Final = Reason(
    "unauthorized_access",
    Category.AUTHORIZATION,
    "Unauthorized access to account",
    description="Use an account of your own.",
)

EMAIL_ALREADY_EXISTS: Final = Reason(
    "email_already_exists",
    Category.CONFLICT,
    "Email already exists",
    description="Log in with this address, or register another.",
)
SERVICE_TOKEN_NOT_FOUND: Final = Reason(
    "service_token_not_found", Category.NOT_FOUND, "Service token not found", description="Check the id of the token."
)
MEMBER_NOT_FOUND: Final = Reason(
    "member_not_found",
    Category.NOT_FOUND,
    "Member not found",
    description="List the members of the ledger; this user is none.",
)
INVALID_SCOPE: Final = Reason(
    "invalid_scope", Category.VALIDATION, "Invalid scope", description="Use the scopes that the details list."
)
INVALID_ACCESS: Final = Reason(
    "invalid_access", Category.VALIDATION, "Invalid access", description="Use reader, writer or owner."
)
INVALID_SORT: Final = Reason(
    "invalid_sort",
    Category.VALIDATION,
    "Invalid sort",
    description="Sort by `field`, `field:asc` or `field:desc`, several joined by commas; the details list the fields.",
)
INVALID_STATUS_CHANGE: Final = Reason(
    "invalid_status_change",
    Category.CONFLICT,
    "The status cannot change like this",
    description="Look at the user's present status; a deleted user stays deleted.",
)
LAST_OWNER: Final = Reason(
    "last_owner",
    Category.BUSINESS_RULE,
    "A ledger keeps at least one owner",
    description="Make somebody else an owner first.",
)
LAST_ADMIN: Final = Reason(
    "last_admin",
    Category.BUSINESS_RULE,
    "The service keeps at least one admin",
    description="Make somebody else an admin first.",
)
