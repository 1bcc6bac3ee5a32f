"""Which jobs of a schedule are due."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from cronsim import CronSim, CronSimError

from ledgercore.clock import EPOCH
from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import INVALID_SCHEDULE
from ledgercore.jobs.jobs import NewJob
from ledgercore.jobs.schedules import MISSED_FOR, Schedule

_FIELDS: Final = 5


class Timetable:
    """Gives the job of each slot once; raises `invalid_schedule` for an expression that cannot be read."""

    def __init__(self, schedules: Iterable[Schedule]) -> None:
        self._schedules = tuple(schedules)
        self._given: dict[int, datetime] = {}
        for schedule in self._schedules:
            _check(schedule)

    def due(self, now: datetime) -> Sequence[NewJob]:
        """The last slot of each schedule, unless it was given before.

        The first time also what was missed in the last day: whether another worker had it is known by its key.
        """
        due = []
        next_minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for index, schedule in enumerate(self._schedules):
            slot = next(CronSim(schedule.cron, next_minute, reverse=True), None)
            if slot is not None and slot != self._given.get(index) and slot > now - MISSED_FOR:
                self._given[index] = slot
                due.append(schedule.at(slot))
        return due


def _check(schedule: Schedule) -> None:
    try:
        if len(schedule.cron.split()) != _FIELDS:
            raise CronSimError("five fields are expected")
        CronSim(schedule.cron, EPOCH)
    except CronSimError as error:
        raise ValidationError(INVALID_SCHEDULE, schedule=schedule.cron, why=str(error)) from error
