"""Durable posting of batches through the public API, against one transaction per transfer and against bare COPY.

Command objects are built beforehand; everything else counts: checks, locks, balances, hashes, rows, commit.
"""

from collections.abc import Callable
from itertools import count

from harness import (  # type: ignore[import-not-found]
    Naive,
    Raw,
    Target,
    fresh_database,
    interleaved,
    new_ledger,
    options,
    report,
    seconds_of,
    server,
    transfers,
)

from ledgercore.ledger.ledger import Ledger

NAIVE_TRANSFERS = 400
MANY_ACCOUNTS = 100_000


def main() -> None:
    """Measure and print."""
    chosen = options(__doc__, rounds=9)
    with server(chosen) as url, fresh_database(url) as database, fresh_database(url) as wide:
        seeds = count()
        ledger = new_ledger(database)
        ledger_wide = new_ledger(wide, accounts=MANY_ACCOUNTS)
        naive = Naive(database, accounts=1_000)
        raw = Raw(database)

        def ours(
            book: Ledger, size: int, *, times: int = 1, accounts: int = 1_000, hot: bool = False
        ) -> Callable[[], float]:
            def case() -> float:
                batches = [transfers(size, accounts=accounts, hot=hot, seed=next(seeds)) for _ in range(times)]
                return times * size / seconds_of(lambda: [book.post_all(batch) for batch in batches])

            return case

        def one_by_one() -> float:
            batch = transfers(NAIVE_TRANSFERS, seed=next(seeds))
            return NAIVE_TRANSFERS / seconds_of(lambda: naive.post(batch))

        def bare() -> float:
            # The rows of the batch that was posted last, again under another ledger's number.
            after = ledger.state().number
            ledger.post_all(transfers(8_000, seed=next(seeds)))
            data = raw.take("bench", after)
            return 8_000 / seconds_of(lambda: raw.store(data))

        rates = interleaved(
            {
                "n: one transaction per transfer": one_by_one,
                "r: bare COPY of 8,000 rows": bare,
                "batches of 8,000": ours(ledger, 8_000),
                "batches of 1,000": ours(ledger, 1_000, times=4),
                "batches of 100": ours(ledger, 100, times=20),
                "batches of 10": ours(ledger, 10, times=50),
                "one at a time": ours(ledger, 1, times=200),
                "batches of 8,000 on one hot account": ours(ledger, 8_000, hot=True),
                "batches of 8,000 on 100,000 accounts": ours(ledger_wide, 8_000, accounts=MANY_ACCOUNTS),
            },
            chosen.rounds,
        )
        n, r = rates["n: one transaction per transfer"], rates["r: bare COPY of 8,000 rows"]
        spread = rates["batches of 8,000"]
        report(
            "Posting, transfers per second",
            rates,
            [
                Target("batches of 8,000 / n", 60, spread / n),
                Target("batches of 8,000 / r", 0.45, spread / r),
                Target("batches of 1,000 / n", 40, rates["batches of 1,000"] / n),
                Target("100,000 accounts / n", 25, rates["batches of 8,000 on 100,000 accounts"] / n),
                Target("one hot account / spread accounts", 1, rates["batches of 8,000 on one hot account"] / spread),
            ],
            chosen,
        )


if __name__ == "__main__":
    main()
