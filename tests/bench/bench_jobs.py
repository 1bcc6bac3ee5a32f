"""Background jobs per second: done in batches and singly, and enqueued, beside a bare loop of SKIP LOCKED.

The bare loop claims and completes rows of a table without anything else, in as many transactions as we take, on one
connection as we do. Procrastinate is measured in the same run where it is installed; it does ten jobs at once.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import psycopg
from harness import (  # type: ignore[import-not-found]
    Target,
    clock,
    fresh_database,
    interleaved,
    options,
    plain_url,
    report,
    seconds_of,
    server,
)

from ledgercore.jobs.handlers import Transactional
from ledgercore.jobs.jobs import NewJob
from ledgercore.jobs.running import Runner
from ledgercore_postgres import PostgresJobQueue, PostgresWorkStore, connect

BATCH = 100
CONCURRENCY = 10


class Ours:
    """Our queue: jobs that do nothing, acknowledged in the transaction in which they do it."""

    def __init__(self, url: str) -> None:
        self.engine = connect(url)
        self.store = PostgresWorkStore(self.engine, clock=clock)

    def enqueue(self, count: int, *, size: int) -> None:
        """So many jobs, each so many in a unit of work."""
        for _ in range(count // size):
            with self.store.begin() as work:
                work.jobs.enqueue([NewJob(kind="nothing", arguments={"n": 1}) for _ in range(size)])

    def work(self, size: int) -> None:
        """All that there are, by one thread."""
        self.runner(size).drain()

    def work_at_once(self, size: int) -> None:
        """All that there are, by ten threads."""
        with ThreadPoolExecutor(CONCURRENCY) as threads:
            for worked in [threads.submit(self.runner(size).drain) for _ in range(CONCURRENCY)]:
                worked.result()

    def runner(self, size: int) -> Runner:
        """What does so many at once."""
        handler = Transactional(kind="nothing", handle=_nothing, batch_max=size)
        queue = PostgresJobQueue(self.engine, clock=clock)
        return Runner(store=self.store, queue=queue, handlers=(handler,), clock=clock, random=random.random)


class Bare:
    """A table, two indexes, and the statements that a queue cannot do without."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(plain_url(url), prepare_threshold=0)
        self.connection.execute(
            "CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, arguments json NOT NULL,"
            " state text NOT NULL DEFAULT 'waiting')"
        )
        self.connection.execute("CREATE INDEX ON bare (id) WHERE state = 'waiting'")
        self.connection.commit()

    def enqueue(self, count: int, *, size: int) -> None:
        """So many rows, each so many in a transaction."""
        for _ in range(count // size):
            self.connection.execute(
                "INSERT INTO bare (arguments) SELECT '{\"n\": 1}' FROM generate_series(1, %s)", (size,)
            )
            self.connection.commit()

    def work(self, size: int) -> None:
        """All that there are: claim, commit, complete, commit."""
        while True:
            claimed = self.connection.execute(
                "UPDATE bare SET state = 'running' FROM (SELECT id FROM bare WHERE state = 'waiting' ORDER BY id"
                " LIMIT %s FOR UPDATE SKIP LOCKED) AS ready WHERE bare.id = ready.id RETURNING bare.id, arguments",
                (size,),
            ).fetchall()
            self.connection.commit()
            if not claimed:
                return
            self.connection.execute("UPDATE bare SET state = 'done' WHERE id = ANY(%s)", ([id for id, _ in claimed],))
            self.connection.commit()


class Procrastinate:
    """The library, with its own tables in the same database."""

    def __init__(self, url: str) -> None:
        library: Any = import_module("procrastinate")
        conninfo = plain_url(url)
        self.sync = library.App(connector=library.SyncPsycopgConnector(conninfo=conninfo))
        self.sync.open()
        self.sync.schema_manager.apply_schema()
        connector = library.PsycopgConnector(conninfo=conninfo, max_size=CONCURRENCY)
        self.worker = library.App(connector=connector)
        self.worker.task(name="nothing")(_nothing_either)

    def enqueue(self, count: int, *, size: int) -> None:
        """So many jobs, each so many in a statement."""
        deferrer = self.sync.configure_task("nothing")
        for _ in range(count // size):
            if size == 1:
                deferrer.defer(n=1)
            else:
                deferrer.batch_defer(*({"n": 1} for _ in range(size)))

    def work(self) -> None:
        """All that there are."""

        async def run() -> None:
            async with self.worker.open_async():
                await self.worker.run_worker_async(
                    wait=False, concurrency=CONCURRENCY, install_signal_handlers=False, update_heartbeat_interval=60
                )

        asyncio.run(run())


async def _nothing_either(n: int) -> None:
    """What the library's jobs do."""


def _nothing(_: Any, jobs: Sequence[Any]) -> list[None]:
    return [None] * len(jobs)


def main() -> None:
    """Measure and print."""
    chosen = options(__doc__, rounds=5, jobs=5_000, single=1_000)
    with server(chosen) as url, fresh_database(url) as database:
        ours, bare = Ours(database), Bare(database)

        def done(side: Any, count: int, size: int) -> Callable[[], float]:
            def case() -> float:
                side.enqueue(count, size=BATCH)
                return float(count / seconds_of(lambda: side.work(size)))

            return case

        def enqueued(side: Any, count: int, size: int) -> Callable[[], float]:
            def case() -> float:
                rate = count / seconds_of(lambda: side.enqueue(count, size=size))
                side.work(BATCH)
                return float(rate)

            return case

        cases = {
            "ours, batches of 100": done(ours, chosen.jobs, BATCH),
            "bare, batches of 100": done(bare, chosen.jobs, BATCH),
            "ours, one at a time": done(ours, chosen.single, 1),
            "bare, one at a time": done(bare, chosen.single, 1),
            "ours, enqueued by 100": enqueued(ours, chosen.jobs, BATCH),
            "bare, enqueued by 100": enqueued(bare, chosen.jobs, BATCH),
            "ours, enqueued singly": enqueued(ours, chosen.single, 1),
            "bare, enqueued singly": enqueued(bare, chosen.single, 1),
        }

        def done_at_once() -> float:
            ours.enqueue(chosen.single, size=BATCH)
            return float(chosen.single / seconds_of(lambda: ours.work_at_once(1)))

        cases["ours, one at a time, ten threads"] = done_at_once
        if find_spec("procrastinate") is not None:
            library = Procrastinate(database)

            def done_by_library() -> float:
                library.enqueue(chosen.single, size=BATCH)
                return float(chosen.single / seconds_of(library.work))

            def enqueued_by_library(count: int, size: int) -> Callable[[], float]:
                def case() -> float:
                    rate = count / seconds_of(lambda: library.enqueue(count, size=size))
                    library.work()
                    return float(rate)

                return case

            cases["procrastinate, ten at once"] = done_by_library
            cases["procrastinate, enqueued by 100"] = enqueued_by_library(chosen.single, BATCH)
            cases["procrastinate, enqueued singly"] = enqueued_by_library(chosen.single, 1)
        rates = interleaved(cases, chosen.rounds)
        names = ("batches of 100", "one at a time", "enqueued by 100", "enqueued singly")
        targets = [
            Target(f"ours / bare, {name}", 0.3, rates[f"ours, {name}"] / rates[f"bare, {name}"]) for name in names
        ]
        if "procrastinate, ten at once" in rates:
            library_rate = rates["procrastinate, ten at once"]
            targets.append(Target("ours in batches / procrastinate", 1, rates["ours, batches of 100"] / library_rate))
            targets.append(
                Target(
                    "ours one at a time, ten threads / procrastinate",
                    1,
                    rates["ours, one at a time, ten threads"] / library_rate,
                )
            )
        report("Jobs per second, one thread unless it says ten", rates, targets, chosen)


if __name__ == "__main__":
    main()
