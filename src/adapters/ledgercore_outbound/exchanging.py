"""Holds clients' conversations with banks: sends, waits, tries again, and leaves a bank alone that keeps failing."""

import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock
from typing import Final, TypeAlias

from attrs import Factory, field, frozen

from ledgercore.banking.breaker import CIRCUITS, Circuit, CircuitSettings
from ledgercore.banking.exchange import Exchange, Result
from ledgercore.clock import Clock
from ledgercore.errors import ExternalDependencyError, LedgercoreError
from ledgercore.errors.catalog import BANK_API_ERROR, BANK_RATE_LIMITED, CIRCUIT_OPEN
from ledgercore.errors.reason import Reason
from ledgercore.http_messages import HttpRequest, HttpResponse, HttpSender

WAIT_SECONDS_MAX: Final = 60
_STATUS_TOO_MANY: Final = 429
_STATUS_BROKEN: Final = 500

Outcome: TypeAlias = HttpResponse | LedgercoreError

log = logging.getLogger("ledgercore.outbound")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@frozen(kw_only=True)
class Exchanger:
    """Drives exchanges over a sender, with one circuit breaker per bank in this process. For any number of threads.

    Safe requests are sent again when no answer came, or one with 429 or 5xx: as often as the catalog says for that
    reason, after a random part of its growing delay (full jitter), or after what `Retry-After` asks. Whoever asks for
    more than a minute gets no second request now.
    """

    sender: HttpSender
    clock: Clock = _utc_now
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
    settings: CircuitSettings = CIRCUITS["bank_api"]
    _circuits: dict[str, Circuit] = field(init=False, repr=False, factory=dict)
    _lock: Lock = field(init=False, repr=False, eq=False, default=Factory(Lock))

    def run(self, exchange: Exchange[Result], *, bank: str) -> Result:
        """Hold the conversation to its end; `bank` names whose circuit breaker guards it.

        Raises whatever the exchange raises. That no answer came, or that the circuit is open (`circuit_open`), is
        told to the exchange.
        """
        try:
            request = next(exchange)
            while True:
                request = self._step(exchange, request, bank)
        except StopIteration as end:
            result: Result = end.value
            return result

    def circuit_of(self, bank: str) -> Circuit:
        """What is known of a bank now, for health checks and metrics."""
        with self._lock:
            return self._circuit(bank)

    def _step(self, exchange: Exchange[Result], request: HttpRequest, bank: str) -> HttpRequest:
        """Get an answer to a request, and from the exchange what it asks next."""
        outcome = self._outcome(request, bank)
        if isinstance(outcome, LedgercoreError):
            return exchange.throw(outcome)
        if _failure_in(outcome) is not None:
            return exchange.send(outcome)
        # The bank answered; whether that made sense, the exchange knows.
        failure: Reason | None = None
        try:
            return exchange.send(outcome)
        except LedgercoreError as error:
            failure = error.reason
            raise
        finally:
            self._record(bank, failure)

    def _outcome(self, request: HttpRequest, bank: str) -> Outcome:
        """The first answer that is no passing failure, or what became of the last attempt."""
        attempt = 1
        while True:
            outcome = self._attempt(request, bank)
            wait_seconds = self._wait_seconds(request, outcome, attempt)
            if wait_seconds is None:
                return outcome
            self.sleep(wait_seconds)
            attempt += 1

    def _attempt(self, request: HttpRequest, bank: str) -> Outcome:
        """Send once if the circuit lets us; failures are noted in it at once, the rest when it has been read."""
        outcome: Outcome
        try:
            self._allow(bank)
        except ExternalDependencyError as error:
            return error
        try:
            outcome = self.sender.send(request)
        except LedgercoreError as error:
            outcome = error
        failure = _failure_in(outcome)
        if failure is not None and failure.breaks_circuit:
            log.warning("%s: %s failed: %s", bank, request.name, failure.code)
            self._record(bank, failure)
        return outcome

    def _wait_seconds(self, request: HttpRequest, outcome: Outcome, attempt: int) -> float | None:
        """How long to wait before another attempt; `None` for no other."""
        reason = _failure_in(outcome)
        if reason is None or reason is CIRCUIT_OPEN or not request.safe:
            return None
        if not reason.retryable or attempt > reason.retries_max:
            return None
        asked = outcome.retry_after_seconds if isinstance(outcome, HttpResponse) else None
        if asked is not None:
            return asked if asked <= WAIT_SECONDS_MAX else None
        delay_seconds: float = reason.retry_delay_ms * reason.retry_factor ** (attempt - 1) / 1000
        return self.chance() * min(delay_seconds, WAIT_SECONDS_MAX)

    def _allow(self, bank: str) -> None:
        with self._lock:
            self._circuits[bank] = self._circuit(bank).allow(self.clock())

    def _record(self, bank: str, failure: Reason | None) -> None:
        with self._lock:
            self._circuits[bank] = self._circuit(bank).record(failure, self.clock())

    def _circuit(self, bank: str) -> Circuit:
        return self._circuits.get(bank) or Circuit(settings=self.settings)


def _failure_in(outcome: Outcome) -> Reason | None:
    """The reason why an attempt failed, as far as that can be seen without reading the answer."""
    if isinstance(outcome, LedgercoreError):
        return outcome.reason
    if outcome.status == _STATUS_TOO_MANY:
        return BANK_RATE_LIMITED
    return BANK_API_ERROR if outcome.status >= _STATUS_BROKEN else None
