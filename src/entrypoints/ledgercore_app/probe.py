"""Probes: what orchestrators and operators ask a running service about itself."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import frozen

from ledgercore.errors import LedgercoreError
from ledgercore.ledger.ports import LedgerStore
from ledgercore_app.databases import Database, Embedded, Memory

if TYPE_CHECKING:
    from ledgercore_http.ports import Probe
    from ledgercore_postgres import PostgresStore

OK: Final = "ok"
WARNING: Final = "warning"
ERROR: Final = "error"
RESIDENT_BYTES_WARN: Final = 1_000_000_000
FREE_BYTES_WARN: Final = 1_000_000_000
FREE_BYTES_ERROR: Final = 100_000_000


def probe_of(database: Database, store: "LedgerStore") -> "Probe":
    """The probe for a database."""
    if isinstance(database, Memory):
        return MemoryProbe()
    from ledgercore_postgres import PostgresStore

    assert isinstance(store, PostgresStore)
    return DatabaseProbe(store, database.data_directory if isinstance(database, Embedded) else Path("/"))


@frozen
class MemoryProbe:
    """Looks at a service that keeps nothing."""

    def ready(self) -> Mapping[str, str]:
        """See the protocol."""
        return {"database": OK, "application": OK}

    def detailed(self) -> Mapping[str, str]:
        """See the protocol."""
        return {"database": OK, "memory": memory_state(), "disk": disk_state(Path("/"))}


@frozen
class DatabaseProbe:
    """Looks at a service on PostgreSQL: reachable, durable, and with this version's schema."""

    store: "PostgresStore"
    directory: Path

    def ready(self) -> Mapping[str, str]:
        """See the protocol."""
        return {"database": self._database(), "application": OK}

    def detailed(self) -> Mapping[str, str]:
        """See the protocol."""
        return {"database": self._database(), "memory": memory_state(), "disk": disk_state(self.directory)}

    def _database(self) -> str:
        try:
            self.store.check()
        except LedgercoreError:
            return ERROR
        return OK


def memory_state() -> str:
    """Whether this process holds more than a gigabyte."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return OK
    return WARNING if pages * 4_096 > RESIDENT_BYTES_WARN else OK


def disk_state(directory: Path) -> str:
    """Whether the disk that holds a directory has room."""
    free = shutil.disk_usage(directory).free
    if free < FREE_BYTES_ERROR:
        return ERROR
    return WARNING if free < FREE_BYTES_WARN else OK
