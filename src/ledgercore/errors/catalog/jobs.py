"""Background jobs."""

from typing import Final

from ledgercore.errors.category import Category
from ledgercore.errors.reason import Reason

JOB_NOT_FOUND: Final = Reason(
    "job_not_found", Category.NOT_FOUND, "Job not found", description="There is no job of this id; it may be pruned."
)
INVALID_JOB_STATE: Final = Reason(
    "invalid_job_state",
    Category.CONFLICT,
    "The job's state does not allow this",
    description="Only waiting jobs can be cancelled, only dead ones retried.",
)
JOB_LEASE_LOST: Final = Reason(
    "job_lease_lost",
    Category.CONFLICT,
    "Another worker has this job by now",
    description="The attempt took longer than its lease; what it did is undone.",
)
JOB_CANCELLED: Final = Reason(
    "job_cancelled",
    Category.CONFLICT,
    "The job was cancelled",
    description="An operator cancelled the job that was to do this; ask for it anew.",
)
JOB_ABANDONED: Final = Reason(
    "job_abandoned",
    Category.SYSTEM,
    "Workers ended in the middle of this job, again and again",
    description="The job is with the dead letters; look into the workers' logs at the times of its attempts.",
)
UNKNOWN_JOB_KIND: Final = Reason(
    "unknown_job_kind",
    Category.VALIDATION,
    "No worker knows jobs of this kind",
    description="Use a kind from the details, or run workers of a newer version.",
)
INVALID_SCHEDULE: Final = Reason(
    "invalid_schedule",
    Category.VALIDATION,
    "The schedule cannot be read",
    description="Use five fields of cron: minute, hour, day of month, month, day of week.",
)
