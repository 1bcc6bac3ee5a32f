"""Matches: which lines of statements and which transactions of the ledger tell of the same money."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from attrs import field, frozen

from ledgercore.errors import BusinessRuleError, ValidationError
from ledgercore.errors.catalog import INVALID_ALLOCATION, OVER_ALLOCATED


class Stage(StrEnum):
    """Why a match is believed, the surest first."""

    IDS = "ids"
    STRUCTURED_REFERENCE = "structured_reference"
    AMOUNT_AND_COUNTERPARTY = "amount_and_counterparty"
    BATCH_SUM = "batch_sum"
    TOLERANCE = "tolerance"
    MANUAL = "manual"


@frozen(kw_only=True)
class BookItem:
    """What one transaction did to the account that is reconciled; `signed_minor` is positive where it raised it."""

    transaction_id: UUID
    signed_minor: int
    on: date
    names: tuple[str, ...] = ()
    """Everything it is known by: its key, its reference, texts in its metadata."""
    text: str = ""

    @property
    def words(self) -> str:
        """Its description and names, in capitals, to look for a counterparty in."""
        return " ".join((self.text, *self.names)).upper()


@frozen(kw_only=True)
class Allocation:
    """How much of one line or of one transaction a match explains; signed as that is, and never more than all of it."""

    id: UUID
    signed_minor: int


def _by_id(parts: Iterable[Allocation]) -> tuple[Allocation, ...]:
    return tuple(sorted(parts, key=lambda part: part.id))


@frozen(kw_only=True)
class Match:
    """Lines and transactions that explain each other, to the last unit.

    The lines' sum is the transactions' sum plus `tolerance_minor`, which a transaction of its own books to the named
    tolerance account. An undone match stays on record.
    """

    id: UUID
    ledger: str
    account: str
    stage: Stage
    lines: tuple[Allocation, ...] = field(converter=_by_id)
    transactions: tuple[Allocation, ...] = field(converter=_by_id)
    made_at: datetime
    made_by: str
    why: Mapping[str, Any] = field(factory=dict)
    tolerance_minor: int = 0
    tolerance_account: str | None = None
    tolerance_transaction_id: UUID | None = None
    undone_at: datetime | None = None
    undone_by: str | None = None


@frozen(kw_only=True)
class Proposal:
    """A match that could be made, and why. `rivals` counts others that would explain the same as well.

    `is_partial` says that it leaves something of what it names open.
    """

    stage: Stage
    lines: tuple[Allocation, ...]
    transactions: tuple[Allocation, ...]
    why: Mapping[str, Any]
    tolerance_minor: int = 0
    rivals: int = 0
    is_partial: bool = False

    @property
    def ids(self) -> frozenset[UUID]:
        """The lines and transactions that it names."""
        return frozenset(each.id for each in (*self.lines, *self.transactions))

    @property
    def is_certain(self) -> bool:
        """Whether it may be made without asking: it explains all of what it names, and nothing else would."""
        return self.rivals == 0 and not self.is_partial


def check_balanced(
    lines: tuple[Allocation, ...], transactions: tuple[Allocation, ...], *, tolerance_minor: int = 0
) -> None:
    """Refuse allocations that do not add up or name something twice; `invalid_allocation`."""
    if not lines or not transactions:
        raise ValidationError(INVALID_ALLOCATION, field="lines", why="at least one line and one transaction are needed")
    for name, allocations in (("lines", lines), ("transactions", transactions)):
        if len({each.id for each in allocations}) < len(allocations):
            raise ValidationError(INVALID_ALLOCATION, field=name, why="something is named twice")
        if any(not each.signed_minor for each in allocations):
            raise ValidationError(INVALID_ALLOCATION, field=name, why="nothing is allocated of something")
    said, booked = (sum(each.signed_minor for each in side) for side in (lines, transactions))
    if said != booked + tolerance_minor:
        raise ValidationError(
            INVALID_ALLOCATION, field="lines", lines_minor=said, transactions_minor=booked,
            tolerance_minor=tolerance_minor, why="the two sides differ",
        )  # fmt: skip


def check_open(allocation: Allocation, *, open_minor: int, field: str) -> None:
    """Refuse to explain more of something than is left of it, or in the other direction; `over_allocated`."""
    same_side = allocation.signed_minor * open_minor > 0
    if not same_side or abs(allocation.signed_minor) > abs(open_minor):
        raise BusinessRuleError(
            OVER_ALLOCATED, field=field, id=allocation.id, asked_minor=allocation.signed_minor, open_minor=open_minor
        )
