"""What operators do with jobs, and the note of it in the audit log."""

from itertools import product
from uuid import uuid4

import pytest
from attrs import evolve

from ledgercore.errors import LedgercoreError
from ledgercore.identity.audit import OPERATOR, AuditFilter
from ledgercore.jobs.documents import counts_document, job_document
from ledgercore.jobs.jobs import MOVES, Failure, JobState
from ledgercore.jobs.ports import JobFilter
from ledgercore.testing.jobs_ready import enqueued, kept, sheep

QUEUE = "default"


def stored(jobs, state: JobState):
    """A job that stands so, after two attempts."""
    [job] = enqueued(jobs, sheep(QUEUE))
    with jobs.begin() as work:
        failure = Failure(attempt=2, at=job.enqueued_at, reason="timeout")
        ended = job.enqueued_at if state in (JobState.DONE, JobState.DEAD, JobState.CANCELLED) else None
        leased = job.enqueued_at if state is JobState.RUNNING else None
        changed = evolve(job, state=state, attempts=2, finished_at=ended, leased_until=leased, failures=(failure,))
        work.jobs.save(changed)
    return changed


def noted(jobs) -> list[tuple[str, str]]:
    """What the audit log says, newest first."""
    with jobs.begin() as work:
        bodies = [entry.body.decode() for entry in work.audit.list_before(AuditFilter(), before=None, limit=9)]
    return [(action, body) for body in bodies for action in ("job_cancelled", "job_replayed") if action in body]


@pytest.mark.parametrize(("state", "move"), list(product(JobState, ["cancel", "replay"])))
def test_job_is_changed_only_where_its_state_allows(jobs, administration, state, move):
    """Waiting ones are cancelled, dead ones tried again; every other pair is refused and leaves everything."""
    job = stored(jobs, state)
    change = administration.cancel if move == "cancel" else administration.retry

    if (state, move) in MOVES:
        changed = change(job.id, actor=OPERATOR)
        assert changed.state is MOVES[state, move]
        assert administration.get(job.id) == changed
        [(action, body)] = noted(jobs)
        assert action == {"cancel": "job_cancelled", "replay": "job_replayed"}[move]
        assert f"job:{job.id}" in body
    else:
        with pytest.raises(LedgercoreError) as caught:
            change(job.id, actor=OPERATOR)
        assert (caught.value.code, caught.value.details["state"]) == ("invalid_job_state", state.value)
        assert kept(jobs, QUEUE) == [job]
        assert noted(jobs) == []


def test_replayed_job_has_all_its_attempts_again(jobs, administration, clock):
    """At once, and what went wrong before stays noted."""
    dead = stored(jobs, JobState.DEAD)
    clock.forward(hours=1)

    again = administration.retry(dead.id, actor=OPERATOR)

    assert (again.attempts, again.failures, again.finished_at) == (0, dead.failures, None)
    assert dead.run_at < again.run_at <= clock.now


@pytest.mark.parametrize("ask", ["get", "cancel", "retry"])
def test_job_that_is_not_there_is_not_found(administration, ask):
    """It may be pruned."""
    options = {} if ask == "get" else {"actor": OPERATOR}

    with pytest.raises(LedgercoreError) as caught:
        getattr(administration, ask)(uuid4(), **options)

    assert caught.value.code == "job_not_found"


def test_jobs_are_paged_newest_first(jobs, administration):
    """A cursor leads on; a filter limits."""
    enqueued(jobs, *(sheep(QUEUE) for _ in range(3)), sheep("other"))
    wanted = JobFilter(queue=QUEUE)

    page = administration.page(wanted, limit=2)
    rest = administration.page(wanted, cursor=page.next_cursor, limit=2)

    assert [*page.items, *rest.items] == kept(jobs, QUEUE)[::-1]
    assert rest.next_cursor is None
    assert len(administration.page().items) == 4


def test_documents_leave_out_what_there_is_not(jobs, administration):
    """As JSON has it."""
    [job] = enqueued(jobs, sheep(QUEUE, arguments={"a": [1]}))
    dead = stored(jobs, JobState.DEAD)

    assert job_document(job) == {
        "id": str(job.id), "kind": "count_sheep", "queue": QUEUE, "priority": 5, "state": "waiting",
        "arguments": {"a": [1]}, "run_at": job.run_at.isoformat(), "attempts": 0,
        "enqueued_at": job.enqueued_at.isoformat(), "failures": [],
    }  # fmt: skip
    assert job_document(dead)["finished_at"] == dead.enqueued_at.isoformat()
    [failure] = job_document(dead)["failures"]
    assert failure == {"attempt": 2, "at": dead.enqueued_at.isoformat(), "reason": "timeout", "details": {}}
    assert [counts_document(each) for each in administration.counts()] == [
        {"queue": QUEUE, "waiting": 1, "running": 0, "dead": 1, "oldest_ready_at": job.run_at.isoformat()}
    ]
