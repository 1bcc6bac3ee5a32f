"""A worker of the bank that can be told when to die; run as a program by the tests.

Its argument is the URL of a database; everything else is as `ledgercore worker` has it, from the environment. With
lanes such as `payments:2` as a second argument it works until SIGTERM, with leases that lapse soon. Without them it
reads orders from its input, a line of JSON each, and has a child of its own carry each out: do what there is to do
in a queue at a time so many seconds ahead, and kill yourself at a step on the way. A line of its output says how the
child has ended.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import psycopg
from attrs import define, evolve

from ledgercore.banking import runs
from ledgercore.jobs.handlers import Transactional
from ledgercore.jobs.running import Ran, Runner
from ledgercore_app.service_settings import ServiceSettings, read_lanes
from ledgercore_app.worker import open_runner
from ledgercore_outbound import Outbound
from ledgercore_worker import Worker

LEASE = timedelta(seconds=0.6)
BATCH = 5
ENDED, FAILED = 0, 1


@define
class Death:
    """Kills the process at its n-th step: before it, when it was sent, or once the answer is there.

    Steps of the `database` are trips to it, of `commits` those that commit, of the `bank` requests to it.
    """

    of: str
    moment: str
    at: int
    seen: int = 0
    is_committing: bool = False

    def arm(self) -> None:
        """Come from now on."""
        if self.of == "bank":
            self._watch_bank(Outbound.send)
        else:
            self._watch_database(psycopg.Connection.wait, psycopg.Connection.commit)

    def _watch_database(self, wait: Callable[..., Any], commit: Callable[..., Any]) -> None:
        def watched(connection: Any, asking: Generator[Any, Any, Any], *more: Any, **named: Any) -> Any:
            if self.of == "commits" and not self.is_committing:
                return wait(connection, asking, *more, **named)
            self.seen += 1
            if self.seen == self.at and self.moment == "sent":
                asking = _until_sent(asking, connection)
            elif self.seen == self.at and self.moment == "before":
                die()
            answer = wait(connection, asking, *more, **named)
            if self.seen == self.at:
                die()
            return answer

        def committing(connection: Any) -> None:
            self.is_committing = True
            try:
                commit(connection)
            finally:
                self.is_committing = False

        patch.object(psycopg.Connection, "wait", watched).start()
        patch.object(psycopg.Connection, "commit", committing).start()

    def _watch_bank(self, send: Callable[..., Any]) -> None:
        def watched(outbound: Any, request: Any) -> Any:
            answer = send(outbound, request)
            self.seen += 1
            if self.seen == self.at:
                die()
            return answer

        patch.object(Outbound, "send", watched).start()


def die() -> None:
    """As by kill -9: nothing is said, nothing is closed."""
    os.kill(os.getpid(), signal.SIGKILL)


def _until_sent(asking: Generator[Any, Any, Any], connection: Any) -> Generator[Any, Any, Any]:
    """Send what a conversation of the driver has to send, and die before the answer is read."""
    with suppress(StopIteration):
        wish = next(asking)
        while connection.pgconn.flush():
            wish = asking.send((yield wish))
    die()


@contextmanager
def runner_of(url: str, *, ahead_seconds: float = 0) -> Iterator[Runner]:
    """The bank's runner, at a time that is so far ahead."""
    settings = ServiceSettings.from_environment(os.environ)
    ahead = timedelta(seconds=ahead_seconds)
    with open_runner(url, service_settings=settings, clock=lambda: datetime.now(UTC) + ahead) as runner:
        yield runner


def obey(url: str, order: dict[str, Any]) -> None:
    """Do what there is to do in a queue, up to one's death."""
    with runner_of(url, ahead_seconds=order["ahead_seconds"]) as runner:
        if order["death"] is not None:
            Death(**order["death"]).arm()
        runner.drain([order["queue"]])


def take_orders(url: str) -> None:
    """Have a child carry out each order, and tell how it has ended."""
    # Whatever is loaded for the first job is so before any child is born.
    obey(url, {"queue": "none", "ahead_seconds": 0, "death": None})
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status = FAILED
            try:
                obey(url, json.loads(line))
                status = ENDED
            finally:
                sys.stderr.flush()
                if status == ENDED:
                    os._exit(status)
        _, ended = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(ended), flush=True)


class Told:
    """Tells of what went wrong."""

    def ran(self, ran: Ran) -> None:
        """What was done, and how it ended."""
        if ran.error is not None:
            print(f"{ran.outcome.value}: {ran.job.kind} {ran.error.code}", file=sys.stderr, flush=True)

    def faltered(self, error: Exception) -> None:
        """What the store did not do."""
        print(f"faltered: {error!r}", file=sys.stderr, flush=True)


def work(url: str, lanes: str) -> None:
    """Work in small batches until told to end."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Long enough for a step, and short enough to be waited for.
    patch.object(runs, "RUN_LEASE", LEASE).start()
    with runner_of(url) as runner:
        handlers = [
            evolve(each, batch_max=min(each.batch_max, BATCH)) if isinstance(each, Transactional) else each
            for each in runner.handlers
        ]
        runner = evolve(runner, handlers=handlers, lease=LEASE)
        with suppress(KeyboardInterrupt):
            Worker(runner, lanes=read_lanes(lanes), report=Told()).run()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        work(*sys.argv[1:])
    else:
        take_orders(sys.argv[1])
