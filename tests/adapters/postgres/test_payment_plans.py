"""Statements about payments find what they ask for by index, however many payments there are."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import evolve
from sqlalchemy import Engine, event

from ledgercore.payments.payments import PaymentFilter, Return
from ledgercore.testing.identity_people import new_id
from ledgercore.testing.ledgers import MONDAY
from ledgercore.testing.payments_people import completed, funded_account, payment, stored_payments
from ledgercore_postgres import PostgresWorkStore, connect

DUMMIES = {
    "uuid": "NULL", "timestamp with time zone": "now()", "numeric": "1", "integer": "1", "bigint": "1",
    "smallint": "1", "text": "'a'", "character varying": "'a'",
}  # fmt: skip


@pytest.fixture
def grown(database_url: str) -> Iterator[Engine]:
    """One connection that keeps the first plan it made for each statement."""
    engine = connect(database_url, pool_size=1)

    @event.listens_for(engine, "connect")
    def remember_plans(connection: Any, _: object) -> None:
        connection.prepare_threshold = 0
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.commit()

    yield engine
    engine.dispose()


@pytest.mark.slow
def test_no_statement_reads_all_payments(grown: Engine, second_engine: Engine, clock) -> None:
    """Statements that were prepared while the table was empty, when there are ten thousand payments."""
    store = PostgresWorkStore(grown, clock=clock)
    account = funded_account(store, ledger="bank")
    made, done = payment(account), completed(account)
    stored_payments(store, made, done)
    with store.begin() as work:
        work.payments.find(made.id)
        [locked] = work.payments.lock([made.id])
        work.payments.save_all([evolve(locked, updated_at=MONDAY)])
        work.payments.list_processing(after=made.id, limit=20)
        work.payments.spent([account.id], since=MONDAY)
        work.payments.look_alikes([made], since=MONDAY)
        work.payments.page(PaymentFilter(user_id=account.user_id), offset=0, limit=20)
        work.payments.page(PaymentFilter(user_id=account.user_id, date_from=MONDAY), offset=0, limit=20)
        work.payments.count(account.user_id)
        returned = Return(payment_id=done.id, number=1, amount=done.amount, transaction_id=new_id(), returned_at=MONDAY)
        work.payments.add_return(returned)
        work.payments.returns_of(done.id)
    with second_engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO payments SELECT gen_random_uuid(), user_id, user_bank_account_id, n, currency, exponent,"
            " direction, payment_type, description, 'COMPLETED', NULL, posted_at + n * interval '1 second',"
            " gen_random_uuid(), NULL, inserted_at + n * interval '1 second', updated_at"
            " FROM payments, generate_series(1, 10000) n WHERE posted_at IS NOT NULL"
        )

    found = _plans(grown)

    assert len(found) >= 10
    for statement, plan in found.items():
        assert "Seq Scan on payment" not in plan, f"{statement}\n{plan}"
        assert "Index Cond" in plan or "INSERT" in statement, f"{statement}\n{plan}"


def _plans(engine: Engine) -> dict[str, str]:
    """The plan that each prepared statement about payments would run by now."""
    found = {}
    with engine.connect() as connection:
        known = connection.exec_driver_sql(
            "SELECT name, statement, parameter_types::text[] FROM pg_prepared_statements WHERE name LIKE '_pg3%%'"
        ).all()
        for name, statement, types in known:
            if re.search(r"\bpayment(s|_returns)\b", statement):
                values = ", ".join("'{}'" if kind.endswith("[]") else DUMMIES[kind] for kind in types)
                call = f'EXPLAIN EXECUTE "{name}" ({values})'
                found[statement] = "\n".join(row[0] for row in connection.exec_driver_sql(call))
    return found
