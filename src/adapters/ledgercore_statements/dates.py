"""Dates in files: by a declared format, of the directives of `strftime` for numbers and English months."""

import re
from datetime import date
from functools import lru_cache
from typing import Final

from ledgercore_statements.faults import quoted

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PATTERNS: Final = {
    "%Y": "(?P<year>[0-9]{4})",
    "%y": "(?P<short_year>[0-9]{2})",
    "%m": "(?P<month>[0-9]{1,2})",
    "%b": f"(?P<month_name>{'|'.join(_MONTHS)})",
    "%d": "(?P<day>[0-9]{1,2})",
    "%H": "[0-9]{1,2}",
    "%M": "[0-9]{2}",
    "%S": "[0-9]{2}",
    "%f": "[0-9]{1,6}",
}
_DIRECTIVE: Final = re.compile("(%.?)")
# Two digits of a year: banks had no such files before 1980.
_CENTURY_TURNS_AT: Final = 80


@lru_cache(maxsize=64)
def date_pattern(date_format: str) -> re.Pattern[str]:
    """The pattern of a date format; raises `ValueError` for a directive that is not known, missing or repeated."""
    pieces = _DIRECTIVE.split(date_format)
    if unknown := [piece for piece in pieces[1::2] if piece not in _PATTERNS]:
        raise ValueError(f"{unknown[0]} is none of {' '.join(_PATTERNS)}")
    for group in (("%Y", "%y"), ("%m", "%b"), ("%d",)):
        if sum(date_format.count(directive) for directive in group) != 1:
            raise ValueError(f"a date has {' or '.join(group)} exactly once")
    return re.compile("".join(_PATTERNS.get(piece) or re.escape(piece) for piece in pieces), re.ASCII | re.IGNORECASE)


@lru_cache(maxsize=4_096)
def read_date(text: str, date_format: str) -> date | None:
    """Read a date; `None` for a day that its month does not have, such as 30 February.

    Raises `ValueError` for a text that does not have the format, or a month or day that no year has: then the
    format is more likely wrong than the date.
    """
    match = date_pattern(date_format).fullmatch(text)
    if match is None:
        raise ValueError(f"{quoted(text)} is no date of the form {date_format}")
    found = match.groupdict()
    month = _MONTHS.index(found["month_name"].lower()) + 1 if "month_name" in found else int(found["month"])
    day = int(found["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        raise ValueError(f"{quoted(text)} is no date of the form {date_format}: month {month}, day {day}")
    try:
        return date(int(found["year"]) if "year" in found else full_year(int(found["short_year"])), month, day)
    except ValueError:
        return None


def full_year(short: int) -> int:
    """The year that two digits stand for, from 1980 to 2079."""
    return 2000 + short if short < _CENTURY_TURNS_AT else 1900 + short
