"""Lines of statements as they are kept: records that never change, each known by what the bank said."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from uuid import UUID

from attrs import frozen

from ledgercore.ledger.texts import encode_json
from ledgercore.money import Money
from ledgercore.statements.statements import Direction, Statement, StatementEntry

IDENTITY_BYTES = 16


@frozen(kw_only=True)
class NewLine:
    """A line before it has an id. `identity` names what the bank said: the same in every file that says it."""

    identity: bytes
    direction: Direction
    amount: Money
    booked_on: date | None
    value_on: date | None
    text: str
    counterparty: str | None = None
    counterparty_account: str | None = None
    bank_id: str | None = None
    references: tuple[str, ...] = ()
    structured_references: tuple[str, ...] = ()
    is_reversal: bool = False

    @property
    def signed_minor(self) -> int:
        """Minor units, negative for a debit."""
        return self.direction.sign * self.amount.minor

    @property
    def on(self) -> date | None:
        """The day that counts: when it was booked, or else its value date."""
        return self.booked_on or self.value_on


@frozen(kw_only=True)
class StatementLine:
    """A stored line. `number` counts the lines of its account, in the order they were stored, from 1."""

    id: UUID
    number: int
    statement_id: UUID
    said: NewLine


@frozen(kw_only=True)
class StatementRecord:
    """A statement that was imported. Several files may have said it; kept is the first.

    `opening_minor` and `closing_minor` are `None` where the file has no such balance; `difference_minor` is what
    the statement fails to close by, `None` where that cannot be told.
    """

    id: UUID
    ledger: str
    account: str
    digest: bytes
    format: str
    file_name: str
    imported_at: datetime
    bank_account: str | None
    reference: str | None
    number: str | None
    currency: str
    exponent: int
    opening_minor: int | None
    opening_on: date | None
    closing_minor: int | None
    closing_on: date | None
    difference_minor: int | None
    entries_count: int
    pending_count: int
    lines_added: int
    warnings: tuple[str, ...] = ()


def lines_of(statement: Statement) -> Iterator[NewLine]:
    """The booked entries of a statement as lines; equal ones are told apart by their order.

    What the bank numbers is known by its number. The rest is known by everything it says and by which of its equals
    on that statement it is, so that identical twins are both kept while a file that overlaps adds nothing.
    """
    seen: Counter[bytes] = Counter()
    for entry in statement.booked:
        said = _said(entry)
        seen[said] += 1
        yield _line(entry, identity=hashlib.sha256(said + seen[said].to_bytes(4)).digest()[:IDENTITY_BYTES])


def statement_digest(statement: Statement, lines: Iterable[NewLine]) -> bytes:
    """A digest of what a statement says, whichever file it is in."""
    head = [
        statement.account, statement.number, statement.reference,
        *(None if balance is None else [balance.amount.minor, str(balance.on)]
          for balance in (statement.opening, statement.closing)),
    ]  # fmt: skip
    return hashlib.sha256(encode_json([head, [line.identity.hex() for line in lines]])).digest()


def _said(entry: StatementEntry) -> bytes:
    amount = [entry.direction, str(entry.amount.minor), entry.amount.currency.code]
    if entry.bank_id is not None:
        return encode_json([entry.bank_id, str(entry.booked_on), *amount])
    texts = (entry.text, entry.counterparty, entry.counterparty_account, entry.reference, entry.code)
    squeezed = ["".join((text or "").split()).upper() for text in texts]
    return encode_json([str(entry.booked_on), str(entry.value_on), *amount, *squeezed])


def _line(entry: StatementEntry, *, identity: bytes) -> NewLine:
    details = entry.details
    named = [entry.reference, entry.bank_id, *(name for each in details for name in (each.end_to_end_id, each.bank_id))]
    return NewLine(
        identity=identity,
        direction=entry.direction,
        amount=entry.amount,
        booked_on=entry.booked_on,
        value_on=entry.value_on,
        text=entry.text or " ".join(each.text for each in details if each.text),
        counterparty=entry.counterparty or (details[0].counterparty if len(details) == 1 else None),
        counterparty_account=entry.counterparty_account
        or (details[0].counterparty_account if len(details) == 1 else None),
        bank_id=entry.bank_id,
        references=_each_once(named),
        structured_references=_each_once(each.structured_reference for each in details),
        is_reversal=entry.is_reversal,
    )


def _each_once(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in names if name and name.strip()))
