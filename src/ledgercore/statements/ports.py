"""What statements and reconciliation need from a store, and from whoever reads files."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from ledgercore.events.ports import Work as EventsWork
from ledgercore.statements.lines import NewLine, StatementLine, StatementRecord
from ledgercore.statements.matches import Match
from ledgercore.statements.statements import Statement


class StatementReader(Protocol):
    """Reads files of banks."""

    def __call__(
        self, data: bytes, *, format: str | None, dialect: str | None, currency: str | None
    ) -> Sequence[Statement]:
        """Every statement of a file; what is not named is found out where the file tells it.

        Raises `malformed_statement` with the position, and `unknown_statement_format`.
        """
        ...


class Statements(Protocol):
    """Imported statements, their lines, and what explains them; lines never change."""

    def lock_account(self, ledger: str, account: str) -> None:
        """Let nobody else import or match for this account of a ledger until the unit of work ends."""
        ...

    def find_same(self, ledger: str, account: str, digest: bytes) -> StatementRecord | None:
        """The statement that said just this before."""
        ...

    def add(self, record: StatementRecord, lines: Sequence[NewLine]) -> int:
        """Store a statement and those of its lines that the account does not have yet; returns how many these were.

        The record is stored with that number in `lines_added`.
        """
        ...

    def find(self, ledger: str, id: UUID) -> StatementRecord | None:
        """An imported statement."""
        ...

    def list_records(
        self, ledger: str, *, account: str | None, after: UUID | None, limit: int
    ) -> Sequence[StatementRecord]:
        """At most `limit` statements after an id, in the order they were imported."""
        ...

    def list_lines(
        self, ledger: str, account: str, *, statement_id: UUID | None = None, after: int = 0, limit: int
    ) -> Sequence[StatementLine]:
        """At most `limit` lines of an account after a number, in order; those of one statement if it is named."""
        ...

    def find_lines(self, ledger: str, account: str, ids: Sequence[UUID]) -> Sequence[StatementLine]:
        """Those of the lines that are there."""
        ...

    def open_lines(self, ledger: str, account: str) -> Sequence[tuple[StatementLine, int]]:
        """Lines that matches do not explain wholly, in order, with the signed minor units that are left of each."""
        ...

    def allocated(self, ledger: str, account: str) -> Mapping[UUID, int]:
        """How much of each transaction standing matches explain, in signed minor units."""
        ...

    def sum_of_lines(self, ledger: str, account: str) -> tuple[int, int]:
        """How many lines the account has, and what they come to in signed minor units."""
        ...

    def add_matches(self, matches: Sequence[Match]) -> None:
        """Store matches."""
        ...

    def save_match(self, match: Match) -> None:
        """Replace a match, to undo it."""
        ...

    def find_match(self, ledger: str, id: UUID) -> Match | None:
        """A match, undone or not."""
        ...

    def list_matches(
        self, ledger: str, account: str, *, after: UUID | None, limit: int, standing_only: bool = True
    ) -> Sequence[Match]:
        """At most `limit` matches after an id, in the order they were made."""
        ...


class Work(EventsWork, Protocol):
    """A unit of work with statements."""

    @property
    def statements(self) -> Statements: ...


class Store(Protocol):
    """Where statements are kept with everything else."""

    def begin(self) -> AbstractContextManager[Work]:
        """A unit of work: committed at the end of the block, undone by an exception."""
        ...
