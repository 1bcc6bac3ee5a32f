"""Merging what a bank tells into what is known of it: every transaction once, whatever the bank repeats or changes."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import Factory, define, evolve, field, frozen

from ledgercore.banking.findings import AMBIGUOUS, FOREIGN_CURRENCY, PAYMENT_DIFFERS, ROW_MISSING, NewFinding
from ledgercore.banking.observations import RowSeen, RowStatus
from ledgercore.banking.rows import BankRow, RowState, effective_at, fingerprint_of, signed_minor

WINDOW: Final = timedelta(days=14)
"""How far apart a pending row and what it was booked as may be, when nothing but amount and counterparty agree."""
VANISHED: Final = "the bank does not tell of it any more"
_ID: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}(?![0-9a-f])")


@frozen(kw_only=True)
class OwnPayment:
    """A completed payment of ours on the account, which the bank tells of some time later."""

    payment_id: UUID
    transaction_id: UUID
    signed_minor: int


@frozen(kw_only=True)
class Move:
    """What a merged row does to the ledger: a posting, or with `reverses` the undoing of an earlier one."""

    transaction_id: UUID
    signed_minor: int
    effective_at: datetime
    description: str
    external_id: str | None = None
    reverses: UUID | None = None


@frozen(kw_only=True)
class Merged:
    """What to store: rows that are new or changed, moves of the ledger in order, and what could not be decided."""

    rows: tuple[BankRow, ...]
    moves: tuple[Move, ...]
    findings: tuple[NewFinding, ...]


@frozen(kw_only=True)
class Listing:
    """The reading of an account's transactions that rows are merged in.

    `draw_id` draws time-ordered ids; `own` are payments of ours that rows mention, none of them linked to a row yet.
    """

    id: UUID
    account_id: UUID
    currency: str
    now: datetime
    draw_id: Callable[[], UUID]
    own: Mapping[UUID, OwnPayment] = field(factory=dict)


def merge_rows(known: Iterable[BankRow], seen: Sequence[RowSeen], listing: Listing) -> Merged:
    """Decide what each row that the bank tells is: one that is known, or a new one.

    `known` has every row that has the id or the fingerprint of one that is seen, and every pending one. A row is known
    by the bank's id. Without a known id, a pending row is what is seen if they share a reference, or else if direction,
    amount and counterparty agree and not more than two weeks lie between them. Where several fit that are not twins,
    the row counts as new and a finding says so. Two booked rows with different ids are never the same. What is
    booked stays booked when it is told as pending again; what the bank changes of it is undone and posted anew.
    """
    merger = _Merger(listing, {row.id: row for row in known})
    named = {row.seen.external_id: row.id for row in merger.rows.values() if row.seen.external_id is not None}
    merger.reserved = {named[each.external_id] for each in seen if each.external_id in named}
    for each in seen:
        row_id = None if each.external_id is None else named.get(each.external_id)
        row_id = merger.take(each, row_id or merger.find_unnamed(each))
        if each.external_id is not None:
            named[each.external_id] = row_id
    return Merged(
        rows=tuple(merger.rows[id] for id in merger.changed),
        moves=tuple(merger.moves),
        findings=tuple(merger.findings),
    )


def without_vanished(unseen: Iterable[BankRow], *, now: datetime) -> Merged:
    """What becomes of rows that a whole listing did not tell of any more.

    Pending ones are dropped with a note. A booked one without an id stays booked, and a finding says so once.
    """
    rows, findings = [], []
    for row in unseen:
        if row.state is RowState.PENDING:
            rows.append(evolve(row, state=RowState.DROPPED, changed_at=now, note=VANISHED))
        elif row.note is None:
            rows.append(evolve(row, changed_at=now, note=VANISHED))
            findings.append(NewFinding(kind=ROW_MISSING, details=_told(row.seen, row=str(row.id))))
    return Merged(rows=tuple(rows), moves=(), findings=tuple(findings))


@define
class _Merger:
    listing: Listing
    rows: dict[UUID, BankRow]
    reserved: set[UUID] = Factory(set)
    """Rows that the bank tells of by their ids in this very page: nothing else is one of them."""
    changed: dict[UUID, None] = Factory(dict)
    moves: list[Move] = Factory(list)
    findings: list[NewFinding] = Factory(list)

    def find_unnamed(self, seen: RowSeen) -> UUID | None:
        """The known row that something seen without a known id is; `None` for a new one."""
        if seen.external_id is None and (twin := self._unseen_twin(seen)) is not None:
            return twin.id
        open_rows = [row for row in self.rows.values() if row.state is RowState.PENDING and row.id not in self.reserved]
        related = [row for row in open_rows if _names(row.seen) & _names(seen)]
        if len(related) > 1:
            related = [row for row in related if row.signed_minor == self._signed(seen)] or related
        if not related and seen.status is RowStatus.BOOKED:
            related = [row for row in open_rows if row.listing_id != self.listing.id and self._resembles(row, seen)]
        if len({row.fingerprint for row in related}) > 1:
            self._note(AMBIGUOUS, seen, rows=[str(row.id) for row in related])
            return None
        return min(related, key=lambda row: row.id).id if related else None

    def take(self, seen: RowSeen, row_id: UUID | None) -> UUID:
        """Bring what is seen into a known row or a new one; returns its id."""
        if row_id is None:
            row = self._new_row(seen)
            self._save(self._booked(row) if seen.status is RowStatus.BOOKED else row)
            return row.id
        row = self.rows[row_id]
        if seen.external_id is None and row.seen.external_id is None and _are_pending_twins(row, seen):
            # Where pending rows have no date, the bank's own clock stands in for it, and goes on.
            seen = evolve(seen, created_at=row.seen.created_at)
        told = row.told(seen, currency=self.listing.currency, now=self.listing.now)
        match row.state, seen.status:
            case RowState.BOOKED | RowState.DECLINED, RowStatus.PENDING:
                # It comes late: the bank has said more of it already.
                return row_id
            case RowState.BOOKED, RowStatus.BOOKED:
                told = self._amended(row, evolve(told, note=None))
            case RowState.BOOKED, RowStatus.DECLINED:
                told = self._undone(row, evolve(told, state=RowState.DECLINED))
            case _, RowStatus.BOOKED:
                told = self._booked(evolve(told, state=RowState.BOOKED, note=None))
            case _, RowStatus.DECLINED:
                told = evolve(told, state=RowState.DECLINED, note=None)
            case _:
                told = evolve(told, state=RowState.PENDING, note=None)
        if told.state is RowState.PENDING or told.seen.external_id is None:
            told = evolve(told, listing_id=self.listing.id)
        if told != row:
            self._save(told)
        return row_id

    def _new_row(self, seen: RowSeen) -> BankRow:
        return BankRow(
            id=self.listing.draw_id(),
            account_id=self.listing.account_id,
            seen=seen,
            state=RowState(seen.status),
            signed_minor=self._signed(seen),
            listing_id=self.listing.id,
            first_seen_at=self.listing.now,
            changed_at=self.listing.now,
        )

    def _unseen_twin(self, seen: RowSeen) -> BankRow | None:
        """The row that looks the same and was not told of in this listing yet, rather one in the same state."""
        fingerprint = fingerprint_of(seen)
        twins = [
            row
            for row in self.rows.values()
            if row.seen.external_id is None
            and row.listing_id != self.listing.id
            and not (row.state is RowState.BOOKED and seen.status is RowStatus.PENDING)
            and (row.fingerprint == fingerprint or _are_pending_twins(row, seen))
        ]
        return min(twins, key=lambda row: (row.state.value != seen.status.value, row.id), default=None)

    def _resembles(self, row: BankRow, seen: RowSeen) -> bool:
        return (
            row.signed_minor == self._signed(seen)
            and row.seen.money.currency == seen.money.currency
            and _counterparties_agree(row.seen, seen)
            and abs(effective_at(seen) - row.seen.created_at) <= WINDOW
        )

    def _booked(self, row: BankRow) -> BankRow:
        """The row with its posting, or with the payment of ours that it is."""
        if row.seen.money.currency.code != self.listing.currency:
            self._note(FOREIGN_CURRENCY, row.seen, row=str(row.id), currency=row.seen.money.currency.code)
            return row
        mentioned = [self.listing.own[id] for id in mentions(row.seen) if id in self.listing.own]
        linked = {other.payment_id for other in self.rows.values()}
        for payment in mentioned:
            if payment.payment_id not in linked and payment.signed_minor == row.signed_minor:
                return evolve(row, transaction_id=payment.transaction_id, payment_id=payment.payment_id)
        if mentioned:
            self._note(PAYMENT_DIFFERS, row.seen, row=str(row.id), payment_id=str(mentioned[0].payment_id))
        return self._posted(row)

    def _posted(self, row: BankRow) -> BankRow:
        if row.signed_minor == 0:
            return row
        id = self.listing.draw_id()
        self.moves.append(
            Move(
                transaction_id=id,
                signed_minor=row.signed_minor,
                effective_at=effective_at(row.seen),
                description=row.seen.description,
                external_id=row.seen.external_id,
            )
        )
        return evolve(row, transaction_id=id)

    def _amended(self, row: BankRow, told: BankRow) -> BankRow:
        """A booked row as the bank tells it now: undone and posted anew when its amount or its day is another."""
        same_day = effective_at(row.seen).date() == effective_at(told.seen).date()
        if row.signed_minor == told.signed_minor and same_day and row.seen.money.currency == told.seen.money.currency:
            return told
        if row.payment_id is not None:
            if row.signed_minor == told.signed_minor:
                return told
            self._note(PAYMENT_DIFFERS, told.seen, row=str(row.id), payment_id=str(row.payment_id))
            return evolve(told, signed_minor=row.signed_minor)
        return self._booked(self._undone(row, told))

    def _undone(self, row: BankRow, told: BankRow) -> BankRow:
        if row.payment_id is not None:
            self._note(PAYMENT_DIFFERS, told.seen, row=str(row.id), payment_id=str(row.payment_id))
        elif row.transaction_id is not None:
            self.moves.append(
                Move(
                    transaction_id=self.listing.draw_id(),
                    signed_minor=-row.signed_minor,
                    effective_at=effective_at(row.seen),
                    description=f"changed by the bank: {row.seen.description}",
                    reverses=row.transaction_id,
                )
            )
        return evolve(told, transaction_id=None, payment_id=None)

    def _signed(self, seen: RowSeen) -> int:
        return signed_minor(seen, self.listing.currency)

    def _save(self, row: BankRow) -> None:
        self.rows[row.id] = row
        self.changed[row.id] = None

    def _note(self, kind: str, seen: RowSeen, **details: object) -> None:
        self.findings.append(NewFinding(kind=kind, details=_told(seen, **details)))


def mentions(seen: RowSeen) -> tuple[UUID, ...]:
    """Ids in a row's texts that may be those of payments of ours, with hyphens or without."""
    return tuple(UUID(id) for id in _ID.findall(" ".join((*seen.references, seen.description))))


def _told(seen: RowSeen, **details: object) -> dict[str, object]:
    return {
        "external_id": seen.external_id,
        "direction": seen.direction,
        "amount_minor": str(seen.money.minor),
        "currency": seen.money.currency.code,
        "created_at": seen.created_at.isoformat(),
        **details,
    }


def _names(seen: RowSeen) -> set[str]:
    return {*seen.references, *([] if seen.external_id is None else [seen.external_id])}


def _looks(seen: RowSeen) -> tuple[object, ...]:
    """What stays the same of a pending row that has neither an id nor a date of its own."""
    return seen.direction, seen.money, seen.description, seen.counterparty, sorted(seen.references)


def _are_pending_twins(row: BankRow, seen: RowSeen) -> bool:
    return row.state is RowState.PENDING and seen.status is RowStatus.PENDING and _looks(row.seen) == _looks(seen)


def _counterparties_agree(first: RowSeen, second: RowSeen) -> bool:
    if first.counterparty and second.counterparty:
        return first.counterparty.casefold() == second.counterparty.casefold()
    return first.description.casefold() == second.description.casefold()
