"""Currencies and other assets, each with the number of decimals it is counted in."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from attrs import field, frozen

from ledgercore.errors import ConflictError, ValidationError, shortened
from ledgercore.errors.catalog import (
    ASSET_ALREADY_REGISTERED,
    INVALID_ASSET,
    INVALID_CURRENCY_FORMAT,
    UNKNOWN_CURRENCY,
)
from ledgercore.money.iso4217 import ENTRIES

EXPONENT_MAX: Final = 18
_CODE: Final = re.compile(r"[A-Z][A-Z0-9]{2,11}", re.ASCII)


@frozen(eq=False)
class Currency:
    """A currency or asset: its code, and how many decimals its smallest unit has.

    Currencies of ISO 4217 are interned by `currency()`, so most comparisons end at the first step.
    """

    code: str
    exponent: int

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Currency):
            return NotImplemented
        return self.code == other.code and self.exponent == other.exponent

    def __hash__(self) -> int:
        return hash(self.code)

    def __str__(self) -> str:
        return self.code

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy or an unpickled currency is the interned one again.
        return known_currency, (self.code, self.exponent)


# Metals, funds and test codes have no minor unit in the standard ("N.A."). They are counted in whole
# units here: any other number would be invented, as some locale data do. Who deals in fractions
# of an ounce registers an asset of their own, say `GOLD` with 3 decimals.
_ISO: Final[Mapping[str, Currency]] = {entry.code: Currency(entry.code, entry.exponent or 0) for entry in ENTRIES}


@frozen
class Currencies:
    """The currencies that may be used: all of ISO 4217, and the assets registered besides."""

    assets: tuple[Currency, ...] = ()
    _by_code: Mapping[str, Currency] = field(init=False, eq=False, repr=False)

    @_by_code.default
    def _index(self) -> Mapping[str, Currency]:
        return {**_ISO, **{asset.code: asset for asset in self.assets}}

    def __iter__(self) -> Iterator[Currency]:
        return iter(self._by_code.values())

    def find(self, code: str) -> Currency | None:
        """The currency with this code, or `None`."""
        return self._by_code.get(code) if isinstance(code, str) else None

    def get(self, code: str, *, field: str = "currency") -> Currency:
        """The currency with this code.

        Raises `ValidationError`: `invalid_currency_format` for what cannot be a code,
        `unknown_currency` for a code that neither ISO 4217 nor a registration has.
        """
        if (found := self.find(code)) is not None:
            return found
        if not is_currency_code(code):
            raise ValidationError(
                INVALID_CURRENCY_FORMAT,
                field=field,
                currency=shortened(code),
                why="a code has 3 to 12 capitals and digits, a capital first",
            )
        raise ValidationError(UNKNOWN_CURRENCY, field=field, currency=code)

    def register(self, code: str, exponent: int) -> "Currencies":
        """These currencies and an asset of 0 to 18 decimals that ISO 4217 does not have.

        Registering the same asset again changes nothing. Raises `ValidationError` (`invalid_asset`)
        for a code or a number of decimals that cannot be, and `ConflictError`
        (`asset_already_registered`) when the code is known with other decimals.
        """
        if why := _fault_in_asset(code, exponent):
            raise ValidationError(INVALID_ASSET, asset=shortened(code), exponent=shortened(exponent), why=why)
        known = self.find(code)
        if known is None:
            return Currencies((*self.assets, Currency(code, exponent)))
        if known.exponent != exponent:
            raise ConflictError(
                ASSET_ALREADY_REGISTERED, asset=code, exponent=exponent, registered_exponent=known.exponent
            )
        return self


ISO: Final = Currencies()


def currency(code: str) -> Currency:
    """The currency of ISO 4217 with this code, always the same object.

    Raises `ValidationError` with `unknown_currency` or `invalid_currency_format`.

    >>> currency("EUR") is currency("EUR"), currency("JPY").exponent
    (True, 0)
    """
    return ISO.get(code)


def is_currency_code(code: object) -> bool:
    """Whether a currency or asset could have this code, known or not."""
    return isinstance(code, str) and _CODE.fullmatch(code) is not None


@lru_cache(maxsize=4_096)
def known_currency(code: str, exponent: int) -> Currency:
    """A currency or asset as a store knows it: always the same object for the same code and decimals."""
    known = _ISO.get(code)
    return known if known is not None and known.exponent == exponent else Currency(code, exponent)


def _fault_in_asset(code: object, exponent: object) -> str | None:
    if not is_currency_code(code):
        return "a code has 3 to 12 capitals and digits, a capital first"
    if code in _ISO:
        return "ISO 4217 has this code"
    if type(exponent) is not int or not 0 <= exponent <= EXPONENT_MAX:
        return f"decimals are a whole number from 0 to {EXPONENT_MAX}"
    return None
