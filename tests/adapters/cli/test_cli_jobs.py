"""Background jobs from the command line."""

from uuid import uuid4

import pytest
from attrs import evolve

from ledgercore.jobs.jobs import Failure, JobState, NewJob


@pytest.fixture
def ids(console):
    """A waiting job and a dead one."""
    new = [NewJob(kind="count_sheep", arguments={"n": 1}), NewJob(kind="process_payment", queue="payments")]
    with console.application.bank.store.begin() as work:
        ids = work.jobs.enqueue(new)
        dead = work.jobs.find(ids[1])
        failure = Failure(attempt=1, at=dead.enqueued_at, reason="insufficient_funds", details={"available": "0.00"})
        work.jobs.save(evolve(dead, state=JobState.DEAD, finished_at=dead.enqueued_at, attempts=1, failures=(failure,)))
    return [str(id) for id in ids]


def test_jobs_are_listed(console, ids):
    """Newest first, filtered, in pages."""
    waiting, dead = ids

    listed = console("job", "list")
    page = console.json("job", "list", "--limit", "1")
    rest = console.json("job", "list", "--cursor", page["next_cursor"])

    assert [line.split()[0] for line in listed.out.splitlines()[2:]] == [dead, waiting]
    assert "insufficient_funds" in listed.out
    assert [job["id"] for job in (*page["items"], *rest["items"])] == [dead, waiting]
    assert [job["id"] for job in console.json("job", "list", "--state", "dead")["items"]] == [dead]
    assert console("job", "list", "--queue", "none").out == "no jobs\n"
    assert console.json("job", "list", "--kind", "count_sheep")["items"][0]["arguments"] == {"n": 1}


def test_jobs_are_counted(console, ids):
    """By queue."""
    assert [(each["queue"], each["waiting"], each["dead"]) for each in console.json("job", "counts")["items"]] == [
        ("default", 1, 0), ("payments", 0, 1)
    ]  # fmt: skip
    assert console("job", "counts").out.splitlines()[2].split()[:4] == ["default", "1", "0", "0"]


def test_job_is_shown_with_what_went_wrong(console, ids):
    """Each attempt with its reason."""
    shown = console("job", "show", ids[1]).out

    assert "state      dead" in shown
    assert '{"available": "0.00"}' in shown
    assert console.json("job", "show", ids[0])["state"] == "waiting"


def test_job_is_retried_and_cancelled(console, ids):
    """By the operator, once each."""
    waiting, dead = ids

    assert console.json("job", "retry", dead)["state"] == "waiting"
    assert console.json("job", "cancel", waiting)["state"] == "cancelled"
    assert "invalid_job_state" in console("job", "retry", waiting).err
    assert "job_not_found" in console("job", "cancel", str(uuid4())).err
