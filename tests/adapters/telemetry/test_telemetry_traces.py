"""Traces: nothing without a collector, everything with one, and no secrets."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from attrs import field, frozen
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from ledgercore.errors import BusinessRuleError, InternalError
from ledgercore.errors.catalog import HOLD_EXPIRED
from ledgercore_telemetry import tracing_from
from ledgercore_telemetry.exported_traces import ExportingTracer

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{PARENT}-01"}


@frozen
class Recording:
    """A tracer and the spans that it has finished."""

    exporter: InMemorySpanExporter = field(factory=InMemorySpanExporter)
    tracer: ExportingTracer = field()

    @tracer.default
    def _tracer(self) -> ExportingTracer:
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        return ExportingTracer(provider)

    @property
    def spans(self):
        return self.exporter.get_finished_spans()


@pytest.fixture
def recording() -> Iterator[Recording]:
    recording = Recording()
    yield recording
    recording.tracer.shutdown()


def test_span_carries_its_name_and_attributes(recording):
    with recording.tracer.span("POST /transactions", method="POST") as span:
        span.note(status=201, replayed=False)

    [span] = recording.spans
    assert span.name == "POST /transactions"
    assert dict(span.attributes) == {"method": "POST", "status": 201, "replayed": False}
    assert span.status.status_code is StatusCode.UNSET


def test_span_inside_a_span_is_its_child(recording):
    with recording.tracer.span("request"), recording.tracer.span("append"):
        pass

    append, request = recording.spans
    assert append.parent.span_id == request.context.span_id
    assert append.context.trace_id == request.context.trace_id
    assert request.parent is None


def test_caller_named_in_the_headers_is_the_parent(recording):
    with recording.tracer.continue_from(TRACEPARENT), recording.tracer.span("request"):
        pass
    with recording.tracer.span("later"):
        pass

    request, later = recording.spans
    assert f"{request.context.trace_id:032x}" == TRACE
    assert f"{request.parent.span_id:016x}" == PARENT
    assert later.parent is None


@pytest.mark.parametrize(
    "headers", [{}, {"traceparent": "nonsense"}, {"traceparent": f"00-{'0' * 32}-{PARENT}-01"}, {"traceparent": ""}]
)
def test_headers_that_name_no_caller_begin_a_trace_of_their_own(recording, headers):
    with recording.tracer.continue_from(headers), recording.tracer.span("request"):
        pass

    [request] = recording.spans
    assert request.parent is None


def test_requests_that_are_answered_at_once_do_not_become_one_another_s_parents(recording):
    with (
        recording.tracer.span("outer"),
        recording.tracer.continue_from({}),
        recording.tracer.span("a request that came in meanwhile"),
    ):
        pass

    inner, outer = recording.spans
    assert inner.parent is None
    assert inner.context.trace_id != outer.context.trace_id


def test_exception_makes_the_span_fail_and_goes_on(recording):
    with pytest.raises(BusinessRuleError), recording.tracer.span("capture"):
        raise BusinessRuleError(HOLD_EXPIRED)
    with pytest.raises(LookupError), recording.tracer.span("read"):
        raise LookupError("password=hunter2")

    capture, read = recording.spans
    assert (capture.attributes["error.type"], read.attributes["error.type"]) == ("hold_expired", "LookupError")
    assert {span.status.status_code for span in recording.spans} == {StatusCode.ERROR}
    assert "hunter2" not in read.to_json()


def test_secrets_are_not_traced(recording):
    with recording.tracer.span("login", password="hunter2", url="http://a:hunter2@bank") as span:
        span.note(authorization="hunter2", header="Bearer hunter2")

    assert "hunter2" not in recording.spans[0].to_json()


@pytest.fixture
def collector(monkeypatch) -> Iterator["Collector"]:
    """A collector on a free port of this machine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Collector(ThreadingHTTPServer):
    """Takes spans by OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Post)
        self.received: list[tuple[str, ExportTraceServiceRequest]] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Post(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, ExportTraceServiceRequest.FromString(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("path", ["", "/", "/v1/traces", "/v1/traces/"])
def test_shutdown_sends_what_the_collector_has_not_got_yet(collector, path):
    tracer = tracing_from(collector.endpoint + path, "bank")

    with tracer.continue_from(TRACEPARENT), tracer.span("request", status=200):
        pass
    tracer.shutdown()

    [(received_path, request)] = collector.received
    assert received_path == "/v1/traces"
    [resource_spans] = request.resource_spans
    names = {each.key: each.value.string_value for each in resource_spans.resource.attributes}
    assert names["service.name"] == "bank"
    [span] = resource_spans.scope_spans[0].spans
    assert (span.name, span.trace_id.hex(), span.parent_span_id.hex()) == ("request", TRACE, PARENT)


def test_collector_that_is_not_there_disturbs_nobody(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("ledgercore_telemetry.exported_traces.SEND_TIMEOUT_SECONDS", 0.2)
    tracer = tracing_from("http://127.0.0.1:9", "bank")

    with tracer.span("request"):
        pass

    tracer.shutdown()


def test_endpoint_that_is_no_address_is_refused():
    with pytest.raises(InternalError) as refusal:
        tracing_from("collector:4318", "bank")

    assert refusal.value.details["setting"] == "traces_endpoint"


def test_missing_packages_are_named(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("opentelemetry.exporter")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "ledgercore_telemetry.exported_traces")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter", None)

    with pytest.raises(InternalError) as refusal:
        tracing_from("http://127.0.0.1:9", "bank")

    assert "opentelemetry.exporter" in str(refusal.value.details["why"])


def test_without_a_collector_nothing_happens():
    tracer = tracing_from(None, "bank")

    with tracer.continue_from(TRACEPARENT), tracer.span("a", x=1) as outer, tracer.span("b") as inner:
        outer.note(status=200)
        inner.note(status=200)

    tracer.shutdown()


UNTRACED = """
import sys
from ledgercore_telemetry import tracing_from
tracer = tracing_from(None, "bank")
with tracer.span("request"):
    pass
print(*{name.partition(".")[0] for name in sys.modules})
"""


def test_without_a_collector_nothing_of_opentelemetry_is_loaded():
    loaded = subprocess.run([sys.executable, "-c", UNTRACED], check=True, capture_output=True, text=True).stdout.split()

    assert "ledgercore_telemetry" in loaded
    assert not {"opentelemetry", "requests", "google"} & set(loaded)
