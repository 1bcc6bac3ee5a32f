"""What does jobs: handlers, each for the jobs of one kind."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final, TypeAlias

from attrs import frozen

from ledgercore.errors import LedgercoreError
from ledgercore.jobs.jobs import Claim, Job

TIME_LIMIT: Final = timedelta(minutes=5)
BATCH_MAX: Final = 100


@frozen(kw_only=True)
class Transactional:
    """Does jobs inside a unit of work, several at once, that is committed together with their being done.

    `handle` gets the unit of work of the store and at most `batch_max` jobs, and gives for each, in order, nothing or
    why it failed; a job that failed must have left nothing in the unit of work. When it raises, all is undone and the
    jobs are tried one by one. It reaches nothing outside the database.
    """

    kind: str
    handle: Callable[[Any, Sequence[Job]], Sequence[LedgercoreError | None]]
    queue: str = "default"
    batch_max: int = BATCH_MAX
    time_limit: timedelta = TIME_LIMIT


@frozen(kw_only=True)
class External:
    """Does one job that reaches outside, in units of work of its own; the last one completes the claim.

    `handle` raises what went wrong. Whatever it does before the last unit of work may be done again, when the worker
    ends in between: outside effects carry the job's id as their idempotency key.
    """

    kind: str
    handle: Callable[[Claim], None]
    queue: str = "default"
    time_limit: timedelta = TIME_LIMIT


Handler: TypeAlias = Transactional | External
"""After `time_limit` a job's lease is no longer extended, so that another worker gets it: what hangs is given up."""
