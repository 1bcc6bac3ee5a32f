"""Requests over real sockets: what is sent, and how bad answers are survived."""

import gzip
import ssl
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import socket
from threading import Event
from time import monotonic
from typing import Any

import pytest
from attrs import evolve
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ledgercore.errors import ExternalDependencyError
from ledgercore.http_messages import HttpRequest, HttpResponse
from ledgercore_outbound import AddressGuard, Bounds, Outbound

BODY_BYTES_MAX = 4 * 1024 * 1024
LOCAL = AddressGuard(allow_private=True)


@pytest.fixture(scope="module")
def outbound() -> Iterator[Outbound]:
    with Outbound(guard=LOCAL, bounds=Bounds(idle_seconds=0)) as outbound:
        yield outbound


def saying(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> Callable[[socket], None]:
    told = [f"content-length: {len(body) if length is None else length}", "connection: close", *headers]
    head = "\r\n".join([f"HTTP/1.1 {status}", *told, "", ""]).encode()
    return lambda connection: connection.sendall(head + body)


def get(url: str) -> HttpRequest:
    return HttpRequest(name="bank reading", method="GET", url=url)


def failure_of(outbound: Outbound, request: HttpRequest) -> ExternalDependencyError:
    with pytest.raises(ExternalDependencyError) as failure:
        outbound.send(request)
    assert failure.value.details["request"] == "bank reading"
    return failure.value


class TestWhatIsSent:
    def test_query_headers_and_host(self, outbound: Outbound, serving: Callable) -> None:
        server = serving(saying(b"hello", "X-One: 1", "x-one: 2", "Content-Type: text/plain"))
        request = HttpRequest(
            name="n", method="GET", url=f"{server.url}/a%20b?x=1", headers={"x-mine": "yes"}, query={"expand[]": "a b"}
        )

        response = outbound.send(request)

        assert response.status == 200
        assert response.body == b"hello"
        assert response.headers["x-one"] == "1, 2"
        [heard] = server.heard
        lines = heard.lower().split(b"\r\n")
        assert lines[0] == b"get /a%20b?x=1&expand%5b%5d=a+b http/1.1"
        assert f"host: 127.0.0.1:{server.port}".encode() in lines
        assert b"x-mine: yes" in lines
        assert not any(line.startswith((b"content-length", b"cookie", b"authorization")) for line in lines)

    @pytest.mark.parametrize(
        ("request_", "heard"),
        [
            (
                HttpRequest(name="n", method="POST", url="", form={"a b": "ü&"}),
                (b"content-type: application/x-www-form-urlencoded", b"content-length: 13", b"a+b=%c3%bc%26"),
            ),
            (
                HttpRequest(name="n", method="POST", url="", json={"a": "ü"}),
                (b"content-type: application/json", b'{"a": "\\u00fc"}'),
            ),
            (
                HttpRequest(
                    name="n", method="POST", url="", content=b'{"b" :1}', headers={"content-type": "application/json"}
                ),
                (b"content-type: application/json", b"content-length: 8", b'{"b" :1}'),
            ),
            (HttpRequest(name="n", method="POST", url=""), (b"content-length: 0",)),
        ],
    )
    def test_bodies(
        self, outbound: Outbound, serving: Callable, request_: HttpRequest, heard: tuple[bytes, ...]
    ) -> None:
        server = serving(saying(b""))

        outbound.send(evolve(request_, url=server.url))

        said = server.heard[0].lower()
        assert all(part in said for part in heard)

    def test_connections_are_used_again(self, serving: Callable) -> None:
        answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

        def twice(connection: socket) -> None:
            connection.sendall(answer)
            connection.recv(65_536)
            connection.sendall(answer)

        server = serving(twice)
        with Outbound(guard=LOCAL) as outbound:
            bodies = [outbound.send(get(server.url)).body for _ in range(2)]

        assert bodies == [b"ok", b"ok"]
        assert len(server.heard) == 1

    def test_another_address_is_tried_when_one_does_not_answer(self, serving: Callable) -> None:
        server = serving(saying(b"ok"))
        guard = AddressGuard(allow_private=True, resolver=lambda host, port: ["127.0.0.2", "127.0.0.1"])

        with Outbound(guard=guard) as outbound:
            response = outbound.send(get(f"http://bank.example:{server.port}/"))

        assert response.body == b"ok"
        assert f"Host: bank.example:{server.port}".lower().encode() in server.heard[0].lower()

    def test_the_connection_goes_to_the_address_that_was_checked(self, serving: Callable) -> None:
        """The name is looked up once: there is no second answer to be led astray by."""
        server, asked = serving(saying(b"ok")), []

        def once(host: str, port: int) -> list[str]:
            asked.append(host)
            return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

        with Outbound(guard=AddressGuard(allow_private=True, resolver=once)) as outbound:
            response = outbound.send(get(f"http://bank.example:{server.port}/"))

        assert (response.body, asked) == (b"ok", ["bank.example"])


class TestBadAnswers:
    @pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "404 No", "500 Oh"])
    def test_every_status_is_an_answer_and_redirects_are_not_followed(
        self, outbound: Outbound, serving: Callable, status: str
    ) -> None:
        server = serving(saying(b"", "Location: /elsewhere", status=status))

        assert outbound.send(get(server.url)).status == int(status[:3])
        assert len(server.heard) == 1

    def test_compressed_answers_are_unpacked(self, outbound: Outbound, serving: Callable) -> None:
        server = serving(saying(gzip.compress(b"hello" * 100), "Content-Encoding: gzip"))

        assert outbound.send(get(server.url)).body == b"hello" * 100

    def test_nothing_needs_no_unpacking(self, outbound: Outbound, serving: Callable) -> None:
        server = serving(saying(b"", "Content-Encoding: gzip", status="202 Accepted"))

        assert outbound.send(get(server.url)).body == b""

    @pytest.mark.parametrize(
        ("behaviour", "why"),
        [
            (saying(b"a" * (BODY_BYTES_MAX + 1)), "too large"),
            (saying(b"", "Transfer-Encoding: chunked"), "no whole answer"),
            (saying(gzip.compress(b"\0" * (BODY_BYTES_MAX + 1)), "Content-Encoding: gzip"), "too large"),
            (saying(gzip.compress(gzip.compress(b"\0" * 10**8)), "Content-Encoding: gzip, gzip"), "encoded"),
            (saying(gzip.compress(b"hello")[:-4], "Content-Encoding: gzip"), "too early"),
            (saying(zlib.compress(b"hello"), "Content-Encoding: gzip"), "no whole answer"),
            (saying(b"hello", "Content-Encoding: br"), "encoded"),
            (saying(b"half", length=100), "no whole answer"),
            (saying(b"", "x: " + "y" * 200_000), "no whole answer"),
            (lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\ncont"), "no whole answer"),
            (lambda connection: connection.sendall(b"220 smtp.example ESMTP\r\n"), "no whole answer"),
            (lambda connection: None, "no whole answer"),
        ],
        ids=[
            "too large",
            "chunks that never come",
            "bomb",
            "bomb in a bomb",
            "cut off",
            "other packing",
            "unknown packing",
            "half",
            "huge head",
            "half a head",
            "other protocol",
            "nothing",
        ],
    )
    def test_answers_that_cannot_be_used(
        self, outbound: Outbound, serving: Callable, behaviour: Callable, why: str
    ) -> None:
        failure = failure_of(outbound, get(serving(behaviour).url))

        assert failure.code == "service_unavailable"
        assert why in str(failure.details["why"])

    def test_exactly_as_much_as_is_allowed(self, outbound: Outbound, serving: Callable) -> None:
        plain = outbound.send(get(serving(saying(b"a" * BODY_BYTES_MAX)).url))
        packed = outbound.send(get(serving(saying(gzip.compress(plain.body), "Content-Encoding: gzip")).url))

        assert len(plain.body) == len(packed.body) == BODY_BYTES_MAX

    def test_nobody_is_there(self, outbound: Outbound) -> None:
        with socket() as deaf:
            deaf.bind(("127.0.0.1", 0))

            failure = failure_of(outbound, get(f"http://127.0.0.1:{deaf.getsockname()[1]}/"))

        assert failure.code == "service_unavailable"


class TestTime:
    def test_an_answer_that_never_comes(self, serving: Callable) -> None:
        ended = Event()
        server = serving(lambda connection: ended.wait(5))

        with Outbound(guard=LOCAL, bounds=Bounds(read_seconds=0.05)) as outbound:
            failure = failure_of(outbound, get(server.url))
        ended.set()

        assert failure.code == "timeout"

    def test_no_time_is_left(self, serving: Callable) -> None:
        with Outbound(guard=LOCAL, bounds=Bounds(total_seconds=0)) as outbound:
            failure = failure_of(outbound, get(serving(saying(b"ok")).url))

        assert failure.code == "timeout"

    @pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nx: ", b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n"])
    def test_an_answer_that_drips(self, serving: Callable, start: bytes) -> None:
        """Every byte comes in time, and the whole never: the request ends long before the answer does."""
        ended = Event()

        def drip(connection: socket) -> None:
            connection.sendall(start)
            until = monotonic() + 5
            while not ended.wait(0.01) and monotonic() < until:
                connection.sendall(b"a")

        server = serving(drip)
        with Outbound(guard=LOCAL, bounds=Bounds(read_seconds=1, total_seconds=0.1)) as outbound:
            failure = failure_of(outbound, get(server.url))
        ended.set()

        assert failure.code == "timeout"


def certificate_for(name: str, folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate that signs itself, and a server's context that shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return file, context


class TestCertificates:
    def send(self, host: str, server: Any, trusted: Path | None) -> HttpResponse:
        context = ssl.create_default_context(cafile=trusted)
        guard = AddressGuard(allow_private=True, resolver=lambda host, port: ["127.0.0.1"])
        with Outbound(guard=guard, ssl_context=context) as outbound:
            return outbound.send(get(f"https://{host}:{server.port}/"))

    def test_only_the_right_name_with_a_trusted_certificate_is_talked_to(
        self, serving: Callable, tmp_path: Path
    ) -> None:
        """The name is checked, although the connection goes to an address; nothing is said before."""
        file, context = certificate_for("bank.example", tmp_path)
        server = serving(saying(b"ok"), context=context)

        for host, trusted in (("bank.example", None), ("other.example", file)):
            with pytest.raises(ExternalDependencyError) as failure:
                self.send(host, server, trusted)
            assert failure.value.code == "service_unavailable"
        assert server.heard == []
        assert self.send("bank.example", server, file).body == b"ok"
