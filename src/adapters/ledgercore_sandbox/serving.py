"""The sandbox over HTTP: an application, and a server of it in a thread."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Thread
from typing import Any, Final, Protocol

import msgspec
from attrs import frozen
from litestar import Litestar, Request, Response
from litestar.enums import MediaType
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Method
from uvicorn import Config, Server

from ledgercore.clock import Clock
from ledgercore_sandbox.bank import SandboxBank, make_bank
from ledgercore_sandbox.berlin_group import BerlinGroupApi
from ledgercore_sandbox.calls import Answer, Call, Refusal, Route
from ledgercore_sandbox.control import Control
from ledgercore_sandbox.control_api import ControlApi
from ledgercore_sandbox.faults import INSTEAD, FaultKind
from ledgercore_sandbox.monzo import MonzoApi

BODY_BYTES_MAX: Final = 64 * 1024
DRAIN_SECONDS: Final = 1
BACKLOG: Final = 128
_INSTEAD: Final = {
    FaultKind.TOO_MANY_REQUESTS: (429, "Too many requests"),
    FaultKind.SERVER_ERROR: (500, "Something went wrong"),
    FaultKind.TIMEOUT: (504, "Took too long"),
}


class Api(Protocol):
    """One of the ways to talk to the bank: paths that begin with `prefix`."""

    @property
    def prefix(self) -> str:
        """What all its paths begin with."""
        ...

    def routes(self) -> list[Route]:
        """Every method and path that there is."""
        ...

    def refuse(self, refusal: Refusal, call: Call) -> Answer:
        """A refusal as this API tells it."""
        ...

    def refusal_of(self, status: int, text: str) -> Refusal:
        """A refusal for a status alone."""
        ...


@frozen(kw_only=True)
class Sandbox:
    """A running sandbox: where it is, and what moves it."""

    url: str
    control: Control

    @property
    def monzo_url(self) -> str:
        """Where the Monzo-shaped API begins."""
        return f"{self.url}/monzo"

    @property
    def berlin_group_url(self) -> str:
        """What comes before `/v1` of the Berlin-Group-shaped API."""
        return f"{self.url}/bg"


def system_clock() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


def create_sandbox(
    *,
    clock: Clock = system_clock,
    seed: int = 1,
    customers: int = 1,
    accounts: int = 1,
    transactions: int = 50,
) -> ASGIApp:
    """An ASGI application with a bank of its own.

    Each customer has so many accounts at each face of the bank, and each account so many transactions.
    """
    bank = make_bank(clock=clock, seed=seed, customers=customers, accounts=accounts, transactions=transactions)
    return _application(bank)


@contextmanager
def running_sandbox(
    *,
    clock: Clock = system_clock,
    seed: int = 1,
    customers: int = 1,
    accounts: int = 1,
    transactions: int = 50,
) -> Iterator[Sandbox]:
    """A sandbox served on a free port of this machine until the block ends; see `create_sandbox`."""
    bank = make_bank(clock=clock, seed=seed, customers=customers, accounts=accounts, transactions=transactions)
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listening:
        server = Server(server_config(_application(bank)))
        # Whoever connects before the server runs waits in the backlog.
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, name="sandbox")
        thread.start()
        try:
            yield Sandbox(url=f"http://127.0.0.1:{listening.getsockname()[1]}", control=Control(bank))
        finally:
            server.should_exit = True
            thread.join()


def server_config(app: ASGIApp) -> Config:
    """How a sandbox is served."""
    return Config(
        app,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def _application(bank: SandboxBank) -> ASGIApp:
    apis: list[Api] = [MonzoApi(bank), BerlinGroupApi(bank), ControlApi(Control(bank))]

    def unrouted(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        call = _call(request, b"")
        api = next((each for each in apis if call.path.startswith(each.prefix)), apis[-1])
        status, text = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "Broken")
        return _response(api.refuse(api.refusal_of(status, text), call))

    return Litestar(
        [_endpoint(route, api, bank) for api in apis for route in api.routes()],
        openapi_config=None,
        logging_config=None,
        request_max_body_size=BODY_BYTES_MAX,
        exception_handlers={Exception: unrouted},
    )


def _endpoint(route: Route, api: Api, bank: SandboxBank) -> HTTPRouteHandler:
    async def endpoint(request: Request[Any, Any, Any]) -> Response[Any]:
        call = _call(request, await request.body())
        with bank.lock:
            fault = None if isinstance(api, ControlApi) else bank.faults.take(call.path, INSTEAD)
        if fault is not None:
            if fault.kind is FaultKind.GARBAGE:
                return Response("<html>Down for maintenance", media_type=MediaType.HTML)
            if fault.kind is FaultKind.TIMEOUT:
                await asyncio.sleep(fault.seconds)
            refusal = api.refusal_of(*_INSTEAD[fault.kind])
            if fault.kind is FaultKind.TOO_MANY_REQUESTS:
                refusal.headers["Retry-After"] = str(fault.seconds)
            return _response(api.refuse(refusal, call))
        with bank.lock:
            try:
                return _response(route.answer(call))
            except Refusal as refusal:
                return _response(api.refuse(refusal, call))

    path = route.path.replace("}", ":str}")
    method: Method = route.method  # type: ignore[assignment]
    return HTTPRouteHandler(path, http_method=method, status_code=200)(endpoint)


def _call(request: Request[Any, Any, Any], body: bytes) -> Call:
    # A proxy in front tells the name that callers know us by; nothing but links is made of it.
    authority = request.headers.get("x-forwarded-host") or request.base_url.netloc
    return Call(
        path=request.scope["path"],
        parameters=dict(request.path_params),
        query=dict(request.query_params.items()),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        origin=f"{request.base_url.scheme}://{authority}",
        peer=request.client.host if request.client else "",
    )


def _response(answer: Answer) -> Response[Any]:
    if answer.page is not None:
        return Response(answer.page, status_code=answer.status, media_type=MediaType.HTML, headers=dict(answer.headers))
    body = b"" if answer.document is None else msgspec.json.encode(answer.document)
    return Response(body, status_code=answer.status, media_type=MediaType.JSON, headers=dict(answer.headers))
