"""Accounts: a path, one currency, a normal balance, and limits as data."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from attrs import field, frozen

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import INVALID_ACCOUNT_TYPE, INVALID_LIMITS, INVALID_STATUS
from ledgercore.ledger.paths import check_path
from ledgercore.money import AMOUNT_DIGITS_MAX, Currency, Money

BALANCE_MINOR_MAX: Final = 10**AMOUNT_DIGITS_MAX - 1


class Side(StrEnum):
    """The two sides of an entry; amounts themselves are never negative."""

    DEBIT = "debit"
    CREDIT = "credit"


class AccountType(StrEnum):
    """What an account is for; it decides the normal balance and the report it appears in."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"

    @property
    def normal_side(self) -> Side:
        """The side that increases the balance: debit for assets and expenses."""
        return Side.DEBIT if self in (AccountType.ASSET, AccountType.EXPENSE) else Side.CREDIT

    @classmethod
    def parse(cls, text: str) -> "AccountType":
        """Read a type's name; raises `invalid_account_type`."""
        try:
            return cls(text.strip().lower())
        except ValueError:
            raise ValidationError(
                INVALID_ACCOUNT_TYPE, field="type", value=text[:60], allowed=[member.value for member in cls]
            ) from None


class AccountStatus(StrEnum):
    """Open accounts take entries; frozen ones refuse them for a while, closed ones for good."""

    OPEN = "open"
    FROZEN = "frozen"
    CLOSED = "closed"

    @classmethod
    def parse(cls, text: str) -> "AccountStatus":
        """Read a status; raises `invalid_status`."""
        try:
            return cls(text.strip().lower())
        except ValueError:
            raise ValidationError(
                INVALID_STATUS, field="status", value=text[:60], allowed=[member.value for member in cls]
            ) from None


def _check_limit(_: object, attribute: Any, value: int | None) -> None:
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > BALANCE_MINOR_MAX:
        raise ValidationError(
            INVALID_LIMITS,
            field=attribute.name,
            value=str(value)[:60],
            why="whole minor units, at most 38 digits",
        )


@frozen
class Limits:
    """The least and the most that the available balance may be, in minor units of the account's currency.

    Both count in the direction of the normal balance: a minimum of 0 forbids an overdraft. A limit
    binds whatever moves the balance towards it; an account that is already beyond it may always
    come back. Raises `invalid_limits` when the minimum is above the maximum.
    """

    minimum: int | None = field(default=None, validator=_check_limit)
    maximum: int | None = field(default=None, validator=_check_limit)

    def __attrs_post_init__(self) -> None:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValidationError(
                INVALID_LIMITS,
                field="minimum",
                minimum=self.minimum,
                maximum=self.maximum,
                why="above the maximum",
            )


NO_LIMITS: Final = Limits()


def limits_of(minimum: str | None, maximum: str | None) -> Limits:
    """Limits as they are stored: minor units in text, or nothing."""
    if minimum is None and maximum is None:
        return NO_LIMITS
    return Limits(None if minimum is None else int(minimum), None if maximum is None else int(maximum))


@frozen(kw_only=True)
class Account:
    """An account as a reader sees it; balances are in the direction of its normal side."""

    path: str
    currency: Currency
    type: AccountType
    status: AccountStatus
    limits: Limits
    balance: "Balance"
    version: int
    latest_effective_at: datetime | None
    opened_at: datetime
    metadata: Mapping[str, Any] | None = None


@frozen(kw_only=True)
class Balance:
    """What an account holds: posted, pending on either side, and available.

    `posted` counts in the direction of the normal side and is negative when overdrawn. `available`
    is what may still leave the account: posted less the holds that would take from it.
    """

    posted: Money
    pending_debits: Money
    pending_credits: Money
    normal_side: Side

    @property
    def pending_out(self) -> Money:
        """The sum of holds that would lower the balance."""
        return self.pending_credits if self.normal_side is Side.DEBIT else self.pending_debits

    @property
    def pending_in(self) -> Money:
        """The sum of holds that would raise the balance."""
        return self.pending_debits if self.normal_side is Side.DEBIT else self.pending_credits

    @property
    def available(self) -> Money:
        """Posted less what is held against it."""
        return self.posted - self.pending_out

    @property
    def debits_minus_credits(self) -> Money:
        """The posted balance with debits counted up and credits down, whatever the normal side."""
        return self.posted if self.normal_side is Side.DEBIT else -self.posted


# Bound once: a member that is looked up in its class costs as much as half the other fields together.
_ASSET, _EXPENSE, _OPEN = AccountType.ASSET, AccountType.EXPENSE, AccountStatus.OPEN


class AccountState:
    """The part of an account that the engine reads and moves while it evaluates a batch.

    Mutable on purpose and private to one evaluation: an adapter loads it, the engine changes it,
    the adapter stores it. `number` is 0 until the account's opening has been written.
    """

    __slots__ = (
        "balance",
        "changed",
        "currency",
        "debit_normal",
        "guarded",
        "latest_effective_at",
        "limits",
        "metadata",
        "number",
        "opened_at",
        "path",
        "pending_credits",
        "pending_debits",
        "status",
        "type",
        "version",
    )

    def __init__(
        self,
        *,
        number: int,
        path: str,
        currency: Currency,
        type: AccountType,
        opened_at: datetime,
        status: AccountStatus = AccountStatus.OPEN,
        limits: Limits = NO_LIMITS,
        balance: int = 0,
        pending_debits: int = 0,
        pending_credits: int = 0,
        version: int = 0,
        latest_effective_at: datetime | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.number = number
        self.path = path
        self.currency = currency
        self.type = type
        self.debit_normal = type is _ASSET or type is _EXPENSE
        self.opened_at = opened_at
        self.status = status
        self.limits = limits
        self.balance = balance
        self.pending_debits = pending_debits
        self.pending_credits = pending_credits
        self.version = version
        self.latest_effective_at = latest_effective_at
        self.metadata = metadata
        self.changed = False
        self.guarded = True
        self.mark_guarded()

    def mark_guarded(self) -> None:
        """Note whether entries need more than the plain addition: a limit, or a status that refuses."""
        limits = self.limits
        self.guarded = self.status is not _OPEN or limits.minimum is not None or limits.maximum is not None

    @property
    def pending_out(self) -> int:
        """Minor units held that would lower the balance."""
        return self.pending_credits if self.debit_normal else self.pending_debits

    @property
    def pending_in(self) -> int:
        """Minor units held that would raise the balance."""
        return self.pending_debits if self.debit_normal else self.pending_credits

    @property
    def available(self) -> int:
        """Posted less held, in minor units."""
        return self.balance - self.pending_out

    def snapshot(self) -> tuple[Any, ...]:
        """What a refused group must put back."""
        return (
            self.status, self.limits, self.balance, self.pending_debits, self.pending_credits,
            self.version, self.latest_effective_at, self.changed, self.guarded, self.metadata,
        )  # fmt: skip

    def restore(self, snapshot: tuple[Any, ...]) -> None:
        """Put back what `snapshot` kept."""
        (
            self.status, self.limits, self.balance, self.pending_debits, self.pending_credits,
            self.version, self.latest_effective_at, self.changed, self.guarded, self.metadata,
        ) = snapshot  # fmt: skip

    def as_account(self) -> Account:
        """The account as a reader sees it."""
        return Account(
            path=self.path,
            currency=self.currency,
            type=self.type,
            status=self.status,
            limits=self.limits,
            balance=Balance(
                posted=Money(self.balance, self.currency),
                pending_debits=Money(self.pending_debits, self.currency),
                pending_credits=Money(self.pending_credits, self.currency),
                normal_side=self.type.normal_side,
            ),
            version=self.version,
            latest_effective_at=self.latest_effective_at,
            opened_at=self.opened_at,
            metadata=self.metadata,
        )


@frozen(kw_only=True)
class Opening:
    """How accounts come to be on first use: the type by the path's longest known prefix.

    With no prefix that fits, or with `on_first_use` off, an entry on an unknown account is refused
    with `account_not_found`.
    """

    on_first_use: bool = False
    types: tuple[tuple[str, AccountType], ...] = (
        ("assets", AccountType.ASSET),
        ("liabilities", AccountType.LIABILITY),
        ("equity", AccountType.EQUITY),
        ("income", AccountType.INCOME),
        ("expenses", AccountType.EXPENSE),
    )
    limits: tuple[tuple[str, Limits], ...] = ()

    def __attrs_post_init__(self) -> None:
        for prefix, _ in (*self.types, *self.limits):
            check_path(prefix, field="prefix")

    def type_of(self, path: str) -> AccountType | None:
        """The type for a path, by the longest prefix that holds it."""
        return _longest(self.types, path)

    def limits_of(self, path: str) -> Limits:
        """The limits a new account starts with, by the longest prefix that holds it."""
        return _longest(self.limits, path) or NO_LIMITS


_T = TypeVar("_T")


def _longest(rules: tuple[tuple[str, _T], ...], path: str) -> _T | None:
    fitting = [(len(prefix), value) for prefix, value in rules if path == prefix or path.startswith(f"{prefix}:")]
    return max(fitting, key=lambda rule: rule[0])[1] if fitting else None
