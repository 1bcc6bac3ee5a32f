"""Policies that share money out: each says by name how it rounds, and none loses a unit."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeAlias

from attrs import frozen

from ledgercore.errors import InternalError
from ledgercore.errors.catalog import INTERNAL_SERVER_ERROR
from ledgercore.money.money import Money
from ledgercore.money.shares import (
    Weight,
    share_down,
    share_half_even,
    share_largest_remainder,
    whole_weights,
)

Rule: TypeAlias = Callable[[int, Sequence[int]], tuple[int, ...]]


@frozen
class Allocation:
    """A named way of sharing out; whatever its rule does, the parts add up to the whole."""

    name: str
    rule: Rule

    def share(self, total: Money, weights: Sequence[Weight]) -> tuple[Money, ...]:
        """Share out by weight, one part per weight in order (some policies append a remainder).

        Raises `ValidationError` (`invalid_weights`), and `InternalError` when the rule makes or
        loses money.
        """
        parts = self.rule(total.minor, whole_weights(weights))
        if sum(parts) != total.minor:
            raise InternalError(
                INTERNAL_SERVER_ERROR, policy=self.name, total_minor=total.minor, shared_minor=sum(parts)
            )
        return tuple(Money(part, total.currency) for part in parts)


LARGEST_REMAINDER: Final = Allocation("largest_remainder", share_largest_remainder)
TO_REMAINDER_ACCOUNT: Final = Allocation("to_remainder_account", share_down)


def half_even_policy(*, difference_to: int) -> Allocation:
    """The policy that rounds half to even and corrects the share at this index."""
    return Allocation(f"half_even_to_{difference_to}", partial(share_half_even, difference_to=difference_to))


def largest_remainder(total: Money, weights: Sequence[Weight]) -> tuple[Money, ...]:
    """Round towards zero, then give spare units one each to the shares that lost most.

    Every share is within one unit of its exact value; equal losses are served from the first on.

    >>> from ledgercore.money import Money
    >>> [str(share) for share in largest_remainder(Money.of("0.05", "EUR"), [50, 30, 20])]
    ['0.03 EUR', '0.01 EUR', '0.01 EUR']
    """
    return LARGEST_REMAINDER.share(total, weights)


def half_even(total: Money, weights: Sequence[Weight], *, difference_to: int) -> tuple[Money, ...]:
    """Round each share half to even; the share at index `difference_to` takes the difference.

    All other shares are within half a unit of their exact value. The stated share may be off by up to
    half a unit for each of the others, and a share of a very small total can even change its sign.

    >>> from ledgercore.money import Money
    >>> [str(share) for share in half_even(Money.of("0.05", "EUR"), [50, 30, 20], difference_to=0)]
    ['0.02 EUR', '0.02 EUR', '0.01 EUR']
    """
    return half_even_policy(difference_to=difference_to).share(total, weights)


def to_remainder_account(total: Money, weights: Sequence[Weight]) -> tuple[tuple[Money, ...], Money]:
    """Round each share towards zero; return the shares and what is left for a remainder account.

    >>> from ledgercore.money import Money
    >>> shares, remainder = to_remainder_account(Money.of(1, "EUR"), [1, 1, 1])
    >>> str(shares[0]), str(remainder)
    ('0.33 EUR', '0.01 EUR')
    """
    *shares, remainder = TO_REMAINDER_ACCOUNT.share(total, weights)
    return tuple(shares), remainder
