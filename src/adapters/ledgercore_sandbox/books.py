"""The bank's own books: customers, accounts, and transactions that are pending, booked or declined."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from attrs import define, evolve, field, frozen

from ledgercore.clock import Clock


class Brand(StrEnum):
    """The face of the bank that an account is held at, which decides the API that tells of it."""

    MONZO = "monzo"
    BERLIN_GROUP = "bg"


class State(StrEnum):
    """How far a transaction has got."""

    PENDING = "pending"
    BOOKED = "booked"
    DECLINED = "declined"


class UnknownName(LookupError):
    """The books have nothing of that name."""


@frozen(kw_only=True)
class Customer:
    """Somebody who may log in and let others see their accounts."""

    id: str
    name: str


@frozen(kw_only=True)
class Account:
    """An account of one customer in one currency; `opening_minor` is what it began with."""

    id: str
    brand: Brand
    customer_id: str
    currency: str
    name: str
    iban: str
    opened_at: datetime
    opening_minor: int


@frozen(kw_only=True)
class Merchant:
    """Where a card was used."""

    id: str
    name: str
    category: str


@frozen(kw_only=True)
class Row:
    """A transaction as it is now; `amount_minor` is negative where money leaves the account."""

    id: str
    account_id: str
    amount_minor: int
    description: str
    created_at: datetime
    state: State
    counterparty: str | None = None
    booked_at: datetime | None = None
    end_to_end_id: str | None = None
    merchant: Merchant | None = None
    decline_reason: str | None = None
    metadata: dict[str, str] = field(factory=dict)

    @property
    def booked_on(self) -> date:
        """The day it was booked; only of booked ones."""
        assert self.booked_at is not None
        return self.booked_at.date()


@frozen
class Balance:
    """What an account has: booked, and with all that is pending; minor units."""

    booked_minor: int
    expected_minor: int


Place = tuple[datetime, int]
"""Where a row stands: by a time, and by the order in which rows were written."""
FIRST: Final = 0


@define(kw_only=True)
class _Sheet:
    """The rows of one account in both orders, and its balance."""

    balance: Balance
    created: list[tuple[Place, str]] = field(factory=list)
    booked: list[tuple[Place, str]] = field(factory=list)
    pending: set[str] = field(factory=set)


@define
class Books:
    """Everything the bank knows; told the time by its clock. Not safe for threads by itself."""

    clock: Clock
    customers: dict[str, Customer] = field(factory=dict)
    accounts: dict[str, Account] = field(factory=dict)
    _rows: dict[str, Row] = field(factory=dict)
    _sheets: dict[str, _Sheet] = field(factory=dict)
    _places: dict[str, Place] = field(factory=dict)

    def open_account(self, account: Account) -> None:
        """Keep an account from now on."""
        self.accounts[account.id] = account
        self._sheets[account.id] = _Sheet(balance=Balance(account.opening_minor, account.opening_minor))

    def accounts_of(self, customer_id: str, brand: Brand) -> Sequence[Account]:
        """What a customer holds at one face of the bank, in the order of opening."""
        return [held for held in self.accounts.values() if (held.customer_id, held.brand) == (customer_id, brand)]

    def account(self, account_id: str) -> Account:
        """One account; raises `UnknownName`."""
        if account_id not in self.accounts:
            raise UnknownName(account_id)
        return self.accounts[account_id]

    def row(self, row_id: str) -> Row:
        """One transaction; raises `UnknownName`."""
        if row_id not in self._rows:
            raise UnknownName(row_id)
        return self._rows[row_id]

    def balance(self, account_id: str) -> Balance:
        """An account's balance now."""
        return self._sheets[account_id].balance

    def write(self, row: Row) -> Row:
        """Write a new transaction, or what has become of one with the same id."""
        sheet = self._sheets[row.account_id]
        if row.id in self._rows:
            self._erase(self._rows[row.id])
        place = self._places.setdefault(row.id, (row.created_at, len(self._places) + 1))
        self._rows[row.id] = row
        insort(sheet.created, (place, row.id))
        booked_minor, expected_minor = sheet.balance.booked_minor, sheet.balance.expected_minor
        if row.state is State.PENDING:
            sheet.pending.add(row.id)
            sheet.balance = Balance(booked_minor, expected_minor + row.amount_minor)
        elif row.state is State.BOOKED:
            insort(sheet.booked, (self._booked_place(row), row.id))
            sheet.balance = Balance(booked_minor + row.amount_minor, expected_minor + row.amount_minor)
        return row

    def settle(
        self,
        row_id: str,
        *,
        amount_minor: int | None = None,
        new_id: str | None = None,
        booked_at: datetime | None = None,
    ) -> Row:
        """Book a pending transaction, perhaps at another amount or under another id.

        Raises `UnknownName` when nothing pending has that id, or a transaction already has the new one.
        """
        pending = self._pending(row_id)
        if new_id is not None and new_id in self._rows:
            raise UnknownName(new_id)
        self.drop(row_id)
        settled = evolve(
            pending,
            id=row_id if new_id is None else new_id,
            amount_minor=pending.amount_minor if amount_minor is None else amount_minor,
            state=State.BOOKED,
            booked_at=booked_at or self.clock(),
        )
        return self.write(settled)

    def decline(self, row_id: str, *, reason: str) -> Row:
        """Turn a pending transaction down; raises `UnknownName` when nothing pending has that id."""
        return self.write(evolve(self._pending(row_id), state=State.DECLINED, decline_reason=reason))

    def amend(self, row_id: str, *, amount_minor: int) -> Row:
        """Give a pending transaction another amount; raises `UnknownName` when nothing pending has that id."""
        return self.write(evolve(self._pending(row_id), amount_minor=amount_minor))

    def annotate(self, row_id: str, notes: dict[str, str]) -> Row:
        """Add notes to a transaction, and take away those that are empty; raises `UnknownName`."""
        row = self.row(row_id)
        kept = {name: note for name, note in {**row.metadata, **notes}.items() if note}
        self._rows[row_id] = evolve(row, metadata=kept)
        return self._rows[row_id]

    def drop(self, row_id: str) -> None:
        """Let a pending transaction vanish; raises `UnknownName` when nothing pending has that id."""
        self._erase(self._pending(row_id))
        del self._rows[row_id]

    def created_after(
        self, account_id: str, since: datetime | str | None, *, before: datetime | None, limit: int
    ) -> Sequence[Row]:
        """The first rows from a time on, or behind another row; without `since` the newest. Oldest first.

        A row that has vanished still marks its place. Raises `UnknownName` for one that never was.
        """
        created = self._sheets[account_id].created
        end = len(created) if before is None else bisect_left(created, ((before, FIRST), ""))
        if since is None:
            start = max(0, end - limit)
        elif isinstance(since, str):
            start = bisect_right(created, (self.place(since), since))
        else:
            start = bisect_left(created, ((since, FIRST), ""))
        return [self._rows[row_id] for _, row_id in created[start : min(end, start + limit)]]

    def place(self, row_id: str) -> Place:
        """When a row was created and in which order, though it may be gone; raises `UnknownName`."""
        if row_id not in self._places:
            raise UnknownName(row_id)
        return self._places[row_id]

    def booked_between(
        self, account_id: str, first: date, last: date, *, offset: int, limit: int
    ) -> tuple[Sequence[Row], bool]:
        """Booked rows of the days from `first` to `last`, oldest first, and whether more follow."""
        booked = self._sheets[account_id].booked
        start = bisect_left(booked, ((_midnight(first), FIRST), "")) + offset
        end = (
            bisect_left(booked, ((_midnight(last) + timedelta(days=1), FIRST), "")) if last < date.max else len(booked)
        )
        rows = [self._rows[row_id] for _, row_id in booked[start : min(end, start + limit)]]
        return rows, start + limit < end

    def pending(self, account_id: str) -> Sequence[Row]:
        """What is pending, in the order of creation."""
        return [self._rows[row_id] for row_id in sorted(self._sheets[account_id].pending, key=self.place)]

    def rows(self, account_id: str) -> Iterator[Row]:
        """Every row of an account, in the order of creation."""
        return (self._rows[row_id] for _, row_id in self._sheets[account_id].created)

    def _pending(self, row_id: str) -> Row:
        row = self.row(row_id)
        if row.state is not State.PENDING:
            raise UnknownName(row_id)
        return row

    def _erase(self, row: Row) -> None:
        sheet, place = self._sheets[row.account_id], self._places[row.id]
        del sheet.created[bisect_left(sheet.created, (place, row.id))]
        # Only pending rows ever change: what is booked or declined stays.
        sheet.pending.remove(row.id)
        sheet.balance = Balance(sheet.balance.booked_minor, sheet.balance.expected_minor - row.amount_minor)

    def _booked_place(self, row: Row) -> Place:
        assert row.booked_at is not None
        return (row.booked_at, self._places[row.id][1])


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
