"""Races for identity: of those who come at the same moment one acts, and the others are told."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from attrs import evolve
from sqlalchemy import Engine, text

from ledgercore.errors import ExternalDependencyError, LedgercoreError
from ledgercore.identity.answers import KeptAnswer
from ledgercore.identity.audit import OPERATOR, AuditEvent, first_broken
from ledgercore.identity.memberships import LedgerAccess
from ledgercore.identity.sessions import Session
from ledgercore.testing.identity_people import login, machine, member, someone, stored
from ledgercore_postgres import PostgresStore, PostgresWorkStore

CLIENTS = 8


@pytest.fixture
def identity(engine: Engine, clock) -> PostgresWorkStore:
    """Identity in this test's database."""
    return PostgresWorkStore(engine, clock=clock)


@pytest.fixture
def second_identity(second_engine: Engine, clock) -> PostgresWorkStore:
    """Another client of the same database."""
    return PostgresWorkStore(second_engine, clock=clock)


@pytest.fixture
def clients(identity: PostgresWorkStore, second_identity: PostgresWorkStore) -> list[PostgresWorkStore]:
    """Two clients, four times each."""
    return [identity, second_identity] * (CLIENTS // 2)


def code_of(call: Callable[[], object]) -> str:
    """The code of the reason for which something is refused, or `done`."""
    try:
        call()
    except LedgercoreError as error:
        return error.code
    return "done"


class Running:
    """Something that runs in a thread of its own while the test goes on."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._result: object = None
        self._thread = threading.Thread(target=lambda: setattr(self, "_result", work()))
        self._thread.start()

    def result(self) -> object:
        """Wait for it."""
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self._result


def until_somebody_waits(engine: Engine) -> None:
    """Return as soon as a session waits for another one's lock."""
    question = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(1_000):
        with engine.connect() as connection:
            if connection.execute(question).scalar_one():
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


class TestSessions:
    def test_a_refresh_token_is_rotated_once(
        self, identity: PostgresWorkStore, second_identity: PostgresWorkStore, engine: Engine
    ) -> None:
        """Of two who present it at once one gets the next, and the other waits and sees that it was rotated."""
        user = someone()
        session = login(user)
        stored(identity, user, session)

        def look() -> Session | None:
            with second_identity.begin() as work:
                return work.sessions.find(session.id)

        with identity.begin() as work:
            found = work.sessions.find(session.id)
            twin = Running(look)
            until_somebody_waits(engine)
            rotated = evolve(session, token_id="next")
            work.sessions.save(rotated)

        assert (found, twin.result()) == (session, rotated)


class TestAnswers:
    def claim(self, identity: PostgresWorkStore, clock, sealed: bytes) -> KeptAnswer | None:
        with identity.begin() as work:
            kept = work.answers.claim("scope", "key", b"fingerprint", now=clock())
            if kept is None:
                work.answers.keep("scope", "key", sealed)
            return kept

    def test_a_twin_waits_and_is_given_the_answer(
        self, identity: PostgresWorkStore, second_identity: PostgresWorkStore, engine: Engine, clock
    ) -> None:
        """It neither acts nor answers before the first has committed."""
        with identity.begin() as work:
            assert work.answers.claim("scope", "key", b"fingerprint", now=clock()) is None
            twin = Running(lambda: self.claim(second_identity, clock, b"twin"))
            until_somebody_waits(engine)
            work.answers.keep("scope", "key", b"first")

        assert twin.result() == KeptAnswer(fingerprint=b"fingerprint", sealed=b"first")

    def test_a_twin_acts_when_the_first_one_failed(
        self, identity: PostgresWorkStore, second_identity: PostgresWorkStore, engine: Engine, clock
    ) -> None:
        """What was undone leaves the key to whoever has waited."""
        twins = []

        def fail() -> None:
            with identity.begin() as work:
                work.answers.claim("scope", "key", b"other", now=clock())
                work.answers.keep("scope", "key", b"never")
                twins.append(Running(lambda: self.claim(second_identity, clock, b"twin")))
                until_somebody_waits(engine)
                raise LookupError

        with pytest.raises(LookupError):
            fail()

        assert twins[0].result() is None
        assert self.claim(identity, clock, b"") == KeptAnswer(fingerprint=b"fingerprint", sealed=b"twin")

    def test_an_answer_that_is_taken_over_is_taken_once(
        self, identity: PostgresWorkStore, clients: list[PostgresWorkStore], clock, at_once
    ) -> None:
        """Eight come after a day: one acts, seven are given its answer."""
        self.claim(identity, clock, b"yesterday")
        clock.forward(days=1, seconds=1)

        told = at_once([lambda c=client, n=n: self.claim(c, clock, b"%d" % n) for n, client in enumerate(clients)])

        assert sum(kept is None for kept in told) == 1
        assert [kept.sealed for kept in told if kept] == [b"%d" % told.index(None)] * (CLIENTS - 1)

    def test_old_answers_are_forgotten_as_new_ones_come(
        self, identity: PostgresWorkStore, engine: Engine, clock
    ) -> None:
        """Two for each claim, while others still hold one of them."""

        def claim(key: str) -> None:
            with identity.begin() as work:
                work.answers.claim("scope", key, b"", now=clock())
                work.answers.keep("scope", key, b"")

        for number in range(10):
            claim(f"old-{number}")
        clock.forward(days=1, seconds=1)

        with engine.begin() as connection:
            connection.execute(text("SELECT * FROM answers WHERE key = 'old-0' FOR UPDATE"))
            for number in range(6):
                claim(f"new-{number}")

        with engine.connect() as connection:
            left = connection.execute(text("SELECT key FROM answers ORDER BY key")).scalars().all()
        assert left == [f"new-{number}" for number in range(6)] + ["old-0"]


class TestUsers:
    def test_an_email_is_given_to_one_of_many(
        self, identity: PostgresWorkStore, clients: list[PostgresWorkStore], at_once
    ) -> None:
        """The others are told that it is taken, and nothing else goes wrong."""
        users = [someone(email="ada@example.com") for _ in clients]

        told = at_once([lambda c=c, u=u: code_of(lambda: stored(c, u)) for c, u in zip(clients, users, strict=True)])

        assert Counter(told) == {"done": 1, "email_already_exists": CLIENTS - 1}
        with identity.begin() as work:
            assert work.users.find_by_email("ada@example.com") == users[told.index("done")]

    def test_logging_in_does_not_wait_for_whoever_changes_the_user(
        self, identity: PostgresWorkStore, second_identity: PostgresWorkStore
    ) -> None:
        """A user who is locked can still be given a session."""
        user = someone()
        session = login(user)
        stored(identity, user)

        with identity.begin() as work:
            work.users.find(user.id)
            Running(lambda: stored(second_identity, session)).result()

            assert work.sessions.find(session.id) == session


class TestMembers:
    def test_the_last_owner_stays(
        self,
        identity: PostgresWorkStore,
        clients: list[PostgresWorkStore],
        postgres_store: PostgresStore,
        at_once,
    ) -> None:
        """Eight owners who leave at once, each if another one stays: seven leave."""  # fmt: skip
        postgres_store.create("books")
        owners = [someone() for _ in clients]
        stored(identity, *owners, *(member("books", owner, LedgerAccess.OWNER) for owner in owners))

        def leave(client: PostgresWorkStore, user_id) -> bool:
            with client.begin() as work:
                left = [each for each in work.members.list_in("books") if each.user_id != user_id]
                return bool(left) and work.members.revoke("books", user_id)

        told = at_once([lambda c=c, u=u: leave(c, u.id) for c, u in zip(clients, owners, strict=True)])

        assert Counter(told) == {True: CLIENTS - 1, False: 1}


class TestAudit:
    def test_numbers_have_no_gaps_and_the_chain_is_sound(
        self, identity: PostgresWorkStore, clients: list[PostgresWorkStore], at_once
    ) -> None:
        """Eight append at once, some of them in vain, some several in one unit of work."""

        def append(client: PostgresWorkStore, number: int) -> None:
            for turn in range(10):
                try:
                    with client.begin() as work:
                        for _ in range(1 + turn % 3):
                            work.audit.append(AuditEvent(action="user_login", actor=OPERATOR, target=f"user:{number}"))
                        if turn % 5 == 4:
                            raise LookupError
                except LookupError:
                    pass

        at_once([lambda c=c, n=n: append(c, n) for n, c in enumerate(clients)])

        with identity.begin() as work:
            entries = list(work.audit.entries())
        # Of ten turns with 1, 2, 3, 1, 2, 3, 1, 2, 3, 1 entries the fifth and the tenth are in vain.
        assert [entry.log.batch for entry in entries] == list(range(1, CLIENTS * 16 + 1))
        assert first_broken(entries) is None

    def test_long_logs_are_read_in_chunks(self, identity: PostgresWorkStore, monkeypatch: pytest.MonkeyPatch) -> None:
        """All entries come, each once, whether or not the last chunk is full."""
        monkeypatch.setattr("ledgercore_postgres.identity.audit.CHUNK_ENTRIES", 3)
        with identity.begin() as work:
            made = [work.audit.append(AuditEvent(action="user_login", actor=OPERATOR)) for _ in range(6)]

        with identity.begin() as work:
            assert list(work.audit.entries()) == made
            assert list(work.audit.entries(after=1)) == made[1:]


class TestUnitsOfWork:
    def test_nothing_shows_before_the_commit(
        self, identity: PostgresWorkStore, second_identity: PostgresWorkStore, postgres_store: PostgresStore
    ) -> None:
        """Neither users nor ledgers."""
        user = someone()
        with identity.begin() as work:
            work.users.add(user)
            work.ledgers.create("books")
            with second_identity.begin() as other:
                assert other.users.find_by_email(user.email) is None
            assert postgres_store.names() == []

        assert postgres_store.names() == ["books"]

    def test_a_ledger_is_made_by_one_of_many(self, clients: list[PostgresWorkStore], at_once) -> None:
        """The others wait for it and are told that the name is taken."""

        def create(client: PostgresWorkStore) -> None:
            with client.begin() as work:
                work.ledgers.create("books")

        told = at_once([lambda c=client: code_of(lambda: create(c)) for client in clients])

        assert Counter(told) == {"done": 1, "ledger_already_exists": CLIENTS - 1}

    @pytest.mark.slow
    def test_a_circle_of_waiting_is_too_much_contention(
        self, identity: PostgresWorkStore, second_identity: PostgresWorkStore, at_once
    ) -> None:
        """Two who lock the same sessions in opposite orders: one is undone and may try again."""
        user = someone()
        sessions = [login(user), login(user)]
        stored(identity, user, *sessions)
        both_hold_one = threading.Barrier(2)

        def lock(client: PostgresWorkStore, order) -> None:
            with client.begin() as work:
                work.sessions.find(order[0].id)
                both_hold_one.wait()
                work.sessions.find(order[1].id)

        told = at_once(
            [
                lambda: code_of(lambda: lock(identity, sessions)),
                lambda: code_of(lambda: lock(second_identity, sessions[::-1])),
            ]
        )

        assert Counter(told) == {"done": 1, "too_much_contention": 1}

    def test_touching_keys_in_opposite_orders_is_no_circle(
        self, identity: PostgresWorkStore, clients: list[PostgresWorkStore], clock, at_once
    ) -> None:
        """Every use is noted, the latest counts."""
        owner = someone()
        tokens = [machine(owner) for _ in range(20)]
        stored(identity, owner, *tokens)
        latest = clock() + timedelta(hours=1)

        def touch(client: PostgresWorkStore, number: int) -> None:
            order = tokens if number % 2 else tokens[::-1]
            client.touch_tokens([(token.id, latest - timedelta(seconds=number)) for token in order])

        at_once([lambda c=client, n=n: touch(c, n) for n, client in enumerate(clients)])

        with identity.begin() as work:
            found = work.tokens.list_after(owner_id=owner.id, after=None, limit=100)
        assert {token.last_used_at for token in found} == {latest}

    def test_a_lost_connection_is_unavailable(self, identity: PostgresWorkStore, fault) -> None:
        """Before the commit nothing is in doubt."""
        user = someone()

        with (
            fault("users", "PERFORM pg_terminate_backend(pg_backend_pid());"),
            pytest.raises(ExternalDependencyError) as caught,
        ):
            stored(identity, user)

        assert caught.value.code == "database_unavailable"
        stored(identity, user)

    def test_a_connection_lost_while_committing_leaves_the_outcome_unknown(
        self, identity: PostgresWorkStore, second_engine: Engine
    ) -> None:
        """The caller repeats under the same key."""
        with second_engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql"
                " AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$"
            )
            connection.exec_driver_sql(
                "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION die()"
            )

        with pytest.raises(ExternalDependencyError) as caught:
            stored(identity, someone())

        assert caught.value.code == "commit_outcome_unknown"
