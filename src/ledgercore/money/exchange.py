"""Exchange between currencies: at a stated rate, by a stated rounding, with the residue kept."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

from attrs import frozen

from ledgercore.errors import BusinessRuleError, ValidationError, shortened
from ledgercore.errors.catalog import CURRENCY_MISMATCH, INVALID_RATE
from ledgercore.money.currency import Currency
from ledgercore.money.money import Money
from ledgercore.money.rounding import Rounding

# Far more than any market quotes, and few enough that a rate stays cheap to calculate with.
RATE_DIGITS_MAX: Final = 38


@frozen(kw_only=True)
class Exchange:
    """Money sold for money bought, at a rate.

    `residue` is what rounding took, in minor units of the bought currency: `bought.minor` and residue
    together are the exact result. It is negative where rounding gave.
    """

    sold: Money
    bought: Money
    rate: "Rate"
    residue: Fraction


@frozen(kw_only=True)
class Rate:
    """How many units of the quote currency one unit of the base currency buys.

    The value is a decimal above zero of at most 38 digits, the source says who quoted it, the time is
    aware. Raises `ValidationError` (`invalid_rate`) otherwise.
    """

    base: Currency
    quote: Currency
    value: Decimal
    source: str
    quoted_at: datetime

    def __attrs_post_init__(self) -> None:
        if why := _fault_in(self):
            raise ValidationError(INVALID_RATE, base=self.base, quote=self.quote, value=shortened(self.value), why=why)

    def convert(self, money: Money, *, rounding: Rounding = Rounding.HALF_EVEN) -> Exchange:
        """Sell money of the base currency; the result may be zero when the amount is tiny.

        Raises `BusinessRuleError` (`currency_mismatch`) for money of another currency.

        >>> from datetime import UTC
        >>> from ledgercore.money import currency
        >>> rate = Rate(base=currency("EUR"), quote=currency("JPY"), value=Decimal("163.275"),
        ...             source="ECB", quoted_at=datetime(2026, 1, 2, tzinfo=UTC))
        >>> done = rate.convert(Money.of("10.00", "EUR"))
        >>> str(done.bought), done.residue
        ('1633 JPY', Fraction(-1, 4))
        """
        if money.currency != self.base:
            raise BusinessRuleError(CURRENCY_MISMATCH, amount=money, rate_base=self.base)
        exact = Fraction(money.minor) * Fraction(self.value) * self._minor_ratio
        bought = Money(rounding.round(exact), self.quote)
        return Exchange(sold=money, bought=bought, rate=self, residue=exact - bought.minor)

    @property
    def _minor_ratio(self) -> Fraction:
        # A rate is between whole units; one euro has 100 minor units where one yen has 1.
        return Fraction(10**self.quote.exponent, 10**self.base.exponent)


def _fault_in(rate: Rate) -> str | None:
    if rate.base == rate.quote:
        return "base and quote are the same currency"
    if not isinstance(rate.value, Decimal):
        return f"a rate is a Decimal, not {type(rate.value).__name__}"
    if not rate.value.is_finite() or rate.value <= 0:
        return "a rate is finite and above zero"
    exponent = rate.value.as_tuple().exponent
    if isinstance(exponent, int) and max(abs(exponent), abs(rate.value.adjusted())) > RATE_DIGITS_MAX:
        return f"a rate has at most {RATE_DIGITS_MAX} digits"
    if not rate.source:
        return "a rate names its source"
    if rate.quoted_at.tzinfo is None or rate.quoted_at.utcoffset() is None:
        return "the time of a rate has a UTC offset"
    return None
