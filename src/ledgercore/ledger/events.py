"""The log as a stream of events: every record is one, and its number is the offset to resume from."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from ledgercore.ledger.log.logged import JournalRow, by_record
from ledgercore.ledger.log.records import KIND_NAMES
from ledgercore.ledger.ports import Journal
from ledgercore.ledger.queries import Event

CHUNK: Final = 1_000


def events_of(journal: Journal, *, after_number: int, types: frozenset[str], limit: int) -> Iterator[Event]:
    """The events after a record in order, at most `limit` of the wanted types; every type when none is named."""
    found = 0
    while rows := journal.read_rows(after_number=after_number, limit=CHUNK):
        for record in by_record(rows):
            after_number = record[0].number
            if not types or KIND_NAMES[record[0].kind] in types:
                yield event_of(record)
                found += 1
                if found == limit:
                    return


def event_of(record: list[JournalRow]) -> Event:
    """One record as an event; account numbers stay, since `account.opened` tells them."""
    first = record[0]
    data: dict[str, Any] = {
        "effective_at": first.effective_at.isoformat(),
        "key": first.key,
        "description": first.description,
        "reference": first.reference,
        "metadata": first.metadata,
        "subject": first.subject and str(first.subject),
        "lines": [_line(row) for row in record if row.amount is not None],
        "body": first.body,
    }
    return Event(
        number=first.number,
        type=KIND_NAMES[first.kind],
        id=UUID(bytes=first.id.bytes),
        recorded_at=first.recorded_at,
        data={name: value for name, value in data.items() if value not in (None, [], {})},
    )


def _line(row: JournalRow) -> Mapping[str, Any]:
    return {
        "debit_account": row.debit_account,
        "credit_account": row.credit_account,
        "amount_minor": str(row.amount),
        "debit_balance_minor": None if row.debit_balance is None else str(row.debit_balance),
        "credit_balance_minor": None if row.credit_balance is None else str(row.credit_balance),
    }
