"""How often jobs ask the database, however many there are."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from ledgercore.errors import ConflictError
from ledgercore.jobs.handlers import Transactional
from ledgercore.jobs.jobs import Claim, JobState
from ledgercore.jobs.running import Outcome, Runner
from ledgercore.ledger.ledger import Ledger
from ledgercore.testing.jobs_ready import KIND, LEASE, claimed, enqueued, kept, sheep
from ledgercore.testing.ledgers import OPENING, eur
from ledgercore_postgres import PostgresJobQueue, PostgresStore, PostgresWorkStore

QUEUE = "default"
SIZES = pytest.mark.parametrize("size", [1, 100])


@pytest.fixture
def jobs(engine: Engine, clock) -> PostgresWorkStore:
    """Jobs in this test's database."""
    return PostgresWorkStore(engine, clock=clock)


@pytest.fixture
def job_queue(engine: Engine, clock) -> PostgresJobQueue:
    """What workers take them from."""
    return PostgresJobQueue(engine, clock=clock)


@SIZES
def test_enqueuing_takes_one_statement(jobs, watched, size):
    """Begin with it; commit."""
    new = [sheep(QUEUE) for _ in range(size)]

    def enqueue() -> None:
        with jobs.begin() as work:
            work.jobs.enqueue(new)

    enqueue()

    sent = watched(enqueue)

    assert (sent.statements, sent.trips) == (3, 3)


@SIZES
def test_unique_jobs_take_a_trip_more(jobs, watched, size):
    """Their locks and their twins, together."""
    rounds = iter(range(9))

    def enqueue() -> None:
        turn = next(rounds)
        with jobs.begin() as work:
            work.jobs.enqueue([sheep(QUEUE, unique_key=f"{turn}-{n}") for n in range(size)])

    enqueue()

    sent = watched(enqueue)

    assert (sent.statements, sent.trips) == (5, 4)


@SIZES
def test_claiming_takes_one_trip(jobs, job_queue, watched, size):
    """Begin; what was left behind and what is ready; commit."""
    enqueued(jobs, *(sheep(QUEUE) for _ in range(3 * size)))
    claimed(job_queue, QUEUE, limit=size)

    sent = watched(lambda: claimed(job_queue, QUEUE, limit=size))

    assert (sent.statements, sent.trips) == (4, 3)


@SIZES
def test_completing_takes_one_statement(jobs, job_queue, watched, size):
    """In a unit of work that begins and commits anyway."""
    enqueued(jobs, *(sheep(QUEUE) for _ in range(2 * size)))

    def complete() -> None:
        with jobs.begin() as work:
            work.jobs.complete(batch)

    batch = claimed(job_queue, QUEUE, limit=size)
    complete()
    batch = claimed(job_queue, QUEUE, limit=size)

    sent = watched(complete)

    assert (sent.statements, sent.trips) == (3, 3)


@SIZES
def test_extending_takes_one_statement(jobs, job_queue, watched, size):
    """However many leases are kept alive."""
    enqueued(jobs, *(sheep(QUEUE) for _ in range(size)))
    batch = claimed(job_queue, QUEUE, limit=size)
    job_queue.extend(batch, lease=LEASE)

    sent = watched(lambda: job_queue.extend(batch, lease=LEASE))

    assert (sent.statements, sent.trips) == (3, 3)


def test_lost_lease_undoes_what_was_posted(jobs, job_queue, clock, engine):
    """Money moves once: by the worker that has the job at the commit."""
    ledger = Ledger(PostgresStore(engine, clock=clock).create("books", OPENING))
    overtaken: list[Claim] = []

    def post(work, batch):
        joined = Ledger(work.ledgers.journal("books"))
        for _ in batch:
            joined.transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"))
        if not overtaken:
            clock.forward(seconds=31)
            overtaken.extend(claimed(job_queue, QUEUE))
        return [None] * len(batch)

    [job] = enqueued(jobs, sheep(QUEUE))
    handler = Transactional(kind=KIND, handle=post)
    runner = Runner(store=jobs, queue=job_queue, handlers=(handler,), clock=clock, random=lambda: 0.0)

    [ran] = runner.run_once(QUEUE)

    assert (ran.outcome, list(ledger.list_transactions().items)) == (Outcome.LOST, [])
    assert [claim.attempt for claim in overtaken] == [2]
    [other] = kept(jobs, QUEUE)
    assert (other.id, other.state, other.attempts) == (job.id, JobState.RUNNING, 2)


def test_extending_does_not_wait_for_a_job_that_is_being_completed(jobs, job_queue):
    """Nor does taking back what has lapsed: the one who completes it has it."""
    enqueued(jobs, sheep(QUEUE), sheep(QUEUE))
    claims = claimed(job_queue, QUEUE)

    with jobs.begin() as work:
        work.jobs.complete(claims[:1])
        kept_on = job_queue.extend(claims, lease=timedelta(hours=1))

    assert [claim.job.id for claim in kept_on] == [claims[1].job.id]
    with pytest.raises(ConflictError), jobs.begin() as work:
        work.jobs.complete(claims[:1])
