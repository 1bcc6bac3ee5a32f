"""Ledgers for programs that import this: one call connects, and the rest is the facade's verbs."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import frozen

from ledgercore.clock import Clock
from ledgercore.errors import ConflictError, InternalError
from ledgercore.errors.catalog import CONFIGURATION_ERROR, LEDGER_ALREADY_EXISTS
from ledgercore.ledger.commands import AnyCommand, Settings
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.outcomes import Applied, GroupOutcome
from ledgercore.ledger.ports import LedgerStore
from ledgercore_app.wiring import open_store, utc_now

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ledgercore_gather import GatheredJournal


class GatheredLedger(Ledger):
    """A ledger whose verbs wait for a commit that they share with others; `apost` is for event loops."""

    journal: "GatheredJournal"

    async def apost(self, command: AnyCommand) -> Applied:
        """Carry out one command from an event loop, or raise why it was refused."""
        outcome = await self.journal.append_one(command)
        assert not isinstance(outcome, GroupOutcome)
        return outcome.or_raise()


@frozen
class Ledgers:
    """The ledgers of one database."""

    store: LedgerStore

    def create(self, name: str, settings: Settings | None = None) -> Ledger:
        """Start a ledger; raises `ledger_already_exists`."""
        return Ledger(self.store.create(name, settings))

    def ledger(self, name: str) -> Ledger:
        """A ledger that is there; raises `ledger_not_found`."""
        return Ledger(self.store.journal(name))

    def ensure(self, name: str, settings: Settings | None = None) -> Ledger:
        """A ledger, started with these settings if it was not there; its settings stay if it was."""
        try:
            return self.create(name, settings)
        except ConflictError as error:
            if error.reason is not LEDGER_ALREADY_EXISTS:
                raise
            return self.ledger(name)

    def names(self) -> Sequence[str]:
        """Every ledger's name, sorted."""
        return self.store.names()

    @contextmanager
    def gathered(self, name: str) -> "Iterator[GatheredLedger]":
        """A ledger whose single posts, from any number of threads and event loops, share commits.

        What was accepted is stored before the block ends. Raises `ledger_not_found`.
        """
        from ledgercore_gather import GatheredJournal

        journal = self.store.journal(name)
        with ThreadPoolExecutor(1, "gathering") as executor, GatheredJournal(journal, executor=executor) as gathered:
            yield GatheredLedger(gathered)

    def join(self, connection: "Connection", name: str) -> Ledger:
        """A ledger inside the caller's open SQLAlchemy transaction: it commits or rolls back with the caller's rows.

        Raises `isolation_unsupported` above read committed, and `configuration_error` for ledgers
        that are not in PostgreSQL.
        """
        join = getattr(self.store, "join", None)
        if join is None:
            raise InternalError(CONFIGURATION_ERROR, setting="database", why="only PostgreSQL has transactions to join")
        return Ledger(join(connection, name))


@contextmanager
def connect(database: str | None = None, *, clock: Clock = utc_now) -> Iterator[Ledgers]:
    """The ledgers of a database for the length of a block.

    Without a name it is the one of `LEDGERCORE_DATABASE_URL` or, by default, an embedded PostgreSQL
    that keeps its data in the user's data directory; `embedded:DIRECTORY`, a `postgresql://` URL and
    `memory` name others.
    """
    with open_store(database, clock=clock) as store:
        yield Ledgers(store)
