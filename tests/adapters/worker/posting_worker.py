"""A worker whose jobs each post one transaction, with a lease that lapses soon; run as a program by the tests.

Arguments: the URL of a database. It ends by SIGTERM, or when one of its jobs ends it.
"""

import os
import random
import signal
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from ledgercore.jobs.handlers import External, Transactional
from ledgercore.jobs.running import Ran, Runner
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.transactions import transfer
from ledgercore.money import Money, currency
from ledgercore_postgres import PostgresJobQueue, PostgresWorkStore, connect
from ledgercore_worker import Worker

LEASE = timedelta(seconds=0.6)


def post(work, batch):
    """One transaction for each job, without a key that would hide a second one; slow enough to be met in the middle."""
    ledger = Ledger(work.ledgers.journal("books"))
    euro = Money(100, currency("EUR"))
    ledger.post_all(
        [transfer(debit="assets:a", credit="assets:b", amount=euro, reference=str(job.id)) for job in batch]
    )
    time.sleep(0.02)
    return [None] * len(batch)


def end(claim):
    """End the process at once, as a fault in a library or the system's memory would."""
    os._exit(1)


class Quiet:
    """Hears nothing but faults."""

    def ran(self, ran: Ran) -> None:
        """Nothing."""

    def faltered(self, error: Exception) -> None:
        """Tell the tests."""
        print(f"faltered: {error!r}", file=sys.stderr, flush=True)


def main(url: str) -> None:
    """Work until told to end."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    engine = connect(url)
    runner = Runner(
        store=PostgresWorkStore(engine, clock=lambda: datetime.now(UTC)),
        queue=PostgresJobQueue(engine, clock=lambda: datetime.now(UTC)),
        handlers=(Transactional(kind="post", handle=post, batch_max=5), External(kind="poison", handle=end)),
        clock=lambda: datetime.now(UTC),
        random=random.random,
        lease=LEASE,
    )
    with suppress(KeyboardInterrupt):
        Worker(runner, lanes={"default": 2}, report=Quiet()).run()
    engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1])
