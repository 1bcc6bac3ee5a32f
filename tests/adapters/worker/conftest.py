"""Workers in threads of the test's own process, over jobs in memory or in this test's database."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from ledgercore.jobs.handlers import Handler
from ledgercore.jobs.running import LEASE, Ran, Runner
from ledgercore_memory import MemoryJobQueue, MemoryStore, MemoryWorkStore
from ledgercore_postgres import PostgresJobQueue, PostgresWorkStore
from ledgercore_worker import Worker

SECONDS_MAX = 30


def present() -> datetime:
    """The system's clock: threads wait by it."""
    return datetime.now(UTC)


class Heard:
    """What a worker reports; `enough` is set when so many attempts have ended, or something faltered."""

    def __init__(self, expected: int = 1) -> None:
        self.attempts: list[Ran] = []
        self.errors: list[Exception] = []
        self.enough = threading.Event()
        self._expected = expected

    def ran(self, ran: Ran) -> None:
        self.attempts.append(ran)
        if len(self.attempts) >= self._expected:
            self.enough.set()

    def faltered(self, error: Exception) -> None:
        self.errors.append(error)
        self.enough.set()

    def wait(self) -> None:
        assert self.enough.wait(SECONDS_MAX), "it never came"


@pytest.fixture
def work_store() -> MemoryWorkStore:
    """Jobs in memory, at the present."""
    return MemoryWorkStore(MemoryStore(clock=present), clock=present)


@pytest.fixture
def postgres_work_store(engine: Engine) -> PostgresWorkStore:
    """Jobs in this test's database, at the present."""
    return PostgresWorkStore(engine, clock=present)


@pytest.fixture
def runner(work_store: MemoryWorkStore) -> Callable[..., Runner]:
    """Makes a runner of some handlers, in memory."""

    def make(*handlers: Handler, lease: timedelta = LEASE) -> Runner:
        queue = MemoryJobQueue(work_store)
        return Runner(store=work_store, queue=queue, handlers=handlers, clock=present, random=lambda: 0.0, lease=lease)

    return make


@pytest.fixture
def postgres_runner(postgres_work_store: PostgresWorkStore, engine: Engine) -> Callable[..., Runner]:
    """Makes a runner of some handlers, in this test's database."""

    def make(*handlers: Handler) -> Runner:
        queue = PostgresJobQueue(engine, clock=present)
        return Runner(store=postgres_work_store, queue=queue, handlers=handlers, clock=present, random=lambda: 0.0)

    return make


@pytest.fixture
def hear() -> type[Heard]:
    """Makes something that hears a worker's reports."""
    return Heard


@pytest.fixture
def started() -> Callable[..., AbstractContextManager[None]]:
    """Runs workers for the length of a block; they have ended behind it."""
    return _started


@contextmanager
def _started(*workers: Worker) -> Iterator[None]:
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
        for thread in threads:
            thread.join(SECONDS_MAX)
            assert not thread.is_alive()
