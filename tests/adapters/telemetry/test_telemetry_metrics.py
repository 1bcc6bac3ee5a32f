"""Metrics: what is counted, under which labels, and that callers cannot make up labels."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ledgercore.errors import ExternalDependencyError
from ledgercore.errors.catalog import CATALOG, DATABASE_UNAVAILABLE, HOLD_EXPIRED
from ledgercore.jobs.jobs import Job, JobState
from ledgercore.jobs.ports import QueueCounts
from ledgercore.jobs.running import Outcome, Ran
from ledgercore.ledger.commands import ClosePeriod, Group, OpenAccount
from ledgercore.ledger.outcomes import Applied, GroupOutcome, Refused
from ledgercore.money import currency
from ledgercore_telemetry import CONTENT_TYPE, Metrics

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
USERS = "/api/v1/users/{id}"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(routes=[USERS], version="1.2.3")


def samples(metrics: Metrics) -> dict[tuple, float]:
    """Every sample that Prometheus would read, by name and label values in the order of their names."""
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def finish(metrics: Metrics, *, method="GET", route=USERS, status=200, seconds=0.02, **more) -> None:
    metrics.request_started()
    metrics.request_finished(method=method, route=route, status=status, seconds=seconds, **more)


def test_format_is_the_one_of_prometheus():
    assert CONTENT_TYPE == "text/plain; version=0.0.4; charset=utf-8"


def test_requests_are_counted_and_timed_by_method_route_and_status(metrics):
    finish(metrics, seconds=0.02)
    finish(metrics, seconds=0.3)
    finish(metrics, status=404)

    found = samples(metrics)
    assert found["ledgercore_http_requests_total", "GET", USERS, "200"] == 2
    assert found["ledgercore_http_requests_total", "GET", USERS, "404"] == 1
    name = "ledgercore_http_request_duration_seconds"
    assert found[f"{name}_bucket", "0.025", "GET", USERS, "200"] == 1
    assert found[f"{name}_bucket", "0.5", "GET", USERS, "200"] == 2
    assert found[f"{name}_count", "GET", USERS, "200"] == 2
    assert found[f"{name}_sum", "GET", USERS, "200"] == pytest.approx(0.32)


def test_requests_in_flight_are_those_started_and_not_finished(metrics):
    metrics.request_started()
    metrics.request_started()
    metrics.request_finished(method="GET", route=USERS, status=200, seconds=0)

    assert samples(metrics)["ledgercore_http_requests_in_flight",] == 1


def test_callers_cannot_make_up_series(metrics):
    for number in range(200):
        finish(metrics, method=f"BREW{number}", route=f"/wp-admin/{number}", status=404, reason=f"made_up_{number}")
    finish(metrics, route=None, status=404)

    found = samples(metrics)
    assert found["ledgercore_http_requests_total", "other", "unmatched", "404"] == 200
    assert found["ledgercore_http_requests_total", "GET", "unmatched", "404"] == 1
    assert found["ledgercore_http_errors_total", "other"] == 200
    assert sum(name == "ledgercore_http_requests_total" for name, *_ in found) == 2


def test_problems_are_counted_by_reason(metrics):
    finish(metrics, status=422, reason="hold_expired")
    finish(metrics, status=422, reason="hold_expired")

    found = samples(metrics)
    assert found["ledgercore_http_errors_total", "hold_expired"] == 2
    assert not any(name == "ledgercore_http_rate_limited_total" for name, *_ in found)


def test_every_reason_of_the_catalog_has_a_series_of_its_own(metrics):
    for code in CATALOG:
        finish(metrics, status=400, reason=code)

    found = samples(metrics)
    assert all(found["ledgercore_http_errors_total", code] == 1 for code in CATALOG)


def test_rate_limits_are_counted_by_who_met_them(metrics):
    finish(metrics, status=429, reason="rate_limit_exceeded", principal_kind="user")
    finish(metrics, status=429, reason="rate_limit_exceeded")

    found = samples(metrics)
    assert found["ledgercore_http_rate_limited_total", "user"] == 1
    assert found["ledgercore_http_rate_limited_total", "anonymous"] == 1
    assert found["ledgercore_http_errors_total", "rate_limit_exceeded"] == 2


def test_outcomes_are_counted_by_kind_of_command_those_of_groups_one_by_one(metrics):
    opening = OpenAccount(path="assets:cash", currency=currency("EUR"))
    closing = ClosePeriod(through=NOON)
    applied = Applied(bytes(16), 1, NOON)
    replayed = Applied(bytes(16), 1, NOON, replayed=True)
    refused = Refused(HOLD_EXPIRED, {})

    metrics.appended(
        [opening, Group((opening, closing)), closing, closing],
        [applied, GroupOutcome((applied, refused)), replayed, Refused(HOLD_EXPIRED, {}, replayed=True)],
    )

    found = samples(metrics)
    assert found["ledgercore_ledger_outcomes_total", "OpenAccount", "applied"] == 2
    assert found["ledgercore_ledger_outcomes_total", "ClosePeriod", "refused"] == 1
    assert found["ledgercore_ledger_outcomes_total", "ClosePeriod", "replayed"] == 2


def test_batch_sizes_are_distributed_by_gatherer(metrics):
    for size in (1, 1, 64, 1_000):
        metrics.gathered("posts", size)

    found = samples(metrics)
    assert found["ledgercore_gatherer_batch_size_bucket", "posts", "1.0"] == 2
    assert found["ledgercore_gatherer_batch_size_bucket", "posts", "100.0"] == 3
    assert found["ledgercore_gatherer_batch_size_sum", "posts"] == 1_066


def test_queues_and_pools_are_asked_when_somebody_looks(metrics):
    queue: list[int] = []
    metrics.watch_queue("posts", lambda: len(queue))
    metrics.watch_pool("main", lambda: {"in_use": len(queue), "idle": 4})

    before = samples(metrics)
    queue += [1, 2]
    after = samples(metrics)

    key = ("ledgercore_gatherer_queue_length", "posts")
    assert (before[key], after[key]) == (0, 2)
    assert after["ledgercore_database_connections", "main", "in_use"] == 2
    assert after["ledgercore_database_connections", "main", "idle"] == 4


def test_build_and_process_are_described(metrics):
    found = samples(metrics)

    assert ("ledgercore_build_info", ".".join(map(str, sys.version_info[:3])), "1.2.3") in found
    assert found["process_start_time_seconds",] > 0


def test_two_services_in_one_process_count_apart(metrics):
    other = Metrics(routes=[USERS], version="1.2.3")

    finish(other)

    assert ("ledgercore_http_requests_total", "GET", USERS, "200") not in samples(metrics)


ONE_PROCESS = """
import os, sys
from ledgercore_telemetry import Metrics
metrics = Metrics(routes=["/a"], version="1")
metrics.watch_queue("posts", lambda: 7)
for _ in range(int(sys.argv[1])):
    metrics.request_started()
    metrics.request_finished(method="GET", route="/a", status=200, seconds=0.01)
print(metrics.render().decode())
"""


def test_processes_that_share_a_directory_answer_for_all(tmp_path):
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    printed = [
        subprocess.run(
            [sys.executable, "-c", ONE_PROCESS, count], env=environment, check=True, capture_output=True, text=True
        ).stdout
        for count in ("3", "4")
    ]

    count = 'ledgercore_http_requests_total{method="GET",route="/a",status="200"}'
    assert f"{count} 3.0" in printed[0]
    assert f"{count} 7.0" in printed[1]
    assert 'ledgercore_gatherer_queue_length{gatherer="posts"} 7.0' in printed[1]
    assert "ledgercore_http_requests_in_flight 0.0" in printed[1]


def test_attempts_at_jobs_are_timed_by_queue_kind_and_outcome(metrics):
    job = Job(
        id=UUID(int=1), kind="count_sheep", arguments={}, queue="meadow", priority=5, state=JobState.RUNNING,
        run_at=NOON, attempts=1, enqueued_at=NOON,
    )  # fmt: skip
    for seconds in (0.02, 0.2):
        metrics.job_ran(Ran(job=job, outcome=Outcome.SUCCESS, seconds=seconds))

    found = samples(metrics)
    name = "ledgercore_job_duration_seconds"
    assert found[f"{name}_count", "count_sheep", "success", "meadow"] == 2
    assert found[f"{name}_sum", "count_sheep", "success", "meadow"] == pytest.approx(0.22)


def test_jobs_are_counted_when_somebody_looks(metrics):
    counts = QueueCounts(
        queue="meadow", states={JobState.WAITING: 3, JobState.DEAD: 1}, oldest_ready_at=NOON - timedelta(seconds=5)
    )
    metrics.watch_jobs(lambda: [counts, QueueCounts(queue="barn", states={})], lambda: NOON)

    found = samples(metrics)
    assert [found["ledgercore_jobs", "meadow", state] for state in ("waiting", "running", "dead")] == [3, 0, 1]
    assert found["ledgercore_jobs_oldest_waiting_seconds", "meadow"] == 5
    assert found["ledgercore_jobs_oldest_waiting_seconds", "barn"] == 0


def test_other_numbers_are_told_while_jobs_cannot_be_counted(metrics):
    def unavailable():
        raise ExternalDependencyError(DATABASE_UNAVAILABLE)

    metrics.watch_jobs(unavailable, lambda: NOON)

    assert ("ledgercore_jobs", "meadow", "waiting") not in samples(metrics)
    assert b"ledgercore_build_info" in metrics.render()
