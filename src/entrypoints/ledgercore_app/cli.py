"""The program `ledgercore`: the command line over the databases of the settings."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ledgercore import __version__
from ledgercore_cli.groups import Entry
from ledgercore_cli.main import run

if TYPE_CHECKING:
    from ledgercore.bank import Bank
    from ledgercore.clock import Clock
    from ledgercore.identity.identity import Identity
    from ledgercore.statements.credit_transfers import PaymentOrder
    from ledgercore.statements.status_reports import StatusReport
    from ledgercore_app.settings import Settings
    from ledgercore_cli.application import Check, Migrated, Store

_TRY: Final = "Trying it out"
_SERVE: Final = "Serving"
OWN_COMMANDS: Final[Mapping[str, Entry]] = {
    "quickstart": Entry("ledgercore_app.quickstart", "quickstart", "Start with a sample year of books.", _TRY),
    "serve": Entry("ledgercore_app.serve", "serve", "Serve the HTTP API.", _SERVE),
    "worker": Entry("ledgercore_app.worker", "worker", "Run background jobs.", _SERVE),
    "sample": Entry("ledgercore_app.quickstart", "sample", "Write the sample year as a file.", _TRY),
    "seed": Entry("ledgercore_app.seed", "seed", "Load sample users, accounts and payments.", _TRY),
    "sandbox": Entry("ledgercore_app.sandbox", "sandbox", "Serve a made-up bank to try things on.", _TRY),
}


class Program:
    """What the command line asks of this program; see `ledgercore_cli.application`."""

    version = __version__

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    @property
    def clock(self) -> "Clock":
        """The system's clock."""
        return lambda: datetime.now(UTC)

    def default_ledger(self) -> str:
        """See the protocol."""
        return self._settings.ledger

    def default_database(self) -> str:
        """See the protocol."""
        from ledgercore_app.databases import database_from

        return str(database_from(None, self._settings))

    def open_store(self, database: str | None) -> "AbstractContextManager[Store]":
        """See the protocol."""
        from ledgercore_app.wiring import open_store

        return open_store(database, clock=self.clock, settings=self._settings)

    def open_identity(self, database: str | None) -> "AbstractContextManager[Identity]":
        """See the protocol."""
        from ledgercore_app.identity import open_identity
        from ledgercore_app.service_settings import ServiceSettings

        told = ServiceSettings.from_environment(self._environment)
        return open_identity(database, clock=self.clock, settings=self._settings, service_settings=told)

    def open_bank(self, database: str | None) -> "AbstractContextManager[Bank]":
        """See the protocol."""
        from ledgercore_app.bank import open_bank
        from ledgercore_app.service_settings import ServiceSettings

        told = ServiceSettings.from_environment(self._environment)
        return open_bank(database, clock=self.clock, settings=self._settings, service_settings=told)

    def write_credit_transfers(self, order: "PaymentOrder") -> bytes:
        """See the protocol."""
        from ledgercore_statements.pain001 import write_pain001

        return write_pain001(order)

    def read_status_report(self, data: bytes) -> "StatusReport":
        """See the protocol."""
        from ledgercore_statements.pain002 import read_pain002

        return read_pain002(data)

    def migrate(self, database: str | None) -> "Migrated":
        """See the protocol."""
        from ledgercore_app.databases import Memory, database_from
        from ledgercore_app.wiring import open_engine
        from ledgercore_cli.application import Migrated

        named = database_from(database, self._settings)
        if isinstance(named, Memory):
            return Migrated(str(named), "none", "none")
        from ledgercore_postgres import migrate
        from ledgercore_postgres.driver_errors import translated_errors

        with open_engine(database, settings=self._settings) as engine, translated_errors():
            before, after = migrate(engine)
        return Migrated(str(named), before, after)

    def examine(self, database: str | None) -> "Iterator[Check]":
        """See the protocol."""
        from ledgercore_app.doctor import examine

        return examine(database, settings=self._settings, clock=self.clock)

    @property
    def _settings(self) -> "Settings":
        from ledgercore_app.settings import Settings

        return Settings.from_environment(self._environment)


def main() -> None:
    """Run the command line and exit with its status."""
    sys.exit(run(Program(os.environ), sys.argv[1:], extra=OWN_COMMANDS))
