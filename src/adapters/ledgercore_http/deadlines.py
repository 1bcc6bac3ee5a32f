"""Deadlines and sizes of connections: what the application cannot see, since no request has come of it yet."""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from ledgercore.errors import Reason, ValidationError
from ledgercore.errors.catalog import (
    MALFORMED_REQUEST,
    REQUEST_HEADER_FIELDS_TOO_LARGE,
    REQUEST_TIMEOUT,
    URI_TOO_LONG,
)
from ledgercore_http.edge import NO_STORE, SECURITY_HEADERS
from ledgercore_http.failures import problem_answer
from ledgercore_http.resources.live_updates import SOCKET_PATH

HEAD_SECONDS: Final = 15.0
HEAD_BYTES_MAX: Final = 65_536
"""Heads up to this size are read whole, and judged by the edge."""
FRAMING_BYTES_MAX: Final = 8
"""For each byte of a body; more is no framing of chunks but a head by another name."""
LINGER_SECONDS: Final = 5.0
"""So long what was answered early may go on arriving; closed at once, its sender would never read the answer."""
UNREAD_SECONDS: Final = 60.0
"""So long a client may leave an answer unread."""


class DeadlineProtocol(HttpToolsProtocol):
    """Closes connections whose requests are late, endless or broken, and those that leave answers unread.

    Refusals are problem details, but never in the place of an answer that is due to an earlier request.
    """

    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _bytes_beside_bodies = 0
    _is_over = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        self._unanswered: deque[RequestResponseCycle] = deque()
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting, and let all who would still answer know."""
        self._expect(None)
        self._disconnect()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Hold what arrives to its limits; a later request has its seconds from its first byte on."""
        if self._is_over:
            return
        if self._deadline is None and self.cycle is not None and self.cycle.response_complete:
            self._expect_head()
        self._bytes_beside_bodies += len(data)
        super().data_received(data)
        if self._bytes_beside_bodies > HEAD_BYTES_MAX:
            self._refuse(URI_TOO_LONG if len(self.url) > HEAD_BYTES_MAX else REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """The head is there; the body has a deadline of its own."""
        self._expect(None)
        self._bytes_beside_bodies = 0
        super().on_headers_complete()
        self._unanswered.append(self.cycle)

    def on_body(self, body: bytes) -> None:
        """Part of a body accounts for itself and for its framing."""
        self._bytes_beside_bodies = max(self._bytes_beside_bodies - FRAMING_BYTES_MAX * len(body), 0)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request that was answered early has arrived after all; the next may follow."""
        self._bytes_beside_bodies = 0
        if self.cycle is not None and self.cycle.response_complete:
            self.cycle.more_body = False
            self._expect_head()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the rest of a request that was answered early, though not for long."""
        is_early = self._unanswered.popleft().more_body
        super().on_response_complete()
        if self._is_over:
            self.transport.close()
        if self.transport.is_closing():
            self._expect(UNREAD_SECONDS, self.transport.abort)
        elif is_early:
            self._expect(LINGER_SECONDS, self.transport.close)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that nobody has used for a while."""
        super().timeout_keep_alive_handler()
        self._expect(UNREAD_SECONDS, self.transport.abort)

    def shutdown(self) -> None:
        """End what would never end by itself; everything else is answered first."""
        super().shutdown()
        if self.cycle is not None and self.scope.get("state", {}).get("endless"):
            self.transport.close()

    def pause_writing(self) -> None:
        """The client reads more slowly than it is answered."""
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has caught up."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(MALFORMED_REQUEST)

    def _should_upgrade_to_ws(self) -> bool:
        """Elsewhere the offer of a WebSocket is not taken up, as that of any other protocol is not."""
        return super()._should_upgrade_to_ws() and self.url.partition(b"?")[0].endswith(SOCKET_PATH.encode())

    def handle_websocket_upgrade(self) -> None:
        """Whoever talks over a WebSocket sends no further request."""
        self._expect(None)
        super().handle_websocket_upgrade()

    def _unsupported_upgrade_warning(self) -> None:
        # Clients that offer a newer protocol are simply answered in this one.
        pass

    def _expect_head(self) -> None:
        self._expect(HEAD_SECONDS, self._give_up)

    def _expect(self, seconds: float | None, otherwise: Callable[[], None] | None = None) -> None:
        """Do something unless something else is expected before; nothing is expected without seconds."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if otherwise is None or seconds is None else self.loop.call_later(seconds, otherwise)

    def _give_up(self) -> None:
        if self._bytes_beside_bodies:
            self._refuse(REQUEST_TIMEOUT)
        else:
            self.transport.close()

    def _disconnect(self) -> None:
        """What is being read will never be whole, and what is being answered never be read."""
        self.pipeline.clear()
        for cycle in self._unanswered:
            cycle.disconnected = True
            cycle.message_event.set()

    def _refuse(self, reason: Reason) -> None:
        """Answer in place of the application, and let the client finish and read it before the connection goes."""
        if self._is_over or self.transport.is_closing():
            return
        self._is_over = True
        if self._unanswered and not self._unanswered[0].more_body:
            # A whole request came before and is being carried out. A refusal now would be taken for its answer.
            self.pipeline.clear()
            return
        if self.cycle is not None and self.cycle.response_complete and self.cycle.more_body:
            # It has been refused already; the rest of it is about to be cut off.
            return
        self._disconnect()
        correlation_id = os.urandom(16).hex()
        answer = problem_answer(ValidationError(reason), correlation_id=correlation_id, clock=lambda: datetime.now(UTC))
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", str(len(answer.body)).encode()),
            (b"connection", b"close"),
            (b"x-correlation-id", correlation_id.encode()),
            *SECURITY_HEADERS,
            NO_STORE,
        ]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(STATUS_LINE[answer.status] + lines + b"\r\n" + answer.body)
        self.transport.write_eof()
        self.flow.resume_reading()
        client = self.client[0] if self.client else None
        self.logger.info("request refused", extra={"reason": reason.code, "client": client})
        self._expect(LINGER_SECONDS, self.transport.close)
