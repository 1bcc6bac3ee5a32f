"""What the ledger needs from a store. Memory and PostgreSQL keep these promises alike."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from ledgercore.ledger.accounts import Account, AccountState
from ledgercore.ledger.commands import BatchItem, Settings
from ledgercore.ledger.holds import Hold
from ledgercore.ledger.log.chain import LogEntry
from ledgercore.ledger.log.logged import JournalRow
from ledgercore.ledger.outcomes import Outcome
from ledgercore.ledger.queries import (
    AccountBalance,
    AccountEntry,
    AsOf,
    HoldFilter,
    LedgerState,
    TransactionFilter,
)
from ledgercore.ledger.transactions import PostedTransaction
from ledgercore.pages import Page


class JournalReader(Protocol):
    """What can be read of one ledger: its log, and the balances and holds that follow from it."""

    @property
    def name(self) -> str:
        """The ledger's name."""
        ...

    def state(self) -> LedgerState:
        """Where the ledger stands now."""
        ...

    def find_account(self, path: str) -> Account | None:
        """An account with its balances now; holds whose time has passed no longer count."""
        ...

    def find_accounts(self, paths: Sequence[str]) -> list[Account | None]:
        """Accounts with their balances now, in the order asked, all from one moment.

        `None` stands for one that is not there. Raises `invalid_account_path`.
        """
        ...

    def list_accounts(self, *, prefix: str = "", cursor: str | None = None, limit: int = 100) -> Page[Account]:
        """Accounts at or below a prefix, by path."""
        ...

    def balances(self, paths: Sequence[str] | None = None, *, prefix: str = "", at: AsOf) -> list[AccountBalance]:
        """Posted balances at one point, of the named accounts or of all below a prefix, by path.

        All come from one snapshot. At a recorded time, accounts that were opened later are listed only
        when named. Raises `account_not_found` for a named account that is not there and
        `recorded_time_in_future` for a recorded time that has not come yet.
        """
        ...

    def seal(self, recorded_at: datetime) -> None:
        """Make every later record come after this time, so that what was recorded by then is settled.

        Waits for a batch that is being stored. `balances` does this by itself; a snapshot must have it
        done before it begins. Raises `recorded_time_in_future` for a time that has not come yet.
        """
        ...

    def list_entries(
        self, path: str, *, cursor: str | None = None, limit: int = 100, newest_first: bool = False
    ) -> Page[AccountEntry]:
        """An account's entries in recorded order with the running balance; `account_not_found`."""
        ...

    def find_transaction(self, id: UUID) -> PostedTransaction | None:
        """A posted transaction by its id."""
        ...

    def list_transactions(
        self, wanted: TransactionFilter, *, cursor: str | None = None, limit: int = 100
    ) -> Page[PostedTransaction]:
        """Transactions that fit a filter, newest first."""
        ...

    def find_hold(self, id: UUID) -> Hold | None:
        """A hold; one whose time has passed shows as expired."""
        ...

    def list_holds(self, wanted: HoldFilter, *, cursor: str | None = None, limit: int = 100) -> Page[Hold]:
        """Holds that fit a filter, by id."""
        ...

    def log_entries(self, *, after_batch: int = 0, limit: int | None = None) -> Iterator[LogEntry]:
        """The log in order."""
        ...

    def rows(self, *, after_number: int = 0, through_number: int | None = None) -> Iterator[bytes]:
        """The stored rows in the order of the log, byte for byte as they were hashed."""
        ...

    def read_rows(self, *, after_number: int = 0, limit: int = 1_000) -> list[JournalRow]:
        """The rows of the next records, read; for subscribers that resume after a number."""
        ...

    def stored_accounts(self) -> Iterator[AccountState]:
        """Every account as it is stored, by number; for verification."""
        ...

    def stored_holds(self) -> Iterator[Hold]:
        """Every hold as it is stored; for verification."""
        ...

    def stored_hold_accounts(self) -> Iterator[tuple[UUID, tuple[str, ...]]]:
        """The accounts that each hold is found by, sorted, as they are stored; for verification."""
        ...

    def batch_of(self, number: int) -> LogEntry | None:
        """The log entry that contains a record."""
        ...


class Journal(JournalReader, Protocol):
    """One ledger's append-only log."""

    def append(self, batch: Sequence[BatchItem], *, atomic: bool = False) -> Sequence[Outcome]:
        """Carry out a batch in order, in one commit; one outcome for each item.

        Each item happens wholly or not at all; with `atomic` the whole batch does. A name (id or
        key) that is known answers as it first did, or refuses other content with
        `idempotency_key_reused`. A refusal under a name is kept for ever. Holds whose time has passed
        are let go first. Concurrent batches behave as if one came after the other.

        Raises `commit_outcome_unknown` when the connection was lost around the commit: repeat the
        batch with the same names. Raises `too_much_contention` after several attempts that met others.
        """
        ...

    def expire_holds(self) -> int:
        """Let go of every hold whose time has passed; returns how many there were."""
        ...

    def restore(self, entry: LogEntry, rows: Sequence[bytes]) -> None:
        """Append a batch of another copy of this ledger, as it is, after what is here already.

        Raises `export_diverges` unless the entry continues this log and commits to exactly these rows.
        """
        ...

    def snapshot(self) -> AbstractContextManager[JournalReader]:
        """The journal as of one moment, for reads that must agree with one another."""
        ...


class LedgerStore(Protocol):
    """Where ledgers are kept; each is closed in itself."""

    def create(self, name: str, settings: Settings | None = None) -> Journal:
        """Start a ledger; raises `ledger_already_exists` and `invalid_ledger_name`."""
        ...

    def journal(self, name: str) -> Journal:
        """A ledger that is there; raises `ledger_not_found`."""
        ...

    def names(self) -> Sequence[str]:
        """Every ledger's name, sorted."""
        ...
