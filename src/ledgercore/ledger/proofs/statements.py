"""What a record's rows say, for people; a function of the rows and of nothing else."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ledgercore.ledger.log.logged import JournalRow
from ledgercore.ledger.log.records import KIND_NAMES
from ledgercore.money import format_amount, known_currency


def statement(rows: Sequence[JournalRow], openings: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """What a record's rows say, for people; `openings` are the bodies of its accounts' openings."""
    first = rows[0]
    said = {
        "number": first.number,
        "kind": KIND_NAMES.get(first.kind, first.kind),
        "id": str(first.id),
        "key": first.key,
        "effective_at": first.effective_at.isoformat(),
        "recorded_at": first.recorded_at.isoformat(),
        "description": first.description,
        "reference": first.reference,
        "metadata": first.metadata,
        "subject": first.subject and str(first.subject),
        "body": first.body,
        "lines": [_line(row, openings) for row in rows if row.amount is not None] or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def account_numbers(rows: Iterable[JournalRow]) -> set[int]:
    """The accounts that rows name."""
    return {number for row in rows for number in (row.debit_account, row.credit_account) if number is not None}


def _line(row: JournalRow, openings: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    said: dict[str, Any] = {"amount_minor": str(row.amount)}
    for side, number, balance in (
        ("debit", row.debit_account, row.debit_balance),
        ("credit", row.credit_account, row.credit_balance),
    ):
        if number is None:
            continue
        said[f"{side}_account"] = number
        said[f"{side}_balance_minor"] = str(balance)
        if number in openings:
            opening = openings[number]
            currency = known_currency(opening["currency"], opening["exponent"])
            said[side] = opening["account"]
            said["currency"] = currency.code
            said["amount"] = format_amount(row.amount or 0, currency)
    return said
