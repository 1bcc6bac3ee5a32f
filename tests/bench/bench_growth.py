"""A ledger that has grown to many entries against an empty one: posting, balances, and a balance at a point in time.

A transfer has two entries. Filling goes through the public API and is reported, not judged. `--entries 2000000`
takes a tenth of the time.
"""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from time import perf_counter

from harness import (  # type: ignore[import-not-found]
    Target,
    clock,
    fresh_database,
    interleaved,
    new_ledger,
    options,
    path,
    report,
    seconds_of,
    server,
    transfers,
)
from sqlalchemy import text

from ledgercore.ledger.ledger import Ledger
from ledgercore_postgres import balances, connect

SIZE = 8_000
READS = 200


def main() -> None:
    """Measure and print."""
    chosen = options(__doc__, entries=20_000_000, rounds=9)
    seeds = count()
    with server(chosen) as url, fresh_database(url) as small, fresh_database(url) as large:
        empty, grown = new_ledger(small), new_ledger(large)
        begun, filling = clock(), 0.0
        for _ in range(chosen.entries // 2 // SIZE):
            batch = transfers(SIZE, seed=next(seeds))
            started = perf_counter()
            grown.post_all(batch)
            filling += perf_counter() - started
        middle = begun + (clock() - begun) / 2

        def posting(ledger: Ledger) -> Callable[[], float]:
            def case() -> float:
                batch = transfers(SIZE, seed=next(seeds))
                return SIZE / seconds_of(lambda: ledger.post_all(batch))

            return case

        def reading(ledger: Ledger) -> Callable[[], float]:
            paths = [path(number) for number in range(0, 1_000, 1_000 // READS)]
            return lambda: READS / seconds_of(lambda: [ledger.balance(wanted) for wanted in paths])

        def reading_then(ledger: Ledger) -> Callable[[], float]:
            paths = [path(number) for number in range(0, 1_000, 1_000 // READS)]
            moment = middle - timedelta(microseconds=1)
            return lambda: (
                READS / seconds_of(lambda: [ledger.balance_at(wanted, effective_at=moment) for wanted in paths])
            )

        rates = interleaved(
            {
                "posting, empty": posting(empty),
                "posting, grown": posting(grown),
                "balance, empty": reading(empty),
                "balance, grown": reading(grown),
                "balance at a time, empty": reading_then(empty),
                "balance at a time, grown": reading_then(grown),
            },
            chosen.rounds,
        )
        plan, pages = point_in_time_plan(large, middle)
        entries = 2 * grown.state().number
        report(
            f"Growth to {chosen.entries:,} entries, transfers or reads per second",
            {**rates, "filling": chosen.entries / 2 / filling, "pages of a balance at a time": pages},
            [
                Target("posting, grown / empty", 0.8, rates["posting, grown"] / rates["posting, empty"]),
                Target("balance, grown / empty", 0.8, rates["balance, grown"] / rates["balance, empty"]),
            ],
            chosen,
            text=f"A balance at a time among {entries:,} entries:\n{plan}",
        )


def point_in_time_plan(url: str, moment: object) -> tuple[str, int]:
    """The plan of one balance at a time, and the pages that it touched."""
    engine = connect(url)
    statement = balances.BALANCES_AT.format(which=balances.BY_PATHS)
    with engine.connect() as connection:
        ledger_id, number = connection.execute(text("SELECT ledger_id, number FROM heads")).one()
        values = {"ledger": ledger_id, "paths": [path(7)], "effective_at": moment, "last_number": number}
        connection.execute(text(statement), values)
        lines = connection.execute(text(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) {statement}"), values)
        plan = "\n".join(line for (line,) in lines)
        explained = connection.execute(text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"), values)
        [found] = explained.scalar_one()
    engine.dispose()
    return plan, found["Plan"]["Shared Hit Blocks"] + found["Plan"]["Shared Read Blocks"]


if __name__ == "__main__":
    main()
