"""MT940 (statements) and MT942 (interim reports) of SWIFT, with what banks make of them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from attrs import define

from ledgercore.money import Currency, Money
from ledgercore.statements.statements import Balance, BalanceKind, Direction, EntryDetail, Statement, StatementEntry
from ledgercore_statements.amounts import read_currency, read_minor
from ledgercore_statements.decoding import decoded, lines_of
from ledgercore_statements.faults import malformed, quoted
from ledgercore_statements.mt94x_dates import read_entry_date, read_full_date
from ledgercore_statements.mt94x_details import Details, read_details

MT94X: Final = "mt94x"
_TAG: Final = re.compile(r":([0-9]{2,3}[A-Z]?|NS):", re.ASCII)
_INTERIM_HEADER: Final = re.compile(r"\{2:[IO]942", re.ASCII)
_BALANCE: Final = re.compile(r"([CD])([0-9]{6})([A-Z]{3})([0-9,.]+)", re.ASCII | re.IGNORECASE)
_FLOOR: Final = re.compile(r"([A-Z]{3})[CD ]?[0-9,.]*", re.ASCII)
_ENTRY: Final = re.compile(
    r"([0-9]{6})([0-9]{4}|[ ]{4})?"  # value date, entry date
    r"(RC|RD|EC|ED|C|D)([A-Z])?[ ]?"  # mark, then a funds code: `DR` is a debit, `RD` a reversed one
    r"([0-9,.]+)[ ]?([A-Z][A-Z0-9 ]{3})?(.*)",  # amount, code, references
    re.ASCII | re.IGNORECASE,
)
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", re.ASCII)
# What stands for a reference that there is not, or that field 86 holds.
_ELSEWHERE: Final = frozenset(("", "NONREF", "EREF", "EREF+", "KREF", "KREF+"))
_MULTILINE: Final = frozenset(("61", "86", "NS", "25P"))
# A reversed credit lowers the account and a reversed debit raises it; expected ones are not booked yet.
_MARKS: Final[Mapping[str, tuple[Direction, bool, bool]]] = {
    "C": (Direction.CREDIT, False, False),
    "D": (Direction.DEBIT, False, False),
    "RC": (Direction.DEBIT, True, False),
    "RD": (Direction.CREDIT, True, False),
    "EC": (Direction.CREDIT, False, True),
    "ED": (Direction.DEBIT, False, True),
}
_BALANCE_KINDS: Final[Mapping[str, BalanceKind]] = {
    "60F": BalanceKind.OPENING,
    "60M": BalanceKind.INTERIM,
    "62F": BalanceKind.CLOSING,
    "62M": BalanceKind.INTERIM,
    "64": BalanceKind.AVAILABLE,
    "65": BalanceKind.FORWARD_AVAILABLE,
}
_OPENING: Final = ("60F", "60M")
_CLOSING: Final = ("62F", "62M")
_INTERIM_FIELDS: Final = frozenset(("34F", "13", "13D"))


@define
class _Field:
    tag: str
    line: int
    lines: list[str]

    @property
    def value(self) -> str:
        return self.lines[0].strip()


@define(kw_only=True)
class _Message:
    fields: list[_Field]
    is_interim: bool
    is_in_envelope: bool
    is_closed: bool = False
    is_ended: bool = False

    def all(self, *tags: str) -> list[_Field]:
        return [field for field in self.fields if field.tag in tags]

    def find(self, *tags: str) -> _Field | None:
        """The only field with one of these tags, if there is one."""
        found = self.all(*tags)
        if len(found) > 1:
            raise malformed(MT94X, f"line {found[1].line}", f"a second :{found[1].tag}: in one statement")
        return found[0] if found else None


def read_mt94x(data: bytes) -> tuple[Statement, ...]:
    """Read every statement of an MT940 or MT942 file, in the order of the file.

    Raises `ValidationError` (`malformed_statement`) with the line; nothing is returned then.
    """
    messages = list(_messages(lines_of(decoded(data))))
    if not messages:
        raise malformed(MT94X, "line 1", "there is no field :20:, with which a statement begins")
    return tuple(_statement(message, is_last=message is messages[-1]) for message in messages)


def _messages(lines: Sequence[str]) -> Iterator[_Message]:
    """Split into statements: each begins with :20:, or with another account after a closing balance."""
    message: _Message | None = None
    is_interim = is_in_envelope = False
    for tag_field in _fields(lines):
        if tag_field.tag == "{":
            is_interim, is_in_envelope = _INTERIM_HEADER.search(tag_field.value) is not None, True
        elif tag_field.tag == "-":
            if message is not None:
                message.is_ended = True
        elif tag_field.tag == "20" or (message and message.is_closed and tag_field.tag.startswith("25")):
            if message is not None:
                yield message
            head = [] if message is None or tag_field.tag == "20" else message.all("20")
            message = _Message(fields=[*head, tag_field], is_interim=is_interim, is_in_envelope=is_in_envelope)
        elif message is not None:
            message.fields.append(tag_field)
            message.is_closed = message.is_closed or tag_field.tag in _CLOSING
    if message is not None:
        yield message


def _fields(lines: Sequence[str]) -> Iterator[_Field]:
    """The fields in order; `{` is a header of SWIFT's envelope, and `-` the end of a message."""
    current: _Field | None = None
    for number, line in enumerate(lines, start=1):
        # Blanks at the end stay: field 86 goes on in the next line, perhaps with a new word.
        bare = line.strip("\x00\x01\x03\x1a")
        is_multiline = current is not None and current.tag in _MULTILINE
        if bare.rstrip() == "-" or bare.startswith("-}") or (bare.startswith("-") and not is_multiline):
            yield from _finished(current)
            yield _Field("-", number, [bare])
            current, bare = None, bare.removeprefix("-}") if bare.startswith("-}") else ""
        if bare.startswith("{"):
            yield from _finished(current)
            yield _Field("{", number, [bare])
            current, bare = None, bare.partition("{4:")[2]
        if match := _TAG.match(bare):
            yield from _finished(current)
            current = _Field(match.group(1), number, [bare[match.end() :]])
        elif bare.strip() and current is not None:
            if not is_multiline:
                raise malformed(MT94X, f"line {number}", f"{quoted(bare)} neither begins a field nor continues one")
            current.lines.append(bare)
    yield from _finished(current)


def _finished(current: _Field | None) -> Iterable[_Field]:
    return () if current is None else (current,)


def _statement(message: _Message, *, is_last: bool) -> Statement:
    begin = message.fields[0]
    account, number = message.find("25", "25P"), message.find("28", "28C")
    opening, closing = message.find(*_OPENING), message.find(*_CLOSING)
    is_interim = opening is None and (message.is_interim or bool(message.all(*_INTERIM_FIELDS)))
    if account is None or not account.value:
        raise malformed(MT94X, f"line {begin.line}", "the statement names no account (:25:)")
    if opening is None and not is_interim:
        raise malformed(MT94X, f"line {begin.line}", "the statement has no opening balance (:60F:)")
    is_without_closing = closing is None and not is_interim
    if is_last and not message.is_ended and (message.is_in_envelope or is_without_closing):
        missing = "the end of the envelope (-})" if message.is_in_envelope else "the closing balance (:62F:)"
        raise malformed(MT94X, f"line {message.fields[-1].line}", f"the file ends before {missing}")
    warnings = ["the statement has no closing balance"] if is_without_closing else []
    balances = {id(tagged): _balance(tagged, warnings) for tagged in message.all(*_BALANCE_KINDS)}
    currency = _currency_of(message, balances.values())
    entries = tuple(_entries(message, currency))
    return Statement(
        format="mt942" if is_interim else "mt940",
        account=account.value,
        currency=currency.code,
        reference=begin.value or None,
        number=(number.value if number else "") or None,
        opening=balances[id(opening)] if opening else None,
        closing=balances[id(closing)] if closing else None,
        balances=tuple(balances.values()),
        entries=entries,
        warnings=tuple(warnings),
    )


def _currency_of(message: _Message, balances: Iterable[Balance]) -> Currency:
    for balance in balances:
        return balance.amount.currency
    for floor in message.all("34F"):
        if match := _FLOOR.fullmatch(floor.value):
            with _placed(floor):
                return read_currency(match.group(1))
    raise malformed(MT94X, f"line {message.fields[0].line}", "neither a balance nor a floor limit tells the currency")


def _balance(tagged: _Field, warnings: list[str]) -> Balance:
    match = _BALANCE.fullmatch(tagged.value)
    if match is None:
        raise malformed(MT94X, f"line {tagged.line}", f"{quoted(tagged.value)} is no balance")
    mark, digits, code, amount = match.groups()
    with _placed(tagged):
        currency = read_currency(code.upper())
        minor = _minor(amount, currency)
    dated = read_full_date(digits)
    warnings.extend(f"line {tagged.line}: {warning}" for warning in dated.warnings)
    return Balance(
        kind=_BALANCE_KINDS[tagged.tag],
        amount=Money(minor if mark.upper() == "C" else -minor, currency),
        on=dated.on,
    )


def _entries(message: _Message, currency: Currency) -> Iterator[StatementEntry]:
    entry: _Field | None = None
    told: list[str] = []
    for tagged in message.fields:
        if tagged.tag == "86":
            told.extend(tagged.lines)
        elif tagged.tag != "NS":
            if entry is not None:
                yield _entry(entry, read_details(told), currency)
            entry, told = (tagged if tagged.tag == "61" else None), []
    if entry is not None:
        yield _entry(entry, read_details(told), currency)


def _entry(tagged: _Field, details: Details, currency: Currency) -> StatementEntry:
    match = _ENTRY.fullmatch(tagged.value)
    if match is None:
        raise malformed(MT94X, f"line {tagged.line}", f"{quoted(tagged.value)} is no entry")
    value_digits, entry_digits, mark, _funds, amount, code, references = match.groups()
    direction, is_reversal, is_pending = _MARKS[mark.upper()]
    with _placed(tagged):
        money = Money(_minor(amount, currency), currency)
    valued = read_full_date(value_digits)
    booked, warnings = valued, valued.warnings
    if entry_digits and entry_digits.strip():
        booked = read_entry_date(entry_digits, near=value_digits)
        warnings += booked.warnings
    reference, _, bank_id = references.partition("//")
    return StatementEntry(
        direction=direction,
        amount=money,
        booked_on=booked.on,
        value_on=valued.on,
        position=f"line {tagged.line}",
        is_pending=is_pending,
        is_reversal=is_reversal,
        bank_id=bank_id.strip() or None,
        reference=details.reference if reference.strip() in _ELSEWHERE else reference.strip(),
        code=code.strip() if code else None,
        text=details.text or " ".join(line.strip() for line in tagged.lines[1:]),
        counterparty=details.counterparty,
        counterparty_account=details.counterparty_account or _iban_in(tagged.lines[1:]),
        details=_detail(details, direction, money),
        warnings=warnings,
    )


def _detail(details: Details, direction: Direction, amount: Money) -> tuple[EntryDetail, ...]:
    if details.end_to_end_id is None and details.structured_reference is None:
        return ()
    return (
        EntryDetail(
            direction=direction,
            amount=amount,
            end_to_end_id=details.end_to_end_id,
            counterparty=details.counterparty,
            counterparty_account=details.counterparty_account,
            structured_reference=details.structured_reference,
            text=details.text,
        ),
    )


def _iban_in(supplement: Sequence[str]) -> str | None:
    """Some banks put the other account below the entry instead of in field 86."""
    return next((line.strip() for line in supplement if _IBAN.fullmatch(line.strip())), None)


def _minor(amount: str, currency: Currency) -> int:
    # The standard knows the comma only; some banks write a point.
    return read_minor(amount, currency, decimal="," if "," in amount else ".")


@contextmanager
def _placed(tagged: _Field) -> Iterator[None]:
    """Say of what cannot be read in a field where the field stands."""
    try:
        yield
    except ValueError as error:
        raise malformed(MT94X, f"line {tagged.line}", str(error)) from error
