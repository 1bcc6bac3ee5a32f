"""Health and metrics over HTTP: bare answers, at any rate."""

import pytest

from ledgercore_http import Limits

PREFIXES = ["/api", "/api/v1"]
PATHS = ["/health", "/health/detailed", "/health/ready", "/health/live", "/metrics", "/metrics/health"]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_health_says_which_version_answers_since_when(anonymous, prefix):
    answer = anonymous.request("GET", f"{prefix}/health")

    body = answer.json()
    assert answer.status_code == 200
    assert body.keys() == {"status", "timestamp", "version", "uptime"}
    assert (body["status"], body["version"]) == ("ok", "test")
    assert body["uptime"] >= 0


@pytest.mark.parametrize("prefix", PREFIXES)
def test_liveness_needs_nothing_else(anonymous, prefix):
    body = anonymous.request("GET", f"{prefix}/health/live").json()

    assert body.keys() == {"status", "timestamp", "uptime"}
    assert body["status"] == "alive"


@pytest.mark.parametrize(
    ("path", "well", "unwell", "checks"),
    [
        ("/health/detailed", "ok", "degraded", {"database", "memory", "disk"}),
        ("/health/ready", "ready", "not_ready", {"database", "application"}),
    ],
)
class TestChecks:
    @pytest.mark.parametrize("prefix", PREFIXES)
    def test_all_well(self, anonymous, prefix, path, well, unwell, checks):
        answer = anonymous.request("GET", prefix + path)

        assert (answer.status_code, answer.json()["status"]) == (200, well)
        assert answer.json()["checks"] == dict.fromkeys(checks, "ok")

    def test_error_is_unwell_without_being_a_problem(self, anonymous, probe, path, well, unwell, checks):
        probe.database = "error"

        answer = anonymous.get(path)
        assert (answer.status_code, answer.json()["status"]) == (503, unwell)
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["checks"]["database"] == "error"

    def test_warning_is_still_well(self, anonymous, probe, path, well, unwell, checks):
        probe.database = "warning"

        answer = anonymous.get(path)
        assert (answer.status_code, answer.json()["status"]) == (200, well)
        assert answer.json()["checks"]["database"] == "warning"


def test_liveness_does_not_depend_on_the_database(anonymous, probe):
    probe.database = "error"

    assert anonymous.get("/health/live").status_code == anonymous.get("/health").status_code == 200


@pytest.mark.parametrize("prefix", PREFIXES)
def test_metrics_are_text_that_prometheus_reads(anonymous, prefix):
    answer = anonymous.request("GET", f"{prefix}/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE" in answer.text


@pytest.mark.parametrize(("database", "status"), [("ok", "healthy"), ("error", "unhealthy")])
def test_health_of_metrics_tells_of_the_database(anonymous, probe, database, status):
    probe.database = database

    answer = anonymous.get("/metrics/health")
    assert answer.status_code == 200
    assert answer.json()["data"] | {"timestamp": None} == {
        "status": status,
        "service": "ledgercore",
        "timestamp": None,
        "prometheus": "enabled",
        "checks": {"database": database, "cache": "none"},
    }


@pytest.mark.parametrize("path", PATHS)
def test_tokens_make_no_difference(anonymous, path):
    assert anonymous.get(path, headers={"authorization": "Bearer nonsense"}).status_code == 200


class TestUnlimited:
    @pytest.fixture
    def limits(self, tight):
        return Limits(per_address=tight)

    def test_probes_count_for_no_limit(self, anonymous, tight):
        for _ in range(tight.limit + 2):
            for path in PATHS:
                answer = anonymous.get(path)
                assert answer.status_code == 200
                assert "x-ratelimit-limit" not in answer.headers
        assert anonymous.get("/problems").headers["x-ratelimit-remaining"] == str(tight.limit - 1)
