"""Lanes, heartbeats, schedules and the end of a worker."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from attrs import evolve

from ledgercore.errors import ExternalDependencyError, ValidationError
from ledgercore.errors.catalog import DATABASE_UNAVAILABLE
from ledgercore.jobs.handlers import External, Transactional
from ledgercore.jobs.jobs import Claim, JobState, NewJob
from ledgercore.jobs.running import Outcome
from ledgercore.jobs.schedules import Schedule
from ledgercore.testing.jobs_ready import KIND, claimed, enqueued, kept, sheep
from ledgercore_memory import MemoryJobQueue
from ledgercore_worker import Timetable, Worker

QUEUE = "default"
SECONDS_MAX = 30


def done(work, batch):
    """Do nothing, well."""
    return [None] * len(batch)


class TestLanes:
    """Threads for queues."""

    def test_jobs_are_done_and_told_of(self, work_store, runner, hear, started):
        """With their outcome."""
        heard = hear(expected=3)
        enqueued(work_store, *(sheep(QUEUE) for _ in range(3)))

        with started(Worker(runner(Transactional(kind=KIND, handle=done)), lanes={QUEUE: 2}, report=heard)):
            heard.wait()

        assert [ran.outcome for ran in heard.attempts] == [Outcome.SUCCESS] * 3
        assert {job.state for job in kept(work_store, QUEUE)} == {JobState.DONE}

    def test_queues_have_threads_of_their_own(self, work_store, runner, hear, started):
        """A queue that is busy keeps no other waiting, and has as many jobs at once as it has threads."""
        heard, busy, go = hear(expected=3), threading.Barrier(3), threading.Event()

        def wait(claim):
            busy.wait(SECONDS_MAX)
            assert go.wait(SECONDS_MAX)
            with work_store.begin() as work:
                work.jobs.complete([claim])

        handlers = External(kind="slow", queue="slow", handle=wait), Transactional(kind=KIND, handle=done)
        enqueued(work_store, *(NewJob(kind="slow", queue="slow") for _ in range(2)))
        with started(Worker(runner(*handlers), lanes={"slow": 2, QUEUE: 1}, report=heard)):
            busy.wait(SECONDS_MAX)
            [quick] = enqueued(work_store, sheep(QUEUE))
            while not heard.attempts:
                assert not heard.enough.wait(0.01)
            assert [ran.job.id for ran in heard.attempts] == [quick.id]
            go.set()
            heard.wait()

    def test_two_workers_share(self, postgres_work_store, postgres_runner, hear, started):
        """Each job is done by one of them, once."""
        heard = hear(expected=200)
        turn = threading.Barrier(2)
        first: list[threading.Thread] = []

        def together(work, batch):
            # Neither goes on before the other has some too.
            if threading.current_thread() not in first:
                first.append(threading.current_thread())
                turn.wait(SECONDS_MAX)
            return done(work, batch)

        enqueued(postgres_work_store, *(sheep(QUEUE) for _ in range(200)))
        handler = Transactional(kind=KIND, handle=together, batch_max=10)
        workers = [Worker(postgres_runner(handler), lanes={QUEUE: 1}, report=heard) for _ in range(2)]

        with started(*workers):
            heard.wait()

        assert len(set(first)) == 2
        assert len({ran.job.id for ran in heard.attempts}) == len(heard.attempts) == 200
        assert Counter(job.state for job in kept(postgres_work_store, QUEUE)) == {JobState.DONE: 200}

    def test_fault_of_the_store_is_told_and_outlasted(self, work_store, runner, monkeypatch, hear, started):
        """The lane goes on when it is back."""
        heard = hear()
        plain = MemoryJobQueue.claim
        faults = iter([ExternalDependencyError(DATABASE_UNAVAILABLE)])

        def claim(*args, **options):
            for fault in faults:
                raise fault
            return plain(*args, **options)

        monkeypatch.setattr(MemoryJobQueue, "claim", claim)
        enqueued(work_store, sheep(QUEUE))

        with started(Worker(runner(Transactional(kind=KIND, handle=done)), lanes={QUEUE: 1}, report=heard)):
            heard.wait()
            heard.enough.clear()
            if not heard.attempts:
                heard.wait()

        assert [error.code for error in heard.errors] == ["database_unavailable"]
        assert [ran.outcome for ran in heard.attempts] == [Outcome.SUCCESS]


class TestHeartbeats:
    """Leases while jobs are done."""

    def test_long_job_stays_its_workers(self, work_store, runner, hear, started):
        """Longer than a lease."""
        heard = hear()
        taken: list[Claim] = []
        short = timedelta(seconds=0.15)

        def wait(claim):
            lapses_at = claim.job.leased_until
            while (now := work_store._clock()) < lapses_at + 2 * short:
                taken.extend(claimed(MemoryJobQueue(work_store), QUEUE))
                threading.Event().wait((lapses_at + 2 * short - now).total_seconds() / 4)
            with work_store.begin() as work:
                work.jobs.complete([claim])

        enqueued(work_store, sheep(QUEUE))
        with started(Worker(runner(External(kind=KIND, handle=wait), lease=short), lanes={QUEUE: 1}, report=heard)):
            heard.wait()

        assert taken == []
        assert [ran.outcome for ran in heard.attempts] == [Outcome.SUCCESS]

    def test_job_beyond_its_time_limit_is_given_to_another(self, work_store, runner, hear, started):
        """What hangs keeps nothing; when it comes to its end after all, nothing of it is kept."""
        heard = hear()
        taken: list[Claim] = []
        short = timedelta(seconds=0.1)

        def hang(claim):
            while not taken:
                taken.extend(claimed(MemoryJobQueue(work_store), QUEUE))
                threading.Event().wait(0.02)
            with work_store.begin() as work:
                work.jobs.complete([claim])

        enqueued(work_store, sheep(QUEUE))
        hanging = External(kind=KIND, handle=hang, time_limit=timedelta(0))
        with started(Worker(runner(hanging, lease=short), lanes={QUEUE: 1}, report=heard)):
            heard.wait()

        assert [ran.outcome for ran in heard.attempts] == [Outcome.LOST]
        assert [claim.attempt for claim in taken] == [2]


class TestEnd:
    """What is finished, and what is given back."""

    def test_what_has_begun_is_finished_and_the_rest_given_back(self, work_store, runner, hear, started):
        """Those behind it in the same claim go back to their queue as they were."""
        heard, begun, go = hear(), threading.Event(), threading.Event()

        def wait(work, batch):
            begun.set()
            assert go.wait(SECONDS_MAX)
            return done(work, batch)

        enqueued(work_store, *(sheep(QUEUE) for _ in range(3)))
        handlers = (
            Transactional(kind=KIND, handle=wait, batch_max=1), Transactional(kind="other", handle=done, batch_max=3)
        )  # fmt: skip
        worker = Worker(runner(*handlers), lanes={QUEUE: 1}, report=heard)
        with started(worker):
            assert begun.wait(SECONDS_MAX)
            worker.stop()
            go.set()

        first, *rest = kept(work_store, QUEUE)
        assert first.state is JobState.DONE
        assert [(job.state, job.attempts) for job in rest] == [(JobState.WAITING, 0)] * 2


class TestSchedules:
    """Jobs that come by the clock."""

    def test_workers_enqueue_each_slot_once(self, work_store, runner, hear, started):
        """However many there are."""
        heard = hear()
        handler = Transactional(kind=KIND, handle=done)
        each_year = Schedule("* * * * *", sheep(QUEUE))
        workers = [Worker(runner(handler), lanes={QUEUE: 1}, report=heard, schedules=[each_year]) for _ in range(3)]

        with started(*workers):
            heard.wait()

        slots = [job.unique_key for job in kept(work_store, QUEUE)]
        assert len(slots) == len(set(slots)) <= 2

    def test_timetable_gives_each_slot_once(self, utc):
        """At its time or later, and not before."""
        timetable = Timetable([Schedule("*/5 * * * *", sheep(QUEUE)), Schedule("0 3 1 1 *", sheep("yearly"))])

        given = [timetable.due(utc(2026, 3, 1, 12, minute, 30)) for minute in range(12)]

        assert [[job.run_at for job in jobs] for jobs in given if jobs] == [
            [utc(2026, 3, 1, 12, minute)] for minute in (0, 5, 10)
        ]
        assert given[0] == [
            evolve(
                sheep(QUEUE), run_at=utc(2026, 3, 1, 12), unique_key="*/5 * * * * @ 2026-03-01T12:00:00+00:00"
            )
        ]  # fmt: skip

    def test_slot_missed_in_the_last_day_is_made_up_for(self, utc):
        """When a worker starts; what was missed before is not."""
        schedule = Schedule("17 3 * * *", sheep(QUEUE))

        assert [job.run_at for job in Timetable([schedule]).due(utc(2026, 3, 1, 3, 16))] == [utc(2026, 2, 28, 3, 17)]
        assert Timetable([Schedule("17 3 1 * *", sheep(QUEUE))]).due(utc(2026, 3, 2, 4)) == []

    @pytest.mark.parametrize(
        "cron", ["", "* * * *", "* * * * * *", "61 * * * *", "0 0 30 2 *", "every minute of it now"]
    )
    def test_expression_that_cannot_be_read_is_refused(self, cron):
        """Where the worker is made."""
        with pytest.raises(ValidationError) as caught:
            Timetable([Schedule(cron, sheep(QUEUE))])

        assert (caught.value.code, caught.value.details["schedule"]) == ("invalid_schedule", cron)
