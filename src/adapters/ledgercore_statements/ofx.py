"""OFX 1 (SGML) and OFX 2 (XML), also as QFX: statements of bank accounts and credit cards."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Final
from xml.etree.ElementTree import Element

from ledgercore.money import Currency, Money
from ledgercore.statements.statements import Balance, BalanceKind, Direction, Statement, StatementEntry
from ledgercore_statements.amounts import read_currency, read_minor
from ledgercore_statements.dates import read_date
from ledgercore_statements.faults import malformed, quoted
from ledgercore_statements.iso20022 import text_of
from ledgercore_statements.ofx_sgml import OFX, read_sgml
from ledgercore_statements.xml_documents import read_document

_XML: Final = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*<\0?\?")
_VERSION: Final = re.compile(rb"VERSION[:=]\s*\"?([0-9]{3})\"?")
_HEAD_BYTES: Final = 2_048
_STATEMENTS: Final = ("STMTRS", "CCSTMTRS")
_INVESTMENTS: Final = "INVSTMTRS"
_BOOKED, _PENDING = "STMTTRN", "STMTTRNP"
_BALANCES: Final = (("LEDGERBAL", BalanceKind.CLOSING), ("AVAILBAL", BalanceKind.AVAILABLE))
# Date, time and milliseconds, and in brackets hours from Greenwich and a name: the day is the bank's own.
_DAY: Final = re.compile(r"([0-9]{8})(?:[0-9]{2,6}(?:\.[0-9]{1,3})?)?\s*(?:\[[^\]]{0,40}\])?", re.ASCII)
_RAISING: Final = frozenset(("CREDIT", "DEP", "DIRECTDEP"))
_LOWERING: Final = frozenset(("DEBIT", "SRVCHG", "DIRECTDEBIT", "CHECK", "PAYMENT"))


def read_ofx(data: bytes) -> tuple[Statement, ...]:
    """Read every statement of a bank account or a credit card, in the order of the file.

    Raises `ValidationError` (`malformed_statement`) with the line, or the element as in `STMTTRN 3` counted
    through the file; nothing is returned then. Statements of investments are refused.
    """
    root = read_document(data.lstrip(), file_format=OFX) if _XML.match(data) else read_sgml(data)
    if root.tag != "OFX":
        raise malformed(OFX, quoted(root.tag), "a document begins with OFX")
    if next(root.iter(_INVESTMENTS), None) is not None:
        raise malformed(OFX, _INVESTMENTS, "statements of investments are not read")
    found = [element for element in root.iter() if element.tag in _STATEMENTS]
    if not found:
        raise malformed(OFX, "OFX", "there is no statement of a bank account or a credit card in it")
    version = _VERSION.search(data[:_HEAD_BYTES])
    reading = _Reading(f"ofx.{version[1].decode()}" if version else OFX)
    statements = tuple(reading.statement(element) for element in found)
    if reading.entries_count != sum(element.tag in (_BOOKED, _PENDING) for element in root.iter()):
        raise malformed(OFX, "OFX", "entries stand outside of a statement, or in two of them")
    return statements


class _Reading:
    """Counts the entries of a file as it reads them, to say where they stand."""

    def __init__(self, file_format: str) -> None:
        self._format = file_format
        self.entries_count = 0

    def statement(self, element: Element) -> Statement:
        warnings: list[str] = []
        with _placed(element.tag):
            currency = read_currency(text_of(element, "CURDEF") or "")
        balances = tuple(_balances(element, currency, warnings))
        return Statement(
            format=self._format,
            account=text_of(element, "BANKACCTFROM", "ACCTID") or text_of(element, "CCACCTFROM", "ACCTID"),
            currency=currency.code,
            closing=next((balance for balance in balances if balance.kind is BalanceKind.CLOSING), None),
            balances=balances,
            entries=tuple(self._entries(element, currency)),
            warnings=tuple(warnings),
        )

    def _entries(self, statement: Element, currency: Currency) -> Iterator[StatementEntry]:
        for element in statement.iter():
            if element.tag in (_BOOKED, _PENDING):
                self.entries_count += 1
                position = f"{element.tag} {self.entries_count}"
                with _placed(position):
                    yield _entry(element, currency, position, is_pending=element.tag == _PENDING)


def _balances(statement: Element, currency: Currency, warnings: list[str]) -> Iterator[Balance]:
    for name, kind in _BALANCES:
        if (element := statement.find(name)) is not None:
            with _placed(name):
                minor = _minor(element, "BALAMT", currency)
                yield Balance(kind=kind, amount=Money(minor, currency), on=_day(element, warnings, "DTASOF"))


def _entry(element: Element, of_statement: Currency, position: str, *, is_pending: bool) -> StatementEntry:
    # With CURRENCY the amount is in that one; ORIGCURRENCY only tells what it was before it was exchanged.
    code = text_of(element, "CURRENCY", "CURSYM")
    currency = read_currency(code) if code else of_statement
    minor = _minor(element, "TRNAMT", currency)
    kind = text_of(element, "TRNTYPE")
    warnings: list[str] = []
    if (kind in _RAISING and minor < 0) or (kind in _LOWERING and minor > 0):
        warnings.append(f"it is called {kind}, but its sign says otherwise and counts")
    corrected, action = text_of(element, "CORRECTFITID"), text_of(element, "CORRECTACTION")
    if corrected is not None:
        warnings.append(f"it corrects {quoted(corrected)} ({action or 'REPLACE'})")
    booked_on = _day(element, warnings, "DTPOSTED")
    if booked_on is None and not warnings and not is_pending:
        raise ValueError("there is no DTPOSTED")
    payee = text_of(element, "NAME") or text_of(element, "PAYEE", "NAME") or text_of(element, "PAYEE")
    return StatementEntry(
        direction=Direction.DEBIT if minor < 0 else Direction.CREDIT,
        amount=Money(abs(minor), currency),
        booked_on=booked_on,
        value_on=_day(element, warnings, "DTAVAIL", "DTTRAN") or booked_on,
        position=position,
        # A correction that deletes says again what it takes back, and is no booking of its own.
        is_pending=is_pending or action == "DELETE",
        bank_id=text_of(element, "FITID"),
        reference=text_of(element, "CHECKNUM") or text_of(element, "REFNUM"),
        code=kind,
        text=text_of(element, "MEMO") or payee or "",
        counterparty=payee,
        counterparty_account=text_of(element, "BANKACCTTO", "ACCTID") or text_of(element, "CCACCTTO", "ACCTID"),
        warnings=tuple(warnings),
    )


def _minor(element: Element, name: str, currency: Currency) -> int:
    """An amount whose decimals a point or a comma sets off; where both stand, the last of them does."""
    if (written := text_of(element, name)) is None:
        raise ValueError(f"there is no {name}")
    decimal, thousands = (",", ".") if written.rfind(",") > written.rfind(".") else (".", ",")
    return read_minor(written, currency, decimal=decimal, thousands=thousands)


def _day(element: Element, warnings: list[str], *names: str) -> date | None:
    """The first of these dates; `None` for none, and with a warning for a day that no calendar has."""
    written = next(filter(None, (text_of(element, name) for name in names)), None)
    if written is None:
        return None
    if (match := _DAY.fullmatch(written)) is None:
        raise ValueError(f"{quoted(written)} is no date")
    if (found := read_date(match[1], "%Y%m%d")) is None:
        warnings.append(f"{quoted(written)} is no date of the calendar")
    return found


@contextmanager
def _placed(position: str) -> Iterator[None]:
    """Say of what cannot be read in an element where the element stands."""
    try:
        yield
    except ValueError as error:
        raise malformed(OFX, position, str(error)) from error
