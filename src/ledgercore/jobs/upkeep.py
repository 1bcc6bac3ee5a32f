"""Jobs that keep the rest in order: holds whose time has passed are let go, and old jobs are forgotten."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from attrs import frozen

from ledgercore.jobs.handlers import External
from ledgercore.jobs.jobs import Claim, NewJob
from ledgercore.jobs.ports import Store
from ledgercore.jobs.schedules import Schedule

EXPIRE_HOLDS: Final = "expire_holds"
PRUNE_JOBS: Final = "prune_jobs"
KEPT_FOR: Final = timedelta(days=7)
PRUNED_MAX: Final = 10_000
"""How many jobs are forgotten at most in one unit of work."""
LEDGERS_MAX: Final = 1_000
"""How many names of ledgers are read at once."""

SCHEDULES: Final = (
    Schedule("* * * * *", NewJob(kind=EXPIRE_HOLDS, priority=3)),
    Schedule("17 3 * * *", NewJob(kind=PRUNE_JOBS, priority=9)),
)
"""Each minute, and each night."""


@frozen
class Upkeep:
    """What is done without anybody asking, over a store; both may be done again without harm."""

    store: Store

    @property
    def handlers(self) -> tuple[External, ...]:
        """Each in several units of work, since there may be much to do."""
        return (
            External(kind=EXPIRE_HOLDS, handle=self.expire_holds),
            External(kind=PRUNE_JOBS, handle=self.prune_jobs),
        )

    def expire_holds(self, claim: Claim) -> None:
        """Let go of every hold whose time has passed, one ledger after the other."""
        for ledger in self._ledgers():
            with self.store.begin() as work:
                work.ledgers.journal(ledger).expire_holds()
        with self.store.begin() as work:
            work.jobs.complete([claim])

    def prune_jobs(self, claim: Claim) -> None:
        """Forget jobs that were done or cancelled a week before this one was to run."""
        pruned = PRUNED_MAX
        while pruned == PRUNED_MAX:
            with self.store.begin() as work:
                pruned = work.jobs.prune(finished_before=claim.job.run_at - KEPT_FOR, limit=PRUNED_MAX)
        with self.store.begin() as work:
            work.jobs.complete([claim])

    def _ledgers(self) -> Iterator[str]:
        after = ""
        while True:
            with self.store.begin() as work:
                names = [name for name, _ in work.members.list_of(None, after=after, limit=LEDGERS_MAX)]
            yield from names
            if len(names) < LEDGERS_MAX:
                return
            after = names[-1]
