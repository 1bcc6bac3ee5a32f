"""Imports and reconciliation by many clients at once, what they cost, and what is left when one breaks."""

import os
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from ledgercore.errors import BusinessRuleError, LedgercoreError
from ledgercore.identity.audit import OPERATOR
from ledgercore.ledger.ledger import Ledger
from ledgercore.statements.importing import StatementImport
from ledgercore.statements.matching import MatchingRules
from ledgercore.statements.reconciling import Reconciler
from ledgercore.testing.ledgers import eur
from ledgercore.testing.statement_imports import BANK, FIRST, said, statement
from ledgercore_postgres import PostgresWorkStore, connect


def never_read(*_: object, **__: object) -> list[Any]:
    """These tests bring statements that are read already."""
    raise NotImplementedError


@pytest.fixture
def books(postgres_ledger: Ledger) -> Ledger:
    """The ledger `books` with a bank account."""
    postgres_ledger.transfer(debit=BANK, credit="equity:start", amount=eur("100.00"))
    return postgres_ledger


@pytest.fixture
def clients(database_url: str, clock) -> Iterator[Callable[[int], list[PostgresWorkStore]]]:
    """Makes clients, each with a pool of its own."""
    engines: list[Engine] = []

    def build(count: int) -> list[PostgresWorkStore]:
        engines.extend(connect(database_url) for _ in range(count))
        return [PostgresWorkStore(engine, clock=clock) for engine in engines[-count:]]

    yield build
    for engine in engines:
        engine.dispose()


@pytest.fixture
def store(engine: Engine, clock) -> PostgresWorkStore:
    """Statements in this test's database."""
    return PostgresWorkStore(engine, clock=clock)


def keep(store: Any, clock: Any, *statements: Any) -> list[Any]:
    """Import statements as if one file held them."""
    importing = StatementImport(store=store, reader=never_read, clock=clock, random_bytes=os.urandom)
    return list(importing.store_all(statements, ledger="books", account=BANK, file_name="f", actor=OPERATOR))


def reconciler(store: Any, clock: Any) -> Reconciler:
    return Reconciler(store=store, clock=clock, random_bytes=os.urandom)


def lines_in(store: PostgresWorkStore) -> list[Any]:
    with store.begin() as work:
        return list(work.statements.list_lines("books", BANK, limit=5_000))


@pytest.mark.usefixtures("books")
class TestImportsAtOnce:
    def test_one_file_by_eight_clients_is_stored_once(self, clients, store, clock, at_once) -> None:
        """One is told that it was new, the others that it was known."""
        march = statement(*(said(f"{number}.00", text=f"line {number}") for number in range(1, 21)))

        told = at_once([lambda c=client: keep(c, clock, march) for client in clients(8)])

        assert sorted(each.is_new for [each] in told) == [False] * 7 + [True]
        assert len({each.record.id for [each] in told}) == 1
        assert [line.number for line in lines_in(store)] == list(range(1, 21))

    def test_files_that_overlap_add_each_line_once(self, clients, store, clock, at_once) -> None:
        """Whoever comes second adds the rest; numbers have no gaps."""
        days = [said("1.00", on=FIRST + timedelta(days=day), text=f"day {day}") for day in range(30)]
        first, second = statement(*days[:20], number="1"), statement(*days[10:], number="2")

        told = at_once([lambda c=c, s=s: keep(c, clock, s) for c, s in zip(clients(2), (first, second), strict=True)])

        assert sorted(each.record.lines_added for [each] in told) == [10, 20]
        found = lines_in(store)
        assert {line.said.text for line in found} == {f"day {day}" for day in range(30)}
        assert [line.number for line in found] == list(range(1, 31))

    @pytest.mark.parametrize(
        ("table", "condition"),
        [
            ("statement_lines", "NEW.number = 25"),
            ("statements", "NEW.number = '2'"),
            ("events", "true"),
            ("audit", "true"),
        ],
    )
    def test_a_file_that_breaks_in_the_middle_leaves_nothing(self, store, clock, fault, table, condition) -> None:
        """Whatever was written by then; the next attempt stores all of it."""
        with store.begin() as work:
            before = work.events.last_number(), len(list(work.audit.entries()))
        file = [statement(*(said(f"{n}.0{k}") for n in range(1, 11)), number=str(k)) for k in (1, 2, 3)]
        with fault(table, f"IF {condition} THEN RAISE EXCEPTION 'broken'; END IF;"), pytest.raises(LedgercoreError):
            keep(store, clock, *file)

        with store.begin() as work:
            assert work.statements.list_records("books", account=None, after=None, limit=9) == []
            assert (work.events.last_number(), len(list(work.audit.entries()))) == before
        assert lines_in(store) == []
        assert sum(each.record.lines_added for each in keep(store, clock, *file)) == 30

    def test_statements_sent_do_not_grow_with_the_lines(self, store, clock, watched) -> None:
        """A thousand lines cost as many as one."""

        def sent(size: int) -> int:
            file = statement(*(said(f"{number}.00", text=f"of {size}") for number in range(1, size + 1)))
            return int(watched(lambda: keep(store, clock, file)).statements)

        sent(2)

        assert sent(1) == sent(1_000)


class TestReconciliationAtOnce:
    def test_two_runs_make_each_match_once(self, books, clients, store, clock, at_once) -> None:
        """Whoever comes second finds nothing left."""
        day = date(2026, 3, 1)
        for number in range(30):
            books.transfer(debit=BANK, credit="income:sales", amount=eur(f"{number + 1}.00"), reference=f"INV-{number}")
        keep(store, clock, statement(*(said(f"{n + 1}.00", reference=f"INV-{n}", on=day) for n in range(30))))

        told = at_once(
            [
                lambda c=c: reconciler(c, clock).run("books", BANK, MatchingRules(), actor=OPERATOR).made
                for c in clients(2)
            ]
        )

        assert sorted(map(len, told)) == [0, 30]
        with store.begin() as work:
            matches = work.statements.list_matches("books", BANK, after=None, limit=99)
        assert len({part.id for match in matches for part in match.lines}) == len(matches) == 30
        assert reconciler(store, clock).proof("books", BANK).bank.unmatched_minor == 0

    def test_a_run_and_a_match_by_hand_do_not_both_take_a_line(self, books, clients, store, clock, at_once) -> None:
        """The second is told that nothing is open, or finds nothing to do."""
        paid = books.transfer(debit=BANK, credit="income:sales", amount=eur("30.00"), reference="INV-1").id
        keep(store, clock, statement(said("30.00", reference="INV-1")))
        [line] = lines_in(store)
        by_run, by_hand = clients(2)

        def run() -> int:
            return len(reconciler(by_run, clock).run("books", BANK, MatchingRules(), actor=OPERATOR).made)

        def match() -> int:
            try:
                reconciler(by_hand, clock).match(
                    "books", BANK, lines=[(line.id, None)], transactions=[(paid, None)], actor=OPERATOR
                )
            except BusinessRuleError:
                return 0
            return 1

        assert sum(at_once([run, match])) == 1

    def test_statements_sent_do_not_grow_with_the_matches(self, books, store, clock, watched) -> None:
        """Nor with the differences that are booked."""
        rules = MatchingRules(tolerance_minor=5, tolerance_account="expenses:fees")

        def sent(size: int) -> int:
            # Amounts so far apart that no difference of one is that of another.
            for n in range(size):
                said_by_us = {"reference": f"{size}-{n}", "description": f"payer{size}x{n}"}
                books.transfer(debit=BANK, credit="income:sales", amount=eur(f"{n + 1}.00"), **said_by_us)
                books.transfer(debit=BANK, credit="income:sales", amount=eur(f"{n + 1}.50"), **said_by_us)
            lines = [
                said(f"{n + 1}.00", reference=f"{size}-{n}-a", counterparty=f"payer{size}x{n}") for n in range(size)
            ]
            lines += [said(f"{n + 1}.51", text="fee", counterparty=f"payer{size}x{n}") for n in range(size)]
            keep(store, clock, statement(*lines))
            made: list[Any] = []
            run = reconciler(store, clock).run
            statements = watched(lambda: made.extend(run("books", BANK, rules, actor=OPERATOR).made)).statements
            booked = [match for match in made if match.tolerance_transaction_id is not None]
            assert (len(booked), len(made)) == (size, 2 * size)
            return int(statements)

        sent(2)

        assert sent(1) == sent(20)
