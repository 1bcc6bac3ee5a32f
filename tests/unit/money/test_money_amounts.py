"""Money: exact arithmetic in one currency."""

import operator
import pickle
from collections.abc import Callable
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgercore.errors import BusinessRuleError, ValidationError
from ledgercore.errors.catalog import (
    CURRENCY_MISMATCH,
    INVALID_AMOUNT_FORMAT,
    INVALID_CURRENCY_FORMAT,
    UNKNOWN_CURRENCY,
)
from ledgercore.money import Currency, Money, currency

EUR, USD, JPY = currency("EUR"), currency("USD"), currency("JPY")

euros = st.integers().map(lambda minor: Money(minor, EUR))


@given(left=euros, middle=euros, right=euros)
def test_addition_obeys_its_laws(left: Money, middle: Money, right: Money) -> None:
    """Order and grouping do not matter, zero changes nothing, subtraction undoes."""
    zero = Money.zero(EUR)

    assert left + right == right + left
    assert (left + middle) + right == left + (middle + right)
    assert left + zero == left
    assert left + right - right == left
    assert left + (-left) == zero
    assert abs(left) == abs(-left)


@given(amount=euros, times=st.integers(min_value=-20, max_value=20))
def test_multiplication_is_repeated_addition(amount: Money, times: int) -> None:
    """Three times an amount is the amount thrice, from either side."""
    added = sum([amount] * abs(times), start=Money.zero(EUR))

    assert amount * times == times * amount == (added if times >= 0 else -added)


@given(left=euros, right=euros)
def test_order_is_that_of_minor_units(left: Money, right: Money) -> None:
    """All four comparisons, and the signs."""
    assert (left < right) is (left.minor < right.minor)
    assert (left <= right) is (left.minor <= right.minor)
    assert (left > right) is (left.minor > right.minor)
    assert (left >= right) is (left.minor >= right.minor)
    assert left.is_positive is (left > Money.zero(EUR))
    assert left.is_zero is (left == Money.zero(EUR))


@pytest.mark.parametrize("combine", [operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge])
def test_currencies_do_not_mix(combine: Callable[[Money, Money], object]) -> None:
    """Calculating or comparing across currencies is refused, with both amounts named."""
    with pytest.raises(BusinessRuleError) as refused:
        combine(Money(100, EUR), Money(1, USD))

    assert refused.value.reason is CURRENCY_MISMATCH
    assert refused.value.details == {"amount": "1.00 EUR", "other": "0.01 USD"}


def test_amounts_of_different_currencies_are_unequal() -> None:
    """Equality asks nothing that could be refused, so money may be a key or in a set."""
    assert Money(0, EUR) != Money(0, USD)
    assert len({Money(1, EUR), Money(1, EUR), Money(1, USD)}) == 2


@pytest.mark.parametrize("other", [1, 1.5, "1.00", None, Decimal(1)], ids=repr)
@pytest.mark.parametrize("combine", [operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge])
def test_money_combines_only_with_money(combine: Callable[[object, object], object], other: object) -> None:
    """A bare number has no currency."""
    with pytest.raises(TypeError):
        combine(Money(100, EUR), other)


@pytest.mark.parametrize("times", [True, 1.5, Decimal(2), Money(2, EUR), "2", None], ids=repr)
def test_money_is_multiplied_by_whole_numbers_only(times: object) -> None:
    """Everything else needs a policy that says how it rounds."""
    with pytest.raises(TypeError):
        Money(100, EUR) * times  # type: ignore[operator]


@pytest.mark.parametrize("minor", [1.0, True, "1", Decimal(1), None], ids=repr)
def test_minor_units_are_whole_numbers(minor: object) -> None:
    """A float that looks whole would travel on and be inexact later."""
    with pytest.raises(ValidationError) as refused:
        Money(minor, EUR)  # type: ignore[arg-type]

    assert refused.value.reason is INVALID_AMOUNT_FORMAT
    assert refused.value.details["field"] == "minor"


@pytest.mark.parametrize(
    ("amount", "code", "minor"),
    [
        ("12.34", "EUR", 1_234),
        (12, "EUR", 1_200),
        (Decimal("12.34"), "EUR", 1_234),
        (Decimal("1E+2"), "JPY", 100),
        (Decimal("1.234"), "KWD", 1_234),
        (Decimal(0), "EUR", 0),
    ],
)
def test_money_is_read_from_text_and_exact_numbers(amount: str | int | Decimal, code: str, minor: int) -> None:
    """In units of the currency, by code or currency."""
    assert Money.of(amount, code) == Money.of(amount, currency(code)) == Money(minor, currency(code))


def test_money_of_an_asset_takes_the_asset() -> None:
    """A code alone means ISO 4217."""
    assert Money.of("0.5", Currency("BTC", 8)).minor == 50_000_000


@pytest.mark.parametrize(
    "amount",
    [
        *[
            1.5,
            True,
            None,
            "-1",
            -1,
            "1.234",
            Decimal("-1"),
            Decimal("-0"),
            Decimal("1.005"),
            Decimal("12.340"),
        ],
        *[Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1E+999999"), Decimal("1E-999999")],
        *[Decimal("0E-999999"), Decimal("9" * 37)],
    ],
    ids=repr,
)
def test_what_is_not_exact_or_not_positive_is_not_read(amount: object) -> None:
    """Floats, signs and more decimals than the currency has, however they are spelt."""
    with pytest.raises(ValidationError) as refused:
        Money.of(amount, EUR)  # type: ignore[arg-type]

    assert refused.value.reason is INVALID_AMOUNT_FORMAT


@pytest.mark.parametrize(("code", "reason"), [("ABC", UNKNOWN_CURRENCY), ("eur", INVALID_CURRENCY_FORMAT)])
def test_money_needs_a_known_currency(code: str, reason: object) -> None:
    """The code is checked before the amount can mean anything."""
    with pytest.raises(ValidationError) as refused:
        Money.of("1", code)

    assert refused.value.reason is reason


@given(minor=st.integers(min_value=-(10**38), max_value=10**38))
def test_decimal_is_exact_in_any_context(minor: int) -> None:
    """A caller's decimal context, however coarse, takes nothing away."""
    with localcontext() as context:
        context.prec = 3
        amount = Money(minor, EUR).decimal

    assert amount.as_tuple().exponent == -2
    assert int(str(amount).replace(".", "")) == minor


def test_money_is_written_with_its_currency() -> None:
    """As people and logs read it."""
    assert [str(Money(-5, EUR)), str(Money(5, JPY))] == ["-0.05 EUR", "5 JPY"]


def test_money_survives_pickling() -> None:
    """A worker process gets the same amount in the same currency."""
    amount = Money(5, EUR)

    assert pickle.loads(pickle.dumps(amount)) == amount


def test_currency_is_not_a_code() -> None:
    """Money takes a currency, which knows its decimals; a code alone is refused where it is given."""
    with pytest.raises(ValidationError) as refused:
        Money(7, "JPY")  # type: ignore[arg-type]

    assert refused.value.code == "invalid_currency_format"
