"""A service in memory with people in it, and clients that talk to it without a socket.

alice owns the ledger, bob may read it, walter may post in it, carol is a stranger; ada is an admin, sam support.
"""

import asyncio
import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import unquote

import httpx2
import jsonschema_rs
import pytest

from ledgercore.bank import Bank
from ledgercore.errors import ExternalDependencyError
from ledgercore.errors.catalog import SERVICE_UNAVAILABLE
from ledgercore.events.received import Provider
from ledgercore.http_messages import HttpRequest, HttpResponse
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR
from ledgercore.identity.identity import Identity
from ledgercore.identity.sessions import Lifetimes
from ledgercore.rate_limits import Quota
from ledgercore_crypto import AesGcmSealer, Argon2Hasher, JwtSigner, key_from_secret, sealing_key_from
from ledgercore_gather import Gatherer, append_each
from ledgercore_http import Limits, Service, create_app
from ledgercore_http.failures import PROBLEM_TYPE
from ledgercore_http.openapi import openapi_document
from ledgercore_http.resources.table import TABLES
from ledgercore_memory import MemoryRateLimiter, MemoryStore, MemoryWorkStore
from ledgercore_outbound.addresses import AddressGuard
from ledgercore_outbound.exchanging import Exchanger
from ledgercore_statements.reading import read_statements
from ledgercore_telemetry import Metrics, Telemetry, configure_logs, tracing_from

SECRET = os.urandom(64)
WEBHOOK_SECRET = "a secret that providers share with us"
PASSWORD = "correct horse battery"
UNLIMITED = Limits(per_address=None, per_user=None, per_token=None, logins=None)


class TokenGiver:
    """A bank that gives tokens for any code, and answers nothing else."""

    def send(self, request: HttpRequest) -> HttpResponse:
        document = {"access_token": "an-access-token", "refresh_token": "a-refresh-token", "expires_in": 3600}
        return HttpResponse(status=200 if request.name.endswith("tokens") else 404, body=json.dumps(document).encode())


class Unreachable:
    """A network without anybody in it."""

    def send(self, request: HttpRequest) -> HttpResponse:
        raise ExternalDependencyError(SERVICE_UNAVAILABLE, request=request.name)


class AlwaysReady:
    """A probe that finds nothing wrong, until told otherwise."""

    def __init__(self) -> None:
        self.database = "ok"

    def ready(self) -> dict[str, str]:
        return {"database": self.database, "application": "ok"}

    def detailed(self) -> dict[str, str]:
        return {"database": self.database, "memory": "ok", "disk": "ok"}


class Document:
    """The OpenAPI document of the service, to hold every answer against."""

    def __init__(self) -> None:
        self._document = openapi_document(TABLES, version="test", public_url="")
        self._templates = [
            (re.compile("/api(?:/v1)?" + re.sub(r"\{\w+\}", "[^/]+", path)), operations)
            for path, operations in self._document["paths"].items()
        ]
        self._validators: dict[Any, Any] = {}

    def check(self, method: str, path: str, response: Any) -> None:
        """Fail unless the answer is one that the route's part of the document describes."""
        path = unquote(path.partition("?")[0])
        found = [operations for template, operations in self._templates if template.fullmatch(path)]
        operation = next((each[method.lower()] for each in found if method.lower() in each), None)
        if operation is None or not response.headers.get("content-type", "").endswith("json"):
            return
        told = operation["responses"][str(response.status_code)]["content"]
        content = told[response.headers["content-type"]]
        body = response.json()
        place = (operation["operationId"], response.status_code)
        if place not in self._validators:
            schema = {**content["schema"], "components": self._document["components"]}
            self._validators[place] = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        self._validators[place].validate(body)
        if response.headers["content-type"] == PROBLEM_TYPE:
            assert body["code"] in content["examples"], f"{place} does not say that it may answer {body['code']}"


class Client:
    """Sends requests to an application in memory and waits for the answers; one bearer token, or none.

    Every answer is held against the document.
    """

    document: ClassVar[Document | None] = None

    def __init__(self, app: Any, loop: asyncio.AbstractEventLoop, token: str | None = None) -> None:
        self.app = app
        self.loop = loop
        self.token = token

    def request(self, method: str, path: str, *, headers: Any = None, client: str = "127.0.0.1", **options: Any) -> Any:
        """One request to a whole path; `get`, `post` and the others add /api/v1."""
        sending = self._send(method, path, headers, client, options)
        response = asyncio.run_coroutine_threadsafe(sending, self.loop).result(60)
        Client.document = Client.document or Document()
        Client.document.check(method, path, response)
        return response

    async def _send(self, method: str, path: str, headers: Any, client: str, options: dict[str, Any]) -> Any:
        sent = list(headers.items()) if isinstance(headers, dict) else list(headers or ())
        if self.token is not None and not any(name.lower() == "authorization" for name, _ in sent):
            sent.append(("authorization", f"Bearer {self.token}"))
        transport = httpx2.ASGITransport(app=self.app, client=(client, 50_000), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as session:
            return await session.request(method, path, headers=sent, **options)

    def get(self, path: str, **options: Any) -> Any:
        return self.request("GET", f"/api/v1{path}", **options)

    def post(self, path: str, json: Any = None, *, key: str | None = None, headers: Any = None, **options: Any) -> Any:
        headers = dict(headers or {}) | ({"idempotency-key": key} if key else {})
        if json is not None:
            options["json"] = json
        return self.request("POST", f"/api/v1{path}", headers=headers, **options)

    def put(self, path: str, json: Any = None, **options: Any) -> Any:
        return self.request("PUT", f"/api/v1{path}", json=json, **options)

    def patch(self, path: str, json: Any = None, **options: Any) -> Any:
        return self.request("PATCH", f"/api/v1{path}", json=json, **options)

    def delete(self, path: str, **options: Any) -> Any:
        return self.request("DELETE", f"/api/v1{path}", **options)

    def as_(self, token: str | None) -> "Client":
        """The same application under another token."""
        return Client(self.app, self.loop, token)


@pytest.fixture(scope="session")
def event_loop_thread() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs beside the tests."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def limits() -> Limits:
    """What the service of this test allows; tests override it."""
    return UNLIMITED


@pytest.fixture
def probe() -> AlwaysReady:
    """What the service of this test knows of its own health."""
    return AlwaysReady()


@contextmanager
def in_memory(clock: Any, limits: Limits = UNLIMITED, probe: AlwaysReady | None = None) -> Iterator[Service]:
    """A service that keeps everything in memory, at the time of a clock."""
    store = MemoryStore(clock=clock)
    with ThreadPoolExecutor(4) as readers, ThreadPoolExecutor(2) as gatherers, open(os.devnull, "w") as nowhere:
        metrics = Metrics(routes=(), version="test")
        work, sealer = MemoryWorkStore(store, clock=clock), AesGcmSealer([sealing_key_from(SECRET, "test")])
        yield Service(
            identity=Identity(
                store=work,
                hasher=Argon2Hasher(time_cost=1, memory_kib=64),
                signer=JwtSigner([key_from_secret("test", SECRET)], issuer="issuer", audience="audience"),
                clock=clock,
                random_bytes=os.urandom,
                lifetimes=Lifetimes(),
                environment="test",
            ),
            bank=Bank(
                store=work,
                clock=clock,
                random_bytes=os.urandom,
                sealer=sealer,
                statement_reader=read_statements,
                addresses=AddressGuard(),
                sender=Unreachable(),
                exchanges=Exchanger(sender=TokenGiver(), clock=clock),
                webhook_secrets=dict.fromkeys(Provider, (WEBHOOK_SECRET,)),
            ),
            journals=store,
            limiter=MemoryRateLimiter(clock=clock),
            sealer=sealer,
            clock=clock,
            random_bytes=os.urandom,
            fingerprint_key=SECRET[:32],
            executor=readers,
            gather=lambda work: Gatherer(work, executor=gatherers),
            gather_posts=lambda journal: Gatherer(append_each(journal), executor=gatherers),
            telemetry=Telemetry(log=configure_logs(nowhere), metrics=metrics, tracer=tracing_from(None, "test")),
            render_metrics=metrics.render,
            probe=probe or AlwaysReady(),
            version="test",
            limits=limits,
            immediate=True,
        )


@pytest.fixture(scope="session")
def open_service() -> Callable[..., AbstractContextManager[Service]]:
    """Opens a service in memory, for tests that share one: `with open_service(clock) as service`."""
    return in_memory


@pytest.fixture(scope="session")
def client_of(event_loop_thread: asyncio.AbstractEventLoop) -> Callable[..., Client]:
    """Makes a client of an application, without a token unless one is given."""
    return lambda app, token=None: Client(app, event_loop_thread, token)


@pytest.fixture
def service(clock, limits, probe) -> Iterator[Service]:
    """A service that keeps everything in memory, at the test's time."""
    with in_memory(clock, limits, probe) as service:
        yield service


@pytest.fixture
def anonymous(service: Service, event_loop_thread: asyncio.AbstractEventLoop) -> Iterator[Client]:
    """A client without a token."""
    app = create_app(service)
    yield Client(app, event_loop_thread)
    app.drain()


@pytest.fixture
def person(service: Service, anonymous: Client) -> Any:
    """Makes people: `person("dora", role="admin")` is a client with her access token, and `.user_id`."""

    def make(name: str, role: str = "user") -> Client:
        identity = service.identity
        attributes = {
            "email": f"{name}@example.com",
            "full_name": name.title(),
            "password": PASSWORD,
            "password_confirmation": PASSWORD,
            "role": role,
        }
        user = identity.users.create(attributes, by=Operator(), actor=OPERATOR)
        signed_in = identity.sign_in.login(user.email, PASSWORD, actor=OPERATOR)
        client = anonymous.as_(signed_in.access_token)
        client.user_id = str(user.id)  # type: ignore[attr-defined]
        client.refresh_token = signed_in.refresh_token  # type: ignore[attr-defined]
        client.email = user.email  # type: ignore[attr-defined]
        return client

    return make


@pytest.fixture
def ada(person: Any) -> Any:
    """An admin."""
    return person("ada", "admin")


@pytest.fixture
def sam(person: Any) -> Any:
    """Support."""
    return person("sam", "support")


@pytest.fixture
def alice(person: Any) -> Any:
    """A user, who owns the ledger."""
    return person("alice")


@pytest.fixture
def bob(person: Any) -> Any:
    """A user, who may read the ledger."""
    return person("bob")


@pytest.fixture
def walter(person: Any) -> Any:
    """A user, who may post in the ledger."""
    return person("walter")


@pytest.fixture
def carol(person: Any) -> Any:
    """A user, who is nothing to the ledger."""
    return person("carol")


@pytest.fixture
def shop(alice: Any, bob: Any, walter: Any) -> str:
    """The name of alice's ledger, which opens accounts on first use."""
    made = alice.post("/ledgers", {"name": "shop", "settings": {"on_first_use": True}})
    assert made.status_code == 201, made.text
    name: str = made.json()["data"]["ledger"]
    for member, access in ((bob, "reader"), (walter, "writer")):
        granted = alice.put(f"/ledgers/{name}/members/{member.user_id}", {"access": access})
        assert granted.status_code == 200, granted.text
    return name


@pytest.fixture
def tight() -> Quota:
    """A quota that is used up soon."""
    return Quota(3, timedelta(minutes=1))
