"""Workers that end in the middle of their jobs: nothing is lost, nothing done twice, and what ends them is given up."""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ledgercore.jobs.jobs import ATTEMPTS_MAX, Job, JobState, NewJob
from ledgercore.jobs.ports import JobFilter
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.log.records import TRANSACTION
from ledgercore.ledger.proofs.verification import verify
from ledgercore.testing.ledgers import OPENING
from ledgercore_postgres import PostgresStore, PostgresWorkStore

PROGRAM = Path(__file__).with_name("posting_worker.py")
SECONDS_MAX = 60


@pytest.fixture
def work_store(engine: Engine) -> PostgresWorkStore:
    """Units of work at the present, since the processes go by the system's clock."""
    return PostgresWorkStore(engine, clock=lambda: datetime.now(UTC))


@pytest.fixture
def books(engine: Engine) -> Ledger:
    """The ledger that the jobs post to."""
    store = PostgresStore(engine, clock=lambda: datetime.now(UTC))
    return Ledger(store.create("books", OPENING))


@contextmanager
def working(url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own, which is killed at the end of the block."""
    process = subprocess.Popen([sys.executable, str(PROGRAM), url], stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def until(reached: Callable[[], bool]) -> None:
    """Wait for something that comes."""
    end = time.monotonic() + SECONDS_MAX
    while not reached():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def all_jobs(work_store: PostgresWorkStore) -> list[Job]:
    """Every job."""
    with work_store.begin() as work:
        return list(work.jobs.list_after(JobFilter(), after=None, limit=1000))


def unfinished(engine: Engine) -> int:
    """How many jobs are waiting or running."""
    with engine.connect() as connection:
        counted = text("SELECT count(*) FROM jobs WHERE state IN ('waiting', 'running')")
        return int(connection.execute(counted).scalar_one())


def posted(books: Ledger) -> Counter[str | None]:
    """How often each job has left its effect, by the job's id."""
    rows = books.journal.read_rows(limit=10_000)
    return Counter(row.reference for row in rows if row.kind == TRANSACTION)


@pytest.mark.slow
def test_killed_workers_lose_no_job_and_double_no_effect(
    database_url: str, engine: Engine, work_store: PostgresWorkStore, books: Ledger
) -> None:
    """kill -9 in the middle of a batch, several times; two workers end the rest, and end by themselves when told to."""
    with work_store.begin() as work:
        ids = work.jobs.enqueue([NewJob(kind="post") for _ in range(300)])
    left, kills = 300, 0
    for _ in range(4):
        goal = left - 30
        with working(database_url) as process:
            until(lambda: unfinished(engine) <= goal)  # noqa: B023
            process.kill()
        left, kills = unfinished(engine), kills + 1

    with working(database_url) as one, working(database_url) as other:
        until(lambda: unfinished(engine) == 0)
        for process in (one, other):
            process.send_signal(signal.SIGTERM)
        statuses = [process.wait(SECONDS_MAX) for process in (one, other)]

    jobs = all_jobs(work_store)
    assert (kills, statuses) == (4, [0, 0])
    assert {job.state for job in jobs} == {JobState.DONE}
    assert posted(books) == Counter(str(id) for id in ids)
    assert any(job.failures for job in jobs), "nothing was met in the middle"
    assert verify(books.journal).sound


@pytest.mark.slow
def test_job_that_ends_its_worker_is_given_up(
    database_url: str, engine: Engine, work_store: PostgresWorkStore, books: Ledger
) -> None:
    """After five times; the innocent jobs beside it are all done."""
    with work_store.begin() as work:
        [poison, *others] = work.jobs.enqueue([NewJob(kind="poison"), *(NewJob(kind="post") for _ in range(20))])

    def ended() -> bool:
        # It would wait longer each time before it begins again.
        with engine.begin() as connection:
            connection.execute(text("UPDATE jobs SET run_at = enqueued_at WHERE kind = 'poison'"))
        return unfinished(engine) == 0

    deaths = 0
    while not ended():
        with working(database_url) as process:
            until(lambda: process.poll() is not None or ended())
            deaths += process.poll() == 1

    by_id = {job.id: job for job in all_jobs(work_store)}
    assert deaths == ATTEMPTS_MAX
    assert by_id[poison].state is JobState.DEAD
    assert [failure.reason for failure in by_id[poison].failures] == ["job_abandoned"] * ATTEMPTS_MAX
    assert {by_id[id].state for id in others} == {JobState.DONE}
    assert posted(books) == Counter(str(id) for id in others)
