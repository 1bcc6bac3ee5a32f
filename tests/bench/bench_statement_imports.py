"""Statements into PostgreSQL against reading the file alone, and the reconciliation of what came in."""

import os
import re
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from harness import (  # type: ignore[import-not-found]
    EUR,
    IDS,
    Target,
    clock,
    fresh_database,
    new_ledger,
    options,
    report,
    seconds_of,
    server,
)
from psycopg.pq import Trace
from sqlalchemy import Engine

from ledgercore.identity.audit import OPERATOR
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.transactions import transfer
from ledgercore.money import Money
from ledgercore.statements.importing import StatementImport
from ledgercore.statements.matching import MatchingRules
from ledgercore.statements.reconciling import Reconciler
from ledgercore_postgres import PostgresWorkStore, connect
from ledgercore_postgres.database import driver_connection
from ledgercore_statements.reading import read_statements
from ledgercore_statements.samples import sample_camt053

LARGE, SMALL = "assets:bank-large", "assets:bank"
BATCH = 8_000


def main() -> None:
    """Measure and print."""
    chosen = options(__doc__, lines=20_000, matches=5_000)
    with server(chosen) as url, fresh_database(url) as database:
        ledger = new_ledger(database, accounts=0)
        for account in (LARGE, SMALL):
            ledger.open_account(account, EUR)
        engine = connect(database, pool_size=1)
        store = PostgresWorkStore(engine, clock=clock)
        importing = StatementImport(store=store, reader=read_statements, clock=clock, random_bytes=os.urandom)
        data = sample_camt053(chosen.lines)

        def imported(data: bytes, account: str) -> None:
            found = importing.read(data, ledger="bench", account=account)
            importing.store_all(found, ledger="bench", account=account, file_name="bench", actor=OPERATOR)

        parse = seconds_of(lambda: read_statements(data))
        whole = seconds_of(lambda: imported(data, LARGE))
        again = seconds_of(lambda: imported(data, LARGE))
        few, many = (
            statements_of(engine, partial(imported, sample_camt053(size), f"{SMALL}-{size}"))
            for size in open_for(ledger)
        )

        imported(sample_camt053(chosen.matches), SMALL)
        post_what_the_lines_say(ledger, store, chosen.matches)
        reconciler = Reconciler(store=store, clock=clock, random_bytes=os.urandom)
        made: list[int] = []

        def run() -> None:
            made.append(len(reconciler.run("bench", SMALL, MatchingRules(), actor=OPERATOR).made))

        begun = time.perf_counter()
        sent = statements_of(engine, run)
        seconds = time.perf_counter() - begun
        proof = seconds_of(lambda: reconciler.proof("bench", SMALL))
        report(
            f"A camt.053 of {chosen.lines:,} lines into PostgreSQL, and {chosen.matches:,} lines reconciled",
            {
                "reading alone, lines/s": chosen.lines / parse,
                "reading and storing, lines/s": chosen.lines / whole,
                "the same file again, lines/s": chosen.lines / again,
                "statements sent for 10 lines": few,
                "statements sent for 1,000 lines": many,
                "reconciliation, seconds": f"{seconds:12.2f}",
                "matches made": made[0],
                "matches/s": made[0] / seconds,
                "statements sent by the run": sent,
                "proof, seconds": f"{proof:12.2f}",
            },
            [
                Target("reading and storing / reading alone", 0.33, parse / whole),
                Target("thousands of matches/s", 1, made[0] / seconds / 1_000),
            ],
            chosen,
        )


def open_for(ledger: Ledger) -> tuple[int, int]:
    """Two sizes of files, each with an account for it."""
    sizes = (10, 1_000)
    for size in sizes:
        ledger.open_account(f"{SMALL}-{size}", EUR)
    return sizes


def post_what_the_lines_say(ledger: Ledger, store: PostgresWorkStore, count: int) -> None:
    """A transaction for each line, under the bank's name of it."""
    with store.begin() as work:
        lines = work.statements.list_lines("bench", SMALL, limit=count)
    draw = IDS.batch(clock())
    commands = []
    for line in lines:
        debit, credit = (SMALL, "income:sales") if line.said.signed_minor > 0 else ("income:sales", SMALL)
        on = line.said.on
        assert on is not None
        commands.append(
            transfer(
                debit=debit, credit=credit, amount=Money(line.said.amount.minor, EUR), id=UUID(bytes=draw()),
                reference=line.said.references[0], effective_at=datetime(on.year, on.month, on.day, tzinfo=UTC),
            )
        )  # fmt: skip
    for first in range(0, len(commands), BATCH):
        ledger.post_all(commands[first : first + BATCH])


def statements_of(engine: Engine, work: Callable[[], object]) -> int:
    """How many statements the one connection of a pool sends for some work."""
    with tempfile.TemporaryDirectory() as directory, (Path(directory) / "wire").open("w+") as file:
        with engine.connect() as connection:
            wire = driver_connection(connection).pgconn
        wire.trace(file.fileno())
        wire.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
        try:
            work()
        finally:
            wire.untrace()
        file.seek(0)
        return len(re.findall(r"^F\t\d+\t(?:Execute|Query)\b", file.read(), re.MULTILINE))


if __name__ == "__main__":
    main()
