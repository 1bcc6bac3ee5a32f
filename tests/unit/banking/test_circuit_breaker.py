"""Circuit breakers: which failures open them, and how one call closes them again."""

from datetime import UTC, datetime, timedelta

import pytest

from ledgercore.banking.breaker import CIRCUITS, Circuit, CircuitState
from ledgercore.errors import ExternalDependencyError, Reason
from ledgercore.errors.catalog import BANK_API_ERROR, CATALOG, CONSENT_EXPIRED, TIMEOUT

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def circuit_failed(times: int, *, name: str = "bank_api") -> Circuit:
    circuit = Circuit(settings=CIRCUITS[name])
    for _ in range(times):
        circuit = circuit.allow(NOW).record(BANK_API_ERROR, NOW)
    return circuit


@pytest.mark.parametrize(
    ("name", "failures", "window", "reset"),
    [("bank_api", 5, 60, 30), ("payment_processor", 3, 45, 60), ("notification_service", 10, 30, 15)],
)
def test_each_service_has_its_own_patience(name: str, failures: int, window: int, reset: int) -> None:
    settings = CIRCUITS[name]

    assert (settings.failures_max, settings.window.total_seconds(), settings.reset_after.total_seconds()) == (
        failures,
        window,
        reset,
    )
    assert circuit_failed(failures - 1, name=name).state(NOW) is CircuitState.CLOSED
    assert circuit_failed(failures, name=name).state(NOW) is CircuitState.OPEN
    assert circuit_failed(failures, name=name).state(after(reset)) is CircuitState.HALF_OPEN


def test_an_open_circuit_says_how_long_to_wait() -> None:
    with pytest.raises(ExternalDependencyError) as refusal:
        circuit_failed(5).allow(after(10.0005))

    assert (refusal.value.code, refusal.value.details["retry_after_ms"]) == ("circuit_open", 20_000)


def test_failures_of_long_ago_do_not_count() -> None:
    """Four failures and, after the window, four more: never five within one window."""
    circuit = circuit_failed(4)
    for _ in range(4):
        circuit = circuit.record(TIMEOUT, after(60))

    assert circuit.state(after(60)) is CircuitState.CLOSED
    assert circuit.record(TIMEOUT, after(61)).state(after(61)) is CircuitState.OPEN


@pytest.mark.parametrize("reason", CATALOG.values(), ids=lambda reason: reason.code)
def test_the_catalog_says_what_counts(reason: Reason) -> None:
    """Refusals are answers: a bank that refuses is well."""
    circuit = Circuit(settings=CIRCUITS["bank_api"])
    for _ in range(5):
        circuit = circuit.record(reason, NOW)

    assert (circuit.state(NOW) is CircuitState.OPEN) is reason.breaks_circuit


def test_a_half_open_circuit_lets_exactly_one_call_through() -> None:
    probing = circuit_failed(5).allow(after(30))

    with pytest.raises(ExternalDependencyError, match="failed repeatedly"):
        probing.allow(after(30))


@pytest.mark.parametrize("answer", [None, CONSENT_EXPIRED])
def test_a_probe_that_is_answered_closes_the_circuit(answer: Reason | None) -> None:
    closed = circuit_failed(5).allow(after(30)).record(answer, after(31))

    assert closed.state(after(31)) is CircuitState.CLOSED
    assert closed.record(TIMEOUT, after(31)).state(after(31)) is CircuitState.CLOSED


def test_a_probe_that_fails_opens_the_circuit_for_as_long_again() -> None:
    opened = circuit_failed(5).allow(after(30)).record(TIMEOUT, after(35))

    assert opened.state(after(64)) is CircuitState.OPEN
    assert opened.state(after(65)) is CircuitState.HALF_OPEN


def test_a_probe_that_never_reports_back_does_not_block_for_ever() -> None:
    probing = circuit_failed(5).allow(after(30))

    assert probing.state(after(59)) is CircuitState.OPEN
    assert probing.allow(after(60)).probed_at == after(60)


@pytest.mark.parametrize("late", [None, TIMEOUT])
def test_calls_from_before_it_opened_change_nothing(late: Reason | None) -> None:
    opened = circuit_failed(5)

    assert opened.record(late, after(5)) == opened
