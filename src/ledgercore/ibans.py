"""Names of accounts and banks that carry their own check: IBAN (ISO 13616), BIC (ISO 9362), US routing numbers."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from ledgercore.errors import Reason, ValidationError, shortened
from ledgercore.errors.catalog import INVALID_BIC, INVALID_IBAN, INVALID_ROUTING_NUMBER

# What follows country and check digits, as the IBAN registry has it: n are digits, a capitals, c either of them.
_REGISTRY: Final = """
    AD 8n12c    AE 19n      AL 8n16c    AT 16n      AZ 4a20c    BA 16n      BE 12n      BG 4a6n8c   BH 4a14c
    BI 23n      BR 23n1a1c  BY 4c4n16c  CH 5n12c    CR 18n      CY 8n16c    CZ 20n      DE 18n      DJ 23n
    DK 14n      DO 4c20n    EE 16n      EG 25n      ES 20n      FI 14n      FK 2a12n    FO 14n      FR 10n11c2n
    GB 4a14n    GE 2a16n    GI 4a15c    GL 14n      GR 7n16c    GT 24c      HN 4a20n    HR 17n      HU 24n
    IE 4a14n    IL 19n      IQ 4a15n    IS 22n      IT 1a10n12c JO 4a4n18c  KW 4a22c    KZ 3n13c    LB 4n20c
    LC 4a24c    LI 5n12c    LT 16n      LU 3n13c    LV 4a13c    LY 21n      MC 10n11c2n MD 20c      ME 18n
    MK 3n10c2n  MN 16n      MR 23n      MT 4a5n18c  MU 4a19n3a  NI 4a20n    NL 4a10n    NO 11n      OM 3n16c
    PK 4a16c    PL 24n      PS 4a21c    PT 21n      QA 4a21c    RO 4a16c    RS 18n      RU 14n15c   SA 2n18c
    SC 4a20n3a  SD 14n      SE 20n      SI 15n      SK 20n      SM 1a10n12c SO 19n      ST 21n      SV 4a20n
    TL 19n      TN 20n      TR 6n16c    UA 6n19c    VA 18n      VG 4a16n    XK 16n      YE 4a4n18c
"""
_CLASSES: Final = {"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}
_PIECE: Final = re.compile("([0-9]+)([nac])")
_BIC: Final = re.compile("[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_ROUTING_NUMBER: Final = re.compile("[0-9]{9}")
_ROUTING_WEIGHTS: Final = (3, 7, 1) * 3
# Beyond any of these names with blanks between its characters, nothing is looked at.
_LENGTH_MAX: Final = 100


def _structures(registry: str) -> Mapping[str, tuple[str, int]]:
    """By country, the pattern of what follows the check digits, and the length of the whole."""
    found = {}
    words = registry.split()
    for country, structure in zip(words[::2], words[1::2], strict=True):
        pieces = _PIECE.findall(structure)
        pattern = "".join(f"{_CLASSES[kind]}{{{count}}}" for count, kind in pieces)
        found[country] = (pattern, 4 + sum(int(count) for count, _ in pieces))
    return found


_STRUCTURES: Final = _structures(_REGISTRY)


def check_iban(text: str, *, field: str = "iban") -> str:
    """The IBAN in capitals without blanks.

    Raises `ValidationError` (`invalid_iban`) with why: an unknown country, a length or form that is not the
    country's, check digits that do not fit.

    >>> check_iban("gb82 west 1234 5698 7654 32")
    'GB82WEST12345698765432'
    """
    iban = _plain(text)
    country = iban[:2]
    if country not in _STRUCTURES:
        raise _refused(INVALID_IBAN, text, "it begins with a country that has IBANs", field)
    pattern, length = _STRUCTURES[country]
    if len(iban) != length:
        raise _refused(INVALID_IBAN, text, f"{country} has {length} characters, not {len(iban)}", field)
    if not _compiled(pattern).fullmatch(iban[4:]) or not iban[2:4].isdecimal():
        raise _refused(INVALID_IBAN, text, f"digits and letters do not stand as in {country}", field)
    if iban[2:4] != check_digits(country, iban[4:]):
        raise _refused(INVALID_IBAN, text, "the check digits do not fit", field)
    return iban


def check_digits(prefix: str, rest: str) -> str:
    """The two digits between prefix and rest by which 97 divides the whole with a remainder of 1 (ISO 7064).

    >>> check_digits("GB", "WEST12345698765432"), check_digits("RF", "539007547034")
    ('82', '18')
    """
    number = int("".join(str(int(character, 36)) for character in f"{rest}{prefix}00"))
    return f"{98 - number % 97:02}"


def check_bic(text: str, *, field: str = "bic") -> str:
    """The BIC in capitals: 8 characters for a bank, 11 with its branch.

    Raises `ValidationError` (`invalid_bic`).

    >>> check_bic("deutdeff"), check_bic("DEUTDEFF500")
    ('DEUTDEFF', 'DEUTDEFF500')
    """
    bic = _plain(text)
    if not _BIC.fullmatch(bic):
        why = "4 letters or digits, 2 letters for the country, 2 for the place, and 3 for a branch if there is one"
        raise _refused(INVALID_BIC, text, why, field)
    return bic


def check_routing_number(text: str, *, field: str = "routing_number") -> str:
    """The routing number of a bank in the United States: 9 digits of which the last checks the others.

    Raises `ValidationError` (`invalid_routing_number`).

    >>> check_routing_number("021000021")
    '021000021'
    """
    digits = _plain(text)
    if not _ROUTING_NUMBER.fullmatch(digits):
        raise _refused(INVALID_ROUTING_NUMBER, text, "it has 9 digits", field)
    if sum(int(digit) * weight for digit, weight in zip(digits, _ROUTING_WEIGHTS, strict=True)) % 10:
        raise _refused(INVALID_ROUTING_NUMBER, text, "the check digit does not fit", field)
    return digits


def last_four(text: str) -> str:
    """The last four characters of the number of an account, by which its holder knows it.

    >>> last_four("GB82 WEST 1234 5698 7654 32")
    '5432'
    """
    return "".join(text.split())[-4:]


@lru_cache(maxsize=128)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _plain(text: str) -> str:
    """In capitals without blanks; empty where it is too long, or has other letters than ASCII has."""
    return "".join(text.split()).upper() if len(text) <= _LENGTH_MAX and text.isascii() else ""


def _refused(reason: Reason, text: str, why: str, field: str) -> ValidationError:
    return ValidationError(reason, field=field, value=shortened(text), why=why)
