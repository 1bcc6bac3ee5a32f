"""The worker: lanes for each queue, and beside them what keeps leases alive and what enqueues by the clock."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ledgercore.jobs.running import Runner
from ledgercore.jobs.schedules import Schedule
from ledgercore_worker.bell import Bell
from ledgercore_worker.lanes import Lane, Report
from ledgercore_worker.timetable import Timetable

BEATS_PER_LEASE: Final = 3
TICK_SECONDS: Final = 1.0


class Worker:
    """Does jobs until it is told to stop, `lanes` queues with so many threads each.

    Raises `invalid_schedule` for a schedule that cannot be read.
    """

    def __init__(
        self, runner: Runner, *, lanes: Mapping[str, int], report: Report, schedules: Sequence[Schedule] = ()
    ) -> None:
        self._runner = runner
        self._report = report
        self._timetable = Timetable(schedules)
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._bell = Bell()
        self._lanes = [
            Lane(runner, queue=queue, name=f"{queue}-{number}", report=report, bell=self._bell, stopping=self._stopping)
            for queue, count in lanes.items()
            for number in range(1, count + 1)
        ]

    def run(self) -> None:
        """Work until `stop` is called or the thread is interrupted; returns when what was being done is finished."""
        beats = threading.Thread(target=self._beat, name="heartbeats")
        ticks = threading.Thread(target=self._tick, name="schedules")
        for thread in (beats, ticks, *self._lanes):
            thread.start()
        try:
            self._stopping.wait()
        finally:
            self.stop()
            try:
                for lane in self._lanes:
                    lane.join()
            finally:
                self._ended.set()

    def stop(self) -> None:
        """Have every lane finish what it has begun, and give back what it has not."""
        self._stopping.set()
        self._bell.ring()

    def _beat(self) -> None:
        """Extend the leases of what the lanes hold, also while they finish."""
        seconds = self._runner.lease.total_seconds() / BEATS_PER_LEASE
        while not self._ended.wait(seconds):
            self._reporting(self._extend_held)

    def _tick(self) -> None:
        """Enqueue what is due."""
        while not self._stopping.is_set():
            self._reporting(self._enqueue_due)
            self._stopping.wait(TICK_SECONDS)

    def _extend_held(self) -> None:
        held = [claim for lane in self._lanes for claim in lane.held()]
        if held:
            self._runner.queue.extend(held, lease=self._runner.lease)

    def _enqueue_due(self) -> None:
        due = self._timetable.due(self._runner.clock())
        if due:
            with self._runner.store.begin() as work:
                work.jobs.enqueue(due)
            self._bell.ring()

    def _reporting(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as error:
            self._report.faltered(error)
