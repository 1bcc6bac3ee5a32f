"""What every test may ask for: clocks, stores in memory and in PostgreSQL, and ledgers in them.

PostgreSQL is started once for each test process, from its wheel, in a directory that goes away; a
migrated template is copied for each test that wants a database of its own.
"""

import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from ledgercore.ledger.accounts import Opening
from ledgercore.ledger.commands import Settings
from ledgercore.ledger.ledger import Ledger
from ledgercore_embedded import embedded_server
from ledgercore_memory import MemoryStore
from ledgercore_postgres import PostgresStore, connect, migrate

OPENING = Settings(opening=Opening(on_first_use=True))
_numbers = itertools.count(1)

# A shell starts background jobs with interrupts ignored, and the programs under test would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class StoppedClock:
    """A clock that moves only when told to, or a microsecond whenever it is read."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def forward(self, **delta: float) -> datetime:
        """Let time pass."""
        self.now += timedelta(**delta)
        return self.now


@pytest.fixture
def clock() -> StoppedClock:
    """Noon of the first of March 2026."""
    return StoppedClock(datetime(2026, 3, 1, 12, tzinfo=UTC))


@contextmanager
def reachable_directory() -> Iterator[Path]:
    """A directory that goes away; others may enter it, as a server that does not run as root must."""
    directory = Path(tempfile.mkdtemp(prefix="ledgercore-test-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory of this test's own where an embedded database can be kept."""
    with reachable_directory() as directory:
        yield directory


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server's `ledgercore` database, migrated; used as a template, never written to."""
    with reachable_directory() as directory, embedded_server(directory / "data") as server:
        engine = connect(server.url)
        migrate(engine)
        engine.dispose()
        yield server.url


@pytest.fixture
def database_url(postgres_server: str) -> Iterator[str]:
    """A migrated, empty database of this test's own."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    admin = connect(make_url(postgres_server).set(database="postgres").render_as_string(hide_password=False))
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE ledgercore STRATEGY wal_log"))
        yield make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine for this test's database."""
    engine = connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_store(engine: Engine, clock: StoppedClock) -> PostgresStore:
    """Ledgers in this test's database, at the test's time."""
    return PostgresStore(engine, clock=clock)


@pytest.fixture
def memory_store(clock: StoppedClock) -> MemoryStore:
    """Ledgers in memory, at the test's time."""
    return MemoryStore(clock=clock)


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> MemoryStore | PostgresStore:
    """Each adapter in turn."""
    found: MemoryStore | PostgresStore = request.getfixturevalue(f"{request.param}_store")
    return found


@pytest.fixture
def ledger(store: MemoryStore | PostgresStore) -> Ledger:
    """A ledger that opens accounts on first use, in each adapter in turn."""
    return Ledger(store.create("books", OPENING))


@pytest.fixture
def memory_ledger(memory_store: MemoryStore) -> Ledger:
    """A ledger in memory that opens accounts on first use."""
    return Ledger(memory_store.create("books", OPENING))


@pytest.fixture
def postgres_ledger(postgres_store: PostgresStore) -> Ledger:
    """A ledger in PostgreSQL that opens accounts on first use."""
    return Ledger(postgres_store.create("books", OPENING))


@pytest.fixture(scope="session")
def samples() -> Path:
    """Real inputs that lie beside the project; tests that want them are skipped without."""
    found = Path(__file__).parents[2] / "shared" / "samples"
    if not found.is_dir():
        pytest.skip("the real samples are not beside the project")
    return found


@pytest.fixture
def utc() -> Callable[..., datetime]:
    """Short for an aware time."""
    return partial(datetime, tzinfo=UTC)
