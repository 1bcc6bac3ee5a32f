"""Metrics of one server process, in the text format of Prometheus."""

import os
import platform
from collections import Counter as Tally
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final, TypeAlias

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
    start_http_server,
)
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ledgercore.clock import Clock
from ledgercore.errors import LedgercoreError
from ledgercore.errors.catalog import CATALOG, RATE_LIMIT_EXCEEDED
from ledgercore.jobs.ports import COUNTED, QueueCounts
from ledgercore.jobs.running import Ran
from ledgercore.ledger.commands import BatchItem, flatten
from ledgercore.ledger.outcomes import Applied, GroupOutcome, Outcome, Refused

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
UNMATCHED: Final = "unmatched"
OTHER: Final = "other"
METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
JOB_SECONDS: Final = (0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600)
BATCH_SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)

_MULTIPROCESS: Final = "PROMETHEUS_MULTIPROC_DIR"
_Labels: TypeAlias = tuple[str, str | None, int]
_Child: TypeAlias = tuple[Callable[[], None], Callable[[float], None]]


class Metrics:
    """Counts what happens in this process, or asks for it when somebody looks.

    `routes` are the templates that may become labels; every other is counted as `unmatched`, so that callers
    cannot make up series. Safe from any thread.

    Each process serves its own numbers. Only where the environment had PROMETHEUS_MULTIPROC_DIR before the first
    import, a directory that is emptied at each start, do all processes count into it and any of them answers for
    all; what is watched (queues, pools) is then still that of the process that answers.
    """

    def __init__(self, *, routes: Collection[str], version: str) -> None:
        self._routes = frozenset(routes)
        self._watched = _Watched(version)
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "ledgercore_http_requests", "Requests answered", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "ledgercore_http_request_duration_seconds",
            "Time from a request's first byte to the end of its answer",
            ["method", "route", "status"],
            buckets=SECONDS,
            registry=registry,
        )
        self._in_flight = Gauge(
            "ledgercore_http_requests_in_flight",
            "Requests being answered now",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._errors = Counter(
            "ledgercore_http_errors", "Requests answered with a problem", ["reason"], registry=registry
        )
        self._rate_limited = Counter(
            "ledgercore_http_rate_limited", "Requests refused for their rate", ["principal_kind"], registry=registry
        )
        self._outcomes = Counter(
            "ledgercore_ledger_outcomes", "What became of commands", ["command", "outcome"], registry=registry
        )
        self._batch_sizes = Histogram(
            "ledgercore_gatherer_batch_size",
            "Asks that left together",
            ["gatherer"],
            buckets=BATCH_SIZES,
            registry=registry,
        )
        self._job_seconds = Histogram(
            "ledgercore_job_duration_seconds",
            "Time that an attempt at a job took, or the batch that it was in",
            ["queue", "kind", "outcome"],
            buckets=JOB_SECONDS,
            registry=registry,
        )
        # Looking up a child by its labels takes longer than counting.
        self._request_children: dict[_Labels, _Child] = {}
        if _MULTIPROCESS not in os.environ:
            ProcessCollector(registry=registry)
            registry.register(self._watched)

    def request_started(self) -> None:
        """Count a request as being answered; `request_finished` must follow."""
        self._in_flight.inc()

    def request_finished(
        self,
        *,
        method: str,
        route: str | None,
        status: int,
        seconds: float,
        reason: str | None = None,
        principal_kind: str | None = None,
    ) -> None:
        """Count an answered request, and its problem if that was the answer."""
        self._in_flight.dec()
        labels = (
            method if method in METHODS else OTHER,
            route if route in self._routes else UNMATCHED,
            status,
        )
        count, observe = self._request_children.get(labels) or self._request_child(labels)
        count()
        observe(seconds)
        if reason is not None:
            self._errors.labels(reason if reason in CATALOG else OTHER).inc()
            if reason == RATE_LIMIT_EXCEEDED.code:
                self._rate_limited.labels(principal_kind or "anonymous").inc()

    def appended(self, batch: Iterable[BatchItem], outcomes: Iterable[Outcome]) -> None:
        """Count what became of the commands of a batch, those inside groups one by one."""
        tally = Tally(
            (type(command).__name__, _kind(outcome))
            for command, outcome in zip(flatten(batch), _single(outcomes), strict=True)
        )
        for labels, count in tally.items():
            self._outcomes.labels(*labels).inc(count)

    def gathered(self, gatherer: str, size: int) -> None:
        """Record how many asks left together."""
        self._batch_sizes.labels(gatherer).observe(size)

    def job_ran(self, ran: Ran) -> None:
        """Count an attempt at a job and how long it took."""
        self._job_seconds.labels(ran.job.queue, ran.job.kind, ran.outcome.value).observe(ran.seconds)

    def watch_jobs(self, counts: Callable[[], Iterable[QueueCounts]], clock: Clock) -> None:
        """Ask how many jobs wait, run and are dead whenever somebody looks; nothing is told while that fails."""
        self._watched.jobs = (counts, clock)

    def watch_queue(self, gatherer: str, length: Callable[[], int]) -> None:
        """Ask a gatherer for the length of its queue whenever somebody looks."""
        self._watched.queues[gatherer] = length

    def watch_pool(self, pool: str, connections: Callable[[], Mapping[str, float]]) -> None:
        """Ask a pool for its database connections by state (such as `in_use`, `idle`) whenever somebody looks."""
        self._watched.pools[pool] = connections

    def serve(self, port: int) -> None:
        """Answer on a port of this machine, for a process that serves nothing else."""
        start_http_server(port, addr="127.0.0.1", registry=self._registry)

    def render(self) -> bytes:
        """Write everything down; `CONTENT_TYPE` says in which format."""
        if _MULTIPROCESS not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        registry.register(self._watched)
        return generate_latest(registry)

    def _request_child(self, labels: _Labels) -> _Child:
        child = (self._requests.labels(*labels).inc, self._seconds.labels(*labels).observe)
        self._request_children[labels] = child
        return child


class _Watched(Collector):
    """What is looked up rather than counted."""

    def __init__(self, version: str) -> None:
        self._version = version
        self.queues: dict[str, Callable[[], int]] = {}
        self.pools: dict[str, Callable[[], Mapping[str, float]]] = {}
        self.jobs: tuple[Callable[[], Iterable[QueueCounts]], Clock] | None = None

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(
            "ledgercore_build",
            "What is running",
            {"version": self._version, "python": platform.python_version()},
        )
        queues = GaugeMetricFamily(
            "ledgercore_gatherer_queue_length", "Asks that wait for the next batch", labels=["gatherer"]
        )
        for gatherer, length in self.queues.items():
            queues.add_metric([gatherer], length())
        yield queues
        connections = GaugeMetricFamily(
            "ledgercore_database_connections", "Connections of a pool by state", labels=["pool", "state"]
        )
        for pool, states in self.pools.items():
            for state, count in states().items():
                connections.add_metric([pool, state], count)
        yield connections
        if self.jobs is not None:
            yield from _jobs(*self.jobs)


def _jobs(counts: Callable[[], Iterable[QueueCounts]], clock: Clock) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("ledgercore_jobs", "Jobs that are not finished", labels=["queue", "state"])
    waiting = GaugeMetricFamily(
        "ledgercore_jobs_oldest_waiting_seconds", "How long the oldest job that may begin has waited", labels=["queue"]
    )
    # The numbers of this process are told even while the database is away.
    with suppress(LedgercoreError):
        for each in counts():
            for state in COUNTED:
                jobs.add_metric([each.queue, state.value], each.states.get(state, 0))
            since = each.oldest_ready_at
            waiting.add_metric([each.queue], 0 if since is None else max(0, (clock() - since).total_seconds()))
    yield jobs
    yield waiting


def _single(outcomes: Iterable[Outcome]) -> Iterator[Applied | Refused]:
    for outcome in outcomes:
        if isinstance(outcome, GroupOutcome):
            yield from outcome.outcomes
        else:
            yield outcome


def _kind(outcome: Applied | Refused) -> str:
    if outcome.replayed:
        return "replayed"
    return "refused" if isinstance(outcome, Refused) else "applied"
