"""Money without floats: currencies, amounts, and the policies that round and share them."""

from ledgercore.money.allocation import (
    LARGEST_REMAINDER,
    TO_REMAINDER_ACCOUNT,
    Allocation,
    half_even,
    half_even_policy,
    largest_remainder,
    to_remainder_account,
)
from ledgercore.money.currency import (
    EXPONENT_MAX,
    ISO,
    Currencies,
    Currency,
    currency,
    is_currency_code,
    known_currency,
)
from ledgercore.money.exchange import Exchange, Rate
from ledgercore.money.money import Money
from ledgercore.money.parsing import (
    AMOUNT_DIGITS_MAX,
    format_amount,
    format_grouped,
    parse_amount,
    parse_positive_amount,
)
from ledgercore.money.rounding import Rounding
from ledgercore.money.shares import Weight

__all__ = [
    "AMOUNT_DIGITS_MAX",
    "EXPONENT_MAX",
    "ISO",
    "LARGEST_REMAINDER",
    "TO_REMAINDER_ACCOUNT",
    "Allocation",
    "Currencies",
    "Currency",
    "Exchange",
    "Money",
    "Rate",
    "Rounding",
    "Weight",
    "currency",
    "format_amount",
    "format_grouped",
    "half_even",
    "half_even_policy",
    "is_currency_code",
    "known_currency",
    "largest_remainder",
    "parse_amount",
    "parse_positive_amount",
    "to_remainder_account",
]
