"""Connecting to a database that can be trusted with money."""

import select
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import Cursor
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError

from ledgercore.errors import InternalError
from ledgercore.errors.catalog import CONFIGURATION_ERROR, UNSAFE_DURABILITY
from ledgercore_postgres.driver_errors import translated_errors
from ledgercore_postgres.parameters import register_arrays

SERVER_VERSION_MIN: Final = 150000
POOL_SIZE: Final = 10
POOL_OVERFLOW: Final = 5
POOL_TIMEOUT_SECONDS: Final = 30
CONNECT_TIMEOUT_SECONDS: Final = 10
DURABLE_SETTINGS: Final = {"fsync": {"on"}, "full_page_writes": {"on"}}
SYNCHRONOUS_COMMITS: Final = {"on", "local", "remote_write", "remote_apply"}

# A statement that was prepared while its table was empty would keep reading the whole table; these
# sessions always prefer an index where there is one. They are told after connecting, since poolers
# refuse most options at the start of a session and the URL may have options of its own.
SESSION_SETTINGS: Final = {
    "default_transaction_isolation": "read committed",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "jit": "off",
    "timezone": "UTC",
}


def connect(url: str, *, pool_size: int = POOL_SIZE, pool_timeout_seconds: float = POOL_TIMEOUT_SECONDS) -> Engine:
    """An engine for a PostgreSQL database, 15 or newer; nothing is connected yet.

    Raises `configuration_error` for a URL that is none of PostgreSQL's.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InternalError(CONFIGURATION_ERROR, setting="database", why="not a database URL") from error
    if parsed.get_backend_name() != "postgresql":
        raise InternalError(CONFIGURATION_ERROR, setting="database", why=f"{parsed.drivername} is not PostgreSQL")
    arguments = {} if "connect_timeout" in parsed.query else {"connect_timeout": CONNECT_TIMEOUT_SECONDS}
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=pool_timeout_seconds,
        # The connection that was used last has its statements prepared and its caches warm.
        pool_use_lifo=True,
        connect_args=arguments,
    )
    event.listen(engine, "connect", _tell_settings)
    event.listen(engine, "checkout", _check_alive)
    return engine


def teach_arrays(engine: Engine) -> None:
    """Let every connection of an engine, whoever made it, send our arrays."""
    if not event.contains(engine, "checkout", _teach_once):
        event.listen(engine, "checkout", _teach_once)


@contextmanager
def borrowed(engine: Engine) -> Iterator[Connection]:
    """A connection from the pool; its transaction is committed at the end, or rolled back after an error.

    Raises `database_unavailable` when none can be had. Readers commit too: after a rollback the driver
    would forget every statement that it has prepared.
    """
    with translated_errors():
        connection = engine.connect()
    try:
        yield connection
        with translated_errors():
            connection.commit()
    finally:
        # The driver's cursors go past SQLAlchemy, which therefore does not know yet that a connection broke.
        if not connection.invalidated and driver_connection(connection).closed:
            connection.invalidate()
        connection.close()


@contextmanager
def borrowed_alone(engine: Engine) -> Iterator[Connection]:
    """A connection from the pool on which each statement is a transaction of its own: one trip, and no more."""
    with borrowed(engine) as connection, translated_errors():
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def driver_connection(connection: Connection) -> psycopg.Connection[Any]:
    """The driver's connection; raises `configuration_error` unless the driver is psycopg 3."""
    found = connection.connection.driver_connection
    if not isinstance(found, psycopg.Connection):
        raise InternalError(
            CONFIGURATION_ERROR,
            setting="database",
            driver=connection.dialect.driver,
            wanted="postgresql+psycopg",
        )
    return found


def driver_cursor(connection: Connection) -> Cursor[Any]:
    """A cursor of the driver in the connection's transaction; results come in binary."""
    if not connection.in_transaction():
        connection.begin()
    driver = connection.connection.driver_connection
    assert driver is not None
    cursor: Cursor[Any] = driver.cursor(binary=True)
    return cursor


def check_server(connection: Connection) -> None:
    """Refuse a server that is too old or may lose what it acknowledged.

    Raises `configuration_error` and `unsafe_durability` naming the setting.
    """
    version = int(connection.execute(text("SELECT current_setting('server_version_num')")).scalar_one())
    if version < SERVER_VERSION_MIN:
        raise InternalError(CONFIGURATION_ERROR, setting="database", version=version, wanted=SERVER_VERSION_MIN)
    for name, allowed in {**DURABLE_SETTINGS, "synchronous_commit": SYNCHRONOUS_COMMITS}.items():
        _check_setting(connection, name, allowed)


def is_reachable(engine: Engine) -> bool:
    """Whether the database answers now; raises `database_unavailable` with the cause when it does not."""
    with borrowed(engine) as connection, translated_errors():
        return bool(connection.execute(text("SELECT 1")).scalar_one())


def _check_setting(connection: Connection, name: str, allowed: Iterable[str]) -> None:
    found = connection.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar_one()
    if found not in allowed:
        raise InternalError(
            UNSAFE_DURABILITY, setting=name, value=found, allowed=sorted(allowed),
            why="an acknowledged posting could be lost",
        )  # fmt: skip


def _tell_settings(connection: psycopg.Connection[Any], _: object) -> None:
    calls = ", ".join("set_config(%s, %s, false)" for _ in SESSION_SETTINGS)
    connection.execute(f"SELECT {calls}", [part for setting in SESSION_SETTINGS.items() for part in setting])
    connection.commit()


def _check_alive(connection: psycopg.Connection[Any], *_: object) -> None:
    """Have the pool replace a connection that the server has ended.

    An idle connection has nothing to read, except the news of its end. Looking costs no trip to the server.
    """
    poll = select.poll()
    if not connection.closed:
        poll.register(connection.fileno(), select.POLLIN)
    if connection.closed or poll.poll(0):
        raise DisconnectionError("the server ended this connection")


def _teach_once(connection: Any, record: Any, _: object) -> None:
    if "ledgercore" not in record.info and isinstance(connection, psycopg.Connection):
        register_arrays(connection)
        record.info["ledgercore"] = True
