"""Sharing money out without losing any."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgercore.errors import InternalError, ValidationError
from ledgercore.errors.catalog import INTERNAL_SERVER_ERROR, INVALID_WEIGHTS
from ledgercore.money import (
    LARGEST_REMAINDER,
    TO_REMAINDER_ACCOUNT,
    Allocation,
    Money,
    Weight,
    currency,
    half_even,
    half_even_policy,
    largest_remainder,
    to_remainder_account,
)

EUR = currency("EUR")

totals = st.integers(min_value=-(10**20), max_value=10**20).map(lambda minor: Money(minor, EUR))
weight = (
    st.integers(min_value=0, max_value=10**6)
    | st.decimals(min_value=0, max_value=1000, places=4)
    | st.fractions(min_value=0, max_value=1000, max_denominator=1000)
)
weightings = st.lists(weight, min_size=1, max_size=12).filter(any)


def exact_shares(total: Money, weights: Sequence[Weight]) -> list[Fraction]:
    whole = sum(Fraction(each) for each in weights)
    return [total.minor * Fraction(each) / whole for each in weights]


def added(shares: Sequence[Money]) -> Money:
    return sum(shares, start=Money.zero(EUR))


@given(total=totals, weights=weightings)
def test_largest_remainder_conserves_within_one_unit(total: Money, weights: list[Weight]) -> None:
    """Shares add up, each within one unit of exact; no weight, no share; negation only turns signs."""
    shares = largest_remainder(total, weights)

    assert added(shares) == total
    for share, exact in zip(shares, exact_shares(total, weights), strict=True):
        assert abs(share.minor - exact) < 1
        assert share.is_zero or exact != 0
    assert largest_remainder(-total, weights) == tuple(-share for share in shares)


@given(total=totals, weights=weightings, data=st.data())
def test_half_even_conserves_and_rounds_all_but_one(total: Money, weights: list[Weight], data: st.DataObject) -> None:
    """Every share but the stated one is the nearest whole number; the stated one makes the sum right."""
    stated = data.draw(st.integers(min_value=0, max_value=len(weights) - 1))

    shares = half_even(total, weights, difference_to=stated)

    assert added(shares) == total
    for index, exact in enumerate(exact_shares(total, weights)):
        if index == stated:
            assert abs(shares[index].minor - exact) <= Fraction(len(weights) - 1, 2)
        else:
            assert shares[index].minor == round(exact)


@given(total=totals, weights=weightings)
def test_remainder_account_takes_what_rounding_leaves(total: Money, weights: list[Weight]) -> None:
    """Shares are rounded towards zero; less than a unit per share goes to the remainder account."""
    shares, remainder = to_remainder_account(total, weights)

    assert added(shares) + remainder == total
    assert [share.minor for share in shares] == [int(exact) for exact in exact_shares(total, weights)]
    assert abs(remainder.minor) < len(weights)


@given(total=totals, weights=weightings, factor=st.integers(min_value=1, max_value=1000))
def test_only_proportions_matter(total: Money, weights: list[Weight], factor: int) -> None:
    """Weights in percent, basis points or fractions share alike, and `split` is the largest remainder."""
    scaled = [Fraction(each) * factor for each in weights]

    assert total.split(scaled) == total.split(weights) == largest_remainder(total, weights)


@pytest.mark.parametrize(
    ("minor", "weights", "shares"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (5, [50, 30, 20], [3, 1, 1]),
        (1, [1, 2], [0, 1]),
        (2, [0, 1, 0, 1, 1], [0, 1, 0, 1, 0]),
        (0, [1, 1], [0, 0]),
        (7, [3], [7]),
        (1000, [Decimal("0.7"), Decimal("0.3")], [700, 300]),
        (100, [Fraction(1, 3), Fraction(2, 3)], [33, 67]),
    ],
)
def test_spare_units_go_to_the_largest_remainders(minor: int, weights: list[Weight], shares: list[int]) -> None:
    """Then to the first of equals."""
    assert [share.minor for share in Money(minor, EUR).split(weights)] == shares


def test_half_even_gives_the_difference_to_the_stated_share() -> None:
    """Three thirds of a euro: somebody takes the odd cent, and the caller says who."""
    shares = half_even(Money(100, EUR), [1, 1, 1], difference_to=2)

    assert [share.minor for share in shares] == [33, 33, 34]


def test_half_even_knows_its_shares() -> None:
    """A difference that goes to nobody would be lost."""
    with pytest.raises(IndexError):
        half_even(Money(100, EUR), [1, 1, 1], difference_to=3)


@pytest.mark.parametrize(
    "weights",
    [
        [],
        [0],
        [0, Decimal(0)],
        [1, -1],
        [Decimal("-0.1"), 1],
        [0.5, 0.5],
        [True, 1],
        ["1", 1],
        [None],
        [Decimal("NaN"), 1],
        [Decimal("sNaN"), 1],
        [Decimal("Infinity"), 1],
        [Decimal("1E+999999"), 1],
        [Decimal("1E-999999"), 1],
    ],
    ids=repr,
)
def test_weights_that_share_nothing_are_refused(weights: list[Weight]) -> None:
    """None at all, only zeros, negative, infinite or inexact ones."""
    with pytest.raises(ValidationError) as refused:
        Money(100, EUR).split(weights)

    assert refused.value.reason is INVALID_WEIGHTS
    assert refused.value.details["why"]


def test_refused_weights_are_named() -> None:
    """Which weight, and why."""
    with pytest.raises(ValidationError) as refused:
        Money(100, EUR).split([1, -2])

    assert refused.value.details == {"why": "a weight is not negative", "index": 1, "weight": "-2"}


def test_policies_are_named() -> None:
    """A transaction can record by which policy it was shared."""
    policies = [LARGEST_REMAINDER, TO_REMAINDER_ACCOUNT, half_even_policy(difference_to=0)]

    assert [policy.name for policy in policies] == [
        "largest_remainder",
        "to_remainder_account",
        "half_even_to_0",
    ]


def test_a_rule_that_loses_money_is_found_out() -> None:
    """Whoever writes a rule of their own cannot make or lose a cent."""
    leaky = Allocation("leaky", lambda total, weights: tuple(0 for _ in weights))

    with pytest.raises(InternalError) as refused:
        leaky.share(Money(100, EUR), [1, 1])

    assert refused.value.reason is INTERNAL_SERVER_ERROR
    assert refused.value.details == {"policy": "leaky", "total_minor": 100, "shared_minor": 0}
