"""`ledgercore worker` in a process of its own: what it does, what it tells, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledgercore.jobs.jobs import Job, JobState, NewJob
from ledgercore.jobs.ports import JobFilter
from ledgercore.jobs.upkeep import EXPIRE_HOLDS
from ledgercore.ledger.ledger import Ledger
from ledgercore.testing.ledgers import OPENING, eur
from ledgercore_postgres import PostgresStore, PostgresWorkStore, connect

PROGRAM = "from ledgercore_app.cli import main; main()"
SECONDS_MAX = 60


def present() -> datetime:
    """The system's clock."""
    return datetime.now(UTC)


@pytest.fixture
def work_store(where: dict[str, str]) -> Iterator[PostgresWorkStore]:
    """Units of work in the worker's database, where a ledger has a hold that ends at once."""
    engine = connect(where["LEDGERCORE_DATABASE_URL"])
    books = Ledger(PostgresStore(engine, clock=present).create("books", OPENING))
    soon = present() + timedelta(milliseconds=20)
    books.hold(debit="assets:a", credit="assets:b", amount=eur("5.00"), expires_at=soon)
    yield PostgresWorkStore(engine, clock=present)
    engine.dispose()


@contextmanager
def working(where: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A worker, killed at the end of the block."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LEDGERCORE_")}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "worker", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**clean, **where},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def jobs_of(work_store: PostgresWorkStore, kind: str) -> list[Job]:
    """All jobs of a kind."""
    with work_store.begin() as work:
        return list(work.jobs.list_after(JobFilter(kind=kind), after=None, limit=100))


def until(reached: Callable[[], Any]) -> Any:
    """Wait for something that comes, and give it."""
    end = time.monotonic() + SECONDS_MAX
    while not (found := reached()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def scraped(port: int) -> str:
    """What a worker's metrics say, or nothing while it does not listen yet."""
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())
    return ""


def test_worker_keeps_house_until_it_is_told_to_end(where: dict[str, str], work_store: PostgresWorkStore) -> None:
    """It enqueues by the clock, does that, tells of it in log and metrics, and ends well at SIGTERM."""
    port = free_port()
    with working(where, "--metrics-port", str(port)) as process:
        until(lambda: [job for job in jobs_of(work_store, EXPIRE_HOLDS) if job.state is JobState.DONE])
        counted = until(lambda: [line for line in scraped(port).splitlines() if EXPIRE_HOLDS in line])
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=SECONDS_MAX)

    lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    [line] = [line for line in lines if line.get("kind") == EXPIRE_HOLDS][:1]
    assert process.returncode == 0, told
    assert "queues: banking:3, payments:2, notifications:3, default:1" in told
    assert (line["event"], line["queue"], line["attempt"]) == ("job success", "default", 1)
    assert {"worker", "duration_ms", "correlation_id", "job_id"} <= line.keys()
    assert any('outcome="success"' in sample for sample in counted)
    assert not [line for line in lines if line["level"] == "error"]
    with work_store.begin() as work:
        [hold] = Ledger(work.ledgers.journal("books")).list_holds().items
    assert hold.status == "expired"


def test_worker_may_do_what_there_is_and_end(where: dict[str, str], work_store: PostgresWorkStore) -> None:
    """Only the queues that are named, and nothing by the clock."""
    with work_store.begin() as work:
        work.jobs.enqueue([NewJob(kind=EXPIRE_HOLDS), NewJob(kind=EXPIRE_HOLDS), NewJob(kind="newer")])

    with working(where, "--until-empty", "--json") as process:
        out, told = process.communicate(timeout=SECONDS_MAX)

    assert process.returncode == 0, told
    assert json.loads(out) == {"success": 2, "failure": 0, "dead_letter": 0, "lost": 0}
    assert [job.state for job in jobs_of(work_store, "newer")] == [JobState.WAITING]


@pytest.mark.parametrize("queues", ["payments", "payments:0", ",", "payments:many"])
def test_queues_that_cannot_be_are_refused(where: dict[str, str], queues: str) -> None:
    """Before anything is opened."""
    with working(where, "--queues", queues) as process:
        _, told = process.communicate(timeout=SECONDS_MAX)

    assert process.returncode == 2
    assert "Invalid value for '--queues'" in told
