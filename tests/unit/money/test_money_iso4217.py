"""The vendored table of ISO 4217."""

import importlib.util
from pathlib import Path

import pytest
from iso4217 import Currency as Published

from ledgercore.money import currency
from ledgercore.money.iso4217 import ENTRIES, Entry

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "tools" / "make_iso4217.py"
TABLE = ROOT / "src" / "ledgercore" / "money" / "iso4217.py"

# Unicode CLDR gives all of these 0 decimals, as shops have no smaller coins; banks book with decimals.
DIFFERENT_IN_CLDR = {
    "AFN": 2,
    "ALL": 2,
    "IRR": 2,
    "IQD": 3,
    "KPW": 2,
    "LAK": 2,
    "LBP": 2,
    "MGA": 2,
    "MMK": 2,
    "RSD": 2,
    "SOS": 2,
    "SYP": 2,
    "YER": 2,
}


def test_table_is_the_published_standard() -> None:
    """Code, number, decimals and name of all 178 entries are those of the standard."""
    vendored = {(each.code, each.numeric, each.exponent, each.name) for each in ENTRIES}

    published = {(each.code, each.number, each.exponent, each.currency_name) for each in Published}

    assert vendored == published
    assert len(ENTRIES) == 178


def test_script_reproduces_the_table() -> None:
    """The table is never edited by hand."""
    spec = importlib.util.spec_from_file_location("make_iso4217", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    rendered = script.render()

    assert rendered == TABLE.read_text(encoding="utf-8")


@pytest.mark.parametrize(("code", "exponent"), DIFFERENT_IN_CLDR.items())
def test_decimals_are_those_of_banks_not_of_shops(code: str, exponent: int) -> None:
    """Where locale data and the standard differ, a ledger follows the standard."""
    assert currency(code).exponent == exponent


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.code)
def test_every_code_is_a_currency(entry: Entry) -> None:
    """Entries without minor unit (metals, funds, test codes) are counted in whole units."""
    assert currency(entry.code).exponent == (entry.exponent or 0)


def test_entries_without_minor_unit_are_known() -> None:
    """The standard says "N.A." for these and no others."""
    without = {entry.code for entry in ENTRIES if entry.exponent is None}

    assert without == {
        "XDR",
        "XUA",
        "XSU",
        "XBA",
        "XBB",
        "XBC",
        "XBD",
        "XTS",
        "XXX",
        "XAU",
        "XPD",
        "XPT",
        "XAG",
    }
