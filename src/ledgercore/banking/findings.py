"""What does not agree between banks and the ledger: noted with its parts, never corrected."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import field, frozen

DIFFERENCE: Final = "balance_difference"
AMBIGUOUS: Final = "ambiguous_row"
FOREIGN_CURRENCY: Final = "row_of_another_currency"
PAYMENT_DIFFERS: Final = "payment_differs"
ROW_MISSING: Final = "booked_row_missing"
KINDS: Final = (DIFFERENCE, AMBIGUOUS, FOREIGN_CURRENCY, PAYMENT_DIFFERS, ROW_MISSING)


@frozen(kw_only=True)
class NewFinding:
    """Something that does not agree, before it is stored."""

    kind: str
    details: Mapping[str, Any] = field(factory=dict)


@frozen(kw_only=True)
class Finding:
    """Something about an account that did not agree when it was found, nor when it was seen last.

    A difference of balances is resolved by the first synchronisation in which they agree again; others are facts
    that stay.
    """

    id: UUID
    account_id: UUID
    kind: str
    details: Mapping[str, Any]
    found_at: datetime
    seen_at: datetime
    resolved_at: datetime | None = None


@frozen(kw_only=True)
class RowSums:
    """What an account's rows come to, in signed minor units.

    `posted` are booked rows with a posting of their own, `linked` those that are payments of ours; the first row was
    made at `first_at`.
    """

    posted: int = 0
    linked: int = 0
    pending: int = 0
    first_at: datetime | None = None


@frozen(kw_only=True)
class Comparison:
    """A bank's balance beside the ledger's, and what explains the difference, in signed minor units."""

    bank: int
    includes_pending: bool
    ledger: int
    opening: int
    sums: RowSums

    @property
    def in_transit(self) -> int:
        """What is in the ledger and the bank has not told of yet: payments of ours on their way."""
        return self.ledger - self.opening - self.sums.posted - self.sums.linked

    @property
    def expected(self) -> int:
        """What the bank's balance would be if everything agreed."""
        pending = self.sums.pending if self.includes_pending else 0
        return self.ledger - self.in_transit + pending

    @property
    def difference(self) -> int:
        """What nothing explains."""
        return self.bank - self.expected

    @property
    def details(self) -> dict[str, Any]:
        """The parts, as a finding keeps them."""
        return {
            "difference_minor": str(self.difference),
            "bank_minor": str(self.bank),
            "expected_minor": str(self.expected),
            "ledger_minor": str(self.ledger),
            "opening_minor": str(self.opening),
            "rows_posted_minor": str(self.sums.posted),
            "payments_seen_minor": str(self.sums.linked),
            "payments_in_transit_minor": str(self.in_transit),
            "pending_minor": str(self.sums.pending),
            "bank_includes_pending": self.includes_pending,
        }
