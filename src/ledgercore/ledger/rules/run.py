"""One evaluation in progress: the facts, the time, and what has been decided so far."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from attrs import frozen

from ledgercore.ledger.accounts import AccountState
from ledgercore.ledger.commands import AnyCommand
from ledgercore.ledger.holds import Hold
from ledgercore.ledger.log.records import ACCOUNT_OPENED, Record
from ledgercore.ledger.outcomes import Applied, Refused
from ledgercore.ledger.rules.posting import Posting
from ledgercore.ledger.rules.working_set import WorkingSet


@frozen
class Replay:
    """An answer that repeats the one of a record in the same batch."""

    record: Record


Answer: TypeAlias = Record | Replay | Applied | Refused


class Run:
    """What the rules read and what they leave behind while a batch is evaluated."""

    __slots__ = ("holds", "new_id", "now", "opened", "posting", "records", "seen", "working")

    def __init__(self, working: WorkingSet, now: datetime, new_id: Callable[[], bytes]) -> None:
        self.working = working
        self.now = now
        self.new_id = new_id
        self.records: list[Record] = []
        self.opened: list[AccountState] = []
        self.holds: dict[UUID, Hold] = {}
        self.seen: dict[bytes, tuple[AnyCommand, Answer]] = {}
        self.posting = Posting(working, now, self.note_opening)

    def note_opening(self, state: AccountState) -> None:
        """Record that an account came to be by its first use."""
        self.opened.append(state)
        self.write(ACCOUNT_OPENED, self.new_id(), body=opening_body(state))

    def keep_hold(self, hold: Hold) -> None:
        """Remember a hold's new state for whoever comes next, and for the store."""
        self.holds[hold.id] = self.working.holds[hold.id] = hold

    def write(self, kind: str, identity: bytes, **fields: object) -> Record:
        """Append a record that posts nothing."""
        record = Record(kind, identity, self.now, [], **fields)  # type: ignore[arg-type]
        self.records.append(record)
        return record


def opening_body(state: AccountState) -> dict[str, object]:
    """What the log says of a new account."""
    return {
        "account": state.path,
        "currency": state.currency.code,
        "exponent": state.currency.exponent,
        "type": state.type.value,
        **limits_body(state),
    }


def limits_body(state: AccountState) -> dict[str, object]:
    """An account's limits as the log says them: minor units in text, or nothing."""
    minimum, maximum = state.limits.minimum, state.limits.maximum
    return {
        "minimum": None if minimum is None else str(minimum),
        "maximum": None if maximum is None else str(maximum),
    }
