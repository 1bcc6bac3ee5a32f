"""Transactions and what is wrong with some before anybody posts them."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from ledgercore.errors import LedgercoreError, ValidationError
from ledgercore.ledger.accounts import Side
from ledgercore.ledger.transactions import (
    LINES_MAX,
    Entry,
    Line,
    Precondition,
    Transaction,
    credit,
    debit,
    plain_transfer,
    reversed_lines,
    transfer,
)
from ledgercore.money import Money, currency, parse_amount

EUR, JPY = currency("EUR"), currency("JPY")
ONE = Money(100, EUR)


def refused(make, *arguments, **options):
    with pytest.raises(ValidationError) as caught:
        make(*arguments, **options)
    return caught.value


@pytest.mark.parametrize(
    "amount",
    [
        "", " ", "1 ", "NaN", "Infinity", "-Infinity", "1e3", "1E3", "+1", "-1", "--1", "1.", ".5", "1,00", "1.000",
        "1.001", "0x10", "1_000", "\uff11", "\u0663", "1\x00", "9" * 37, "9" * 39, "9" * 5000, 1.0, float("nan"), True,
        None, [1], -1, 10**38,
        Decimal("NaN"), Decimal("-1"), Decimal("0.001"), Decimal("1e999999"),
    ],
)  # fmt: skip
def test_wrong_amounts_are_refused(amount):
    """Floats, signs, exponents, too many digits or decimals: each names the field and why."""
    error = refused(Money.of, amount, EUR)

    assert (error.code, error.details["field"]) == ("invalid_amount_format", "amount")
    assert error.details["why"]
    assert refused(Money.of, "0.5", JPY).code == "invalid_amount_format"
    assert refused(parse_amount, "1.001", EUR, field="row.amount").details["field"] == "row.amount"


@pytest.mark.parametrize("minor", [0, -1, 10**38])
def test_line_amounts_are_above_zero_and_of_38_digits(minor):
    """The side gives the direction, so that an amount has no sign; nothing is moved by nothing."""
    error = refused(Line, Money(minor, EUR), "a", "b")

    assert (error.code, error.details["field"]) == ("invalid_amount_format", "amount")


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("EURO", "unknown_currency"),
        ("eur", "invalid_currency_format"),
        ("", "invalid_currency_format"),
        ("XX\x00", "invalid_currency_format"),
    ],
)
def test_unknown_currencies_are_refused(code, wanted):
    """A currency is one of ISO 4217's, or registered before its first use."""
    error = refused(Money.of, "1.00", code)

    assert (error.code, error.details["field"]) == (wanted, "currency")


@pytest.mark.parametrize(
    ("lines", "code", "field"),
    [
        ([], "empty_transaction", "lines"),
        ([debit("a", ONE)], "unbalanced_transaction", "lines"),
        ([debit("a", ONE), credit("b", Money(99, EUR))], "unbalanced_transaction", "lines"),
        ([debit("a", ONE), credit("b", Money(100, JPY))], "unbalanced_transaction", "lines"),
        ([Line(ONE, "a", "b"), Line(ONE, "b", "c")], "same_account_both_sides", "lines"),
        ([debit("a", ONE), credit("a", ONE)], "same_account_both_sides", "lines"),
        ([Line(ONE, "a", "b")] * (LINES_MAX + 1), "too_many_lines", "lines"),
    ],
)
def test_wrong_lines_are_refused(lines, code, field):
    """A transaction has lines, not too many, that balance in every currency, each account on one side."""
    error = refused(Transaction, lines=lines)

    assert (error.code, error.details["field"]) == (code, field)


def test_unbalanced_refusal_tells_the_difference():
    """Which currency, by how much, and which side is more."""
    error = refused(Transaction, lines=[debit("a", ONE), credit("b", Money(99, EUR)), Line(Money(5, JPY), "c", "d")])

    assert error.details == {
        "field": "lines", "currency": "EUR", "difference": "0.01 EUR", "why": "debits exceed credits",
    }  # fmt: skip
    assert refused(Transaction, lines=[credit("a", ONE)]).details["why"] == "credits exceed debits"


def test_single_lines_are_checked():
    """A line names at least one account, and no account twice."""
    assert refused(Line, ONE).code == "empty_transaction"
    assert refused(Line, ONE, "a", "a").details == {"field": "credit", "account": "a"}
    assert refused(Line, ONE, "a:", "b").details["field"] == "debit"
    assert refused(Line, ONE, "a", "b:").details["field"] == "credit"


def test_line_is_one_or_two_entries():
    """A debit comes before a credit."""
    assert Line(ONE, "a", "b").entries == (Entry("a", Side.DEBIT, ONE), Entry("b", Side.CREDIT, ONE))
    assert credit("b", ONE).entries == (Entry("b", Side.CREDIT, ONE),)
    assert list(reversed_lines([Line(ONE, "a", "b"), credit("c", ONE)])) == [Line(ONE, "b", "a"), debit("c", ONE)]


def test_largest_transaction_is_taken():
    """5,000 lines."""
    assert len(Transaction(lines=[Line(ONE, "a", "b")] * LINES_MAX).lines) == LINES_MAX


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"id": UUID(int=1), "key": "k"}, "invalid_idempotency_key", "key"),
        ({"id": "not a uuid"}, "invalid_idempotency_key", "id"),
        ({"key": ""}, "invalid_idempotency_key", "key"),
        ({"key": "k" * 256}, "invalid_idempotency_key", "key"),
        ({"description": "\x00"}, "invalid_description_format", "description"),
        ({"reference": "\ud800"}, "invalid_reference", "reference"),
        ({"metadata": {"a": 0.1}}, "invalid_metadata", "metadata.a"),
        ({"effective_at": datetime(2026, 1, 1)}, "invalid_datetime_format", "effective_at"),
        ({"effective_at": datetime(1, 1, 1, tzinfo=UTC)}, "datetime_out_of_range", "effective_at"),
        ({"effective_at": datetime(9999, 1, 1, tzinfo=UTC)}, "datetime_out_of_range", "effective_at"),
    ],
)
def test_wrong_fields_are_refused(fields, code, field):
    """Each refusal names its field."""
    error = refused(transfer, debit="a", credit="b", amount=ONE, **fields)

    assert (error.code, error.details["field"]) == (code, field)


@pytest.mark.parametrize("wrong", [1.0, True, "1", 10**38, Decimal(1)])
def test_preconditions_are_whole_numbers(wrong):
    """A balance in minor units, a count of entries."""
    assert refused(Precondition, "a", balance=wrong).details["field"] == "preconditions.balance"
    assert refused(Precondition, "a", version=wrong).details["field"] == "preconditions.version"
    assert refused(Precondition, "a:").code == "invalid_account_path"


def test_effective_time_is_kept_in_utc():
    """The same moment, whatever its offset was."""
    local = datetime(2026, 3, 1, 13, tzinfo=timezone(timedelta(hours=1)))

    made = transfer(debit="a", credit="b", amount=ONE, effective_at=local)

    assert repr(made.effective_at) == repr(datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"debit": "b"},
        {"debit": "a:"},
        {"credit": "\ud800"},
        {"minor": 0},
        {"minor": 10**38},
        {"key": "k"},
        {"key": ""},
        {"key": "ü\x00"},
        {"key": "k" * 256},
        {"id": UUID(int=1)},
        {"id": UUID(int=1), "key": "k"},
        {"description": "ü"},
        {"description": ""},
        {"description": "\ud800"},
        {"description": "x" * 1001},
    ],
)
def test_short_way_to_a_transfer_comes_to_the_same(fields):
    """What readers of files use makes the same command, or refuses for the same reason."""
    given = {
        "debit": "a", "credit": "b", "minor": 5, "currency": EUR, "effective_at": datetime(2026, 1, 1, tzinfo=UTC),
        "id": None, "key": None, "description": None, **fields,
    }  # fmt: skip

    def long_way():
        rest = {name: value for name, value in given.items() if name not in ("minor", "currency")}
        return transfer(amount=Money(given["minor"], given["currency"]), **rest)

    def outcome(make):
        try:
            return make()
        except LedgercoreError as error:
            return error.code, error.details

    assert outcome(lambda: plain_transfer(**given)) == outcome(long_way)
