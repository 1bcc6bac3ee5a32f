"""Statements, lines, matches and proofs as documents, and the documents that ask for matches."""

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from ledgercore.errors import ValidationError
from ledgercore.money import Money, currency
from ledgercore.statements.documents import (
    imported_document,
    line_document,
    match_document,
    parts_from,
    proposal_document,
    reconciled_document,
    reconciliation_document,
    rules_from,
    signed_amount_from,
    statement_document,
    unmatched_document,
)
from ledgercore.statements.importing import Imported
from ledgercore.statements.lines import NewLine, StatementLine, StatementRecord
from ledgercore.statements.matches import Allocation, BookItem, Match, Proposal, Stage
from ledgercore.statements.matching import MatchingRules, OpenItem, OpenLine
from ledgercore.statements.proving import Reconciliation, Side
from ledgercore.statements.reconciling import Reconciled, Unmatched
from ledgercore.statements.statements import Direction

EUR, JPY = currency("EUR"), currency("JPY")
ID, OTHER = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = date(2026, 3, 2)
RECORD = StatementRecord(
    id=ID, ledger="books", account="assets:bank", digest=b"", format="mt940", file_name="f", imported_at=NOON,
    bank_account=None, reference=None, number=None, currency="EUR", exponent=2, opening_minor=None, opening_on=None,
    closing_minor=None, closing_on=None, difference_minor=None, entries_count=1, pending_count=0, lines_added=1,
)  # fmt: skip
SAID = NewLine(
    identity=b"x",
    direction=Direction.DEBIT,
    amount=Money(1_250, EUR),
    booked_on=DAY,
    value_on=None,
    text="rent",
)
LINE = StatementLine(id=OTHER, number=7, statement_id=ID, said=SAID)
MATCH = Match(
    id=ID, ledger="books", account="assets:bank", stage=Stage.MANUAL, made_at=NOON, made_by="operator",
    lines=(Allocation(id=OTHER, signed_minor=-1_250),), transactions=(Allocation(id=ID, signed_minor=-1_250),),
)  # fmt: skip
PROPOSAL = Proposal(stage=Stage.BATCH_SUM, lines=MATCH.lines, transactions=MATCH.transactions, why={"lines": 1})


def test_a_statement_tells_only_what_it_knows() -> None:
    """Balances in both forms if the file had them, and nothing in place of those that it had not."""
    bare = statement_document(RECORD)
    full = statement_document(
        evolve(RECORD, opening_minor=-5, opening_on=DAY, closing_minor=0, difference_minor=0, number="7")
    )

    assert bare.keys().isdisjoint({"opening", "opening_minor", "closing", "difference", "number", "bank_account"})
    assert (full["opening"], full["opening_minor"], full["opening_on"]) == ("-0.05", "-5", "2026-03-02")
    assert (full["closing"], full["difference_minor"], full["number"]) == ("0.00", "0", "7")
    assert imported_document(Imported(RECORD, is_new=False)) == {**bare, "is_new": False}


def test_a_lines_amount_has_the_sign_that_moves_the_account() -> None:
    """Debits are below zero."""
    document = line_document(LINE)

    assert (document["direction"], document["amount"], document["amount_minor"]) == ("DEBIT", "-12.50", "-1250")
    assert (document["number"], document["booked_on"], document["statement_id"]) == (7, "2026-03-02", str(ID))
    assert "value_on" not in document


def test_amounts_have_the_decimals_of_their_currency() -> None:
    """Yen have none."""
    assert match_document(MATCH, JPY)["lines"][0]["amount"] == "-1250"


def test_a_match_tells_of_tolerance_and_undoing_only_where_there_is_some() -> None:
    """Or every match would look half undone."""
    plain = match_document(MATCH, EUR)
    rich = match_document(
        evolve(
            MATCH, tolerance_minor=-5, tolerance_account="expenses:fees", tolerance_transaction_id=OTHER,
            undone_at=NOON, undone_by="operator",
        ),
        EUR,
    )  # fmt: skip

    assert plain.keys().isdisjoint({"tolerance", "tolerance_minor", "tolerance_account", "undone_at", "undone_by"})
    assert (rich["tolerance"], rich["tolerance_transaction_id"]) == ("-0.05", str(OTHER))
    assert rich["undone_at"] == NOON.isoformat()


def test_what_a_run_did_is_one_document() -> None:
    """Matches and suggestions, ready for JSON."""
    document = reconciled_document(Reconciled((MATCH,), (PROPOSAL,)), EUR)

    assert document == {"made": [match_document(MATCH, EUR)], "suggested": [proposal_document(PROPOSAL, EUR)]}
    assert document["suggested"][0]["is_certain"] is True
    assert json.loads(json.dumps(document)) == document


def test_what_is_unmatched_tells_what_is_left_of_it() -> None:
    """Beside what there was."""
    item = BookItem(transaction_id=ID, signed_minor=900, on=DAY, text="order")
    unmatched = Unmatched((OpenLine(line=LINE, open_minor=-250),), (OpenItem(item=item, open_minor=400),))

    document = unmatched_document(unmatched, EUR)

    [line], [transaction] = document["lines"], document["transactions"]
    assert (line["amount"], line["open"], line["open_minor"]) == ("-12.50", "-2.50", "-250")
    assert (transaction["id"], transaction["amount"], transaction["open"]) == (str(ID), "9.00", "4.00")


def test_a_proof_without_balances_of_the_bank_has_nulls() -> None:
    """Nothing is not zero."""
    bank = Side(
        opening_minor=None, matched_minor=0, matched_count=0, unmatched_minor=0, unmatched_count=0, closing_minor=None
    )
    book = evolve(bank, opening_minor=0, unmatched_minor=100, unmatched_count=1, closing_minor=100)

    document = reconciliation_document(
        Reconciliation(account="assets:bank", currency="EUR", exponent=2, bank=bank, book=book, gaps=("one",))
    )

    assert (document["bank"]["opening"], document["bank"]["difference_minor"]) == (None, None)
    assert (document["book"]["closing"], document["book"]["difference"], document["is_proved"]) == (
        "1.00",
        "0.00",
        True,
    )
    assert document["gaps"] == ["one"]


def test_rules_are_read_with_their_defaults() -> None:
    """An empty document asks for the usual ones; texts count as numbers."""
    asked = {"window_days": "3", "tolerance": "0.10", "tolerance_account": "expenses:fees"}

    assert rules_from({}, EUR) == rules_from(dict.fromkeys(asked), EUR) == MatchingRules()
    assert rules_from(asked, EUR) == MatchingRules(window_days=3, tolerance_minor=10, tolerance_account="expenses:fees")


@pytest.mark.parametrize(
    ("document", "code", "field"),
    [
        ({"window_days": 61}, "invalid_argument", "window_days"),
        ({"window_days": -1}, "invalid_argument", "window_days"),
        ({"window_days": True}, "invalid_argument", "window_days"),
        ({"tolerance": "1000.01", "tolerance_account": "a"}, "invalid_argument", "tolerance"),
        ({"tolerance": "0.10"}, "invalid_argument", "tolerance_account"),
        ({"tolerance_account": "a"}, "invalid_argument", "tolerance_account"),
        ({"tolerance": 0.1, "tolerance_account": "a"}, "invalid_amount_format", "tolerance"),
        ({"tolerance": 1, "tolerance_account": 5}, "invalid_account_path", "tolerance_account"),
        ({"stage": "ids"}, "unknown_fields", "stage"),
    ],
)
def test_rules_that_cannot_be_are_refused(document: Any, code: str, field: str) -> None:
    """With the field."""
    with pytest.raises(ValidationError) as caught:
        rules_from(document, EUR)

    assert (caught.value.code, caught.value.details["field"]) == (code, field)


def test_parts_are_whole_unless_an_amount_is_named() -> None:
    """Amounts have a sign."""
    asked = [{"id": str(ID)}, {"id": str(OTHER), "amount": "-12.50"}, {"id": str(ID), "amount": 3}]

    assert parts_from(asked, EUR, field="lines") == [(ID, None), (OTHER, -1_250), (ID, 300)]


@pytest.mark.parametrize(
    ("value", "code", "field"),
    [
        ("x", "invalid_argument", "lines"),
        ([1], "invalid_argument", "lines[0]"),
        ([{}], "missing_fields", "lines[0].id"),
        ([{"id": "17"}], "invalid_uuid_format", "lines[0].id"),
        ([{"id": str(ID)}, {"id": str(ID), "amount": "1.005"}], "invalid_amount_format", "lines[1].amount"),
        ([{"id": str(ID), "side": "line"}], "unknown_fields", "lines[0].side"),
    ],
)
def test_parts_that_cannot_be_are_refused(value: Any, code: str, field: str) -> None:
    """With the place."""
    with pytest.raises(ValidationError) as caught:
        parts_from(value, EUR, field="lines")

    assert (caught.value.code, caught.value.details["field"]) == (code, field)


@pytest.mark.parametrize("text", ["--1", "-", "- 1", "+1", -1, "", None])
def test_a_sign_is_one_minus(text: Any) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValidationError):
        signed_amount_from(text, EUR, field="amount")
