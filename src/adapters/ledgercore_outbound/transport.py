"""Sends requests out of the house: to checked addresses only, within bounds of time and size, following nothing."""

import ssl
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from json import dumps
from typing import Any, Final, Self
from urllib.parse import urlencode

import httpcore2
from attrs import Factory, field, frozen

from ledgercore.errors import ExternalDependencyError
from ledgercore.errors.catalog import SERVICE_UNAVAILABLE, TIMEOUT
from ledgercore.http_messages import HttpRequest, HttpResponse
from ledgercore_outbound.addresses import AddressGuard

_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS

_give_up_at: ContextVar[float] = ContextVar("give_up_at")
"""When the request that this thread is sending has taken too long, on the monotonic clock."""


@frozen(kw_only=True)
class Bounds:
    """How much of our time and memory an answer may take; the size counts before and after decompression."""

    connect_seconds: float = 5
    read_seconds: float = 20
    total_seconds: float = 30
    body_bytes: int = 4 * 1024 * 1024
    connections: int = 20
    idle_seconds: float = 15


@frozen(kw_only=True)
class Outbound:
    """An `HttpSender` that can be used from any thread. Close it when done, or use it as a context manager.

    Certificates are verified against those that the machine trusts, or by the context that is given. Proxies,
    cookies, credentials of the environment: there are none.
    """

    guard: AddressGuard = Factory(AddressGuard)
    bounds: Bounds = Factory(Bounds)
    ssl_context: ssl.SSLContext = Factory(ssl.create_default_context)
    _pool: httpcore2.ConnectionPool = field(init=False, repr=False)

    @_pool.default
    def _connections(self) -> httpcore2.ConnectionPool:
        return httpcore2.ConnectionPool(
            ssl_context=self.ssl_context,
            max_connections=self.bounds.connections,
            max_keepalive_connections=self.bounds.connections,
            keepalive_expiry=self.bounds.idle_seconds,
            network_backend=_GuardedNetwork(self.guard, httpcore2.SyncBackend()),
        )

    def send(self, request: HttpRequest) -> HttpResponse:
        """Send once; see `HttpSender`. What the other side says is never repeated in an error."""
        parts = self.guard.check(request.url)
        headers, content = _encoded(request)
        query = "&".join(filter(None, [parts.query, urlencode(request.query)]))
        url = httpcore2.URL(
            scheme=parts.scheme.encode(),
            host=(parts.hostname or "").encode(),
            port=parts.port,
            target=f"{parts.path or '/'}{'?' if query else ''}{query}".encode(),
        )
        with (
            _failures_as_reasons(request),
            _given_up_after(self.bounds.total_seconds),
            self._pool.stream(
                request.method,
                url,
                headers=[("host", parts.netloc), *headers.items()],
                content=content,
                extensions={"timeout": self._timeouts()},
            ) as answer,
        ):
            return self._read(answer)

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _timeouts(self) -> dict[str, float]:
        bounds = self.bounds
        return {
            "connect": bounds.connect_seconds,
            "read": bounds.read_seconds,
            "write": bounds.read_seconds,
            "pool": bounds.total_seconds,
        }

    def _read(self, answer: httpcore2.Response) -> HttpResponse:
        headers: dict[str, str] = {}
        for name, value in answer.headers:
            told, text = name.decode("latin-1").lower(), value.decode("latin-1")
            headers[told] = f"{headers[told]}, {text}" if told in headers else text
        body = self._bounded(answer.iter_stream(), headers.get("content-encoding", "identity").lower())
        return HttpResponse(status=answer.status, headers=headers, body=body)

    def _bounded(self, chunks: Iterable[bytes], encoding: str) -> bytes:
        if encoding == "identity":
            return self._joined(chunks)
        if encoding != "gzip":
            raise _UnusableError("the answer is encoded in a way that was not asked for")
        packed, inflating = self._joined(chunks), zlib.decompressobj(_GZIP_WINDOW)
        # One byte more than is allowed is enough to know, so that a small answer cannot unfold into a huge one.
        body = inflating.decompress(packed, self.bounds.body_bytes + 1)
        if len(body) > self.bounds.body_bytes:
            raise _UnusableError("the answer is too large")
        if packed and not inflating.eof:
            raise _UnusableError("the answer ends too early")
        return body

    def _joined(self, chunks: Iterable[bytes]) -> bytes:
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if len(body) > self.bounds.body_bytes:
                raise _UnusableError("the answer is too large")
        return bytes(body)


class _UnusableError(Exception):
    """An answer that came and cannot be used."""


@frozen
class _GuardedNetwork(httpcore2.NetworkBackend):
    """Connects to hosts by the addresses that were checked, and to nothing else."""

    guard: AddressGuard
    network: httpcore2.NetworkBackend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        *others, last = self.guard.addresses_of(host, port)
        for address in others:
            try:
                return self._connect(str(address), port, timeout)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._connect(str(last), port, timeout)

    def _connect(self, address: str, port: int, timeout: float | None) -> httpcore2.NetworkStream:
        return _TimedStream(self.network.connect_tcp(address, port, timeout=_time_left(timeout)))


@frozen
class _TimedStream(httpcore2.NetworkStream):
    """A connection on which every wait ends when the request has taken too long as a whole."""

    stream: httpcore2.NetworkStream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, _time_left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, _time_left(timeout))

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _TimedStream(self.stream.start_tls(ssl_context, server_hostname, _time_left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)


def _time_left(timeout: float | None) -> float:
    left = _give_up_at.get() - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout
    return left if timeout is None else min(timeout, left)


@contextmanager
def _given_up_after(seconds: float) -> Iterator[None]:
    before = _give_up_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _give_up_at.reset(before)


@contextmanager
def _failures_as_reasons(request: HttpRequest) -> Iterator[None]:
    try:
        yield
    except httpcore2.TimeoutException as error:
        raise ExternalDependencyError(TIMEOUT, request=request.name) from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError, zlib.error) as error:
        why = f"no whole answer came ({type(error).__name__})"
        raise ExternalDependencyError(SERVICE_UNAVAILABLE, request=request.name, why=why) from error
    except _UnusableError as error:
        raise ExternalDependencyError(SERVICE_UNAVAILABLE, request=request.name, why=str(error)) from error


def _encoded(request: HttpRequest) -> tuple[dict[str, str], bytes | None]:
    """The headers and the body as they are sent."""
    headers = {"user-agent": "ledgercore", "accept-encoding": "gzip"}
    content = request.content
    if request.form is not None:
        headers["content-type"], content = "application/x-www-form-urlencoded", urlencode(request.form).encode()
    elif request.json is not None:
        headers["content-type"], content = "application/json", dumps(request.json).encode()
    if content is not None or request.method != "GET":
        headers["content-length"] = str(len(content or b""))
    return {**headers, **request.headers}, content
