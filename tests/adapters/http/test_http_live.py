"""Live updates on a real server: events of the owner alone, resumed, and ended with the right to listen."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from uuid import UUID

import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from ledgercore.events.events import Event, StoredEvent
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR, AuditFilter
from ledgercore.identity.service_tokens import Scope
from ledgercore_http import create_app, live
from ledgercore_http.deadlines import DeadlineProtocol
from ledgercore_http.resources import live_updates

STREAM = "/api/v1/events/stream"
SECONDS = 20


@pytest.fixture
def server(service, monkeypatch) -> Iterator[Any]:
    """The application on a port of its own, which looks for news all the time."""
    monkeypatch.setattr(live, "POLL_SECONDS", 0.01)
    app = create_app(service)
    config = uvicorn.Config(
        app, port=0, http=DeadlineProtocol, ws="websockets-sansio", lifespan="off", log_config=None, access_log=False
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        assert thread.is_alive()
        time.sleep(0.01)
    running.port = running.servers[0].sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    running.thread = thread  # type: ignore[attr-defined]
    yield running
    running.should_exit = True
    thread.join(SECONDS)
    assert not thread.is_alive()
    app.drain()


@contextmanager
def listening(server, token: str | None, path: str = STREAM, **headers: str) -> Iterator[Any]:
    """An answer that may never end; `.next()` is its next message as a dictionary of its fields."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)) as connection:
        sent = {} if token is None else {"Authorization": f"Bearer {token}"}
        connection.request("GET", path, headers={**sent, **headers})
        response = connection.getresponse()

        def next_message() -> dict[str, str]:
            lines = []
            while line := response.readline().decode().rstrip("\n"):
                lines.append(line)
            fields = (line if line[0] != ":" else f"comment{line}" for line in lines)
            return {name: value for name, _, value in (line.partition(": ") for line in fields)}

        response.next = next_message  # type: ignore[attr-defined]
        yield response


def joined(stream: Any) -> None:
    """Wait until nothing can be missed any more."""
    while stream.next() != {"comment": "still here"}:
        pass


def publish(service, person, type: str = "payment.completed", **data: Any) -> StoredEvent:
    """Something that happened to somebody."""
    owner_id = None if person is None else UUID(person.user_id)
    with service.bank.store.begin() as work:
        [stored] = work.events.publish_all([Event(type=type, subject="payment:1", data=data, owner_id=owner_id)])
    return stored


def suspend(service, person) -> None:
    """End somebody's rights."""
    service.identity.users.update(UUID(person.user_id), {"status": "SUSPENDED"}, by=Operator(), actor=OPERATOR)


class TestStream:
    def test_owner_is_told_what_happens_and_nobody_else(self, service, server, alice, bob):
        """Payments and balances of one's own, in order, with their numbers; all other events are passed over."""
        with listening(server, alice.token) as of_alice, listening(server, bob.token) as of_bob:
            assert (of_alice.status, of_alice.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
            hello = [of_alice.next(), of_alice.next()]
            joined(of_bob)
            paid = publish(service, alice, amount_minor="100")
            publish(service, alice, "statement.imported")
            publish(service, None)
            theirs = publish(service, bob)
            moved = publish(service, alice, "balance.changed", balance_minor="1")

            first, second = of_alice.next(), of_alice.next()
            assert hello == [{"retry": "2000"}, {"comment": "still here"}]
            assert (first["id"], first["event"]) == (str(paid.number), "payment.completed")
            assert (second["id"], second["event"]) == (str(moved.number), "balance.changed")
            assert json.loads(first["data"])["data"] == {"amount_minor": "100"}
            assert json.loads(first["data"])["id"] == str(paid.id)
            assert of_bob.next()["id"] == str(theirs.number)

    def test_whoever_comes_back_goes_on_where_they_were(self, service, server, alice):
        """After `Last-Event-ID`: what was missed first, then what happens."""
        seen, *missed = [publish(service, alice, number=number) for number in range(3)]

        with listening(server, alice.token, **{"Last-Event-ID": str(seen.number)}) as stream:
            joined(stream)
            told = [stream.next()["id"] for _ in missed]
            later = publish(service, alice)

            assert told == [str(each.number) for each in missed]
            assert stream.next()["id"] == str(later.number)

    def test_silence_is_filled_with_comments(self, service, server, alice, monkeypatch):
        """So that nobody on the way takes the connection for dead."""
        monkeypatch.setattr(live_updates, "HEARTBEAT_SECONDS", 0.01)

        with listening(server, alice.token) as stream:
            joined(stream)

            assert stream.next() == {"comment": "still here"}

    @pytest.mark.parametrize("end", ["suspended", "expired", "logged out"])
    def test_it_ends_with_the_right_to_listen(self, service, server, alice, clock, monkeypatch, end):
        """Suspension, logout and the token's end count at the next look."""
        monkeypatch.setattr(live, "STANDING_SECONDS", 0.0)
        code = "token_expired" if end == "expired" else "token_revoked"

        with listening(server, alice.token) as stream:
            joined(stream)
            if end == "suspended":
                suspend(service, alice)
            elif end == "expired":
                clock.forward(hours=1)
            else:
                service.identity.sign_in.logout(alice.refresh_token, actor=OPERATOR)

            last = stream.next()
            assert (last["event"], json.loads(last["data"])) == ("end", {"code": code})
            assert stream.read() == b""

    @pytest.mark.parametrize(
        ("token", "path", "status", "code"),
        [
            (None, STREAM, 401, "invalid_token"),
            ("nonsense", STREAM, 401, "invalid_token"),
            (None, f"{STREAM}?access_token=x", 400, "invalid_argument"),
        ],
    )
    def test_nobody_listens_without_a_token_in_a_header(self, service, server, token, path, status, code):
        """A token in the address is refused; refusals are problems like all others, and are audited."""
        with listening(server, token, path) as refused:
            problem = json.loads(refused.read())

        assert (refused.status, problem["code"]) == (status, code)
        assert refused.headers["content-type"] == "application/problem+json"
        with service.identity.store.begin() as work:
            noted = work.audit.list_before(AuditFilter(action="authentication_failure"), before=None, limit=9)
        assert len(noted) == (token is not None)

    def test_service_token_needs_the_scope(self, service, server, alice):
        """To read payments."""
        for scopes, status in (([Scope.PAYMENTS_READ], 200), ([Scope.PAYMENTS_WRITE], 403)):
            issued = service.identity.service_tokens.issue(
                by=Operator(), name="m", scopes=scopes, owner_id=UUID(alice.user_id), actor=OPERATOR
            )
            with listening(server, issued.key) as answer:
                assert answer.status == status

    def test_nobody_listens_without_end(self, service, server, alice, monkeypatch):
        """So many at once for each user, and so many for a process."""
        monkeypatch.setattr(live, "LISTENERS_PER_USER", 1)
        with listening(server, alice.token) as first:
            joined(first)

            with listening(server, alice.token) as second:
                assert (second.status, json.loads(second.read())["code"]) == (429, "rate_limit_exceeded")
            monkeypatch.setattr(live, "LISTENERS_MAX", 1)
            monkeypatch.setattr(live, "LISTENERS_PER_USER", 9)
            with listening(server, alice.token) as second:
                assert (second.status, json.loads(second.read())["code"]) == (503, "service_overloaded")

    def test_whoever_does_not_read_is_cut_off(self, service, server, alice, monkeypatch):
        """And goes on from the last event that came, as anybody who comes back does."""
        monkeypatch.setattr(live, "QUEUED_MAX", 2)
        monkeypatch.setattr(live, "PAGE", 50)
        with listening(server, alice.token) as stream:
            joined(stream)
            with service.bank.store.begin() as work:
                events = [Event(type="payment.created", subject="p", owner_id=UUID(alice.user_id)) for _ in range(50)]
                work.events.publish_all(events)

            assert stream.read().count(b"id: ") == 2

    def test_server_that_ends_ends_it(self, service, server, alice):
        """Nobody waits for what never ends by itself."""
        with listening(server, alice.token) as stream:
            joined(stream)
            server.should_exit = True

            with pytest.raises(http.client.IncompleteRead):
                stream.read()
            server.thread.join(SECONDS)
            assert not server.thread.is_alive()


@contextmanager
def talking(server, token: str | None = None, path: str = "/api/v1/socket", **options: Any) -> Iterator[Any]:
    """A socket; `.say` and `.hear` take and give messages."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with connect(
        f"ws://127.0.0.1:{server.port}{path}", additional_headers=headers, open_timeout=SECONDS, **options
    ) as socket:
        socket.say = lambda message: socket.send(json.dumps(message))
        socket.hear = lambda: json.loads(socket.recv(SECONDS))
        yield socket


class TestSocket:
    @pytest.mark.parametrize("where", ["header", "protocol", "first message"])
    def test_owner_is_told_what_happens(self, service, server, alice, bob, where):
        """However the token comes; the first message says that all is well."""
        token = alice.token
        options: dict[str, Any] = {"subprotocols": ["ledgercore", f"bearer.{token}"]} if where == "protocol" else {}
        with talking(server, token if where == "header" else None, **options) as socket:
            if where == "first message":
                socket.say({"event": "join", "token": token})
            hello = socket.hear()
            publish(service, bob)
            paid = publish(service, alice, status="COMPLETED")
            moved = publish(service, alice, "balance.changed")

            first, second = socket.hear(), socket.hear()
            assert hello == {"event": "payment_connected", "data": {"user_id": alice.user_id}}
            assert (first["event"], first["data"]["number"]) == ("payment_status_update", paid.number)
            assert first["data"]["data"] == {"status": "COMPLETED"}
            assert (second["event"], second["data"]["number"]) == ("balance_update", moved.number)
            assert socket.subprotocol == ("ledgercore" if where == "protocol" else None)

    def test_ping_is_answered_and_nonsense_is_refused(self, server, alice):
        """The conversation goes on."""
        with talking(server, alice.token) as socket:
            socket.hear()
            socket.say({"event": "ping"})
            pong = socket.hear()
            socket.send("{nonsense")
            refusals = [socket.hear()]
            socket.send("[]")
            refusals.append(socket.hear())

        assert pong == {"event": "pong", "data": {}}
        assert {each["event"] for each in refusals} == {"payment_error"}

    @pytest.mark.parametrize("first", [{"event": "join", "token": "nonsense"}, {"event": "join"}, {"event": "ping"}])
    def test_nobody_is_told_anything_without_a_token(self, server, first):
        """Told why, and then cut off."""
        with talking(server) as socket:
            socket.say(first)

            assert socket.hear() == {"event": "payment_error", "data": {"code": "invalid_token"}}
            with pytest.raises(ConnectionClosed) as closed:
                socket.hear()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401

    def test_whoever_says_nothing_is_cut_off(self, server, monkeypatch):
        """After some seconds."""
        monkeypatch.setattr(live_updates, "JOIN_SECONDS", 0.01)

        with talking(server) as socket:
            assert socket.hear()["data"] == {"code": "invalid_token"}

    def test_token_in_the_address_is_refused(self, server, alice, caplog):
        """Whatever is in an address ends up in logs, though not in ours."""
        with pytest.raises(InvalidStatus) as refused, talking(server, path=f"/api/v1/socket?token={alice.token}"):
            pass

        assert refused.value.response.status_code == 403
        assert alice.token not in caplog.text

    def test_it_ends_with_the_right_to_listen(self, service, server, alice, monkeypatch):
        """Suspension counts at the next look."""
        monkeypatch.setattr(live, "STANDING_SECONDS", 0.0)
        with talking(server, alice.token) as socket:
            socket.hear()
            suspend(service, alice)

            assert socket.hear() == {"event": "payment_error", "data": {"code": "token_revoked"}}
            with pytest.raises(ConnectionClosed):
                socket.hear()

    def test_both_paths_are_one(self, server, alice):
        """Below /api and /api/v1."""
        with talking(server, alice.token, path="/api/socket") as socket:
            assert socket.hear()["event"] == "payment_connected"
