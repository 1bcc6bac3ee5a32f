"""What the command line is handed by the composition root."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from ledgercore.bank import Bank
from ledgercore.clock import Clock
from ledgercore.identity.identity import Identity
from ledgercore.ledger.ports import Journal, LedgerStore
from ledgercore.statements.credit_transfers import PaymentOrder
from ledgercore.statements.status_reports import StatusReport

OK = "ok"
WARN = "warn"
FAIL = "fail"


class Check(NamedTuple):
    """One thing that `doctor` looked at: `state` is ok, warn or fail; `remedy` says what to do."""

    name: str
    state: str
    found: str
    remedy: str = ""


class Migrated(NamedTuple):
    """A database's schema before and after its migration; `before` is `None` for a new one."""

    database: str
    before: str | None
    after: str


class Store(LedgerStore, Protocol):
    """Ledgers by name, and empty ones into which an export may be restored."""

    def create_empty(self, name: str) -> Journal:
        """A ledger that has recorded nothing yet; raises `ledger_already_exists`."""
        ...


class Application(Protocol):
    """The program behind the commands: settings, time, and the databases that hold ledgers."""

    @property
    def version(self) -> str:
        """The version of the program."""
        ...

    @property
    def clock(self) -> Clock:
        """Tells the time."""
        ...

    def default_ledger(self) -> str:
        """The ledger that commands use when none is named; raises `configuration_error`."""
        ...

    def default_database(self) -> str:
        """The database that commands use when none is named, as `--database` writes it."""
        ...

    def open_store(self, database: str | None) -> AbstractContextManager[Store]:
        """The ledgers of a database, ready for use; `None` is the default one.

        Raises `configuration_error` for a name that means nothing, and the reasons of its storage.
        """
        ...

    def open_identity(self, database: str | None) -> AbstractContextManager[Identity]:
        """Users, tokens, members and the audit log of a database, ready for use; raises as `open_store` does."""
        ...

    def open_bank(self, database: str | None) -> AbstractContextManager[Bank]:
        """Jobs, events, statements, banking and payments of a database, ready for use; raises as `open_store` does."""
        ...

    def write_credit_transfers(self, order: PaymentOrder) -> bytes:
        """The file (pain.001) with which a bank is told to make payments."""
        ...

    def read_status_report(self, data: bytes) -> StatusReport:
        """What a bank answers to such a file (pain.002); raises `malformed_statement`."""
        ...

    def migrate(self, database: str | None) -> Migrated:
        """Bring a database to this version's schema."""
        ...

    def examine(self, database: str | None) -> Iterator[Check]:
        """Look at everything that postings rely on; never raises for what it finds."""
        ...
