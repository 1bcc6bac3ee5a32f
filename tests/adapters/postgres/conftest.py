"""What these tests share: several clients at once, what goes over the wire, and a link that can be cut."""

import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from uuid import UUID, uuid4

import pytest
from attrs import frozen
from psycopg.pq import Trace
from sqlalchemy import Engine, text

from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.proofs.verification import verify
from ledgercore.ledger.transactions import Transaction, transfer
from ledgercore.money import Money, known_currency
from ledgercore_postgres import PostgresStore, connect
from ledgercore_postgres.database import driver_connection

EUR = known_currency("EUR", 2)
_Result = TypeVar("_Result")
Pay: TypeAlias = Callable[..., Transaction]


@frozen
class Sent:
    """What went over the wire: statements, and how often the client waited for an answer."""

    statements: int
    trips: int


@pytest.fixture
def watched(engine: Engine) -> Callable[[Callable[[], object]], Sent]:
    """Runs something on the pool's one connection and counts what libpq sent for it."""

    def run(work: Callable[[], object]) -> Sent:
        with tempfile.TemporaryFile(mode="w+") as file:
            with engine.connect() as connection:
                wire = driver_connection(connection).pgconn
            wire.trace(file.fileno())
            wire.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
            try:
                work()
            finally:
                wire.untrace()
            file.seek(0)
            said = re.findall(r"^F\t\d+\t(Execute|Query|Sync|CopyDone|Flush)\b", file.read(), re.MULTILINE)
        # The driver asks for a flush behind each sync too, where it says nothing new.
        flushes = sum(pair == ("Execute", "Flush") for pair in pairwise(said))
        return Sent(
            statements=sum(kind in ("Execute", "Query") for kind in said),
            trips=sum(kind in ("Sync", "Query", "CopyDone") for kind in said) + flushes,
        )

    return run


@pytest.fixture
def pay() -> Pay:
    """A transfer in cents with a name of its own: `pay("assets:a", "assets:b", 5)`."""

    def build(debit: str, credit: str, minor: int = 100, **fields: Any) -> Transaction:
        if "key" not in fields:
            fields.setdefault("id", uuid4())
        return transfer(debit=debit, credit=credit, amount=Money(minor, EUR), **fields)

    return build


@pytest.fixture
def at_once() -> Callable[[Sequence[Callable[[], _Result]]], list[_Result]]:
    """Runs each piece of work in a thread of its own, all let go at the same moment."""

    def run(works: Sequence[Callable[[], _Result]]) -> list[_Result]:
        barrier = threading.Barrier(len(works))

        def start(work: Callable[[], _Result]) -> _Result:
            barrier.wait()
            return work()

        with ThreadPoolExecutor(len(works)) as pool:
            return list(pool.map(start, works))

    return run


@pytest.fixture
def sound() -> Callable[[Ledger], None]:
    """Asserts that chain, numbers, times, balances, holds and names all follow from the log."""

    def check(ledger: Ledger) -> None:
        found = verify(ledger.journal)
        assert found.sound, found.divergences

    return check


@pytest.fixture
def processes(tmp_path: Path, database_url: str) -> Callable[[str, int], list[str]]:
    """Runs a script in several processes at once: each gets the database's URL, its number, and a go."""

    def run(script: str, count: int) -> list[str]:
        file = tmp_path / "client.py"
        file.write_text(script)
        clients = [
            subprocess.Popen(
                [sys.executable, "-W", "error", str(file), database_url, str(number)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
            )
            for number in range(count)
        ]  # fmt: skip
        for client in clients:
            assert client.stdout is not None
            ready = client.stdout.readline()
            assert ready == "ready\n", client.communicate()
        answers = []
        for client in clients:
            assert client.stdin is not None
            client.stdin.write("go\n")
            client.stdin.flush()
        for client in clients:
            out, err = client.communicate(timeout=120)
            assert client.returncode == 0, err
            answers.append(out)
        return answers

    return run


@pytest.fixture
def second_engine(database_url: str) -> Iterator[Engine]:
    """Another pool for the same database: another client."""
    engine = connect(database_url)
    yield engine
    engine.dispose()


@contextmanager
def row_trigger(engine: Engine, table: str, body: str, *, event: str = "INSERT") -> Iterator[None]:
    """Run PL/pgSQL for each row of a table that is written, for the length of a block."""
    name = f"fault_{UUID(int=abs(hash((table, body)))).hex[-8:]}"
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SEQUENCE {name}_count"))
        connection.exec_driver_sql(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NEW; END $$"
        )
        connection.exec_driver_sql(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP TRIGGER {name} ON {table}")
            connection.exec_driver_sql(f"DROP FUNCTION {name}")
            connection.exec_driver_sql(f"DROP SEQUENCE {name}_count")


@pytest.fixture
def fault(second_engine: Engine) -> Callable[..., Any]:
    """Runs PL/pgSQL on each written row of a table; `{nth}` counts attempts even when they are rolled back."""

    def build(table: str, body: str, *, event: str = "INSERT") -> Any:
        return row_trigger(second_engine, table, body, event=event)

    return build


@pytest.fixture
def client(database_url: str) -> Iterator[Callable[[], Ledger]]:
    """Makes further clients of the ledger `books`, each with a pool of its own, at the real time."""
    engines = []

    def build() -> Ledger:
        engines.append(connect(database_url))
        return Ledger(PostgresStore(engines[-1], clock=lambda: datetime.now(UTC)).journal("books"))

    yield build
    for engine in engines:
        engine.dispose()
