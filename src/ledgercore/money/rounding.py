"""How an exact result becomes whole minor units: always by a named rule."""

from enum import Enum
from fractions import Fraction


class Rounding(Enum):
    """What happens to the part of a minor unit; negative results mirror positive ones."""

    HALF_EVEN = "half_even"
    """To the nearest unit, a tie to the even one, so that many roundings do not drift."""
    DOWN = "down"
    """Towards zero."""
    UP = "up"
    """Away from zero."""

    def round(self, exact: Fraction) -> int:
        """Round an exact number of minor units to a whole one.

        >>> [rule.round(Fraction(5, 2)) for rule in Rounding]
        [2, 2, 3]
        """
        if self is Rounding.HALF_EVEN:
            return round(exact)
        towards_zero = int(exact)
        if self is Rounding.DOWN or exact == towards_zero:
            return towards_zero
        return towards_zero + (1 if exact > 0 else -1)
