"""Amounts as banks write them, read into minor units and never rounded or guessed."""

from typing import Final

from ledgercore.errors import ValidationError
from ledgercore.money import ISO, Currency, known_currency, parse_amount
from ledgercore_statements.faults import quoted

# Old files are read too. The standard no longer says how many decimals these have; files wrote two at most.
_REPLACED: Final = {
    code: known_currency(code, 2)
    for code in (
        *("ATS", "BEF", "BGN", "CYP", "DEM", "EEK", "ESP", "FIM", "FRF", "GRD", "HRK"),
        *("IEP", "ITL", "LTL", "LUF", "LVL", "MTL", "NLG", "PTE", "SIT", "SKK"),
    )
}
_MINUS: Final = ("-", "\N{MINUS SIGN}")


def read_currency(code: str) -> Currency:
    """The currency with this code, also one that the euro replaced; raises `ValueError` for any other."""
    if (found := ISO.find(code) or _REPLACED.get(code)) is None:
        raise ValueError(f"{quoted(code)} is no currency of ISO 4217")
    return found


def read_minor(text: str, currency: Currency, *, decimal: str, thousands: str = "") -> int:
    """Read a signed amount as minor units of the currency.

    The sign stands in front or behind, or the amount in parentheses when it is negative. Thousands are set
    off in threes or not at all, so that a decimal point is never taken for a separator. Decimals beyond those
    of the currency have to be zeros. Raises `ValueError` that says what is wrong.
    """
    bare = text.strip()
    sign, digits = _sign_and_digits(bare)
    whole, _, fraction = digits.partition(decimal)
    if thousands and thousands in whole:
        whole = _ungrouped(whole, thousands, text)
    fraction = fraction[: currency.exponent] + fraction[currency.exponent :].rstrip("0")
    plain = f"{whole or '0'}.{fraction}" if fraction else whole
    try:
        return sign * parse_amount(plain, currency)
    except ValidationError as error:
        raise ValueError(f"{quoted(text)} is no amount of {currency}: {error.details['why']}") from error


def _sign_and_digits(bare: str) -> tuple[int, str]:
    if bare.startswith("(") and bare.endswith(")"):
        return -1, bare[1:-1]
    if bare.startswith(_MINUS):
        return -1, bare[1:].lstrip()
    if bare.endswith(_MINUS):
        return -1, bare[:-1].rstrip()
    return 1, bare.removeprefix("+").removesuffix("+")


def _ungrouped(whole: str, thousands: str, text: str) -> str:
    first, *groups = whole.split(thousands)
    if not 1 <= len(first) <= 3 or any(len(group) != 3 for group in groups):
        raise ValueError(f"{quoted(text)} is no amount: {quoted(thousands)} does not set off thousands")
    return first + "".join(groups)
