"""The arithmetic of sharing out: a whole number of units becomes whole shares that add up to it."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Final, TypeAlias

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import INVALID_WEIGHTS
from ledgercore.money.rounding import Rounding

Weight: TypeAlias = int | Decimal | Fraction

# Decimals can name numbers with a million digits in a few letters; nobody shares by those.
_WEIGHT_DIGITS_MAX: Final = 100


def whole_weights(weights: Sequence[Weight]) -> tuple[int, ...]:
    """Return whole numbers in the same proportions.

    Raises `ValidationError` (`invalid_weights`) for no weights, a negative, infinite or inexact one
    (floats), or when all are zero.
    """
    for index, weight in enumerate(weights):
        if why := _fault_in(weight):
            raise _refused(why, index=index, weight=shortened(weight))
    ratios = [weight.as_integer_ratio() for weight in weights]
    common = lcm(*(denominator for _, denominator in ratios))
    whole = tuple(numerator * (common // denominator) for numerator, denominator in ratios)
    if not any(whole):
        raise _refused("at least one weight is above zero")
    return whole


def share_largest_remainder(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Round every share towards zero; spare units go one each to the shares that lost most.

    Equal losses are served in order, so the result depends on nothing but the arguments.
    """
    sign, units, whole = -1 if total < 0 else 1, abs(total), sum(weights)
    shares, losses = [], []
    for weight in weights:
        share, loss = divmod(units * weight, whole)
        shares.append(share)
        losses.append(loss)
    spare = units - sum(shares)
    for index in sorted(range(len(shares)), key=lambda index: -losses[index])[:spare]:
        shares[index] += 1
    return tuple(sign * share for share in shares)


def share_half_even(total: int, weights: Sequence[int], *, difference_to: int) -> tuple[int, ...]:
    """Round every share half to even; the share at the given index takes what does not add up."""
    whole = sum(weights)
    shares = [Rounding.HALF_EVEN.round(Fraction(total * weight, whole)) for weight in weights]
    shares[difference_to] += total - sum(shares)
    return tuple(shares)


def share_down(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Round every share towards zero and append what is left over as one share more."""
    whole = sum(weights)
    shares = [Rounding.DOWN.round(Fraction(total * weight, whole)) for weight in weights]
    return (*shares, total - sum(shares))


def _fault_in(weight: object) -> str | None:
    if isinstance(weight, bool) or not isinstance(weight, int | Decimal | Fraction):
        return f"a weight is a whole number, a decimal or a fraction, not {type(weight).__name__}"
    if isinstance(weight, Decimal) and not weight.is_finite():
        return "a weight is finite"
    if weight < 0:
        return "a weight is not negative"
    if isinstance(weight, Decimal) and weight and _digits(weight) > _WEIGHT_DIGITS_MAX:
        return f"a weight has at most {_WEIGHT_DIGITS_MAX} digits"
    return None


def _digits(weight: Decimal) -> int:
    """How many digits the number has when it is written without an exponent, more or less."""
    exponent = weight.as_tuple().exponent
    assert isinstance(exponent, int), "only finite weights come here"
    return max(abs(exponent), abs(weight.adjusted()))


def _refused(why: str, **details: object) -> ValidationError:
    return ValidationError(INVALID_WEIGHTS, why=why, **details)
