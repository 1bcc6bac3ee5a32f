"""A lane: one thread that does the jobs of a queue, one batch after the other."""

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from ledgercore.jobs.jobs import Claim
from ledgercore.jobs.running import Portion, Ran, Runner
from ledgercore_worker.bell import Bell

IDLE_SECONDS: Final = 0.05
IDLE_SECONDS_MAX: Final = 1.0


class Report(Protocol):
    """Who hears what becomes of jobs; called from any thread."""

    def ran(self, ran: Ran) -> None:
        """An attempt has ended."""
        ...

    def faltered(self, error: Exception) -> None:
        """The store did not answer as it should; what was being done is tried again."""
        ...


class Lane(threading.Thread):
    """Claims and does jobs of one queue until it is told to stop; finishes what it has begun, gives back the rest."""

    def __init__(
        self, runner: Runner, *, queue: str, name: str, report: Report, bell: Bell, stopping: threading.Event
    ) -> None:
        super().__init__(name=name)
        self._runner = runner
        self._queue = queue
        self._report = report
        self._bell = bell
        self._stopping = stopping
        self._held: tuple[float, Sequence[Portion]] = (0.0, ())

    def run(self) -> None:
        """Work until the end."""
        idle = IDLE_SECONDS
        while not self._stopping.is_set():
            heard = self._bell.heard()
            if self._worked():
                idle = IDLE_SECONDS
                # What was done may have enqueued something for the others.
                self._bell.ring()
                continue
            # However often others ring, whoever finds nothing looks again only so soon.
            self._stopping.wait(IDLE_SECONDS)
            self._bell.wait(heard, idle)
            idle = min(2 * idle, IDLE_SECONDS_MAX)

    def held(self) -> Sequence[Claim]:
        """What it has claimed and not finished, but for jobs that take longer than they may."""
        began, portions = self._held
        took = time.monotonic() - began
        return [
            claim
            for index, portion in enumerate(portions)
            if index or took < portion.handler.time_limit.total_seconds()
            for claim in portion.claims
        ]

    def _worked(self) -> bool:
        try:
            portions = self._runner.claim(self._queue)
            for portion in self._one_by_one(portions):
                for ran in self._runner.run(portion):
                    self._report.ran(ran)
        except Exception as error:
            self._report.faltered(error)
            return False
        return bool(portions)

    def _one_by_one(self, portions: Sequence[Portion]) -> Iterator[Portion]:
        """Each portion, held with those behind it while it lasts; those that have not begun at the end are released."""
        try:
            for index, portion in enumerate(portions):
                self._held = (time.monotonic(), portions[index:])
                if self._stopping.is_set():
                    self._runner.queue.release(self.held())
                    return
                yield portion
        finally:
            self._held = (0.0, ())
