"""What messages of ISO 20022 have in common: which message it is, texts, amounts, dates."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Final
from xml.etree.ElementTree import Element

from ledgercore.money import Money
from ledgercore_statements.amounts import read_currency, read_minor
from ledgercore_statements.dates import read_date
from ledgercore_statements.faults import quoted

_MESSAGE: Final = re.compile(r"(?:camt|pain)\.[0-9]{3}\.[0-9]{3}\.([0-9]{2})(?:\.[a-z]{2}\.[0-9]{2})?")
_DAY: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T[0-9:.]{5,18})?(?:Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII)
_NOT_GIVEN: Final = frozenset(("NOTPROVIDED", "NOT PROVIDED", "NONREF"))


def message_name(elements: Iterable[Element], default: str) -> tuple[str, int | None]:
    """The message that the namespaces of these elements name, such as `camt.053.001.08`, and its version."""
    for element in elements:
        for name, value in element.attrib.items():
            if name.startswith("xmlns") and (match := _MESSAGE.search(value)):
                return match[0], int(match[1])
    return default, None


def find(element: Element | None, *path: str) -> Element | None:
    """The first element at the end of the path, following first elements only."""
    for name in path:
        if element is None:
            return None
        element = element.find(name)
    return element


def text_of(element: Element | None, *path: str) -> str | None:
    """The text at the end of the path; `None` where there is none, or only blanks."""
    found = find(element, *path)
    return (found.text.strip() or None) if found is not None and found.text else None


def name_of(element: Element | None, *path: str) -> str | None:
    """The text at the end of the path, unless it says that none was given."""
    found = text_of(element, *path)
    return None if found is None or found.upper() in _NOT_GIVEN else found


def needed_text(element: Element | None, *path: str) -> str:
    """The text at the end of the path; raises `ValueError` where there is none."""
    if (found := text_of(element, *path)) is None:
        raise ValueError(f"there is no {'/'.join(path)}")
    return found


def code_of(element: Element | None, *path: str) -> str | None:
    """A code, of the standard or the bank's own: as text up to one version of a message, in `Cd` or `Prtry` since."""
    found = find(element, *path)
    return text_of(found, "Cd") or text_of(found, "Prtry") or text_of(found)


def read_money(element: Element | None) -> Money:
    """An amount in the currency of its attribute; raises `ValueError` for what is no amount of it."""
    if element is None:
        raise ValueError("there is no amount")
    currency = read_currency(element.get("Ccy") or "")
    minor = read_minor(element.text or "", currency, decimal=".")
    if minor < 0:
        raise ValueError(f"{quoted(element.text or '')} is no amount: which way it goes is said beside it")
    return Money(minor, currency)


def read_day(element: Element | None, warnings: list[str]) -> date | None:
    """A date, or the date of a time as it is written; `None` where there is none.

    A day that no calendar has is `None` and a warning. Raises `ValueError` for what is no date.
    """
    written = text_of(element, "Dt") or text_of(element, "DtTm") or text_of(element)
    if written is None:
        return None
    if (match := _DAY.fullmatch(written)) is None:
        raise ValueError(f"{quoted(written)} is no date")
    if (found := read_date(match[1], "%Y-%m-%d")) is None:
        warnings.append(f"{quoted(written)} is no date of the calendar")
    return found
