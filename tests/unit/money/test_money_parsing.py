"""Amounts as text."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import INVALID_AMOUNT_FORMAT
from ledgercore.money import (
    AMOUNT_DIGITS_MAX,
    Currency,
    currency,
    format_amount,
    format_grouped,
    parse_amount,
    parse_positive_amount,
)

EUR, JPY, KWD, CLF = currency("EUR"), currency("JPY"), currency("KWD"), currency("CLF")
WEI = Currency("ETH", 18)

currencies = st.sampled_from([JPY, EUR, KWD, CLF, WEI])
minors = st.integers(min_value=0, max_value=10**AMOUNT_DIGITS_MAX - 1)


@pytest.mark.parametrize(
    ("text", "unit", "minor"),
    [
        ("1234.56", EUR, 123_456),
        ("1234.5", EUR, 123_450),
        ("1234", EUR, 123_400),
        ("0.05", EUR, 5),
        ("0", EUR, 0),
        ("0.00", EUR, 0),
        ("007", JPY, 7),
        ("1.234", KWD, 1_234),
        ("0.0001", CLF, 1),
        ("0.000000000000000001", WEI, 1),
        (12, EUR, 1_200),
        (0, EUR, 0),
        (12, JPY, 12),
        ("9007199254740993", JPY, 2**53 + 1),
        ("9" * 38, JPY, 10**38 - 1),
        ("9" * 36 + ".99", EUR, 10**38 - 1),
        (10**36 - 1, EUR, (10**36 - 1) * 100),
    ],
)
def test_plain_decimals_are_read_exactly(text: str | int, unit: Currency, minor: int) -> None:
    """Digits and at most one point, no more decimals than the currency has."""
    assert parse_amount(text, unit) == minor


NOT_AMOUNTS = [
    *["NaN", "-NaN", "sNaN", "Infinity", "-Infinity", "inf", "1e999", "1e-999", "1E2", "1e2"],
    *[
        "-0",
        "-0.0",
        "-1",
        "+1",
        "1.",
        ".5",
        ".",
        "1..2",
        "1.2.3",
        "1,00",
        "1,000.00",
        "1_000",
        "1.0_0",
        "0x10",
        "0b1",
    ],
    *[
        "",
        " ",
        " 1 ",
        "1 ",
        " 1",
        "1\n",
        "1.5\n",
        "\n1",
        "1\r\n",
        "1\x00",
        "\x001",
        "\ufeff1",
        "1\u202e",
        "1\u200d",
    ],
    *["１０", "1.１", "١٠", "1.٠", "²", "½", "Ⅷ", "一"],  # noqa: RUF001
    *[
        "\ud800",
        "e\u0301" * 10_000,
        "EUR 1",
        "1 EUR",
        "$1",
        "true",
        "null",
        "[]",
        "{}",
        "'; --",
        "%00",
        "../",
    ],
    *["{{7*7}}", "=cmd()", "__proto__", "0.001", "0.005", "1.005", "12.340", "0.000"],
    *["9" * 37, "9" * 400, "9" * 5_000, "1." + "0" * 5_000, "0" * 5_000, "9" * 37 + ".00", "1" * 1_000_000],
]


@pytest.mark.parametrize("text", NOT_AMOUNTS, ids=lambda text: ascii(text)[:20])
def test_anything_else_is_refused(text: str) -> None:
    """Signs, blanks, exponents, grouping, other scripts, too many digits: nothing is guessed."""
    with pytest.raises(ValidationError) as refused:
        parse_amount(text, EUR, field="fee")

    assert refused.value.reason is INVALID_AMOUNT_FORMAT
    assert refused.value.details["field"] == "fee"
    assert refused.value.details["why"]
    assert len(str(refused.value)) < 500
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "value",
    [True, False, None, 1.0, 0.1, float("nan"), [], {}, b"1", ["1"], Decimal(1), 1j, -1, -(2**63)],
    ids=repr,
)
def test_other_types_and_negative_numbers_are_refused(value: object) -> None:
    """Floats are never exact, and a boolean is no number."""
    with pytest.raises(ValidationError) as refused:
        parse_amount(value, EUR)  # type: ignore[arg-type]

    assert refused.value.reason is INVALID_AMOUNT_FORMAT


@pytest.mark.parametrize("digits", [37, 400, 5_000])
def test_integers_are_refused_beyond_38_digits(digits: int) -> None:
    """The limit counts down to the minor unit: 36 digits before the point for cents."""
    with pytest.raises(ValidationError, match="at most 36 digits before the point are allowed in EUR"):
        parse_amount(10 ** (digits - 1), EUR)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("-5", "no sign is allowed"),
        (-5, "no sign is allowed"),
        ("1.234", "3 decimals, but EUR has 2"),
        ("1e5", "only ASCII digits with at most one point between them are allowed"),
        ("1.", "only ASCII digits with at most one point between them are allowed"),
        (1.5, "an amount is text or a whole number, not float"),
        (True, "an amount is text or a whole number, not bool"),
        ("9" * 40, "at most 36 digits before the point are allowed in EUR"),
    ],
    ids=repr,
)
def test_refusals_say_why(text: str, why: str) -> None:
    """Field, input and cause are in the details, so that a file of a million rows can be mended."""
    with pytest.raises(ValidationError) as refused:
        parse_amount(text, EUR)

    assert refused.value.details == {"field": "amount", "value": str(text), "why": why}


def test_long_input_is_shown_in_part() -> None:
    """An error never repeats a megabyte."""
    with pytest.raises(ValidationError) as refused:
        parse_amount("x" * 1_000_000, EUR)

    assert refused.value.details["value"] == "x" * 60


def test_a_currency_without_decimals_takes_none() -> None:
    """Not even zeros: whoever writes 5.0 yen means something else."""
    with pytest.raises(ValidationError, match="1 decimals, but JPY has 0"):
        parse_amount("5.0", JPY)


@pytest.mark.parametrize("zero", ["0", "0.00", "000", 0])
def test_positive_amounts_are_above_zero(zero: str | int) -> None:
    """An entry that moves nothing is a mistake."""
    with pytest.raises(ValidationError) as refused:
        parse_positive_amount(zero, EUR)

    assert refused.value.reason is INVALID_AMOUNT_FORMAT
    assert refused.value.details["why"] == "must be above zero"


def test_positive_amounts_are_read_like_others() -> None:
    """One cent is above zero."""
    assert parse_positive_amount("0.01", EUR) == 1


@given(minor=minors, unit=currencies)
def test_what_is_written_is_read_back(minor: int, unit: Currency) -> None:
    """Writing and reading are inverse for every amount that can be read."""
    assert parse_amount(format_amount(minor, unit), unit) == minor


@given(text=st.text(alphabet="0123456789.+-eE_, \n١１") | st.text(), unit=currencies)  # noqa: RUF001
def test_reading_agrees_with_exact_decimals_or_refuses(text: str, unit: Currency) -> None:
    """Whatever is accepted has the value that its digits say."""
    try:
        minor = parse_amount(text, unit)
    except ValidationError:
        return

    assert Decimal(format_amount(minor, unit)) == Decimal(text)


@given(minor=st.integers(), unit=currencies)
def test_signs_and_decimals_are_always_written(minor: int, unit: Currency) -> None:
    """All decimals of the currency, one digit at least before the point, a sign only below zero."""
    text = format_amount(minor, unit)

    whole, _, fraction = text.removeprefix("-").partition(".")
    assert len(fraction) == unit.exponent
    assert whole
    assert text.startswith("-") is (minor < 0)
    assert int(whole + fraction) == abs(minor)


@pytest.mark.parametrize(
    ("minor", "unit", "plain", "grouped"),
    [
        (-5, EUR, "-0.05", "-0.05"),
        (0, EUR, "0.00", "0.00"),
        (123_456_789, EUR, "1234567.89", "1,234,567.89"),
        (-123_456_789, EUR, "-1234567.89", "-1,234,567.89"),
        (1_234_567, JPY, "1234567", "1,234,567"),
        (-1, WEI, "-0.000000000000000001", "-0.000000000000000001"),
    ],
)
def test_amounts_are_written_plain_or_grouped(minor: int, unit: Currency, plain: str, grouped: str) -> None:
    """Plain for machines, grouped for people."""
    assert format_amount(minor, unit) == plain
    assert format_grouped(minor, unit) == grouped
