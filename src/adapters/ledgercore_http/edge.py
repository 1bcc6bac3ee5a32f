"""The edge: what holds for every request and every answer, whatever is in between."""

import ipaddress
import re
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from litestar.types import ASGIApp, Message, Receive, Send

from ledgercore.errors import LedgercoreError, ValidationError
from ledgercore.errors.catalog import REQUEST_HEADER_FIELDS_TOO_LARGE, UNSUPPORTED_API_VERSION, URI_TOO_LONG
from ledgercore.rate_limits import Taken
from ledgercore_http.answers import Answer
from ledgercore_http.failures import problem_answer, reason_of
from ledgercore_http.ports import Service

JSON_CSP: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    # What browsers once did under this name could be abused; switched off as OWASP advises.
    (b"x-xss-protection", b"0"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"permissions-policy", b"geolocation=(), microphone=(), camera=()"),
)
HSTS: Final = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
NO_STORE: Final = (b"cache-control", b"no-store")
API_VERSIONS: Final = (b"1", b"1.0", b"v1")
_CORRELATION: Final = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


class Edge:
    """Names each request, refuses what is oversized, and completes every answer's headers; ASGI.

    `drain` finishes what was accepted; it may wait for the database.
    """

    def __init__(self, app: ASGIApp, service: Service, *, drain: Callable[[], None]) -> None:
        self._app = app
        self.drain = drain
        self._service = service
        self._always = (*SECURITY_HEADERS, HSTS) if service.production else SECURITY_HEADERS
        self._trusted = [ipaddress.ip_network(network) for network in service.trusted_proxies]

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Pass a request on to the application."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers: Sequence[tuple[bytes, bytes]] = list(scope["headers"])
        correlation_id = self._correlation_id(headers)
        state: dict[str, Any] = scope.setdefault("state", {})
        state["correlation_id"] = correlation_id
        state["address"] = self._address(scope, headers)
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def complete(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = self._completed(message.get("headers", ()), state)
            await send(message)

        telemetry = self._service.telemetry
        telemetry.request_started()
        try:
            refusal = self._refusal(scope, headers)
            if refusal is not None:
                state["reason"] = refusal.code
                await _send(self._problem(refusal, correlation_id), complete)
            else:
                await self._app(scope, receive, complete)
        finally:
            telemetry.request_finished(
                scope["method"],
                state.get("route"),
                status,
                time.perf_counter() - started,
                correlation_id=correlation_id,
                principal_kind=state.get("principal_kind"),
                reason=state.get("reason"),
                principal=state.get("principal"),
                client=state["address"],
            )

    def _refusal(self, scope: Any, headers: Sequence[tuple[bytes, bytes]]) -> LedgercoreError | None:
        limits = self._service.limits
        length = len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"]) + 1
        if length > limits.url_bytes:
            return ValidationError(URI_TOO_LONG, bytes=length, bytes_max=limits.url_bytes)
        size = sum(len(name) + len(value) + 4 for name, value in headers)
        if size > limits.header_bytes:
            return ValidationError(REQUEST_HEADER_FIELDS_TOO_LARGE, bytes=size, bytes_max=limits.header_bytes)
        for name, value in headers:
            if name == b"x-api-version" and value not in API_VERSIONS:
                return ValidationError(UNSUPPORTED_API_VERSION, version=value[:20].decode("latin-1"), supported=["1"])
        return None

    def _problem(self, error: LedgercoreError, correlation_id: str) -> Answer:
        return problem_answer(reason_of(error), correlation_id=correlation_id, clock=self._service.clock)

    def _correlation_id(self, headers: Sequence[tuple[bytes, bytes]]) -> str:
        for name, value in headers:
            if name == b"x-correlation-id" and _CORRELATION.fullmatch(value):
                return value.decode()
        return self._service.random_bytes(16).hex()

    def _address(self, scope: Any, headers: Sequence[tuple[bytes, bytes]]) -> str:
        """The last address on the way that is none of our own proxies."""
        peer = (scope.get("client") or ("", 0))[0] or "local"
        if not self._trusted or not self._is_trusted(peer):
            return str(peer)
        forwarded = b",".join(value for name, value in headers if name == b"x-forwarded-for").decode("latin-1")
        hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
        for hop in reversed(hops):
            if not _is_address(hop):
                break
            peer = hop
            if not self._is_trusted(hop):
                break
        return str(peer)

    def _is_trusted(self, address: str) -> bool:
        return _is_address(address) and any(ipaddress.ip_address(address) in network for network in self._trusted)

    def _completed(self, headers: Any, state: dict[str, Any]) -> list[tuple[bytes, bytes]]:
        completed = [*headers, *self._always, (b"x-correlation-id", state["correlation_id"].encode())]
        present = {name.lower() for name, _ in headers}
        if b"content-security-policy" not in present:
            completed.append((b"content-security-policy", JSON_CSP.encode()))
        if b"cache-control" not in present:
            completed.append(NO_STORE)
        taken: Taken | None = state.get("taken")
        if taken is not None:
            completed += [
                (b"x-ratelimit-limit", str(taken.limit).encode()),
                (b"x-ratelimit-remaining", str(taken.remaining).encode()),
                (b"x-ratelimit-reset", str(int(-(-taken.reset_at.timestamp() // 1))).encode()),
            ]
        return completed


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def network_of(address: str) -> str:
    """An address as rates count it: of IPv6 the first half, for whoever has one address there has all of the rest.

    >>> network_of("2001:db8:1:2::77"), network_of("::ffff:192.0.2.1"), network_of("192.0.2.1"), network_of("local")
    ('2001:db8:1:2::', '192.0.2.1', '192.0.2.1', 'local')
    """
    if ":" not in address or not _is_address(address):
        return address
    found = ipaddress.IPv6Address(address)
    return str(found.ipv4_mapped or ipaddress.IPv6Address(int(found) >> 64 << 64))


async def _send(answer: Answer, send: Send) -> None:
    headers = [(b"content-type", answer.content_type.encode()), (b"content-length", str(len(answer.body)).encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
