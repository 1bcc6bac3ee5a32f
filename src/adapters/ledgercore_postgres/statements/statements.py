"""Statements and their lines in PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from attrs import asdict
from sqlalchemy import Connection, Row, case, func, insert, select

from ledgercore.clock import Clock
from ledgercore.errors import NotFoundError
from ledgercore.errors.catalog import LEDGER_NOT_FOUND
from ledgercore.ids import TimeOrderedIds
from ledgercore.money import Money, known_currency
from ledgercore.statements.lines import NewLine, StatementLine, StatementRecord
from ledgercore.statements.matches import Match
from ledgercore.statements.statements import Direction
from ledgercore_postgres.database import driver_cursor
from ledgercore_postgres.parameters import Blobs
from ledgercore_postgres.statements.matches import PostgresMatches
from ledgercore_postgres.statements.tables import MATCH_PARTS, STATEMENT_LINES, STATEMENTS
from ledgercore_postgres.tables import LEDGERS

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 5))"
_KNOWN: Final = (
    "SELECT found.identity FROM unnest(%b) AS wanted (identity), LATERAL (SELECT identity FROM statement_lines"
    " WHERE ledger_id = %s AND account = %s AND identity = wanted.identity LIMIT 1) AS found"
)
_LINE_COLUMNS: Final = tuple(column.name for column in STATEMENT_LINES.columns)
_COPY: Final = "COPY statement_lines ({}) FROM STDIN".format(", ".join(f'"{name}"' for name in _LINE_COLUMNS))


class PostgresStatements:
    """See the port `Statements`."""

    def __init__(self, connection: Connection, *, clock: Clock, ids: TimeOrderedIds) -> None:
        self._connection = connection
        self._clock = clock
        self._ids = ids
        self._matches = PostgresMatches(connection)

    def lock_account(self, ledger: str, account: str) -> None:
        """See the port."""
        driver_cursor(self._connection).execute(_LOCK, (f"{self._id_of(ledger)} {account}",))

    def find_same(self, ledger: str, account: str, digest: bytes) -> StatementRecord | None:
        """See the port."""
        found = self._connection.execute(
            select(STATEMENTS).where(
                STATEMENTS.c.ledger_id == self._id_of(ledger),
                STATEMENTS.c.account == account,
                STATEMENTS.c.digest == digest,
            )
        ).first()
        return None if found is None else _record(ledger, found)

    def add(self, record: StatementRecord, lines: Sequence[NewLine]) -> int:
        """See the port. Lines go in by COPY, whatever their number."""
        ledger_id = self._id_of(record.ledger)
        cursor = driver_cursor(self._connection)
        asked = (Blobs(line.identity for line in lines), ledger_id, record.account)
        known = {identity for (identity,) in cursor.execute(_KNOWN, asked).fetchall()}
        fresh = [line for line in {line.identity: line for line in lines}.values() if line.identity not in known]
        if fresh:
            number, draw = self._last_number(ledger_id, record.account), self._ids.batch(self._clock())
            head = {"ledger_id": ledger_id, "account": record.account, "statement_id": record.id}
            with cursor.copy(_COPY) as copy:
                for place, line in enumerate(fresh, number + 1):
                    values = {**head, "id": UUID(bytes=draw()), "number": place, **_said(line)}
                    copy.write_row([values[name] for name in _LINE_COLUMNS])
        values = {**asdict(record, recurse=False), "warnings": list(record.warnings)}
        del values["ledger"]
        self._connection.execute(
            insert(STATEMENTS).values({**values, "ledger_id": ledger_id, "lines_added": len(fresh)})
        )
        return len(fresh)

    def find(self, ledger: str, id: UUID) -> StatementRecord | None:
        """See the port."""
        found = self._connection.execute(
            select(STATEMENTS).where(STATEMENTS.c.ledger_id == self._id_of(ledger), STATEMENTS.c.id == id)
        ).first()
        return None if found is None else _record(ledger, found)

    def list_records(
        self, ledger: str, *, account: str | None, after: UUID | None, limit: int
    ) -> Sequence[StatementRecord]:
        """See the port."""
        found = select(STATEMENTS).where(STATEMENTS.c.ledger_id == self._id_of(ledger))
        if account is not None:
            found = found.where(STATEMENTS.c.account == account)
        if after is not None:
            found = found.where(STATEMENTS.c.id > after)
        return [_record(ledger, row) for row in self._connection.execute(found.order_by(STATEMENTS.c.id).limit(limit))]

    def list_lines(
        self, ledger: str, account: str, *, statement_id: UUID | None = None, after: int = 0, limit: int
    ) -> Sequence[StatementLine]:
        """See the port."""
        lines = STATEMENT_LINES.c
        found = select(STATEMENT_LINES).where(
            lines.ledger_id == self._id_of(ledger), lines.account == account, lines.number > after
        )
        if statement_id is not None:
            found = found.where(lines.statement_id == statement_id)
        return [_line(row) for row in self._connection.execute(found.order_by(lines.number).limit(limit))]

    def find_lines(self, ledger: str, account: str, ids: Sequence[UUID]) -> Sequence[StatementLine]:
        """See the port."""
        lines = STATEMENT_LINES.c
        found = select(STATEMENT_LINES).where(
            lines.ledger_id == self._id_of(ledger), lines.id.in_(list(ids)), lines.account == account
        )
        return [_line(row) for row in self._connection.execute(found.order_by(lines.number))]

    def open_lines(self, ledger: str, account: str) -> Sequence[tuple[StatementLine, int]]:
        """See the port."""
        lines, parts = STATEMENT_LINES.c, MATCH_PARTS.c
        explained = (
            select(func.coalesce(func.sum(parts.signed_minor), 0).label("minor"))
            .where(
                parts.ledger_id == lines.ledger_id,
                parts.account == lines.account,
                parts.side == "line",
                parts.item_id == lines.id,
                parts.stands,
            )
            .lateral("explained")
        )
        signed = case((lines.direction == Direction.CREDIT, lines.amount), else_=-lines.amount)
        found = (
            select(STATEMENT_LINES, (signed - explained.c.minor).label("open_minor"))
            .where(lines.ledger_id == self._id_of(ledger), lines.account == account, signed != explained.c.minor)
            .order_by(lines.number)
        )
        return [(_line(row), int(row.open_minor)) for row in self._connection.execute(found)]

    def allocated(self, ledger: str, account: str) -> Mapping[UUID, int]:
        """See the port."""
        return self._matches.allocated(self._id_of(ledger), account)

    def sum_of_lines(self, ledger: str, account: str) -> tuple[int, int]:
        """See the port."""
        lines = STATEMENT_LINES.c
        signed = case((lines.direction == Direction.CREDIT, lines.amount), else_=-lines.amount)
        found = self._connection.execute(
            select(func.count(), func.coalesce(func.sum(signed), 0)).where(
                lines.ledger_id == self._id_of(ledger), lines.account == account
            )
        ).one()
        return int(found[0]), int(found[1])

    def add_matches(self, matches: Sequence[Match]) -> None:
        """See the port. They go in by COPY, whatever their number."""
        if matches:
            self._matches.add_all(self._id_of(matches[0].ledger), matches)

    def save_match(self, match: Match) -> None:
        """See the port."""
        self._matches.save(self._id_of(match.ledger), match)

    def find_match(self, ledger: str, id: UUID) -> Match | None:
        """See the port."""
        return self._matches.find(self._id_of(ledger), ledger, id)

    def list_matches(
        self, ledger: str, account: str, *, after: UUID | None, limit: int, standing_only: bool = True
    ) -> Sequence[Match]:
        """See the port."""
        return self._matches.page(
            self._id_of(ledger), ledger, account, after=after, limit=limit, standing_only=standing_only
        )

    def _id_of(self, ledger: str) -> int:
        found: int | None = self._connection.execute(
            select(LEDGERS.c.ledger_id).where(LEDGERS.c.name == ledger)
        ).scalar()
        if found is None:
            raise NotFoundError(LEDGER_NOT_FOUND, ledger=ledger)
        return found

    def _last_number(self, ledger_id: int, account: str) -> int:
        lines = STATEMENT_LINES.c
        number: int | None = self._connection.execute(
            select(lines.number)
            .where(lines.ledger_id == ledger_id, lines.account == account)
            .order_by(lines.number.desc())
            .limit(1)
        ).scalar()
        return number or 0


def _said(line: NewLine) -> dict[str, Any]:
    return {
        "identity": line.identity,
        "direction": line.direction.value,
        "amount": line.amount.minor,
        "currency": line.amount.currency.code,
        "exponent": line.amount.currency.exponent,
        "booked_on": line.booked_on,
        "value_on": line.value_on,
        "text": line.text,
        "counterparty": line.counterparty,
        "counterparty_account": line.counterparty_account,
        "bank_id": line.bank_id,
        "references": list(line.references),
        "structured_references": list(line.structured_references),
        "is_reversal": line.is_reversal,
    }


def _line(row: Row[Any]) -> StatementLine:
    said = NewLine(
        identity=row.identity,
        direction=Direction(row.direction),
        amount=Money(int(row.amount), known_currency(row.currency, row.exponent)),
        booked_on=row.booked_on,
        value_on=row.value_on,
        text=row.text,
        counterparty=row.counterparty,
        counterparty_account=row.counterparty_account,
        bank_id=row.bank_id,
        references=tuple(row.references),
        structured_references=tuple(row.structured_references),
        is_reversal=row.is_reversal,
    )
    return StatementLine(id=row.id, number=row.number, statement_id=row.statement_id, said=said)


def _record(ledger: str, row: Row[Any]) -> StatementRecord:
    values = row._asdict()
    del values["ledger_id"]
    minor = {name: None if values[name] is None else int(values[name]) for name in _MINOR_FIELDS}
    return StatementRecord(ledger=ledger, **{**values, **minor, "warnings": tuple(row.warnings)})


_MINOR_FIELDS: Final = ("opening_minor", "closing_minor", "difference_minor")
