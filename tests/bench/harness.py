"""What the benchmarks have in common: a database, inputs, the two baselines, fair rounds, and the report."""

import argparse
import gc
import json
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
from attrs import asdict, frozen
from sqlalchemy import text
from sqlalchemy.engine import make_url

from ledgercore.ids import TimeOrderedIds
from ledgercore.ledger.accounts import Opening
from ledgercore.ledger.commands import OpenAccount, Settings
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.log.encoding import ROW_FIELDS
from ledgercore.ledger.transactions import Transaction, transfer
from ledgercore.money import Money, known_currency
from ledgercore_embedded import embedded_server
from ledgercore_postgres import PostgresStore, connect, migrate

EUR: Final = known_currency("EUR", 2)
IDS: Final = TimeOrderedIds(os.urandom)


def clock() -> datetime:
    """The present."""
    return datetime.now(UTC)


def options(description: str | None, **more: Any) -> argparse.Namespace:
    """The command line: what all benchmarks take, and a number option for each keyword."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--database", metavar="URL", help="a PostgreSQL to use; databases are made and dropped in it")
    parser.add_argument("--directory", type=Path, help="where the embedded server keeps its data (default: temporary)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    for name, default in more.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default:,}")
    return parser.parse_args()


@contextmanager
def server(chosen: argparse.Namespace) -> Iterator[str]:
    """The URL of the server to measure: the one that was named, or one that is started for the occasion."""
    if chosen.database:
        yield chosen.database
        return
    with tempfile.TemporaryDirectory(prefix="bench-", dir=chosen.directory, ignore_cleanup_errors=True) as directory:
        # The server runs as a user of its own when root starts it.
        Path(directory).chmod(0o755)
        with embedded_server(Path(directory) / "data") as embedded:
            yield embedded.url


@contextmanager
def fresh_database(url: str) -> Iterator[str]:
    """The URL of a new, migrated database."""
    name = f"bench_{uuid4().hex[:12]}"
    parsed = make_url(url)
    admin = connect(parsed.set(database="postgres").render_as_string(hide_password=False))
    own = parsed.set(database=name).render_as_string(hide_password=False)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        try:
            engine = connect(own)
            migrate(engine)
            engine.dispose()
            yield own
        finally:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def new_ledger(url: str, name: str = "bench", *, accounts: int = 1_000) -> Ledger:
    """A ledger with open accounts in a database."""
    store = PostgresStore(connect(url), clock=clock)
    ledger = Ledger(store.create(name, Settings(opening=Opening(on_first_use=True))))
    opened = [OpenAccount(path=path(number), currency=EUR) for number in range(accounts)]
    for first in range(0, accounts, 8_000):
        ledger.post_all(opened[first : first + 8_000])
    return ledger


def open_ledger(url: str, name: str = "bench") -> Ledger:
    """A ledger that is there already, on connections of this process's own."""
    return Ledger(PostgresStore(connect(url), clock=clock).journal(name))


def path(number: int) -> str:
    """The accounts of the benchmarks."""
    return f"assets:customer-{number:06d}"


def transfers(count: int, *, accounts: int = 1_000, hot: bool = False, seed: int | None = None) -> list[Transaction]:
    """Transfers between random accounts, or all of them from one, each with a time-ordered id."""
    source = random.Random(seed)
    draw = IDS.batch(clock())
    made = []
    for _ in range(count):
        debit, credit = source.sample(range(accounts), 2)
        if hot:
            debit, credit = 0, credit or debit
        amount = Money(source.randint(1, 1_000_000), EUR)
        made.append(transfer(debit=path(debit), credit=path(credit), amount=amount, id=UUID(bytes=draw())))
    return made


class Naive:
    """Baseline (n): what one writes first. One transaction for each transfer: lock two rows, insert, update two."""

    def __init__(self, url: str, *, accounts: int) -> None:
        self.connection = psycopg.connect(plain_url(url), prepare_threshold=0)
        with self.connection.transaction():
            for statement in (
                "CREATE TABLE naive_accounts (id integer PRIMARY KEY, path text UNIQUE NOT NULL,"
                " balance bigint NOT NULL)",
                "CREATE TABLE naive_transfers (id uuid PRIMARY KEY, posted_at timestamptz NOT NULL DEFAULT now())",
                "CREATE TABLE naive_entries (transfer uuid NOT NULL, account integer NOT NULL, amount bigint NOT NULL,"
                " balance bigint NOT NULL, PRIMARY KEY (transfer, account))",
                "CREATE INDEX ON naive_entries (account)",
            ):
                self.connection.execute(statement)
            self.connection.execute(
                "INSERT INTO naive_accounts SELECT i, 'assets:customer-' || lpad(i::text, 6, '0'), 0"
                " FROM generate_series(0, %s - 1) AS i",
                (accounts,),
            )
        self.connection.execute("ANALYZE naive_accounts")
        self.connection.commit()

    def post(self, batch: Sequence[Transaction]) -> None:
        """Post the transfers one by one."""
        cursor = self.connection.cursor()
        for command in batch:
            line = command.lines[0]
            with self.connection.transaction():
                held = {}
                for side in sorted((line.debit, line.credit)):  # type: ignore[type-var]
                    row = cursor.execute(
                        "SELECT id, balance FROM naive_accounts WHERE path = %s FOR UPDATE", (side,)
                    ).fetchone()
                    assert row is not None
                    held[side] = row
                cursor.execute("INSERT INTO naive_transfers (id) VALUES (%s)", (command.id,))
                for side, signed in ((line.debit, line.amount.minor), (line.credit, -line.amount.minor)):
                    account, balance = held[side]
                    cursor.execute(
                        "INSERT INTO naive_entries VALUES (%s, %s, %s, %s)",
                        (command.id, account, signed, balance + signed),
                    )
                    cursor.execute("UPDATE naive_accounts SET balance = %s WHERE id = %s", (balance + signed, account))


class Raw:
    """Baseline (r): binary COPY of the very same rows into the same table with the same indexes, no rules."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(plain_url(url))
        self.fields = ", ".join(ROW_FIELDS)

    def take(self, ledger: str, after_number: int) -> bytes:
        """What COPY wants: all rows of a ledger after a record, under another ledger's number and other ids."""
        statement = (
            f"COPY (SELECT 1000000 + l.ledger_id, {self.fields} FROM journal JOIN ledgers l USING (ledger_id)"
            f" WHERE l.name = '{ledger}' AND number > {after_number} ORDER BY number, line) TO STDOUT (FORMAT binary)"
        )
        with self.connection.cursor().copy(statement) as copy:
            data = b"".join(bytes(part) for part in copy)
        self.connection.commit()
        return data

    def store(self, data: bytes) -> None:
        """Store the rows in one transaction."""
        with self.connection.cursor().copy(
            f"COPY journal (ledger_id, {self.fields}) FROM STDIN (FORMAT binary)"
        ) as copy:
            copy.write(data)
        self.connection.commit()


@contextmanager
def quiet_memory() -> Iterator[None]:
    """Keep the collector from walking inputs that were built outside the measured part."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def seconds_of(work: Callable[[], object], *, timer: Callable[[], float] = time.perf_counter) -> float:
    """How long the work takes."""
    with quiet_memory():
        begun = timer()
        work()
        return timer() - begun


def interleaved(cases: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of each case, measured in turn round by round, so that all meet the same weather."""
    found: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds):
        # Every other round backwards, so that none always follows the same.
        for name, case in list(cases.items())[:: -1 if number % 2 else 1]:
            found[name].append(case())
    return {name: statistics.median(values) for name, values in found.items()}


@frozen
class Target:
    """What was to be reached, and what was."""

    name: str
    wanted: float
    reached: float

    @property
    def met(self) -> bool:
        """Whether it was reached."""
        return self.reached >= self.wanted


def report(
    title: str,
    figures: Mapping[str, str | float],
    targets: Sequence[Target],
    chosen: argparse.Namespace,
    *,
    text: str = "",
) -> None:
    """Print what was measured, for people or for programs."""
    facts = machine()
    if chosen.json:
        stated = [{**asdict(target), "met": target.met} for target in targets]
        print(json.dumps({"bench": title, "machine": facts, "figures": dict(figures), "targets": stated, "text": text}))
        return
    print(f"{title}\n  on {', '.join(facts.values())}\n")
    width = max(map(len, [*figures, *(target.name for target in targets)]))
    for name, value in figures.items():
        print(f"  {name:{width}}  {value if isinstance(value, str) else f'{value:>12,.0f}'}")
    print(f"\n  {'ratio':{width}}  {'reached':>8}  {'target':>8}")
    for target in targets:
        verdict = "" if target.met else "  missed"
        print(f"  {target.name:{width}}  {target.reached:8.2f}  {target.wanted:8.2f}{verdict}")
    print(f"\n{text}" if text else "")


def machine() -> dict[str, str]:
    """Where this ran."""
    model = platform.processor() or platform.machine()
    with_model = Path("/proc/cpuinfo")
    if with_model.exists():
        names = [line.partition(":")[2].strip() for line in with_model.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return {
        "processor": f"{os.cpu_count()} x {model}",
        "python": f"Python {platform.python_version()}",
        "system": platform.system(),
        "load": f"load {os.getloadavg()[0]:.1f} at the end",
        "on": clock().date().isoformat(),
    }


def plain_url(url: str) -> str:
    """The URL as the driver itself reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
