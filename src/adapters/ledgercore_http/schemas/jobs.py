"""Background jobs in the document."""

from typing import Final

from ledgercore.errors.catalog import JOB_ABANDONED, TIMEOUT
from ledgercore.jobs.jobs import ATTEMPTS_MAX, PRIORITY_LAST, JobState
from ledgercore_http.schemas.building import ANY_OBJECT, MOMENT, UUID, array, component, one_of, record, text, whole
from ledgercore_http.schemas.identity import TIME

JOB_ID: Final = "01970000-0000-7000-8000-000000000006"
STATE: Final = one_of(JobState)
FAILURE: Final = component(
    "JobFailure",
    record(
        {
            "attempt": whole(minimum=1),
            "at": MOMENT,
            "reason": text("A code of the error catalog.", examples=[TIMEOUT.code, JOB_ABANDONED.code]),
            "details": ANY_OBJECT,
        },
        description="An attempt that failed.",
    ),
)
JOB: Final = component(
    "Job",
    record(
        {
            "id": UUID,
            "kind": text("What is done."),
            "queue": text(),
            "priority": whole("0 first.", minimum=0, maximum=PRIORITY_LAST),
            "state": STATE,
            "arguments": ANY_OBJECT,
            "run_at": text("When the next attempt may begin.", format="date-time"),
            "attempts": whole(f"How many were begun, of at most {ATTEMPTS_MAX}.", minimum=0),
            "enqueued_at": MOMENT,
            "failures": array(FAILURE),
        },
        {
            "unique_key": text("What it was enqueued once for."),
            "leased_until": text("Until when a worker has it.", format="date-time"),
            "finished_at": MOMENT,
            "correlation_id": text("The request that caused it."),
        },
    ),
)
JOB_EXAMPLE: Final = {
    "id": JOB_ID,
    "kind": "process_payment",
    "queue": "payments",
    "priority": 5,
    "state": "dead",
    "arguments": {"payment_id": "01970000-0000-7000-8000-000000000007"},
    "run_at": TIME,
    "attempts": 1,
    "enqueued_at": TIME,
    "failures": [{"attempt": 1, "at": TIME, "reason": "insufficient_funds", "details": {"available": "0.00"}}],
    "finished_at": TIME,
    "correlation_id": "4f0c1bd5a7e84d31b7a50c1f6f3ad2a1",
}
COUNTS: Final = component(
    "JobCounts",
    record(
        {
            "queue": text(),
            "waiting": whole("Those that will be tried again too.", minimum=0),
            "running": whole(minimum=0),
            "dead": whole("Given up; an operator may retry them.", minimum=0),
        },
        {"oldest_ready_at": text("Since when the oldest that may begin has waited.", format="date-time")},
    ),
)
COUNTS_EXAMPLE: Final = {"queue": "payments", "waiting": 3, "running": 1, "dead": 1, "oldest_ready_at": TIME}
