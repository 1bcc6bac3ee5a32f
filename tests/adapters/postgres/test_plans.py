"""Plans that stay right: index look-ups on tables that grew after their statements were prepared."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, text

from ledgercore.ledger.ledger import Ledger
from ledgercore_postgres import PostgresStore, balances, connect

TABLES = ("accounts", "journal", "log", "holds", "heads")
DUMMIES = {
    "smallint": "1", "integer": "1", "bigint": "1", "text": "''", "bytea": "''", "uuid": "NULL", "numeric": "1",
    "timestamp with time zone": "now()", "json": "NULL", "character varying": "''",
}  # fmt: skip


@pytest.fixture(params=["our own session", "somebody's session"])
def prepared_engine(request: pytest.FixtureRequest, database_url: str) -> Iterator[Engine]:
    """One connection that prepares every statement at once and keeps the first plan it made for it."""
    if request.param == "our own session":
        engine = connect(database_url, pool_size=1)
    else:
        engine = create_engine(database_url, pool_size=1)

    @event.listens_for(engine, "connect")
    def remember_plans(connection: Any, _: object) -> None:
        connection.prepare_threshold = 0
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.commit()

    yield engine
    engine.dispose()


@pytest.fixture
def unanalysed(database_url: str, prepared_engine: Engine) -> None:
    """Nobody ever tells the planner what is in the tables."""
    with prepared_engine.begin() as connection:
        for table in TABLES:
            connection.execute(text(f"ALTER TABLE {table} SET (autovacuum_enabled = off)"))


def plans(engine: Engine) -> dict[str, str]:
    """The plan that each prepared statement would run by now."""
    found = {}
    with engine.connect() as connection:
        known = connection.exec_driver_sql(
            "SELECT name, statement, parameter_types::text[] FROM pg_prepared_statements WHERE name LIKE '_pg3%%'"
        ).all()
        for name, statement, types in known:
            if statement.lstrip().startswith(("SELECT", "WITH", "INSERT", "UPDATE", "(SELECT")):
                values = ", ".join("'{}'" if kind.endswith("[]") else DUMMIES[kind] for kind in types)
                call = f'EXPLAIN EXECUTE "{name}"' + (f" ({values})" if values else "")
                found[statement] = "\n".join(row[0] for row in connection.exec_driver_sql(call.replace("%", "%%")))
    return found


def use_everything(ledger: Ledger, pay, clock) -> None:
    """Send every statement of the hot path."""
    ledger.post_all([pay("assets:a", "income:b"), pay("assets:a", "income:b", key=None)])
    hold = ledger.hold(debit="assets:a", credit="income:b", amount=pay("assets:a", "income:b").lines[0].amount)
    ledger.capture(hold.id)
    posted = ledger.post(pay("assets:a", "income:b", key=f"k{clock()}"))
    ledger.reverse(posted.id)
    ledger.balance("assets:a")
    ledger.balance_at("assets:a", effective_at=clock() - timedelta(days=1))
    ledger.balance_at("assets:a", recorded_at=clock() - timedelta(seconds=1))
    ledger.list_entries("assets:a")
    ledger.get_transaction(posted.id)


@pytest.mark.slow
@pytest.mark.usefixtures("unanalysed")
def test_no_hot_statement_reads_a_whole_table(prepared_engine: Engine, postgres_ledger: Ledger, pay, clock) -> None:
    """Statements prepared on empty tables look rows up by index when there are twenty thousand entries.

    That holds in sessions of an engine that is not ours too, where `join` works.
    """
    ledger = Ledger(PostgresStore(prepared_engine, clock=clock).journal("books"))
    use_everything(ledger, pay, clock)
    for _ in range(2):
        postgres_ledger.post_all([pay(f"assets:{n % 3_000}", f"income:{n % 700}") for n in range(5_000)])

    found = plans(prepared_engine)

    assert len(found) >= 15
    for statement, plan in found.items():
        for table in TABLES:
            assert f"Seq Scan on {table}" not in plan, f"{statement}\n{plan}"


@pytest.mark.slow
def test_a_balance_at_a_point_touches_a_bounded_number_of_pages(engine: Engine, postgres_ledger: Ledger, pay) -> None:
    """On both time axes the pages that are read grow with the logarithm of the entries, if at all."""
    few = grow_and_count(engine, postgres_ledger, pay, transfers_count=500)

    many = grow_and_count(engine, postgres_ledger, pay, transfers_count=99_500)

    assert max(few.values()) <= 100
    assert max(many.values()) <= 200


def grow_and_count(engine: Engine, ledger: Ledger, pay, *, transfers_count: int) -> dict[str, int]:
    """Post that many in effective order, a handful late, and count pages for a time in the middle."""
    begun = ledger.state().number
    day = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=begun // 100)
    for first in range(0, transfers_count, 8_000):
        batch = [
            pay(
                "assets:hot",
                f"income:{n % 50}",
                effective_at=day + timedelta(minutes=n) - timedelta(days=3 if n % 10_000 == 9_999 else 0),
            )
            for n in range(first, min(first + 8_000, transfers_count))
        ]
        ledger.post_all(batch)
    middle = day + timedelta(minutes=transfers_count // 2)
    number = begun + transfers_count // 2
    return {
        "nothing was late": pages(engine, "income:7", middle, (number, begun + transfers_count)),
        "some came late": pages(engine, "assets:hot", middle, (number, begun + transfers_count)),
    }


def pages(engine: Engine, path: str, effective_at: datetime, last_numbers: Iterable[int]) -> int:
    """The most buffers that the question for one balance touches, as of each of the records."""
    touched = 0
    with engine.connect() as connection:
        ledger_id = connection.execute(text("SELECT ledger_id FROM ledgers WHERE name = 'books'")).scalar_one()
        for last_number in last_numbers:
            [plan] = connection.execute(
                text("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + balances.BALANCES_AT.format(which=balances.BY_PATHS)),
                {"ledger": ledger_id, "paths": [path], "effective_at": effective_at, "last_number": last_number},
            ).scalar_one()
            top = plan["Plan"]
            touched = max(touched, top["Shared Hit Blocks"] + top["Shared Read Blocks"])
    return touched
