"""Bank accounts of users; what is in them, the ledger knows."""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from attrs import frozen

ACCOUNT_PATH: Final = "accounts:"


class AccountType(StrEnum):
    """What kind of account it is; limits of payments depend on it, and only CREDIT may go below zero."""

    CHECKING = "CHECKING"
    SAVINGS = "SAVINGS"
    CREDIT = "CREDIT"
    INVESTMENT = "INVESTMENT"


class AccountStatus(StrEnum):
    """Whether an account may be paid from and to; CLOSED is for ever."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    FROZEN = "FROZEN"
    SUSPENDED = "SUSPENDED"
    CLOSED = "CLOSED"


@frozen(kw_only=True)
class BankAccount:
    """A user's account at a bank. `credit_limit_minor` is how far a CREDIT account may go below zero.

    `external_account_id` is the bank's name of it, unique in its login. `sync_cursor` is where the next
    synchronisation of its transactions goes on.
    """

    id: UUID
    user_id: UUID
    user_bank_login_id: UUID
    currency: str
    account_type: AccountType
    account_name: str
    status: AccountStatus
    inserted_at: datetime
    updated_at: datetime
    last_four: str | None = None
    external_account_id: str | None = None
    iban: str | None = None
    credit_limit_minor: int = 0
    last_sync_at: datetime | None = None
    sync_cursor: str | None = None

    @property
    def path(self) -> str:
        """The ledger account that its money is in."""
        return f"{ACCOUNT_PATH}{self.id}"
