"""The service as one process on a real socket: how it starts, what it serves, and how it ends."""

import http.server
import json
import os
import signal
import socket
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

pytestmark = pytest.mark.slow

LINES = [{"debit": "assets:bank", "credit": "income:sales", "amount": "1.00", "currency": "EUR"}]


@pytest.fixture(scope="module")
def crowd():
    """Threads that ask at the same time."""
    with ThreadPoolExecutor(50) as pool:
        yield pool


def at_once(crowd, count, ask):
    """Ask that many times, none before all are ready; the answers."""
    ready = threading.Barrier(count)

    def one(number):
        ready.wait(60)
        return ask(number)

    return list(crowd.map(one, range(count)))


class TestStartingAndEnding:
    def test_one_command_serves_a_fresh_directory(self, serve, open_directory: Path):
        """The second server finds database and secret of the first, and the last one takes the database down."""
        where = {"LEDGERCORE_DATA_DIRECTORY": str(open_directory / "data"), "LEDGERCORE_PASSWORD_MEMORY_KIB": "64"}
        first = serve(**where).wait()
        alice = first.caller.registered("alice@example.com")
        second = serve(**where).wait()
        cluster = open_directory / "data" / "cluster"

        ready = first.caller.get("/health/ready")
        with urlopen(f"http://127.0.0.1:{first.port}/api/docs") as page:
            html = page.read()
        known = second.caller.as_(alice.token).get("/auth/me")
        first_status, remained = first.stop(signal.SIGINT), second.caller.get("/health/ready")
        second_status = second.stop(signal.SIGTERM)

        assert first.lines[0] == f"database: embedded:{open_directory / 'data'}"
        assert first.lines[1] == f"http://127.0.0.1:{first.port}/api/docs (development)"
        assert (ready.status, ready.document["status"]) == (200, "ready")
        assert b"swagger" in html
        assert known.status == 200
        assert (first_status, remained.status) == (0, 200)
        assert second_status == 0
        assert cluster.is_dir()
        assert not (cluster / "postmaster.pid").exists()
        [secret] = open_directory.glob("*secret*")
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600

    def test_a_port_in_use_is_told(self, serve):
        """Before a database is opened for nothing."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            refused = serve("--port", str(port), LEDGERCORE_DATABASE_URL="memory")

            assert refused.ended() == 70
            assert refused.lines == [
                f"error: configuration_error: Configuration error: host=127.0.0.1, port={port}, "
                "why=Address already in use"
            ]

    @pytest.mark.parametrize(
        ("arguments", "environment", "status", "told"),
        [
            ((), {"LEDGERCORE_SECRT": "x"}, 70, "meant=LEDGERCORE_SECRET"),
            ((), {"LEDGERCORE_RATE_PER_USER": "many"}, 70, "setting=LEDGERCORE_RATE_PER_USER"),
            ((), {"LEDGERCORE_TRACE_ENDPOINT": "collector"}, 70, "not an address"),
            (("--processes", "2"), {}, 2, "a memory of its own"),
            ((), {"LEDGERCORE_ENVIRONMENT": "production", "LEDGERCORE_SECRET": "k9" * 17}, 70, "bytes_min=64"),
            ((), {"LEDGERCORE_DATABASE_URL": "postgresql://u:hunter2@h/d"}, 70, "setting=LEDGERCORE_SECRET"),
            (
                (),
                {"LEDGERCORE_DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/d", "LEDGERCORE_SECRET": "0Zx" * 22},
                7,
                "database_unavailable",
            ),
        ],
    )
    def test_what_cannot_work_is_told_at_once(self, serve, arguments, environment, status, told):
        """In words, with the status that the command line has for it, and without secrets."""
        refused = serve(*arguments, **{"LEDGERCORE_DATABASE_URL": "memory", **environment})

        assert refused.ended() == status
        said = "\n".join(refused.lines)
        assert told in said
        assert "Traceback" not in said
        assert "hunter2" not in said
        assert "k9k9" not in said
        assert "http://" not in said

    def test_a_server_that_is_told_to_end_while_it_starts_ends(self, serve, open_directory: Path):
        """It takes the database down that it has just started."""
        starting = serve(LEDGERCORE_DATA_DIRECTORY=str(open_directory / "data"))
        for _ in range(1_000):
            if (open_directory / "data" / "cluster").is_dir():
                break
            time.sleep(0.01)

        assert starting.stop(signal.SIGTERM) == 0
        assert not (open_directory / "data" / "cluster" / "postmaster.pid").exists()
        assert "Traceback" not in "\n".join(starting.lines)


def test_a_new_user_registers_posts_holds_and_reads(served):
    """The first session of the documentation."""
    alice = served.caller.registered("a.new.user@example.com")
    ledger = f"/ledgers/{alice.ledger()}"
    top_up = [{**LINES[0], "credit": "liabilities:wallets:alice", "amount": "100.00"}]
    sale = [{"debit": "liabilities:wallets:alice", "credit": "income:sales", "amount": "30.00", "currency": "EUR"}]

    posted, again = (alice.post(f"{ledger}/transactions", {"lines": top_up}, key="top-up-1") for _ in range(2))
    other = alice.post(f"{ledger}/transactions", {"lines": LINES}, key="top-up-1")
    hold = alice.post(f"{ledger}/holds", {"lines": sale})
    capture = {"amount": "25.00", "currency": "EUR", "final": True}
    captured = alice.post(f"{ledger}/holds/{hold.data['id']}/capture", capture)
    balance = alice.get(f"{ledger}/accounts/liabilities:wallets:alice/balance")
    report = alice.get(f"{ledger}/reports/trial-balance")

    assert [answer.status for answer in (posted, again, hold, captured, balance, report)] == [201] * 4 + [200] * 2
    assert (posted.replayed, again.replayed, posted.body) == (False, True, again.body)
    assert (other.status, other.code) == (409, "idempotency_key_reused")
    assert "75.00" in json.dumps(balance.data)
    assert report.status == 200


class TestTogether:
    def test_posts_that_arrive_together_share_commits(self, served, alice, crowd, served_database, stored):
        """Each has its own transaction and its own number."""
        ledger = alice.ledger()

        def post_four(number):
            return [
                alice.post(f"/ledgers/{ledger}/transactions", {"lines": LINES}, key=f"sale-{number}-{each}")
                for each in range(4)
            ]

        answers = [answer for four in at_once(crowd, 50, post_four) for answer in four]
        books = stored(served_database, ledger)

        assert {answer.status for answer in answers} == {201}
        assert len({answer.data["number"] for answer in answers}) == 200
        assert sorted(books.keys) == sorted(f"sale-{number}-{each}" for number in range(50) for each in range(4))
        assert books.batches < 100

    def test_twins_of_a_post_act_once(self, alice, crowd, served_database, stored):
        """All get the same bytes, and all but one are told that they are repeats."""
        ledger = alice.ledger()

        answers = at_once(
            crowd, 20, lambda _: alice.post(f"/ledgers/{ledger}/transactions", {"lines": LINES}, key="one")
        )

        assert {(answer.status, answer.body) for answer in answers} == {(201, answers[0].body)}
        assert sorted(answer.replayed for answer in answers) == [False] + [True] * 19
        assert stored(served_database, ledger).keys == ["one"]

    def test_twins_of_a_new_ledger_act_once(self, alice, crowd):
        """The ledger's name is drawn once."""
        answers = at_once(crowd, 8, lambda _: alice.post("/ledgers", {"name": "till"}, key="my-ledger"))

        assert {(answer.status, answer.body) for answer in answers} == {(201, answers[0].body)}
        assert sorted(answer.replayed for answer in answers) == [False] + [True] * 7
        assert len(alice.get("/ledgers").data) == 1

    def test_twins_of_a_registration_act_once(self, served, crowd, served_database):
        """Nobody is told that the email is taken."""
        person = {"email": "twin@example.com", "full_name": "T", "password": "a b c d e", "password_confirmation": None}
        person["password_confirmation"] = person["password"]

        answers = at_once(crowd, 8, lambda _: served.caller.post("/users", person, key="me"))

        assert {(answer.status, answer.body) for answer in answers} == {(201, answers[0].body)}
        assert sorted(answer.replayed for answer in answers) == [False] + [True] * 7
        with psycopg.connect(served_database) as connection:
            [(count,)] = connection.execute("SELECT count(*) FROM users WHERE email = 'twin@example.com'").fetchall()
        assert count == 1


class TestRates:
    def test_too_many_requests_wait_as_long_as_they_are_told(self, serve, where):
        """By address, whatever a stranger says about it; logins have a quota of their own."""
        where |= {"LEDGERCORE_RATE_LIMITS": "database", "LEDGERCORE_RATE_PER_ADDRESS": "12/3600"}
        served = serve(**where, LEDGERCORE_RATE_OF_LOGINS="3/3600", LEDGERCORE_RATE_PER_USER="4/3600").wait()
        served.caller.registered("alice@example.com")
        login = {"email": "alice@example.com", "password": "wrong and wrong"}

        wrong = [served.caller.post("/auth/login", login) for _ in range(4)]
        disguised = [
            served.caller.get("/problems", headers={"X-Forwarded-For": f"203.0.113.{each}"}) for each in range(8)
        ]

        assert [answer.status for answer in wrong] == [401, 401, 429, 429]
        assert wrong[3].headers["X-RateLimit-Limit"] == "3"
        assert [answer.status for answer in disguised] == [200] * 6 + [429] * 2
        assert [int(answer.headers["X-RateLimit-Remaining"]) for answer in disguised] == [5, 4, 3, 2, 1, 0, 0, 0]
        refused = disguised[-1]
        assert refused.code == "rate_limit_exceeded"
        assert 1 <= int(refused.headers["Retry-After"]) <= 300
        assert int(refused.headers["X-RateLimit-Limit"]) == 12
        assert time.time() < int(refused.headers["X-RateLimit-Reset"]) <= time.time() + 3_601
        assert served.caller.get("/health").headers["X-RateLimit-Limit"] is None

    def test_behind_a_trusted_proxy_each_client_counts_for_itself(self, serve, where):
        """The last address that is none of the proxies' is the client's; whatever it claims stands before that."""
        where |= {"LEDGERCORE_RATE_LIMITS": "memory", "LEDGERCORE_RATE_PER_ADDRESS": "2/3600"}
        served = serve(**where, LEDGERCORE_TRUSTED_PROXIES="127.0.0.0/8,10.0.0.0/8").wait()

        def asked(forwarded):
            return served.caller.get("/problems", headers={"X-Forwarded-For": forwarded}).status

        assert [asked("203.0.113.1"), asked("198.51.100.9, 203.0.113.1, 10.0.0.1"), asked("1.1.1.1, 203.0.113.1")] == [
            200,
            200,
            429,
        ]
        assert asked("203.0.113.2") == 200


class TestHeaders:
    def test_production_is_told_apart_from_development(self, serve, served, where):
        """Browsers are told to keep to TLS only where there is some, and strangers nothing about our insides."""
        where |= {"LEDGERCORE_ENVIRONMENT": "production", "LEDGERCORE_CORS_ORIGINS": "https://shop.example"}
        production = serve(**where).wait()

        live, tried = production.caller.get("/health/live"), served.caller.get("/health/live")

        assert live.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
        assert tried.headers["Strict-Transport-Security"] is None
        for name, value in (
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            (
                "Content-Security-Policy",
                "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
            ),
            ("Cache-Control", "no-store"),
            ("Server", None),
        ):
            assert live.headers[name] == tried.headers[name] == value, name
        assert live.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
        self.browsers_ask_first(production)
        self.other_origins_are_not_let_in(production, served)

    def browsers_ask_first(self, production):
        """A page of an origin that is allowed may send our headers and read our answers."""
        asked = production.caller.request(
            "OPTIONS",
            "/ledgers",
            headers={
                "Origin": "https://shop.example",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization,idempotency-key,content-type",
            },
        )
        simple = production.caller.get("/health", headers={"Origin": "https://shop.example"})

        assert asked.status in (200, 204)
        assert asked.headers["Access-Control-Allow-Origin"] == "https://shop.example"
        assert "POST" in asked.headers["Access-Control-Allow-Methods"]
        assert "idempotency-key" in asked.headers["Access-Control-Allow-Headers"].lower()
        assert asked.headers["Access-Control-Allow-Credentials"] in (None, "false")
        assert simple.headers["Access-Control-Allow-Origin"] == "https://shop.example"
        assert "retry-after" in simple.headers["Access-Control-Expose-Headers"].lower()
        assert "origin" in simple.headers["Vary"].lower()

    def other_origins_are_not_let_in(self, production, development):
        """Nor any, where none is named."""
        for served, origin in ((production, "https://evil.example"), (development, "https://shop.example")):
            asked = served.caller.request(
                "OPTIONS", "/ledgers", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
            )
            simple = served.caller.get("/health", headers={"Origin": origin})
            problem = served.caller.get("/nowhere", headers={"Origin": origin})

            assert asked.headers["Access-Control-Allow-Origin"] is None
            assert simple.headers["Access-Control-Allow-Origin"] is None
            assert problem.headers["Access-Control-Allow-Origin"] is None


class TestSecrets:
    def test_no_secret_leaves_the_server(self, serve, where, fresh_database):
        """Not in its log, its metrics, its problems, and not into the database as it came."""
        password, name = "canary-Xq7-password", "canary-Xq7-database"
        with psycopg.connect(where["LEDGERCORE_DATABASE_URL"], autocommit=True) as connection:
            connection.execute(f"ALTER USER postgres PASSWORD '{name}'")
        where["LEDGERCORE_DATABASE_URL"] = where["LEDGERCORE_DATABASE_URL"].replace("postgres@", f"postgres:{name}@")
        served = serve(**where, LEDGERCORE_LOG_LEVEL="debug").wait()
        anonymous = served.caller
        person = {"email": "c@example.com", "full_name": "C", "password": password, "password_confirmation": password}
        login = {"email": "c@example.com", "password": password}

        answers = [anonymous.post("/users", person, key="reg"), anonymous.post("/users", person, key="reg")]
        entered = anonymous.post("/auth/login", login, key="login")
        answers.append(anonymous.post("/auth/login", {**login, "password": password + "!"}))
        answers.append(anonymous.post("/auth/login", {**login, "passwrd": password}))
        answers.append(anonymous.post("/auth/login", json.dumps(login).encode()[:-1]))
        answers.append(anonymous.post(f"/nowhere/{password}?password={password}", login))
        access, refresh = entered.data["access_token"], entered.data["refresh_token"]
        user = anonymous.as_(access)
        made = user.post("/tokens", {"name": "till", "scopes": ["ledger:read"]}, key="token")
        token = made.data["key"] if "key" in made.data else made.data["token"]
        answers.append(anonymous.as_(token).get("/ledgers"))
        answers.append(anonymous.as_(token[:-1] + "x").get("/ledgers"))
        answers.append(anonymous.as_(access + "x").get("/auth/me"))
        answers.append(user.put("/profile/password", {"current_password": password + "?", "new_password": password}))
        answers.append(anonymous.get(f"/problems?access_token={access}"))
        fresh = anonymous.post("/auth/refresh", {"refresh_token": refresh}, key="refresh")
        answers.append(anonymous.post("/auth/refresh", {"refresh_token": refresh}))
        answers.append(anonymous.get("/metrics"))
        served.stop()

        assert {entered.status, made.status, fresh.status} <= {200, 201}
        secrets = {
            "password": password,
            "database password": name,
            "access token": access,
            "refresh token": refresh,
            "next refresh token": fresh.data["refresh_token"],
            "service token": token,
            "secret": where["LEDGERCORE_SECRET"],
        }
        logged = "\n".join(served.lines)
        answered = "\n".join(answer.body.decode() + str(answer.headers) for answer in answers)
        kept = dumped(where["LEDGERCORE_DATABASE_URL"])
        assert "c@example.com" in kept
        for what, secret in secrets.items():
            for place, text in {"log": logged, "answers": answered, "database": kept}.items():
                assert secret not in text, f"the {what} is in the {place}"
        assert all(event["time"] and event["level"] and event["event"] for event in served.log)
        assert [line for line in served.lines if not line.startswith("{")] == served.lines[:1]
        finished = [event for event in served.log if event["event"] == "request finished"]
        assert len(finished) == len(answers) + 3
        assert all(event["correlation_id"] for event in finished)


def dumped(database_url):
    """Everything that a database holds, as text."""
    with psycopg.connect(database_url) as connection:
        tables = connection.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        rows = []
        for (table,) in tables:
            # Bytes of text are shown as that text.
            with connection.cursor().copy(f"COPY (SELECT * FROM {table}) TO STDOUT (FORMAT binary)") as copy:
                rows += [bytes(chunk) for chunk in copy]
        return b"\n".join(rows).decode("latin-1")


class TestTraces:
    def test_spans_reach_the_collector_in_the_callers_trace(self, serve):
        """Sent when the server ends, at the latest."""
        bodies = []

        class Collector(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                bodies.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as collector:
            thread = threading.Thread(target=collector.serve_forever)
            thread.start()
            endpoint = f"http://127.0.0.1:{collector.server_port}"
            served = serve(LEDGERCORE_DATABASE_URL="memory", LEDGERCORE_TRACE_ENDPOINT=endpoint).wait()
            trace, parent = os.urandom(16).hex(), os.urandom(8).hex()
            served.caller.get("/problems", headers={"traceparent": f"00-{trace}-{parent}-01"})
            status = served.stop()
            collector.shutdown()
            thread.join()

        assert status == 0
        spans = [
            span
            for body in bodies
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        assert ("GET /problems", trace, parent) in [
            (span.name, span.trace_id.hex(), span.parent_span_id.hex()) for span in spans
        ]
