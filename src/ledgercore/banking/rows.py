"""What banks told of transactions, each kept once, with what was told of it before."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from attrs import evolve, frozen

from ledgercore.banking.observations import RowSeen, RowStatus
from ledgercore.ledger.texts import encode_json, parse_moment
from ledgercore.money import Money
from ledgercore.money.currency import ISO
from ledgercore.statements.statements import Direction

HISTORY_MAX: Final = 50
"""How many earlier tellings of a row are kept."""


class RowState(StrEnum):
    """How a row stands here: as the bank says, or DROPPED when a pending one is not told of any more."""

    PENDING = "PENDING"
    BOOKED = "BOOKED"
    DECLINED = "DECLINED"
    DROPPED = "DROPPED"


@frozen(kw_only=True)
class Telling:
    """What the bank said of a row until a time, when it said something else."""

    until: datetime
    seen: RowSeen


@frozen(kw_only=True)
class BankRow:
    """A transaction at the bank, told once or many times.

    `transaction_id` is what it is in the ledger: a posting of its own, or the one of a payment of ours, which
    `payment_id` then names. `signed_minor` counts in the account's currency and is 0 for a row of another.
    `listing_id` is the last listing of the account that it was looked for and found in.
    """

    id: UUID
    account_id: UUID
    seen: RowSeen
    state: RowState
    signed_minor: int
    listing_id: UUID
    first_seen_at: datetime
    changed_at: datetime
    transaction_id: UUID | None = None
    payment_id: UUID | None = None
    history: tuple[Telling, ...] = ()
    note: str | None = None

    @property
    def fingerprint(self) -> bytes:
        """What a row without an id of the bank's is known by."""
        return fingerprint_of(self.seen)

    def told(self, seen: RowSeen, *, currency: str, now: datetime) -> "BankRow":
        """The row as the bank tells it now; what it said before goes into the history."""
        if seen == self.seen:
            return self
        return evolve(
            self,
            seen=seen,
            signed_minor=signed_minor(seen, currency),
            changed_at=now,
            history=(*self.history, Telling(until=now, seen=self.seen))[-HISTORY_MAX:],
        )


def signed_minor(seen: RowSeen, currency: str) -> int:
    """What a row moves an account of a currency by: negative for a debit, nothing in another currency."""
    return seen.direction.sign * seen.money.minor if seen.money.currency.code == currency else 0


def effective_at(seen: RowSeen) -> datetime:
    """When a booked row counts."""
    return seen.booked_at or seen.created_at


def fingerprint_of(seen: RowSeen) -> bytes:
    """A digest of what stays the same while a row without an id is told again and again; twins have the same."""
    parts = [
        seen.direction, seen.money.currency.code, seen.money.minor, seen.created_at.date().isoformat(),
        seen.description, seen.counterparty, sorted(seen.references),
    ]  # fmt: skip
    return hashlib.sha256(encode_json(parts)).digest()


def row_document(row: BankRow) -> dict[str, Any]:
    """What stores keep of a row beside the columns that it is found by."""
    return {
        "seen": _seen_document(row.seen),
        "history": [{"until": past.until.isoformat(), "seen": _seen_document(past.seen)} for past in row.history],
        "first_seen_at": row.first_seen_at.isoformat(),
        "changed_at": row.changed_at.isoformat(),
        "note": row.note,
    }


def row_from(document: Mapping[str, Any], **columns: Any) -> BankRow:
    """Read a row back from what `row_document` made and its columns."""
    return BankRow(
        seen=_seen_from(document["seen"]),
        history=tuple(
            Telling(until=parse_moment(past["until"], field="until"), seen=_seen_from(past["seen"]))
            for past in document["history"]
        ),
        first_seen_at=parse_moment(document["first_seen_at"], field="first_seen_at"),
        changed_at=parse_moment(document["changed_at"], field="changed_at"),
        note=document["note"],
        **columns,
    )


def _seen_document(seen: RowSeen) -> dict[str, Any]:
    return {
        "external_id": seen.external_id,
        "status": seen.status,
        "direction": seen.direction,
        "minor": str(seen.money.minor),
        "currency": seen.money.currency.code,
        "description": seen.description,
        "created_at": seen.created_at.isoformat(),
        "booked_at": None if seen.booked_at is None else seen.booked_at.isoformat(),
        "counterparty": seen.counterparty,
        "references": list(seen.references),
        "decline_reason": seen.decline_reason,
    }


def _seen_from(document: Mapping[str, Any]) -> RowSeen:
    booked_at = document["booked_at"]
    return RowSeen(
        external_id=document["external_id"],
        status=RowStatus(document["status"]),
        direction=Direction(document["direction"]),
        money=Money(int(document["minor"]), ISO.get(document["currency"])),
        description=document["description"],
        created_at=parse_moment(document["created_at"], field="created_at"),
        booked_at=None if booked_at is None else parse_moment(booked_at, field="booked_at"),
        counterparty=document["counterparty"],
        references=tuple(document["references"]),
        decline_reason=document["decline_reason"],
    )
