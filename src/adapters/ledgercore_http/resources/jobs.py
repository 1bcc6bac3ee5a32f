"""Background jobs, for admins."""

from typing import Final

from ledgercore.errors.catalog import (
    INVALID_CURSOR,
    INVALID_FILTER,
    INVALID_JOB_STATE,
    INVALID_UUID_FORMAT,
    JOB_NOT_FOUND,
)
from ledgercore.identity.access import admin
from ledgercore.identity.service_tokens import Scope
from ledgercore.jobs.documents import counts_document, job_document
from ledgercore.jobs.jobs import JobState
from ledgercore.jobs.ports import JobFilter
from ledgercore_http.answers import Answer, pagination
from ledgercore_http.call import Call
from ledgercore_http.parameters import CURSOR, LIMIT, choice_parameter, path_id, pattern_parameter
from ledgercore_http.routes import Routes, Success
from ledgercore_http.schemas import jobs as schemas
from ledgercore_http.schemas.building import array
from ledgercore_http.schemas.identity import done
from ledgercore_http.schemas.values import PAGINATION

ROUTES = Routes("jobs", "Background jobs: what waits, what runs, and what was given up.")
READ: Final = admin(Scope.JOBS_READ)
WRITE: Final = admin(Scope.JOBS_WRITE)
_NAME: Final = r"^[A-Za-z0-9_.-]{1,100}$"
QUEUE: Final = pattern_parameter("queue", _NAME, "Only jobs of this queue.", example="payments")
KIND: Final = pattern_parameter("kind", _NAME, "Only jobs of this kind.", example="process_payment")
STATE: Final = choice_parameter("state", JobState, "Only jobs that stand so.")


@ROUTES.route(
    "GET",
    "/jobs",
    access=READ,
    query=(QUEUE, KIND, STATE, LIMIT, CURSOR),
    success=Success(schema=array(schemas.JOB), example=[schemas.JOB_EXAMPLE], metadata=done("listed", PAGINATION)),
    reasons=(INVALID_FILTER, INVALID_CURSOR),
)
def list_jobs(call: Call) -> Answer:
    """List jobs, newest first; those that were done a week ago are gone."""
    limit, state = call.query["limit"], call.query["state"]
    wanted = JobFilter(
        queue=call.query["queue"], kind=call.query["kind"], state=None if state is None else JobState(state)
    )
    page = call.bank.jobs.page(wanted, cursor=call.query["cursor"], limit=limit)
    return call.answer([job_document(job) for job in page.items], action="listed", pagination=pagination(page, limit))


@ROUTES.route(
    "GET",
    "/jobs/counts",
    access=READ,
    success=Success(schema=array(schemas.COUNTS), example=[schemas.COUNTS_EXAMPLE], metadata=done("counted")),
)
def count_jobs(call: Call) -> Answer:
    """Count the jobs of each queue that are not finished."""
    return call.answer([counts_document(each) for each in call.bank.jobs.counts()], action="counted")


@ROUTES.route(
    "GET",
    "/jobs/{id}",
    access=READ,
    success=Success(schema=schemas.JOB, example=schemas.JOB_EXAMPLE, metadata=done("retrieved")),
    reasons=(INVALID_UUID_FORMAT, JOB_NOT_FOUND),
)
def get_job(call: Call) -> Answer:
    """Show a job, with what went wrong."""
    return call.answer(job_document(call.bank.jobs.get(path_id(call.path["id"]))), action="retrieved")


@ROUTES.route(
    "POST",
    "/jobs/{id}/retry",
    access=WRITE,
    success=Success(
        schema=schemas.JOB,
        example={name: value for name, value in schemas.JOB_EXAMPLE.items() if name != "finished_at"}
        | {"state": "waiting", "attempts": 0},
        metadata=done("retried"),
    ),
    reasons=(INVALID_UUID_FORMAT, JOB_NOT_FOUND, INVALID_JOB_STATE),
)
def retry_job(call: Call) -> Answer:
    """Let a job that was given up begin again, with all its attempts."""
    job = call.bank.jobs.retry(path_id(call.path["id"]), actor=call.actor)
    return call.answer(job_document(job), action="retried")


@ROUTES.route(
    "POST",
    "/jobs/{id}/cancel",
    access=WRITE,
    success=Success(
        schema=schemas.JOB,
        example={**schemas.JOB_EXAMPLE, "state": "cancelled", "attempts": 0, "failures": []},
        metadata=done("cancelled"),
    ),
    reasons=(INVALID_UUID_FORMAT, JOB_NOT_FOUND, INVALID_JOB_STATE),
)
def cancel_job(call: Call) -> Answer:
    """Cancel a job that waits."""
    job = call.bank.jobs.cancel(path_id(call.path["id"]), actor=call.actor)
    return call.answer(job_document(job), action="cancelled")
