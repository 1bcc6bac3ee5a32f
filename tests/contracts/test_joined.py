"""A ledger inside the caller's own transaction keeps the same promises."""

from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import Connection, Engine

from ledgercore.ledger.commands import Settings
from ledgercore.ledger.ports import Journal
from ledgercore.testing import JournalContract, StoppedClock
from ledgercore_postgres import PostgresStore


class JoinedStore:
    """Ledgers in one transaction of a caller who has not committed yet."""

    def __init__(self, store: PostgresStore, connection: Connection) -> None:
        self.store = store
        self.connection = connection

    def create(self, name: str, settings: Settings | None = None) -> Journal:
        """Create it outside; use it inside."""
        self.store.create(name, settings)
        return self.journal(name)

    def create_empty(self, name: str) -> Journal:
        """For what is restored."""
        self.store.create_empty(name)
        return self.journal(name)

    def journal(self, name: str) -> Journal:
        """Join the open transaction."""
        return self.store.join(self.connection, name)

    def names(self) -> Sequence[str]:
        """As the store has them."""
        return self.store.names()


class TestJoinedJournal(JournalContract):
    """Posting, holding, reversing and reading before the caller commits."""

    @pytest.fixture
    def store(self, shared_engine: Engine, clock: StoppedClock) -> Iterator[JoinedStore]:
        """A transaction that is rolled back at the end."""
        with shared_engine.connect() as connection, connection.begin() as transaction:
            yield JoinedStore(PostgresStore(shared_engine, clock=clock), connection)
            transaction.rollback()
