"""Databases that many tests share: each test takes ledgers of its own in them."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from ledgercore_embedded import embedded_server
from ledgercore_postgres import connect, migrate

SYSTEM_BINARIES = Path("/usr/lib/postgresql/15/bin")


@contextmanager
def shared_database(server_url: str) -> Iterator[Engine]:
    """A migrated database besides the template, for as long as the tests run."""
    name = f"shared_{os.getpid()}"
    admin = connect(make_url(server_url).set(database="postgres").render_as_string(hide_password=False))
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        engine = connect(make_url(server_url).set(database=name).render_as_string(hide_password=False))
        migrate(engine)
        yield engine
        # The database goes with its server's directory; dropping it first would only be one more thing that can fail.
        engine.dispose()
    admin.dispose()


@pytest.fixture(scope="session")
def shared_engine(postgres_server: str) -> Iterator[Engine]:
    """A database on the embedded server."""
    with shared_database(postgres_server) as engine:
        yield engine


@pytest.fixture(scope="session")
def system_engine() -> Iterator[Engine]:
    """A database on the system's own PostgreSQL 15, the oldest that is supported."""
    if not (SYSTEM_BINARIES / "initdb").exists():
        pytest.skip("the system has no PostgreSQL 15")
    place = Path(tempfile.mkdtemp(prefix="lc-"))
    # The server of root runs as another user, who has to get through here.
    place.chmod(0o755)
    with embedded_server(place / "data", binaries=SYSTEM_BINARIES) as server, shared_database(server.url) as engine:
        yield engine
    shutil.rmtree(place, ignore_errors=True)
