"""The schema: migrated by many at once, agreeing with what the adapter believes, refusing what it must not hold."""

import re

import pytest
from alembic import command
from sqlalchemy import Engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from ledgercore.errors import InternalError
from ledgercore.ledger.ledger import Ledger
from ledgercore_postgres import PostgresStore, connect, migrate
from ledgercore_postgres.migration import _config, head_revision
from ledgercore_postgres.tables import METADATA

EMPTY_DATABASE = """
import sys
from ledgercore_postgres import connect, migrate
engine = connect(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(*migrate(engine))
"""

# What is no part of any ledger.
BESIDE_LEDGERS = {
    "users", "sessions", "service_tokens", "audit", "answers", "rate_limits", "ledgercore_schema", "jobs", "events",
    "webhook_endpoints", "webhook_deliveries", "webhooks_received", "banks", "bank_branches", "bank_logins",
    "bank_consents", "bank_accounts", "bank_rows", "bank_findings", "payments", "payment_returns",
}  # fmt: skip


@pytest.fixture
def empty_engine(engine: Engine) -> Engine:
    """An engine for a database without any schema of ours."""
    with engine.begin() as connection:
        _downgrade(connection)
        connection.exec_driver_sql("DROP TABLE ledgercore_schema")
    return engine


def _downgrade(connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.downgrade(config, "base")


def shape(engine: Engine) -> dict[str, object]:
    """Everything that the catalogs say about our tables."""
    with engine.connect() as connection:
        columns = connection.execute(
            text(
                "SELECT table_name, column_name, ordinal_position, data_type, is_nullable, column_default,"
                " collation_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 3"
            )
        ).all()
        constraints = connection.execute(
            text(
                "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2"
            )
        ).all()
        indexes = connection.execute(
            text("SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2")
        ).all()
        triggers = connection.execute(
            text(
                "SELECT pg_get_triggerdef(pg_trigger.oid), prosrc FROM pg_trigger JOIN pg_proc ON tgfoid = pg_proc.oid"
                " WHERE NOT tgisinternal ORDER BY 1"
            )
        ).all()
    return {"columns": columns, "constraints": constraints, "indexes": indexes, "triggers": triggers}


class TestMigration:
    @pytest.mark.slow
    def test_six_processes_may_migrate_at_once(self, empty_engine: Engine, processes) -> None:
        """One of them does the work, the others find it done, and all are ready."""
        answers = processes(EMPTY_DATABASE, 6)

        assert sorted(answer.split()[0] for answer in answers) == [head_revision()] * 5 + ["None"]
        PostgresStore(empty_engine, clock=lambda: None).check()  # type: ignore[arg-type, return-value]

    def test_a_database_without_the_schema_is_outdated(self, empty_engine: Engine, clock) -> None:
        """The refusal names what was found, what is needed and how to get there."""
        with pytest.raises(InternalError) as caught:
            PostgresStore(empty_engine, clock=clock).check()

        assert caught.value.code == "schema_outdated"
        assert caught.value.details["found"] is None
        assert "migrate" in str(caught.value.details["remedy"])

    def test_a_schema_of_the_future_is_too_new(self, engine: Engine, clock) -> None:
        """A revision that this version has never heard of is not touched."""
        with engine.begin() as connection:
            connection.execute(text("UPDATE ledgercore_schema SET version_num = '9999'"))

        with pytest.raises(InternalError) as caught:
            PostgresStore(engine, clock=clock).check()

        assert caught.value.code == "schema_too_new"

    def test_down_and_up_again_leaves_no_difference(self, engine: Engine) -> None:
        """A round trip through the migrations ends in the same schema."""
        before = shape(engine)
        with engine.begin() as connection:
            _downgrade(connection)
        gone = inspect(engine).get_table_names()

        migrate(engine)

        assert gone == ["ledgercore_schema"]
        assert shape(engine) == before


class TestTables:
    def test_the_adapter_sees_the_tables_as_they_are(self, engine: Engine) -> None:
        """Names, types, order and nullability of every column agree with the migrated database."""
        found = inspect(engine)

        for table in METADATA.sorted_tables:
            stored = {column["name"]: column for column in found.get_columns(table.name)}
            assert list(stored) == [column.name for column in table.columns], table.name
            for column in table.columns:
                there = stored[column.name]
                # The migrations order paths and names byte by byte, which the adapter need not know.
                type_there = there["type"].compile(engine.dialect).removesuffix(' COLLATE "C"')
                assert type_there == column.type.compile(engine.dialect), column
                assert there["nullable"] is bool(column.nullable), column
            assert set(found.get_pk_constraint(table.name)["constrained_columns"]) == {
                column.name for column in table.primary_key
            }

    def test_every_key_begins_with_the_ledger(self, engine: Engine) -> None:
        """Tables can be spread by ledger, since no unique key says anything across ledgers."""
        with engine.connect() as connection:
            keys = connection.execute(
                text(
                    "SELECT tablename, indexname, indexdef FROM pg_indexes"
                    " WHERE indexdef LIKE 'CREATE UNIQUE%' AND schemaname = 'public'"
                )
            ).all()

        assert {table for table, _, _ in keys} > {*BESIDE_LEDGERS, "accounts", "journal", "memberships"}
        for table, name, definition in keys:
            if table not in BESIDE_LEDGERS and name != "ledgers_name":
                assert "(ledger_id" in definition, definition

    def test_every_statement_names_the_ledger(self, postgres_ledger: Ledger, database_url: str, clock, pay) -> None:
        """Whatever reads or writes a table of ledgers' contents is confined to one ledger."""
        engine = connect(database_url)
        ledger = Ledger(PostgresStore(engine, clock=clock).journal("books"))
        for _ in range(7):  # a statement is prepared once it was used often
            hold = ledger.hold(debit="assets:a", credit="income:b", amount=pay("assets:a", "income:b").lines[0].amount)
            ledger.change_hold(hold.id, pay("assets:a", "income:b", 90).lines[0].amount)
            ledger.capture(hold.id)
            posted = ledger.post(pay("assets:a", "income:b"))
            ledger.reverse(posted.id)
            ledger.get_transaction(posted.id)
            ledger.list_transactions(account="assets:a", reference="x", metadata={"a": 1})
            ledger.list_holds(account="assets:a")
            ledger.list_accounts(prefix="assets")
            ledger.list_entries("assets:a")
            ledger.balance_at("assets:a", effective_at=clock())
            ledger.balance_at("assets:a", recorded_at=clock())
            list(ledger.events())

        with engine.connect() as connection:
            statements = connection.exec_driver_sql("SELECT statement FROM pg_prepared_statements").scalars().all()

        ours = [found for found in statements if re.search(r"\b(accounts|journal|holds|log|heads)\b", found)]
        assert len(ours) >= 15
        for statement in ours:
            touched = re.findall(r"\b(?:FROM|UPDATE|INTO) (?:accounts|journal|holds|log|heads)\b", statement)
            assert statement.count("ledger_id") >= len(touched), statement
        engine.dispose()


ENTRY = {
    "ledger_id": "1", "debit_account": "1", "number": "999", "effective_at": "now()", "recorded_at": "now()",
    "credit_account": "2", "line": "0", "flags": "0", "kind": "'t'", "id": "gen_random_uuid()", "amount": "5",
    "debit_balance": "5", "credit_balance": "5",
}  # fmt: skip
ACCOUNT = {
    "ledger_id": "1", "account": "99", "version": "0", "opened_at": "now()", "exponent": "2", "balance": "0",
    "pending_debits": "0", "pending_credits": "0", "type": "'asset'", "status": "'open'", "currency": "'EUR'",
    "path": "'assets:direct'",
}  # fmt: skip
HOLD = {
    "ledger_id": "1", "hold_id": "gen_random_uuid()", "status": "'open'", "placed_at": "now()",
    "tolerance_bps": "0", "lines": "'[]'", "accounts": "'{}'",
}  # fmt: skip
LOG = {
    "ledger_id": "1", "batch": "99", "first_number": "998", "last_number": "999", "recorded_at": "now()",
    "root": "sha256('')", "head": "sha256('')",
}  # fmt: skip
HEAD = {
    "ledger_id": "2", "number": "0", "batch": "0", "head": "sha256('')", "accounts_count": "0", "settings": "'{}'",
}  # fmt: skip


def insert(engine: Engine, table: str, values: dict[str, str]) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})")


class TestConstraints:
    @pytest.mark.parametrize(
        ("table", "row"),
        [("journal", ENTRY), ("accounts", ACCOUNT), ("holds", HOLD), ("log", LOG), ("heads", HEAD)],
        ids=["journal", "accounts", "holds", "log", "heads"],
    )
    def test_a_plain_row_is_taken(self, engine: Engine, table: str, row: dict[str, str]) -> None:
        """Without this, the refusals below would prove nothing."""
        insert(engine, table, row)

    @pytest.mark.parametrize(
        ("table", "row", "wrong"),
        [
            *(("journal", ENTRY, {"amount": bad}) for bad in ("'NaN'", "0", "-1", "1e38", "NULL")),
            *(("journal", ENTRY, {"debit_balance": bad}) for bad in ("'NaN'", "NULL")),
            *(("journal", ENTRY, {"credit_balance": bad}) for bad in ("'NaN'", "NULL")),
            ("journal", ENTRY, {"debit_account": "NULL"}),
            ("journal", ENTRY, {"debit_account": "NULL", "debit_balance": "NULL", "credit_account": "NULL",
                                "credit_balance": "NULL"}),
            ("journal", ENTRY, {"kind": "'h'"}),
            *(("accounts", ACCOUNT, {"balance": bad}) for bad in ("'NaN'", "1e38", "-1e38", "NULL")),
            *(("accounts", ACCOUNT, {field: bad}) for field in ("pending_debits", "pending_credits")
              for bad in ("'NaN'", "-1")),
            *(("accounts", ACCOUNT, {field: "'NaN'"}) for field in ("minimum", "maximum")),
            ("accounts", ACCOUNT, {"type": "'thing'"}),
            ("accounts", ACCOUNT, {"status": "'gone'"}),
            ("accounts", ACCOUNT, {"account": "0"}),
            ("accounts", ACCOUNT, {"version": "-1"}),
            ("accounts", ACCOUNT, {"exponent": "19"}),
            ("holds", HOLD, {"status": "'lost'"}),
            ("holds", HOLD, {"tolerance_bps": "10001"}),
            ("log", LOG, {"first_number": "1000"}),
            ("log", LOG, {"head": "'\\x00'"}),
            ("heads", HEAD, {"number": "-1"}),
            ("heads", HEAD, {"head": "'\\x00'"}),
        ],
        ids=str,
    )  # fmt: skip
    def test_nonsense_is_refused(self, engine: Engine, table: str, row: dict[str, str], wrong: dict[str, str]) -> None:
        """What the core never writes cannot be written by anybody else either."""
        with pytest.raises(DBAPIError) as caught:
            insert(engine, table, {**row, **wrong})

        assert getattr(caught.value.orig, "sqlstate", "")[:2] in ("22", "23")

    @pytest.mark.parametrize(
        ("table", "row", "constraint"),
        [("journal", ENTRY, "journal_pkey"), ("accounts", ACCOUNT, "accounts_pkey"), ("log", LOG, "log_pkey")],
    )
    def test_a_place_is_taken_once(self, engine: Engine, table: str, row: dict[str, str], constraint: str) -> None:
        """The same number, account or batch cannot be there twice."""
        insert(engine, table, row)

        with pytest.raises(DBAPIError) as caught:
            insert(engine, table, row)

        assert constraint in str(caught.value.orig)


class TestDirectory:
    def test_the_url_keeps_its_own_options(self, database_url: str) -> None:
        """What a URL tells the server is not lost to what we tell it."""
        url = make_url(database_url).update_query_dict({"options": "-c application_name=mine"})
        engine = connect(url.render_as_string(hide_password=False))

        with engine.connect() as connection:
            told = [
                connection.exec_driver_sql(f"SHOW {name}").scalar_one()
                for name in ("application_name", "enable_seqscan", "timezone")
            ]

        assert told == ["mine", "off", "UTC"]
        engine.dispose()
