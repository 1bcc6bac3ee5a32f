"""What became of a command: posted, applied or refused, for the first time or as a replay."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from attrs import define, frozen

from ledgercore.errors import LedgercoreError, error_for
from ledgercore.errors.reason import Reason


@define(eq=False)
class Applied:
    """The command took effect: its record is `number` of the ledger's log, under the name `id`.

    `replayed` says that this is the answer to an earlier, identical command; nothing was done again.
    """

    identity: bytes
    number: int
    recorded_at: datetime
    replayed: bool = False

    @property
    def id(self) -> UUID:
        """The id of the transaction, hold or other record."""
        return UUID(bytes=self.identity)

    def or_raise(self) -> "Applied":
        """Return the outcome itself."""
        return self

    def __eq__(self, other: object) -> bool:
        return (
            type(other) is type(self)
            and isinstance(other, Applied)
            and (self.identity, self.number, self.recorded_at, self.replayed)
            == (other.identity, other.number, other.recorded_at, other.replayed)
        )

    def __hash__(self) -> int:
        return hash((self.identity, self.number))


@define(eq=False)
class Posted(Applied):
    """The command posted a transaction."""

    def or_raise(self) -> "Posted":
        """Return the outcome itself."""
        return self


@frozen
class Refused:
    """The command had no effect, for this reason.

    A refused command that carries a key is refused for ever; to try again, take a new key.
    """

    reason: Reason
    details: Mapping[str, Any]
    replayed: bool = False

    def or_raise(self) -> "Applied":
        """Raise the refusal as the error of its category."""
        raise self.error

    @property
    def error(self) -> LedgercoreError:
        """The refusal as an exception."""
        return error_for(self.reason, self.details)


@frozen
class GroupOutcome:
    """One outcome for each command of a group: all took effect, or none did."""

    outcomes: tuple[Applied | Refused, ...]

    @property
    def refusal(self) -> Refused | None:
        """Why the group was refused: the outcome of the command that broke it."""
        refusals = [outcome for outcome in self.outcomes if isinstance(outcome, Refused)]
        return next((refusal for refusal in refusals if refusal.reason.code != "group_refused"), None) or next(
            iter(refusals), None
        )

    def or_raise(self) -> "GroupOutcome":
        """Return the outcome itself, or raise the refusal that broke the group."""
        if self.refusal is not None:
            raise self.refusal.error
        return self


Outcome: TypeAlias = Applied | Refused | GroupOutcome
