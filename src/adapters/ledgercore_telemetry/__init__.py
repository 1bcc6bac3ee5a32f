"""What operators see of a running service: logs, metrics and traces, without secrets."""

from ledgercore_telemetry.logs import configure_logs
from ledgercore_telemetry.metrics import CONTENT_TYPE, Metrics
from ledgercore_telemetry.telemetry import Telemetry
from ledgercore_telemetry.traces import Tracer, tracing_from

__all__ = ["CONTENT_TYPE", "Metrics", "Telemetry", "Tracer", "configure_logs", "tracing_from"]
