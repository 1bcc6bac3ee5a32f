"""Numbering comes last: whoever has the turn at audit log and events locks nothing else before the commit.

Everybody waits for that turn. Whoever holds it and waits for something else makes all others wait with them, and a
circle of two who do so in different orders is a deadlock.
"""

import hashlib
import hmac
import json
import os
import re
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import psycopg
import pytest
from attrs import define, field
from sqlalchemy import Engine, text

from ledgercore.errors import LedgercoreError
from ledgercore.events.delivering import WebhookDelivering
from ledgercore.events.incoming import IncomingWebhooks
from ledgercore.events.jobs import webhook_handlers
from ledgercore.events.received import Provider
from ledgercore.events.relaying import Relay
from ledgercore.events.webhook_administration import WebhookAdministration
from ledgercore.http_messages import HttpRequest, HttpResponse
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR, AuditEvent
from ledgercore.identity.identity import Identity
from ledgercore.jobs.administration import JobAdministration
from ledgercore.jobs.handlers import Handler
from ledgercore.jobs.jobs import JobState, NewJob
from ledgercore.jobs.ports import JobFilter
from ledgercore.jobs.running import Ran, Runner
from ledgercore.payments.limits import read_limits
from ledgercore.payments.processing import JOB_KIND
from ledgercore.payments.stranded import STRANDED_KIND
from ledgercore.payments.use_cases import Payments
from ledgercore.testing.identity_people import new_id
from ledgercore.testing.payments_people import funded_account, owner_of, payment, stored_payments
from ledgercore_postgres import PostgresJobQueue, PostgresWorkStore
from ledgercore_postgres.turns import _LOCK as TURN

LEDGER: Final = "bank"
ANY: Final = Operator()
# What is done in the turn, reads that lock nothing, and the last words of a unit of work on rows that it has locked
# long before: the answer under its idempotency key, the session that was just rotated, running jobs that it claimed.
ALLOWED: Final = re.compile(
    r"INSERT INTO (events|audit) |SELECT (?!.* FOR (UPDATE|NO KEY|SHARE|KEY))(?!.*pg_advisory)"
    r"|UPDATE answers SET sealed|UPDATE sessions SET |UPDATE jobs SET state = 'done'"
)


@define
class Watch:
    """What was sent on each connection after it had taken its turn, until the transaction ended."""

    turns: int = 0
    after: list[str] = field(factory=list)
    _in_turn: set[int] = field(factory=set)

    def sent(self, connection: psycopg.Connection[Any], statement: Any, parameters: Any) -> None:
        """A statement goes out."""
        if TURN in (parameters or ()):
            self.turns += id(connection) not in self._in_turn
            self._in_turn.add(id(connection))
        elif id(connection) in self._in_turn:
            self.after.append(re.sub(r"\s+", " ", statement if isinstance(statement, str) else statement.decode()))

    def ended(self, connection: psycopg.Connection[Any]) -> None:
        """A transaction is over."""
        self._in_turn.discard(id(connection))

    @property
    def strangers(self) -> list[str]:
        """What has no place there."""
        return [statement for statement in self.after if not ALLOWED.match(statement)]


@pytest.fixture
def watch(monkeypatch) -> Watch:
    """Listens to every connection of this process."""
    found = Watch()

    def listen(name: str) -> None:
        send = getattr(psycopg.Cursor, name)

        def told(cursor: Any, statement: Any, parameters: Any = None, **options: Any) -> Any:
            found.sent(cursor.connection, statement, parameters if isinstance(parameters, tuple | list) else ())
            return send(cursor, statement, parameters, **options)

        monkeypatch.setattr(psycopg.Cursor, name, told)

    def listen_to_end(name: str) -> None:
        end = getattr(psycopg.Connection, name)

        def told(connection: Any) -> Any:
            found.ended(connection)
            return end(connection)

        monkeypatch.setattr(psycopg.Connection, name, told)

    for name in ("execute", "executemany", "copy"):
        listen(name)
    for name in ("commit", "rollback"):
        listen_to_end(name)
    return found


class PlainSealer:
    """Seals in the open."""

    def seal(self, plain: bytes, *, context: str) -> bytes:
        return plain

    def open(self, sealed: bytes, *, context: str) -> bytes:
        return sealed


class Gone:
    """A receiver that is there no more."""

    def send(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=410)


class AnyAddress:
    """An address check that lets every address pass."""

    def check(self, url: str) -> object:
        return url


class PlainHasher:
    """Hashes nothing."""

    def hash(self, password: str) -> str:
        return password

    def verify(self, password: str, hashed: str | None) -> bool:
        return password == hashed

    def is_outdated(self, hashed: str) -> bool:
        return False


@define
class Desk:
    """Use cases over this test's database."""

    store: PostgresWorkStore
    engine: Engine
    clock: Any

    @property
    def payments(self) -> Payments:
        return Payments(
            store=self.store, clock=self.clock, random_bytes=os.urandom, ledger=LEDGER, limits=read_limits("single:500")
        )

    @property
    def jobs(self) -> JobAdministration:
        return JobAdministration(store=self.store, clock=self.clock)

    @property
    def webhooks(self) -> WebhookAdministration:
        return WebhookAdministration(
            store=self.store, clock=self.clock, random_bytes=os.urandom, sealer=PlainSealer(), addresses=AnyAddress()
        )

    @property
    def incoming(self) -> IncomingWebhooks:
        return IncomingWebhooks(store=self.store, clock=self.clock, secrets={Provider.FRAUD: ("a secret",)})

    @property
    def identity(self) -> Identity:
        signer: Any = None
        return Identity(
            store=self.store, hasher=PlainHasher(), signer=signer, clock=self.clock, random_bytes=os.urandom,
            environment="test",
        )  # fmt: skip

    @property
    def handlers(self) -> list[Handler]:
        relay = Relay(store=self.store, clock=self.clock, random_bytes=os.urandom)
        delivering = WebhookDelivering(store=self.store, clock=self.clock, sender=Gone(), sealer=PlainSealer())
        return [*self.payments.handlers.all, *webhook_handlers(relay, delivering)]

    def work(self, *queues: str) -> list[Ran]:
        """Do what may begin now."""
        runner = Runner(
            store=self.store,
            queue=PostgresJobQueue(self.engine, clock=self.clock),
            handlers=self.handlers,
            clock=self.clock,
            random=lambda: 0.0,
        )
        return list(runner.drain(queues))


@pytest.fixture
def desk(engine: Engine, clock) -> Desk:
    """Where everything is done."""
    return Desk(store=PostgresWorkStore(engine, clock=clock), engine=engine, clock=clock)


def test_watch_hears_what_comes_after_the_turn(desk, watch) -> None:
    """Else the other tests could not fail."""
    user = desk.identity.users.create(person("first"), by=ANY, actor=OPERATOR)
    watch.after.clear()

    with desk.store.begin() as work:
        work.audit.append(note())
        work.users.find(user.id)

    [found] = watch.strangers
    assert "FROM users" in found


def test_payments_are_told_of_last(desk, watch) -> None:
    account = funded_account(desk.store, "500", ledger=LEDGER)
    asked = {
        "amount": "1.00", "direction": "DEBIT", "payment_type": "PAYMENT", "description": "asked for",
        "user_bank_account_id": str(account.id),
    }  # fmt: skip
    made = [payment(account, f"{units}.00") for units in range(1, 9)]
    refused = payment(account, "499.00")
    stored_payments(desk.store, *made, refused)
    watch.after.clear()
    watch.turns = 0
    payments, owner = desk.payments, owner_of(account)

    payments.creation.create(asked, by=owner, actor=OPERATOR)
    payments.processing.process(made[0].id, by=owner, actor=OPERATOR)
    payments.processing.process_all([each.id for each in made[1:3]], by=ANY, actor=OPERATOR)
    payments.cancellation.cancel(made[3].id, by=owner, actor=OPERATOR)
    payments.returns.return_(made[0].id, by=ANY, actor=OPERATOR)
    for each in (*made[4:], refused):
        payments.processing.schedule(each.id, by=owner, actor=OPERATOR)
    payments.reports.report(made[4].id, status="failed", amount="5.00", actor=OPERATOR)
    payments.reports.report(made[5].id, status="completed", amount="6.00", actor=OPERATOR)
    with desk.store.begin() as work:
        cancelled = work.jobs.last_of(JOB_KIND, [made[6].key])[made[6].key]
    desk.jobs.cancel(cancelled.id, actor=OPERATOR)
    desk.work("payments")
    with desk.store.begin() as work:
        work.jobs.enqueue([NewJob(kind=STRANDED_KIND)])
    desk.work("default")

    assert watch.turns == 5 + 5 + 2 + 1 + 1 + 1
    assert watch.strangers == []


def test_jobs_and_webhooks_are_told_of_last(desk, watch) -> None:
    account = funded_account(desk.store, "500", ledger=LEDGER)
    owner, webhooks = owner_of(account), desk.webhooks
    made = payment(account)
    stored_payments(desk.store, made)

    hook = webhooks.create(by=owner, url="https://example.com/", actor=OPERATOR).endpoint.id
    webhooks.change(hook, by=owner, types=["payment.completed"], actor=OPERATOR)
    webhooks.rotate(hook, by=owner, actor=OPERATOR)
    desk.payments.processing.process(made.id, by=owner, actor=OPERATOR)
    Relay(store=desk.store, clock=desk.clock, random_bytes=os.urandom).relay()
    assert [ran.error and ran.error.code for ran in desk.work("notifications")] == ["webhook_gone"]
    [delivery] = webhooks.deliveries(hook, by=owner).items
    webhooks.redeliver(hook, delivery.id, by=owner, actor=OPERATOR)
    webhooks.replay(hook, 1, by=owner, actor=OPERATOR)
    with desk.store.begin() as work:
        [dead] = work.jobs.list_after(JobFilter(state=JobState.DEAD), after=None, limit=2)
    desk.jobs.retry(dead.id, actor=OPERATOR)
    desk.jobs.cancel(dead.id, actor=OPERATOR)
    webhooks.remove(hook, by=owner, actor=OPERATOR)
    take_fraud(desk)
    desk.work("default")

    assert watch.turns >= 11
    assert watch.strangers == []


def test_people_are_told_of_last(desk, watch) -> None:
    identity = desk.identity
    admin = identity.users.create(person("admin", role="admin"), by=ANY, actor=OPERATOR)
    other = identity.users.create(person("other", role="admin"), by=ANY, actor=OPERATOR)
    user = identity.users.create(person("user"), by=ANY, actor=OPERATOR)

    identity.users.update(user.id, {"full_name": "Another"}, by=ANY, actor=OPERATOR)
    identity.users.update(user.id, {"role": "support"}, by=ANY, actor=OPERATOR)
    identity.users.set_password(user.id, "another long password", by=ANY, actor=OPERATOR)
    identity.users.end_sessions(user.id, by=ANY, actor=OPERATOR)
    identity.ledgers.create("shop", by=ANY, actor=OPERATOR)
    identity.ledgers.grant("shop", user.id, "owner", by=ANY, actor=OPERATOR)
    identity.ledgers.grant("shop", admin.id, "owner", by=ANY, actor=OPERATOR)
    identity.ledgers.revoke("shop", user.id, by=ANY, actor=OPERATOR)
    identity.users.suspend(user.id, by=ANY, actor=OPERATOR)
    identity.users.activate(user.id, by=ANY, actor=OPERATOR)
    identity.users.delete(user.id, by=ANY, actor=OPERATOR)
    identity.users.delete(other.id, by=ANY, actor=OPERATOR)

    assert watch.turns >= 15
    assert watch.strangers == []


def test_whatever_is_done_at_once_nobody_waits_in_a_circle(desk, engine, at_once) -> None:
    """Batches, returns, cancelling, scheduling, workers, operators with the same jobs, and webhooks of the owner."""
    accounts = [funded_account(desk.store, "5000", ledger=LEDGER) for _ in range(3)]
    owner = owner_of(accounts[0])
    hook = desk.webhooks.create(by=owner, url="https://example.com/", actor=OPERATOR).endpoint.id
    made = [payment(accounts[number % 3], f"{number + 1}.00") for number in range(36)]
    stored_payments(desk.store, *made)
    before = deadlocks(engine)

    def each(do: Callable[[Any], object]) -> Callable[[], None]:
        def run() -> None:
            for one in (made, made[::-1])[threading.get_ident() % 2]:
                tried(partial(do, one))

        return run

    payments = desk.payments
    ids = [one.id for one in made]
    at_once(
        [
            each(lambda one: payments.processing.schedule(one.id, by=ANY, actor=OPERATOR)),
            each(lambda one: payments.cancellation.cancel(one.id, by=ANY, actor=OPERATOR)),
            each(lambda one: payments.returns.return_(one.id, by=ANY, actor=OPERATOR)),
            each(lambda one: payments.processing.process_all(ids[::-2], by=ANY, actor=OPERATOR)),
            each(lambda _: desk.work("payments")),
            each(lambda _: desk.work("payments")),
            each(lambda _: touch_jobs(desk)),
            each(lambda _: desk.webhooks.rotate(hook, by=owner, actor=OPERATOR)),
            each(lambda _: Relay(store=desk.store, clock=desk.clock, random_bytes=os.urandom).relay()),
        ]
    )

    assert deadlocks(engine) == before


def touch_jobs(desk: Desk) -> None:
    """Cancel and replay whatever job may be."""
    for job in desk.jobs.page(JobFilter(kind=JOB_KIND), limit=5).items:
        tried(partial(desk.jobs.cancel, job.id, actor=OPERATOR))
        tried(partial(desk.jobs.retry, job.id, actor=OPERATOR))


def tried(act: Callable[[], object]) -> None:
    """Do what may be refused, since somebody else was quicker; nobody is refused for having waited in a circle."""
    try:
        act()
    except LedgercoreError as error:
        if error.code == "too_much_contention":
            raise


def deadlocks(engine: Engine) -> int:
    """How many circles the server has ended in this database; it tells what was true when the session began."""
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
        found: int = connection.execute(
            text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        ).scalar_one()
    return found


def note() -> AuditEvent:
    """Something for the audit log."""
    return AuditEvent(action="user_login", actor=OPERATOR)


def take_fraud(desk: Desk) -> None:
    """A provider suspects a payment."""
    body = json.dumps(
        {
            "id": "first", "timestamp": int(desk.clock.now.timestamp()), "payment_id": str(new_id()),
            "severity": "high", "risk_score": 90,
        }
    ).encode()  # fmt: skip
    signature = "sha256=" + hmac.digest(b"a secret", body, hashlib.sha256).hex()
    desk.incoming.take(Provider.FRAUD, headers={"x-webhook-signature": signature}, body=body)


def person(name: str, *, role: str = "user") -> dict[str, str]:
    """What is sent of a new user."""
    password = "correct horse battery"
    return {
        "email": f"{name}@example.com", "full_name": name.title(), "password": password,
        "password_confirmation": password, "role": role,
    }  # fmt: skip
