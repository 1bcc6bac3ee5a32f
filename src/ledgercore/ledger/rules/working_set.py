"""The facts a batch needs: loaded by an adapter under lock, moved by the engine, stored by the adapter."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from attrs import Factory, define, frozen

from ledgercore.ledger.accounts import AccountState
from ledgercore.ledger.commands import AnyCommand, ChangeAccount, OpenAccount, Reversal, Settings
from ledgercore.ledger.holds import (
    Capture,
    CaptureGroup,
    ChangeHold,
    Hold,
    PlaceHold,
    ReplaceHold,
    VoidGroup,
    VoidHold,
)
from ledgercore.ledger.transactions import Line, PostedTransaction, Transaction

Pair: TypeAlias = tuple[str | None, str | None]


@frozen(kw_only=True)
class Known:
    """What an id or key was first used for, and how it ended."""

    kind: str
    number: int
    recorded_at: datetime
    fingerprint: bytes | None = None
    posted: PostedTransaction | None = None
    named_effective: bool = True
    refusal: tuple[str, dict[str, Any]] | None = None


@frozen(kw_only=True)
class Reversible:
    """A posted transaction and how much of each of its account pairs has been reversed so far."""

    posted: PostedTransaction
    reversed_minor: dict[Pair, int]


@define(kw_only=True)
class WorkingSet:
    """Everything a batch touches, as of the moment its accounts were locked."""

    accounts: dict[str, AccountState] = Factory(dict)
    holds: dict[UUID, Hold] = Factory(dict)
    groups: dict[str, list[UUID]] = Factory(dict)
    reversibles: dict[UUID, Reversible] = Factory(dict)
    known: dict[bytes, Known] = Factory(dict)
    settings: Settings = Factory(Settings)
    closed_through: datetime | None = None


@frozen
class Targets:
    """Holds, groups and transactions that commands refer to: look them up before locking accounts."""

    holds: frozenset[UUID]
    groups: frozenset[str]
    transactions: frozenset[UUID]

    def __bool__(self) -> bool:
        return bool(self.holds or self.groups or self.transactions)


def targets_of(commands: Iterable[AnyCommand]) -> Targets:
    """What the commands refer to by id or by group."""
    holds: set[UUID] = set()
    groups: set[str] = set()
    transactions: set[UUID] = set()
    for command in commands:
        if type(command) is Transaction:
            continue
        if isinstance(command, ChangeHold | Capture | VoidHold | ReplaceHold):
            holds.add(command.hold)
        elif isinstance(command, CaptureGroup | VoidGroup):
            groups.add(command.group)
        elif isinstance(command, Reversal):
            transactions.add(command.transaction)
    return Targets(frozenset(holds), frozenset(groups), frozenset(transactions))


def paths_of(commands: Sequence[AnyCommand]) -> set[str]:
    """Every account that the commands name themselves."""
    paths: set[str | None] = set()
    for command in commands:
        if type(command) is Transaction:
            for line in command.lines:
                paths.add(line.debit)
                paths.add(line.credit)
            for precondition in command.preconditions:
                paths.add(precondition.account)
        elif isinstance(command, PlaceHold):
            paths |= paths_of_lines(command.lines)
        elif isinstance(command, OpenAccount | ChangeAccount):
            paths.add(command.path)
    paths.discard(None)
    return paths  # type: ignore[return-value]


def paths_of_lines(lines: Iterable[Line]) -> set[str]:
    """Every account on either side of the lines."""
    return {path for line in lines for path in (line.debit, line.credit) if path is not None}


def paths_of_hold(hold: Hold) -> set[str]:
    """Every account that a hold reserves amounts on."""
    return paths_of_lines(held.line for held in hold.lines)
