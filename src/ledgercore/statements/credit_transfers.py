"""SEPA credit transfers as a bank is told to make them: checked values, from which a file is written."""

import re
import unicodedata
from datetime import date, datetime
from typing import Any, Final

from attrs import Attribute, field, frozen

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import INVALID_ARGUMENT
from ledgercore.ibans import check_bic, check_digits, check_iban
from ledgercore.money import Money

SEPA_CURRENCY: Final = "EUR"
AMOUNT_MINOR_MAX: Final = 99_999_999_999
NAME_LENGTH_MAX: Final = 70
ID_LENGTH_MAX: Final = 35
TEXT_LENGTH_MAX: Final = 140
TRANSFERS_MAX: Final = 100_000
# The letters that every bank of the area takes.
_ALLOWED: Final = "A-Za-z0-9/\\-?:().,'+ "
_SEPA_TEXT: Final = re.compile(f"[{_ALLOWED}]*")
_NOT_SEPA: Final = re.compile(f"[^{_ALLOWED}]")
_LETTERS: Final = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"}
    | {"&": "+", "_": "-", "\n": " ", "\t": " "}
)
_CREDITOR_REFERENCE: Final = re.compile("RF([0-9]{2})([A-Z0-9]{1,21})")


def sepa_text(text: str) -> str:
    """Spell a text with the letters that every bank of the area takes: without accents, a point for what has no match.

    >>> sepa_text("Zoë & Łukasz Weiß 50%")
    'Zoe + Lukasz Weiss 50.'
    """
    spelt = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return _NOT_SEPA.sub(".", "".join(letter for letter in spelt if not unicodedata.combining(letter)))


def check_creditor_reference(text: str) -> str:
    """The reference of ISO 11649 (`RF…`) in capitals without blanks.

    Raises `ValidationError` (`invalid_argument`) for another form, or check digits that do not fit.

    >>> check_creditor_reference("RF18 5390 0754 7034")
    'RF18539007547034'
    """
    reference = "".join(text.split()).upper() if text.isascii() else ""
    match = _CREDITOR_REFERENCE.fullmatch(reference)
    if match is None or match[1] != check_digits("RF", match[2]):
        raise _refused("structured_reference", text, "RF, 2 digits that fit, and up to 21 letters and digits")
    return reference


def _checks_text(least: int, most: int) -> Any:
    def check(_: object, attribute: "Attribute[Any]", text: str | None) -> None:
        if text is None:
            return
        if not least <= len(text) <= most:
            raise _refused(attribute.name, text, f"{least} to {most} characters")
        if not _SEPA_TEXT.fullmatch(text) or text != text.strip():
            raise _refused(
                attribute.name, text, "letters without accents, digits, / - ? : ( ) . , ' +, and blanks within"
            )

    return check


def _check_id(instance: object, attribute: "Attribute[Any]", text: str) -> None:
    _checks_text(1, ID_LENGTH_MAX)(instance, attribute, text)
    if text.startswith("/") or text.endswith("/") or "//" in text:
        raise _refused(attribute.name, text, "no slash at the beginning or end, and no two in a row")


def _iban(text: str) -> str:
    return check_iban(text)


def _bic(text: str | None) -> str | None:
    return None if text is None else check_bic(text)


def _reference(text: str | None) -> str | None:
    return None if text is None else check_creditor_reference(text)


@frozen(kw_only=True)
class CreditTransfer:
    """One payment in euro: to whom, how much, and what for, as a text or as the creditor's own reference, not both.

    Raises `ValidationError`: `invalid_iban`, `invalid_bic`, or `invalid_argument` that names the field.
    """

    end_to_end_id: str = field(validator=_check_id)
    amount: Money
    creditor_name: str = field(validator=_checks_text(1, NAME_LENGTH_MAX))
    creditor_iban: str = field(converter=_iban)
    creditor_bic: str | None = field(default=None, converter=_bic)
    text: str | None = field(default=None, validator=_checks_text(1, TEXT_LENGTH_MAX))
    structured_reference: str | None = field(default=None, converter=_reference)

    def __attrs_post_init__(self) -> None:
        if self.amount.currency.code != SEPA_CURRENCY or not 0 < self.amount.minor <= AMOUNT_MINOR_MAX:
            raise _refused("amount", self.amount, "0.01 to 999999999.99 EUR")
        if self.text is not None and self.structured_reference is not None:
            raise _refused("text", self.text, "either a text or a structured reference")


@frozen(kw_only=True)
class PaymentOrder:
    """Credit transfers from one account on one day; the bank books them as one, or each by itself.

    Raises `ValidationError`: `invalid_iban`, `invalid_bic`, or `invalid_argument` that names the field.
    """

    message_id: str = field(validator=_check_id)
    payment_id: str = field(validator=_check_id)
    created_at: datetime
    debtor_name: str = field(validator=_checks_text(1, NAME_LENGTH_MAX))
    debtor_iban: str = field(converter=_iban)
    debtor_bic: str | None = field(default=None, converter=_bic)
    requested_on: date
    transfers: tuple[CreditTransfer, ...]
    is_booked_as_one: bool = False

    def __attrs_post_init__(self) -> None:
        if self.created_at.tzinfo is None:
            raise _refused("created_at", self.created_at, "a time with its offset")
        if not 1 <= len(self.transfers) <= TRANSFERS_MAX:
            raise _refused("transfers", len(self.transfers), f"1 to {TRANSFERS_MAX} of them")

    @property
    def total(self) -> Money:
        """The sum of all transfers, by which the bank checks that none is missing."""
        amounts = [transfer.amount for transfer in self.transfers]
        return Money(sum(amount.minor for amount in amounts), amounts[0].currency)


def _refused(name: str, value: object, why: str) -> ValidationError:
    return ValidationError(INVALID_ARGUMENT, field=name, value=shortened(value), why=why)
