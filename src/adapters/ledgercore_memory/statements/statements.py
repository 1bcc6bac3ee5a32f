"""Statements, their lines and matches in memory."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from attrs import evolve

from ledgercore.clock import Clock
from ledgercore.ids import TimeOrderedIds
from ledgercore.statements.lines import NewLine, StatementLine, StatementRecord
from ledgercore.statements.matches import Match
from ledgercore_memory.statements.state import StatementsState


class MemoryStatements:
    """See the port `Statements`."""

    def __init__(self, state: StatementsState, *, clock: Clock, ids: TimeOrderedIds) -> None:
        self._state = state
        self._clock = clock
        self._ids = ids

    def lock_account(self, ledger: str, account: str) -> None:
        """See the port. Units of work come one after the other anyway."""

    def find_same(self, ledger: str, account: str, digest: bytes) -> StatementRecord | None:
        """See the port."""
        wanted = (ledger, account, digest)
        found = (each for each in self._state.records.values() if (each.ledger, each.account, each.digest) == wanted)
        return next(found, None)

    def add(self, record: StatementRecord, lines: Sequence[NewLine]) -> int:
        """See the port."""
        ledger, account = record.ledger, record.account
        number, draw = len(self._lines(ledger, account)), self._ids.batch(self._clock())
        fresh = {line.identity: line for line in lines if (ledger, account, line.identity) not in self._state.lines}
        for place, line in enumerate(fresh.values(), number + 1):
            stored = StatementLine(id=UUID(bytes=draw()), number=place, statement_id=record.id, said=line)
            self._state.lines[ledger, account, line.identity] = stored
        self._state.records[record.id] = evolve(record, lines_added=len(fresh))
        return len(fresh)

    def find(self, ledger: str, id: UUID) -> StatementRecord | None:
        """See the port."""
        found = self._state.records.get(id)
        return found if found is not None and found.ledger == ledger else None

    def list_records(
        self, ledger: str, *, account: str | None, after: UUID | None, limit: int
    ) -> Sequence[StatementRecord]:
        """See the port."""
        found = [
            record
            for id, record in sorted(self._state.records.items())
            if record.ledger == ledger and account in (None, record.account) and (after is None or id > after)
        ]
        return found[:limit]

    def list_lines(
        self, ledger: str, account: str, *, statement_id: UUID | None = None, after: int = 0, limit: int
    ) -> Sequence[StatementLine]:
        """See the port."""
        lines = self._lines(ledger, account)
        return [each for each in lines if each.number > after and statement_id in (None, each.statement_id)][:limit]

    def find_lines(self, ledger: str, account: str, ids: Sequence[UUID]) -> Sequence[StatementLine]:
        """See the port."""
        return [each for each in self._lines(ledger, account) if each.id in ids]

    def open_lines(self, ledger: str, account: str) -> Sequence[tuple[StatementLine, int]]:
        """See the port."""
        explained: Counter[UUID] = Counter()
        for match in self._standing(ledger, account):
            explained.update({each.id: each.signed_minor for each in match.lines})
        left = ((line, line.said.signed_minor - explained[line.id]) for line in self._lines(ledger, account))
        return [(line, minor) for line, minor in left if minor]

    def allocated(self, ledger: str, account: str) -> Mapping[UUID, int]:
        """See the port."""
        explained: Counter[UUID] = Counter()
        for match in self._standing(ledger, account):
            explained.update({each.id: each.signed_minor for each in match.transactions})
        return dict(explained)

    def sum_of_lines(self, ledger: str, account: str) -> tuple[int, int]:
        """See the port."""
        lines = self._lines(ledger, account)
        return len(lines), sum(each.said.signed_minor for each in lines)

    def add_matches(self, matches: Sequence[Match]) -> None:
        """See the port."""
        self._state.matches |= {match.id: match for match in matches}

    def save_match(self, match: Match) -> None:
        """See the port."""
        self._state.matches[match.id] = match

    def find_match(self, ledger: str, id: UUID) -> Match | None:
        """See the port."""
        found = self._state.matches.get(id)
        return found if found is not None and found.ledger == ledger else None

    def list_matches(
        self, ledger: str, account: str, *, after: UUID | None, limit: int, standing_only: bool = True
    ) -> Sequence[Match]:
        """See the port."""
        found = [
            match
            for id, match in sorted(self._state.matches.items())
            if (match.ledger, match.account) == (ledger, account)
            and (after is None or id > after)
            and not (standing_only and match.undone_at is not None)
        ]
        return found[:limit]

    def _lines(self, ledger: str, account: str) -> list[StatementLine]:
        return [line for (name, path, _), line in self._state.lines.items() if (name, path) == (ledger, account)]

    def _standing(self, ledger: str, account: str) -> Iterator[Match]:
        for match in self._state.matches.values():
            if (match.ledger, match.account) == (ledger, account) and match.undone_at is None:
                yield match
