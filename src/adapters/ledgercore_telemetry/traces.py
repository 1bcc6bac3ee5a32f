"""Traces: what happened within what, across processes, for those who configure a collector."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Final, Protocol, TypeAlias

from ledgercore.errors import InternalError
from ledgercore.errors.catalog import CONFIGURATION_ERROR

Attribute: TypeAlias = str | bool | int | float


class Span(Protocol):
    """Something that takes its time, with what is to be known about it."""

    def note(self, **attributes: Attribute) -> None:
        """Add what was not known at the beginning."""
        ...


class Tracer(Protocol):
    """Opens spans; those opened inside a span are its children."""

    def span(self, name: str, /, **attributes: Attribute) -> AbstractContextManager[Span]:
        """Make the block a span; it has failed when an exception leaves it."""
        ...

    def continue_from(self, headers: Mapping[str, str], /) -> AbstractContextManager[None]:
        """Make spans of the block children of the caller's, if `traceparent` (W3C, lower case) names one."""
        ...

    def shutdown(self) -> None:
        """Send what has not been sent yet; no span counts after that."""
        ...


class _NoSpan:
    def note(self, **attributes: Attribute) -> None:
        """See the protocol."""


# Both may be entered any number of times at once.
_NO_SPAN: Final = nullcontext[Span](_NoSpan())
_NO_PARENT: Final = nullcontext()


class _NoTracer:
    def span(self, name: str, /, **attributes: Attribute) -> AbstractContextManager[Span]:
        """See the protocol."""
        return _NO_SPAN

    def continue_from(self, headers: Mapping[str, str], /) -> AbstractContextManager[None]:
        """See the protocol."""
        return _NO_PARENT

    def shutdown(self) -> None:
        """See the protocol."""


def tracing_from(endpoint: str | None, service_name: str) -> Tracer:
    """A tracer that sends spans to a collector by OTLP over HTTP, or one that does nothing when there is none.

    `endpoint` is the collector's address, such as `http://collector:4318`. Raises `configuration_error` for one
    that is not an HTTP address, and when the packages for sending are not installed.
    """
    if endpoint is None:
        return _NoTracer()
    if not endpoint.startswith(("http://", "https://")):
        raise InternalError(CONFIGURATION_ERROR, setting="traces_endpoint", why="not an address that begins with http")
    try:
        # Loaded only by those who trace: it takes longer than all else that a server loads.
        from ledgercore_telemetry.exported_traces import exporting_tracer
    except ModuleNotFoundError as error:
        raise InternalError(
            CONFIGURATION_ERROR, setting="traces_endpoint", why=f"needs a package that is not installed: {error.name}"
        ) from error
    return exporting_tracer(endpoint, service_name)
