"""What commands answer agrees with what is read later, and stays the same for ever."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ledgercore.ledger.accounts import AccountType, Limits
from ledgercore.ledger.applied_documents import (
    changed_document,
    closed_document,
    group_document,
    opened_document,
    placed_document,
    posted_document,
    replaced_document,
)
from ledgercore.ledger.commands import ClosePeriod
from ledgercore.ledger.documents import account_document, hold_document, transaction_document
from ledgercore.ledger.holds import CaptureGroup, PlaceHold
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.log.logged import JournalRow
from ledgercore.ledger.transactions import Line, Transaction
from ledgercore.money import Money, currency

AMOUNT = Money.of("12.30", "EUR")
LINES = (Line(AMOUNT, "assets:bank", "income:sales"),)


def record(ledger: Ledger, number: int) -> JournalRow:
    return ledger.journal.read_rows(after_number=number - 1, limit=1)[0]


def without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


@pytest.mark.parametrize("effective_at", [None, datetime(2026, 2, 1, tzinfo=UTC)])
def test_a_posted_transaction_is_told_as_it_is_read_later(ledger: Ledger, effective_at: datetime | None):
    """Only the balances are missing, and a time of effect that nobody named."""
    command = Transaction(
        lines=[Line(AMOUNT, debit="assets:bank"), Line(AMOUNT, credit="income:sales")],
        key="order-1", effective_at=effective_at, description="d", reference="r", metadata={"a": [1]},
    )  # fmt: skip
    outcome = ledger.post(command)

    told = posted_document(command, outcome)

    read = transaction_document(ledger.get_transaction(outcome.id))
    read["lines"] = [without(line, "debit_balance", "credit_balance") for line in read["lines"]]
    assert told == (read if effective_at else without(read, "effective_at"))
    assert posted_document(command, ledger.post(command)) == told


def test_a_placed_hold_is_told_as_it_is_read_later(ledger: Ledger):
    command = PlaceHold(
        lines=LINES, key="h", group="g", description="d", metadata={"a": 1}, tolerance_bps=100,
        expires_at=datetime(2027, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    outcome = ledger.place(command)

    told = placed_document(command, outcome)

    assert (told["number"], told["key"]) == (outcome.number, "h")
    read = hold_document(ledger.get_hold(outcome.id))
    assert without(told, "number", "key", "recorded_at") == without(read, "placed_at")
    ledger.capture(outcome.id)
    assert placed_document(command, ledger.place(command)) == told


def test_an_opened_account_is_told_as_it_was_then(ledger: Ledger):
    opened = ledger.open_account(
        "cards:visa", currency("EUR"), type=AccountType.LIABILITY, limits=Limits(0, 500), metadata={"a": 1}
    )
    number = ledger.state().number
    told = opened_document(record(ledger, number))

    ledger.change_account("cards:visa", limits=Limits())

    assert told == account_document(opened)
    assert opened_document(record(ledger, number)) == told


def test_a_changed_hold_is_told_as_the_change_left_it(ledger: Ledger):
    placed = ledger.place(PlaceHold(lines=LINES))
    changed = ledger.change_hold(placed.id, Money.of("20.00", "EUR"))
    then = hold_document(ledger.get_hold(placed.id))

    ledger.capture(placed.id)

    told = changed_document(ledger.get_hold(placed.id), record(ledger, changed.number))
    assert told == {**then, "changed_at": changed.recorded_at.isoformat()}


def test_a_replacement_is_told_as_the_hold_it_placed(ledger: Ledger, clock: Any):
    placed = ledger.place(PlaceHold(lines=LINES, expires_at=clock.now.replace(year=2027)))
    clock.forward(days=400)
    replaced = ledger.replace_hold(placed.id, key="again")

    told = replaced_document(record(ledger, replaced.number))

    assert without(told, "number", "key", "recorded_at") == hold_document(ledger.get_hold(replaced.id))
    assert (told["replaces"], told["key"]) == (str(placed.id), "again")


def test_a_group_is_told_with_its_holds(ledger: Ledger):
    holds = [ledger.place(PlaceHold(lines=LINES, group="g")) for _ in range(2)]
    [outcome] = ledger.post_all([CaptureGroup(group="g", key="k")])
    number = outcome.or_raise().number  # type: ignore[union-attr]

    told = group_document(record(ledger, number))

    assert (told["group"], told["key"], told["number"]) == ("g", "k", number)
    assert sorted(told["captured"]) == sorted(str(hold.id) for hold in holds)


def test_a_closed_period_is_told_with_its_end(memory_ledger: Ledger):
    command = ClosePeriod(through=datetime(2026, 1, 1, tzinfo=UTC))
    outcome = memory_ledger.close_period(command.through)

    told = closed_document(command, outcome)

    assert told["closed_through"] == "2026-01-01T00:00:00+00:00"
    assert told["id"] == str(outcome.id)
