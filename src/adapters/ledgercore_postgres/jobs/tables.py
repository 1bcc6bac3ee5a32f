"""The table of jobs as SQLAlchemy Core sees it, and its rows as jobs; the migrations are what creates it."""

from collections.abc import Sequence
from typing import Any, Final, LiteralString

from attrs import asdict
from sqlalchemy import Boolean, Column, DateTime, Integer, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSON

from ledgercore.jobs.documents import failure_document, failure_of
from ledgercore.jobs.jobs import Job, JobState
from ledgercore.jobs.leases import is_suspect
from ledgercore_postgres.tables import METADATA

_MOMENT: Final = DateTime(timezone=True)

JOBS: Final = Table(
    "jobs",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("arguments", JSON, nullable=False),
    Column("queue", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("run_at", _MOMENT, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("enqueued_at", _MOMENT, nullable=False),
    Column("unique_key", Text),
    Column("leased_until", _MOMENT),
    Column("finished_at", _MOMENT),
    Column("failures", JSON, nullable=False),
    Column("correlation_id", Text),
    # Whether its last attempt was abandoned: said again beside its failures, for those who look for jobs by it.
    Column("suspect", Boolean, nullable=False),
)

COLUMNS: Final = tuple(column for column in JOBS.columns if column is not JOBS.c.suspect)
"""What a job is made of."""

FIELDS: Final[LiteralString] = (
    "jobs.id, jobs.kind, jobs.arguments, jobs.queue, jobs.priority, jobs.state, jobs.run_at, jobs.attempts,"
    " jobs.enqueued_at, jobs.unique_key, jobs.leased_until, jobs.finished_at, jobs.failures, jobs.correlation_id"
)
"""The same columns in the same order."""


def job_of(row: Sequence[Any]) -> Job:
    """A job from its row."""
    fields = dict(zip((column.name for column in COLUMNS), row, strict=True))
    return Job(**{**fields, "state": JobState(fields["state"]), "failures": tuple(map(failure_of, fields["failures"]))})


def values_of(job: Job) -> dict[str, Any]:
    """The row of a job."""
    return {
        **asdict(job, recurse=False),
        "arguments": dict(job.arguments),
        "failures": [failure_document(failure) for failure in job.failures],
        "suspect": is_suspect(job),
    }
