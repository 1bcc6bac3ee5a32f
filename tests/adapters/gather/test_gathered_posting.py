"""Many who post one transaction each share commits, in a real database and in memory."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any
from uuid import UUID

import pytest

from ledgercore.errors import LedgercoreError
from ledgercore.ledger.accounts import AccountType, Limits
from ledgercore.ledger.commands import identity_of_key
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.outcomes import Applied, Outcome, Posted, Refused
from ledgercore.ledger.proofs.verification import verify
from ledgercore.ledger.transactions import Transaction, transfer
from ledgercore.money import Money, known_currency
from ledgercore_gather import GatheredJournal

EUR = known_currency("EUR", 2)
POSTS = 200
THREADS = 16
PURSE = "liabilities:purse"
FUNDS = 12
"""The purse has money for so many posts; every fifth post wants some of it."""


@pytest.fixture
def purse(ledger: Ledger) -> Ledger:
    """A ledger with a purse that cannot be overdrawn."""
    ledger.open_account(PURSE, EUR, type=AccountType.LIABILITY, limits=Limits(minimum=0))
    ledger.transfer(debit="assets:bank", credit=PURSE, amount=Money(100 * FUNDS, EUR))
    return ledger


@pytest.fixture
def gathered(purse: Ledger, executor: ThreadPoolExecutor) -> Iterator[GatheredJournal]:
    """The same ledger, gathered."""
    with GatheredJournal(purse.journal, executor=executor) as journal:
        yield journal


def payment(number: int) -> Transaction:
    """Every fifth from the purse, the others from the bank."""
    source = PURSE if number % 5 == 0 else "assets:bank"
    return transfer(debit=source, credit=f"income:{number % 7}", amount=Money(100, EUR), key=f"order-{number}")


def check_books(ledger: Ledger, outcomes: dict[int, Outcome]) -> None:
    """Each caller has its own outcome, and the books have each payment that was not refused exactly once."""
    done = {number: outcome for number, outcome in outcomes.items() if isinstance(outcome, Posted)}
    refused = {number: outcome.reason.code for number, outcome in outcomes.items() if isinstance(outcome, Refused)}
    assert {number: outcome.id for number, outcome in done.items()} == {
        number: UUID(bytes=identity_of_key(f"order-{number}")) for number in done
    }
    assert set(refused.values()) == {"insufficient_funds"}
    assert sum(number % 5 == 0 for number in done) == FUNDS
    assert all(number % 5 == 0 for number in refused)
    keys = Counter(transaction.key for transaction in ledger.list_transactions(limit=1_000).items)
    keys.pop(None)
    assert keys == dict.fromkeys([f"order-{number}" for number in done], 1)
    assert verify(ledger.journal).sound


def test_two_hundred_tasks_share_commits(gathered: GatheredJournal, purse: Ledger) -> None:
    """Each is told what became of its own; the log has far fewer batches than there were posts."""
    batch = purse.state().batch

    async def post_all() -> list[Outcome]:
        return await asyncio.gather(*(gathered.append_one(payment(number)) for number in range(POSTS)))

    outcomes = asyncio.run(post_all())

    check_books(purse, dict(enumerate(outcomes)))
    assert purse.state().batch - batch < POSTS / 10


def test_threads_share_commits(gathered: GatheredJournal, purse: Ledger) -> None:
    """The plain library, used from sixteen threads: refusals are raised to those whom they concern."""
    batch = purse.state().batch
    ledger = Ledger(gathered)
    start = threading.Barrier(THREADS)

    def post_some(first: int) -> dict[int, Any]:
        start.wait()
        return {number: told(ledger, number) for number in range(first, POSTS, THREADS)}

    with ThreadPoolExecutor(THREADS) as threads:
        outcomes = dict(chain.from_iterable(some.items() for some in threads.map(post_some, range(THREADS))))

    assert len(outcomes) == POSTS
    check_books(purse, outcomes)
    assert purse.state().batch - batch < POSTS


def told(ledger: Ledger, number: int) -> Outcome:
    try:
        return ledger.post(payment(number))
    except LedgercoreError as error:
        return Refused(error.reason, error.details)


def test_twins_with_one_key_post_once(gathered: GatheredJournal, purse: Ledger) -> None:
    """All get the same answer, whether they met in a batch or not; one of them did it."""

    async def post_all() -> list[Outcome]:
        return await asyncio.gather(*(gathered.append_one(payment(1)) for _ in range(50)))

    first, *others = asyncio.run(post_all())
    late = gathered.append([payment(1)])[0]

    assert isinstance(first, Applied)
    answers = [outcome for outcome in (first, *others, late) if isinstance(outcome, Applied)]
    assert {answer.number for answer in answers} == {first.number}
    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 50
    assert purse.balance("income:1").posted == Money(100, EUR)


def test_closing_keeps_what_was_accepted(purse: Ledger, executor: ThreadPoolExecutor) -> None:
    """A service that ends in the middle of the rush has stored every post that it did not refuse."""
    gathered = GatheredJournal(purse.journal, executor=executor, batch_max=10)

    async def post_all_and_close() -> list[Any]:
        tasks = [asyncio.create_task(gathered.append_one(payment(number))) for number in range(POSTS)]
        await asyncio.sleep(0)
        for task in tasks[1::2]:
            task.cancel()
        await asyncio.to_thread(gathered.close)
        return await asyncio.gather(*tasks, return_exceptions=True)

    outcomes = asyncio.run(post_all_and_close())

    posted = {transaction.key for transaction in purse.list_transactions(limit=1_000).items}
    assert [type(outcome) for outcome in outcomes[1::2]] == [asyncio.CancelledError] * (POSTS // 2)
    assert {f"order-{number}" for number in range(POSTS) if number % 5} <= posted
