"""How far the reading of an account's transactions has got, as it is kept from page to page."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from ledgercore.banking.accounts import BankAccount
from ledgercore.clock import EPOCH
from ledgercore.ledger.texts import parse_moment

OVERLAP: Final = timedelta(days=7)
"""How far back each listing looks again, for what came late or was changed."""
HISTORY: Final = timedelta(days=89)
"""How far back banks tell at any time."""
_THROUGH: Final = "."


@frozen(kw_only=True)
class Position:
    """A place in a listing: in which run, which one, from when on it is, and the page that comes next.

    `cursor` is `None` at the beginning; at the end there is no page any more, and `is_through` says so.
    """

    run_id: UUID
    listing_id: UUID
    since: datetime
    cursor: str | None = None
    is_through: bool = False

    def after_page(self, next_cursor: str | None) -> "Position":
        """The place after a page."""
        return evolve(self, cursor=next_cursor, is_through=next_cursor is None)

    def text(self) -> str:
        """The place as an account keeps it."""
        place = _THROUGH if self.is_through else self.cursor or ""
        return f"{self.run_id} {self.listing_id} {self.since.isoformat()} {place}"


def position_from(text: str) -> Position:
    """Read a place that `Position.text` wrote."""
    run_id, listing_id, since, cursor = text.split(" ", 3)
    return Position(
        run_id=UUID(run_id),
        listing_id=UUID(listing_id),
        since=parse_moment(since, field="since"),
        cursor=None if cursor in ("", _THROUGH) else cursor,
        is_through=cursor == _THROUGH,
    )


def since_of(
    account: BankAccount, *, oldest_pending_at: datetime | None, has_difference: bool, now: datetime
) -> datetime:
    """From when on to list: everything at first, then a week before the last time, or from the oldest pending row.

    While the balances differ it is as far back as banks tell, for that is where the reason is.
    """
    if account.last_sync_at is None:
        # Without a time some banks tell only what is newest.
        return EPOCH
    earliest = now - HISTORY
    if has_difference:
        return earliest
    wanted = account.last_sync_at - OVERLAP
    return max(earliest, wanted if oldest_pending_at is None else min(wanted, oldest_pending_at))
