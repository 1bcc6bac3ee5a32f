"""Circuit breakers: a service that keeps failing is left alone for a while, then tried once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, Self

from attrs import evolve, frozen

from ledgercore.errors import ExternalDependencyError
from ledgercore.errors.catalog import CIRCUIT_OPEN
from ledgercore.errors.reason import Reason


@frozen(kw_only=True)
class CircuitSettings:
    """Opens after `failures_max` failures within `window`; tries again once `reset_after` has passed."""

    failures_max: int
    window: timedelta
    reset_after: timedelta


CIRCUITS: Final[Mapping[str, CircuitSettings]] = {
    "bank_api": CircuitSettings(failures_max=5, window=timedelta(seconds=60), reset_after=timedelta(seconds=30)),
    "payment_processor": CircuitSettings(
        failures_max=3, window=timedelta(seconds=45), reset_after=timedelta(seconds=60)
    ),
    "notification_service": CircuitSettings(
        failures_max=10, window=timedelta(seconds=30), reset_after=timedelta(seconds=15)
    ),
}


class CircuitState(Enum):
    """Closed lets calls through, open refuses them, half-open lets one through to see."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@frozen(kw_only=True)
class Circuit:
    """What is known of a service: the failures of late, when it was given up, when it was last tried."""

    settings: CircuitSettings
    failed_at: tuple[datetime, ...] = ()
    opened_at: datetime | None = None
    probed_at: datetime | None = None

    def state(self, now: datetime) -> CircuitState:
        """How calls are treated now."""
        if self.opened_at is None:
            return CircuitState.CLOSED
        return CircuitState.HALF_OPEN if now >= self._next_probe_at(self.opened_at) else CircuitState.OPEN

    def allow(self, now: datetime) -> Self:
        """Let a call through, whose outcome must be recorded; in a half-open circuit it is the only one.

        A probe that never reports back stands in the way for no longer than `reset_after`. Raises
        `ExternalDependencyError` (`circuit_open`) with the time until the next probe.
        """
        if self.opened_at is None:
            return self
        if (wait := self._next_probe_at(self.opened_at) - now) > timedelta():
            raise ExternalDependencyError(CIRCUIT_OPEN, retry_after_ms=-(-wait // timedelta(milliseconds=1)))
        return evolve(self, probed_at=now)

    def record(self, failure: Reason | None, now: datetime) -> Self:
        """Note how a call ended: `None`, or a reason of which only those that break circuits count."""
        if failure is None or not failure.breaks_circuit:
            # A call from before the circuit opened that ends well now says nothing about the service since.
            return self if self.opened_at and not self.probed_at else evolve(self, opened_at=None, probed_at=None)
        if self.opened_at is not None:
            return evolve(self, opened_at=now, probed_at=None) if self.probed_at else self
        late = tuple(moment for moment in self.failed_at if now - moment < self.settings.window)
        if len(late) + 1 >= self.settings.failures_max:
            return evolve(self, failed_at=(), opened_at=now)
        return evolve(self, failed_at=(*late, now))

    def _next_probe_at(self, opened_at: datetime) -> datetime:
        return (self.probed_at or opened_at) + self.settings.reset_after
