"""Doing jobs: claim, handle, acknowledge; without threads, so that tests can step through it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Final

from attrs import frozen

from ledgercore.clock import Clock
from ledgercore.errors import LedgercoreError
from ledgercore.errors.catalog import JOB_LEASE_LOST
from ledgercore.jobs.handlers import External, Handler, Transactional
from ledgercore.jobs.jobs import Claim, Failure, Job
from ledgercore.jobs.ports import JobQueue, Store
from ledgercore.jobs.retries import decide_retry, failure_behind

LEASE: Final = timedelta(seconds=30)


class Outcome(StrEnum):
    """What became of an attempt."""

    SUCCESS = "success"
    FAILURE = "failure"
    DEAD_LETTER = "dead_letter"
    LOST = "lost"
    """Another worker has the job by now; nothing that this attempt did was kept."""


@frozen(kw_only=True)
class Ran:
    """One attempt that ended. `seconds` is how long its batch took."""

    job: Job
    outcome: Outcome
    seconds: float
    error: LedgercoreError | None = None
    retry_at: datetime | None = None


@frozen(kw_only=True)
class Portion:
    """Claimed jobs of one kind that are handled together."""

    handler: Handler
    claims: Sequence[Claim]


@frozen(kw_only=True)
class Runner:
    """Does the jobs that its handlers are for; `random` gives a number from 0 to 1."""

    store: Store
    queue: JobQueue
    handlers: Sequence[Handler]
    clock: Clock
    random: Callable[[], float]
    lease: timedelta = LEASE

    def claim(self, queue: str) -> Sequence[Portion]:
        """Take what may begin: a batch of transactional jobs or one external job.

        Chance says which of the two is looked for first, so that neither kind keeps the other waiting for ever.
        """
        mine = [handler for handler in self.handlers if handler.queue == queue]
        inside = [handler for handler in mine if isinstance(handler, Transactional)]
        outside = [handler for handler in mine if isinstance(handler, External)]
        batch_max = max((each.batch_max for each in inside), default=0)
        wanted: list[tuple[Sequence[Handler], int]] = [(inside, batch_max), (outside, 1)]
        if self.random() > 1 / 2:
            wanted.reverse()
        found = (self._claimed(queue, handlers, limit=limit) for handlers, limit in wanted)
        return next(filter(None, found), [])

    def run(self, portion: Portion) -> Sequence[Ran]:
        """Handle claimed jobs and acknowledge them, or note what went wrong.

        Raises what the store raises when the failures cannot be noted; the jobs' leases lapse then.
        """
        if isinstance(portion.handler, External):
            return [self._run_outside(portion.handler, claim) for claim in portion.claims]
        return self._run_inside(portion.handler, portion.claims)

    def run_once(self, queue: str) -> Sequence[Ran]:
        """One round: claim, handle, acknowledge; gives nothing when there was nothing to do."""
        return [ran for portion in self.claim(queue) for ran in self.run(portion)]

    def drain(self, queues: Iterable[str] | None = None) -> Sequence[Ran]:
        """Do everything that may begin now, also what is enqueued meanwhile; what is to be tried again later stays."""
        wanted = sorted({handler.queue for handler in self.handlers}) if queues is None else list(queues)
        done: list[Ran] = []
        while ran := [each for queue in wanted for each in self.run_once(queue)]:
            done.extend(ran)
        return done

    def _claimed(self, queue: str, handlers: Sequence[Handler], *, limit: int) -> Sequence[Portion]:
        by_kind = {handler.kind: handler for handler in handlers}
        if not by_kind:
            return []
        claims = self.queue.claim(queue, kinds=sorted(by_kind), limit=limit, lease=self.lease)
        return list(_portions(claims, by_kind))

    def _run_inside(self, handler: Transactional, claims: Sequence[Claim]) -> Sequence[Ran]:
        began_at = self.clock()
        try:
            with self.store.begin() as work:
                errors = handler.handle(work, [claim.job for claim in claims])
                work.jobs.complete([claim for claim, error in zip(claims, errors, strict=True) if error is None])
        except Exception as raised:
            if len(claims) == 1:
                return [self._failed(claims[0], failure_behind(raised), began_at)]
            # Each alone, so that one that cannot be done keeps none of the others.
            return [ran for claim in claims for ran in self._run_inside(handler, [claim])]
        return [
            self._succeeded(claim, began_at) if error is None else self._failed(claim, error, began_at)
            for claim, error in zip(claims, errors, strict=True)
        ]

    def _run_outside(self, handler: External, claim: Claim) -> Ran:
        began_at = self.clock()
        try:
            handler.handle(claim)
        except Exception as raised:
            return self._failed(claim, failure_behind(raised), began_at)
        return self._succeeded(claim, began_at)

    def _succeeded(self, claim: Claim, began_at: datetime) -> Ran:
        return Ran(job=claim.job, outcome=Outcome.SUCCESS, seconds=self._seconds_since(began_at))

    def _failed(self, claim: Claim, error: LedgercoreError, began_at: datetime) -> Ran:
        seconds = self._seconds_since(began_at)
        if error.reason is JOB_LEASE_LOST:
            return Ran(job=claim.job, outcome=Outcome.LOST, seconds=seconds, error=error)
        now = self.clock()
        retry_at = decide_retry(claim.job, error, now=now, random=self.random)
        failure = Failure(attempt=claim.attempt, at=now, reason=error.code, details=error.details)
        self.queue.fail(claim, failure, retry_at=retry_at)
        outcome = Outcome.DEAD_LETTER if retry_at is None else Outcome.FAILURE
        return Ran(job=claim.job, outcome=outcome, seconds=seconds, error=error, retry_at=retry_at)

    def _seconds_since(self, began_at: datetime) -> float:
        return (self.clock() - began_at).total_seconds()


def _portions(claims: Sequence[Claim], handlers: dict[str, Handler]) -> Iterator[Portion]:
    """Jobs of one kind that follow one another go together, as many as their handler takes."""
    for kind, alike in groupby(claims, key=lambda claim: claim.job.kind):
        handler = handlers[kind]
        size = handler.batch_max if isinstance(handler, Transactional) else 1
        remaining = list(alike)
        for start in range(0, len(remaining), size):
            yield Portion(handler=handler, claims=remaining[start : start + size])
