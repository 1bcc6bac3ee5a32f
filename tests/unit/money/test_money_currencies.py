"""Currencies of ISO 4217, and assets registered besides."""

import copy
import pickle

import pytest

from ledgercore.errors import ConflictError, ValidationError
from ledgercore.errors.catalog import (
    ASSET_ALREADY_REGISTERED,
    INVALID_ASSET,
    INVALID_CURRENCY_FORMAT,
    UNKNOWN_CURRENCY,
)
from ledgercore.money import ISO, Currencies, Currency, currency, is_currency_code


def test_iso_currencies_are_interned() -> None:
    """The same code is the same object, also after copying and pickling."""
    euro = currency("EUR")

    assert currency("EUR") is euro
    assert pickle.loads(pickle.dumps(euro)) is euro
    assert copy.deepcopy(euro) is euro


def test_currencies_are_equal_by_code_and_decimals() -> None:
    """A currency read back from storage is the one that was stored."""
    assert Currency("EUR", 2) == currency("EUR")
    assert hash(Currency("EUR", 2)) == hash(currency("EUR"))
    assert Currency("EUR", 3) != currency("EUR")
    assert currency("USD") != currency("EUR")
    assert currency("EUR") != "EUR"


def test_other_assets_survive_pickling() -> None:
    """An asset outside the standard keeps its decimals."""
    bitcoin = Currency("BTC", 8)

    assert pickle.loads(pickle.dumps(bitcoin)) == bitcoin


def test_a_currency_is_written_as_its_code() -> None:
    """Messages and details show the code."""
    assert str(currency("EUR")) == "EUR"


def test_find_may_find_none() -> None:
    """Neither unknown codes nor other types are errors when merely looked for."""
    assert ISO.find("ABC") is None
    assert ISO.find(["EUR"]) is None  # type: ignore[arg-type]
    assert ISO.find("EUR") is currency("EUR")


def test_unknown_code_is_refused() -> None:
    """A code that could be is told apart from one that could not."""
    with pytest.raises(ValidationError) as refused:
        ISO.get("ABC", field="fee_currency")

    assert refused.value.reason is UNKNOWN_CURRENCY
    assert refused.value.details == {"field": "fee_currency", "currency": "ABC"}


BAD_CODES = ["", "EU", "eur", "EUR ", " EUR", "1EUR", "EUR\n", "EÜR", "ＥＵＲ", "E" * 13, "E-R", "EUR\x00"]  # noqa: RUF001


@pytest.mark.parametrize("code", [*BAD_CODES, None, 978, 9.78, ["EUR"], {}])
def test_what_cannot_be_a_code_is_refused(code: object) -> None:
    """Three to twelve ASCII capitals and digits, a capital first; nothing is trimmed or raised."""
    with pytest.raises(ValidationError) as refused:
        ISO.get(code)  # type: ignore[arg-type]

    assert refused.value.reason is INVALID_CURRENCY_FORMAT
    assert not is_currency_code(code)


def test_registering_makes_new_currencies() -> None:
    """The registry that was there before does not change."""
    with_bitcoin = ISO.register("BTC", 8)

    assert with_bitcoin.get("BTC") == Currency("BTC", 8)
    assert with_bitcoin.get("EUR") is currency("EUR")
    assert with_bitcoin.assets == (Currency("BTC", 8),)
    assert ISO.find("BTC") is None
    assert len(list(with_bitcoin)) == len(list(ISO)) + 1


def test_registries_with_the_same_assets_are_equal() -> None:
    """Currencies are a value: how they came about does not matter."""
    registered, given = ISO.register("BTC", 8), Currencies((Currency("BTC", 8),))

    assert registered == given
    assert hash(registered) == hash(given)


def test_registering_twice_changes_nothing() -> None:
    """A start-up that registers its assets may run again."""
    once = ISO.register("BTC", 8)

    assert once.register("BTC", 8) is once


def test_registering_with_other_decimals_is_refused() -> None:
    """Amounts written before would change their value."""
    with_bitcoin = ISO.register("BTC", 8)

    with pytest.raises(ConflictError) as refused:
        with_bitcoin.register("BTC", 6)

    assert refused.value.reason is ASSET_ALREADY_REGISTERED
    assert refused.value.details == {"asset": "BTC", "exponent": 6, "registered_exponent": 8}


@pytest.mark.parametrize("exponent", [0, 18])
def test_assets_have_up_to_eighteen_decimals(exponent: int) -> None:
    """Both ends of the range are in it."""
    assert ISO.register("COIN", exponent).get("COIN").exponent == exponent


@pytest.mark.parametrize(
    ("code", "exponent"),
    [
        ("EUR", 2),
        ("XAU", 3),
        *((code, 2) for code in BAD_CODES),
        ("BTC", -1),
        ("BTC", 19),
        ("BTC", True),
        ("BTC", 8.0),
    ],
)
def test_assets_that_cannot_be_are_refused(code: str, exponent: int) -> None:
    """Codes of the standard, malformed codes and impossible decimals."""
    with pytest.raises(ValidationError) as refused:
        ISO.register(code, exponent)

    assert refused.value.reason is INVALID_ASSET
