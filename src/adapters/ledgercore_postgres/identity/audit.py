"""The audit log in PostgreSQL: one entry after the other, in the order of their commits."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Text, cast, select

from ledgercore.clock import Clock
from ledgercore.identity.audit import AuditEntry, AuditEvent, AuditFilter, next_audit_entries
from ledgercore.ids import TimeOrderedIds
from ledgercore.ledger.log.chain import LogEntry
from ledgercore_postgres.database import driver_cursor
from ledgercore_postgres.identity.tables import AUDIT
from ledgercore_postgres.parameters import BigIntegers, Blobs, Moments, Texts
from ledgercore_postgres.turns import take_turn

CHUNK_ENTRIES: Final = 1_000
_LAST: Final = "SELECT number, recorded_at, root, head FROM audit ORDER BY number DESC LIMIT 1"
_INSERT: Final = (
    # What entries are found by follows from the body, so that it cannot say anything else.
    "INSERT INTO audit (number, recorded_at, body, root, head)"
    " SELECT number, recorded_at, body::json, root, head"
    " FROM unnest(%b, %b, %b, %b, %b) AS new (number, recorded_at, body, root, head)"
)
_ENTRIES: Final = select(
    AUDIT.c.number, AUDIT.c.recorded_at, AUDIT.c.root, AUDIT.c.head, cast(AUDIT.c.body, Text).label("body")
)


class PostgresAuditLog:
    """See the port `AuditLog`."""

    def __init__(self, connection: Connection, *, clock: Clock, ids: TimeOrderedIds) -> None:
        self._connection = connection
        self._clock = clock
        self._ids = ids

    def append(self, event: AuditEvent) -> AuditEntry:
        """See the port."""
        [entry] = self.append_all([event])
        return entry

    def append_all(self, events: Sequence[AuditEvent]) -> Sequence[AuditEntry]:
        """See the port. From here until the unit of work ends nobody else appends: do it last."""
        if not events:
            return []
        cursor = driver_cursor(self._connection)
        last = take_turn(cursor, _LAST)
        entries = next_audit_entries(
            None if last is None else _log_entry(*last), events, now=self._clock(), ids=self._ids
        )
        logged = [entry.log for entry in entries]
        cursor.execute(
            _INSERT,
            (
                BigIntegers(log.batch for log in logged),
                Moments(log.recorded_at for log in logged),
                Texts(entry.body.decode() for entry in entries),
                Blobs(log.root for log in logged),
                Blobs(log.head for log in logged),
            ),
        )
        return entries

    def list_before(self, wanted: AuditFilter, *, before: int | None, limit: int) -> Sequence[AuditEntry]:
        """See the port."""
        bound = () if before is None else (AUDIT.c.number < before,)
        found = _ENTRIES.where(*_fits(wanted), *bound).order_by(AUDIT.c.number.desc()).limit(limit)
        return [_entry(row) for row in self._connection.execute(found)]

    def entries(self, *, after: int = 0) -> Iterator[AuditEntry]:
        """See the port. Read in chunks, since a log may be long."""
        while True:
            found = _ENTRIES.where(AUDIT.c.number > after).order_by(AUDIT.c.number).limit(CHUNK_ENTRIES)
            chunk = [_entry(row) for row in self._connection.execute(found)]
            yield from chunk
            if len(chunk) < CHUNK_ENTRIES:
                return
            after = chunk[-1].log.batch


def _fits(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    """The filter's conditions; times become numbers, since later entries have both later."""
    texts = ((AUDIT.c.action, wanted.action), (AUDIT.c.actor, wanted.actor), (AUDIT.c.target, wanted.target),
             (AUDIT.c.correlation_id, wanted.correlation_id))  # fmt: skip
    fitting: list[ColumnElement[bool]] = [column == value for column, value in texts if value is not None]
    number = select(AUDIT.c.number).limit(1)
    if wanted.since is not None:
        first = number.where(AUDIT.c.recorded_at >= wanted.since).order_by(AUDIT.c.recorded_at)
        fitting.append(AUDIT.c.number >= first.scalar_subquery())
    if wanted.until is not None:
        last = number.where(AUDIT.c.recorded_at <= wanted.until).order_by(AUDIT.c.recorded_at.desc())
        fitting.append(AUDIT.c.number <= last.scalar_subquery())
    return fitting


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(body=row.body.encode(), log=_log_entry(row.number, row.recorded_at, row.root, row.head))


def _log_entry(number: int, recorded_at: Any, root: bytes, head: bytes) -> LogEntry:
    return LogEntry(
        batch=number, first_number=number, last_number=number, recorded_at=recorded_at, root=root, head=head
    )
