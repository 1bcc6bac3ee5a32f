"""Several processes posting at once: on the same accounts of one ledger, and on ledgers of their own.

Each process has built its commands before the clock starts; it stops when the last one has committed.
"""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from itertools import count
from multiprocessing.connection import Connection

from harness import (  # type: ignore[import-not-found]
    Target,
    fresh_database,
    interleaved,
    new_ledger,
    open_ledger,
    options,
    quiet_memory,
    report,
    server,
    transfers,
)


def writer(url: str, name: str, orders: Connection) -> None:
    """A process that posts what it is told to: size and number of batches, and whether on one hot account."""
    ledger = open_ledger(url, name)
    while True:
        size, times, hot, seed = orders.recv()
        batches = [transfers(size, hot=hot, seed=seed * 1_000 + turn) for turn in range(times)]
        with quiet_memory():
            orders.send("ready")
            orders.recv()
            for batch in batches:
                ledger.post_all(batch)
            orders.send("done")


def main() -> None:
    """Measure and print."""
    chosen = options(__doc__, rounds=7)
    context = multiprocessing.get_context("spawn")
    seeds = count()
    with server(chosen) as url, fresh_database(url) as database:
        links: dict[str, list[Connection]] = {}
        started = []
        for name, processes in (("one", 4), ("two", 1)):
            new_ledger(database, name).journal._engine.dispose()
            links[name] = []
            for _ in range(processes):
                ours, theirs = context.Pipe()
                process = context.Process(target=writer, args=(database, name, theirs), daemon=True)
                process.start()
                started.append(process)
                links[name].append(ours)

        def together(writers: Sequence[Connection], size: int, times: int, *, hot: bool = False) -> Callable[[], float]:
            def case() -> float:
                for link in writers:
                    link.send((size, times, hot, next(seeds)))
                for link in writers:
                    link.recv()
                begun = time.perf_counter()
                for link in writers:
                    link.send("go")
                for link in writers:
                    link.recv()
                return len(writers) * times * size / (time.perf_counter() - begun)

            return case

        one, apart = links["one"][:1], [links["one"][0], links["two"][0]]
        rates = interleaved(
            {
                "1 writer, batches of 8,000": together(one, 8_000, 4),
                "4 writers on the same accounts, batches of 8,000": together(links["one"], 8_000, 1),
                "2 writers on two ledgers, batches of 8,000": together(apart, 8_000, 2),
                "1 writer, batches of 1,000": together(one, 1_000, 12),
                "4 writers on the same accounts, batches of 1,000": together(links["one"], 1_000, 3),
                "2 writers on two ledgers, batches of 1,000": together(apart, 1_000, 6),
                "1 writer, one at a time": together(one, 1, 200),
                "4 writers on the same accounts, one at a time": together(links["one"], 1, 50),
                "4 writers on one hot account, one at a time": together(links["one"], 1, 50, hot=True),
            },
            chosen.rounds,
        )
        for process in started:
            process.terminate()
            process.join()
        report(
            "Writers at once, transfers per second in all",
            rates,
            [
                *(
                    Target(
                        f"4 writers / 1, batches of {size}",
                        0.8,
                        rates[f"4 writers on the same accounts, batches of {size}"]
                        / rates[f"1 writer, batches of {size}"],
                    )
                    for size in ("8,000", "1,000")
                ),
                *(
                    Target(
                        f"2 ledgers / 1, batches of {size}",
                        1.5,
                        rates[f"2 writers on two ledgers, batches of {size}"] / rates[f"1 writer, batches of {size}"],
                    )
                    for size in ("8,000", "1,000")
                ),
                Target(
                    "hot / spread accounts, one at a time",
                    1,
                    rates["4 writers on one hot account, one at a time"]
                    / rates["4 writers on the same accounts, one at a time"],
                ),
            ],
            chosen,
        )


if __name__ == "__main__":
    main()
