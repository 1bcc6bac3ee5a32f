"""Users: people with an email, a role and a status."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from attrs import field, frozen

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import (
    INVALID_EMAIL_FORMAT,
    INVALID_NAME_FORMAT,
    INVALID_ROLE,
    INVALID_STATUS,
    MISSING_FIELDS,
)
from ledgercore.errors.reason import Reason

TEXT_LENGTH_MAX: Final = 255
SORTABLE: Final = ("inserted_at", "updated_at", "email", "full_name", "role", "status")
"""The fields that users can be sorted by."""
_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Role(StrEnum):
    """What a user is to the service; what a user is to a ledger is a membership."""

    USER = "user"
    SUPPORT = "support"
    ADMIN = "admin"


class UserStatus(StrEnum):
    """Only active users get in; a deleted one stays for the records and is never shown again."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    DELETED = "DELETED"


MOVES: Final[Mapping[tuple[UserStatus, str], UserStatus]] = {
    (UserStatus.ACTIVE, "suspend"): UserStatus.SUSPENDED,
    (UserStatus.SUSPENDED, "activate"): UserStatus.ACTIVE,
    (UserStatus.ACTIVE, "delete"): UserStatus.DELETED,
    (UserStatus.SUSPENDED, "delete"): UserStatus.DELETED,
}


@frozen(kw_only=True)
class User:
    """A person who may log in. The email is kept in lower case and is unique for ever."""

    id: UUID
    email: str
    full_name: str
    role: Role
    status: UserStatus
    password_hash: str = field(repr=False)
    inserted_at: datetime
    updated_at: datetime

    @property
    def is_active(self) -> bool:
        """Whether the user gets in."""
        return self.status is UserStatus.ACTIVE


@frozen(kw_only=True)
class UserFilter:
    """Which users to find; deleted ones only when asked for by status."""

    status: UserStatus | None = None
    role: Role | None = None


@frozen(kw_only=True)
class UserCounts:
    """How many users there are, deleted ones left out."""

    total: int
    active: int
    admins: int
    suspended: int


def check_email(email: object) -> str:
    """An address of at most 255 characters, trimmed and in lower case; `missing_fields`, `invalid_email_format`."""
    address = _text(email, "email", INVALID_EMAIL_FORMAT).lower()
    if len(address) > TEXT_LENGTH_MAX or not _EMAIL.fullmatch(address):
        raise ValidationError(INVALID_EMAIL_FORMAT, field="email", value=shortened(address))
    return address


def check_full_name(name: object) -> str:
    """A name of 1 to 255 characters, trimmed; `missing_fields`, `invalid_name_format`."""
    text = _text(name, "full_name", INVALID_NAME_FORMAT)
    if len(text) > TEXT_LENGTH_MAX:
        raise ValidationError(INVALID_NAME_FORMAT, field="full_name", length=len(text), length_max=TEXT_LENGTH_MAX)
    return text


def check_role(role: object) -> Role:
    """A role by its name in any case; `invalid_role`."""
    try:
        return Role(str(role).strip().lower())
    except ValueError as error:
        raise ValidationError(INVALID_ROLE, field="role", value=shortened(role), allowed=list(Role)) from error


def check_status(status: object) -> UserStatus:
    """A status by its name in any case; `invalid_status`."""
    try:
        return UserStatus(str(status).strip().upper())
    except ValueError as error:
        raise ValidationError(
            INVALID_STATUS, field="status", value=shortened(status), allowed=list(UserStatus)
        ) from error


def _text(value: object, field: str, reason: Reason) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise ValidationError(MISSING_FIELDS, field=field, fields=[field])
    if not isinstance(value, str) or _CONTROL.search(value.strip()):
        raise ValidationError(reason, field=field, value=shortened(value))
    return value.strip()
