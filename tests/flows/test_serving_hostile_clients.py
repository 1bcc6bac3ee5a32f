"""Clients that are slow, endless, broken or sly get a 4xx and lose their connection, and others notice nothing."""

import json
import socket
import textwrap
import time
from contextlib import ExitStack, closing

import pytest
from attrs import frozen

pytestmark = pytest.mark.slow

# Deadlines are long enough for a busy machine to send a whole request in, and no longer.
SECONDS = 0.6
PATIENT_SECONDS = 30
PROGRAM = textwrap.dedent(f"""
    from functools import partial
    from ledgercore_app import serve, service
    from ledgercore_http import deadlines

    deadlines.HEAD_SECONDS = deadlines.LINGER_SECONDS = deadlines.UNREAD_SECONDS = {SECONDS}
    serve.KEEP_ALIVE_SECONDS = {SECONDS / 2}
    service.Limits = partial(service.Limits, body_seconds={SECONDS})

    from ledgercore_app.cli import main
    main()
""")
LOGIN = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
HEALTH = b"GET /api/v1/health HTTP/1.1\r\nHost: h\r\n"


@pytest.fixture(scope="module")
def served(serve_long):
    """A server without a database whose deadlines are short; nothing may ever break in it."""
    served = serve_long(
        program=PROGRAM,
        LEDGERCORE_DATABASE_URL="memory",
        LEDGERCORE_RATE_LIMITS="off",
        LEDGERCORE_PASSWORD_MEMORY_KIB="64",
    ).wait()
    yield served
    assert served.stop() == 0
    assert [event for event in served.log if event["level"] not in ("info", "warning")] == []
    assert [line for line in served.lines[1:] if not line.startswith("{")] == []


@pytest.fixture
def line(served):
    """A connection to the server."""
    with closing(connect(served)) as line:
        yield line


def connect(served):
    return socket.create_connection(("127.0.0.1", served.port), timeout=PATIENT_SECONDS)


@frozen
class Got:
    """One answer from a connection."""

    status: int
    headers: dict
    body: bytes

    @property
    def code(self):
        """The reason of a problem."""
        assert self.headers["content-type"] == "application/problem+json", self
        assert self.headers["x-content-type-options"] == "nosniff"
        document = json.loads(self.body)
        assert document["correlation_id"] == self.headers["x-correlation-id"]
        assert document["status"] == self.status
        return document["code"]


def send(line, *parts):
    """Send what the server still takes."""
    for part in parts:
        try:
            line.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            return


def wait_for_answer(line):
    """Until something has come, which stays to be read."""
    assert line.recv(1, socket.MSG_PEEK)


def everything(line):
    """All that comes until the server closes the connection."""
    parts: list[bytes] = []
    while True:
        try:
            part = line.recv(65_536)
        except ConnectionResetError:
            part = b""
        if not part:
            return b"".join(parts)
        parts.append(part)


def answers(line):
    """The answers that come until the server closes the connection."""
    rest = everything(line)
    found = []
    while rest:
        head, _, rest = rest.partition(b"\r\n\r\n")
        first, *lines = head.decode("ascii").split("\r\n")
        headers = dict(each.lower().split(": ", 1) for each in lines)
        size = int(headers.get("content-length", 0))
        found.append(Got(int(first.split()[1]), headers, rest[:size]))
        rest = rest[size:]
    return found


def refused_with(line):
    """Status and code of the only answer, after which the connection was closed."""
    [answer] = answers(line)
    return answer.status, answer.code


class TestSlow:
    def test_half_a_head(self, line):
        """It never comes to an end."""
        send(line, HEALTH)

        assert refused_with(line) == (408, "request_timeout")

    def test_a_head_that_drips(self, line):
        """Each byte is in time, the head is not."""
        line.settimeout(0.05)
        for byte in HEALTH * 10:
            send(line, bytes([byte]))
            try:
                got = line.recv(1_000, socket.MSG_PEEK)
            except TimeoutError:
                continue
            assert got.startswith(b"HTTP/1.1 408 ")
            break
        line.settimeout(PATIENT_SECONDS)

        assert refused_with(line) == (408, "request_timeout")

    def test_a_connection_without_a_request(self, line):
        """It is closed without a word."""
        assert everything(line) == b""

    def test_a_connection_that_is_not_used_any_more(self, line):
        """It was answered before."""
        send(line, HEALTH + b"\r\n")

        assert [answer.status for answer in answers(line)] == [200]

    def test_a_later_request_whose_head_stays_away(self, line):
        """The connection was a good one until then."""
        send(line, HEALTH + b"\r\n")
        wait_for_answer(line)
        send(line, HEALTH)

        first, second = answers(line)

        assert (first.status, second.status, second.code) == (200, 408, "request_timeout")

    def test_a_body_that_drips(self, line):
        """It is refused when its time is over, whatever has come of it."""
        send(line, LOGIN + b"Content-Length: 1000\r\n\r\n{")

        assert refused_with(line) == (408, "request_timeout")

    def test_answers_that_nobody_reads(self, served):
        """The server does not keep them for ever."""
        with closing(socket.socket()) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            line.settimeout(PATIENT_SECONDS)
            line.connect(("127.0.0.1", served.port))
            ask = b"GET /api/docs/openapi.json HTTP/1.1\r\nHost: h\r\n\r\n"
            send(line, ask * 100)
            time.sleep(3 * SECONDS)
            size = len(everything(line))

            one = len(served.caller.get("/docs/openapi.json").body)
            assert size < 100 * one

    def test_others_are_served_meanwhile(self, served):
        """Many who say nothing, many who stop in the middle."""
        with ExitStack() as stack:
            lines = [stack.enter_context(closing(connect(served))) for _ in range(300)]
            for number, line in enumerate(lines):
                send(line, (b"", HEALTH, LOGIN + b"Content-Length: 9\r\n\r\n{")[number % 3])

            statuses = {served.caller.get("/problems").status for _ in range(20)}
            said = [everything(line)[:13] for line in lines]

        assert statuses == {200}
        assert set(said[0::3]) == {b""}
        assert set(said[1::3]) == set(said[2::3]) == {b"HTTP/1.1 408 "}


class TestTooMuch:
    def test_a_body_that_says_so(self, line):
        """Before any of it has come."""
        send(line, LOGIN + b"Content-Length: 1048577\r\n\r\n")

        assert refused_with(line) == (413, "payload_too_large")

    def test_a_body_that_the_client_is_to_be_asked_for(self, line):
        """It is not asked for."""
        send(line, LOGIN + b"Expect: 100-continue\r\nContent-Length: 1048577\r\n\r\n")

        assert refused_with(line) == (413, "payload_too_large")

    def test_a_body_in_chunks_without_end(self, line):
        """Its length is not known before."""
        chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
        send(line, LOGIN + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 40)

        assert refused_with(line) == (413, "payload_too_large")

    def test_a_whole_body_that_is_too_large_leaves_the_connection_usable(self, line):
        """All of it was read, so what follows is a request again."""
        send(line, LOGIN + b"Content-Length: 2000000\r\n\r\n" + b" " * 2_000_000 + HEALTH + b"\r\n")

        assert [answer.status for answer in answers(line)] == [413, 200]

    @pytest.mark.parametrize("size", [9_000, 1_000_000])
    def test_one_long_header(self, line, size):
        """Whether the edge or the connection notices."""
        send(line, HEALTH + b"X-Long: " + b"x" * size + b"\r\n\r\n")

        assert [(answer.status, answer.code) for answer in answers(line)] == [(431, "request_header_fields_too_large")]

    def test_many_headers(self, line):
        """A million bytes of them."""
        send(line, HEALTH, *[b"X-Many: x\r\n" * 1_000] * 90, b"\r\n")

        assert refused_with(line) == (431, "request_header_fields_too_large")

    def test_headers_behind_a_body(self, line):
        """Trailers are headers too."""
        send(line, LOGIN + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", *[b"X-Many: x\r\n" * 1_000] * 90)

        assert refused_with(line) == (431, "request_header_fields_too_large")

    def test_framing_that_outweighs_its_body(self, line):
        """Chunks may name extensions, but not without end."""
        send(line, LOGIN + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x=" + b"y" * 200_000)

        assert refused_with(line) == (431, "request_header_fields_too_large")

    @pytest.mark.parametrize("size", [3_000, 300_000])
    def test_a_long_url(self, line, size):
        """In the path or in the query."""
        send(line, b"GET /api/v1/problems?x=" + b"x" * size + b" HTTP/1.1\r\nHost: h\r\n\r\n")

        assert refused_with(line) == (414, "uri_too_long")


class TestBroken:
    @pytest.mark.parametrize(
        "sent",
        [
            LOGIN + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            LOGIN + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
            LOGIN + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            LOGIN + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
            LOGIN + b"Content-Length: -1\r\n\r\n",
            LOGIN + b"Content-Length: +2\r\n\r\n{}",
            LOGIN + b"Content-Length: 99999999999999999999\r\n\r\n{}",
            LOGIN + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
            LOGIN + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
            LOGIN + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
            LOGIN + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx0\r\n\r\n",
            LOGIN + b"Transfer-Encoding: chunked, gzip\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            HEALTH + b"X-Nul: a\x00b\r\n\r\n",
            HEALTH + b"X-Space : a\r\n\r\n",
            HEALTH + b"No colon\r\n\r\n",
            b"GET /api/v1/hea lth HTTP/1.1\r\n\r\n",
            b"GET /api/v1/health HTTP/1.2\r\n\r\n",
            b"GET /api/v1/\xff HTTP/1.1\r\nHost: h\r\n\r\n",
            b"BREW /api/v1/health HTTP/1.1\r\nHost: h\r\n\r\n",
            b"get /api/v1/health HTTP/1.1\r\nHost: h\r\n\r\n",
            b"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"\x00" * 100,
        ],
    )
    def test_what_is_not_http(self, line, sent):
        """One problem, and the end of the connection."""
        send(line, sent)

        assert refused_with(line) == (400, "malformed_request")

    @pytest.mark.parametrize(
        ("sent", "status"),
        [
            (b"TRACE /api/v1/health HTTP/1.1\r\nHost: h\r\n\r\n", 405),
            (b"HEAD /api/v1/health HTTP/1.1\r\nHost: h\r\n\r\n", 405),
            (b"PROPFIND /api/v1/health HTTP/1.1\r\nHost: h\r\n\r\n", 405),
            (b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 404),
            (b"GET http://h/api/v1/health HTTP/1.1\r\nHost: h\r\n\r\n", 200),
            (b"GET /api/v1/health HTTP/1.1\r\n\r\n", 200),
            (b"GET /api/v1/%00%ff%2e%2e/x HTTP/1.1\r\nHost: h\r\n\r\n", 404),
            (b"GET /api/v1/../../etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n", 404),
            (b"GET //api/v1/health HTTP/1.1\r\nHost: h\r\n\r\n", 200),
            (b"GET /api/v1/health\r\n\r\n", 200),
            (b"GET /api/v1/health?\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
            (LOGIN + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nX-Trailer: t\r\n\r\n", 400),
        ],
    )
    def test_what_is_unusual(self, line, sent, status):
        """An answer like any other."""
        send(line, sent)

        [answer] = answers(line)
        assert answer.status == status

    def test_http_1_0(self, line):
        """Answered, and the connection closed at once."""
        line.settimeout(SECONDS)
        send(line, b"GET /api/v1/health HTTP/1.0\r\n\r\n")

        [answer] = answers(line)
        assert (answer.status, answer.headers["connection"]) == (200, "close")

    def test_requests_that_do_not_wait_for_answers(self, line):
        """They are answered in their order."""
        paths = [b"/api/v1/health/live", b"/nowhere", b"/api/v1/problems", b"/api/v1/health/ready"]
        send(line, b"".join(b"GET " + path + b" HTTP/1.1\r\nHost: h\r\n\r\n" for path in paths))

        got = answers(line)
        assert [answer.status for answer in got] == [200, 404, 200, 200]
        assert b"alive" in got[0].body
        assert b"ready" in got[3].body

    @pytest.mark.parametrize("rest", [b"\x00garbage", b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 200_000])
    def test_a_request_before_something_broken_gets_its_own_answer(self, served, line, rest):
        """A 400 in its place would say that nothing was done, when it was."""
        person = {"email": f"sly{len(rest)}@example.com", "full_name": "S", "password": "one two three"}
        body = json.dumps({**person, "password_confirmation": person["password"]}).encode()
        head = b"POST /api/v1/users HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
        send(line, head + b"Content-Length: %d\r\n\r\n" % len(body) + body + rest)

        assert [answer.status for answer in answers(line)] == [201]
        login = {"email": person["email"], "password": person["password"]}
        assert served.caller.post("/auth/login", login).status == 200

    @pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
    def test_an_offer_of_another_protocol(self, line, protocol):
        """It is not taken up; the same connection goes on as it was."""
        offer = b"Connection: Upgrade\r\nUpgrade: " + protocol + b"\r\nSec-WebSocket-Key: eA==\r\n\r\n"
        send(line, HEALTH + offer)
        wait_for_answer(line)
        send(line, HEALTH + b"\r\n")

        assert [answer.status for answer in answers(line)] == [200, 200]
