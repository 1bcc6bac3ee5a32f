"""Memberships: what a user is to a ledger."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from attrs import frozen

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import INVALID_ACCESS


class LedgerAccess(StrEnum):
    """A reader sees everything, a writer also posts, an owner also decides about members and settings."""

    READER = "reader"
    WRITER = "writer"
    OWNER = "owner"


@frozen(kw_only=True)
class Membership:
    """A user's access to a ledger."""

    ledger: str
    user_id: UUID
    access: LedgerAccess
    granted_at: datetime


def check_access(access: object) -> LedgerAccess:
    """An access by its name in any case; `invalid_access`."""
    try:
        return LedgerAccess(str(access).strip().lower())
    except ValueError as error:
        raise ValidationError(
            INVALID_ACCESS, field="access", value=shortened(access), allowed=list(LedgerAccess)
        ) from error
