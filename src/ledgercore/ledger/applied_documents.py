"""What commands that took effect answer, as JSON documents.

They come from the command and its outcome, or from its record in the log, and never from how things stand now:
a repeat of the command gets the very same answer.
"""

from typing import Any

from attrs import evolve

from ledgercore.ledger.commands import ClosePeriod
from ledgercore.ledger.documents import account_document, amount_text, hold_document, line_document, present
from ledgercore.ledger.holds import Hold, HoldStatus, PlaceHold
from ledgercore.ledger.log.logged import JournalRow
from ledgercore.ledger.log.projection import account_of_opening, hold_of_placing
from ledgercore.ledger.log.records import KIND_NAMES, TRANSACTION
from ledgercore.ledger.outcomes import Applied
from ledgercore.ledger.ports import JournalReader
from ledgercore.ledger.rules.hold_rules import held_lines_of
from ledgercore.ledger.transactions import Line, Transaction
from ledgercore.money import Money


def posted_document(transaction: Transaction, outcome: Applied) -> dict[str, Any]:
    """A transaction that was posted; when it counts stands there if the command named it."""
    return present(
        **_record(outcome, transaction.key),
        kind=KIND_NAMES[TRANSACTION],
        effective_at=transaction.effective_at and transaction.effective_at.isoformat(),
        description=transaction.description,
        reference=transaction.reference,
        metadata=transaction.metadata,
        lines=[line_document(line) for line in transaction.lines],
    )


def placed_document(command: PlaceHold, outcome: Applied) -> dict[str, Any]:
    """A hold that was placed, with all of it remaining."""
    return present(
        **_record(outcome, command.key),
        status=HoldStatus.OPEN.value,
        expires_at=command.expires_at and command.expires_at.isoformat(),
        tolerance_bps=command.tolerance_bps,
        group=command.group,
        description=command.description,
        metadata=command.metadata,
        lines=[_held(line) for line in command.lines],
    )


def replaced_document(placing: JournalRow) -> dict[str, Any]:
    """A hold that replaces another, by the record of its placing."""
    return {**hold_document(hold_of_placing(placing)), **_record(placing, placing.key)}


def changed_document(hold: Hold, change: JournalRow) -> dict[str, Any]:
    """A hold as the record of a change left it, whatever became of it since."""
    assert change.body is not None
    then = evolve(hold, status=HoldStatus.OPEN, lines=held_lines_of(change.body["lines"]))
    return {**hold_document(then), "changed_at": change.recorded_at.isoformat()}


def group_document(closing: JournalRow) -> dict[str, Any]:
    """The holds of a group that were captured or voided, by the record of that."""
    return {**_record(closing, closing.key), **(closing.body or {})}


def opened_document(opening: JournalRow) -> dict[str, Any]:
    """An account as it was when it opened, by the record of that."""
    return account_document(account_of_opening(opening).as_account())


def closed_document(command: ClosePeriod, outcome: Applied) -> dict[str, Any]:
    """A period that was closed."""
    return {**_record(outcome, command.key), "closed_through": command.through.isoformat()}


def record_of(journal: JournalReader, outcome: Applied) -> JournalRow:
    """The record of a command that took effect."""
    return journal.read_rows(after_number=outcome.number - 1, limit=1)[0]


def _record(record: Applied | JournalRow, key: str | None) -> dict[str, Any]:
    return present(id=str(record.id), number=record.number, key=key, recorded_at=record.recorded_at.isoformat())


def _held(line: Line) -> dict[str, Any]:
    nothing = amount_text(Money.zero(line.amount.currency))
    return {**line_document(line), "captured": nothing, "remaining": amount_text(line.amount)}
