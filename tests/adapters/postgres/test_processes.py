"""Several processes on one ledger: real ones, each with its own pool and its own clock readings."""

import json

import pytest

from ledgercore.ledger.accounts import Limits
from ledgercore.ledger.ledger import Ledger
from ledgercore.money import Money, known_currency

EUR = known_currency("EUR", 2)
HEADER = """
import json, random, sys
from datetime import UTC, datetime
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.outcomes import Refused
from ledgercore.ledger.transactions import transfer
from ledgercore.money import Money, known_currency
from ledgercore_postgres import PostgresStore, connect
EUR = known_currency("EUR", 2)
engine = connect(sys.argv[1])
number = int(sys.argv[2])
ledger = Ledger(PostgresStore(engine, clock=lambda: datetime.now(UTC)).journal("books"))
print("ready", flush=True)
sys.stdin.readline()
"""
DRAIN = (
    HEADER
    + """
answers = []
for _ in range(25):
    outcome = ledger.post_all([transfer(debit="expenses:y", credit="assets:purse", amount=Money(100, EUR))])[0]
    answers.append(outcome.reason.code if isinstance(outcome, Refused) else "done")
print(json.dumps(answers))
"""
)
MIXED = (
    HEADER
    + """
source = random.Random(number)
posted = 0
for turn in range(12):
    batch = []
    for _ in range(source.choice([1, 20, 300])):
        debit, credit = source.sample([f"assets:{n}" for n in range(8)], 2)
        batch.append(transfer(debit=debit, credit=credit, amount=Money(source.randint(1, 99), EUR)))
    batch.append(transfer(debit="assets:0", credit="assets:1", amount=Money(1, EUR), key=f"shared-{turn}"))
    posted += sum(not isinstance(outcome, Refused) and not outcome.replayed for outcome in ledger.post_all(batch))
print(posted)
"""
)


@pytest.mark.slow
def test_processes_never_overdraw_an_account(postgres_ledger: Ledger, processes, sound, pay) -> None:
    """Four processes drain an account that has enough for 60 of their 100 transfers: exactly 60 succeed."""
    postgres_ledger.open_account("assets:purse", EUR, limits=Limits(minimum=0))
    postgres_ledger.post(pay("assets:purse", "income:x", 6_000))

    answers = [answer for printed in processes(DRAIN, 4) for answer in json.loads(printed)]

    assert (answers.count("done"), answers.count("insufficient_funds")) == (60, 40)
    assert postgres_ledger.balance("assets:purse").posted == Money(0, EUR)
    sound(postgres_ledger)


@pytest.mark.slow
def test_processes_share_accounts_and_names(postgres_ledger: Ledger, processes, sound) -> None:
    """Small and large batches of four processes, in every direction and with shared keys: each posts once."""
    printed = processes(MIXED, 4)

    transactions = sum(1 for _ in postgres_ledger.events(types=["transaction.posted"], limit=10**9))
    assert sum(int(answer) for answer in printed) == transactions
    sound(postgres_ledger)
