"""Exchanges over a sender: what is sent again, how long is waited, and when a bank is left alone."""

from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta

import pytest
from attrs import define, field

from ledgercore.banking.breaker import CircuitState
from ledgercore.errors import BusinessRuleError, ExternalDependencyError, LedgercoreError, ValidationError
from ledgercore.errors.catalog import (
    BANK_API_ERROR,
    CONSENT_EXPIRED,
    FORBIDDEN_ADDRESS,
    SERVICE_UNAVAILABLE,
    TIMEOUT,
)
from ledgercore.http_messages import HttpRequest, HttpResponse
from ledgercore_outbound import AddressGuard, Exchanger, Outbound

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAFE = HttpRequest(name="bank reading", method="GET", url="https://bank.example/secret-path")
UNSAFE = HttpRequest(name="bank tokens", method="POST", url="https://bank.example/", safe=False)
OK = HttpResponse(status=200, body=b"ok")
BROKEN = HttpResponse(status=502)

Answer = HttpResponse | LedgercoreError


@define
class World:
    """A sender with answers in store, the last one for ever, and a clock that only waiting moves."""

    answers: list[Answer]
    now: datetime = NOW
    sent: list[HttpRequest] = field(factory=list)
    waits: list[float] = field(factory=list)

    def send(self, request: HttpRequest) -> HttpResponse:
        answer = self.answers[min(len(self.sent), len(self.answers) - 1)]
        self.sent.append(request)
        if isinstance(answer, LedgercoreError):
            raise answer
        return answer

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += timedelta(seconds=seconds)

    def exchanger(self, chance: float = 1) -> Exchanger:
        return Exchanger(sender=self, clock=lambda: self.now, sleep=self.sleep, chance=lambda: chance)


def asking(*requests: HttpRequest) -> Generator[HttpRequest, HttpResponse, list[int]]:
    """Ask each in turn; gives the statuses."""
    statuses = []
    for request in requests:
        response = yield request
        statuses.append(response.status)
    return statuses


def unhappy(error: LedgercoreError) -> Generator[HttpRequest, HttpResponse, None]:
    """Ask, and find the answer wanting."""
    yield SAFE
    raise error


def too_many(**headers: str) -> HttpResponse:
    return HttpResponse(status=429, headers={name.replace("_", "-"): value for name, value in headers.items()})


def no_answer() -> ExternalDependencyError:
    return ExternalDependencyError(TIMEOUT)


def fail_until_open(world: World, exchanger: Exchanger) -> None:
    world.answers = [BROKEN]
    for _ in range(5):
        exchanger.run(asking(UNSAFE), bank="b")
    world.sent.clear()


def test_an_exchange_is_held_to_its_end() -> None:
    world = World([OK, HttpResponse(status=404), OK])

    assert world.exchanger().run(asking(SAFE, UNSAFE, SAFE), bank="b") == [200, 404, 200]
    assert world.sent == [SAFE, UNSAFE, SAFE]
    assert world.waits == []


def test_an_exchange_may_ask_nothing() -> None:
    assert World([OK]).exchanger().run(asking(), bank="b") == []


@pytest.mark.parametrize("failure", [BROKEN, no_answer(), ExternalDependencyError(SERVICE_UNAVAILABLE), too_many()])
def test_safe_requests_are_sent_again_as_the_catalog_says(failure: Answer) -> None:
    """Three times, after one, two and four seconds at most."""
    world = World([failure, failure, failure, OK])

    assert world.exchanger().run(asking(SAFE), bank="b") == [200]
    assert world.waits == [1, 2, 4]


def test_waits_are_random_parts_of_the_delay() -> None:
    world = World([BROKEN, BROKEN, OK])

    world.exchanger(chance=0.25).run(asking(SAFE), bank="b")

    assert world.waits == [0.25, 0.5]


def test_the_last_answer_is_told_when_it_was_never_better() -> None:
    world = World([BROKEN])

    assert world.exchanger().run(asking(SAFE), bank="b") == [502]
    assert len(world.sent) == 4


def test_that_no_answer_came_is_told() -> None:
    world = World([no_answer()])

    with pytest.raises(ExternalDependencyError) as failure:
        world.exchanger().run(asking(SAFE), bank="b")

    assert failure.value.code == "timeout"
    assert len(world.sent) == 4


def test_an_exchange_may_go_on_after_a_failure() -> None:
    def second_best() -> Generator[HttpRequest, HttpResponse, str]:
        try:
            yield UNSAFE
        except ExternalDependencyError:
            yield SAFE
        return "done"

    world = World([no_answer(), OK])

    assert world.exchanger().run(second_best(), bank="b") == "done"
    assert world.sent == [UNSAFE, SAFE]


@pytest.mark.parametrize("failure", [BROKEN, too_many(retry_after="1")])
def test_what_may_have_acted_is_not_sent_again(failure: HttpResponse) -> None:
    world = World([failure])

    assert world.exchanger().run(asking(UNSAFE), bank="b") == [failure.status]
    assert len(world.sent) == 1


def test_what_may_have_acted_is_not_sent_again_when_no_answer_came() -> None:
    world = World([no_answer()])

    with pytest.raises(ExternalDependencyError):
        world.exchanger().run(asking(UNSAFE), bank="b")

    assert len(world.sent) == 1


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 409])
def test_answers_are_not_asked_for_again(status: int) -> None:
    world = World([HttpResponse(status=status)])

    assert world.exchanger().run(asking(SAFE), bank="b") == [status]
    assert len(world.sent) == 1


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({"retry_after": "7"}, [7]),
        ({"retry_after": "0"}, [0]),
        ({"retry_after": "60"}, [60]),
        ({"retry_after": "Sun, 01 Mar 2026 12:00:30 GMT", "date": "Sun, 01 Mar 2026 12:00:00 GMT"}, [30]),
        ({"retry_after": "soon"}, [1]),
        ({"retry_after": "61"}, []),
    ],
)
def test_a_bank_says_how_long_to_wait(headers: dict[str, str], waits: list[float]) -> None:
    world = World([too_many(**headers), OK])

    [status] = world.exchanger().run(asking(SAFE), bank="b")

    assert (status, world.waits) == (200 if waits else 429, waits)


def test_a_forbidden_address_is_told_at_once() -> None:
    world = World([ValidationError(FORBIDDEN_ADDRESS)])
    exchanger = world.exchanger()

    for _ in range(9):
        with pytest.raises(ValidationError):
            exchanger.run(asking(SAFE), bank="b")

    assert len(world.sent) == 9
    assert exchanger.circuit_of("b").state(NOW) is CircuitState.CLOSED


class TestCircuit:
    def test_five_failures_open_it(self) -> None:
        world = World([BROKEN])
        exchanger = world.exchanger()

        for _ in range(5):
            assert exchanger.circuit_of("b").state(NOW) is CircuitState.CLOSED
            exchanger.run(asking(UNSAFE), bank="b")

        with pytest.raises(ExternalDependencyError) as refusal:
            exchanger.run(asking(SAFE), bank="b")
        assert (refusal.value.code, refusal.value.details["retry_after_ms"]) == ("circuit_open", 30_000)
        assert (len(world.sent), world.waits) == (5, [])

    def test_answers_that_make_no_sense_are_failures_too(self) -> None:
        exchanger = World([OK]).exchanger()

        for _ in range(5):
            assert exchanger.circuit_of("b").state(NOW) is CircuitState.CLOSED
            with pytest.raises(ExternalDependencyError):
                exchanger.run(unhappy(ExternalDependencyError(BANK_API_ERROR)), bank="b")

        assert exchanger.circuit_of("b").state(NOW) is CircuitState.OPEN

    def test_refusals_do_not(self) -> None:
        world = World([OK])
        exchanger = world.exchanger()

        for _ in range(9):
            with pytest.raises(BusinessRuleError):
                exchanger.run(unhappy(BusinessRuleError(CONSENT_EXPIRED)), bank="b")

        assert exchanger.circuit_of("b").state(NOW) is CircuitState.CLOSED

    def test_each_bank_has_its_own(self) -> None:
        world = World([OK])
        exchanger = world.exchanger()
        fail_until_open(world, exchanger)
        world.answers = [OK]

        assert exchanger.run(asking(SAFE), bank="other") == [200]

    def test_it_opens_among_the_retries_too(self) -> None:
        """Four attempts for one request, the fifth failure with the next: its retries are not sent."""
        world = World([BROKEN])
        exchanger = world.exchanger()
        exchanger.run(asking(SAFE), bank="b")

        with pytest.raises(ExternalDependencyError) as refusal:
            exchanger.run(asking(SAFE), bank="b")

        assert refusal.value.code == "circuit_open"
        assert len(world.sent) == 5

    def test_one_good_answer_closes_it_after_a_while(self) -> None:
        world = World([OK])
        exchanger = world.exchanger()
        fail_until_open(world, exchanger)
        world.answers, world.now = [OK], NOW + timedelta(seconds=30)

        assert exchanger.circuit_of("b").state(world.now) is CircuitState.HALF_OPEN
        assert exchanger.run(asking(SAFE, SAFE), bank="b") == [200, 200]
        assert exchanger.circuit_of("b").state(world.now) is CircuitState.CLOSED

    def test_only_one_request_is_sent_to_see(self) -> None:
        """While the first is under way a second one is refused, and a failure opens the circuit again."""
        world = World([OK])
        exchanger = world.exchanger()
        fail_until_open(world, exchanger)
        world.now = NOW + timedelta(seconds=30)

        def meanwhile() -> Generator[HttpRequest, HttpResponse, None]:
            yield SAFE
            with pytest.raises(ExternalDependencyError) as refusal:
                exchanger.run(asking(SAFE), bank="b")
            assert refusal.value.code == "circuit_open"
            raise ExternalDependencyError(BANK_API_ERROR)

        world.answers = [OK]
        with pytest.raises(ExternalDependencyError):
            exchanger.run(meanwhile(), bank="b")

        assert len(world.sent) == 1
        assert exchanger.circuit_of("b").state(world.now + timedelta(seconds=29)) is CircuitState.OPEN


def test_logs_tell_no_addresses(caplog: pytest.LogCaptureFixture) -> None:
    World([BROKEN]).exchanger().run(asking(SAFE), bank="Bank 1")

    assert "Bank 1: bank reading failed: bank_api_error" in caplog.text
    assert "secret-path" not in caplog.text


def test_over_a_real_socket(serving: Callable) -> None:
    """A bank that is down, then stumbles, then answers."""
    server = serving(
        lambda connection: None,
        lambda connection: connection.sendall(b"HTTP/1.1 503 No\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n"),
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
    )
    with Outbound(guard=AddressGuard(allow_private=True)) as outbound:
        exchanger = Exchanger(sender=outbound, chance=lambda: 0)

        statuses = exchanger.run(asking(HttpRequest(name="n", method="GET", url=server.url)), bank="b")

    assert statuses == [200]
    assert len(server.heard) == 3
