"""The suite for what operators see and do: listing, counting, changing and pruning jobs."""

from datetime import timedelta

from attrs import evolve

from ledgercore.jobs.jobs import JobState
from ledgercore.jobs.ports import JobFilter, JobQueue, QueueCounts, Store
from ledgercore.testing.jobs_ready import KIND, JobContract, claimed, enqueued, failure, kept, sheep
from ledgercore.testing.ledgers import MONDAY, StoppedClock


class KeepingContract(JobContract):
    """Jobs as operators see them."""

    def test_jobs_are_listed_newest_first(self, jobs: Store, job_queue: JobQueue, queue: str) -> None:
        """Page by page, by queue, kind and state."""
        enqueued(jobs, *(sheep(queue) for _ in range(4)), evolve(sheep(queue), kind="other"), sheep(f"{queue}-other"))
        claimed(job_queue, queue, limit=1)
        [running, second, third, fourth, other] = kept(jobs, queue)

        with jobs.begin() as work:
            page = work.jobs.list_after(JobFilter(queue=queue), after=None, limit=2)
            rest = work.jobs.list_after(JobFilter(queue=queue), after=fourth.id, limit=10)
            kinds = work.jobs.list_after(JobFilter(queue=queue, kind=KIND, state=JobState.WAITING), after=None, limit=9)
            began = work.jobs.list_after(JobFilter(queue=queue, state=JobState.RUNNING), after=None, limit=9)
            newest = work.jobs.list_after(JobFilter(), after=None, limit=1)

        assert list(page) == [other, fourth]
        assert list(rest) == [third, second, running]
        assert list(kinds) == [fourth, third, second]
        assert list(began) == [running]
        assert len(newest) == 1

    def test_job_is_found_and_replaced(self, jobs: Store, queue: str) -> None:
        """With all that it says; one that is not there is not found."""
        [job] = enqueued(jobs, sheep(queue, arguments={"a": 1}))
        changed = evolve(job, state=JobState.CANCELLED, finished_at=MONDAY, attempts=3)

        with jobs.begin() as work:
            work.jobs.save(changed)

        with jobs.begin() as work:
            assert work.jobs.find(job.id) == changed
            assert work.jobs.find(evolve(job, id=type(job.id)(int=1)).id) is None

    def test_counts_tell_what_waits_and_since_when(
        self, jobs: Store, job_queue: JobQueue, queue: str, clock: StoppedClock
    ) -> None:
        """What is done is not counted; what may not begin yet has not waited."""
        [_, _, _, oldest, *_] = enqueued(jobs, *(sheep(queue) for _ in range(6)))
        enqueued(jobs, sheep(queue, run_at=clock.now + timedelta(hours=1)))
        done, dead, _ = claimed(job_queue, queue, limit=3)
        with jobs.begin() as work:
            work.jobs.complete([done])
        job_queue.fail(dead, failure(dead), retry_at=None)

        with jobs.begin() as work:
            [counts] = [each for each in work.jobs.counts() if each.queue == queue]

        assert counts == QueueCounts(
            queue=queue,
            states={JobState.WAITING: 4, JobState.RUNNING: 1, JobState.DEAD: 1},
            oldest_ready_at=oldest.run_at,
        )

    def test_queue_of_later_jobs_has_none_that_may_begin(self, jobs: Store, queue: str, clock: StoppedClock) -> None:
        """It is counted, and nothing in it has waited."""
        enqueued(jobs, sheep(queue, run_at=clock.now + timedelta(hours=1)))

        with jobs.begin() as work:
            [counts] = [each for each in work.jobs.counts() if each.queue == queue]

        assert counts == QueueCounts(queue=queue, states={JobState.WAITING: 1})

    def test_old_jobs_are_pruned(self, jobs: Store, job_queue: JobQueue, queue: str, clock: StoppedClock) -> None:
        """The done and the cancelled, so many at a time; the dead and the waiting stay."""
        before = evolve(sheep(queue))
        enqueued(jobs, *(before for _ in range(5)))
        first, second, dead = claimed(job_queue, queue, limit=3)
        with jobs.begin() as work:
            work.jobs.complete([first, second])
        job_queue.fail(dead, failure(dead), retry_at=None)
        cancelled, waiting = kept(jobs, queue)[3:]
        with jobs.begin() as work:
            work.jobs.save(evolve(cancelled, state=JobState.CANCELLED, finished_at=clock.now))
        end = clock.forward(days=1)
        with jobs.begin() as work:
            too_early = work.jobs.prune(finished_before=MONDAY - timedelta(days=1), limit=100)

        with jobs.begin() as work:
            pruned = [work.jobs.prune(finished_before=end, limit=2) for _ in range(100)]

        assert too_early == 0
        assert pruned[0] == 2
        assert pruned[-1] == 0
        assert [job.id for job in kept(jobs, queue)] == [dead.job.id, waiting.id]
