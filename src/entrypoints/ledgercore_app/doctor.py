"""Looking at everything that postings rely on, one check after the other."""

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ledgercore.clock import Clock
from ledgercore.errors import LedgercoreError
from ledgercore.errors.catalog import SCHEMA_OUTDATED
from ledgercore_app.databases import Embedded, Memory, database_from
from ledgercore_app.settings import Settings
from ledgercore_app.wiring import open_engine
from ledgercore_cli.application import FAIL, OK, WARN, Check

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

SKEW_SECONDS_MAX: Final = 1.0
FREE_BYTES_WARN: Final = 1_000_000_000
FREE_BYTES_FAIL: Final = 100_000_000
_MEANT: Final = {
    "fsync": "ALTER SYSTEM SET fsync = on, and restart the server",
    "full_page_writes": "ALTER SYSTEM SET full_page_writes = on, and reload the server",
    "synchronous_commit": "ALTER SYSTEM SET synchronous_commit = on, and reload the server",
}


def examine(database: str | None, *, settings: Settings, clock: Clock) -> Iterator[Check]:
    """Check the database, from its name to its clock; a failure that hides the rest ends the list."""
    try:
        named = database_from(database, settings)
        yield Check("database", OK, str(named))
        if isinstance(named, Memory):
            yield Check("durability", WARN, "nothing outlives the process", "name a database that keeps its data")
            return
        with open_engine(database, settings=settings) as engine:
            yield from _server(engine, clock, migrates=isinstance(named, Embedded))
            if isinstance(named, Embedded):
                yield from _embedded(named, settings)
    except LedgercoreError as error:
        yield Check("connection", FAIL, f"{error.code}: {error}", error.reason.description)


def _server(engine: "Engine", clock: Clock, *, migrates: bool) -> Iterator[Check]:
    from ledgercore_postgres.database import DURABLE_SETTINGS, SERVER_VERSION_MIN, SYNCHRONOUS_COMMITS
    from ledgercore_postgres.driver_errors import translated_errors

    with translated_errors(), engine.connect() as connection:
        version = _setting(connection, "server_version")
        fresh = int(_setting(connection, "server_version_num")) >= SERVER_VERSION_MIN
        yield Check(
            "server", OK if fresh else FAIL, f"PostgreSQL {version}",
            "" if fresh else f"use PostgreSQL {SERVER_VERSION_MIN // 10_000} or newer",
        )  # fmt: skip
        for name, allowed in {**DURABLE_SETTINGS, "synchronous_commit": SYNCHRONOUS_COMMITS}.items():
            found = _setting(connection, name)
            safe = found in allowed
            yield Check(name, OK if safe else FAIL, found, "" if safe else _MEANT[name])
        yield _schema(connection, migrates=migrates)
        yield _clock(connection, clock)


def _schema(connection: "Connection", *, migrates: bool) -> Check:
    from ledgercore_postgres.migration import check_schema, current_revision

    try:
        check_schema(connection)
    except LedgercoreError as error:
        if migrates and error.reason is SCHEMA_OUTDATED:
            return Check("schema", OK, "brought up to date by the next command")
        return Check("schema", FAIL, str(error), "ledgercore migrate, or install the version that it is for")
    return Check("schema", OK, str(current_revision(connection)))


def _clock(connection: "Connection", clock: Clock) -> Check:
    from sqlalchemy import text

    before = clock()
    told: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    after = clock()
    # Within the question's own duration nothing can be said.
    skew = max((before - told).total_seconds(), (told - after).total_seconds(), 0.0)
    fine = skew <= SKEW_SECONDS_MAX
    found = f"{skew:.1f} s between this machine's and the server's"
    return Check("clocks", OK if fine else WARN, found, "" if fine else "synchronise both by NTP")


def _embedded(named: Embedded, settings: Settings) -> Iterator[Check]:
    path = named.data_directory
    yield Check("data directory", OK, str(path))
    if settings.postgres_bin is not None:
        yield Check("programs", OK, str(settings.postgres_bin))
    yield _disk(path)


def _disk(path: Path) -> Check:
    free = shutil.disk_usage(path).free
    found = f"{free / 1e9:,.1f} GB free"
    if free < FREE_BYTES_FAIL:
        return Check("disk", FAIL, found, "make room: the server stops when the disk is full")
    return Check("disk", WARN, found, "make room soon") if free < FREE_BYTES_WARN else Check("disk", OK, found)


def _setting(connection: "Connection", name: str) -> str:
    from sqlalchemy import text

    return str(connection.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar_one())
