"""Whether and when a failed job is tried again, by what the error catalog says of the failure."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from ledgercore.errors import InternalError, LedgercoreError
from ledgercore.errors.catalog import INTERNAL_SERVER_ERROR
from ledgercore.jobs.jobs import ATTEMPTS_MAX, Job

WAIT_MAX: Final = timedelta(hours=1)


def decide_retry(job: Job, error: LedgercoreError, *, now: datetime, random: Callable[[], float]) -> datetime | None:
    """When the next attempt of a job may begin, or `None` to give it up.

    The first wait of the reason, times its factor for each attempt before, and up to half of the first wait more by
    chance (`random` gives a number from 0 to 1), so that jobs that failed together do not come back together. A
    failure whose details have `retry_after_ms` waits at least so long. An hour is the longest wait.
    """
    reason = error.reason
    if not reason.retryable or job.attempts > reason.retries_max or job.attempts >= ATTEMPTS_MAX:
        return None
    wait_ms = reason.retry_delay_ms * reason.retry_factor ** (job.attempts - 1)
    asked_ms = error.details.get("retry_after_ms")
    if isinstance(asked_ms, int | float):
        wait_ms = max(wait_ms, int(asked_ms))
    chance_ms = int(random() * reason.retry_delay_ms / 2)
    return now + min(timedelta(milliseconds=wait_ms + chance_ms), WAIT_MAX)


def failure_behind(raised: Exception) -> LedgercoreError:
    """What a handler raised, as an error of the catalog: what nobody expected is `internal_server_error`."""
    if isinstance(raised, LedgercoreError):
        return raised
    return InternalError(INTERNAL_SERVER_ERROR, error=type(raised).__name__)
