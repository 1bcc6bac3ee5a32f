"""Logs, metrics and traces under one roof: what the edge of a server reports to."""

from contextlib import AbstractContextManager
from typing import Final

from attrs import frozen
from structlog.contextvars import bound_contextvars
from structlog.typing import FilteringBoundLogger

from ledgercore_telemetry.metrics import Metrics
from ledgercore_telemetry.traces import Tracer

SERVER_ERROR: Final = 500


@frozen(kw_only=True)
class Telemetry:
    """Where a server's events, numbers and spans go."""

    log: FilteringBoundLogger
    metrics: Metrics
    tracer: Tracer

    def correlated(self, correlation_id: str) -> AbstractContextManager[None]:
        """Put the id on every line that is logged in the block, whoever logs it."""
        return bound_contextvars(correlation_id=correlation_id)

    def request_started(self) -> None:
        """Count a request as being answered; `request_finished` must follow."""
        self.metrics.request_started()

    def request_finished(
        self,
        method: str,
        route: str | None,
        status: int,
        seconds: float,
        *,
        correlation_id: str,
        principal_kind: str | None = None,
        reason: str | None = None,
        **fields: object,
    ) -> None:
        """Count and log an answered request.

        `route` is the template that matched, if one did; `reason` is the code of the problem, if that was the
        answer. Further fields (such as `path`, `principal_id`, `client`) are logged, never counted by.
        """
        self.metrics.request_finished(
            method=method, route=route, status=status, seconds=seconds, reason=reason, principal_kind=principal_kind
        )
        report = self.log.error if status >= SERVER_ERROR else self.log.info
        report(
            "request finished",
            method=method,
            route=route,
            status=status,
            seconds=round(seconds, 6),
            correlation_id=correlation_id,
            principal_kind=principal_kind,
            reason=reason,
            **fields,
        )

    def request_broke(self, error: BaseException, *, correlation_id: str) -> None:
        """Log with its traceback what was not foreseen; the caller is told only that it happened."""
        self.log.error("request broke", correlation_id=correlation_id, exc_info=error)

    def shutdown(self) -> None:
        """Send the spans that have not been sent yet."""
        self.tracer.shutdown()
