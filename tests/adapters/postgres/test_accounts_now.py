"""Accounts as they stand: one question for any number, answered by index whatever the planner believes."""

import re
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import Engine

from ledgercore.ledger.holds import PlaceHold
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.transactions import Line
from ledgercore.money import Money, known_currency
from ledgercore_postgres import loading
from ledgercore_postgres.database import driver_cursor

EUR = known_currency("EUR", 2)


def holds(how_many: int, path: str, **fields) -> list[PlaceHold]:
    return [PlaceHold(lines=[Line(Money(1, EUR), path, "income:x")], **fields) for _ in range(how_many)]


@pytest.mark.parametrize("accounts_count", [1, 50])
def test_accounts_are_one_question_whatever_is_held_on_them(
    postgres_ledger: Ledger, clock, watched, accounts_count: int
) -> None:
    """Begin, the accounts, commit: also while holds whose time has passed are still in the way."""
    paths = [f"assets:{number}" for number in range(accounts_count)]
    end = clock.now + timedelta(hours=1)
    postgres_ledger.post_all([hold for path in paths for hold in holds(3, path, expires_at=end)])
    clock.forward(hours=2)
    postgres_ledger.journal.find_accounts(paths)

    sent = watched(lambda: postgres_ledger.journal.find_accounts(paths))

    assert (sent.statements, sent.trips) == (3, 3)


@pytest.mark.slow
def test_neither_open_holds_nor_other_ledgers_make_it_slower(
    postgres_store, postgres_ledger: Ledger, engine: Engine, clock
) -> None:
    """Thousands of open holds on the very account, here and in another ledger: their index is not even looked at."""
    elsewhere = Ledger(postgres_store.create("elsewhere", postgres_ledger.state().settings))
    end = clock.now + timedelta(hours=1)
    for ledger in (postgres_ledger, elsewhere):
        ledger.post_all(holds(4_000, "assets:hot"))
        ledger.post_all(holds(5, "assets:hot", expires_at=end))
    clock.forward(hours=2)
    [account] = postgres_ledger.journal.find_accounts(["assets:hot"])

    plans = [explained(engine, mode, clock) for mode in ("force_custom_plan", "force_generic_plan")]

    assert account is not None
    assert account.balance.pending_debits == Money(4_000, EUR)
    for plan in plans:
        scans = {line.split("using ")[1].split()[0] for line in plan.splitlines() if "using " in line}
        assert scans == {"accounts_path", "holds_due"}, plan
        assert "Seq Scan on" not in plan
        assert "Bitmap" not in plan


def explained(engine: Engine, mode: str, clock) -> str:
    """The plan that the prepared question was run by."""
    numbers = count(1)
    prepared = re.sub("%[sb]", lambda _: f"${next(numbers)}", loading.ACCOUNTS_NOW)
    with engine.connect() as connection:
        cursor = driver_cursor(connection)
        cursor.execute(f"SET LOCAL plan_cache_mode = {mode}")
        cursor.execute(f"PREPARE accounts_now (int, timestamptz, text[], int) AS {prepared}".encode())
        moment = clock().isoformat()
        cursor.execute(f"EXPLAIN (ANALYZE) EXECUTE accounts_now (1, '{moment}', '{{assets:hot}}', 1)".encode())
        return "\n".join(row[0] for row in cursor.fetchall())
