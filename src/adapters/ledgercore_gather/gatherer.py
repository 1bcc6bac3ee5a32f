"""Gathering: what is asked while one batch is worked on leaves together in the next."""

import asyncio
import copy
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress
from typing import Any, Final, Generic, TypeAlias, TypeVar

from attrs import frozen

from ledgercore.errors import ExternalDependencyError, InternalError
from ledgercore.errors.catalog import CONFIGURATION_ERROR, INTERNAL_SERVER_ERROR, SERVICE_OVERLOADED

GATHERED_MAX: Final = 1_000
WAITING_MAX: Final = 10_000
RUNS_MAX: Final = 4
"""So many batches in a row; then other gatherers of the same executor have their turn."""
RETRY_AFTER_MS: Final = 1_000

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")


@frozen
class Failed:
    """An answer that its asker gets as an exception."""

    error: BaseException


_Asker: TypeAlias = "Future[Any] | asyncio.Future[Any]"


class Gatherer(Generic[Ask, Answer]):
    """Carries out asks in batches, one batch at a time and in order; there is no timer.

    The first ask starts `work` at once, in a thread of the executor; asks that arrive meanwhile leave
    together when it returns. `work` gives one answer for each ask, in order; `Failed` is raised to that
    asker alone, and what `work` itself raises to every asker of the batch. Whatever was accepted is
    carried out, also when its asker has gone.

    Threads and any number of event loops may ask at the same time. A thread of the executor must not
    wait for an answer: it may be the one that is needed to give it.
    """

    def __init__(
        self,
        work: Callable[[list[Ask]], Sequence[Answer | Failed]],
        *,
        executor: Executor,
        batch_max: int = GATHERED_MAX,
        queue_max: int = WAITING_MAX,
    ) -> None:
        for setting, value in (("batch_max", batch_max), ("queue_max", queue_max)):
            if value < 1:
                raise InternalError(CONFIGURATION_ERROR, setting=setting, value=value, least=1)
        self._work = work
        self._executor = executor
        self._batch_max = batch_max
        self._queue_max = queue_max
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._waiting: list[tuple[Ask, _Asker]] = []
        self._running = False
        self._closed = False

    async def ask(self, ask: Ask) -> Answer:
        """Wait for the answer; raises `service_overloaded` when too many wait already, and after `close`."""
        asker: asyncio.Future[Answer | Failed] = asyncio.get_running_loop().create_future()
        self._accept(ask, asker)
        answer = await asker
        if isinstance(answer, Failed):
            raise _own(answer.error)
        return answer

    def submit(self, ask: Ask) -> Future[Answer]:
        """Ask from a thread; the future cannot be cancelled. Raises as `ask` does."""
        asker: Future[Answer] = Future()
        asker.set_running_or_notify_cancel()
        self._accept(ask, asker)
        return asker

    def close(self) -> None:
        """Refuse further asks and wait until all that were accepted are answered."""
        with self._lock:
            self._closed = True
            while self._running:
                self._idle.wait()

    def _accept(self, ask: Ask, asker: _Asker) -> None:
        with self._lock:
            if self._closed or len(self._waiting) >= self._queue_max:
                raise self._refusal()
            self._waiting.append((ask, asker))
            if self._running:
                return
            self._running = True
        if not self._start():
            self._abandon()

    def _start(self) -> bool:
        """Ask the executor for a thread; whether it takes anything still."""
        try:
            started = self._executor.submit(self._run)
        except RuntimeError:
            return False
        started.add_done_callback(lambda run: self._abandon() if run.cancelled() else None)
        return True

    def _run(self) -> None:
        while True:
            for _ in range(RUNS_MAX):
                batch = self._take()
                if not batch:
                    return
                _give([asker for _, asker in batch], self._answers([ask for ask, _ in batch]))
            if self._start():
                return
            # The executor was shut down. What was accepted is carried out nevertheless, and in this thread.

    def _take(self) -> list[tuple[Ask, _Asker]]:
        with self._lock:
            batch = self._waiting[: self._batch_max]
            del self._waiting[: self._batch_max]
            if not batch:
                self._stop()
        return batch

    def _stop(self) -> None:
        self._running = False
        self._idle.notify_all()

    def _answers(self, asks: list[Ask]) -> Sequence[Answer | Failed]:
        count = len(asks)
        try:
            answers = list(self._work(asks))
            if len(answers) == count:
                return answers
            raise InternalError(INTERNAL_SERVER_ERROR, why="not one answer for each ask", asks=count, got=len(answers))
        except BaseException as error:
            # Whatever it is, somebody waits for every one of these answers.
            return [Failed(error)] * count

    def _abandon(self) -> None:
        """Refuse what waits: the executor was shut down before it began."""
        with self._lock:
            askers = [asker for _, asker in self._waiting]
            self._waiting.clear()
            refused = Failed(self._refusal())
            self._stop()
        _give(askers, [refused] * len(askers))

    def _refusal(self) -> ExternalDependencyError:
        return ExternalDependencyError(
            SERVICE_OVERLOADED, waiting=len(self._waiting), closed=self._closed, retry_after_ms=RETRY_AFTER_MS
        )


def _give(askers: Iterable[_Asker], answers: Sequence[Any]) -> None:
    """Hand out the answers; each event loop is woken once, whatever the number of its askers."""
    loops: dict[AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for asker, answer in zip(askers, answers, strict=True):
        if not isinstance(asker, Future):
            loops.setdefault(asker.get_loop(), []).append((asker, answer))
        elif isinstance(answer, Failed):
            asker.set_exception(_own(answer.error))
        else:
            asker.set_result(answer)
    for loop, given in loops.items():
        # A loop that was closed has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, given)


def _settle(given: Iterable[tuple[asyncio.Future[Any], Any]]) -> None:
    # Failures too are handed over as results, and raised by `ask`: nobody has to retrieve those of askers who left.
    for asker, answer in given:
        if not asker.done():
            asker.set_result(answer)


def _own(error: BaseException) -> BaseException:
    """The same failure for one asker: a shared one would gather the tracebacks of all who raise it."""
    try:
        own = copy.copy(error)
    except Exception:
        return error.with_traceback(None)
    own.__cause__ = error
    return own
