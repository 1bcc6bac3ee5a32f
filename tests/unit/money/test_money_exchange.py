"""Exchange at a rate, with the residue kept."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgercore.errors import BusinessRuleError, ValidationError
from ledgercore.errors.catalog import CURRENCY_MISMATCH, INVALID_RATE
from ledgercore.money import Currency, Exchange, Money, Rate, Rounding, currency

EUR, JPY, KWD = currency("EUR"), currency("JPY"), currency("KWD")
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)

values = st.decimals(min_value=Decimal("0.000001"), max_value=10**6, places=6)


def rate(value: str | Decimal, *, base: Currency = EUR, quote: Currency = JPY) -> Rate:
    return Rate(base=base, quote=quote, value=Decimal(value), source="ECB", quoted_at=NOON)


@pytest.mark.parametrize(
    ("rounding", "bought", "residue"),
    [
        (Rounding.HALF_EVEN, 1632, Fraction(1, 2)),
        (Rounding.DOWN, 1632, Fraction(1, 2)),
        (Rounding.UP, 1633, Fraction(-1, 2)),
    ],
)
def test_exchange_keeps_what_rounding_took(rounding: Rounding, bought: int, residue: Fraction) -> None:
    """10.00 EUR at 163.25 are 1632.5 JPY exactly; the half yen is on record."""
    sold = Money.of("10.00", "EUR")
    quoted = rate("163.25")

    done = quoted.convert(sold, rounding=rounding)

    assert done == Exchange(sold=sold, bought=Money(bought, JPY), rate=quoted, residue=residue)


@given(
    minor=st.integers(min_value=-(10**15), max_value=10**15),
    value=values,
    pair=st.sampled_from([(EUR, JPY), (JPY, EUR), (EUR, KWD), (KWD, Currency("ETH", 18))]),
    rounding=st.sampled_from(Rounding),
)
def test_bought_and_residue_are_the_exact_result(
    minor: int, value: Decimal, pair: tuple[Currency, Currency], rounding: Rounding
) -> None:
    """Nothing vanishes in an exchange, and rounding moves less than a unit, at most half to the nearest."""
    base, quote = pair
    done = rate(value, base=base, quote=quote).convert(Money(minor, base), rounding=rounding)

    exact = minor * Fraction(value) * Fraction(10) ** (quote.exponent - base.exponent)

    assert done.bought.minor + done.residue == exact
    assert abs(done.residue) < 1
    if rounding is Rounding.HALF_EVEN:
        assert abs(done.residue) <= Fraction(1, 2)
    if rounding is Rounding.DOWN:
        assert abs(done.bought.minor) <= abs(exact)
    if rounding is Rounding.UP:
        assert abs(done.bought.minor) >= abs(exact)


def test_default_rounding_is_half_even() -> None:
    """Ties go to the even unit, so that many exchanges do not drift."""
    bought = [rate("0.5").convert(Money(100 * units, EUR)).bought.minor for units in (1, 3, 5, 7)]

    assert bought == [0, 2, 2, 4]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rounding.HALF_EVEN, [-2, -2, -1, 0, 1, 2, 2]),
        (Rounding.DOWN, [-2, -1, -1, 0, 1, 1, 2]),
        (Rounding.UP, [-3, -2, -1, 0, 1, 2, 3]),
    ],
)
def test_rounding_mirrors_at_zero(rule: Rounding, expected: list[int]) -> None:
    """What is rounded down below zero is rounded down above it too; whole numbers stay."""
    halves = [Fraction(each, 2) for each in (-5, -3, -2, 0, 2, 3, 5)]

    assert [rule.round(half) for half in halves] == expected


def test_a_rate_converts_its_base_currency_only() -> None:
    """Selling the quote currency needs a rate of its own: the inverse is a price nobody quoted."""
    with pytest.raises(BusinessRuleError) as refused:
        rate("163.25").convert(Money(100, JPY))

    assert refused.value.reason is CURRENCY_MISMATCH
    assert refused.value.details == {"amount": "100 JPY", "rate_base": "EUR"}


@pytest.mark.parametrize("value", ["0", "-1", "NaN", "sNaN", "Infinity", "1E+999999", "1E-999999", "1" * 40])
def test_rates_are_finite_and_above_zero(value: str) -> None:
    """A rate that no market can quote is refused before it meets money."""
    with pytest.raises(ValidationError) as refused:
        rate(value)

    assert refused.value.reason is INVALID_RATE
    assert refused.value.details["why"]


@pytest.mark.parametrize("value", [1.5, 1, "1.5", None, True], ids=repr)
def test_rates_are_decimals(value: object) -> None:
    """A float would bring its error into every amount."""
    with pytest.raises(ValidationError, match="a rate is a Decimal"):
        Rate(base=EUR, quote=JPY, value=value, source="ECB", quoted_at=NOON)  # type: ignore[arg-type]


def test_a_rate_is_between_two_currencies() -> None:
    """Exchanging euros for euros is no exchange."""
    with pytest.raises(ValidationError, match="the same currency"):
        rate("1", base=EUR, quote=EUR)


def test_a_rate_names_its_source() -> None:
    """Who quoted it is part of the record."""
    with pytest.raises(ValidationError, match="names its source"):
        Rate(base=EUR, quote=JPY, value=Decimal(1), source="", quoted_at=NOON)


def test_a_rate_is_quoted_at_an_aware_time() -> None:
    """A time without offset could be any of forty hours."""
    with pytest.raises(ValidationError, match="has a UTC offset"):
        Rate(base=EUR, quote=JPY, value=Decimal(1), source="ECB", quoted_at=NOON.replace(tzinfo=None))
