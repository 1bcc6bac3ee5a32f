"""How much may be paid: by the day for each kind of account, and at once. Amounts are units of the currency."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from attrs import field, frozen

from ledgercore.banking.accounts import AccountType
from ledgercore.money import Currency, Money

DAILY: Final[Mapping[AccountType, int]] = {
    AccountType.CHECKING: 1_000,
    AccountType.SAVINGS: 500,
    AccountType.CREDIT: 2_000,
    AccountType.INVESTMENT: 5_000,
}
SINGLE: Final = 10_000
DUPLICATE_MINUTES: Final = 5
UNITS_MAX: Final = 10**12
MINUTES_MAX: Final = 7 * 24 * 60


@frozen(kw_only=True)
class PaymentLimits:
    """The limits of a deployment.

    `daily` bounds the debits of an account that complete within a UTC day, `single` each payment. Within
    `duplicate_window` of one that was completed, another that looks like it is taken for a mistake.
    """

    daily: Mapping[AccountType, int] = field(factory=lambda: DAILY)
    single: int = SINGLE
    duplicate_window: timedelta = timedelta(minutes=DUPLICATE_MINUTES)

    def daily_of(self, account_type: AccountType, currency: Currency) -> Money:
        """What may leave an account of a kind in a day."""
        return Money.of(self.daily[account_type], currency)

    def single_in(self, currency: Currency) -> Money:
        """The greatest payment."""
        return Money.of(self.single, currency)


def read_limits(text: str) -> PaymentLimits:
    """Limits such as `CHECKING:5000,single:50000,duplicate_minutes:10`; what is not named stays as it is.

    Raises `ValueError` with what is wrong.
    """
    daily, others = dict(DAILY), {"single": SINGLE, "duplicate_minutes": DUPLICATE_MINUTES}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, digits = part.partition(":")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > len(str(UNITS_MAX)):
            raise ValueError("NAME:WHOLE_NUMBER is expected, such as CHECKING:5000")
        if name in DAILY:
            daily[AccountType(name)] = int(digits)
        elif name in others:
            others[name] = int(digits)
        else:
            raise ValueError(f"one of {', '.join([*DAILY, *others])} is expected before the colon")
    if not 0 < others["duplicate_minutes"] <= MINUTES_MAX:
        raise ValueError(f"duplicate_minutes are from 1 to {MINUTES_MAX}")
    return PaymentLimits(
        daily=daily,
        single=others["single"],
        duplicate_window=timedelta(minutes=others["duplicate_minutes"]),
    )
