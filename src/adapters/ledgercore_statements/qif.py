"""QIF, the Quicken interchange format: entries without balances, of banks, cash and credit cards."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Final

from attrs import define, frozen

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import INVALID_ARGUMENT
from ledgercore.money import Currency, Money
from ledgercore.statements.statements import Balance, BalanceKind, Direction, EntryDetail, Statement, StatementEntry
from ledgercore_statements.amounts import read_currency, read_minor
from ledgercore_statements.dates import full_year
from ledgercore_statements.decoding import decoded, lines_of
from ledgercore_statements.faults import malformed, quoted

QIF: Final = "qif"
_ENTRIES: Final = frozenset(("bank", "cash", "ccard", "oth a", "oth l"))
_LISTS: Final = frozenset(("cat", "class", "memorized", "budget", "tag", "security", "prices", "payee"))
_DATE: Final = re.compile(
    r"([0-9]{4}|[0-9]{1,2})\s{0,2}[/.-]\s{0,2}([0-9]{1,2})\s{0,2}([/.'-])\s{0,2}([0-9]{4}|[0-9]{1,2})", re.ASCII
)
_DECIMALS: Final[Mapping[str, str]] = {".": ",", ",": "."}


@define
class _Record:
    """The fields of a record between two `^`, each by its letter, with the lines they stand in."""

    fields: list[tuple[int, str, str]]

    def find(self, letters: str) -> tuple[int, str] | None:
        """The first field with one of these letters, and its line."""
        return next(((line, text) for line, letter, text in self.fields if letter in letters), None)

    def text(self, letter: str) -> str | None:
        found = self.find(letter)
        return (found[1] or None) if found else None


@define
class _Section:
    account: _Record | None
    records: list[_Record]


@frozen
class _Conventions:
    """How this file writes what QIF leaves open: which of day and month comes first, and the decimal sign."""

    currency: Currency
    is_day_first: bool
    decimal: str

    def minor(self, text: str) -> int:
        return read_minor(text, self.currency, decimal=self.decimal, thousands=_DECIMALS[self.decimal])


def read_qif(
    data: bytes, *, currency: str | None = None, is_day_first: bool | None = None, decimal: str | None = None
) -> tuple[Statement, ...]:
    """Read the entries of each account in a QIF file, in the order of the file.

    The format names no currency, so the caller does. What comes first of day and month, and whether the comma
    or the point sets off decimals, is found in the file; only where all of it can be read both ways the caller
    has to say. Raises `ValidationError`: `invalid_argument` for what the caller says, and `malformed_statement`
    with the line of what cannot be read; nothing is returned then.
    """
    known = _told_currency(currency)
    if decimal is not None and decimal not in _DECIMALS:
        raise ValidationError(INVALID_ARGUMENT, field="decimal", value=shortened(decimal), why="a comma or a point")
    sections = list(_sections(lines_of(decoded(data))))
    conventions = _Conventions(
        currency=known,
        is_day_first=_is_day_first(sections) if is_day_first is None else is_day_first,
        decimal=_decimal(sections, known) if decimal is None else decimal,
    )
    return tuple(_statement(section, conventions) for section in sections)


def _told_currency(code: str | None) -> Currency:
    if code is None:
        raise ValidationError(INVALID_ARGUMENT, field="currency", value=None, why="the format names none; say which")
    try:
        return read_currency(code)
    except ValueError as error:
        raise ValidationError(INVALID_ARGUMENT, field="currency", value=shortened(code), why=str(error)) from error


def _sections(lines: Sequence[str]) -> Iterator[_Section]:
    """The records under each header of entries, with the account named before it."""
    account: _Record | None = None
    section: _Section | None = None
    for kind, record in _records(lines):
        if record is None:
            if section is not None:
                yield section
            section = _Section(account, []) if kind in _ENTRIES else None
        elif section is not None:
            section.records.append(record)
        elif kind == "account":
            account = record
    if section is not None:
        yield section


def _records(lines: Sequence[str]) -> Iterator[tuple[str, _Record | None]]:
    """Each record with the kind of its header, and each header without a record."""
    kind = ""
    record = _Record([])
    for number, line in enumerate(lines, start=1):
        bare = line.strip()
        if bare.startswith("!"):
            if record.fields:
                raise malformed(QIF, f"line {number}", "a header before the record above it has ended with ^")
            if (header := _kind(bare[1:].lower(), number)) is not None:
                kind = header
                yield kind, None
        elif bare == "^":
            if record.fields:
                yield kind, record
            record = _Record([])
        elif bare and not kind:
            raise malformed(QIF, f"line {number}", "a file begins with a header such as !Type:Bank")
        elif bare:
            record.fields.append((number, bare[0], bare[1:].strip()))
    if record.fields:
        raise malformed(QIF, f"line {len(lines)}", "the file ends within a record, before its ^")


def _kind(header: str, number: int) -> str | None:
    """What a header announces; `None` for an option, under which what was announced goes on."""
    if header.startswith(("option:", "clear:")):
        return None
    kind = header.removeprefix("type:")
    if kind in _ENTRIES or kind in _LISTS or kind == "account":
        return kind
    raise malformed(QIF, f"line {number}", f"{quoted(header)} holds no entries of a bank account, cash or card")


def _statement(section: _Section, conventions: _Conventions) -> Statement:
    closing = _closing(section.account, conventions) if section.account else None
    return Statement(
        format=QIF,
        account=section.account.text("N") if section.account else None,
        currency=conventions.currency.code,
        closing=closing,
        balances=(closing,) if closing else (),
        entries=tuple(_entry(record, conventions) for record in section.records),
    )


def _closing(account: _Record, conventions: _Conventions) -> Balance | None:
    """The statement balance that an account may state, on its date."""
    if (balance := account.find("$")) is None:
        return None
    with _placed(balance[0]):
        amount = Money(conventions.minor(balance[1]), conventions.currency)
    dated = account.find("/")
    return Balance(kind=BalanceKind.CLOSING, amount=amount, on=_date(*dated, conventions) if dated else None)


def _entry(record: _Record, conventions: _Conventions) -> StatementEntry:
    first_line = record.fields[0][0]
    dated, amount = record.find("D"), record.find("T") or record.find("U")
    if dated is None or amount is None:
        raise malformed(QIF, f"line {first_line}", f"an entry without {'a date (D)' if amount else 'an amount (T)'}")
    with _placed(amount[0]):
        minor = conventions.minor(amount[1])
    booked_on = _date(*dated, conventions)
    warnings = [] if booked_on else [f"{quoted(dated[1])} is no date of the calendar"]
    details = tuple(_splits(record, conventions))
    if details and sum(split.direction.sign * split.amount.minor for split in details if split.amount) != minor:
        warnings.append("the splits do not add up to the amount")
    payee = record.text("P")
    return StatementEntry(
        direction=_direction(minor),
        amount=Money(abs(minor), conventions.currency),
        booked_on=booked_on,
        value_on=booked_on,
        position=f"line {first_line}",
        reference=record.text("N"),
        code=record.text("L"),
        text=record.text("M") or payee or "",
        counterparty=payee,
        details=details,
        warnings=tuple(warnings),
    )


def _splits(record: _Record, conventions: _Conventions) -> Iterator[EntryDetail]:
    """The parts that an entry is split into: a category, perhaps a memo, then an amount each."""
    text: list[str] = []
    for line, letter, written in record.fields:
        if letter in "SE":
            text.append(written)
        elif letter == "$":
            with _placed(line):
                minor = conventions.minor(written)
            yield EntryDetail(
                direction=_direction(minor), amount=Money(abs(minor), conventions.currency), text=" ".join(text)
            )
            text = []


def _direction(minor: int) -> Direction:
    return Direction.DEBIT if minor < 0 else Direction.CREDIT


def _date(line: int, written: str, conventions: _Conventions) -> date | None:
    """Read a date; `None` for one that no calendar has."""
    first, second, third, is_of_this_century = _numbers(line, written)
    if len(first) > 2:
        year, month, day = int(first), int(second), int(third)
    else:
        day, month = (int(first), int(second)) if conventions.is_day_first else (int(second), int(first))
        year = int(third) if len(third) > 2 else 2000 + int(third) if is_of_this_century else full_year(int(third))
    if not (1 <= month <= 12 and 1 <= day <= 31):
        raise malformed(QIF, f"line {line}", f"{quoted(written)} has no month {month} or day {day}")
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _numbers(line: int, written: str) -> tuple[str, str, str, bool]:
    match = _DATE.fullmatch(written)
    if match is None:
        raise malformed(QIF, f"line {line}", f"{quoted(written)} is no date")
    # Quicken writes an apostrophe before the years from 2000 on.
    return match[1], match[2], match[4], match[3] == "'"


def _is_day_first(sections: Sequence[_Section]) -> bool:
    """Find out what comes first: a number above 12 is a day, and one file keeps to one order."""
    first_open: int | None = None
    for line, written in _written(sections, "D", "/"):
        first, second, _, _ = _numbers(line, written)
        if len(first) > 2:
            continue
        if int(first) > 12 or int(second) > 12:
            return int(first) > 12
        if first_open is None and int(first) != int(second):
            first_open = line
    if first_open is not None:
        raise malformed(
            QIF, f"line {first_open}", "no date shows which of day and month comes first; say whether the day does"
        )
    return True


def _decimal(sections: Sequence[_Section], currency: Currency) -> str:
    """Find out what sets off decimals: that under which every amount can be read."""
    amounts = list(_written(sections, "TU$", "$"))
    read = {decimal: _all_minor(amounts, currency, decimal) for decimal in _DECIMALS}
    if read["."] is not None and read[","] is not None and read["."] != read[","]:
        differing = next(
            line for (line, _), point, comma in zip(amounts, read["."], read[","], strict=True) if point != comma
        )
        raise malformed(
            QIF, f"line {differing}", "no amount shows whether the comma sets off decimals or thousands; say which"
        )
    # Where neither fits, the amount that does not is found and named when it is read.
    return "," if read["."] is None and read[","] is not None else "."


def _all_minor(amounts: Sequence[tuple[int, str]], currency: Currency, decimal: str) -> list[int] | None:
    try:
        return [read_minor(text, currency, decimal=decimal, thousands=_DECIMALS[decimal]) for _, text in amounts]
    except ValueError:
        return None


def _written(sections: Sequence[_Section], letters: str, account_letters: str) -> Iterator[tuple[int, str]]:
    for section in sections:
        if section.account is not None:
            yield from ((line, text) for line, letter, text in section.account.fields if letter in account_letters)
        for record in section.records:
            yield from ((line, text) for line, letter, text in record.fields if letter in letters)


@contextmanager
def _placed(line: int) -> Iterator[None]:
    """Say of an amount that cannot be read where it stands."""
    try:
        yield
    except ValueError as error:
        raise malformed(QIF, f"line {line}", str(error)) from error
