"""Holds: amounts reserved on accounts, to be captured, voided or left to expire."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from attrs import evolve, field, frozen

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import INVALID_CAPTURE, INVALID_EXPIRY, INVALID_REFERENCE, INVALID_TOLERANCE
from ledgercore.ledger.texts import check_description, check_key, check_metadata, check_moment, fault_in
from ledgercore.ledger.transactions import Line, as_lines, check_identity, check_lines
from ledgercore.money import Money

TOLERANCE_BPS_MAX: Final = 10_000
GROUP_LENGTH_MAX: Final = 255


class HoldStatus(StrEnum):
    """A hold is open until it has been captured, voided or has expired, each once and for good."""

    OPEN = "open"
    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"


MOVES: Final[Mapping[tuple[HoldStatus, str], HoldStatus]] = {
    (HoldStatus.OPEN, "change"): HoldStatus.OPEN,
    (HoldStatus.OPEN, "capture in part"): HoldStatus.OPEN,
    (HoldStatus.OPEN, "capture"): HoldStatus.CAPTURED,
    (HoldStatus.OPEN, "void"): HoldStatus.VOIDED,
    (HoldStatus.OPEN, "expire"): HoldStatus.EXPIRED,
}


def check_group(group: str | None) -> str | None:
    """A name that holds share, of 1 to 255 characters; `invalid_reference` otherwise."""
    if group is not None and (why := fault_in(group, GROUP_LENGTH_MAX)):
        raise ValidationError(INVALID_REFERENCE, field="group", value=str(group)[:60].replace("\x00", ""), why=why)
    return group


def _check_tolerance(_: object, __: object, bps: int) -> None:
    if not isinstance(bps, int) or isinstance(bps, bool) or not 0 <= bps <= TOLERANCE_BPS_MAX:
        raise ValidationError(
            INVALID_TOLERANCE, field="tolerance_bps", value=str(bps)[:60], least=0, most=TOLERANCE_BPS_MAX
        )


@frozen(kw_only=True)
class Command:
    """What every command may carry: an id or a key as the name of the intent."""

    id: UUID | None = None
    key: str | None = field(default=None, converter=check_key)

    def __attrs_post_init__(self) -> None:
        check_identity(self.id, self.key)


@frozen(kw_only=True)
class PlaceHold(Command):
    """Reserve lines until `expires_at`, if given; nothing is posted.

    `tolerance_bps` allows captures above the held amount, in hundredths of a percent of it.
    `group` names holds that may be captured or voided together. The hold's id is the command's.
    """

    lines: tuple[Line, ...] = field(converter=as_lines)
    expires_at: datetime | None = None
    tolerance_bps: int = field(default=0, validator=_check_tolerance)
    group: str | None = field(default=None, converter=check_group)
    description: str | None = field(default=None, converter=check_description)
    metadata: Mapping[str, Any] | None = field(default=None, converter=check_metadata)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        check_lines(self.lines)
        object.__setattr__(self, "expires_at", check_moment(self.expires_at, field="expires_at"))


@frozen(kw_only=True)
class ChangeHold(Command):
    """Raise or lower an open hold to new amounts: `amount` for a hold of one line, else `lines`.

    `lines` name the same accounts as the hold's, in any order, with what shall be held in total.
    """

    hold: UUID
    amount: Money | None = None
    lines: tuple[Line, ...] = field(default=(), converter=as_lines)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        _check_one_of(self.amount, self.lines, none_allowed=False)


@frozen(kw_only=True)
class Capture(Command):
    """Post all of a hold, or an `amount` or `lines` of it; `final` lets the rest go.

    Without amount and lines everything that remains is captured. A capture that reaches the held
    amount closes the hold.
    """

    hold: UUID
    amount: Money | None = None
    lines: tuple[Line, ...] = field(default=(), converter=as_lines)
    final: bool = False
    effective_at: datetime | None = None
    description: str | None = field(default=None, converter=check_description)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        _check_one_of(self.amount, self.lines, none_allowed=True)
        object.__setattr__(self, "effective_at", check_moment(self.effective_at, field="effective_at"))


@frozen(kw_only=True)
class VoidHold(Command):
    """Let go of what a hold still reserves."""

    hold: UUID


@frozen(kw_only=True)
class ReplaceHold(Command):
    """Place an expired hold's remainder again, under this command's id, until `expires_at`."""

    hold: UUID
    expires_at: datetime | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        object.__setattr__(self, "expires_at", check_moment(self.expires_at, field="expires_at"))


@frozen(kw_only=True)
class CaptureGroup(Command):
    """Capture what remains of every open hold of a group: all of them or none."""

    group: str = field(converter=check_group)


@frozen(kw_only=True)
class VoidGroup(Command):
    """Void every open hold of a group: all of them or none."""

    group: str = field(converter=check_group)


@frozen(kw_only=True)
class HeldLine:
    """A line of a hold: what was reserved, and what has been captured of it."""

    line: Line
    captured: int = 0

    @property
    def remaining(self) -> int:
        """Minor units still reserved; none once captures went above the held amount."""
        return max(self.line.amount.minor - self.captured, 0)


@frozen(kw_only=True)
class Hold:
    """A hold as it stands: its lines with what was captured, its status and its end."""

    id: UUID
    lines: tuple[HeldLine, ...]
    status: HoldStatus
    placed_at: datetime
    expires_at: datetime | None = None
    tolerance_bps: int = 0
    group: str | None = None
    description: str | None = None
    metadata: Mapping[str, Any] | None = None
    replaces: UUID | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether its time has passed though nobody has let it go yet."""
        return self.status is HoldStatus.OPEN and self.expires_at is not None and self.expires_at <= now

    def remaining_lines(self) -> tuple[Line, ...]:
        """What is still reserved."""
        return tuple(
            Line(Money(held.remaining, held.line.amount.currency), held.line.debit, held.line.credit)
            for held in self.lines
            if held.remaining
        )

    def most(self, held: HeldLine) -> int:
        """Minor units that may be captured of a line in total, tolerance included, rounded down."""
        return held.line.amount.minor * (10_000 + self.tolerance_bps) // 10_000

    def moved(self, move: str, lines: Iterable[HeldLine] | None = None) -> "Hold":
        """The hold after a move of its life cycle; `MOVES` says which there are."""
        return evolve(self, status=MOVES[self.status, move], lines=self.lines if lines is None else tuple(lines))


def check_expiry(expires_at: datetime | None, now: datetime) -> None:
    """A hold must end after it begins; `invalid_expiry` otherwise."""
    if expires_at is not None and expires_at <= now:
        raise ValidationError(INVALID_EXPIRY, field="expires_at", expires_at=expires_at, now=now)


def _check_one_of(amount: Money | None, lines: tuple[Line, ...], *, none_allowed: bool) -> None:
    if amount is not None and lines:
        raise ValidationError(INVALID_CAPTURE, field="amount", why="give an amount or lines, not both")
    if amount is None and not lines and not none_allowed:
        raise ValidationError(INVALID_CAPTURE, field="amount", why="an amount or lines are needed")
    if amount is not None and amount.minor <= 0:
        raise ValidationError(INVALID_CAPTURE, field="amount", value=str(amount), why="an amount is above zero")
    if lines:
        check_lines(lines)
