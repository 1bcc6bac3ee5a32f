"""The schema of identity: what it refuses, and what nobody can change any more."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from ledgercore.errors import InternalError
from ledgercore.identity.audit import OPERATOR, AuditEvent
from ledgercore.testing.identity_people import login, someone
from ledgercore_postgres import PostgresWorkStore

ID = "'0191d3c0-0000-7000-8000-000000000001'"
USER = {
    "id": ID, "email": "'ada@example.com'", "full_name": "'Ada'", "role": "'user'", "status": "'ACTIVE'",
    "password_hash": "'x'", "inserted_at": "now()", "updated_at": "now()",
}  # fmt: skip
SESSION = {
    "id": "gen_random_uuid()", "user_id": ID, "token_id": "'t'", "started_at": "now()", "rotated_at": "now()",
    "expires_at": "now() + interval '1 day'",
}  # fmt: skip
TOKEN = {
    "id": "gen_random_uuid()", "owner_id": ID, "name": "'n'", "shown": "'lc_'", "digest": "sha256('')",
    "scopes": "'{ledger:read}'", "issued_at": "now()",
}  # fmt: skip
MEMBERSHIP = {"ledger_id": "1", "user_id": ID, "access": "'reader'", "granted_at": "now()"}
AUDIT = {
    "number": "1", "recorded_at": "now()", "body": """'{"action": "a", "actor": "b"}'""", "root": "sha256('')",
    "head": "sha256('')",
}  # fmt: skip
LIMIT = {
    "key": "'k'", "even_at": "now()", "judged_at": "now()", "weight": "1", "burst": "5", "asked": "2", "granted": "2",
}  # fmt: skip
ROWS = {
    "sessions": SESSION, "service_tokens": TOKEN, "memberships": MEMBERSHIP, "audit": AUDIT, "rate_limits": LIMIT,
}  # fmt: skip


@pytest.fixture
def identity(engine: Engine, clock) -> PostgresWorkStore:
    """Identity in this test's database."""
    return PostgresWorkStore(engine, clock=clock)


@pytest.fixture
def peopled(engine: Engine) -> Engine:
    """A database with one user and one ledger."""
    insert(engine, "users", USER)
    insert(engine, "ledgers", {"ledger_id": "1", "name": "'books'", "created_at": "now()"})
    return engine


def insert(engine: Engine, table: str, values: dict[str, str]) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})")


class TestConstraints:
    @pytest.mark.parametrize(("table", "row"), ROWS.items(), ids=ROWS)
    def test_a_plain_row_is_taken(self, peopled: Engine, table: str, row: dict[str, str]) -> None:
        """Without this, the refusals below would prove nothing."""
        insert(peopled, table, row)

    @pytest.mark.parametrize(
        ("table", "row", "wrong", "constraint"),
        [
            ("users", USER, {"id": "gen_random_uuid()"}, "users_email"),
            ("users", USER, {"email": "'Bob@example.com'"}, "users_email_form"),
            ("users", USER, {"email": "'@'"}, "users_email_form"),
            ("users", USER, {"email": "'bob@example.com'", "full_name": "''"}, "users_full_name"),
            ("users", USER, {"email": "'bob@example.com'", "role": "'root'"}, "users_role"),
            ("users", USER, {"email": "'bob@example.com'", "status": "'active'"}, "users_status"),
            ("sessions", SESSION, {"user_id": "gen_random_uuid()"}, "sessions_user"),
            ("sessions", SESSION, {"expires_at": "now()"}, "sessions_times"),
            ("service_tokens", TOKEN, {"owner_id": "gen_random_uuid()"}, "service_tokens_owner"),
            ("service_tokens", TOKEN, {"name": "''"}, "service_tokens_name"),
            ("service_tokens", TOKEN, {"digest": "'short'"}, "service_tokens_digest_length"),
            ("service_tokens", TOKEN, {"scopes": "'{}'"}, "service_tokens_scopes"),
            ("service_tokens", TOKEN, {"scopes": "'{everything}'"}, "service_tokens_scopes"),
            ("memberships", MEMBERSHIP, {"ledger_id": "2"}, "memberships_ledger"),
            ("memberships", MEMBERSHIP, {"user_id": "gen_random_uuid()"}, "memberships_user"),
            ("memberships", MEMBERSHIP, {"access": "'god'"}, "memberships_access"),
            ("audit", AUDIT, {"number": "0"}, "audit_number"),
            ("audit", AUDIT, {"root": "'x'"}, "audit_root"),
            ("audit", AUDIT, {"head": "'x'"}, "audit_head"),
            ("rate_limits", LIMIT, {"weight": "0"}, "rate_limits_weight"),
            ("rate_limits", LIMIT, {"granted": "3"}, "rate_limits_granted"),
        ],
        ids=str,
    )
    def test_nonsense_is_refused(
        self, peopled: Engine, table: str, row: dict[str, str], wrong: dict[str, str], constraint: str
    ) -> None:
        """What the core never writes cannot be written by anybody else either."""
        with pytest.raises(DBAPIError) as caught:
            insert(peopled, table, {**row, **wrong})

        assert f'"{constraint}"' in str(caught.value.orig)

    @pytest.mark.parametrize(
        ("table", "constraint"),
        [("service_tokens", "service_tokens_digest"), ("memberships", "memberships_pkey"), ("audit", "audit_pkey")],
    )
    def test_a_place_is_taken_once(self, peopled: Engine, table: str, constraint: str) -> None:
        """No key has a double, nobody two accesses to a ledger, no number two entries."""
        insert(peopled, table, ROWS[table])

        with pytest.raises(DBAPIError) as caught:
            insert(peopled, table, ROWS[table])

        assert f'"{constraint}"' in str(caught.value.orig)

    @pytest.mark.parametrize("table", ["sessions", "service_tokens", "memberships"])
    def test_users_cannot_be_removed_from_under_what_is_theirs(self, peopled: Engine, table: str) -> None:
        """Nothing goes away with anything else."""
        insert(peopled, table, ROWS[table])

        with pytest.raises(DBAPIError, match="foreign key"), peopled.begin() as connection:
            connection.execute(text("DELETE FROM users"))


class TestAuditLog:
    @pytest.mark.parametrize(
        "change",
        ["UPDATE audit SET number = 7", "UPDATE audit SET body = body WHERE false",
         "DELETE FROM audit WHERE number = 1", "TRUNCATE audit",
         "INSERT INTO audit (number, recorded_at, body, root, head) SELECT number, recorded_at, body, root, head"
         " FROM audit ON CONFLICT (number) DO UPDATE SET number = 9"],
    )  # fmt: skip
    def test_it_is_append_only(self, engine: Engine, identity: PostgresWorkStore, change: str) -> None:
        """The database itself refuses to change or remove what is in it."""
        with identity.begin() as work:
            entry = work.audit.append(AuditEvent(action="user_created", actor=OPERATOR))

        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(text(change))

        with identity.begin() as work:
            assert list(work.audit.entries()) == [entry]


class TestErrors:
    def test_an_error_that_was_passed_over_is_not_committed(self, identity: PostgresWorkStore) -> None:
        """The server would undo everything and call it a commit, so the unit of work says so itself."""
        user = someone()

        def go_on() -> None:
            with identity.begin() as work:
                work.users.add(user)
                with pytest.raises(InternalError):
                    work.sessions.add(login(someone()))

        with pytest.raises(InternalError) as caught:
            go_on()

        assert caught.value.code == "database_error"
        with identity.begin() as work:
            assert work.users.find(user.id) is None

    def test_a_constraint_is_named_but_no_row_is_told(self, identity: PostgresWorkStore) -> None:
        """An unexpected refusal of the database becomes an internal error without contents."""
        with pytest.raises(InternalError) as caught, identity.begin() as work:
            work.sessions.add(login(someone()))

        assert caught.value.details["constraint"] == "sessions_user"
        assert set(caught.value.details) == {"constraint", "sqlstate"}
