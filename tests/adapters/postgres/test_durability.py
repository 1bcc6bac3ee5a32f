"""A server that may lose what it acknowledged is refused, whatever the reason."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, text

from ledgercore.errors import InternalError
from ledgercore_embedded import attach
from ledgercore_embedded.accounts import server_account
from ledgercore_postgres import PostgresStore, connect, migrate
from ledgercore_postgres.database import is_reachable


@pytest.fixture(params=["fsync", "full_page_writes", "synchronous_commit"])
def unsafe(request: pytest.FixtureRequest, open_directory: Path) -> Iterator[tuple[str, Engine]]:
    """A real server that was told to be careless in one way; our own supervisor would not start it."""
    server = attach(open_directory / "data")
    engine = connect(server.url)
    migrate(engine)
    engine.dispose()
    binaries, cluster = server.binaries, open_directory / "data" / "cluster"
    server.close()
    account = server_account(cluster)
    sockets = open_directory / "sockets"
    sockets.mkdir()
    account.own(sockets)
    process = subprocess.Popen(
        [binaries / "postgres", "-D", cluster, "-c", "listen_addresses=", "-c", f"{request.param}=off",
         "-c", f"unix_socket_directories={sockets}", "-c", "shared_buffers=16MB"],
        cwd="/", env={"LC_ALL": "C", "PATH": os.environ["PATH"]}, stderr=subprocess.DEVNULL,
        user=account.user_id if account.switch else None, group=account.group_id if account.switch else None,
        extra_groups=() if account.switch else None,
    )  # fmt: skip
    engine = connect(f"postgresql://postgres@/ledgercore?host={quote(str(sockets), safe='')}")
    for _ in range(200):
        try:
            if is_reachable(engine):
                break
        except Exception:
            time.sleep(0.05)
    yield request.param, engine
    engine.dispose()
    process.terminate()
    process.wait()


@pytest.mark.slow
def test_a_careless_server_is_refused(unsafe: tuple[str, Engine], clock) -> None:
    """The refusal names the setting, its value and what is allowed."""
    setting, engine = unsafe

    with pytest.raises(InternalError) as caught:
        PostgresStore(engine, clock=clock).check()

    assert caught.value.code == "unsafe_durability"
    assert (caught.value.details["setting"], caught.value.details["value"]) == (setting, "off")


def test_a_careless_database_on_a_careful_server_is_refused(database_url: str, clock) -> None:
    """Commits can be made careless for one database alone."""
    engine = connect(database_url)
    with engine.begin() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    engine.dispose()

    with pytest.raises(InternalError) as caught:
        PostgresStore(engine, clock=clock).check()

    assert caught.value.code == "unsafe_durability"
    engine.dispose()


def test_a_careful_server_is_accepted(postgres_store: PostgresStore) -> None:
    """The embedded server keeps what it acknowledged."""
    postgres_store.check()
