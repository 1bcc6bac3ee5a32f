"""Everything that may stand in a batch, and the name by which a repeat of it is known."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeAlias
from uuid import UUID

import attrs
from attrs import field, frozen

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import INVALID_ARGUMENT, INVALID_CAPTURE
from ledgercore.ledger.accounts import AccountStatus, AccountType, Limits, Opening
from ledgercore.ledger.holds import (
    Capture,
    CaptureGroup,
    ChangeHold,
    Command,
    PlaceHold,
    ReplaceHold,
    VoidGroup,
    VoidHold,
)
from ledgercore.ledger.paths import account_path
from ledgercore.ledger.texts import check_description, check_metadata, check_moment, encode_json
from ledgercore.ledger.transactions import Line, Transaction, as_lines, check_lines
from ledgercore.money import Currencies, Currency, Money

BATCH_MAX: Final = 20_000
FINGERPRINT_BYTES: Final = 16


@frozen(kw_only=True)
class Reversal(Command):
    """Undo a transaction by a new one: wholly, or an `amount` or `lines` of it.

    `lines` repeat lines of the original with what is to be undone of each. Never more in total
    than the original posted.
    """

    transaction: UUID
    amount: Money | None = None
    lines: tuple[Line, ...] = field(default=(), converter=as_lines)
    effective_at: datetime | None = None
    description: str | None = field(default=None, converter=check_description)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.amount is not None and (self.lines or self.amount.minor <= 0):
            raise ValidationError(INVALID_CAPTURE, field="amount", why="one amount above zero, or lines, not both")
        if self.lines:
            check_lines(self.lines)
        object.__setattr__(self, "effective_at", check_moment(self.effective_at, field="effective_at"))


@frozen(kw_only=True)
class OpenAccount(Command):
    """Open an account; without a `type` the ledger's opening rules decide by the path."""

    path: str = field(converter=account_path)
    currency: Currency
    type: AccountType | None = None
    limits: Limits = field(factory=Limits)
    metadata: Mapping[str, Any] | None = field(default=None, converter=check_metadata)


@frozen(kw_only=True)
class ChangeAccount(Command):
    """Freeze, unfreeze or close an account, or give it other limits or metadata; what is `None` stays."""

    path: str = field(converter=account_path)
    status: AccountStatus | None = None
    limits: Limits | None = None
    metadata: Mapping[str, Any] | None = field(default=None, converter=check_metadata)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.status is None and self.limits is None and self.metadata is None:
            raise ValidationError(INVALID_ARGUMENT, field="status", why="a status, limits or metadata are needed")


@frozen(kw_only=True)
class ClosePeriod(Command):
    """Refuse from now on every entry that would count at or before `through`."""

    through: datetime

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        through: datetime | None = self.through
        if through is None:
            raise ValidationError(INVALID_ARGUMENT, field="through", why="a time is needed")
        object.__setattr__(self, "through", check_moment(through, field="through"))


@frozen(kw_only=True)
class Settings:
    """What a ledger is told about itself: how accounts open on first use, and assets beyond ISO 4217."""

    opening: Opening = field(factory=Opening)
    assets: tuple[Currency, ...] = ()

    def currencies(self, known: Currencies) -> Currencies:
        """The currencies a ledger can read: the known ones and its own assets."""
        for asset in self.assets:
            known = known.register(asset.code, asset.exponent)
        return known


@frozen(kw_only=True)
class ChangeSettings(Command):
    """Replace the ledger's settings."""

    settings: Settings


AnyCommand: TypeAlias = (
    Transaction
    | Reversal
    | PlaceHold
    | ChangeHold
    | Capture
    | VoidHold
    | ReplaceHold
    | CaptureGroup
    | VoidGroup
    | OpenAccount
    | ChangeAccount
    | ClosePeriod
    | ChangeSettings
)


def _as_commands(commands: Iterable[AnyCommand]) -> tuple[AnyCommand, ...]:
    return tuple(commands)


@frozen
class Group:
    """Commands inside a batch that all happen or none does."""

    commands: tuple[AnyCommand, ...] = field(converter=_as_commands)


BatchItem: TypeAlias = AnyCommand | Group


def flatten(batch: Iterable[BatchItem]) -> list[AnyCommand]:
    """Every command of a batch, those inside groups too."""
    commands: list[AnyCommand] = []
    for item in batch:
        if type(item) is Group:
            commands.extend(item.commands)
        else:
            commands.append(item)  # type: ignore[arg-type]
    return commands


def identity_of_key(key: str) -> bytes:
    """The 16-byte name of a text key: a UUID of version 8 (RFC 9562) made from its SHA-256.

    A key and the id made from it are the same name, so one unique index serves both.
    """
    digest = bytearray(hashlib.sha256(b"ledgercore key\x00" + key.encode()).digest()[:16])
    digest[6] = 0x80 | digest[6] & 0x0F
    digest[8] = 0x80 | digest[8] & 0x3F
    return bytes(digest)


def identity_of(command: AnyCommand) -> bytes | None:
    """The name under which a command's outcome is kept for ever; `None` when it carries none."""
    if command.id is not None:
        return command.id.bytes
    return None if command.key is None else identity_of_key(command.key)


def fingerprint(command: AnyCommand) -> bytes:
    """A digest of what a command asks for, its name left out: equal asks, equal digests."""
    content = {"": type(command).__name__}
    for attribute in attrs.fields(type(command)):
        value = getattr(command, attribute.name)
        if attribute.name not in ("id", "key") and value is not None and value != ():
            content[attribute.name] = _plain(value)
    return hashlib.sha256(encode_json(content)).digest()[:FINGERPRINT_BYTES]


def _plain(value: object) -> Any:
    if isinstance(value, Money):
        return [str(value.minor), value.currency.code, value.currency.exponent]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID | Decimal):
        return str(value)
    if attrs.has(type(value)):
        return [_plain(getattr(value, attribute.name)) for attribute in attrs.fields(type(value))]  # type: ignore[arg-type]
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(inner) for inner in value]
    return value
