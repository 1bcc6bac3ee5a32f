"""The pure engine in memory: deciding transfers on a working set, without any store.

CPU time of one process. Spelling, hashing and Merkle roots are given for comparison; a store does them too.
"""

import time
from collections.abc import Callable
from itertools import count

from harness import EUR, IDS, Target, clock, interleaved, options, path, report, seconds_of, transfers  # type: ignore[import-not-found]

from ledgercore.ledger.accounts import AccountState, AccountType, Limits
from ledgercore.ledger.log.encoding import encode_records
from ledgercore.ledger.log.merkle import leaf_hash, tree_root
from ledgercore.ledger.rules.engine import Evaluation, evaluate
from ledgercore.ledger.rules.working_set import WorkingSet

SIZE = 8_000
PER_SECOND = 250_000


def main() -> None:
    """Measure and print."""
    chosen = options(__doc__, rounds=25)
    seeds = count()

    def deciding(*, accounts: int = 1_000, guarded: bool = False) -> Callable[[], Evaluation]:
        working, now, new_id = working_set(accounts, guarded=guarded), clock(), IDS.batch(clock())
        batch = transfers(SIZE, accounts=accounts, seed=next(seeds))
        return lambda: evaluate(batch, working, now=now, new_id=new_id)

    def spelling() -> float:
        records = deciding()().records

        def spell() -> None:
            encoded = encode_records(records, first_number=1, recorded_at=clock())
            tree_root([leaf_hash(b"".join(rows)) for _, rows in encoded])

        return micros(spell)

    figures = interleaved(
        {
            "deciding, 1,000 accounts": lambda: micros(deciding()),
            "deciding, 1,000 accounts with limits": lambda: micros(deciding(guarded=True)),
            "deciding, 100,000 accounts": lambda: micros(deciding(accounts=100_000)),
            "spelling, hashing, Merkle root": spelling,
        },
        chosen.rounds,
    )
    rate = 1e6 / figures["deciding, 1,000 accounts"]
    report(
        "The engine in memory, µs of CPU per transfer",
        {name: f"{value:12.2f}" for name, value in figures.items()},
        [Target("transfers per CPU second / 250,000", 1, rate / PER_SECOND)],
        chosen,
    )


def working_set(accounts: int, *, guarded: bool) -> WorkingSet:
    """Open accounts, as a store would have loaded them."""
    limits = Limits(minimum=-(10**12)) if guarded else Limits()
    made = WorkingSet()
    for number in range(accounts):
        state = AccountState(
            number=number + 1, path=path(number), currency=EUR, type=AccountType.ASSET, opened_at=clock(), limits=limits
        )
        made.accounts[state.path] = state
    return made


def micros(work: Callable[[], object]) -> float:
    """CPU time per transfer."""
    return seconds_of(work, timer=time.process_time) / SIZE * 1e6


if __name__ == "__main__":
    main()
