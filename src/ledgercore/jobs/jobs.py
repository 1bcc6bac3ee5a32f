"""Jobs: what is to be done, how far it has got, and what went wrong."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from attrs import field, frozen

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import INVALID_ARGUMENT

PRIORITY_LAST: Final = 9
ATTEMPTS_MAX: Final = 5
"""However often the catalog would let a failure be tried again."""


class JobState(StrEnum):
    """Where a job stands. Waiting ones include those that will be tried again; dead ones wait for an operator."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


MOVES: Final[Mapping[tuple[JobState, str], JobState]] = {
    (JobState.WAITING, "claim"): JobState.RUNNING,
    (JobState.WAITING, "cancel"): JobState.CANCELLED,
    (JobState.RUNNING, "complete"): JobState.DONE,
    (JobState.RUNNING, "retry"): JobState.WAITING,
    (JobState.RUNNING, "give_up"): JobState.DEAD,
    (JobState.DEAD, "replay"): JobState.WAITING,
}
"""The life cycle. A running job whose lease has lapsed is tried again or given up as if it had failed."""


def _check_priority(_: object, __: object, value: int) -> None:
    if type(value) is not int or not 0 <= value <= PRIORITY_LAST:
        raise ValidationError(INVALID_ARGUMENT, field="priority", value=value, why="0, the first, to 9, the last")


@frozen(kw_only=True)
class NewJob:
    """A job to enqueue. `arguments` are JSON and hold no secrets.

    `unique_key` names the intent: while a job of this kind and key was enqueued less than `unique_for` ago and is
    neither cancelled nor dead, enqueuing gives that one instead.
    """

    kind: str
    arguments: Mapping[str, Any] = field(factory=dict)
    queue: str = "default"
    priority: int = field(default=5, validator=_check_priority)
    run_at: datetime | None = None
    unique_key: str | None = None
    unique_for: timedelta | None = None
    correlation_id: str | None = None


@frozen(kw_only=True)
class Failure:
    """One attempt that failed: when, with which reason of the catalog, and what the error said."""

    attempt: int
    at: datetime
    reason: str
    details: Mapping[str, Any] = field(factory=dict)


@frozen(kw_only=True)
class Job:
    """A job as it is kept. `attempts` counts those that were begun; `run_at` is when the next may begin."""

    id: UUID
    kind: str
    arguments: Mapping[str, Any]
    queue: str
    priority: int
    state: JobState
    run_at: datetime
    attempts: int
    enqueued_at: datetime
    unique_key: str | None = None
    leased_until: datetime | None = None
    finished_at: datetime | None = None
    failures: tuple[Failure, ...] = ()
    correlation_id: str | None = None


@frozen(kw_only=True)
class Claim:
    """A job that one worker has until its lease lapses; `job.attempts` is the attempt that this is."""

    job: Job

    @property
    def attempt(self) -> int:
        """Which attempt this is, counted from 1."""
        return self.job.attempts
