"""A ledger inside the caller's own transaction: it commits and rolls back with the caller's rows."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from ledgercore.errors import ExternalDependencyError, InternalError, NotFoundError
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.outcomes import Posted, Refused
from ledgercore.money import Money, known_currency
from ledgercore_postgres import PostgresStore

EUR = known_currency("EUR", 2)


@pytest.fixture
def own_engine(database_url: str) -> Iterator[Engine]:
    """An application's engine, made without a thought of us, with a table of its own."""
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (id text PRIMARY KEY)"))
    yield engine
    engine.dispose()


def order(connection: Connection, id: str) -> None:
    connection.execute(text("INSERT INTO orders (id) VALUES (:id)"), {"id": id})


def orders(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT id FROM orders ORDER BY id")).scalars())


class TestTogether:
    def test_a_commit_keeps_both(
        self, postgres_ledger: Ledger, postgres_store: PostgresStore, own_engine: Engine, pay, sound
    ) -> None:
        """The caller's row and the posting appear with the same commit."""
        with own_engine.begin() as connection:
            order(connection, "A")
            Ledger(postgres_store.join(connection, "books")).post(pay("assets:a", "income:b"))
            seen_before = postgres_ledger.list_transactions().items

        assert seen_before == ()
        assert orders(own_engine) == ["A"]
        assert postgres_ledger.balance("assets:a").posted == Money(100, EUR)
        sound(postgres_ledger)

    def test_a_rollback_keeps_neither(
        self, postgres_ledger: Ledger, postgres_store: PostgresStore, own_engine: Engine, pay, sound
    ) -> None:
        """Nothing is left of either, and the key is free again."""
        command = pay("assets:a", "income:b", key="order-A")
        with own_engine.connect() as connection:
            order(connection, "A")
            Ledger(postgres_store.join(connection, "books")).post(command)
            connection.rollback()

        later = postgres_ledger.post(command)

        assert orders(own_engine) == []
        assert not later.replayed
        sound(postgres_ledger)

    def test_a_refusal_leaves_the_transaction_usable(
        self, postgres_ledger: Ledger, postgres_store: PostgresStore, own_engine: Engine, pay
    ) -> None:
        """The caller may carry on after a refused command."""
        with own_engine.begin() as connection:
            joined = Ledger(postgres_store.join(connection, "books"))
            refused = joined.post_all([pay("nowhere:a", "income:b")])[0]
            order(connection, "A")
            posted = joined.post(pay("assets:a", "income:b"))

        assert isinstance(refused, Refused)
        assert isinstance(posted, Posted)
        assert orders(own_engine) == ["A"]

    def test_several_batches_and_reads_see_one_another(
        self, postgres_ledger: Ledger, postgres_store: PostgresStore, own_engine: Engine, pay, clock, sound
    ) -> None:
        """Two batches in one transaction: reads between them see the first, snapshots and old times included."""
        with own_engine.begin() as connection:
            joined = Ledger(postgres_store.join(connection, "books"))
            joined.post(pay("assets:a", "income:b"))
            first = joined.balance("assets:a").posted
            joined.post(pay("assets:a", "income:b"))
            with joined.journal.snapshot() as snapshot:
                rows = list(snapshot.rows())
                accounts = list(snapshot.stored_accounts())
            statement = joined.income_statement(recorded_at=clock() - timedelta(microseconds=1))
            third = joined.post(pay("assets:a", "income:b"))

        assert first == Money(100, EUR)
        assert (len(rows), len(accounts)) == (5, 2)
        assert statement.income
        assert third.number == 6
        sound(postgres_ledger)

    def test_the_callers_savepoint_takes_postings_back(
        self, postgres_ledger: Ledger, postgres_store: PostgresStore, own_engine: Engine, pay, sound
    ) -> None:
        """Rolling back to a savepoint undoes a batch; the next one continues where the log stood."""
        with own_engine.begin() as connection:
            joined = Ledger(postgres_store.join(connection, "books"))
            joined.post(pay("assets:a", "income:b"))
            savepoint = connection.begin_nested()
            joined.post(pay("assets:c", "income:d"))
            savepoint.rollback()
            joined.post(pay("assets:a", "income:e"))

        assert [account.path for account in postgres_ledger.list_accounts().items] == [
            "assets:a", "income:b", "income:e",
        ]  # fmt: skip
        sound(postgres_ledger)

    def test_a_ledgers_options_stay_with_it(
        self, postgres_ledger: Ledger, postgres_store: PostgresStore, own_engine: Engine, pay
    ) -> None:
        """Streaming from a joined ledger changes nothing about the caller's connection."""
        with own_engine.begin() as connection:
            joined = postgres_store.join(connection, "books")
            joined.append([pay("assets:a", "income:b")])
            before = dict(connection.get_execution_options())
            entries, holds, rows = list(joined.log_entries()), list(joined.stored_holds()), list(joined.rows())

            assert dict(connection.get_execution_options()) == before
            assert (len(entries), len(holds), len(rows)) == (2, 0, 4)


class TestOthers:
    def test_two_batches_of_one_transaction_do_not_deadlock_with_others(
        self, postgres_ledger: Ledger, postgres_store: PostgresStore, own_engine: Engine, at_once, pay, sound
    ) -> None:
        """Others that use the same accounts in another order wait outside until the caller commits."""
        postgres_ledger.post_all([pay("assets:a", "income:a"), pay("assets:b", "income:b")])

        def joined():
            for _ in range(10):
                with own_engine.begin() as connection:
                    ledger = Ledger(postgres_store.join(connection, "books"))
                    ledger.post(pay("assets:b", "income:b"))
                    ledger.post(pay("assets:a", "income:a"))

        def alone():
            for _ in range(20):
                postgres_ledger.post_all([pay("assets:a", "income:a"), pay("assets:b", "income:b")])

        at_once([joined, alone, joined, alone])

        assert postgres_ledger.balance("assets:a").posted == Money(100 * 61, EUR)
        assert _deadlocks(own_engine) == 0
        sound(postgres_ledger)

    def test_a_joined_batch_waits_for_the_accounts_of_another(
        self, postgres_ledger: Ledger, postgres_store: PostgresStore, own_engine: Engine, pay, sound
    ) -> None:
        """What another joined transaction commits meanwhile is seen: balances go on from there."""
        first = own_engine.connect()
        Ledger(postgres_store.join(first, "books")).post(pay("assets:a", "income:b"))
        done: list[Posted] = []

        def second() -> None:
            with own_engine.begin() as connection:
                done.append(Ledger(postgres_store.join(connection, "books")).post(pay("assets:a", "income:b")))

        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.2)
        waited = not done
        first.commit()
        thread.join()
        first.close()

        assert waited
        assert postgres_ledger.balance("assets:a").posted == Money(200, EUR)
        sound(postgres_ledger)


class TestConditions:
    @pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE", "AUTOCOMMIT"])
    def test_only_read_committed_is_accepted(
        self, postgres_ledger: Ledger, postgres_store: PostgresStore, own_engine: Engine, level: str
    ) -> None:
        """At another level a batch would not see what it waited for, or could not be rolled back."""
        with (
            own_engine.connect().execution_options(isolation_level=level) as connection,
            pytest.raises(InternalError) as caught,
        ):
            postgres_store.join(connection, "books")

        assert caught.value.code == "isolation_unsupported"
        assert caught.value.details["isolation"] == level.lower()

    def test_a_ledger_that_is_not_there_is_not_found(self, postgres_store: PostgresStore, own_engine: Engine) -> None:
        """Joining does not create."""
        with own_engine.connect() as connection, pytest.raises(NotFoundError) as caught:
            postgres_store.join(connection, "nothing")

        assert caught.value.code == "ledger_not_found"

    def test_a_store_works_on_an_engine_that_is_not_ours(self, own_engine: Engine, clock, pay, sound) -> None:
        """An application may use its one engine for everything."""
        ledger = Ledger(PostgresStore(own_engine, clock=clock).create("own"))
        ledger.open_account("assets:a", EUR)
        ledger.open_account("income:b", EUR)

        outcome = ledger.post(pay("assets:a", "income:b"))

        assert ledger.get_transaction(outcome.id).lines[0].debit_balance == Money(100, EUR)
        sound(ledger)

    def test_an_engine_in_autocommit_mode_is_refused(self, database_url: str, postgres_ledger, clock, pay) -> None:
        """Each statement would be its own transaction: half a batch could stay."""
        engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
        ledger = Ledger(PostgresStore(engine, clock=clock).journal("books"))

        with pytest.raises(InternalError) as caught:
            ledger.post(pay("assets:a", "income:b"))

        assert caught.value.code == "isolation_unsupported"
        engine.dispose()

    def test_a_lost_connection_is_unavailable(
        self, postgres_ledger: Ledger, postgres_store: PostgresStore, own_engine: Engine, fault, pay
    ) -> None:
        """The caller's transaction is gone with the session, and the reason says so."""
        postgres_ledger.post(pay("assets:a", "income:b"))

        def order_and_pay() -> None:
            with own_engine.begin() as connection:
                order(connection, "A")
                Ledger(postgres_store.join(connection, "books")).post(pay("assets:a", "income:b"))

        with (
            fault("log", "PERFORM pg_terminate_backend(pg_backend_pid());"),
            pytest.raises(ExternalDependencyError) as caught,
        ):
            order_and_pay()

        assert caught.value.code == "database_unavailable"
        assert orders(own_engine) == []


def _deadlocks(engine: Engine) -> int:
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
        return int(
            connection.execute(
                text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            ).scalar_one()
        )
