"""How often a batch asks the database: as often as any other batch, whatever its size."""

from collections.abc import Callable

import pytest

from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.transactions import Transaction, credit, debit
from ledgercore.money import Money, known_currency
from ledgercore_postgres.appending import BESIDE

EUR = known_currency("EUR", 2)
# begin, gate, due holds, accounts, known names, head, rows, balances, log, commit
STATEMENTS = 10
# begin; gate and due holds; accounts and names; head; copy, its end; balances and log; commit
TRIPS = 8


@pytest.fixture
def warm(postgres_ledger: Ledger, pay) -> Ledger:
    """A ledger whose accounts are open and whose statements are prepared on the pool's one connection."""
    for _ in range(8):
        postgres_ledger.post_all([pay(f"assets:{n}", f"income:{n}") for n in range(40)])
        postgres_ledger.post_all([pay(f"assets:{n}", f"income:{n}", key=None) for n in range(40)])
    return postgres_ledger


def batch(pay, size: int, **fields) -> list[Transaction]:
    return [pay(f"assets:{n % 40}", f"income:{n % 39}", **fields) for n in range(size)]


@pytest.mark.parametrize("size", [1, 10, 1_000, pytest.param(8_000, marks=pytest.mark.slow)])
class TestBatch:
    def test_with_names_costs_ten_statements(self, warm: Ledger, pay, watched, size: int) -> None:
        """A batch costs the same statements and waits, be it one transfer or eight thousand."""
        named = batch(pay, size)

        sent = watched(lambda: warm.post_all(named))

        assert (sent.statements, sent.trips) == (STATEMENTS, TRIPS)

    def test_without_names_costs_one_statement_less(self, warm: Ledger, pay, watched, size: int) -> None:
        """Nothing is looked up where nothing could have been done before."""
        unnamed = batch(pay, size, key=None)

        sent = watched(lambda: warm.post_all(unnamed))

        assert (sent.statements, sent.trips) == (STATEMENTS - 1, TRIPS)


class TestOtherBatches:
    def test_many_accounts_cost_one_wait_more(self, warm: Ledger, pay, watched) -> None:
        """Balances go with the head, whose answer is read before theirs."""
        accounts = range(BESIDE.start)
        warm.post_all([pay(f"assets:many:{n}", "income:1") for n in accounts])
        many = [pay(f"assets:many:{n}", "income:1") for n in accounts]

        sent = watched(lambda: warm.post_all(many))

        assert (sent.statements, sent.trips) == (STATEMENTS, TRIPS + 1)

    def test_a_replay_reads_and_writes_nothing(self, warm: Ledger, pay, watched) -> None:
        """A batch that was done before is answered from what it left."""
        done = batch(pay, 100)
        warm.post_all(done)

        sent = watched(lambda: warm.post_all(done))

        # begin, gate, due holds, accounts, known names, their lines, head, commit
        assert sent.statements == 8

    def test_new_accounts_cost_one_statement_more(self, warm: Ledger, pay, watched) -> None:
        """All accounts that a batch opens are stored at once."""
        opening = [pay("assets:1", f"income:new:{n}") for n in range(500)]

        sent = watched(lambda: warm.post_all(opening))

        assert sent.statements == STATEMENTS + 1

    def test_multi_line_transactions_cost_no_more(self, warm: Ledger, pay, watched) -> None:
        """Lines are rows of the same copy."""
        lines = [debit("assets:1", Money(300, EUR)), credit("income:1", Money(100, EUR))]
        lines += [credit("income:2", Money(200, EUR))]
        compound = [Transaction(lines=lines, key=f"compound-{n}") for n in range(50)]

        sent = watched(lambda: warm.post_all(compound))

        assert sent.statements == STATEMENTS


class TestReading:
    @pytest.mark.parametrize(
        ("read", "statements"),
        [
            # begin and the account; closing a read-only transaction rolls back
            (lambda ledger: ledger.balance("assets:1"), 3),
            (lambda ledger: ledger.balances(), 3),
        ],
        ids=["one balance", "all balances"],
    )
    def test_a_balance_is_one_question(
        self, warm: Ledger, watched, read: Callable[[Ledger], object], statements: int
    ) -> None:
        """What is asked once is asked in one statement, between begin and rollback."""
        read(warm)

        sent = watched(lambda: read(warm))

        assert sent.statements == statements
