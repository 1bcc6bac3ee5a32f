"""What the edge of a server reports, and where it arrives."""

import pytest

from ledgercore_telemetry import Metrics, Telemetry, configure_logs, tracing_from

LEDGERS = "/api/v1/ledgers"


@pytest.fixture
def telemetry(written) -> Telemetry:
    return Telemetry(
        log=configure_logs(written),
        metrics=Metrics(routes=[LEDGERS], version="1.2.3"),
        tracer=tracing_from(None, "bank"),
    )


def test_finished_request_is_counted_and_logged(telemetry, written):
    telemetry.request_started()
    telemetry.request_finished(
        "POST", LEDGERS, 201, 0.0123456789, correlation_id="c-1", principal_kind="user", path="/api/v1/ledgers"
    )

    [event] = written.events
    assert event.pop("time").endswith("+00:00")
    assert event == {
        "level": "info", "event": "request finished", "method": "POST", "route": LEDGERS, "status": 201,
        "seconds": 0.012346, "correlation_id": "c-1", "principal_kind": "user", "reason": None,
        "path": "/api/v1/ledgers",
    }  # fmt: skip
    rendered = telemetry.metrics.render().decode()
    assert f'ledgercore_http_requests_total{{method="POST",route="{LEDGERS}",status="201"}} 1.0' in rendered
    assert "ledgercore_http_requests_in_flight 0.0" in rendered


@pytest.mark.parametrize(
    ("status", "level"), [(200, "info"), (404, "info"), (429, "info"), (500, "error"), (503, "error")]
)
def test_what_went_wrong_on_our_side_is_an_error(telemetry, written, status, level):
    telemetry.request_started()
    telemetry.request_finished("GET", None, status, 0.1, correlation_id="c-1", reason="timeout")

    assert written.events[0]["level"] == level
    assert 'ledgercore_http_errors_total{reason="timeout"} 1.0' in telemetry.metrics.render().decode()


def test_request_that_broke_is_logged_with_its_traceback(telemetry, written):
    try:
        raise ZeroDivisionError("rate of zero")
    except ZeroDivisionError as error:
        telemetry.request_broke(error, correlation_id="c-1")

    [event] = written.events
    assert (event["level"], event["correlation_id"]) == ("error", "c-1")
    assert "test_telemetry_facade.py" in event["exception"]
    assert event["exception"].endswith("ZeroDivisionError: rate of zero")


def test_shutdown_is_passed_on(telemetry):
    telemetry.shutdown()
