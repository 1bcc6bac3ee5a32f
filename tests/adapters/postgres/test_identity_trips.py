"""How often identity and rate limits ask the database, and that they find what they ask for by index."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, text

from ledgercore.identity.audit import OPERATOR, AuditEvent, AuditFilter
from ledgercore.identity.principals import Subject
from ledgercore.identity.users import UserFilter
from ledgercore.rate_limits import Quota, Take
from ledgercore.testing.identity_people import login, machine, member, new_id, someone, stored
from ledgercore_postgres import PostgresRateLimiter, PostgresStore, PostgresWorkStore, connect

QUOTA = Quota(5, timedelta(hours=1))
TABLES = ("users", "sessions", "service_tokens", "memberships", "audit", "answers", "rate_limits", "ledgers")
DUMMIES = {
    "text": "'a'", "bytea": "''", "uuid": "NULL", "timestamp with time zone": "now()", "bigint": "1", "smallint": "1",
    "integer": "1", "character varying": "'a'", "json": "'{}'", "int8": "1",
}  # fmt: skip


@pytest.fixture
def identity(engine: Engine, clock) -> PostgresWorkStore:
    """Identity in this test's database."""
    return PostgresWorkStore(engine, clock=clock)


class TestTrips:
    @pytest.mark.parametrize("size", [1, 10, 1_000])
    def test_standings_are_one_statement_and_one_trip(self, identity: PostgresWorkStore, watched, size: int) -> None:
        """However many are asked for at once, in sessions or by keys, and no transaction around it."""
        user = someone()
        session, token = login(user), machine(user)
        stored(identity, user, session, token)
        subjects = [
            Subject(user_id=user.id, session_id=session.id, ledger="books"),
            Subject(token_digest=token.digest, ledger="books"),
        ] * size
        identity.standings(subjects)

        sent = watched(lambda: identity.standings(subjects))

        assert (sent.statements, sent.trips) == (1, 1)

    @pytest.mark.parametrize("size", [1, 400])
    def test_takes_are_one_statement_and_one_trip(self, engine: Engine, watched, size: int) -> None:
        """However many keys and however often each."""
        limiter = PostgresRateLimiter(engine)
        takes = [Take(f"key-{number}", QUOTA) for number in range(size)] * 2
        limiter.take(takes[:1])

        sent = watched(lambda: limiter.take(takes))

        assert (sent.statements, sent.trips) == (1, 1)

    def test_claim_takes_one_trip(self, identity: PostgresWorkStore, clock, watched) -> None:
        """Begin; claim and forget; keep; commit."""

        def answer() -> None:
            key = str(new_id())
            with identity.begin() as work:
                work.answers.claim("scope", key, b"", now=clock())
                work.answers.keep("scope", key, b"")

        answer()

        assert watched(answer).trips == 4

    def test_audit_entry_takes_two_trips(self, identity: PostgresWorkStore, watched) -> None:
        """Begin; its turn and the last entry; the entry; commit."""

        def note() -> None:
            with identity.begin() as work:
                work.audit.append(AuditEvent(action="user_login", actor=OPERATOR))

        note()

        assert watched(note).trips == 4


@pytest.fixture(params=["our own session", "somebody's session"])
def grown(request: pytest.FixtureRequest, database_url: str) -> Iterator[Engine]:
    """One connection that keeps the first plan it made for each statement, to tables that nobody ever analyses."""
    make = connect if request.param == "our own session" else create_engine
    engine = make(database_url, pool_size=1)

    @event.listens_for(engine, "connect")
    def remember_plans(connection: Any, _: object) -> None:
        connection.prepare_threshold = 0
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.commit()

    with engine.begin() as connection:
        for table in TABLES:
            connection.execute(text(f"ALTER TABLE {table} SET (autovacuum_enabled = off)"))
    yield engine
    engine.dispose()


def use_everything(engine: Engine, clock) -> None:
    """Send every statement that a request may send."""
    identity = PostgresWorkStore(engine, clock=clock)
    store = PostgresStore(engine, clock=clock)
    name = f"ledger-{new_id().hex}"
    store.create(name)
    user = someone()
    session, token = login(user), machine(user)
    stored(identity, user, session, token, member(name, user))
    identity.standings([Subject(user_id=user.id, session_id=session.id, ledger=name)])
    identity.touch_tokens([(token.id, clock())])
    PostgresRateLimiter(engine).take([Take(name, QUOTA)])
    with identity.begin() as work:
        work.users.find(user.id)
        work.users.find_by_email(user.email)
        work.users.save(user)
        work.users.list_after(UserFilter(), after=(clock(), user.id), limit=10)
        work.sessions.find(session.id)
        work.sessions.save(session)
        work.sessions.revoke_all(user.id, now=clock(), but=session.id)
        work.tokens.find(token.id)
        work.tokens.save(token)
        work.tokens.list_after(owner_id=user.id, after=token.id, limit=10)
        work.tokens.revoke_all(user.id, now=clock())
        work.members.find(name, user.id)
        work.members.list_in(name)
        work.members.list_of(user.id, after="", limit=10)
        work.members.revoke(name, user.id)
        work.answers.claim("scope", name, b"", now=clock())
        work.answers.keep("scope", name, b"")
        work.audit.append(AuditEvent(action="user_login", actor=OPERATOR, target=name))
        wanted = {"target": name, "actor": "operator", "action": "x", "correlation_id": "y"}
        for field, value in wanted.items():
            work.audit.list_before(AuditFilter(**{field: value}), before=99, limit=10)  # type: ignore[arg-type]
        work.audit.list_before(AuditFilter(since=clock(), until=clock()), before=99, limit=10)


def grow(engine: Engine) -> None:
    """Ten thousand of everything."""
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO users SELECT gen_random_uuid(), 'user' || n || '@example.com', 'n', 'user', 'ACTIVE', 'x',"
            " now(), now() FROM generate_series(1, 10000) n",
            "INSERT INTO sessions SELECT gen_random_uuid(), id, 't', now(), now(), now() + interval '1 day' FROM users",
            "INSERT INTO service_tokens SELECT gen_random_uuid(), id, 'n', 's', sha256(id::text::bytea),"
            " '{ledger:read}', NULL, now() FROM users",
            "INSERT INTO ledgers (name, created_at) SELECT 'l' || n, now() FROM generate_series(1, 10000) n",
            "INSERT INTO memberships SELECT ledger_id, (SELECT id FROM users LIMIT 1), 'reader', now() FROM ledgers"
            " ON CONFLICT DO NOTHING",
            "INSERT INTO answers SELECT 's', n::text, '', '', now() FROM generate_series(1, 10000) n",
            "INSERT INTO audit (number, recorded_at, body, root, head)"
            " SELECT n + 1, '2030-01-01'::timestamptz + n * interval '1 second',"
            """ '{"action": "a", "actor": "b", "target": "c", "correlation_id": "d"}', sha256(''), sha256('')"""
            " FROM generate_series(1, 10000) n",
            "INSERT INTO rate_limits SELECT 'k' || n, now() + interval '1 day', now(), 1, 1, 1, 1"
            " FROM generate_series(1, 10000) n",
        ):
            connection.exec_driver_sql(statement)


def plans(engine: Engine) -> dict[str, str]:
    """The plan that each prepared statement would run by now."""
    found = {}
    with engine.connect() as connection:
        known = connection.exec_driver_sql(
            "SELECT name, statement, parameter_types::text[] FROM pg_prepared_statements WHERE name LIKE '_pg3%%'"
        ).all()
        for name, statement, types in known:
            if statement.lstrip().startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")):
                values = ", ".join("'{}'" if kind.endswith("[]") else DUMMIES[kind] for kind in types)
                call = f'EXPLAIN EXECUTE "{name}"' + (f" ({values})" if values else "")
                found[statement] = "\n".join(row[0] for row in connection.exec_driver_sql(call.replace("%", "%%")))
    return found


@pytest.mark.slow
def test_no_statement_reads_a_whole_table(grown: Engine, second_engine: Engine, clock) -> None:
    """Statements prepared on empty tables look rows up by index when there are ten thousand users."""
    use_everything(grown, clock)
    grow(second_engine)

    found = plans(grown)

    assert len(found) >= 25
    for statement, plan in found.items():
        for table in TABLES:
            assert f"Seq Scan on {table}" not in plan, f"{statement}\n{plan}"
        # Where sequential scans are off, reading all of an index would be the same in another guise.
        wholly_read = 1 if "ORDER BY number DESC LIMIT 1" in statement else 0
        assert plan.count("Index Scan") - plan.count("Index Cond") == wholly_read, f"{statement}\n{plan}"
