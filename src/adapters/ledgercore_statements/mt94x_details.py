"""What field 86 of an MT940 tells of an entry: free text, German subfields, or Dutch keywords."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from attrs import frozen

# A business code of three digits, then a separator before each subfield of two digits.
_GERMAN: Final = re.compile(r"(?:[0-9]{3})?([?><~|$#@!^&*])(?=[0-9]{2})", re.ASCII)
_SUBFIELD: Final = re.compile(r"[0-9]{2}")
_PURPOSE: Final = frozenset(("20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "60", "61", "62", "63"))
_SEPA: Final = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|IBAN|BIC|PURP|RINP)\+", re.ASCII)
_DUTCH: Final = re.compile(
    r"/(TRTP|TRCD|IBAN|BBAN|BIC|NAME|REMI|EREF|KREF|MARF|CSID|ORDP|BENM|ADDR|PREF|RTRN|ISDT|CNTP|PURP|ULTC|ULTD|ULTB)/",
    re.ASCII,
)
# Field 86 is wrapped at 65 characters, by some banks at 64, wherever a word happens to be.
_LINE_LENGTH: Final = 64
_NOT_PROVIDED: Final = frozenset(("", "NOTPROVIDED", "NONREF"))


@frozen(kw_only=True)
class Details:
    """Who was on the other side of an entry and what it was for, as far as the bank says."""

    text: str = ""
    counterparty: str | None = None
    counterparty_account: str | None = None
    reference: str | None = None
    end_to_end_id: str | None = None
    structured_reference: str | None = None


def read_details(lines: Sequence[str]) -> Details:
    """Read the lines of one field 86; a text without structure is kept as it is."""
    joined = "".join(lines).lstrip()
    if german := _GERMAN.match(joined):
        return _german(joined[german.end() :], german.group(1))
    unwrapped = _unwrapped(lines)
    if unwrapped.startswith("/") and _DUTCH.search(unwrapped):
        return _dutch(unwrapped)
    return Details(text=unwrapped)


def _german(joined: str, separator: str) -> Details:
    subfields = _subfields(joined, separator)
    purpose = "".join(text for key, text in subfields.items() if key in _PURPOSE)
    before, *rest = _SEPA.split(purpose)
    keyed = _first_of_each(rest)
    return Details(
        text=_tidy(keyed.get("SVWZ", before)) or _tidy(purpose) or _tidy(subfields.get("00", "")),
        counterparty=_tidy(subfields.get("32", "") + subfields.get("33", "")) or None,
        counterparty_account=_account(subfields.get("31") or keyed.get("IBAN", "")),
        reference=_provided(keyed.get("KREF", "")),
        end_to_end_id=_provided(keyed.get("EREF", "")),
    )


def _subfields(joined: str, separator: str) -> Mapping[str, str]:
    """The text of each subfield, in the order in which they first appear."""
    parts: dict[str, list[str]] = {}
    key = ""
    for part in joined.split(separator):
        if _SUBFIELD.match(part):
            key = part[:2]
            parts.setdefault(key, []).append(part[2:])
        else:
            # The separator stood in the text itself.
            parts.setdefault(key, []).append(separator + part)
    return {key: "".join(texts) for key, texts in parts.items()}


def _dutch(unwrapped: str) -> Details:
    keyed = _first_of_each(_DUTCH.split(unwrapped)[1:])
    account, _bic, name, *_city = (*keyed.get("CNTP", "").split("/"), "", "")
    remittance = _trimmed(keyed.get("REMI", "")).removeprefix("USTD//")
    structured = remittance.removeprefix("STRD/").rpartition("/")[2] if remittance.startswith("STRD/") else ""
    return Details(
        text=remittance or _trimmed(keyed.get("TRTP", "")) or unwrapped,
        counterparty=_trimmed(name or keyed.get("NAME", "")) or None,
        counterparty_account=_account(account or keyed.get("IBAN", "") or keyed.get("BBAN", "")),
        reference=_provided(keyed.get("KREF", "")),
        end_to_end_id=_provided(keyed.get("EREF", "")),
        structured_reference=structured or None,
    )


def _first_of_each(keys_and_values: Sequence[str]) -> Mapping[str, str]:
    keyed: dict[str, str] = {}
    for key, value in zip(keys_and_values[::2], keys_and_values[1::2], strict=True):
        keyed.setdefault(key, value)
    return keyed


def _unwrapped(lines: Iterable[str]) -> str:
    """One line again: a full line was cut inside a word or at a space that is still there; a shorter one lost it."""
    return _tidy("".join(line if len(line) >= _LINE_LENGTH else f"{line} " for line in lines))


def _tidy(text: str) -> str:
    return " ".join(text.split())


def _trimmed(text: str) -> str:
    return text.strip("/ ")


def _provided(text: str) -> str | None:
    reference = _trimmed(_tidy(text))
    return None if reference in _NOT_PROVIDED else reference


def _account(text: str) -> str | None:
    return "".join(_trimmed(text).split()) or None
