"""Faults between us and the server: nothing is posted twice, nothing is lost, and no restart is needed."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from ledgercore.errors import ExternalDependencyError, InternalError
from ledgercore.ledger.accounts import Limits
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.outcomes import Posted, Refused
from ledgercore.money import Money, known_currency
from ledgercore_embedded import attach
from ledgercore_postgres import PostgresStore, connect, migrate

EUR = known_currency("EUR", 2)
COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
SOCKET = ".s.PGSQL.5432"


class Link:
    """A way to the server that can be cut at the next commit: before it passes, or after the server did it."""

    def __init__(self, directory: Path, server: Path) -> None:
        self.cut: str | None = None
        self.cuts = 0
        self._server = server
        self._sockets: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(directory / SOCKET))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for end in (self._listener, *self._sockets):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self._server))
                self._sockets += [client, server]
                pair = {"lost": False}
                threading.Thread(target=self._forward, args=(client, server, pair), daemon=True).start()
                threading.Thread(target=self._back, args=(server, client, pair), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket, pair: dict[str, bool]) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                if data == COMMIT and self.cut is not None:
                    when, self.cut = self.cut, None
                    self.cuts += 1
                    if when == "before":
                        break
                    pair["lost"] = True
                server.sendall(data)
        _end(client, server)

    def _back(self, server: socket.socket, client: socket.socket, pair: dict[str, bool]) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                if pair["lost"]:
                    break
                client.sendall(data)
        _end(client, server)


def _end(*sockets: socket.socket) -> None:
    for end in sockets:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def link(database_url: str, open_directory: Path) -> Iterator[Link]:
    link = Link(open_directory, Path(str(make_url(database_url).query["host"])) / SOCKET)
    yield link
    link.close()


@pytest.fixture
def linked(postgres_ledger: Ledger, link: Link, database_url: str, open_directory: Path) -> Iterator[Ledger]:
    """The ledger `books`, reached over the link."""
    url = make_url(database_url).update_query_dict({"host": str(open_directory), "port": "5432"})
    engine = connect(url.render_as_string(hide_password=False))
    yield Ledger(PostgresStore(engine, clock=lambda: datetime.now(UTC)).journal("books"))
    engine.dispose()


class TestLostCommit:
    @pytest.mark.parametrize(("when", "replayed"), [("before", False), ("after", True)])
    def test_the_outcome_is_unknown_and_a_retry_settles_it(
        self, linked: Ledger, link: Link, pay, sound, when: str, replayed: bool
    ) -> None:
        """Whether or not the commit got through, the same command posts exactly once."""
        command = pay("assets:a", "income:b")
        linked.post(pay("assets:a", "income:b", 1))
        link.cut = when

        with pytest.raises(ExternalDependencyError) as caught:
            linked.post(command)
        again = linked.post(command)

        assert caught.value.code == "commit_outcome_unknown"
        assert caught.value.retryable
        assert again.replayed is replayed
        assert linked.balance("assets:a").posted == Money(101, EUR)
        sound(linked)

    @pytest.mark.slow
    def test_many_cuts_lose_and_double_nothing(self, linked: Ledger, link: Link, pay, sound) -> None:
        """Two of three commits are cut on one side or the other; every command ends posted once."""
        commands = [pay("assets:a", f"income:{n % 3}", 1 + n) for n in range(60)]

        for number, command in enumerate(commands):
            link.cut = ("before", "after", None)[number % 3]
            for _ in range(8):
                with suppress(ExternalDependencyError):
                    linked.post(command)
                    break

        assert link.cuts == 40
        assert linked.balance("assets:a").posted == Money(sum(range(1, 61)), EUR)
        assert linked.state().number == len(commands) + 1 + 4
        sound(linked)


class TestLostConnection:
    def test_a_session_ended_before_its_commit_posts_nothing(self, postgres_ledger: Ledger, fault, pay, sound) -> None:
        """The server ends the session in the middle: the caller may try again, and the next call works."""
        postgres_ledger.post(pay("assets:a", "income:b"))
        command = pay("assets:a", "income:b")

        with (
            fault("log", "PERFORM pg_terminate_backend(pg_backend_pid());"),
            pytest.raises(ExternalDependencyError) as caught,
        ):
            postgres_ledger.post(command)
        again = postgres_ledger.post(command)

        assert caught.value.code == "database_unavailable"
        assert not again.replayed
        assert postgres_ledger.balance("assets:a").posted == Money(200, EUR)
        sound(postgres_ledger)

    def test_idle_sessions_that_were_ended_are_replaced_unnoticed(
        self, postgres_ledger: Ledger, second_engine: Engine, at_once, pay
    ) -> None:
        """Whatever the server did to idle connections, the next calls do not notice."""
        at_once([lambda: postgres_ledger.post(pay("assets:a", "income:b"))] * 4)
        with second_engine.begin() as connection:
            ended = connection.execute(
                text(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            ).scalar_one()
            connection.execute(text("SELECT pg_sleep(0.2)"))

        at_once([lambda: postgres_ledger.post(pay("assets:a", "income:b"))] * 4)

        assert ended >= 1
        assert postgres_ledger.balance("assets:a").posted == Money(800, EUR)

    @pytest.mark.slow
    def test_a_server_that_was_away_is_used_again(self, open_directory: Path, pay, sound) -> None:
        """While the server is down each call says so; when it is back the same engine works."""
        server = attach(open_directory / "data")
        engine = connect(server.url)
        migrate(engine)
        ledger = Ledger(PostgresStore(engine, clock=lambda: datetime.now(UTC)).create("books"))
        ledger.open_account("assets:a", EUR)
        ledger.open_account("income:b", EUR)
        ledger.post(pay("assets:a", "income:b"))

        server.close()
        with pytest.raises(ExternalDependencyError) as caught_posting:
            ledger.post(pay("assets:a", "income:b"))
        with pytest.raises(ExternalDependencyError) as caught_reading:
            ledger.balance("assets:a")
        server = attach(open_directory / "data")
        ledger.post(pay("assets:a", "income:b"))

        assert {caught_posting.value.code, caught_reading.value.code} == {"database_unavailable"}
        assert ledger.balance("assets:a").posted == Money(200, EUR)
        sound(ledger)
        engine.dispose()
        server.close()

    def test_a_server_that_is_not_there_is_unavailable(self, open_directory: Path) -> None:
        """No connection is an answer from the catalog too."""
        engine = connect(f"postgresql://postgres@/nothing?host={quote(str(open_directory), safe='')}")

        with pytest.raises(ExternalDependencyError) as caught:
            PostgresStore(engine, clock=lambda: datetime.now(UTC)).names()

        assert caught.value.code == "database_unavailable"

    def test_an_exhausted_pool_is_unavailable(self, database_url: str) -> None:
        """Who waits for a connection in vain is told to try again, and nothing leaks."""
        engine = connect(database_url, pool_size=1, pool_timeout_seconds=0.05)
        store = PostgresStore(engine, clock=lambda: datetime.now(UTC))
        held = [engine.connect() for _ in range(6)]

        with pytest.raises(ExternalDependencyError) as caught:
            store.names()
        for connection in held:
            connection.close()

        assert caught.value.code == "database_unavailable"
        assert store.names() == []
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        engine.dispose()


class TestRetries:
    @pytest.mark.parametrize("state", ["40001", "40P01", "55P03"])
    def test_failures_that_a_new_attempt_mends_are_not_seen(
        self, postgres_ledger: Ledger, fault, pay, sound, state: str
    ) -> None:
        """Serialization failures, deadlocks and lock timeouts are tried again inside."""
        postgres_ledger.post(pay("assets:a", "income:b"))
        body = f"IF nextval(TG_NAME || '_count') < 4 THEN RAISE EXCEPTION USING ERRCODE = '{state}'; END IF;"

        with fault("log", body):
            outcome = postgres_ledger.post(pay("assets:a", "income:b"))

        assert not outcome.replayed
        assert postgres_ledger.balance("assets:a").posted == Money(200, EUR)
        sound(postgres_ledger)

    def test_failures_without_end_are_contention(self, engine: Engine, clock, postgres_ledger, fault, pay) -> None:
        """After twelve attempts, with growing pauses, the caller is told to come back later."""
        pauses: list[float] = []
        ledger = Ledger(PostgresStore(engine, clock=clock, sleep=pauses.append).journal("books"))

        with (
            fault("log", "RAISE EXCEPTION USING ERRCODE = '40001';"),
            pytest.raises(ExternalDependencyError) as caught,
        ):
            ledger.post(pay("assets:a", "income:b"))

        assert caught.value.code == "too_much_contention"
        assert caught.value.retryable
        assert len(pauses) == 10
        assert max(pauses) <= 0.25
        assert ledger.list_accounts().items == ()

    def test_an_error_that_no_attempt_mends_is_raised_at_once(self, postgres_ledger: Ledger, fault, pay) -> None:
        """What we do not know is an internal error with the server's code, not a retry."""
        with (
            fault("log", "RAISE EXCEPTION USING ERRCODE = '22012';"),
            pytest.raises(InternalError) as caught,
        ):
            postgres_ledger.post(pay("assets:a", "income:b"))

        assert (caught.value.code, caught.value.details["sqlstate"]) == ("database_error", "22012")

    @pytest.mark.parametrize(
        ("setting", "code"),
        [("lock_timeout", "too_much_contention"), ("statement_timeout", "database_unavailable")],
    )
    def test_waiting_too_long_ends_as_the_session_says(
        self, database_url: str, postgres_ledger: Ledger, second_engine: Engine, clock, pay, setting: str, code: str
    ) -> None:
        """Somebody holds the account: the session's own timeouts end the wait, and nothing is half done."""
        postgres_ledger.post(pay("assets:a", "income:b"))
        url = make_url(database_url).update_query_dict({"options": f"-c {setting}=20ms"})
        engine = connect(url.render_as_string(hide_password=False))
        ledger = Ledger(PostgresStore(engine, clock=clock, sleep=lambda _: None).journal("books"))
        command = pay("assets:a", "income:b")

        with second_engine.begin() as connection:
            connection.execute(text("SELECT 1 FROM accounts FOR UPDATE"))
            with pytest.raises(ExternalDependencyError) as caught:
                ledger.post(command)
        outcome = ledger.post(command)

        assert caught.value.code == code
        assert not outcome.replayed
        engine.dispose()

    def test_a_read_that_meets_others_is_a_reason_too(
        self, postgres_ledger: Ledger, database_url: str, second_engine: Engine, clock, pay
    ) -> None:
        """Sealing a recorded time waits for the head; a lock timeout there does not leak as a driver's error."""
        postgres_ledger.post(pay("assets:a", "income:b"))
        url = make_url(database_url).update_query_dict({"options": "-c lock_timeout=20ms"})
        engine = connect(url.render_as_string(hide_password=False))
        ledger = Ledger(PostgresStore(engine, clock=clock).journal("books"))

        with second_engine.begin() as connection:
            connection.execute(text("SELECT 1 FROM heads FOR UPDATE"))
            with pytest.raises(ExternalDependencyError) as caught:
                ledger.balance_at("assets:a", recorded_at=clock())

        assert caught.value.code == "too_much_contention"
        engine.dispose()


class TestRefusals:
    def test_a_refusal_under_a_key_outlives_its_cause(self, postgres_ledger: Ledger, client, pay) -> None:
        """A keyed command that was refused stays refused for every client, also when it could succeed by now."""
        postgres_ledger.change_account(postgres_ledger.open_account("assets:purse", EUR).path, limits=Limits(minimum=0))
        spend = pay("expenses:x", "assets:purse", key="spend-1")
        refused = postgres_ledger.post_all([spend])[0]
        postgres_ledger.post(pay("assets:purse", "income:b", 1_000))

        again = client().post_all([spend])[0]

        assert isinstance(refused, Refused)
        assert isinstance(again, Refused)
        assert again.replayed
        assert again.reason.code == refused.reason.code == "insufficient_funds"
        assert again.details == refused.details


class TestStreams:
    def test_an_abandoned_stream_gives_its_connection_back(self, postgres_ledger: Ledger, engine: Engine, pay) -> None:
        """Whoever stops in the middle of a stream holds nothing."""
        postgres_ledger.post_all([pay("assets:a", f"income:{n}") for n in range(50)])
        journal = postgres_ledger.journal
        streams: list[Callable[[], Iterator]] = [
            journal.rows, journal.log_entries, journal.stored_accounts, journal.stored_holds,
        ]  # fmt: skip

        for stream in streams:
            iterator = stream()
            next(iterator, None)
            iterator.close()  # type: ignore[attr-defined]

        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        assert isinstance(postgres_ledger.post(pay("assets:a", "income:0")), Posted)

    def test_streams_of_one_snapshot_can_be_read_side_by_side(self, postgres_ledger: Ledger, pay, monkeypatch) -> None:
        """Rows, log entries and accounts interleave, and none sees what came after the snapshot."""
        monkeypatch.setattr("ledgercore_postgres.reading.STREAM_ROWS", 7)
        postgres_ledger.post_all([pay("assets:a", f"income:{n}") for n in range(30)])
        number = postgres_ledger.state().number

        with postgres_ledger.journal.snapshot() as snapshot:
            rows, accounts, entries = snapshot.rows(), snapshot.stored_accounts(), snapshot.log_entries()
            first = [next(rows), next(accounts), next(entries)]
            postgres_ledger.post(pay("assets:a", "income:new"))
            more_rows, more_accounts, more_entries = list(rows), list(accounts), list(entries)

        assert all(first)
        assert (len(more_rows) + 1, len(more_accounts) + 1, len(more_entries) + 1) == (number, 31, 2)

    def test_a_snapshot_leaves_nothing_behind_in_the_pool(self, postgres_ledger: Ledger, engine: Engine, pay) -> None:
        """The connection that served a snapshot may write again, at the usual isolation."""
        with postgres_ledger.journal.snapshot() as snapshot:
            snapshot.state()

        with engine.connect() as connection:
            level = connection.exec_driver_sql("SHOW transaction_isolation").scalar_one()
            read_only = connection.exec_driver_sql("SHOW transaction_read_only").scalar_one()

        assert (level, read_only) == ("read committed", "off")
        postgres_ledger.post(pay("assets:a", "income:b"))
