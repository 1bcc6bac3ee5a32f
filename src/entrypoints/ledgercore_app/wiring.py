"""Who implements what: stores for the databases that a user may name."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ledgercore.clock import Clock
from ledgercore.errors import InternalError
from ledgercore.errors.catalog import SCHEMA_OUTDATED
from ledgercore_app.databases import Embedded, Memory, Server, database_from
from ledgercore_app.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ledgercore_memory import MemoryJobQueue, MemoryStore, MemoryWorkStore
    from ledgercore_postgres import PostgresJobQueue, PostgresStore, PostgresWorkStore


def utc_now() -> datetime:
    """The system's clock."""
    return datetime.now(UTC)


@contextmanager
def open_store(
    database: str | None = None, *, clock: Clock = utc_now, settings: Settings | None = None
) -> "Iterator[PostgresStore | MemoryStore]":
    """The ledgers of a database for the length of a block.

    `database` is `None` for the one of the settings (by default those of the environment),
    `embedded`, `embedded:DIRECTORY`, a `postgresql://` URL or `memory`. The embedded database gets its
    schema by itself; any other must have it: `schema_outdated` says to run the migrations.
    """
    settings = Settings.from_environment(os.environ) if settings is None else settings
    if isinstance(database_from(database, settings), Memory):
        from ledgercore_memory import MemoryStore

        yield MemoryStore(clock=clock)
        return
    from ledgercore_postgres import PostgresStore, migrate

    with open_engine(database, settings=settings) as engine:
        store = PostgresStore(engine, clock=clock)
        try:
            store.check()
        except InternalError as error:
            embedded = isinstance(database_from(database, settings), Embedded)
            if not embedded or error.reason is not SCHEMA_OUTDATED:
                raise
            migrate(engine)
        yield store


def work_store_of(store: "PostgresStore | MemoryStore", clock: Clock) -> "PostgresWorkStore | MemoryWorkStore":
    """Units of work beside the ledgers of a store."""
    from ledgercore_memory import MemoryStore, MemoryWorkStore

    if isinstance(store, MemoryStore):
        return MemoryWorkStore(store, clock=clock)
    from ledgercore_postgres import PostgresWorkStore

    return PostgresWorkStore(store.engine, clock=clock)


def job_queue_of(
    store: "PostgresStore | MemoryStore", work: "PostgresWorkStore | MemoryWorkStore", clock: Clock
) -> "PostgresJobQueue | MemoryJobQueue":
    """What workers take the jobs of a store's units of work from."""
    from ledgercore_memory import MemoryJobQueue, MemoryStore, MemoryWorkStore

    if isinstance(work, MemoryWorkStore):
        return MemoryJobQueue(work)
    from ledgercore_postgres import PostgresJobQueue

    assert not isinstance(store, MemoryStore)
    return PostgresJobQueue(store.engine, clock=clock)


@contextmanager
def open_engine(database: str | None, *, settings: Settings) -> "Iterator[Engine]":
    """An engine for a database of PostgreSQL's, whatever its schema; the embedded server is started."""
    from ledgercore_postgres import connect

    named = database_from(database, settings)
    assert not isinstance(named, Memory)
    with ExitStack() as stack:
        if isinstance(named, Server):
            url = named.url
        else:
            from ledgercore_embedded import embedded_server

            server = stack.enter_context(embedded_server(named.data_directory, binaries=settings.postgres_bin))
            url = server.url
        engine = connect(url)
        stack.callback(engine.dispose)
        yield engine
