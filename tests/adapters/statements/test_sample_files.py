"""Real files of banks that lie beside the project, each with what reading it has to give."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from ledgercore.statements.payment_initiations import PaymentInitiation
from ledgercore.statements.statements import Balance, BalanceKind, Direction, Statement, StatementEntry
from ledgercore.statements.status_reports import StatusReport
from ledgercore_statements.pain001 import read_pain001
from ledgercore_statements.pain002 import read_pain002
from ledgercore_statements.reading import read_statements

SAMPLES: Final = Path(__file__).parents[4] / "shared" / "samples" / "statements"
FILES: Final = sorted(SAMPLES.rglob("*.expected.json"))
# The expectations write the kinds of balances as the formats do.
KINDS: Final = {
    ("opening", "F"): BalanceKind.OPENING,
    ("closing", "F"): BalanceKind.CLOSING,
    ("opening", "M"): BalanceKind.INTERIM,
    ("closing", "M"): BalanceKind.INTERIM,
}


def expectation_of(path: Path) -> Mapping[str, Any]:
    expected: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return expected


def statement_files() -> list[Path]:
    return [path for path in FILES if expectation_of(path)["format"] != "pain"]


def payment_files() -> list[Path]:
    return [path for path in FILES if expectation_of(path)["format"] == "pain"]


def sum_of(entries: list[StatementEntry], direction: Direction) -> Decimal:
    return sum((entry.amount.decimal for entry in entries if entry.direction is direction), Decimal(0))


def first_and_last(statement: Statement) -> tuple[str, str]:
    days = sorted(entry.booked_on.isoformat() for entry in statement.entries if entry.booked_on)
    return days[0], days[-1]


def pending(statement: Statement) -> list[StatementEntry]:
    return [entry for entry in statement.entries if entry.is_pending]


def balances(statement: Statement) -> dict[str, list[Decimal]]:
    found: dict[str, list[Decimal]] = {}
    for balance in statement.balances:
        found.setdefault(balance.kind.value, []).append(balance.amount.decimal)
    return found


def reconciles(statement: Statement) -> bool | None:
    return None if statement.difference is None else statement.difference.is_zero


def amounts(written: Mapping[str, list[str]]) -> dict[str, list[Decimal]]:
    return {kind: [Decimal(amount) for amount in of_kind] for kind, of_kind in written.items()}


# What can be computed of a statement, and how the expectation's text is to be read.
MEMBERS: Final[Mapping[str, tuple[Callable[[Statement], object], Callable[[Any], object]]]] = {
    "account": (lambda statement: statement.account, str),
    "reference": (lambda statement: statement.reference, str),
    "number": (lambda statement: statement.number, str),
    "message": (lambda statement: statement.format, str),
    "currency": (lambda statement: statement.currency, str),
    "entries": (lambda statement: len(statement.entries), int),
    "credits": (lambda statement: sum_of(list(statement.booked), Direction.CREDIT), Decimal),
    "debits": (lambda statement: sum_of(list(statement.booked), Direction.DEBIT), Decimal),
    "pending_entries": (lambda statement: len(pending(statement)), int),
    "pending_credits": (lambda statement: sum_of(pending(statement), Direction.CREDIT), Decimal),
    "pending_debits": (lambda statement: sum_of(pending(statement), Direction.DEBIT), Decimal),
    "reversal_entries": (lambda statement: sum(entry.is_reversal for entry in statement.entries), int),
    "batch_entries": (lambda statement: sum(len(entry.details) > 1 for entry in statement.entries), int),
    "transaction_details": (lambda statement: sum(len(entry.details) for entry in statement.entries), int),
    "split_entries": (lambda statement: sum(bool(entry.details) for entry in statement.entries), int),
    "split_mismatches": (lambda statement: sum("splits" in str(entry.warnings) for entry in statement.entries), int),
    "entry_currencies": (lambda statement: sorted({entry.amount.currency.code for entry in statement.entries}), list),
    "first_date": (lambda statement: first_and_last(statement)[0], str),
    "last_date": (lambda statement: first_and_last(statement)[1], str),
    "duplicate_fitids": (
        lambda statement: len(statement.entries) - len({entry.bank_id for entry in statement.entries}),
        int,
    ),
    "balances": (balances, amounts),
    "reconciles": (reconciles, bool),
    "difference": (lambda statement: statement.difference and statement.difference.decimal, Decimal),
    "forward_available": (
        lambda statement: sum(balance.kind is BalanceKind.FORWARD_AVAILABLE for balance in statement.balances),
        int,
    ),
}
# The caller names the currency of a QIF file, which has none.
TOLD: Final = {"qif": ("currency",)}


def assert_balance(balance: Balance | None, expected: Mapping[str, str] | None, which: str) -> None:
    if expected is None:
        assert balance is None
        return
    assert balance is not None
    assert balance.amount.decimal == Decimal(expected["amount"])
    assert balance.amount.currency.code == expected["currency"]
    assert balance.on is not None
    assert balance.on.isoformat() == expected["date"]
    if kind := expected.get("kind"):
        assert balance.kind.value == KINDS.get((which, kind), kind)


@pytest.mark.skipif(not FILES, reason="the real samples are not beside the project")
@pytest.mark.parametrize("path", statement_files(), ids=lambda path: path.name.removesuffix(".expected.json"))
def test_a_real_file_is_read_as_expected(path: Path) -> None:
    expected = expectation_of(path)
    data = (SAMPLES / expected["file"]).read_bytes()

    read = read_statements(data, currency="EUR")

    assert len(read) == len(expected["statements"])
    for statement, wanted in zip(read, expected["statements"], strict=True):
        compared = [name for name in MEMBERS if name in wanted and name not in TOLD.get(expected["format"], ())]
        computed = {name: MEMBERS[name][0](statement) for name in compared}
        assert computed == {name: None if wanted[name] is None else MEMBERS[name][1](wanted[name]) for name in compared}
        available = next((found for found in statement.balances if found.kind is BalanceKind.AVAILABLE), None)
        stated = {"opening": statement.opening, "closing": statement.closing, "available": available}
        for which, balance in stated.items():
            if which in wanted:
                assert_balance(balance, wanted[which], which)


@pytest.mark.skipif(not FILES, reason="the real samples are not beside the project")
@pytest.mark.parametrize("path", statement_files(), ids=lambda path: path.name.removesuffix(".expected.json"))
def test_a_real_file_is_recognised_under_its_format_too(path: Path) -> None:
    expected = expectation_of(path)
    data = (SAMPLES / expected["file"]).read_bytes()

    named = read_statements(data, format=expected["format"], dialect=expected.get("dialect"), currency="EUR")

    assert named == read_statements(data, currency="EUR")


def totals(initiation: PaymentInitiation) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for transfer in initiation.transfers:
        code = transfer.amount.currency.code
        found[code] = found.get(code, Decimal(0)) + transfer.amount.decimal
    return found


def initiation_members(initiation: PaymentInitiation) -> dict[str, object]:
    return {
        "message": initiation.format,
        "message_id": initiation.message_id,
        "declared_count": initiation.declared_count and str(initiation.declared_count),
        "declared_sum": initiation.declared_sum and str(initiation.declared_sum),
        "payment_infos": len(initiation.batches),
        "transactions": len(initiation.transfers),
        "total_by_currency": {code: str(total) for code, total in totals(initiation).items()},
        "plain_sum": str(initiation.plain_sum),
        "control_sum_matches": initiation.declared_sum == initiation.plain_sum,
        "count_matches": initiation.declared_count == len(initiation.transfers),
        "end_to_end_ids": [transfer.end_to_end_id for transfer in initiation.transfers],
    }


def report_members(report: StatusReport) -> dict[str, object]:
    return {
        "message": report.format,
        "message_id": report.message_id,
        "original_message_id": report.original_message_id,
        "group_status": report.status,
        "group_reasons": [reason.code for reason in report.reasons],
        "payment_statuses": [batch.status for batch in report.batches],
        "transaction_statuses": [transfer.status for batch in report.batches for transfer in batch.transfers],
        # A report declares neither.
        "declared_count": None,
        "declared_sum": None,
    }


@pytest.mark.skipif(not FILES, reason="the real samples are not beside the project")
@pytest.mark.parametrize("path", payment_files(), ids=lambda path: path.name.removesuffix(".expected.json"))
def test_a_real_file_of_payments_is_read_as_expected(path: Path) -> None:
    expected = expectation_of(path)
    data = (SAMPLES / expected["file"]).read_bytes()
    [wanted] = expected["statements"]

    if wanted["message"].startswith("pain.002"):
        computed = report_members(read_pain002(data))
    else:
        computed = initiation_members(read_pain001(data))

    assert computed == wanted
