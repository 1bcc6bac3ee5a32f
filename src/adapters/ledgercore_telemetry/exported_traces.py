"""Spans that leave the process: OpenTelemetry, in batches, from a thread of its own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from attrs import frozen
from opentelemetry import context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ledgercore.errors import LedgercoreError
from ledgercore_telemetry.redaction import REDACTED, is_sensitive, masked
from ledgercore_telemetry.traces import Attribute

PATH: Final = "/v1/traces"
SEND_TIMEOUT_SECONDS: Final = 5
_propagator: Final = TraceContextTextMapPropagator()


def exporting_tracer(endpoint: str, service_name: str) -> "ExportingTracer":
    """A tracer whose spans go to the collector at an address, with or without the path for traces."""
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: service_name}), shutdown_on_exit=False)
    url = endpoint.rstrip("/").removesuffix(PATH) + PATH
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(url, timeout=SEND_TIMEOUT_SECONDS)))
    return ExportingTracer(provider)


@frozen
class NotedSpan:
    """A span of OpenTelemetry's, kept free of secrets."""

    span: Span

    def note(self, **attributes: Attribute) -> None:
        """See the protocol."""
        self.span.set_attributes(_attributes(attributes))


class ExportingTracer:
    """Keeps the promises of `Tracer` with a provider of OpenTelemetry's; others in the process are left alone."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("ledgercore")

    @contextmanager
    def span(self, name: str, /, **attributes: Attribute) -> Iterator[NotedSpan]:
        """See the protocol."""
        # An exception's own text may hold what nobody has looked at, so only its kind is sent.
        with self._tracer.start_as_current_span(
            name, attributes=_attributes(attributes), record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield NotedSpan(span)
            except Exception as error:
                kind = error.code if isinstance(error, LedgercoreError) else type(error).__name__
                span.set_attribute("error.type", kind)
                span.set_status(Status(StatusCode.ERROR))
                raise

    @contextmanager
    def continue_from(self, headers: Mapping[str, str], /) -> Iterator[None]:
        """See the protocol."""
        token = context.attach(_propagator.extract(headers, context=context.Context()))
        try:
            yield
        finally:
            context.detach(token)

    def shutdown(self) -> None:
        """See the protocol."""
        self._provider.shutdown()


def _attributes(attributes: Mapping[str, Attribute]) -> dict[str, Attribute]:
    return {
        name: REDACTED if is_sensitive(name) else masked(value) if isinstance(value, str) else value
        for name, value in attributes.items()
    }
