"""What plain-text journals share: transactions in the order in which they count, and balances to assert."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from attrs import frozen

from ledgercore.ledger.accounts import AccountState
from ledgercore.ledger.files.export_records import AccountBook
from ledgercore.ledger.files.text_lines import nothing
from ledgercore.ledger.log.logged import JournalRow, by_record, read_row
from ledgercore.ledger.log.records import POSTING_KINDS
from ledgercore.ledger.ports import JournalReader


class Posting(NamedTuple):
    """An entry of a journal: minor units with debits positive, and the balance to assert after it."""

    account: AccountState
    minor: int
    asserted: int | None


@frozen(kw_only=True)
class JournalEntry:
    """A transaction as a journal has it; `day` is the UTC date on which it counts."""

    day: date
    number: int
    id: UUID
    key: str | None
    description: str | None
    reference: str | None
    postings: tuple[Posting, ...]


class _Kept(NamedTuple):
    effective_at: datetime
    number: int
    id: UUID
    key: str | None
    description: str | None
    reference: str | None
    moves: tuple[tuple[int, int], ...]


class EffectiveOrder:
    """Every transaction of a ledger, ordered by when it counts, with the accounts in order of their paths.

    Each account's balance is asserted after its last posting of every month, so also after its very
    last. All transactions are kept in memory to be sorted, some hundred bytes each: so does every
    program that reads the journal afterwards.
    """

    def __init__(self, journal: JournalReader, *, advance: Callable[[int], None] = nothing) -> None:
        self.state = journal.state()
        book = AccountBook()
        self._kept: list[_Kept] = []
        rows = (read_row(row) for row in journal.rows(through_number=self.state.number))
        for record in by_record(rows):
            first = record[0]
            book.learn(first.kind, first.body, first.effective_at)
            if first.kind in POSTING_KINDS:
                self._kept.append(_kept(record))
            advance(1)
        self._kept.sort(key=lambda kept: kept[:2])
        self._by_number = book.by_number
        self.accounts: Sequence[AccountState] = sorted(book.by_number.values(), key=lambda state: state.path)

    def first_days(self) -> dict[str, date]:
        """The day before which an account is not used: that of its opening or its first posting."""
        days = {state.path: state.opened_at.date() for state in self.accounts}
        for kept in self._kept:
            for number, _ in kept.moves:
                path = self._by_number[number].path
                days[path] = min(days[path], kept.effective_at.date())
        return days

    def __iter__(self) -> Iterator[JournalEntry]:
        """The transactions with their assertions."""
        last = self._last_of_months()
        balances = dict.fromkeys(self._by_number, 0)
        for index, kept in enumerate(self._kept):
            postings = []
            for place, (number, minor) in enumerate(kept.moves):
                balances[number] += minor
                asserted = balances[number] if (index, place) in last else None
                postings.append(Posting(self._by_number[number], minor, asserted))
            yield JournalEntry(
                day=kept.effective_at.date(),
                number=kept.number,
                id=kept.id,
                key=kept.key,
                description=kept.description,
                reference=kept.reference,
                postings=tuple(postings),
            )

    def _last_of_months(self) -> set[tuple[int, int]]:
        last: dict[tuple[int, int, int], tuple[int, int]] = {}
        for index, kept in enumerate(self._kept):
            year, month = kept.effective_at.year, kept.effective_at.month
            for place, (number, _) in enumerate(kept.moves):
                last[number, year, month] = (index, place)
        return set(last.values())


def one_line(text: str) -> str:
    """Text without anything that would end a line or steer a terminal: such characters become blanks."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def aligned(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Account names on the left and amounts on the right."""
    listed = list(rows)
    width = max((len(name) for name, _ in listed), default=0)
    digits = max((len(amount.partition(" ")[0]) for _, amount in listed), default=0)
    for name, amount in listed:
        number, blank, rest = amount.partition(" ")
        yield f"    {name.ljust(width)}  {number.rjust(digits)}{blank}{rest}"


def _kept(record: Sequence[JournalRow]) -> _Kept:
    first = record[0]
    moves = []
    for row in record:
        assert row.amount is not None
        if row.debit_account is not None:
            moves.append((row.debit_account, row.amount))
        if row.credit_account is not None:
            moves.append((row.credit_account, -row.amount))
    return _Kept(
        first.effective_at, first.number, first.id, first.key, first.description, first.reference, tuple(moves)
    )
