"""A server on a real socket that answers as each test wants it to."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import define, field

Behaviour = Callable[[socket.socket], Any]


@define
class RawServer:
    """Hands each connection to a behaviour, one after the other, the last one for all that follow."""

    behaviours: list[Behaviour]
    listening: socket.socket = field(factory=lambda: socket.create_server(("127.0.0.1", 0)))
    heard: list[bytes] = field(factory=list)
    context: ssl.SSLContext | None = None

    @property
    def port(self) -> int:
        port: int = self.listening.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self) -> None:
        served = 0
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            behaviour = self.behaviours[min(served, len(self.behaviours) - 1)]
            served += 1
            # A client that has had enough leaves in the middle, which is what most tests are about.
            try:
                with (
                    connection
                    if self.context is None
                    else self.context.wrap_socket(connection, server_side=True) as connection
                ):
                    self.heard.append(read_request(connection))
                    behaviour(connection)
            except OSError:
                continue


def read_request(connection: socket.socket) -> bytes:
    heard = b""
    while b"\r\n\r\n" not in heard:
        if not (chunk := connection.recv(65_536)):
            return heard
        heard += chunk
    head, _, body = heard.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


@pytest.fixture
def serving() -> Iterator[Callable[..., RawServer]]:
    """Starts a server that treats its connections by the given behaviours, over TLS if it has a context."""
    servers: list[tuple[RawServer, threading.Thread]] = []

    def serve(*behaviours: Behaviour, context: ssl.SSLContext | None = None) -> RawServer:
        server = RawServer(list(behaviours), context=context)
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        servers.append((server, thread))
        return server

    yield serve
    for server, thread in servers:
        # Closing alone does not wake a thread that waits for connections.
        server.listening.shutdown(socket.SHUT_RDWR)
        server.listening.close()
        thread.join(5)
