"""Events in memory, somebody with webhooks, and receivers that answer what they are told to."""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import pytest

from ledgercore.errors import LedgercoreError, ValidationError
from ledgercore.errors.catalog import FORBIDDEN_ADDRESS
from ledgercore.events.delivering import WebhookDelivering
from ledgercore.events.events import Event
from ledgercore.events.jobs import webhook_handlers
from ledgercore.events.relaying import Relay
from ledgercore.events.webhook_administration import NewWebhook, WebhookAdministration
from ledgercore.http_messages import HttpRequest, HttpResponse
from ledgercore.identity.audit import OPERATOR
from ledgercore.identity.principals import Principal
from ledgercore.identity.users import User
from ledgercore.jobs.running import Ran, Runner
from ledgercore.testing.identity_people import EVERYBODY, someone
from ledgercore_memory import MemoryJobQueue, MemoryStore, MemoryWorkStore


class Receiver:
    """Answers with each of its answers in turn, and then with 204; remembers what it was sent."""

    def __init__(self) -> None:
        self.answers: list[HttpResponse | LedgercoreError] = []
        self.requests: list[HttpRequest] = []
        self.while_sending: Callable[[], object] = lambda: None

    def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        self.while_sending()
        answer = self.answers.pop(0) if self.answers else HttpResponse(status=204)
        if isinstance(answer, LedgercoreError):
            raise answer
        return answer

    @property
    def ids(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.requests]


class ReadableSealer:
    """Seals in the open; opens only what was sealed for the same context."""

    def seal(self, plain: bytes, *, context: str) -> bytes:
        return context.encode() + b"|" + plain

    def open(self, sealed: bytes, *, context: str) -> bytes:
        for_context, _, plain = sealed.partition(b"|")
        assert for_context == context.encode()
        return plain


class NoLocalHosts:
    """An address check for tests."""

    def check(self, url: str) -> object:
        if "localhost" in url:
            raise ValidationError(FORBIDDEN_ADDRESS, url=url)
        return url


class World:
    """Everything about webhooks, over a store in memory."""

    def __init__(self, store: MemoryStore, clock: Any) -> None:
        self.clock = clock
        self.ledgers = store
        self.store = MemoryWorkStore(store, clock=clock)
        self.receiver = Receiver()
        self.relay = Relay(store=self.store, clock=clock, random_bytes=os.urandom)
        delivering = WebhookDelivering(store=self.store, clock=clock, sender=self.receiver, sealer=ReadableSealer())
        self.runner = Runner(
            store=self.store,
            queue=MemoryJobQueue(self.store),
            handlers=webhook_handlers(self.relay, delivering),
            clock=clock,
            random=lambda: 0.0,
        )
        self.administration = WebhookAdministration(
            store=self.store, clock=clock, random_bytes=os.urandom, sealer=ReadableSealer(), addresses=NoLocalHosts()
        )
        self.owner = self.add_user()

    def add_user(self, **fields: Any) -> User:
        user = someone(**fields)
        with self.store.begin() as work:
            work.users.add(user)
        return user

    @property
    def principal(self) -> Principal:
        return principal_of(self.owner)

    def create(self, url: str = "https://example.com/hook", **fields: Any) -> NewWebhook:
        # Ids are in the order of milliseconds.
        self.clock.forward(milliseconds=1)
        fields.setdefault("by", self.principal)
        return self.administration.create(url=url, actor=OPERATOR, **fields)

    def endpoint(self, id: UUID) -> Any:
        with self.store.begin() as work:
            return work.webhooks.find(id)

    def publish(self, *types: str, owner: User | None = None) -> list[UUID]:
        facts = [
            Event(type=type, subject="payment:1", data={"n": 1}, owner_id=(owner or self.owner).id) for type in types
        ]
        with self.store.begin() as work:
            return [stored.id for stored in work.events.publish_all(facts)]

    def deliveries(self, id: UUID) -> list[Any]:
        """Oldest first."""
        with self.store.begin() as work:
            return list(reversed(work.webhooks.list_deliveries(id, before=None, limit=EVERYBODY)))

    def run(self, rounds: int = 1) -> list[Ran]:
        """Relay and deliver what is due, an hour apart."""
        ran: list[Ran] = []
        for _ in range(rounds):
            self.relay.relay()
            ran += self.runner.drain()
            self.clock.forward(hours=1)
        return ran

    def actions(self) -> Iterable[str]:
        with self.store.begin() as work:
            return [json.loads(entry.body)["action"] for entry in work.audit.entries()]


def principal_of(user: User, **fields: Any) -> Principal:
    return Principal(user_id=user.id, email=user.email, role=user.role, **fields)


@pytest.fixture
def world(memory_store: MemoryStore, clock) -> World:
    """Somebody who may have webhooks."""
    return World(memory_store, clock)


@pytest.fixture
def acting_as() -> Callable[..., Principal]:
    """Makes the principal of a user."""
    return principal_of
