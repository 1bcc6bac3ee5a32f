"""Live updates over server-sent events and over a WebSocket; beside the table, since their answers never end."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
from litestar import Request, WebSocket
from litestar.exceptions import WebSocketDisconnect
from litestar.handlers import HTTPRouteHandler, WebsocketRouteHandler
from litestar.response import Stream

from ledgercore.errors import AuthenticationError, LedgercoreError, ValidationError, shortened
from ledgercore.errors.catalog import INVALID_ARGUMENT, INVALID_TOKEN
from ledgercore.events.events import StoredEvent
from ledgercore.events.live import PAYMENT, live_document
from ledgercore.identity.audit import Actor
from ledgercore_http.live import Listener, Live
from ledgercore_http.parameters import read_place
from ledgercore_http.ports import Service

STREAM_PATH: Final = "/events/stream"
SOCKET_PATH: Final = "/socket"
HEARTBEAT_SECONDS: Final = 15.0
JOIN_SECONDS: Final = 10.0
PROTOCOL: Final = "ledgercore"
TOKEN_PROTOCOL: Final = "bearer."
UNAUTHENTICATED: Final = 4401
REFUSED: Final = 4403
_HELLO: Final = b"retry: 2000\n\n"
_HEARTBEAT: Final = b": still here\n\n"


def live_handlers(service: Service, prefixes: tuple[str, ...]) -> list[HTTPRouteHandler | WebsocketRouteHandler]:
    """The stream and the socket under each prefix."""
    live = Live(service)

    async def stream_events(request: Request[Any, Any, Any]) -> Stream:
        after = _place(request.headers.get("last-event-id"))
        listener = await live.admit(_bearer(request), actor=_actor(request.scope))
        # A server that is about to end does not wait for it.
        request.scope["state"]["endless"] = True
        headers = {"X-Accel-Buffering": "no"}
        return Stream(_stream(live, listener, after), media_type="text/event-stream", headers=headers)

    async def talk(socket: WebSocket[Any, Any, Any]) -> None:
        await _Conversation(socket, live).hold()

    return [
        HTTPRouteHandler([prefix + STREAM_PATH for prefix in prefixes], http_method="GET", status_code=200)(
            stream_events
        ),
        WebsocketRouteHandler([prefix + SOCKET_PATH for prefix in prefixes])(talk),
    ]


async def _stream(live: Live, listener: Listener, after: int | None) -> AsyncIterator[bytes]:
    yield _HELLO
    try:
        async for stored in live.events(listener, after, seconds=HEARTBEAT_SECONDS):
            yield _HEARTBEAT if stored is None else _message(stored)
    except LedgercoreError as error:
        yield b"event: end\ndata: " + msgspec.json.encode({"code": error.code}) + b"\n\n"


def _message(stored: StoredEvent) -> bytes:
    head = f"id: {stored.number}\nevent: {stored.event.type}\ndata: "
    return head.encode() + msgspec.json.encode(live_document(stored)) + b"\n\n"


def _place(told: str | None) -> int | None:
    return None if told is None else read_place(told, "Last-Event-ID")


def _bearer(request: Request[Any, Any, Any]) -> str:
    if request.scope["query_string"]:
        raise ValidationError(INVALID_ARGUMENT, field="query", why="it has no parameters; the token is in a header")
    token = _token_in(request.headers.getall("authorization", []))
    if token is None:
        raise AuthenticationError(INVALID_TOKEN, why="one header `Authorization: Bearer <token>` is expected")
    return token


def _token_in(values: list[str]) -> str | None:
    scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _actor(scope: Any) -> Actor:
    state = scope["state"]
    return Actor(name="anonymous", source=state["address"], correlation_id=state["correlation_id"])


class _Conversation:
    """One socket: a token, then `payment_connected`, then events as they happen; `ping` is answered with `pong`.

    Messages are JSON objects with `event` and `data`. The token is in the header `Authorization`, among the
    protocols as `bearer.<token>` beside `ledgercore`, or in the first message: `{"event": "join", "token": …}`.
    """

    def __init__(self, socket: "WebSocket[Any, Any, Any]", live: Live) -> None:
        self._socket = socket
        self._live = live

    async def hold(self) -> None:
        """Talk until either side ends it."""
        socket = self._socket
        if socket.scope["query_string"]:
            # Whatever is in an address ends up in logs, if not in ours.
            socket.scope["query_string"] = b""
            await socket.close(REFUSED, "no parameters")
            return
        offered = [name.strip() for name in socket.headers.get("sec-websocket-protocol", "").split(",")]
        await socket.accept(subprotocols=PROTOCOL if PROTOCOL in offered else None)
        try:
            token = _token_in(socket.headers.getall("authorization", []))
            token = token or next(
                (name[len(TOKEN_PROTOCOL) :] for name in offered if name.startswith(TOKEN_PROTOCOL)), None
            )
            listener = await self._live.admit(token or await self._first_message(), actor=_actor(socket.scope))
            await self._talk(listener)
        except LedgercoreError as error:
            await self._say("payment_error", {"code": error.code})
            await socket.close(UNAUTHENTICATED, error.code)
        except WebSocketDisconnect:
            return

    async def _first_message(self) -> str:
        try:
            async with asyncio.timeout(JOIN_SECONDS):
                message = await self._hear()
        except TimeoutError as error:
            raise AuthenticationError(INVALID_TOKEN, why="the first message did not come in time") from error
        token = message.get("token")
        if message.get("event") != "join" or not isinstance(token, str):
            raise AuthenticationError(INVALID_TOKEN, why="the first message is to be join with a token")
        return token

    async def _talk(self, listener: Listener) -> None:
        """Tell and answer at once, until one of the two ends."""
        telling, answering = asyncio.create_task(self._tell(listener)), asyncio.create_task(self._answer())
        try:
            done, _ = await asyncio.wait({telling, answering}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (telling, answering):
                task.cancel()
            await asyncio.gather(telling, answering, return_exceptions=True)
        await self._socket.close()

    async def _tell(self, listener: Listener) -> None:
        events = self._live.events(listener, None, seconds=HEARTBEAT_SECONDS)
        await anext(events)
        await self._say("payment_connected", {"user_id": str(listener.user_id)})
        async for stored in events:
            if stored is not None:
                name = "payment_status_update" if stored.event.type.startswith(PAYMENT) else "balance_update"
                await self._say(name, live_document(stored))

    async def _answer(self) -> None:
        while True:
            message = await self._hear()
            if message.get("event") == "ping":
                await self._say("pong", {})
            else:
                await self._say(
                    "payment_error", {"code": INVALID_ARGUMENT.code, "event": shortened(message.get("event"))}
                )

    async def _hear(self) -> dict[str, Any]:
        try:
            message = msgspec.json.decode(await self._socket.receive_text())
        except (msgspec.DecodeError, ValueError, RecursionError):
            return {}
        return message if isinstance(message, dict) else {}

    async def _say(self, event: str, data: Any) -> None:
        await self._socket.send_text(msgspec.json.encode({"event": event, "data": data}).decode())
