"""The suite for workers: claims, leases, completion, failures, and jobs that nobody ended."""

import threading
from collections.abc import Sequence
from datetime import timedelta

import pytest
from attrs import evolve

from ledgercore.errors import ConflictError
from ledgercore.jobs.jobs import ATTEMPTS_MAX, Claim, JobState
from ledgercore.jobs.ports import JobQueue, Store
from ledgercore.testing.jobs_ready import LEASE, JobContract, claimed, enqueued, failure, kept, sheep
from ledgercore.testing.ledgers import StoppedClock


class ClaimingContract(JobContract):
    """Jobs in the hands of workers."""

    def test_jobs_come_by_priority_and_then_by_age(
        self, jobs: Store, job_queue: JobQueue, queue: str, clock: StoppedClock
    ) -> None:
        """Priority 0 first; of one priority, what may begin longest; what may not yet does not come."""
        earlier = clock.now - timedelta(hours=1)
        [last, first, older, younger, _] = enqueued(
            jobs, sheep(queue, priority=9), sheep(queue, priority=0), sheep(queue), sheep(queue),
            sheep(queue, priority=0, run_at=clock.now + timedelta(minutes=1)),
        )  # fmt: skip
        [oldest] = enqueued(jobs, sheep(queue, run_at=earlier))

        two, rest = claimed(job_queue, queue, limit=2), claimed(job_queue, queue)

        assert [claim.job.id for claim in (*two, *rest)] == [first.id, oldest.id, older.id, younger.id, last.id]

    def test_claimed_job_is_leased_and_counts_an_attempt(
        self, jobs: Store, job_queue: JobQueue, queue: str, clock: StoppedClock
    ) -> None:
        """Nobody else gets it while the lease lasts."""
        [job] = enqueued(jobs, sheep(queue))

        [claim] = claimed(job_queue, queue)

        assert claim.job.leased_until is not None
        assert timedelta(0) <= clock.now - (claim.job.leased_until - LEASE) < timedelta(seconds=1)
        leased = evolve(job, state=JobState.RUNNING, attempts=1, leased_until=claim.job.leased_until)
        assert (claim.attempt, claim.job) == (1, leased)
        assert claimed(job_queue, queue) == []
        assert kept(jobs, queue) == [leased]

    def test_only_kinds_and_queues_that_are_asked_for_come(self, jobs: Store, job_queue: JobQueue, queue: str) -> None:
        """A worker of an older version leaves what it does not know."""
        enqueued(jobs, evolve(sheep(queue), kind="newer"), sheep(f"{queue}-other"))

        assert claimed(job_queue, queue) == []

    def test_completed_job_is_done(self, jobs: Store, job_queue: JobQueue, queue: str, clock: StoppedClock) -> None:
        """In the unit of work of its effects; all of several, in any order."""
        enqueued(jobs, *(sheep(queue) for _ in range(3)))
        claims = claimed(job_queue, queue)

        with jobs.begin() as work:
            work.jobs.complete(claims[::-1])

        done = kept(jobs, queue)
        assert {job.state for job in done} == {JobState.DONE}
        assert all(job.leased_until is None and job.finished_at is not None for job in done)
        clock.forward(hours=1)
        assert claimed(job_queue, queue) == []

    def test_completing_nothing_is_allowed(self, jobs: Store) -> None:
        """All jobs of a batch may have failed."""
        with jobs.begin() as work:
            work.jobs.complete([])

    def test_lost_lease_undoes_the_effects(
        self, jobs: Store, job_queue: JobQueue, queue: str, clock: StoppedClock
    ) -> None:
        """Whoever was too slow changes nothing, not even by the jobs that are still its own."""
        enqueued(jobs, sheep(queue))
        slow = claimed(job_queue, queue)
        clock.forward(seconds=31)
        [quick] = claimed(job_queue, queue)
        enqueued(jobs, sheep(queue, priority=9))
        own = claimed(job_queue, queue)

        def complete(claims: Sequence[Claim], effect: str) -> None:
            with jobs.begin() as work:
                work.jobs.enqueue([sheep(f"{queue}-{effect}")])
                work.jobs.complete(claims)

        with pytest.raises(ConflictError) as caught:
            complete([*own, *slow], "slow")
        complete([quick], "quick")

        assert caught.value.code == "job_lease_lost"
        assert [job.state for job in kept(jobs, queue)] == [JobState.DONE, JobState.RUNNING]
        assert (len(kept(jobs, f"{queue}-slow")), len(kept(jobs, f"{queue}-quick"))) == (0, 1)

    def test_extended_lease_keeps_a_job(
        self, jobs: Store, job_queue: JobQueue, queue: str, clock: StoppedClock
    ) -> None:
        """Counted from the time of extending; what is no longer one's own is not extended."""
        enqueued(jobs, sheep(queue), sheep(queue))
        claims = claimed(job_queue, queue)
        with jobs.begin() as work:
            work.jobs.complete(claims[:1])
        clock.forward(seconds=20)

        extended = job_queue.extend(claims, lease=LEASE)

        clock.forward(seconds=20)
        assert [claim.job.id for claim in extended] == [claims[1].job.id]
        assert claimed(job_queue, queue) == []
        with jobs.begin() as work:
            work.jobs.complete(extended)

    def test_failed_job_comes_again_when_its_time_has_come(
        self, jobs: Store, job_queue: JobQueue, queue: str, clock: StoppedClock
    ) -> None:
        """With what went wrong noted."""
        enqueued(jobs, sheep(queue))
        [claim] = claimed(job_queue, queue)
        retry_at = clock.now + timedelta(seconds=2)

        job_queue.fail(claim, failure(claim), retry_at=retry_at)

        [job] = kept(jobs, queue)
        assert (job.state, job.run_at, job.failures) == (JobState.WAITING, retry_at, (failure(claim),))
        assert claimed(job_queue, queue) == []
        clock.forward(seconds=2)
        [again] = claimed(job_queue, queue)
        assert (again.attempt, again.job.failures) == (2, (failure(claim),))

    def test_job_that_is_given_up_is_dead(self, jobs: Store, job_queue: JobQueue, queue: str) -> None:
        """And stays so, with all that went wrong."""
        enqueued(jobs, sheep(queue))
        [claim] = claimed(job_queue, queue)

        job_queue.fail(claim, failure(claim), retry_at=None)

        [job] = kept(jobs, queue)
        assert (job.state, job.failures, job.leased_until) == (JobState.DEAD, (failure(claim),), None)
        assert job.finished_at is not None

    def test_failure_of_a_lost_job_changes_nothing(
        self, jobs: Store, job_queue: JobQueue, queue: str, clock: StoppedClock
    ) -> None:
        """Nor does giving it back: it is another worker's."""
        enqueued(jobs, sheep(queue))
        [slow] = claimed(job_queue, queue)
        clock.forward(seconds=31)
        [quick] = claimed(job_queue, queue)

        job_queue.fail(slow, failure(slow), retry_at=None)
        job_queue.release([slow])

        assert kept(jobs, queue) == [quick.job]

    def test_released_job_is_ready_as_before(self, jobs: Store, job_queue: JobQueue, queue: str) -> None:
        """Its attempt does not count."""
        [job] = enqueued(jobs, sheep(queue))

        job_queue.release(claimed(job_queue, queue))

        assert kept(jobs, queue) == [job]

    def test_abandoned_job_comes_alone_and_dies_in_the_end(
        self, jobs: Store, job_queue: JobQueue, queue: str, clock: StoppedClock
    ) -> None:
        """What ends its worker each time ends no other job's attempt after the first, and none of them dies of it."""
        [poison, _, _] = enqueued(jobs, sheep(queue, priority=1), sheep(queue), sheep(queue))
        alone = []
        for _ in range(100):
            claims = claimed(job_queue, queue)
            alone.append(len(claims))
            if claims and claims[0].job.id != poison.id:
                with jobs.begin() as work:
                    work.jobs.complete(claims)
            clock.forward(seconds=31)

        dead, *others = kept(jobs, queue)

        assert alone[:2] == [3, 1]
        assert max(alone[1:]) == 1
        assert (dead.state, dead.attempts) == (JobState.DEAD, ATTEMPTS_MAX)
        assert [each.reason for each in dead.failures] == ["job_abandoned"] * ATTEMPTS_MAX
        assert [job.state for job in others] == [JobState.DONE, JobState.DONE]

    def test_fresh_jobs_do_not_wait_for_a_suspect(
        self, jobs: Store, job_queue: JobQueue, queue: str, clock: StoppedClock
    ) -> None:
        """Those before it come together, without it."""
        [suspect] = enqueued(jobs, sheep(queue))
        claimed(job_queue, queue)
        enqueued(jobs, sheep(queue, priority=1), sheep(queue, priority=9), sheep(queue, priority=1))
        clock.forward(seconds=31)

        first, second = claimed(job_queue, queue), claimed(job_queue, queue)

        assert [claim.job.priority for claim in first] == [1, 1, 9]
        assert [claim.job.id for claim in second] == [suspect.id]

    def test_racing_workers_share(self, jobs: Store, job_queue: JobQueue, queue: str) -> None:
        """Each job goes to one of them."""
        enqueued(jobs, *(sheep(queue) for _ in range(60)))
        ready = threading.Barrier(4)
        seen: list[Claim] = []

        def work() -> None:
            ready.wait()
            for _ in range(30):
                seen.extend(claimed(job_queue, queue, limit=3))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(seen) == len({claim.job.id for claim in seen}) == 60
