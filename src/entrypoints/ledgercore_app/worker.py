"""`ledgercore worker`: the background jobs, in one process with several threads."""

import os
import random
import signal
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click
from attrs import frozen

from ledgercore.errors import LedgercoreError
from ledgercore.jobs.running import Outcome, Ran, Runner
from ledgercore_app.service_settings import ServiceSettings, read_lanes
from ledgercore_app.settings import Settings
from ledgercore_cli.rendering import Facts
from ledgercore_cli.session import Session, pass_session

if TYPE_CHECKING:
    from ledgercore.clock import Clock
    from ledgercore_telemetry import Telemetry


def _lanes(_: click.Context, __: click.Parameter, value: str | None) -> Mapping[str, int] | None:
    try:
        return None if value is None else read_lanes(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.option(
    "--queues",
    callback=_lanes,
    metavar="QUEUE:N,…",
    help="So many threads for each queue (default: LEDGERCORE_QUEUES).",
)
@click.option("--until-empty", is_flag=True, help="Do what may begin now, one after the other, and end.")
@click.option("--metrics-port", type=click.IntRange(1, 65_535), help="Serve metrics on this port of 127.0.0.1.")
@pass_session
def worker(session: Session, queues: Mapping[str, int] | None, until_empty: bool, metrics_port: int | None) -> None:
    """Run background jobs until interrupted.

    \b
    ledgercore worker                                  # all queues, on the embedded database
    ledgercore worker --queues payments:4,default:1    # only these
    ledgercore worker --until-empty                    # once, such as from a timer of the system

    Jobs that have begun are finished before it ends; those that have not go back to their queue.
    """
    from ledgercore_app.service import telemetry_of

    told = ServiceSettings.from_environment(os.environ)
    lanes = told.queues if queues is None else queues
    if until_empty:
        with open_runner(session.database, service_settings=told, clock=session.application.clock) as runner:
            ended = Counter(ran.outcome for ran in runner.drain(lanes))
        counts = {outcome.value: ended[outcome] for outcome in Outcome}
        session.show(counts, Facts([(name, str(count)) for name, count in counts.items()]))
        return
    # Whoever asks for the end, at the keyboard or by SIGTERM, gets the same one.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    telemetry = telemetry_of(told, ())
    try:
        with (
            suppress(KeyboardInterrupt),
            open_runner(session.database, service_settings=told, clock=session.application.clock) as runner,
        ):
            _work(session, runner, lanes=lanes, telemetry=telemetry, metrics_port=metrics_port)
    finally:
        telemetry.shutdown()


@contextmanager
def open_runner(database: str | None, *, service_settings: ServiceSettings, clock: "Clock") -> Iterator[Runner]:
    """What does the bank's jobs, for the length of a block; raises as `open_store` does."""
    from ledgercore_app.bank import bank_over
    from ledgercore_app.databases import database_from
    from ledgercore_app.handlers import handlers_of
    from ledgercore_app.secret_keys import read_secrets, sealer_of
    from ledgercore_app.wiring import job_queue_of, open_store, work_store_of

    settings = Settings.from_environment(os.environ)
    sealer = sealer_of(read_secrets(service_settings, database_from(database, settings)))
    with open_store(database, clock=clock, settings=settings) as store:
        work = work_store_of(store, clock)
        bank = bank_over(work, sealer=sealer, service_settings=service_settings, clock=clock)
        yield Runner(
            store=work,
            queue=job_queue_of(store, work, clock),
            handlers=handlers_of(bank),
            clock=clock,
            random=random.random,
        )


def _work(
    session: Session, runner: Runner, *, lanes: Mapping[str, int], telemetry: "Telemetry", metrics_port: int | None
) -> None:
    from ledgercore.jobs.administration import JobAdministration
    from ledgercore_app.handlers import SCHEDULES
    from ledgercore_worker import Worker

    told = Told(telemetry, worker=f"{socket.gethostname()}:{os.getpid()}")
    jobs = JobAdministration(store=runner.store, clock=runner.clock)
    telemetry.metrics.watch_jobs(jobs.counts, runner.clock)
    if metrics_port is not None:
        telemetry.metrics.serve(metrics_port)
    session.note(f"queues: {', '.join(f'{queue}:{count}' for queue, count in lanes.items())}")
    Worker(runner, lanes=lanes, report=told, schedules=SCHEDULES).run()


@frozen
class Told:
    """Tells logs and metrics what became of jobs; `worker` is where."""

    telemetry: "Telemetry"
    worker: str

    def ran(self, ran: Ran) -> None:
        """See the protocol `Report`."""
        self.telemetry.metrics.job_ran(ran)
        fields = {
            "worker": self.worker,
            "job_id": str(ran.job.id),
            "kind": ran.job.kind,
            "queue": ran.job.queue,
            "attempt": ran.job.attempts,
            "duration_ms": round(ran.seconds * 1000, 1),
            "correlation_id": ran.job.correlation_id,
        }
        if ran.error is not None:
            fields |= {"category": ran.error.reason.category.value, "reason": ran.error.code, "why": str(ran.error)}
        if ran.retry_at is not None:
            fields |= {"retry_at": ran.retry_at.isoformat()}
        log = self.telemetry.log
        tell = {Outcome.SUCCESS: log.info, Outcome.DEAD_LETTER: log.error}.get(ran.outcome, log.warning)
        tell(f"job {ran.outcome.value}", **fields)

    def faltered(self, error: Exception) -> None:
        """See the protocol `Report`."""
        reason = error.code if isinstance(error, LedgercoreError) else type(error).__name__
        self.telemetry.log.warning("worker faltered", worker=self.worker, reason=reason, exc_info=error)
