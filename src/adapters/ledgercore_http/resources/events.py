"""Events: the log as a stream to follow."""

import re
from typing import Final

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import INVALID_FILTER
from ledgercore.identity.access import LEDGER_READ
from ledgercore.ledger.events import CHUNK, event_of
from ledgercore.ledger.log.logged import by_record
from ledgercore.ledger.log.records import KIND_NAMES
from ledgercore.ledger.ports import JournalReader
from ledgercore.ledger.queries import Event
from ledgercore.ledger.report_documents import event_document
from ledgercore.pages import check_limit
from ledgercore_http.answers import Answer
from ledgercore_http.call import Call
from ledgercore_http.parameters import LIMIT, read_place
from ledgercore_http.routes import Parameter, Routes, Success
from ledgercore_http.schemas import proofs as schemas
from ledgercore_http.schemas.building import array, text, whole

ROUTES = Routes("events", "Every record of a ledger in order; its number is the offset to resume from.")
SCANNED_MAX: Final = 10 * CHUNK
"""So many records are looked at for one page, however rare the wanted types are."""
_TYPES: Final = frozenset(KIND_NAMES.values())
_ANY: Final = "|".join(map(re.escape, sorted(_TYPES)))


def _read_types(value: str, name: str) -> frozenset[str]:
    types = frozenset(value.split(","))
    if not types <= _TYPES:
        unknown = sorted(types - _TYPES)[0]
        raise ValidationError(INVALID_FILTER, field=name, value=shortened(unknown), allowed=sorted(_TYPES))
    return types


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/events",
    access=LEDGER_READ,
    query=(
        Parameter(
            name="after",
            schema=whole(minimum=0, default=0),
            read=read_place,
            default=0,
            description="The number of the last event that you have seen: `next_after` of the page before.",
        ),
        Parameter(
            name="types",
            schema=text(pattern=f"^({_ANY})(,({_ANY}))*$"),
            read=_read_types,
            default=frozenset(),
            description="Only events of these types, joined by commas.",
            example="transaction.posted,transaction.reversed",
        ),
        LIMIT,
    ),
    success=Success(schema=array(schemas.EVENT), example=[schemas.EVENT_EXAMPLE], metadata=schemas.EVENTS_METADATA),
    reasons=(INVALID_FILTER,),
)
def list_events(call: Call) -> Answer:
    """Follow what happens in a ledger.

    Ask again with `after` set to `next_after`; a page may be empty although more follows.
    """
    query = call.query
    limit = check_limit(query["limit"])
    events, next_after, has_more = _scan(call.ledger.journal, query["after"], query["types"], limit)
    pagination = {"type": "offset", "limit": limit, "has_more": has_more, "next_after": next_after}
    return call.answer([event_document(event) for event in events], pagination=pagination)


def _scan(journal: JournalReader, after: int, types: frozenset[str], limit: int) -> tuple[list[Event], int, bool]:
    """Events after a record, the last record looked at, and whether there are others after it."""
    found: list[Event] = []
    for _ in range(SCANNED_MAX // CHUNK):
        records = list(by_record(journal.read_rows(after_number=after, limit=CHUNK)))
        for record in records:
            if len(found) == limit:
                return found, after, True
            after = record[0].number
            if not types or KIND_NAMES[record[0].kind] in types:
                found.append(event_of(record))
        if len(records) < CHUNK:
            return found, after, False
    return found, after, True
