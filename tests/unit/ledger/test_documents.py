"""JSON documents: read strictly, each fault named by its place, and written whole."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from ledgercore.errors import LedgercoreError, ValidationError
from ledgercore.ledger.accounts import AccountType, Limits
from ledgercore.ledger.commands import Group
from ledgercore.ledger.documents import (
    account_document,
    hold_document,
    hold_from,
    parse_json,
    transaction_document,
    transaction_from,
)
from ledgercore.ledger.report_documents import outcome_document
from ledgercore.ledger.transactions import Line, Precondition, Transaction, transfer
from ledgercore.money import ISO, Money

LINE = {"debit": "assets:bank", "credit": "income:sales", "amount": "12.30", "currency": "EUR"}
WHOLE: dict[str, Any] = {
    "key": "order-1",
    "effective_at": "2026-03-01T10:00:00+01:00",
    "description": "Grüße",
    "reference": "r-1",
    "metadata": {"a": [1, "b", None]},
    "lines": [
        {"debit": "assets:bank", "amount": "12.30", "currency": "EUR"},
        {"credit": "income:sales", "amount": "12.30", "currency": "EUR"},
    ],
    "preconditions": [{"account": "assets:bank", "balance_minor": "-5", "version": 3}],
}


def fault(document: Any) -> tuple[str, Any]:
    with pytest.raises(ValidationError) as caught:
        transaction_from(document, ISO)
    return caught.value.code, caught.value.details["field"]


def test_a_whole_document_becomes_a_transaction():
    """Every field arrives, times in UTC and amounts in minor units."""
    found = transaction_from(WHOLE, ISO)

    assert found == Transaction(
        key="order-1",
        effective_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
        description="Grüße",
        reference="r-1",
        metadata={"a": [1, "b", None]},
        lines=[
            Line(Money.of("12.30", "EUR"), debit="assets:bank"),
            Line(Money.of("12.30", "EUR"), credit="income:sales"),
        ],
        preconditions=[Precondition("assets:bank", balance=-5, version=3)],
    )


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"id": str(UUID(int=7))},
        {"key": "order-1", "description": ""},
        {"effective_at": "2026-03-01T10:00:00+01:00", "description": "Grüße"},
    ],
)
def test_the_short_way_of_a_plain_transfer_ends_where_the_long_one_does(fields: dict[str, Any]):
    """A field that only the long way knows sends the same document there."""
    document = {"lines": [LINE], **fields}

    assert transaction_from(document, ISO) == transaction_from({**document, "reference": None}, ISO)


def test_null_counts_as_absent():
    """Programs that write every field need not leave any out."""
    empty = dict.fromkeys(WHOLE, None)

    found = transaction_from({**empty, "lines": [LINE]}, ISO)

    assert found == transfer(debit="assets:bank", credit="income:sales", amount=Money.of("12.30", "EUR"))


def test_an_integer_is_an_amount_of_whole_units():
    """Twelve euros, not twelve cents."""
    found = transaction_from({"lines": [{**LINE, "amount": 12}]}, ISO)

    assert found.lines[0].amount == Money.of("12.00", "EUR")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"lines": None}, "missing_fields", "lines"),
        ({"lines": {}}, "invalid_argument", "lines"),
        ({"lines": "LINE"}, "invalid_argument", "lines"),
        ({"lines": []}, "empty_transaction", "lines"),
        ({"lines": [7]}, "invalid_argument", "lines[0]"),
        ({"lines": [{}]}, "missing_fields", "lines[0].amount"),
        ({"lines": [LINE, {**LINE, "amount": 12.3}]}, "invalid_amount_format", "lines[1].amount"),
        ({"lines": [LINE, {**LINE, "amount": True}]}, "invalid_amount_format", "lines[1].amount"),
        ({"lines": [LINE, {**LINE, "amount": "-1"}]}, "invalid_amount_format", "lines[1].amount"),
        ({"lines": [LINE, {**LINE, "amount": "0"}]}, "invalid_amount_format", "lines[1].amount"),
        ({"lines": [LINE, {**LINE, "amount": [1]}]}, "invalid_amount_format", "lines[1].amount"),
        ({"lines": [{**LINE, "currency": "EUX"}]}, "unknown_currency", "lines[0].currency"),
        ({"lines": [{**LINE, "currency": ["EUR"]}]}, "invalid_currency_format", "lines[0].currency"),
        ({"lines": [{**LINE, "credit": "a::b"}]}, "invalid_account_path", "lines[0].credit"),
        ({"lines": [{**LINE, "credit": 7}]}, "invalid_account_path", "lines[0].credit"),
        ({"lines": [{**LINE, "credit": "assets:bank"}]}, "same_account_both_sides", "lines[0].credit"),
        ({"lines": [{**LINE, "colour": "red"}]}, "unknown_fields", "lines[0].colour"),
        ({"lines": [{"amount": "1", "currency": "EUR"}]}, "missing_fields", "lines[0]"),
        ({"lines": WHOLE["lines"][:1]}, "unbalanced_transaction", "lines"),
        ({"colour": "red"}, "unknown_fields", "colour"),
        ({"id": 7}, "invalid_uuid_format", "id"),
        ({"id": "{00000000-0000-7000-8000-000000000000}"}, "invalid_uuid_format", "id"),
        ({"id": str(UUID(int=7))}, "invalid_idempotency_key", "key"),
        ({"key": 7}, "invalid_idempotency_key", "key"),
        ({"key": "\ud800"}, "invalid_idempotency_key", "key"),
        ({"effective_at": "2026-03-01"}, "invalid_datetime_format", "effective_at"),
        ({"effective_at": 7}, "invalid_datetime_format", "effective_at"),
        ({"effective_at": "0000-01-01T00:00:00Z"}, "datetime_out_of_range", "effective_at"),
        ({"description": 7}, "invalid_description_format", "description"),
        ({"metadata": []}, "invalid_argument", "metadata"),
        ({"metadata": "x"}, "invalid_argument", "metadata"),
        ({"metadata": {"a": {"b": 1.5}}}, "invalid_metadata", "metadata.a.b"),
        ({"preconditions": {}}, "invalid_argument", "preconditions"),
        ({"preconditions": [{}]}, "missing_fields", "preconditions[0].account"),
        ({"preconditions": [{"account": "a"}]}, "missing_fields", "preconditions[0]"),
        ({"preconditions": [{"account": "a", "version": 1.0}]}, "invalid_argument", "preconditions[0].version"),
        ({"preconditions": [{"account": "a", "version": True}]}, "invalid_argument", "preconditions[0].version"),
        (
            {"preconditions": [{"account": "a", "balance_minor": "9" * 39}]},
            "invalid_argument",
            "preconditions[0].balance_minor",
        ),
        ({"preconditions": [{"account": "a:", "version": 1}]}, "invalid_account_path", "preconditions[0].account"),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else str(value),
)
def test_a_fault_is_named_by_its_place(changes, code, field):
    """Reason and path, whatever is wrong."""
    assert fault({**WHOLE, **changes}) == (code, field)


@pytest.mark.parametrize("document", [None, [], "x", 7, True])
def test_what_is_no_object_is_no_transaction(document):
    """Nothing is guessed."""
    assert fault(document) == ("invalid_argument", "document")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "invalid_json"),
        ("", "invalid_json"),
        ('{"a": 1, "a": 2}', "invalid_json"),
        ('{"a": NaN}', "invalid_json"),
        ('{"a": 1e400}', "invalid_json"),
        ('{"a": -Infinity}', "invalid_json"),
        ("{} {}", "invalid_json"),
        ("[" * 100_000, "invalid_json"),
        ("9" * 5_000, "invalid_json"),
        ("\ufeff{}", "invalid_json"),
        (b'{"a": "\xff"}', "invalid_encoding"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_not_json_is_refused(text, code):
    """As RFC 8259 has it, without repeated names."""
    with pytest.raises(ValidationError) as caught:
        parse_json(text)

    assert caught.value.code == code


def test_a_hold_is_read_and_written(memory_ledger):
    """What was captured and what remains stand beside each line."""
    wanted = hold_from(
        {"key": "room", "lines": [LINE], "expires_at": "2199-01-01T00:00:00Z", "tolerance_bps": 100, "group": "trip"},
        ISO,
    )
    placed = memory_ledger.place(wanted)
    memory_ledger.capture(placed.id, amount=Money.of("2.30", "EUR"))

    document = hold_document(memory_ledger.get_hold(placed.id))

    assert (document["status"], document["group"], document["tolerance_bps"]) == ("open", "trip", 100)
    assert document["lines"] == [
        {**LINE, "amount_minor": "1230", "captured": "2.30", "remaining": "10.00"},
    ]


@pytest.mark.parametrize("tolerance", [1.5, True, "100", -1, 10_001])
def test_a_tolerance_is_a_whole_number_of_basis_points(tolerance):
    """Up to a hundred percent."""
    with pytest.raises(LedgercoreError) as caught:
        hold_from({"lines": [LINE], "tolerance_bps": tolerance}, ISO)

    assert caught.value.code == "invalid_tolerance"


def test_a_posted_transaction_is_written_with_the_balances_after_it(memory_ledger):
    """As JSON can carry it, with minor units in text."""
    posted = memory_ledger.post(transaction_from({**WHOLE, "preconditions": None}, ISO))

    document = transaction_document(memory_ledger.get_transaction(posted.id))

    assert json.loads(json.dumps(document)) == document
    assert document["kind"] == "transaction.posted"
    assert document["lines"][0] == {
        "debit": "assets:bank",
        "amount": "12.30",
        "amount_minor": "1230",
        "currency": "EUR",
        "debit_balance": "12.30",
    }


def test_an_account_is_written_with_its_limits(memory_ledger):
    """A limit that is not set is left out."""
    eur = ISO.get("EUR")
    memory_ledger.open_account("cards:visa", eur, type=AccountType.LIABILITY, limits=Limits(minimum=-1_000))

    document = account_document(memory_ledger.get_account("cards:visa"))

    assert (document["minimum"], document["normal_side"]) == ("-10.00", "credit")
    assert "maximum" not in document


def test_outcomes_are_written_by_kind(memory_ledger):
    """Applied with its number, refused with its reason, groups with what became of each."""
    good = transaction_from({"lines": [LINE]}, ISO)
    bad = transaction_from({"lines": [{**LINE, "currency": "USD"}]}, ISO)

    applied, refused, group = memory_ledger.post_all([good, bad, Group([good, bad])])

    assert outcome_document(applied)["outcome"] == "applied"
    assert outcome_document(refused)["code"] == "currency_mismatch"
    assert [each["code"] for each in outcome_document(group)["outcomes"]] == ["group_refused", "currency_mismatch"]
