"""Amounts as text: read strictly, written exactly."""

from typing import Final

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import INVALID_AMOUNT_FORMAT
from ledgercore.money.currency import Currency

AMOUNT_DIGITS_MAX: Final = 38
_POWERS: Final[tuple[int, ...]] = tuple(10**power for power in range(AMOUNT_DIGITS_MAX + 1))


def parse_amount(text: str | int, currency: Currency, *, field: str = "amount") -> int:
    """Read `digits[.digits]`, or a whole number of units, as minor units of the currency.

    Nothing is guessed or rounded: no sign, blank, exponent, grouping or digit beyond ASCII, no more
    decimals than the currency has (not even zeros), at most 38 digits down to the minor unit.
    Zero is read. Raises `ValidationError` (`invalid_amount_format`) with the field and why.

    >>> from ledgercore.money import currency
    >>> parse_amount("12.3", currency("EUR")), parse_amount(12, currency("JPY"))
    (1230, 12)
    """
    # Files of a million rows pass here, so the good cases come first and the reasons are found later.
    exponent = currency.exponent
    if isinstance(text, str):
        whole, point, fraction = text.partition(".")
        # isdecimal alone would take digits of every script; it is false for the empty text.
        if whole.isdecimal() and text.isascii() and len(whole) + exponent <= AMOUNT_DIGITS_MAX:
            if not point:
                return int(whole) * _POWERS[exponent]
            missing = exponent - len(fraction)
            if missing == 0 and fraction.isdecimal():
                return int(whole + fraction)
            if missing > 0 and fraction.isdecimal():
                return int(whole + fraction) * _POWERS[missing]
    elif type(text) is int and 0 <= text < _POWERS[AMOUNT_DIGITS_MAX - exponent]:
        return text * _POWERS[exponent]
    raise amount_refused(text, _fault_in(text, currency), field=field)


def parse_positive_amount(text: str | int, currency: Currency, *, field: str = "amount") -> int:
    """Read an amount as `parse_amount` does, and refuse zero for the same reason code."""
    minor = parse_amount(text, currency, field=field)
    if minor == 0:
        raise amount_refused(text, "must be above zero", field=field)
    return minor


def format_amount(minor: int, currency: Currency) -> str:
    """Write minor units as a plain decimal with all decimals of the currency.

    >>> from ledgercore.money import currency
    >>> format_amount(-5, currency("EUR")), format_amount(1234567, currency("JPY"))
    ('-0.05', '1234567')
    """
    exponent = currency.exponent
    if exponent == 0:
        return str(minor)
    digits = str(abs(minor)).zfill(exponent + 1)
    return f"{'-' if minor < 0 else ''}{digits[:-exponent]}.{digits[-exponent:]}"


def format_grouped(minor: int, currency: Currency) -> str:
    """Write minor units for a table that people read, thousands set off by commas.

    >>> from ledgercore.money import currency
    >>> format_grouped(123456789, currency("EUR"))
    '1,234,567.89'
    """
    whole, point, fraction = format_amount(abs(minor), currency).partition(".")
    return f"{'-' if minor < 0 else ''}{int(whole):,}{point}{fraction}"


def amount_refused(value: object, why: str, *, field: str = "amount") -> ValidationError:
    """The error that names the field, what was sent (at most 60 characters of it) and why it is refused."""
    return ValidationError(INVALID_AMOUNT_FORMAT, field=field, value=shortened(value), why=why)


def _fault_in(text: object, currency: Currency) -> str:
    exponent = currency.exponent
    whole_digits_max = AMOUNT_DIGITS_MAX - exponent
    if isinstance(text, bool) or not isinstance(text, str | int):
        return f"an amount is text or a whole number, not {type(text).__name__}"
    if isinstance(text, int):
        return "no sign is allowed" if text < 0 else _too_long(whole_digits_max, currency)
    if text == "":
        return "it is empty"
    if text[0] in "+-":
        return "no sign is allowed"
    whole, point, fraction = text.partition(".")
    if not _is_digits(whole) or (point and not _is_digits(fraction)):
        return "only ASCII digits with at most one point between them are allowed"
    if len(whole) > whole_digits_max:
        return _too_long(whole_digits_max, currency)
    return f"{len(fraction)} decimals, but {currency.code} has {exponent}"


def _too_long(whole_digits_max: int, currency: Currency) -> str:
    return f"at most {whole_digits_max} digits before the point are allowed in {currency.code}"


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdecimal()
