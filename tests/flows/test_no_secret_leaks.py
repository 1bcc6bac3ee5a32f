"""The whole story with a marker in every secret, and all going wrong that can: no marker is told anywhere."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from standardwebhooks.webhooks import Webhook
from websockets import Subprotocol
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as open_socket

from ledgercore.events.relaying import RELAY_JOB
from ledgercore.jobs.jobs import NewJob
from ledgercore_postgres import PostgresWorkStore, connect
from ledgercore_sandbox import CLIENT_ID, CLIENT_SECRET, Sandbox, running_sandbox

pytestmark = pytest.mark.slow
PROGRAM = "from ledgercore_app.cli import main; main()"
SECONDS_MAX = 30
STORED = (
    "users", "sessions", "service_tokens", "audit", "answers", "jobs", "events", "webhook_endpoints",
    "webhook_deliveries", "webhooks_received", "banks", "bank_logins", "bank_consents",
)  # fmt: skip
"""Tables that have something in them at the end of the story."""


def marker(length: int = 24) -> str:
    """A secret that is nowhere by chance."""
    return secrets.token_hex(length)


class Outside(ThreadingHTTPServer):
    """A bank before the sandbox, and a receiver of webhooks: repeats what it was told in confidence, when it fails.

    `lies` are the statuses of failures to come, by a part of the path; `heard` are all secrets that it was told.
    """

    daemon_threads = True

    def __init__(self, sandbox: Sandbox, client_secret: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sandbox = sandbox
        self.client_secret = client_secret
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.lies: list[tuple[str, int]] = []
        self.heard: dict[str, str] = {}
        self.hooks = 0

    def lie_about(self, path: str) -> int | None:
        """The status of the failure that is due on a path."""
        for lie in self.lies:
            if lie[0] in path:
                self.lies.remove(lie)
                return lie[1]
        return None


class _Handler(BaseHTTPRequestHandler):
    server: Outside

    def do_GET(self) -> None:
        self.forward()

    def do_POST(self) -> None:
        self.forward()

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        told = self.secrets_in(body)
        self.server.heard |= {f"{name} {value[:8]}": value for name, value in told.items()}
        status = self.server.lie_about(self.path)
        if status is not None:
            self.repeat(status, body, told)
        elif self.path.startswith("/hook"):
            self.server.hooks += 1
            self.answer(200, {}, b"")
        else:
            self.pass_on(body)

    def secrets_in(self, body: bytes) -> dict[str, str]:
        told: dict[str, str] = {}
        if self.path.startswith("/hook"):
            return {"signature": self.headers["webhook-signature"].split()[0].removeprefix("v1,")}
        form = {name: found[0] for name, found in parse_qs(body.decode()).items()}
        told |= {name: form[name] for name in ("code", "code_verifier", "refresh_token") if name in form}
        bearer = self.headers.get("authorization", "").removeprefix("Bearer ")
        return {**told, "access_token": bearer} if bearer else told

    def repeat(self, status: int, body: bytes, told: dict[str, str]) -> None:
        """A failure whose answer holds what was asked, where programs look for the name of what went wrong."""
        said = next(iter(told.values()), "")
        document = {"code": said, "error": said, "message": f"{told} {body.decode()} {self.headers.as_string()}"}
        self.answer(status, {"location": f"/{said}", "x-said": said}, json.dumps(document).encode())

    def pass_on(self, body: bytes) -> None:
        sent = body.replace(self.server.client_secret.encode(), CLIENT_SECRET.encode())
        headers = {name: self.headers[name] for name in ("authorization", "content-type") if name in self.headers}
        with closing(http.client.HTTPConnection(urlsplit(self.server.sandbox.url).netloc, timeout=30)) as bank:
            bank.request(self.command, self.path, sent or None, headers)
            answer = bank.getresponse()
            self.answer(answer.status, {"content-type": answer.headers["content-type"]}, answer.read())

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def outside() -> Iterator[Outside]:
    """A bank and a receiver that cannot keep a secret."""
    with running_sandbox(transactions=10) as sandbox, Outside(sandbox, marker()) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def hidden() -> dict[str, str]:
    """Every secret of the deployment by its name; the story adds those that come up in it."""
    return {
        "LEDGERCORE_SECRET": marker(32),
        "LEDGERCORE_PREVIOUS_SECRETS": marker(32),
        "LEDGERCORE_PAYMENT_WEBHOOK_SECRET": marker(),
        "LEDGERCORE_BANK_WEBHOOK_SECRET": f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}",
        "database password": marker(),
        "password": f"P4$ {marker()}",
        "wrong password": f"P4$ {marker()}",
        "token in an address": marker(),
        "wrong token": marker(),
        "wrong signature": marker(32),
    }


@pytest.fixture
def environment(where: dict[str, str], hidden: dict[str, str]) -> Iterator[dict[str, str]]:
    """Settings with all of that, and logs that tell as much as they can."""
    url = make_url(where["LEDGERCORE_DATABASE_URL"])
    engine = connect(where["LEDGERCORE_DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(text(f"CREATE ROLE keeper SUPERUSER LOGIN PASSWORD '{hidden['database password']}'"))
    url = url.set(username="keeper", password=hidden["database password"])
    yield {
        **where,
        **{name: value for name, value in hidden.items() if name.isupper()},
        "LEDGERCORE_DATABASE_URL": url.render_as_string(hide_password=False),
        "LEDGERCORE_PRIVATE_ADDRESSES": "allowed",
        "LEDGERCORE_LOG_LEVEL": "debug",
    }
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'keeper'"))
        connection.execute(text("DROP ROLE keeper"))
    engine.dispose()


@pytest.fixture
def store(where: dict[str, str]) -> Iterator[PostgresWorkStore]:
    """Units of work in the database of it all."""
    engine = connect(where["LEDGERCORE_DATABASE_URL"])
    yield PostgresWorkStore(engine, clock=lambda: datetime.now(UTC))
    engine.dispose()


def programs_environment(environment: dict[str, str]) -> dict[str, str]:
    return {**{name: value for name, value in os.environ.items() if not name.startswith("LEDGERCORE_")}, **environment}


def run(environment: dict[str, str], *arguments: str, **more: str) -> tuple[Any, str]:
    """A command's document, and all that it printed."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments, "--json"],
        capture_output=True, text=True, timeout=60, env=programs_environment({**environment, **more}),
    )  # fmt: skip
    printed = done.stdout + done.stderr
    return json.loads(done.stdout or "null"), printed


@contextmanager
def working(environment: dict[str, str]) -> Iterator[list[str]]:
    """A worker; gives the lines of its log, all of them once it has ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "worker"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=programs_environment(environment),
    )  # fmt: skip
    assert process.stderr is not None
    lines: list[str] = []
    reader = threading.Thread(target=lines.extend, args=(process.stderr,), daemon=True)
    reader.start()
    try:
        yield lines
    finally:
        process.terminate()
        process.wait(SECONDS_MAX)
        reader.join(SECONDS_MAX)
        process.stderr.close()


def until(reached: Callable[[], Any]) -> Any:
    """Wait for something that comes, and give it."""
    end = time.monotonic() + SECONDS_MAX
    while not (found := reached()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
    return found


def until_synced(log: list[str], outcome: str) -> None:
    """Wait until a worker tells that a synchronisation ended so."""
    until(lambda: any(f"job {outcome}" in line and "sync_bank_login" in line for line in list(log)))


def hits(hidden: dict[str, str], told: str) -> list[str]:
    """The names of secrets that a text holds, as they are or spelled in another way."""
    found = []
    for name, value in hidden.items():
        bare = value.removeprefix("whsec_")
        spelled = {bare, bare.encode().hex(), base64.b64encode(bare.encode()).decode().rstrip("=")}
        if any(each in told for each in spelled):
            found.append(name)
    return found


def dump(url: str) -> dict[str, str]:
    """Every table of a database as text."""
    engine = connect(url)
    with engine.connect() as connection:
        names = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
        tables = {
            name: "\n".join(connection.execute(text(f'SELECT t::text FROM "{name}" t')).scalars()) for name in names
        }
    engine.dispose()
    return tables


class Story:
    """Who does what, over HTTP; `answers` are all bodies and headers but those that show a secret once."""

    def __init__(self, caller: Any, hidden: dict[str, str]) -> None:
        self.caller = caller
        self.hidden = hidden
        self.answers: list[str] = []

    def ask(self, method: str, path: str, body: Any = None, *, status: int, shows: bool = False, **headers: Any) -> Any:
        """An answer's document; one that shows a secret once is not kept."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.caller.request(method, path, body, headers=told)
        assert answer.status == status, (method, path, answer)
        if not shows:
            self.answers.append(
                f"{method} {path.partition('?')[0]} {answer.headers.as_string()} {answer.body.decode()}"
            )
        return json.loads(answer.body)

    def enter(self, email: str, *, status: int = 200) -> None:
        """Log in, and act so from now on."""
        told = self.ask("POST", "/auth/login", {"email": email, "password": self.hidden["password"]},
                        status=status, shows=True)["data"]  # fmt: skip
        self.hidden |= {f"{name} {email}": told[name] for name in ("access_token", "refresh_token")}
        self.caller = self.caller.as_(told["access_token"])

    def begin(self, branch_id: str, username: str = "alice") -> tuple[str, dict[str, str]]:
        """Connect a bank up to the moment when it sends the user back."""
        asked = {"bank_branch_id": branch_id, "username": username}
        begun = self.ask(
            "POST", "/bank-logins", asked, status=201, shows=True, Idempotency_Key=f"begin-{secrets.token_hex(4)}"
        )["data"]
        url = urlsplit(begun["authorization_url"])
        with closing(http.client.HTTPConnection(url.netloc, timeout=30)) as bank:
            bank.request("GET", f"{url.path}?{url.query}&auto=yes")
            back = bank.getresponse().headers["location"]
        told = {name: found[0] for name, found in parse_qs(urlsplit(back).query).items()}
        self.hidden |= {f"{name} {value[:8]}": value for name, value in told.items()}
        login_id: str = begun["id"]
        return login_id, told


def test_no_secret_is_told_anywhere(serve, environment, where, store, hidden, outside: Outside) -> None:
    """Not in logs, answers, problems, events, jobs, the audit log, the delivery log, or any table."""
    hidden["client secret"] = outside.client_secret
    added, printed = run(
        environment, "bank", "add", "SANDBOX", "--name", "Sandbox", "--country", "GB", "--branch", "Main",
        "--integration", "monzo", "--api-url", f"{outside.url}/monzo", "--client-id", CLIENT_ID,
        "--authorize-url", f"{outside.sandbox.monzo_url}/authorize", BANK_CLIENT_SECRET=outside.client_secret,
    )  # fmt: skip
    branch_id = added["branches"][0]["id"]
    server = serve(**environment).wait()
    story = Story(server.caller, hidden)

    # Who they are, with all that may be wrong about it.
    person = {"email": "a@example.com", "full_name": "A B", "password": hidden["password"],
              "password_confirmation": hidden["password"]}  # fmt: skip
    story.ask("POST", "/users", person, status=201, Idempotency_Key="register")
    story.ask("POST", "/users", person, status=409)
    story.ask("POST", "/auth/login", {"email": "a@example.com", "password": hidden["wrong password"]}, status=401)
    story.enter("a@example.com")
    used = hidden["refresh_token a@example.com"]
    fresh = story.ask("POST", "/auth/refresh", {"refresh_token": used}, status=200, shows=True)["data"]
    hidden |= {f"{name} refreshed": fresh[name] for name in ("access_token", "refresh_token")}
    story.ask("POST", "/auth/refresh", {"refresh_token": used}, status=401)
    story.enter("a@example.com")
    story.ask("GET", "/profile", status=401, Authorization=f"Bearer {hidden['wrong token']}")
    story.ask("GET", f"/profile?token={hidden['token in an address']}", status=400)
    token = story.ask(
        "POST", "/tokens", {"name": "robot", "scopes": ["payments:read"]}, status=201, shows=True, Idempotency_Key="t"
    )["data"]
    hidden["service token"] = token["key"]

    # Listening, with tokens in the right place and the wrong one.
    address = f"ws://127.0.0.1:{server.port}/api/v1/socket"
    with open_socket(address) as socket:
        socket.send(json.dumps({"event": "join", "token": story.caller.token}))
        assert json.loads(socket.recv(SECONDS_MAX))["event"] == "payment_connected"
    with open_socket(address, additional_headers={"Authorization": f"Bearer {hidden['service token']}"}) as socket:
        socket.recv(SECONDS_MAX)
    offered = [Subprotocol("ledgercore"), Subprotocol(f"bearer.{hidden['wrong token']}")]
    with open_socket(address, subprotocols=offered) as socket:
        story.answers.append(str(socket.recv(SECONDS_MAX)))
    with suppress(InvalidStatus), open_socket(f"{address}?token={hidden['token in an address']}"):
        pass
    story.ask("GET", f"/events/stream?token={hidden['token in an address']}", status=400)

    # A bank that says no, does not know the code, fails, and at last lets us in.
    _, told = story.begin(branch_id)
    story.ask("GET", f"/bank-logins/callback?state={told['state']}&error=access_denied", status=422)
    for lie, status in ((400, 422), (401, 422), (500, 503), (302, 503)):
        outside.lies.append(("/oauth2/token", lie))
        _, told = story.begin(branch_id)
        story.ask("GET", f"/bank-logins/callback?state={told['state']}&code={told['code']}", status=status)
    for username in ("alice", "alice2"):
        login_id, told = story.begin(branch_id, username)
        story.ask("GET", f"/bank-logins/callback?state={told['state']}&code={told['code']}", status=200)
        story.ask("GET", f"/bank-logins/callback?state={told['state']}&code={told['code']}", status=400)

    story.begin(branch_id, "alice3")

    # Webhooks out and in.
    made = story.ask("POST", "/webhook-endpoints", {"url": f"{outside.url}/hook"}, status=201, shows=True,
                     Idempotency_Key="hook")["data"]  # fmt: skip
    hidden["webhook secret"] = made["secret"]
    path = f"/webhook-endpoints/{made['id']}"
    hidden["rotated secret"] = story.ask("POST", f"{path}/rotate", status=200, shows=True)["data"]["secret"]
    report = {"payment_id": login_id, "status": "completed", "amount": 1, "id": "1", "timestamp": int(time.time())}
    body = json.dumps(report).encode()
    signature = hmac.new(hidden["LEDGERCORE_PAYMENT_WEBHOOK_SECRET"].encode(), body, hashlib.sha256).hexdigest()
    hidden["incoming signature"] = signature
    json_type: dict[str, Any] = {"Content_Type": "application/json"}
    signed = {**json_type, "X_Webhook_Signature": f"sha256={signature}"}
    wrong = {**json_type, "X_Webhook_Signature": f"sha256={hidden['wrong signature']}"}
    story.ask("POST", "/webhooks/payments", body, status=401, **wrong)
    story.ask("POST", "/webhooks/payments", body, status=200, **signed)
    synced = json.dumps({"user_id": login_id, "bank_id": added["id"], "accounts_synced": 1}).encode()
    now = datetime.now(UTC)
    by_standard = {
        **json_type, "Webhook_Id": "2", "Webhook_Timestamp": str(int(now.timestamp())),
        "Webhook_Signature": Webhook(hidden["LEDGERCORE_BANK_WEBHOOK_SECRET"]).sign("2", now, synced.decode()),
    }  # fmt: skip
    story.ask("POST", "/webhooks/banks", synced, status=200, **by_standard)

    # A worker whose bank and receiver fail, and say why in our own words. Of the two logins one is refused.
    outside.lies += [("/monzo/accounts", 403), ("/monzo/accounts", 500), ("/monzo/accounts", 401), ("/hook", 500)]
    with working(environment) as worker_log:
        for outcome in ("dead_letter", "success"):
            until_synced(worker_log, outcome)
        with store.begin() as work:
            work.jobs.enqueue([NewJob(kind=RELAY_JOB)])
        until(lambda: outside.hooks and not outside.lies)
    _, told_jobs = run(environment, "job", "list")
    story.ask("GET", f"{path}/deliveries", status=200)
    for each in ("/bank-logins", f"/bank-logins/{login_id}", "/accounts", "/webhook-endpoints", "/tokens", "/profile"):
        story.ask("GET", each, status=200)
    story.ask("DELETE", f"/bank-logins/{login_id}", status=200)
    _, told_audit = run(environment, "audit", "list", "--limit", "1000")
    server.stop()
    hidden |= outside.heard

    assert {name.partition(" ")[0] for name in outside.heard} == {
        "code", "code_verifier", "access_token", "refresh_token", "signature"
    }  # fmt: skip
    assert len([name for name in outside.heard if name.startswith("access_token")]) >= 2
    tables = dump(where["LEDGERCORE_DATABASE_URL"])
    assert all(tables[name] for name in STORED)
    told_where = {
        "server log": "\n".join(server.lines),
        "worker log": "\n".join(worker_log),
        "command line": printed + told_jobs + told_audit,
        **{f"answer {number}": answer for number, answer in enumerate(story.answers)},
        **{f"table {name}": rows for name, rows in tables.items()},
    }
    assert {place: found for place, told in told_where.items() if (found := hits(hidden, told))} == {}
