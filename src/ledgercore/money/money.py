"""Amounts of money: exact, in one currency, never a float."""

from collections.abc import Sequence
from decimal import Decimal

from attrs import frozen

from ledgercore.errors import BusinessRuleError, ValidationError, shortened
from ledgercore.errors.catalog import CURRENCY_MISMATCH, INVALID_CURRENCY_FORMAT
from ledgercore.money.currency import ISO, Currency
from ledgercore.money.parsing import AMOUNT_DIGITS_MAX, amount_refused, format_amount, parse_amount
from ledgercore.money.shares import Weight, share_largest_remainder, whole_weights


@frozen
class Money:
    """A whole number of minor units of one currency.

    What is read from outside is never negative; a difference may be. Amounts of different
    currencies are unequal, and calculating or comparing with both raises `BusinessRuleError`
    (`currency_mismatch`). There is no division: `split` shares out without losing a unit.
    """

    minor: int
    currency: Currency

    def __attrs_post_init__(self) -> None:
        # Booleans are integers in Python, and floats would compare equal to whole numbers.
        if type(self.minor) is not int:
            raise amount_refused(
                self.minor, f"minor units are a whole number, not {type(self.minor).__name__}", field="minor"
            )
        if type(self.currency) is not Currency:
            raise ValidationError(
                INVALID_CURRENCY_FORMAT,
                field="currency",
                currency=shortened(self.currency),
                why="a Currency is expected; `Money.of` takes a code",
            )

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: Currency | str) -> "Money":
        """Read an amount in units of a currency, given itself or by its ISO 4217 code.

        Raises `ValidationError`: `invalid_amount_format` for floats, signs and more decimals than
        the currency has; `unknown_currency` or `invalid_currency_format` for the code.

        >>> str(Money.of("12.3", "EUR"))
        '12.30 EUR'
        """
        known = currency if isinstance(currency, Currency) else ISO.get(currency)
        return cls(parse_amount(_plain(amount) if isinstance(amount, Decimal) else amount, known), known)

    @classmethod
    def zero(cls, currency: Currency) -> "Money":
        """No money, in a currency: where a sum starts."""
        return cls(0, currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in units of the currency, exact whatever the decimal context says."""
        return Decimal(format_amount(self.minor, self.currency))

    @property
    def is_positive(self) -> bool:
        """Whether the amount is above zero."""
        return self.minor > 0

    @property
    def is_zero(self) -> bool:
        """Whether there is nothing."""
        return self.minor == 0

    def split(self, weights: Sequence[Weight]) -> tuple["Money", ...]:
        """Share out by weight; spare units go one each to the shares that rounding cost most.

        Equal losses are served from the first on. The shares add up to the amount. Raises
        `ValidationError` (`invalid_weights`) for negative weights, floats, or only zeros.

        >>> [share.minor for share in Money.of(1, "EUR").split([1, 1, 1])]
        [34, 33, 33]
        """
        shares = share_largest_remainder(self.minor, whole_weights(weights))
        return tuple(Money(share, self.currency) for share in shares)

    def __str__(self) -> str:
        return f"{format_amount(self.minor, self.currency)} {self.currency.code}"

    def __add__(self, other: "Money") -> "Money":
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor + self._minor_of(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor - self._minor_of(other), self.currency)

    def __mul__(self, times: int) -> "Money":
        if isinstance(times, bool) or not isinstance(times, int):
            return NotImplemented
        return Money(self.minor * times, self.currency)

    __rmul__ = __mul__

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __abs__(self) -> "Money":
        return Money(abs(self.minor), self.currency)

    def __lt__(self, other: "Money") -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor < self._minor_of(other)

    def __le__(self, other: "Money") -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor <= self._minor_of(other)

    def __gt__(self, other: "Money") -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor > self._minor_of(other)

    def __ge__(self, other: "Money") -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor >= self._minor_of(other)

    def _minor_of(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise BusinessRuleError(CURRENCY_MISMATCH, amount=self, other=other)
        return other.minor


def _plain(amount: Decimal) -> str:
    """Write a decimal without exponent; one that is far too long or small is refused before it is."""
    if not amount.is_finite():
        raise amount_refused(amount, "it is not a finite number")
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int), "finite decimals have a numeric exponent"
    if max(abs(exponent), abs(amount.adjusted())) > AMOUNT_DIGITS_MAX:
        raise amount_refused(amount, f"more than {AMOUNT_DIGITS_MAX} digits")
    return format(amount, "f")
