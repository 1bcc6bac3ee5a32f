"""The documentation pages in a real browser: they show every operation, and ask nobody but us."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from attrs import define, field

from ledgercore.errors import NotFoundError
from ledgercore_http.pages.assets import asset
from ledgercore_http.pages.html import PAGE_CSP, redoc_page, swagger_page

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
PATIENCE_SECONDS = 60

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium here; install one or name it in CHROMIUM"),
    pytest.mark.skipif(sys.platform == "win32", reason="drives the browser through inherited pipes"),
]

PAGES = {
    "/docs": swagger_page("/openapi.json", "/assets"),
    "/redoc": redoc_page("/openapi.json", "/assets"),
}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Bank of the test", "version": "1.0.0", "description": "Keeps **books**."},
    "servers": [{"url": "/"}],
    "tags": [{"name": "ledgers"}],
    "paths": {
        "/api/v1/ledgers": {
            "get": {
                "operationId": "list_ledgers",
                "summary": "List the ledgers",
                "tags": ["ledgers"],
                "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}}],
                "responses": {
                    "200": {
                        "description": "The ledgers",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ledgers"}}},
                    }
                },
            },
            "post": {
                "operationId": "create_ledger",
                "summary": "Create a ledger",
                "tags": ["ledgers"],
                "security": [{"bearer": []}],
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {"type": "object", "properties": {"name": {"type": ["string", "null"]}}},
                            "examples": {"shop": {"value": {"name": "shop"}}},
                        }
                    }
                },
                "responses": {"201": {"description": "Created"}},
            },
        }
    },
    "components": {
        "schemas": {"Ledgers": {"type": "array", "items": {"type": "string"}, "examples": [["shop"]]}},
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
    },
}


class _Get(BaseHTTPRequestHandler):
    server: "Server"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.server.asked.append(path)
        if path in PAGES:
            self._answer(PAGES[path], "text/html; charset=utf-8", **{"Content-Security-Policy": PAGE_CSP})
        elif path == "/openapi.json":
            self._answer(json.dumps(DOCUMENT).encode(), "application/json")
        elif path == "/api/v1/ledgers":
            self._answer(b'["a ledger from the server"]', "application/json")
        else:
            try:
                found = asset(path.removeprefix("/assets/"))
            except NotFoundError:
                self.send_error(404)
            else:
                self._answer(found.gzipped, found.content_type, **{"Content-Encoding": "gzip", "ETag": found.etag})

    def _answer(self, body: bytes, content_type: str, **headers: str) -> None:
        self.send_response(200)
        for name, value in {"Content-Type": content_type, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Serves the pages as the service does, and remembers what it was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Get)
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@define
class Page:
    """A tab of a browser, driven over the DevTools protocol; every event of it and its workers is kept."""

    send: Callable[[dict[str, Any]], None]
    receive: Callable[[], dict[str, Any]]
    session: str = ""
    events: list[dict[str, Any]] = field(factory=list)
    _answers: dict[int, dict[str, Any]] = field(factory=dict)
    _count: int = 0

    def call(self, method: str, *, session: str | None = None, **params: Any) -> Any:
        self._count += 1
        number = self._count
        session = self.session if session is None else session
        addressed = {"sessionId": session} if session else {}
        self.send({"id": number, "method": method, "params": params, **addressed})
        while number not in self._answers:
            self._take(self.receive())
        answer = self._answers.pop(number)
        assert "error" not in answer, answer
        return answer["result"]

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._answers[message["id"]] = message
            return
        self.events.append(message)
        if message["method"] == "Target.attachedToTarget" and self.session:
            # A worker waits until we hear what it asks for.
            for method in ("Network.enable", "Runtime.enable", "Runtime.runIfWaitingForDebugger"):
                self.call(method, session=message["params"]["sessionId"])

    def open_tab(self) -> None:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=True, flatten=True)

    def value(self, expression: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.value(f"Boolean({expression})"):
            if time.monotonic() > deadline:
                pytest.fail(
                    f"never came true: {expression}\n{self.value('document.body.innerText')}\n{self.complaints}"
                )
            time.sleep(0.05)

    def visit(self, address: str) -> None:
        self.call("Page.navigate", url=address)
        self.wait_for("document.readyState === 'complete'")

    @property
    def text(self) -> str:
        return str(self.value("document.body.innerText"))

    @property
    def requests(self) -> list[str]:
        """Every address that was asked over the network by the page or a worker of its."""
        kept_back = {
            event["params"]["requestId"]
            for event in self.events
            if event["method"] == "Network.loadingFailed" and event["params"].get("blockedReason") == "csp"
        }
        sent = [event["params"] for event in self.events if event["method"] == "Network.requestWillBeSent"]
        addresses = [each["request"]["url"] for each in sent if each["requestId"] not in kept_back]
        return [address for address in addresses if not address.startswith(("data:", "blob:", "about:"))]

    @property
    def complaints(self) -> list[str]:
        """Errors and warnings of the browser, refusals by the policy among them, and exceptions of scripts."""
        logged = [event["params"]["entry"] for event in self.events if event["method"] == "Log.entryAdded"]
        thrown = [event["params"] for event in self.events if event["method"] == "Runtime.exceptionThrown"]
        return [entry["text"] for entry in logged if entry["level"] in {"error", "warning"}] + [
            str(each["exceptionDetails"]) for each in thrown
        ]


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """A new tab of a new browser, which listens on descriptors 3 and 4 and ends with the block."""
    to_browser, from_us = os.pipe()
    to_us, from_browser = os.pipe()

    def take_their_places() -> None:
        # By way of copies: either may have the other's place.
        for place, copy in enumerate([os.dup(to_browser), os.dup(from_browser)], start=3):
            os.dup2(copy, place)

    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--no-proxy-server", "--remote-debugging-pipe", f"--user-data-dir={profile}",
    ]  # fmt: skip
    process = subprocess.Popen(
        command,
        preexec_fn=take_their_places,
        close_fds=False,  # only those two are inherited, as no other is made to be
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_browser)
    os.close(from_browser)
    with open(from_us, "wb") as sending, open(to_us, "rb") as receiving:

        def send(message: dict[str, Any]) -> None:
            sending.write(json.dumps(message).encode() + b"\0")
            sending.flush()

        def receive() -> dict[str, Any]:
            message = bytearray()
            while (byte := receiving.read(1)) != b"\0":
                assert byte, "the browser has ended"
                message += byte
            received: dict[str, Any] = json.loads(message)
            return received

        watchdog = threading.Timer(PATIENCE_SECONDS * 2, process.kill)
        watchdog.start()
        try:
            page = Page(send, receive)
            page.open_tab()
            yield page
            page.call("Browser.close", session="")
            process.wait(PATIENCE_SECONDS)
        finally:
            watchdog.cancel()
            process.kill()
            process.wait()


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with browser(tmp_path / "profile") as page:
        yield page


def test_swagger_ui_shows_every_operation_and_tries_one_out(server, page):
    page.visit(f"{server.address}/docs")
    page.wait_for("document.querySelectorAll('.opblock').length === 2")

    assert "Bank of the test" in page.text
    assert "List the ledgers" in page.text
    assert "Create a ledger" in page.text
    assert (
        page.value("getComputedStyle(document.querySelector('.opblock-summary-method')).color") == "rgb(255, 255, 255)"
    )

    page.value("document.querySelector('.opblock-get .opblock-summary-control').click()")
    page.wait_for("document.querySelector('.try-out__btn')")
    page.value("document.querySelector('.try-out__btn').click()")
    page.wait_for("document.querySelector('.execute')")
    page.value("document.querySelector('.execute').click()")
    page.wait_for("document.body.innerText.includes('a ledger from the server')")

    assert page.complaints == []
    assert {urlsplit(address).netloc for address in page.requests} == {urlsplit(server.address).netloc}
    assert set(server.asked) == {
        "/docs", "/openapi.json", "/assets/swagger-ui.css", "/assets/swagger-ui-bundle.js", "/assets/swagger-init.js",
        "/api/v1/ledgers",
    }  # fmt: skip


def test_redoc_shows_every_operation_and_finds_one(server, page):
    page.visit(f"{server.address}/redoc")
    page.wait_for("document.querySelectorAll('[data-section-id*=\"operation/\"]').length >= 2")

    assert "Bank of the test" in page.text
    assert "List the ledgers" in page.text
    assert "Create a ledger" in page.text

    # The search runs in the worker.
    page.value(
        """{
            const box = document.querySelector('input[type=text]');
            Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(box, 'create');
            box.dispatchEvent(new Event('input', {bubbles: true}));
            box.dispatchEvent(new KeyboardEvent('keyup', {bubbles: true, key: 'e'}));
        }"""
    )
    page.wait_for("document.querySelector('[data-role=\"search:results\"]')?.innerText.includes('Create a ledger')")

    page.wait_for("!document.querySelector('img[src^=http]')")
    [refused] = page.complaints  # its maker's logo, which is left out
    assert "logo-mini.svg" in refused
    assert "Content Security Policy" in refused
    assert set(server.asked) == {"/redoc", "/openapi.json", "/assets/redoc.standalone.js", "/assets/redoc-init.js"}
    assert {urlsplit(address).netloc for address in page.requests} == {urlsplit(server.address).netloc}


def test_what_the_policy_keeps_back_is_told_from_what_goes_out(server, page):
    """The checks above can fail."""
    page.visit(f"{server.address}/docs")
    page.value("fetch('http://127.0.0.1:9/kept-back').catch(() => 0)")
    page.visit(f"{server.address}/openapi.json")  # has no policy
    page.value("fetch('http://127.0.0.1:9/gone-out').catch(() => 0)")

    assert any("Content Security Policy" in complaint for complaint in page.complaints)
    assert "http://127.0.0.1:9/gone-out" in page.requests
    assert "http://127.0.0.1:9/kept-back" not in page.requests
