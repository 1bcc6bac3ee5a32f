"""Dates of MT940: six digits with a year of two, and four digits whose year is left to the reader."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from attrs import frozen

from ledgercore_statements.dates import full_year

_HALF_A_YEAR: Final = timedelta(days=183)


@frozen
class Dated:
    """A date of the file; without one, why: banks that count 30 days a month write dates that no calendar has."""

    on: date | None
    warnings: tuple[str, ...] = ()


@lru_cache(maxsize=4_096)
def read_full_date(digits: str) -> Dated:
    """Read `YYMMDD`."""
    found = _calendar_date(full_year(int(digits[:2])), digits[2:])
    return Dated(found) if found else Dated(None, (f"{digits} is no date of the calendar",))


@lru_cache(maxsize=4_096)
def read_entry_date(digits: str, *, near: str) -> Dated:
    """Read `MMDD` in the year that brings it nearest to the value date `near`, which is `YYMMDD`."""
    anchor = read_full_date(near).on
    possible = [
        found
        for found in _around(digits, full_year(int(near[:2])))
        if anchor is None or abs(found - anchor) <= _HALF_A_YEAR
    ]
    return Dated(possible[0]) if possible else Dated(None, (f"entry date {digits} is no date of the calendar",))


def _around(digits: str, year: int) -> Iterator[date]:
    for candidate in (year, year + 1, year - 1):
        if found := _calendar_date(candidate, digits):
            yield found


def _calendar_date(year: int, digits: str) -> date | None:
    try:
        return date(year, int(digits[:2]), int(digits[2:]))
    except ValueError:
        return None
