"""Jobs that come again and again at set times."""

from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from ledgercore.jobs.jobs import NewJob

MISSED_FOR: Final = timedelta(days=1)
"""How long after its time a slot is still enqueued, when no worker was there."""


@frozen
class Schedule:
    """A job for each time of a cron expression (five fields, UTC), enqueued once however many workers look."""

    cron: str
    job: NewJob

    def at(self, slot: datetime) -> NewJob:
        """The job of one of its times."""
        return evolve(self.job, run_at=slot, unique_key=f"{self.cron} @ {slot.isoformat()}")
