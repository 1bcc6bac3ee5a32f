"""IBANs, BICs and routing numbers, judged by another implementation of the same standards."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import iban as stdnum_iban
from stdnum.us import rtn as stdnum_routing_number

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import INVALID_BIC, INVALID_IBAN, INVALID_ROUTING_NUMBER
from ledgercore.ibans import _REGISTRY, check_bic, check_digits, check_iban, check_routing_number, last_four

STRUCTURES = dict(zip(_REGISTRY.split()[::2], _REGISTRY.split()[1::2], strict=True))
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
ALPHABETS = {"n": DIGITS, "a": LETTERS, "c": LETTERS + DIGITS}


@st.composite
def ibans(draw: st.DrawFn) -> str:
    """An IBAN of any country, with the check digits that fit."""
    country = draw(st.sampled_from(sorted(STRUCTURES)))
    account = "".join(
        draw(st.text(ALPHABETS[kind], min_size=int(count), max_size=int(count)))
        for count, kind in re.findall("([0-9]+)([nac])", STRUCTURES[country])
    )
    return f"{country}{check_digits(country, account)}{account}"


def is_taken(iban: str) -> bool:
    try:
        check_iban(iban)
    except ValidationError:
        return False
    return True


@settings(max_examples=200, deadline=None)
@given(iban=ibans())
def test_an_iban_of_any_country_is_taken(iban: str) -> None:
    assert check_iban(iban) == iban
    assert stdnum_iban.is_valid(iban, check_country=False)


@settings(max_examples=200, deadline=None)
@given(
    iban=ibans(),
    place=st.integers(0, 33),
    put=st.sampled_from(LETTERS + DIGITS),
    change=st.sampled_from(["replace", "insert", "drop", "swap"]),
)
def test_a_changed_iban_is_judged_as_the_standard_judges_it(iban: str, place: int, put: str, change: str) -> None:
    place %= len(iban)
    mutated = {
        "replace": iban[:place] + put + iban[place + 1 :],
        "insert": iban[:place] + put + iban[place:],
        "drop": iban[:place] + iban[place + 1 :],
        "swap": iban[:place] + iban[place + 1 : place + 2] + iban[place] + iban[place + 2 :],
    }[change]

    # 00, 01 and 99 can leave the right remainder too, but the standard never makes them.
    expected = stdnum_iban.is_valid(mutated, check_country=False) and mutated[2:4] not in ("00", "01", "99")
    assert is_taken(mutated) is expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "country"),
        ("XX82WEST12345698765432", "country"),
        ("GB82WEST1234569876543", "22 characters, not 21"),
        ("GB82WEST123456987654321", "22 characters, not 23"),
        ("GB82123412345698765432", "digits and letters"),
        ("GBX2WEST12345698765432", "digits and letters"),
        ("GB83WEST12345698765432", "check digits"),
        ("GB82WE\N{LATIN SMALL LETTER LONG S}T12345698765432", "country"),
        ("DE" + "1" * 1_000, "country"),
    ],
)
def test_what_is_wrong_with_an_iban_is_said(text: str, why: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check_iban(text, field="creditor_iban")

    assert refused.value.reason is INVALID_IBAN
    assert refused.value.details["field"] == "creditor_iban"
    assert why in str(refused.value.details["why"])


def test_an_iban_is_kept_in_capitals_without_blanks() -> None:
    assert check_iban(" de89 3704 0044 0532 0130 00 ") == "DE89370400440532013000"


@pytest.mark.parametrize("bic", ["DEUTDEFF", "DEUTDEFF500", "E097AEXX", "nedszajjxxx"])
def test_a_bic_has_8_or_11_characters(bic: str) -> None:
    assert check_bic(bic) == bic.upper()


@pytest.mark.parametrize("bic", ["", "DEUTDEF", "DEUTDEFF5", "DEUTDEFF50", "DEUTDEFF5000", "DEUT1EFF", "DEUTDÉFF"])
def test_anything_else_is_no_bic(bic: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check_bic(bic)

    assert refused.value.reason is INVALID_BIC


@settings(max_examples=200, deadline=None)
@given(digits=st.text(DIGITS, min_size=8, max_size=8), last=st.sampled_from(DIGITS))
def test_the_last_digit_of_a_routing_number_checks_the_others(digits: str, last: str) -> None:
    number = digits + last
    if stdnum_routing_number.is_valid(number):
        assert check_routing_number(number) == number
    else:
        with pytest.raises(ValidationError) as refused:
            check_routing_number(number)
        assert refused.value.reason is INVALID_ROUTING_NUMBER


@pytest.mark.parametrize("text", ["", "02100002", "0210000211", "02100002A", "٠٢١٠٠٠٠٢١"])
def test_a_routing_number_has_nine_digits(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check_routing_number(text)

    assert refused.value.details["why"] == "it has 9 digits"


def test_last_four_are_what_people_know_an_account_by() -> None:
    assert last_four("DE89 3704 0044 0532 0130 00") == "3000"
    assert last_four("12") == "12"
