"""The HTTP API is the library: the same commands, sent and called, come to the same ledger, byte for byte.

Both ledgers are in memory and share a stopped clock and the bytes that ids are drawn from, so that even the heads of
their logs agree.
"""

import asyncio
import itertools
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import attrs
import httpx2
import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from ledgercore.errors import LedgercoreError, ValidationError
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR
from ledgercore.identity.service_tokens import Scope
from ledgercore.ledger.accounts import Limits
from ledgercore.ledger.command_documents import account_from, command_from, limits_minor_document, settings_document
from ledgercore.ledger.commands import (
    AnyCommand,
    BatchItem,
    ChangeAccount,
    ChangeSettings,
    ClosePeriod,
    Group,
    OpenAccount,
    Reversal,
    identity_of,
)
from ledgercore.ledger.documents import account_document, amount_text, hold_document, transaction_document
from ledgercore.ledger.holds import Capture, CaptureGroup, ChangeHold, PlaceHold, ReplaceHold, VoidGroup, VoidHold
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.outcomes import Applied, GroupOutcome, Outcome, Refused
from ledgercore.ledger.proofs.verification import verify
from ledgercore.ledger.report_documents import event_document, outcome_document, trial_balance_document
from ledgercore.ledger.transactions import Transaction
from ledgercore.money import ISO, Currencies, Money
from ledgercore.testing.ledgers import MONDAY
from ledgercore.testing.side_by_side import SideBySide, World, told
from ledgercore.testing.strategies import RULES, Step, drafts, points, prelude, steps
from ledgercore_app.service import open_service
from ledgercore_app.service_settings import ServiceSettings
from ledgercore_app.settings import Settings
from ledgercore_http import create_app
from ledgercore_memory import MemoryStore, MemoryWorkStore
from ledgercore_telemetry import Metrics, Telemetry, configure_logs, tracing_from

_numbers = itertools.count(1)

# What a command is called in a batch, where it is sent by itself, and the field that names what it is about.
PLACES: Mapping[type, tuple[str, str, str, str]] = {
    Transaction: ("transaction", "POST", "/transactions", ""),
    Reversal: ("reversal", "POST", "/transactions/{}/reversals", "transaction"),
    PlaceHold: ("hold", "POST", "/holds", ""),
    ChangeHold: ("hold_change", "PATCH", "/holds/{}", "hold"),
    Capture: ("capture", "POST", "/holds/{}/capture", "hold"),
    VoidHold: ("void", "POST", "/holds/{}/void", "hold"),
    ReplaceHold: ("hold_replacement", "POST", "/holds/{}/replacement", "hold"),
    CaptureGroup: ("group_capture", "POST", "/hold-groups/{}/capture", "group"),
    VoidGroup: ("group_void", "POST", "/hold-groups/{}/void", "group"),
    OpenAccount: ("account", "POST", "/accounts", ""),
    ChangeAccount: ("account_change", "PATCH", "/accounts/{}", "account"),
    ClosePeriod: ("period_close", "POST", "/periods", ""),
}


def document_of(item: BatchItem) -> dict[str, Any]:
    """A command or group as an item of a batch: what a client would write, and nothing that is not asked for."""
    if isinstance(item, Group):
        return {"group": [document_of(each) for each in item.commands]}
    fields = attrs.asdict(item, recurse=False)
    if isinstance(item, OpenAccount | ChangeAccount):
        fields["account"] = fields.pop("path")
    if isinstance(item, OpenAccount):
        fields["account_type"] = fields.pop("type")
    fields |= _money_document(fields.pop("amount", None))
    spelt = {name: _spelt(value) for name, value in fields.items() if value is not None and value != ()}
    return {"type": PLACES[type(item)][0], **spelt}


def _spelt(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_member_document(each) for each in value]
    if isinstance(value, Limits):
        return limits_minor_document(value)
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else getattr(value, "code", getattr(value, "value", value))


def _member_document(member: Any) -> dict[str, Any]:
    """A line or a precondition."""
    fields = attrs.asdict(member, recurse=False)
    if "balance" in fields:
        fields["balance_minor"] = fields.pop("balance")
    return {**fields, **_money_document(fields.pop("amount", None))}


def _money_document(money: Money | None) -> dict[str, str]:
    return {} if money is None else {"amount": amount_text(money), "currency": money.currency.code}


@frozen
class Alone:
    """A command on its way to a route of its own: method, path and body."""

    method: str
    path: str
    body: dict[str, Any]

    @classmethod
    def of(cls, command: AnyCommand) -> "Alone":
        """What the path says is not said again."""
        body = document_of(command)
        _, method, path, about = PLACES[type(command)]
        del body["type"]
        if isinstance(command, OpenAccount) and "account_type" in body:
            body["type"] = body.pop("account_type")
        return cls(method, path.format(body.pop(about, None)), body)

    def read(self, command: AnyCommand, currencies: Currencies) -> AnyCommand:
        """What the library reads of it; `command` is what it was made of."""
        if isinstance(command, OpenAccount):
            return account_from(self.body, currencies)
        kind, _, _, about = PLACES[type(command)]
        item = {**self.body, "type": kind, **({about: document_of(command)[about]} if about else {})}
        return cast(AnyCommand, command_from(item, currencies))


class Served:
    """The service over ledgers of the world's time and chance, and a machine that may do everything there."""

    def __init__(self, service: Any, world: World, runner: asyncio.Runner) -> None:
        self.world = world
        self.store = MemoryStore(clock=world.clock, random_bytes=world.random_bytes)
        identity = evolve(service.identity, store=MemoryWorkStore(self.store, clock=world.clock))
        self.app = create_app(evolve(service, journals=self.store, identity=identity))
        person = {"email": "a@example.com", "full_name": "A", "password": "p" * 15, "password_confirmation": "p" * 15}
        admin = identity.users.create({**person, "role": "admin"}, by=Operator(), actor=OPERATOR)
        issued = identity.service_tokens.issue(
            by=Operator(), name="machine", scopes=list(Scope), owner_id=admin.id, actor=OPERATOR
        )
        self._runner = runner
        self._client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.app, raise_app_exceptions=False),  # type: ignore[arg-type]
            base_url="http://test/api/v1",
            headers={"authorization": f"Bearer {issued.key}"},
        )

    def send(self, method: str, path: str, body: Any = None, *, key: str | None = None, **options: Any) -> Any:
        """One request."""
        headers = {} if key is None else {"idempotency-key": key}
        if body is not None:
            headers["content-type"] = "application/json"
            options["content"] = json.dumps(body)
        return self._runner.run(self._client.request(method, path, headers=headers, **options))


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One service for all sequences; each has a ledger of its own."""
    world = World()
    with (
        open(os.devnull, "w") as nowhere,
        asyncio.Runner() as runner,
        open_service(
            "memory",
            settings=Settings(),
            service_settings=ServiceSettings(rate_limits="off", password_time_cost=1, password_memory_kib=8),
            telemetry=Telemetry(
                log=configure_logs(nowhere),
                metrics=Metrics(routes=(), version="test"),
                tracer=tracing_from(None, "test"),
            ),
            clock=world.clock,
        ) as service,
    ):
        served = Served(service, world, runner)
        yield served
        served.app.drain()


class Bench:
    """One ledger called as a library, and its twin behind HTTP."""

    def __init__(self, served: Served) -> None:
        self.served, self.world = served, served.world
        self.world.now, self.world.draws = MONDAY, 0
        self.name = f"twin-{next(_numbers)}"
        library = MemoryStore(clock=self.world.clock, random_bytes=self.world.random_bytes)
        self.ledger = Ledger(library.create(self.name, RULES))
        made = served.send("POST", "/ledgers", {"name": self.name, "settings": settings_document(RULES)})
        assert made.status_code == 201, made.text
        self.both = SideBySide(self.world, [self.ledger.journal, served.store.journal(self.name)])
        self.both.same(lambda journal: journal.state())

    def send(self, method: str, path: str, *arguments: Any, **options: Any) -> Any:
        """One request about the ledger."""
        return self.served.send(method, f"/ledgers/{self.name}{path}", *arguments, **options)

    def together(self, call: Callable[[], Any], send: Callable[[], Any]) -> tuple[Any, Any]:
        """What the library says, or the error it raises, and what the service answers; then the logs are the same."""
        self.world.draws += 1
        try:
            said = call()
        except LedgercoreError as error:
            said = error
        answer = send()
        self.both.same(lambda journal: journal.state())
        return said, answer

    def written(self, step: Step) -> list[BatchItem]:
        """What a step asks for, once its time has come."""
        self.world.forward(step.seconds)
        return step.batch(self.both.available, self.world.now)

    def alone(self, command: AnyCommand, *, in_header: bool) -> None:
        """Carry out one command by the route of its own."""
        if isinstance(command, ChangeSettings):
            self.settings(command)
            return
        sent = Alone.of(command)
        self.sent_alone(command, sent, in_header=in_header)

    def sent_alone(self, command: AnyCommand, sent: Alone, *, in_header: bool) -> None:
        """Carry out a command that is sent like this, its key in the header or in the body."""
        key = sent.body.get("key") if in_header and command.id is None else None
        body = {name: value for name, value in sent.body.items() if key is None or name != "key"}
        outcome, answer = self.together(
            lambda: self.ledger.journal.append([command])[0],
            lambda: self.send(sent.method, sent.path, body, key=key),
        )
        assert_same(outcome, answer)

    def settings(self, command: ChangeSettings) -> None:
        """Replace the settings, unless they are these already; that has no name over HTTP."""
        if command.settings != self.ledger.state().settings:
            self.world.draws += 1
            self.ledger.change_settings(command.settings)
        answer = self.send("PUT", "/settings", settings_document(command.settings))

        assert answer.json()["data"] == settings_document(command.settings)
        self.both.same(lambda journal: journal.state())

    def batch(self, items: Sequence[BatchItem], *, atomic: bool, key: str | None) -> None:
        """Carry out a batch, under the name that its items get from it."""
        named = [_named(item, None if key is None else f"{key}/{index}") for index, item in enumerate(items)]
        outcomes, answer = self.together(
            lambda: self.ledger.post_all(named, atomic=atomic),
            lambda: self.send(
                "POST", "/batches", {"items": [document_of(item) for item in items], "atomic": atomic}, key=key
            ),
        )

        refusal = None if isinstance(outcomes, LedgercoreError) else GroupOutcome(tuple(_flat(outcomes))).refusal
        if isinstance(outcomes, LedgercoreError) or (atomic and refusal is not None):
            assert_same(outcomes if refusal is None else refusal, answer, more={"index"})
            return
        assert answer.json()["data"] == plain({"outcomes": [outcome_document(outcome) for outcome in outcomes]})

    def broken(self, command: AnyCommand, fault: "Fault") -> None:
        """Send a command with a fault; if the library can still read it, it is carried out in both."""
        sent = fault.put_into(Alone.of(command))
        try:
            read = sent.read(command, self.ledger.state().settings.currencies(ISO))
        except ValidationError as error:
            answer = self.send(sent.method, sent.path, sent.body)
            assert_same(error, answer)
            self.both.same(lambda journal: journal.state())
            return
        self.sent_alone(read, sent, in_header=False)

    def compare_readings(self) -> None:
        """What is read over HTTP is what the library reads."""
        ledger = self.ledger
        for path, expected in {
            "/accounts": [account_document(each) for each in ledger.list_accounts(limit=1_000).items],
            "/transactions": [transaction_document(each) for each in ledger.list_transactions(limit=1_000).items],
            "/holds": [hold_document(each) for each in ledger.list_holds(limit=1_000).items],
            "/events": [event_document(each) for each in ledger.events()],
            "/reports/trial-balance": trial_balance_document(ledger.trial_balance()),
        }.items():
            found = self.send("GET", path, params={"limit": "1000"} if "report" not in path else {})
            assert found.json()["data"] == plain(expected)

    def compare_at(self, effective_at: datetime | None, recorded_at: datetime | None) -> None:
        """Balances at a point of both time axes."""
        times = {"effective_at": effective_at, "recorded_at": recorded_at}
        balances = told(lambda: self.ledger.balances(effective_at=effective_at, recorded_at=recorded_at))

        found = self.send(
            "GET", "/balances", params={name: time.isoformat() for name, time in times.items() if time is not None}
        ).json()

        if isinstance(balances, str):
            assert found["code"] == balances
        else:
            assert [(each["account"], each["posted_minor"]) for each in found["data"]] == [
                (each.path, str(each.posted.minor)) for each in balances
            ]


def _named(item: BatchItem, key: str | None) -> BatchItem:
    if isinstance(item, Group):
        return Group(
            [_named(each, key and f"{key}/{index}") for index, each in enumerate(item.commands)]  # type: ignore[misc]
        )
    return item if key is None or identity_of(item) is not None else evolve(item, key=key)


def _flat(outcomes: Sequence[Outcome]) -> Iterator[Applied | Refused]:
    for outcome in outcomes:
        yield from outcome.outcomes if isinstance(outcome, GroupOutcome) else (outcome,)


def plain(document: Any) -> Any:
    """A document as it arrives."""
    return json.loads(json.dumps(document))


def assert_same(said: Any, answer: Any, more: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    """The outcome of a command, or the error it raised, is what the service answered."""
    body = answer.json()
    if isinstance(said, Applied):
        assert answer.status_code in (200, 201), answer.text
        assert body["timestamp"] == said.recorded_at.isoformat()
        assert body["data"].get("number", said.number) == said.number
    else:
        refusal = said.error if isinstance(said, Refused) else said
        assert (answer.status_code, body["code"]) == (refusal.reason.http_status, refusal.code), answer.text
        details = {name: value for name, value in body["details"].items() if name not in more}
        assert details == plain(outcome_document(Refused(refusal.reason, refusal.details))["details"])
    assert ("idempotency-replayed" in answer.headers) == getattr(said, "replayed", False)


@frozen
class Fault:
    """Something wrong with a request: an odd value, or a field that is missing or too many."""

    place: int
    in_line: bool
    odd: Any

    def put_into(self, sent: Alone) -> Alone:
        """The same request with the fault in it."""
        body = json.loads(json.dumps(sent.body))
        lines = body.get("lines")
        target = lines[0] if self.in_line and lines else body
        names = ["colour", *target]
        name = names[self.place % len(names)]
        if self.odd is MISSING:
            target.pop(name, None)
        else:
            target[name] = self.odd
        return evolve(sent, body=body)


MISSING = object()
ODDITIES: list[Any] = [
    MISSING, None, True, 0, -1, 1.5, 10**40, "", "x", "0", "-1.00", "1.005", "1e3", "a::b", "\x00", "XXX", [], {}, [1]
]  # fmt: skip
faults = st.builds(Fault, st.integers(0, 9), st.booleans(), st.sampled_from(ODDITIES))


@frozen
class Single:
    """One command by the route of its own, perhaps with a fault in it."""

    step: Step
    in_header: bool
    fault: Fault | None

    def take(self, bench: Bench) -> None:
        """Send it, and call the library alike; a draft may turn out to be no command."""
        for command in bench.written(self.step):
            assert not isinstance(command, Group)
            if self.fault is not None and not isinstance(command, ChangeSettings):
                bench.broken(command, self.fault)
            else:
                bench.alone(command, in_header=self.in_header)


@frozen
class Batch:
    """Several commands and groups of them in one request."""

    step: Step
    key: str | None

    def take(self, bench: Bench) -> None:
        """Send it, and call the library alike; a batch without items is none."""
        items = [each for item in bench.written(self.step) if (each := _without_settings(item)) is not None]
        if items:
            bench.batch(items, atomic=self.step.atomic, key=self.key)


def _without_settings(item: BatchItem) -> BatchItem | None:
    """Settings have a route of their own, and no place in a batch; neither have groups of nothing."""
    if isinstance(item, Group):
        commands = [each for each in item.commands if not isinstance(each, ChangeSettings)]
        return Group(commands) if commands else None
    return None if isinstance(item, ChangeSettings) else item


singles = st.builds(
    Single,
    step=st.builds(
        Step,
        seconds=st.sampled_from([0, 0, 0, 1, 1800, 7200]),
        items=st.tuples(drafts()),
        atomic=st.just(False),
    ),
    in_header=st.booleans(),
    fault=st.none() | st.none() | faults,
)
batches = st.builds(Batch, step=steps(), key=st.sampled_from([None, None, "batch 1", "batch 2"]))
turns = st.sampled_from([singles] * 7 + [batches]).flatmap(lambda kind: kind)


@given(sequence=st.lists(turns, min_size=5, max_size=25), asked=st.lists(points(), max_size=3))
def test_any_sequence_of_requests_is_the_same_sequence_of_calls(served, sequence, asked):
    """Outcomes, reasons, replays, balances, readings and the head of the log after every request."""
    bench = Bench(served)
    bench.batch(prelude(bench.world.now), atomic=False, key=None)

    for turn in sequence:
        turn.take(bench)

    bench.compare_readings()
    for effective_at, recorded_at in asked:
        bench.compare_at(effective_at, recorded_at)
    bench.both.compare_everything()
    assert bench.both.same(verify).sound


def test_comparing_would_notice_a_single_record_more(served):
    """Two ledgers that differ by one record are told apart."""
    bench = Bench(served)
    bench.send("POST", "/accounts", {"account": "assets:only-here", "currency": "EUR"})

    with pytest.raises(AssertionError):
        bench.both.same(lambda journal: journal.state())


@given(steps())
def test_documents_say_all_that_commands_say(step):
    """What is written above of a command is read as the very same command, so that nothing is left untried."""
    world = World()
    for item in step.batch(lambda path: 100, world.now):
        sendable = _without_settings(item)
        if sendable is not None:
            assert command_from(plain(document_of(sendable)), ISO) == sendable
