"""Rounds of a runner: batches, failures of some, and of all, and what becomes of each job."""

from datetime import timedelta

import pytest
from attrs import evolve

from ledgercore.errors import ConflictError, ExternalDependencyError, error_for
from ledgercore.errors.catalog import HOLD_EXPIRED, JOB_LEASE_LOST, TIMEOUT
from ledgercore.jobs.handlers import External, Transactional
from ledgercore.jobs.jobs import JobState, NewJob
from ledgercore.jobs.ports import JobFilter
from ledgercore.jobs.running import Outcome
from ledgercore.testing.jobs_ready import KIND, enqueued, kept, sheep

QUEUE = "default"


def counted(*numbers: int):
    """Jobs with a number each."""
    return [sheep(QUEUE, arguments={"number": number}) for number in numbers]


def effects(jobs) -> list[int]:
    """The numbers whose effect is there: jobs of another queue that nobody does."""
    return sorted(job.arguments["number"] for job in kept(jobs, "effects"))


def leave(work, job) -> None:
    """Leave an effect in the unit of work."""
    work.jobs.enqueue([evolve(sheep("effects"), arguments=job.arguments)])


def outcomes(ran) -> list[str]:
    """What became of the attempts, in order."""
    return [each.outcome.value for each in ran]


class TestTransactional:
    """Handlers that are given the unit of work."""

    def test_batch_is_done_in_one_unit_of_work(self, jobs, runner):
        """Effects and acknowledgement are committed together."""
        sizes = []

        def handle(work, batch):
            sizes.append(len(batch))
            for job in batch:
                leave(work, job)
            return [None] * len(batch)

        enqueued(jobs, *counted(1, 2, 3, 4, 5))
        ran = runner(Transactional(kind=KIND, handle=handle, batch_max=3)).drain()

        assert sizes == [3, 2]
        assert outcomes(ran) == ["success"] * 5
        assert effects(jobs) == [1, 2, 3, 4, 5]
        assert {job.state for job in kept(jobs, QUEUE)} == {JobState.DONE}

    def test_job_that_is_refused_fails_alone(self, jobs, runner):
        """The others of its batch are done; it is dead, with why."""

        def handle(work, batch):
            for job in batch[1:]:
                leave(work, job)
            return [error_for(HOLD_EXPIRED, {"hold": 7}), *[None] * (len(batch) - 1)]

        enqueued(jobs, *counted(1, 2, 3))
        ran = runner(Transactional(kind=KIND, handle=handle)).run_once(QUEUE)

        [refused, *others] = kept(jobs, QUEUE)
        assert outcomes(ran) == ["dead_letter", "success", "success"]
        assert effects(jobs) == [2, 3]
        assert (refused.state, [each.reason for each in refused.failures]) == (JobState.DEAD, ["hold_expired"])
        assert refused.failures[0].details == {"hold": 7}
        assert {job.state for job in others} == {JobState.DONE}

    def test_batch_that_raises_is_tried_one_by_one(self, jobs, runner):
        """Whoever raised is the one that fails, and nothing that it did is left."""

        def handle(work, batch):
            for job in batch:
                leave(work, job)
                if job.arguments["number"] == 2:
                    raise ZeroDivisionError
            return [None] * len(batch)

        enqueued(jobs, *counted(1, 2, 3))
        ran = runner(Transactional(kind=KIND, handle=handle)).run_once(QUEUE)

        assert outcomes(ran) == ["success", "failure", "success"]
        assert effects(jobs) == [1, 3]
        [_, raised, _] = kept(jobs, QUEUE)
        assert (raised.state, raised.failures[0].reason) == (JobState.WAITING, "internal_server_error")
        assert ran[1].retry_at == raised.run_at

    def test_lost_job_is_left_to_who_has_it(self, jobs, runner):
        """What was done of it is undone, no failure is noted, and the others of its batch are done."""

        def handle(work, batch):
            for job in batch:
                leave(work, job)
                if job.arguments["number"] == 1:
                    raise ConflictError(JOB_LEASE_LOST, job_id=job.id)
            return [None] * len(batch)

        enqueued(jobs, *counted(1, 2))
        ran = runner(Transactional(kind=KIND, handle=handle)).run_once(QUEUE)

        assert outcomes(ran) == ["lost", "success"]
        assert effects(jobs) == [2]
        assert kept(jobs, QUEUE)[0].failures == ()

    def test_handler_must_answer_for_each_job(self, jobs, runner):
        """One that answers for too few has done nothing."""
        enqueued(jobs, *counted(1))

        [ran] = runner(Transactional(kind=KIND, handle=lambda work, batch: [])).run_once(QUEUE)

        assert (ran.outcome, ran.error.details) == (Outcome.FAILURE, {"error": "ValueError"})


class TestExternal:
    """Handlers that do units of work of their own."""

    def test_job_is_completed_by_its_handler(self, jobs, runner):
        """In its last unit of work; one at a time."""

        def handle(claim):
            with jobs.begin() as work:
                leave(work, claim.job)
                work.jobs.complete([claim])

        enqueued(jobs, *counted(1, 2))
        rounds = runner(External(kind=KIND, handle=handle))

        assert [outcomes(rounds.run_once(QUEUE)) for _ in range(3)] == [["success"], ["success"], []]
        assert effects(jobs) == [1, 2]

    def test_failure_is_tried_again_until_it_is_given_up(self, jobs, runner, clock):
        """As often as the catalog says, each time noted."""

        def handle(claim):
            raise ExternalDependencyError(TIMEOUT)

        enqueued(jobs, *counted(1))
        failing = runner(External(kind=KIND, handle=handle))
        seen = []
        for _ in range(6):
            seen.append(outcomes(failing.drain()))
            clock.forward(hours=1)

        assert seen == [["failure"], ["failure"], ["failure"], ["dead_letter"], [], []]
        [job] = kept(jobs, QUEUE)
        assert [(each.attempt, each.reason) for each in job.failures] == [(n, "timeout") for n in (1, 2, 3, 4)]


class TestRounds:
    """Which jobs a round takes."""

    def test_kinds_of_one_queue_go_in_turn(self, jobs, runner):
        """Jobs of one kind that follow one another go together; priority decides between the kinds."""
        batches = []

        def handle(work, batch):
            batches.append([(job.kind, job.arguments["number"]) for job in batch])
            return [None] * len(batch)

        first = [NewJob(kind="a", arguments={"number": n}) for n in (1, 2)]
        second = [NewJob(kind="b", arguments={"number": n}) for n in (3, 4)]
        urgent = NewJob(kind="b", arguments={"number": 5}, priority=0)
        enqueued(jobs, *first, *second, urgent)

        runner(Transactional(kind="a", handle=handle), Transactional(kind="b", handle=handle, batch_max=1)).drain()

        assert batches == [[("b", 5)], [("a", 1), ("a", 2)], [("b", 3)], [("b", 4)]]

    def test_neither_way_of_doing_jobs_keeps_the_other_waiting(self, jobs, runner):
        """Chance says which is looked for first, however many there are of one."""
        done = []

        def handle(work, batch):
            done.append("inside")
            return [None] * len(batch)

        def reach_out(claim):
            done.append("outside")
            with jobs.begin() as work:
                work.jobs.complete([claim])

        enqueued(jobs, *counted(1, 2, 3), *(NewJob(kind="outside", priority=9) for _ in range(3)))
        handlers = Transactional(kind=KIND, handle=handle, batch_max=1), External(kind="outside", handle=reach_out)
        chances = iter([0.6, 0.4, 0.6, 0.4])
        lucky = evolve(runner(*handlers), random=lambda: next(chances))
        for _ in range(4):
            lucky.run_once(QUEUE)

        assert done == ["outside", "inside", "outside", "inside"]

    def test_only_named_queues_are_drained(self, jobs, runner):
        """Others are left to others; also what is enqueued meanwhile is done."""

        def handle(work, batch):
            work.jobs.enqueue([sheep(QUEUE)] if "again" in batch[0].arguments else [])
            return [None] * len(batch)

        enqueued(jobs, sheep(QUEUE, arguments={"again": True}), evolve(sheep("later"), kind="other"))
        both = runner(
            Transactional(kind=KIND, handle=handle), Transactional(kind="other", queue="later", handle=handle)
        )

        assert outcomes(both.drain([QUEUE])) == ["success", "success"]
        assert outcomes(both.drain()) == ["success"]

    def test_what_may_begin_later_is_left(self, jobs, runner, clock):
        """Draining does not wait."""
        enqueued(jobs, sheep(QUEUE, run_at=clock() + timedelta(hours=1)))

        assert runner(Transactional(kind=KIND, handle=lambda work, batch: [None])).drain() == []


def test_filter_without_fields_fits_everything(jobs):
    """Nothing asked for is nothing left out."""
    enqueued(jobs, *counted(1, 2))

    with jobs.begin() as work:
        assert len(work.jobs.list_after(JobFilter(), after=None, limit=10)) == 2


@pytest.mark.parametrize("priority", [-1, 10, 2.0, True])
def test_priority_is_zero_to_nine(priority):
    """Anything else is refused where the job is made."""
    with pytest.raises(Exception, match="0, the first, to 9, the last"):
        NewJob(kind=KIND, priority=priority)
