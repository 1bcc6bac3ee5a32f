"""Deliveries to receivers on real sockets that answer as they please; time passes as the test wants."""

import os
import random
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook

from ledgercore.events.deliveries import DeliveryStatus
from ledgercore.events.delivering import WebhookDelivering
from ledgercore.events.events import Event
from ledgercore.events.jobs import webhook_handlers
from ledgercore.events.relaying import Relay
from ledgercore.events.webhook_administration import WebhookAdministration
from ledgercore.identity.audit import OPERATOR
from ledgercore.identity.principals import Principal
from ledgercore.jobs.jobs import JobState
from ledgercore.jobs.ports import JobFilter
from ledgercore.jobs.running import Runner
from ledgercore.testing.identity_people import EVERYBODY, someone
from ledgercore_crypto import AesGcmSealer, sealing_key_from
from ledgercore_memory import MemoryJobQueue, MemoryStore, MemoryWorkStore
from ledgercore_outbound import AddressGuard, Bounds, Outbound

EVENTS = 40
PATIENCE_SECONDS = 0.2
BEHAVIOURS = [200, 204, 301, 410, 429, 500, "hang", "reset", "huge"]


class Receiver(ThreadingHTTPServer):
    """Answers in one of its ways by chance; remembers what came and how it was answered."""

    daemon_threads = True

    def __init__(self, *ways: int | str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.ways = ways
        self.random = random.Random(7)
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.answered: dict[str, list[int | str]] = defaultdict(list)
        self.followed = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.came.append((headers, body))
        way = self.server.random.choice(self.server.ways)
        self.server.answered[headers["webhook-id"]].append(way)
        if way == "hang":
            time.sleep(2 * PATIENCE_SECONDS)
        elif way == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            self.connection.close()
        else:
            self.send_response(200 if way == "huge" else int(way))
            self.send_header("Location", "/elsewhere")
            self.send_header("Retry-After", "120")
            self.send_header("Content-Length", str(10_000_000 if way == "huge" else 0))
            self.end_headers()
            if way == "huge":
                self.wfile.write(b"x" * 10_000_000)

    def do_GET(self) -> None:
        self.server.followed += 1

    def handle(self) -> None:
        # Its client may have had enough.
        with suppress(OSError):
            super().handle()

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receive() -> Iterator[Any]:
    """Starts receivers: `receive(200, "hang")`."""
    started: list[Receiver] = []

    def start(*ways: int | str) -> Receiver:
        started.append(Receiver(*ways))
        threading.Thread(target=started[-1].serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return started[-1]

    yield start
    for receiver in started:
        receiver.shutdown()
        receiver.server_close()


def test_every_event_is_delivered_or_given_up_with_a_record(memory_store: MemoryStore, clock, receive) -> None:
    """Whatever the receivers do: redirects are not followed, pauses are kept, answers are bounded, none is lost."""
    fickle, kind = receive(*(way for way in BEHAVIOURS if way != 410)), receive(200)
    gone = receive(200, 410)
    store = MemoryWorkStore(memory_store, clock=clock)
    sealer = AesGcmSealer([sealing_key_from(os.urandom(64), "test")])
    guard = AddressGuard(allow_private=True)
    bounds = Bounds(read_seconds=PATIENCE_SECONDS, total_seconds=1, body_bytes=10_000)
    owner = someone()
    with store.begin() as work:
        work.users.add(owner)
    webhooks = WebhookAdministration(store=store, clock=clock, random_bytes=os.urandom, sealer=sealer, addresses=guard)
    principal = Principal(user_id=owner.id, email=owner.email, role=owner.role)
    made = {
        receiver: webhooks.create(by=principal, url=receiver.url, actor=OPERATOR) for receiver in (fickle, kind, gone)
    }
    with store.begin() as work:
        facts = [Event(type="payment.completed", subject=f"p:{n}", owner_id=owner.id) for n in range(EVENTS)]
        ids = {str(stored.id) for stored in work.events.publish_all(facts)}
    relay = Relay(store=store, clock=clock, random_bytes=os.urandom)

    with Outbound(guard=guard, bounds=bounds) as sender:
        delivering = WebhookDelivering(store=store, clock=clock, sender=sender, sealer=sealer)
        runner = Runner(
            store=store,
            queue=MemoryJobQueue(store),
            handlers=webhook_handlers(relay, delivering),
            clock=clock,
            random=lambda: 0.0,
        )
        for _ in range(6):
            relay.relay()
            runner.drain()
            clock.forward(seconds=121)

    for receiver, new in made.items():
        with store.begin() as work:
            log = work.webhooks.list_deliveries(new.endpoint.id, before=None, limit=EVERYBODY)
            endpoint = work.webhooks.find(new.endpoint.id)
        assert endpoint is not None
        assert {str(delivery.event_id) for delivery in log} == ids
        for delivery in log:
            ways = receiver.answered[str(delivery.event_id)]
            taken = DeliveryStatus.DELIVERED if ways and ways[-1] in (200, 204) else DeliveryStatus.DEAD
            assert delivery.status is taken, ways
            assert len(ways) <= 4
            assert [attempt.status_code for attempt in delivery.attempts if attempt.status_code is not None] == [
                way for way in ways if isinstance(way, int)
            ]
        for headers, body in receiver.came:
            sent_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
            expected = Webhook(new.secret).sign(headers["webhook-id"], sent_at, body.decode())
            assert headers["webhook-signature"] == expected
        assert receiver.followed == 0
        assert endpoint.is_active is (receiver is not gone)
    assert Counter(way for ways in gone.answered.values() for way in ways)[410] == 1
    assert len(kind.came) == EVENTS
    with store.begin() as work:
        jobs = work.jobs.list_after(JobFilter(kind="deliver_webhook"), after=None, limit=EVERYBODY)
        found = [work.webhooks.find_delivery(UUID(job.arguments["delivery_id"])) for job in jobs]
    assert {job.state for job in jobs} == {JobState.DONE, JobState.DEAD}
    assert all(job.failures for job in jobs if job.state is JobState.DEAD)
    assert any(delivery is not None and delivery.status is DeliveryStatus.DEAD for delivery in found)
