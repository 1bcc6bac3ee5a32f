"""The suite for enqueuing: in the same commit as what caused it, and once for each intent within its window."""

import threading
from datetime import timedelta

import pytest

from ledgercore.jobs.jobs import Job, JobState
from ledgercore.jobs.ports import JobQueue, Store
from ledgercore.testing.jobs_ready import KIND, JobContract, claimed, enqueued, failure, kept, sheep
from ledgercore.testing.ledgers import StoppedClock

WINDOW = timedelta(minutes=5)


class EnqueuingContract(JobContract):
    """Jobs before anybody takes them."""

    def test_job_is_kept_as_it_was_enqueued(self, jobs: Store, queue: str, clock: StoppedClock) -> None:
        """Its arguments are JSON; it may begin at once unless it says when."""
        arguments = {"text": "ä\u0000", "list": [1, None, True], "inner": {"a": "b"}}
        later = clock.now + timedelta(hours=1)
        new = sheep(
            queue,
            arguments=arguments,
            priority=2,
            run_at=later,
            unique_key=queue,
            unique_for=WINDOW,
            correlation_id="c",
        )

        [plain, full] = enqueued(jobs, sheep(queue), new)

        assert plain == Job(
            id=plain.id, kind=KIND, arguments={}, queue=queue, priority=5, state=JobState.WAITING,
            run_at=plain.enqueued_at, attempts=0, enqueued_at=plain.enqueued_at,
        )  # fmt: skip
        assert full == Job(
            id=full.id, kind=KIND, arguments=arguments, queue=queue, priority=2, state=JobState.WAITING, run_at=later,
            attempts=0, enqueued_at=plain.enqueued_at, unique_key=queue, correlation_id="c",
        )  # fmt: skip
        assert plain.id < full.id

    def test_nothing_may_be_enqueued(self, jobs: Store) -> None:
        """None gives none."""
        assert enqueued(jobs) == []

    def test_last_job_of_an_intent_is_known(self, jobs: Store, queue: str, clock: StoppedClock) -> None:
        """The one that was enqueued last under each key; nothing for another kind or key."""
        key, other = f"key-{queue}", f"other-{queue}"
        enqueued(jobs, sheep(queue, unique_key=key, unique_for=WINDOW), sheep(queue, unique_key=other))
        clock.forward(minutes=6)
        [again] = enqueued(jobs, sheep(queue, unique_key=key, unique_for=WINDOW))

        with jobs.begin() as work:
            found = work.jobs.last_of(KIND, [key, "nobody's", key])
            unknown = work.jobs.last_of("another kind", [key])

        assert found == {key: again}
        assert unknown == {}

    def test_unit_of_work_that_fails_enqueues_nothing(self, jobs: Store, queue: str) -> None:
        """Jobs go with what caused them."""

        def fail() -> None:
            with jobs.begin() as work:
                work.jobs.enqueue([sheep(queue), sheep(queue, unique_key="k")])
                raise LookupError

        with pytest.raises(LookupError):
            fail()

        assert kept(jobs, queue) == []

    def test_same_intent_within_the_window_gives_the_job_there_is(
        self, jobs: Store, queue: str, clock: StoppedClock
    ) -> None:
        """In one batch or in several, whatever else the job says."""
        once = sheep(queue, unique_key=f"once-{queue}", unique_for=WINDOW)
        [first, twin, other] = enqueued(jobs, once, once, sheep(queue, unique_key=f"other-{queue}", unique_for=WINDOW))
        clock.forward(minutes=4)
        [again, plain] = enqueued(
            jobs, sheep(queue, unique_key=f"once-{queue}", unique_for=WINDOW, arguments={"n": 2}), sheep(queue)
        )
        clock.forward(minutes=1)
        [later] = enqueued(jobs, once)
        [always] = enqueued(jobs, sheep(queue, unique_key=f"other-{queue}"))

        assert (twin, again, always) == (first, first, other)
        assert [job.id for job in kept(jobs, queue)] == [first.id, other.id, plain.id, later.id]

    def test_finished_job_still_counts_within_its_window(self, jobs: Store, job_queue: JobQueue, queue: str) -> None:
        """Whoever wants it once in five minutes wants it no second time because it was quick."""
        once = sheep(queue, unique_key=f"once-{queue}", unique_for=WINDOW)
        [first] = enqueued(jobs, once)
        with jobs.begin() as work:
            work.jobs.complete(claimed(job_queue, queue))

        [again] = enqueued(jobs, once)

        assert (again.id, again.state) == (first.id, JobState.DONE)

    def test_dead_and_cancelled_jobs_do_not_count(self, jobs: Store, job_queue: JobQueue, queue: str) -> None:
        """Nobody will do them, so another may be enqueued."""
        once = sheep(queue, unique_key=f"once-{queue}", unique_for=WINDOW)
        [first] = enqueued(jobs, once)
        [claim] = claimed(job_queue, queue)
        job_queue.fail(claim, failure(claim), retry_at=None)

        [second] = enqueued(jobs, once)

        assert second.id != first.id

    def test_racing_twins_become_one(self, jobs: Store, queue: str) -> None:
        """Whoever comes second waits until it is known whether the first one stays."""
        once = [sheep(queue, unique_key=f"{name}-{queue}", unique_for=WINDOW) for name in ("a", "b")]
        ready = threading.Barrier(6)

        def enqueue(turn: int) -> None:
            ready.wait()
            with jobs.begin() as work:
                work.jobs.enqueue(once if turn % 2 else once[::-1])

        threads = [threading.Thread(target=enqueue, args=(turn,)) for turn in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(job.unique_key or "" for job in kept(jobs, queue)) == [f"a-{queue}", f"b-{queue}"]
