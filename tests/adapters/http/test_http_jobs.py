"""Background jobs over HTTP, for admins: what waits, what was given up, and what is done about it."""

import pytest
from attrs import evolve

from ledgercore.jobs.jobs import Failure, JobState, NewJob


@pytest.fixture
def jobs(service):
    """A waiting job and a dead one of payments, and one of another queue."""
    new = [NewJob(kind="process_payment", queue="payments", arguments={"payment_id": "p"}, correlation_id="c")] * 2
    with service.bank.store.begin() as work:
        ids = work.jobs.enqueue([*new, NewJob(kind="count_sheep")])
        dead = work.jobs.find(ids[1])
        failure = Failure(attempt=1, at=dead.enqueued_at, reason="insufficient_funds", details={"available": "0.00"})
        work.jobs.save(evolve(dead, state=JobState.DEAD, finished_at=dead.enqueued_at, attempts=1, failures=(failure,)))
    return [str(id) for id in ids]


def ids(answer) -> list[str]:
    """The ids of a list, in its order."""
    return [job["id"] for job in answer.json()["data"]]


def test_jobs_are_listed_newest_first(ada, jobs):
    """By queue, kind and state, page by page."""
    waiting, dead, other = jobs

    page = ada.get("/jobs", params={"limit": 2}).json()
    cursor = page["metadata"]["pagination"]["next_cursor"]

    assert [job["id"] for job in page["data"]] == [other, dead]
    assert ids(ada.get("/jobs", params={"cursor": cursor})) == [waiting]
    assert ids(ada.get("/jobs?queue=payments&state=waiting")) == [waiting]
    assert ids(ada.get("/jobs?kind=count_sheep")) == [other]
    assert ids(ada.get("/jobs?state=cancelled")) == []


def test_job_is_shown_with_what_went_wrong(ada, jobs):
    """And the request that caused it."""
    shown = ada.get(f"/jobs/{jobs[1]}").json()["data"]

    assert (shown["state"], shown["attempts"], shown["correlation_id"]) == ("dead", 1, "c")
    [failure] = shown["failures"]
    assert (failure["reason"], failure["details"]) == ("insufficient_funds", {"available": "0.00"})


def test_jobs_are_counted_by_queue(ada, jobs):
    """Those that are not finished."""
    counted = ada.get("/jobs/counts").json()["data"]

    assert [(each["queue"], each["waiting"], each["running"], each["dead"]) for each in counted] == [
        ("default", 1, 0, 0), ("payments", 1, 0, 1)
    ]  # fmt: skip


def test_dead_job_is_retried_and_a_waiting_one_cancelled(ada, service, jobs):
    """Once each; the audit log tells who it was."""
    waiting, dead, _ = jobs

    retried = ada.post(f"/jobs/{dead}/retry", key="retry")
    cancelled = ada.post(f"/jobs/{waiting}/cancel", key="cancel")

    assert (retried.json()["data"]["state"], retried.json()["data"]["attempts"]) == ("waiting", 0)
    assert cancelled.json()["data"]["state"] == "cancelled"
    again = [ada.post(f"/jobs/{waiting}/retry"), ada.post(f"/jobs/{waiting}/cancel")]
    assert [(each.status_code, each.json()["code"]) for each in again] == [(409, "invalid_job_state")] * 2
    noted = ada.get("/audit?limit=2").json()["data"]
    assert [(entry["action"], entry["target"]) for entry in noted] == [
        ("job_cancelled", f"job:{waiting}"), ("job_replayed", f"job:{dead}")
    ]  # fmt: skip
    assert {entry["actor"] for entry in noted} == {f"user:{ada.user_id}"}


@pytest.mark.parametrize(
    ("method", "path", "refused"),
    [
        ("GET", "/jobs/01970000-0000-7000-8000-000000000009", (404, "job_not_found")),
        ("POST", "/jobs/01970000-0000-7000-8000-000000000009/retry", (404, "job_not_found")),
        ("POST", "/jobs/sheep/cancel", (400, "invalid_uuid_format")),
        ("GET", "/jobs?state=asleep", (400, "invalid_filter")),
        ("GET", "/jobs?queue=a%20b", (400, "invalid_filter")),
        ("GET", "/jobs?cursor=nonsense", (400, "invalid_cursor")),
    ],
)
def test_what_cannot_be_is_refused(ada, method, path, refused):
    """With its reason."""
    answer = ada.request(method, f"/api/v1{path}")

    assert (answer.status_code, answer.json()["code"]) == refused
