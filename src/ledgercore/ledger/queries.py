"""What readers ask for and what they get: balances at a time, entries, filters, the ledger's state."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import field, frozen

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import INVALID_FILTER
from ledgercore.ledger.accounts import BALANCE_MINOR_MAX, AccountType, Side
from ledgercore.ledger.commands import Settings
from ledgercore.ledger.holds import HoldStatus, check_group
from ledgercore.ledger.paths import check_path
from ledgercore.ledger.texts import check_metadata, check_moment, check_reference
from ledgercore.money import Currency, Money


@frozen(kw_only=True)
class LedgerState:
    """Where a ledger stands: the last record, the head that commits to all of them, its lock date."""

    name: str
    settings: Settings
    number: int
    batch: int
    head: bytes
    recorded_at: datetime | None
    closed_through: datetime | None
    accounts_count: int


def _moment(field_name: str) -> Any:
    return field(default=None, converter=lambda value: check_moment(value, field=field_name))


@frozen(kw_only=True)
class AsOf:
    """A point on both time axes; `None` leaves an axis open.

    `effective_at` counts what was effective by then, whenever it was recorded; `recorded_at` only
    what had been recorded by then. Asked for again, a recorded time always gives the same answer.
    """

    effective_at: datetime | None = _moment("effective_at")
    recorded_at: datetime | None = _moment("recorded_at")


NOW = AsOf()


@frozen(kw_only=True)
class AccountBalance:
    """An account's posted balance at some point, in the direction of its normal side."""

    path: str
    type: AccountType
    currency: Currency
    posted: Money

    @property
    def debits_minus_credits(self) -> Money:
        """The balance with debits counted up and credits down."""
        return self.posted if self.type.normal_side is Side.DEBIT else -self.posted


@frozen(kw_only=True)
class AccountEntry:
    """One entry of an account's register, with its running balance in recorded order."""

    number: int
    line: int
    transaction_id: UUID
    kind: str
    side: Side
    amount: Money
    balance: Money
    counterpart: str | None
    effective_at: datetime
    recorded_at: datetime
    description: str | None


def _check_amount(_: object, attribute: Any, minor: int | None) -> None:
    if minor is not None and (type(minor) is not int or not 0 <= minor <= BALANCE_MINOR_MAX):
        raise ValidationError(
            INVALID_FILTER, field=attribute.name, value=shortened(minor), why="whole minor units, at most 38 digits"
        )


@frozen(kw_only=True)
class TransactionFilter:
    """Which transactions to find; every field that is given must fit.

    `account` is a path; `below` a path prefix is not offered, since a page must stay one index
    walk. `amount_minor_*` compare each line's minor units. `metadata` must be contained.
    """

    account: str | None = None
    reference: str | None = field(default=None, converter=check_reference)
    metadata: Mapping[str, Any] | None = field(default=None, converter=check_metadata)
    amount_minor_min: int | None = field(default=None, validator=_check_amount)
    amount_minor_max: int | None = field(default=None, validator=_check_amount)
    effective_from: datetime | None = _moment("effective_from")
    effective_to: datetime | None = _moment("effective_to")
    recorded_from: datetime | None = _moment("recorded_from")
    recorded_to: datetime | None = _moment("recorded_to")

    def __attrs_post_init__(self) -> None:
        if self.account is not None:
            check_path(self.account, field="account")
        for first, last in (("effective_from", "effective_to"), ("recorded_from", "recorded_to")):
            since, until = getattr(self, first), getattr(self, last)
            if since is not None and until is not None and since > until:
                raise ValidationError(INVALID_FILTER, field=first, value=since, why=f"it is after {last}")


@frozen(kw_only=True)
class HoldFilter:
    """Which holds to find."""

    status: HoldStatus | None = None
    group: str | None = field(default=None, converter=check_group)
    account: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.account is not None:
            check_path(self.account, field="account")


@frozen(kw_only=True)
class Event:
    """One record of the log as subscribers see it; `number` is the offset to resume after.

    `version` is that of the data's shape.
    """

    number: int
    type: str
    id: UUID
    recorded_at: datetime
    data: Mapping[str, Any]
    version: int = 1
