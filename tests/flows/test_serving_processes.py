"""Server processes that end, are killed, or are several, and a database that goes away under them."""

import os
import re
import signal
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPException
from pathlib import Path

import psycopg
import pytest

from ledgercore_app.cli import Program
from ledgercore_app.settings import Settings
from ledgercore_app.wiring import open_engine
from ledgercore_cli.main import run
from ledgercore_embedded import attach
from ledgercore_postgres import migrate

pytestmark = pytest.mark.slow

LINES = [{"debit": "assets:bank", "credit": "income:sales", "amount": "1.00", "currency": "EUR"}]
WAIT_SECONDS = 30


@pytest.fixture
def crowd():
    """Threads that ask at the same time."""
    with ThreadPoolExecutor(40) as pool:
        yield pool


def eventually(condition):
    """Wait until something is so."""
    until = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < until, "it never came to be so"
        time.sleep(0.02)


def is_refused(port):
    """Whether nobody listens on a port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def workers(served):
    """The process ids of those that serve."""
    said = re.findall(r"Started server process \[(\d+)\]", "\n".join(served.lines))
    return [process_id for process_id in map(int, said) if is_there(process_id)]


def is_there(process_id):
    """Whether a process has not ended yet, or is not buried."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def asleep(process_id):
    """A process that neither accepts nor answers for the length of a block; what comes goes to the others."""
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process_id, signal.SIGCONT)


class Till:
    """Posts sales one after the other until the server is gone; keeps what it was told of each."""

    def __init__(self, caller, ledger, name):
        self.caller = caller
        self.ledger = ledger
        self.name = name
        self.told = {}
        self.unknown = []

    def sell(self):
        for number in range(1_000_000):
            key = f"{self.name}-{number}"
            try:
                self.told[key] = post(self.caller, self.ledger, key)
            except (OSError, HTTPException):
                self.unknown.append(key)
                return


def post(caller, ledger, key):
    return caller.post(f"/ledgers/{ledger}/transactions", {"lines": LINES}, key=key)


class TestEnding:
    def test_what_was_accepted_is_answered_before_the_end(self, serve, where, stored, crowd):
        """New connections are refused meanwhile, and nothing is lost or doubled."""
        database = where["LEDGERCORE_DATABASE_URL"]
        served = serve(**where).wait()
        alice = served.caller.registered("alice@example.com")
        ledger = alice.ledger()
        assert post(alice, ledger, "first").status == 201

        with psycopg.connect(database) as connection:
            # No batch can be stored until this is over.
            connection.execute("LOCK TABLE journal IN EXCLUSIVE MODE")
            waiting = [crowd.submit(post, alice, ledger, f"sale-{number}") for number in range(20)]
            eventually(lambda: in_flight(served.caller) >= 20)
            served.tell(signal.SIGTERM)
            eventually(lambda: is_refused(served.port))
            were_waiting = not any(each.done() for each in waiting)
        answers = [each.result() for each in waiting]
        status = served.ended()
        again = serve(**where).wait()
        repeats = [post(alice_at(again, alice), ledger, f"sale-{number}") for number in range(20)]

        assert were_waiting
        assert status == 0
        assert [answer.status for answer in answers] == [201] * 20
        assert [(each.replayed, each.body) for each in repeats] == [(True, answer.body) for answer in answers]
        books = stored(database, ledger)
        assert sorted(books.keys) == sorted(["first", *(f"sale-{number}" for number in range(20))])

    def test_a_server_that_ends_in_the_midst_of_posts_answers_for_each(self, serve, where, stored, crowd):
        """Whoever got no answer was not let in, and nothing of theirs was posted."""
        served = serve(**where).wait()
        alice = served.caller.registered("alice@example.com")
        tills = [Till(alice, alice.ledger(), f"till-{number}") for number in range(12)]
        for till in tills:
            till.ledger = tills[0].ledger
        selling = [crowd.submit(till.sell) for till in tills]
        eventually(lambda: sum(len(till.told) for till in tills) > 100)

        status = served.stop(signal.SIGTERM)
        for each in selling:
            each.result()

        assert status == 0
        assert {answer.status for till in tills for answer in till.told.values()} == {201}
        books = stored(where["LEDGERCORE_DATABASE_URL"], tills[0].ledger)
        assert sorted(books.keys) == sorted(key for till in tills for key in till.told)

    def test_a_server_that_is_killed_keeps_what_it_acknowledged(self, serve, where, stored, crowd):
        """Whatever the outcome of the others was, repeats under their keys post each of them once."""
        served = serve(**where).wait()
        alice = served.caller.registered("alice@example.com")
        ledger = alice.ledger()
        tills = [Till(alice, ledger, f"till-{number}") for number in range(12)]
        selling = [crowd.submit(till.sell) for till in tills]
        eventually(lambda: sum(len(till.told) for till in tills) > 100)

        served.tell(signal.SIGKILL)
        served.ended()
        for each in selling:
            each.result()
        told = {key: answer for till in tills for key, answer in till.told.items()}
        unknown = [key for till in tills for key in till.unknown]
        before = stored(where["LEDGERCORE_DATABASE_URL"], ledger)
        bob = alice_at(serve(**where).wait(), alice)
        repeats = {key: post(bob, ledger, key) for key in (*told, *unknown)}
        after = stored(where["LEDGERCORE_DATABASE_URL"], ledger)

        assert {answer.status for answer in told.values()} == {201}
        assert set(told) <= set(before.keys)
        assert len(unknown) == len(tills)
        assert {answer.status for answer in repeats.values()} == {201}
        assert {key: repeats[key].body for key in told} == {key: answer.body for key, answer in told.items()}
        assert all(repeats[key].replayed == (key in before.keys) for key in repeats)
        assert sorted(after.keys) == sorted((*told, *unknown))


def alice_at(served, alice):
    """The same user at another server of the database."""
    return served.caller.as_(alice.token)


def in_flight(caller):
    """How many requests a process is answering, besides the one that asks."""
    text = caller.get("/metrics").body.decode()
    [found] = re.findall(r"^ledgercore_http_requests_in_flight (\S+)", text, re.MULTILINE)
    return float(found) - 1


@pytest.fixture(scope="module")
def counted(where_long):
    """A database where each user may ask sixty times."""
    rates = {"LEDGERCORE_RATE_LIMITS": "database", "LEDGERCORE_RATE_PER_USER": "60/36000"}
    return {**where_long, **rates, "LEDGERCORE_RATE_PER_ADDRESS": "off"}


@pytest.fixture(scope="module")
def pair(serve_long, counted):
    """Two processes that serve one port."""
    pair = serve_long("--processes", "2", **counted).wait(2)
    yield pair
    assert pair.stop() == 0


class TestSeveralProcesses:
    def test_they_share_everything(self, pair, counted, stored, crowd):
        """Tokens, quotas, suspensions and ledgers, without a moment in between."""
        one, other = workers(pair)
        alice, bob = (pair.caller.registered(f"{name}@example.com") for name in ("alice", "bob"))
        with asleep(one):
            ledger = alice.ledger()
            first = in_turn(alice, ledger, "first", 15)
        with asleep(other):
            second = in_turn(alice, ledger, "second", 15)
        mixed = list(crowd.map(lambda number: post(alice, ledger, f"mixed-{number}"), range(60)))
        with asleep(one):
            before = bob.get("/auth/me").status
        with asleep(other):
            also_before = bob.get("/auth/me").status
            suspend(counted, "bob@example.com")
            after = bob.get("/auth/me").status
        with asleep(one):
            also_after = bob.get("/auth/me").status
        books = stored(counted["LEDGERCORE_DATABASE_URL"], ledger)

        assert one != other
        assert [answer.status for answer in (*first, *second)] == [201] * 30
        # One was for the ledger itself.
        assert Counter(answer.status for answer in mixed) == {201: 29, 429: 31}
        assert (before, also_before, after, also_after) == (200, 200, 401, 401)
        answered = [answer.data["number"] for answer in (*first, *second, *mixed) if answer.status == 201]
        assert len(set(answered)) == len(books.keys) == 59
        assert books.balances["assets:bank"] == "59.00 EUR"

    def test_twins_at_both_act_once(self, pair, crowd, counted, stored):
        """Whichever process they come to."""
        alice = pair.caller.registered("twins@example.com")
        ledger = alice.ledger()

        made = list(crowd.map(lambda _: alice.post("/ledgers", {"name": "till"}, key="till"), range(16)))
        posted = list(crowd.map(lambda _: post(alice, ledger, "sale"), range(30)))

        for answers in (made, posted):
            assert {(answer.status, answer.body) for answer in answers} == {(201, answers[0].body)}
            assert [answer.replayed for answer in answers].count(False) == 1
        assert stored(counted["LEDGERCORE_DATABASE_URL"], ledger).keys == ["sale"]

    def test_one_that_is_killed_is_replaced(self, pair):
        """The other goes on meanwhile."""
        one, other = workers(pair)

        os.kill(one, signal.SIGKILL)
        meanwhile = pair.caller.get("/health/ready").status
        pair.until("startup complete")
        after = workers(pair)
        with asleep(other):
            afterwards = pair.caller.get("/health/ready").status

        assert len(after) == 2
        assert one not in after
        assert (meanwhile, afterwards) == (200, 200)

    def test_they_end_when_the_one_that_started_them_was_killed(self, serve, where):
        """Nobody would ever tell them otherwise, and the port would not be free for the next."""
        pair = serve("--processes", "2", **where).wait(2)
        started = workers(pair)

        pair.tell(signal.SIGKILL)

        try:
            eventually(lambda: is_refused(pair.port))
        finally:
            for process_id in started:
                with suppress(ProcessLookupError):
                    os.kill(process_id, signal.SIGKILL)


def in_turn(caller, ledger, name, count):
    return [post(caller, ledger, f"{name}-{number}") for number in range(count)]


def suspend(where, email):
    """As an operator does, while the servers run."""
    assert run(Program(where), ["user", "suspend", email]) == 0


class TestDatabaseAway:
    def test_a_database_that_goes_and_comes_back(self, serve, where, stored, open_directory: Path):
        """Meanwhile requests are told to come again, never that something broke; nobody has to start us again."""
        with ExitStack() as stack:
            database = attach(open_directory / "data")
            stack.callback(lambda: database.close())
            where["LEDGERCORE_DATABASE_URL"] = database.url
            with open_engine(database.url, settings=Settings()) as engine:
                migrate(engine)
            served = serve(**where).wait()
            alice = served.caller.registered("alice@example.com")
            ledger = alice.ledger()
            assert post(alice, ledger, "before").status == 201
            busy = Busy(alice, ledger)
            busy.start()
            eventually(lambda: len(busy.answers) > 20)

            stop_postgres(open_directory / "data" / "cluster")
            away = [
                alice.get(f"/ledgers/{ledger}/accounts/assets:bank/balance"),
                post(alice, ledger, "meanwhile"),
                alice.get("/ledgers"),
                alice.post("/ledgers", {"name": "other"}, key="other"),
                served.caller.post("/auth/login", {"email": "alice@example.com", "password": "x y z"}),
            ]
            health = {name: served.caller.get(f"/health{name}").status for name in ("", "/live", "/ready", "/detailed")}
            metrics = served.caller.get("/metrics").status
            stack.callback(attach(open_directory / "data").close)
            eventually(lambda: served.caller.get("/health/ready").status == 200)
            back = [post(alice, ledger, "meanwhile"), alice.post("/ledgers", {"name": "other"}, key="other")]
            busy.stop()
            repeats = [(key, post(alice, ledger, key)) for key, _ in busy.answers]
            status = served.stop()
            books = stored(database.url, ledger)

        assert [answer.status for answer in away] == [503] * 5
        assert {answer.code for answer in away} <= {"database_unavailable", "commit_outcome_unknown"}
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in away)
        assert health == {"": 200, "/live": 200, "/ready": 503, "/detailed": 503}
        assert metrics == 200
        assert [answer.status for answer in back] == [201, 201]
        assert {answer.status for _, answer in busy.answers} == {201, 503}
        assert {answer.status for _, answer in repeats} == {201}
        assert status == 0
        assert sorted(books.keys) == sorted(["before", "meanwhile", *(key for key, _ in busy.answers)])


class Busy(threading.Thread):
    """Somebody who posts all the time, whatever the answers."""

    def __init__(self, caller, ledger):
        super().__init__(daemon=True)
        self.caller = caller
        self.ledger = ledger
        self.answers = []
        self.goes_on = True

    def run(self):
        while self.goes_on:
            key = f"busy-{len(self.answers)}"
            self.answers.append((key, post(self.caller, self.ledger, key)))

    def stop(self):
        self.goes_on = False
        self.join(WAIT_SECONDS)


def stop_postgres(cluster: Path):
    """Shut the server down fast, ending all sessions, and wait for it."""
    process_id = int((cluster / "postmaster.pid").read_text().split()[0])
    os.kill(process_id, signal.SIGINT)
    eventually(lambda: not (cluster / "postmaster.pid").exists())
