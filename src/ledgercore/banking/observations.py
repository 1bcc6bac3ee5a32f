"""What banks tell of accounts, in one form whichever client asked."""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from ledgercore.money import Money
from ledgercore.statements.statements import Direction


class RowStatus(StrEnum):
    """How far a bank has got with a transaction: pending may still change or vanish, declined never counts."""

    PENDING = "PENDING"
    BOOKED = "BOOKED"
    DECLINED = "DECLINED"


@frozen(kw_only=True)
class Tokens:
    """What opens a user's accounts at a bank. Without `refresh_token` the consent ends with the access token.

    `refresh_token` is good for one use: whoever uses it must store what came back before anything else. `extra` is
    what the client needs again, such as the id of a consent.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    extra: dict[str, str] = field(factory=dict, repr=False)


@frozen(kw_only=True)
class AccountSeen:
    """An account as the bank tells of it. `external_id` is the bank's name of it."""

    external_id: str
    currency: str
    name: str
    account_type: str = "CHECKING"
    last_four: str | None = None
    iban: str | None = None
    is_closed: bool = False


@frozen(kw_only=True)
class BalanceSeen:
    """A balance as the bank tells it; `money.minor` is negative when the holder owes.

    `includes_pending` says whether pending transactions are in it.
    """

    money: Money
    includes_pending: bool
    at: datetime | None = None


@frozen(kw_only=True)
class RowSeen:
    """A transaction as the bank tells it at one moment. `money` is not negative.

    `external_id` is `None` where the bank gives none, as for pending ones; `references` are other names that stay
    the same while a pending transaction is booked, such as an end-to-end id.
    """

    external_id: str | None
    status: RowStatus
    direction: Direction
    money: Money
    description: str
    created_at: datetime
    booked_at: datetime | None = None
    counterparty: str | None = None
    references: tuple[str, ...] = ()
    decline_reason: str | None = None


@frozen(kw_only=True)
class RowsPage:
    """Transactions in the bank's order, and where to go on; `None` at the end."""

    rows: tuple[RowSeen, ...]
    next_cursor: str | None


@frozen(kw_only=True)
class Permission:
    """Where a user has to go to let us in. `verifier` and `state`, which is in `url`, are secret until they are back.

    `extra` is what the client needs when the user is back, such as the id of a consent.
    """

    url: str = field(repr=False)
    state: str = field(repr=False)
    verifier: str = field(repr=False)
    extra: dict[str, str] = field(factory=dict, repr=False)
