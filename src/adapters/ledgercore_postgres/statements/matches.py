"""Matches in PostgreSQL: a row for each, and one for each part that it explains."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from attrs import asdict
from psycopg.types.json import Json
from sqlalchemy import Connection, Row, Table, func, select, update

from ledgercore.statements.matches import Allocation, Match, Stage
from ledgercore_postgres.database import driver_cursor
from ledgercore_postgres.statements.tables import MATCH_PARTS, MATCHES

LINE, TRANSACTION = "line", "transaction"


class PostgresMatches:
    """The part of the port `Statements` that is about matches."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_all(self, ledger_id: int, matches: Sequence[Match]) -> None:
        """Store matches with their parts."""
        heads = ({**_values(match), "why": Json(dict(match.why)), "ledger_id": ledger_id} for match in matches)
        self._copy(MATCHES, heads)
        self._copy(MATCH_PARTS, (part for match in matches for part in _parts(ledger_id, match)))

    def _copy(self, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
        names = [column.name for column in table.columns]
        with driver_cursor(self._connection).copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([row[name] for name in names])

    def save(self, ledger_id: int, match: Match) -> None:
        """Replace a match; the parts of an undone one explain nothing any more."""
        self._connection.execute(
            update(MATCHES).where(MATCHES.c.ledger_id == ledger_id, MATCHES.c.id == match.id).values(_values(match))
        )
        self._connection.execute(
            update(MATCH_PARTS)
            .where(MATCH_PARTS.c.ledger_id == ledger_id, MATCH_PARTS.c.match_id == match.id)
            .values(stands=match.undone_at is None)
        )

    def find(self, ledger_id: int, ledger: str, id: UUID) -> Match | None:
        """A match by its id."""
        rows = self._connection.execute(
            select(MATCHES).where(MATCHES.c.ledger_id == ledger_id, MATCHES.c.id == id)
        ).all()
        return next(iter(self._matches(ledger_id, ledger, rows)), None)

    def page(
        self, ledger_id: int, ledger: str, account: str, *, after: UUID | None, limit: int, standing_only: bool
    ) -> Sequence[Match]:
        """Matches of an account after an id, in order."""
        found = select(MATCHES).where(MATCHES.c.ledger_id == ledger_id, MATCHES.c.account == account)
        if after is not None:
            found = found.where(MATCHES.c.id > after)
        if standing_only:
            found = found.where(MATCHES.c.undone_at.is_(None))
        rows = self._connection.execute(found.order_by(MATCHES.c.id).limit(limit)).all()
        return self._matches(ledger_id, ledger, rows)

    def allocated(self, ledger_id: int, account: str) -> Mapping[UUID, int]:
        """How much of each transaction standing matches explain."""
        parts = MATCH_PARTS.c
        found = (
            select(parts.item_id, func.sum(parts.signed_minor))
            .where(parts.ledger_id == ledger_id, parts.account == account, parts.side == TRANSACTION, parts.stands)
            .group_by(parts.item_id)
        )
        return {id: int(minor) for id, minor in self._connection.execute(found)}

    def _matches(self, ledger_id: int, ledger: str, rows: Sequence[Row[Any]]) -> list[Match]:
        parts = MATCH_PARTS.c
        sides: dict[tuple[UUID, str], list[Allocation]] = defaultdict(list)
        wanted = select(parts.match_id, parts.side, parts.item_id, parts.signed_minor).where(
            parts.ledger_id == ledger_id, parts.match_id.in_([row.id for row in rows])
        )
        for match_id, side, item_id, minor in self._connection.execute(wanted.order_by(parts.item_id)):
            sides[match_id, side].append(Allocation(id=item_id, signed_minor=int(minor)))
        return [_match(ledger, row, sides[row.id, LINE], sides[row.id, TRANSACTION]) for row in rows]


def _parts(ledger_id: int, match: Match) -> Iterator[Mapping[str, Any]]:
    head = {"ledger_id": ledger_id, "match_id": match.id, "account": match.account, "stands": True}
    for side, parts in ((LINE, match.lines), (TRANSACTION, match.transactions)):
        for part in parts:
            yield {**head, "side": side, "item_id": part.id, "signed_minor": part.signed_minor}


def _values(match: Match) -> dict[str, Any]:
    values = asdict(match, recurse=False)
    for name in ("ledger", "lines", "transactions"):
        del values[name]
    return {**values, "stage": match.stage.value, "why": dict(match.why)}


def _match(ledger: str, row: Row[Any], lines: Sequence[Allocation], transactions: Sequence[Allocation]) -> Match:
    values = row._asdict()
    del values["ledger_id"]
    values |= {"stage": Stage(row.stage), "tolerance_minor": int(row.tolerance_minor)}
    return Match(ledger=ledger, lines=tuple(lines), transactions=tuple(transactions), **values)
