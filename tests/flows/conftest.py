"""`ledgercore serve` in processes of its own, on real sockets, and people who use it."""

import http.client
import itertools
import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from attrs import frozen
from sqlalchemy import text
from sqlalchemy.engine import make_url

from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.proofs.verification import verify
from ledgercore_app.settings import Settings
from ledgercore_app.wiring import open_store
from ledgercore_postgres import connect

PROGRAM = "from ledgercore_app.cli import main; main()"
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
PASSWORD = "correct horse battery"
SECRET = secrets.token_hex(64)
# Passwords are hashed as cheaply as can be: nothing here is about their cost.
CHEAP = {
    "LEDGERCORE_PASSWORD_TIME_COST": "1",
    "LEDGERCORE_PASSWORD_MEMORY_KIB": "8",
    "LEDGERCORE_RATE_LIMITS": "off",
    "LEDGERCORE_SECRET": SECRET,
}
_names = itertools.count(1)


@frozen(kw_only=True)
class Answer:
    """What a server answered."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def document(self) -> Any:
        """The JSON of the body."""
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        """What the envelope of a success holds."""
        return self.document["data"]

    @property
    def code(self) -> str:
        """The reason of a problem."""
        assert self.headers["content-type"] == "application/problem+json", self
        code: str = self.document["code"]
        return code

    @property
    def replayed(self) -> bool:
        """Whether the answer was given before."""
        return self.headers["idempotency-replayed"] == "true"


class Caller:
    """Sends requests to a port under one token, or none; each over a connection of its own."""

    def __init__(self, port: int, token: str | None = None) -> None:
        self.port = port
        self.token = token
        self.user_id = self.refresh_token = ""

    def request(self, method: str, path: str, body: Any = None, *, headers: Any = None) -> Answer:
        """One request to a path below /api/v1."""
        sent = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **(headers or {})}
        if body is not None and not isinstance(body, bytes):
            sent["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, f"/api/v1{path}", body=body, headers=sent)
            response = connection.getresponse()
            return Answer(status=response.status, headers=response.headers, body=response.read())

    def get(self, path: str, **options: Any) -> Answer:
        return self.request("GET", path, **options)

    def post(self, path: str, body: Any = None, *, key: str | None = None, headers: Any = None, **more: Any) -> Answer:
        headers = {**(headers or {}), **({"Idempotency-Key": key} if key else {})}
        return self.request("POST", path, body, headers=headers, **more)

    def put(self, path: str, body: Any, **options: Any) -> Answer:
        return self.request("PUT", path, body, **options)

    def as_(self, token: str) -> "Caller":
        """The same port under another token."""
        return Caller(self.port, token)

    def registered(self, email: str) -> "Caller":
        """The same port as a new user, who has logged in; `user_id` and `refresh_token` are theirs."""
        person = {"email": email, "full_name": "Somebody", "password": PASSWORD, "password_confirmation": PASSWORD}
        made = self.post("/users", person)
        assert made.status == 201, made
        entered = self.post("/auth/login", {"email": email, "password": PASSWORD})
        assert entered.status == 200, entered
        someone = self.as_(entered.data["access_token"])
        someone.user_id = made.data["id"]
        someone.refresh_token = entered.data["refresh_token"]
        return someone

    def ledger(self) -> str:
        """The name of a new ledger of this user's, which opens accounts on first use."""
        made = self.post("/ledgers", {"name": "shop", "settings": {"on_first_use": True}})
        assert made.status == 201, made
        name: str = made.data["ledger"]
        return name


class Served:
    """A server in a process of its own. `lines` is what it has said on standard error so far."""

    def __init__(self, arguments: tuple[str, ...], environment: dict[str, str], program: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LEDGERCORE_")}
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, "serve", "--port", "0", *arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**clean, **environment},
        )  # fmt: skip
        self._said: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        self.port = 0

    def wait(self, processes: int = 1) -> "Served":
        """Until so many processes serve."""
        for _ in range(processes):
            self.until("startup complete")
        page = next(line for line in self.lines if line.startswith("http://127.0.0.1:"))
        self.port = int(page.split("/")[2].partition(":")[2])
        return self

    def until(self, text: str) -> str:
        """The next line that holds a text."""
        while (line := self._said.get(timeout=START_SECONDS_MAX)) is not None:
            if text in line:
                return line
        raise AssertionError("the server ended:\n" + "\n".join(self.lines))

    @property
    def caller(self) -> Caller:
        """Requests without a token."""
        return Caller(self.port)

    @property
    def log(self) -> list[dict[str, Any]]:
        """The events of its log."""
        return [json.loads(line) for line in self.lines if line.startswith("{")]

    def tell(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def ended(self) -> int:
        """Its exit status, once it has ended."""
        status = self.process.wait(STOP_SECONDS_MAX)
        self._reader.join(STOP_SECONDS_MAX)
        return status

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Tell it to end, and wait for it."""
        self.tell(number)
        return self.ended()

    def close(self) -> None:
        """End it at once, if it is still there."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.ended()
        assert self.process.stderr is not None
        self.process.stderr.close()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
            self._said.put(self.lines[-1])
        self._said.put(None)


Serve = Callable[..., Served]


@frozen(kw_only=True)
class Books:
    """What a ledger holds: the keys of its commands in order, its number of batches, its balances by account."""

    keys: list[str]
    batches: int
    balances: dict[str, str]


@pytest.fixture
def stored() -> Callable[[str, str], Books]:
    """Reads a ledger of a database, all of which is verified first."""

    def read(database_url: str, ledger: str) -> Books:
        with open_store(database_url, settings=Settings()) as store:
            books = Ledger(store.journal(ledger))
            assert verify(books.journal).sound
            return Books(
                keys=[row.key for row in books.journal.read_rows(limit=100_000) if row.key],
                batches=books.state().batch,
                balances={each.path: str(each.posted) for each in books.balances()},
            )

    return read


@contextmanager
def _serving() -> Iterator[Serve]:
    started: list[Served] = []

    def serve(*arguments: str, program: str = PROGRAM, **environment: str) -> Served:
        started.append(Served(arguments, environment, program))
        return started[-1]

    try:
        yield serve
    finally:
        for served in started:
            served.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers with arguments and an environment, and ends them after the test."""
    with _serving() as serve:
        yield serve


@pytest.fixture(scope="module")
def serve_long() -> Iterator[Serve]:
    """Starts servers that the tests of a module share."""
    with _serving() as serve:
        yield serve


@pytest.fixture(scope="session")
def fresh_database(postgres_server: str) -> Iterator[Callable[[], str]]:
    """Makes migrated, empty databases and gives their URLs."""
    server = make_url(postgres_server)
    admin = connect(server.set(database="postgres").render_as_string(hide_password=False))
    made: list[str] = []
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:

        def make() -> str:
            made.append(f"served_{os.getpid()}_{next(_names)}")
            connection.execute(text(f"CREATE DATABASE {made[-1]} TEMPLATE ledgercore STRATEGY wal_log"))
            return server.set(database=made[-1], drivername="postgresql").render_as_string(hide_password=False)

        yield make
        for name in made:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def where(fresh_database: Callable[[], str]) -> dict[str, str]:
    """The environment of servers of one new database, where nothing but the database takes its time."""
    return {**CHEAP, "LEDGERCORE_DATABASE_URL": fresh_database()}


@pytest.fixture(scope="module")
def where_long(fresh_database: Callable[[], str]) -> dict[str, str]:
    """The same for servers that the tests of a module share."""
    return {**CHEAP, "LEDGERCORE_DATABASE_URL": fresh_database()}


@pytest.fixture(scope="module")
def served(serve_long: Serve, where_long: dict[str, str]) -> Served:
    """A server that the tests of a module share; each has people and ledgers of its own there."""
    return serve_long(**where_long).wait()


@pytest.fixture
def served_database(where_long: dict[str, str]) -> str:
    """The URL of the database of the shared server."""
    return where_long["LEDGERCORE_DATABASE_URL"]


@pytest.fixture
def alice(served: Served) -> Caller:
    """A new user of the shared server."""
    return served.caller.registered(f"alice-{next(_names)}@example.com")
