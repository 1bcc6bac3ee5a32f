"""Races for payments: whoever comes at the same moment, each completes once and no limit is passed."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlalchemy import Engine, text

from ledgercore.banking.accounts import BankAccount
from ledgercore.errors import LedgercoreError
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR
from ledgercore.ledger.ledger import Ledger
from ledgercore.payments.limits import PaymentLimits, read_limits
from ledgercore.payments.payments import Payment, PaymentFilter, PaymentStatus
from ledgercore.payments.processing import Processed
from ledgercore.payments.use_cases import Payments
from ledgercore.testing.payments_people import funded_account, payment, stored_payments
from ledgercore_postgres import PostgresStore, PostgresWorkStore

LEDGER = "bank"
ANY = Operator()
WIDE = read_limits("CHECKING:1000000")
STATEMENTS, TRIPS = 29, 24
"""What a batch of payments takes, from its beginning to its commit, wherever its accounts are open already."""

# A client of its own: it gets the database's URL and its number, and processes the payments that its input names.
CLIENT = """
import sys
from collections import Counter
from datetime import UTC, datetime
from uuid import UUID
from ledgercore.errors import LedgercoreError
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR
from ledgercore.payments.limits import PaymentLimits
from ledgercore.payments.payments import PaymentFilter
from ledgercore.payments.use_cases import Payments
from ledgercore_postgres import PostgresWorkStore, connect

store = PostgresWorkStore(connect(sys.argv[1]), clock=lambda: datetime.now(UTC))
payments = Payments(
    store=store, clock=lambda: datetime.now(UTC), random_bytes=None, ledger="bank", limits=PaymentLimits()
)
ids = [each.id for each in payments.reading.page(PaymentFilter(), by=Operator(), page=1, page_size=100).items]
if int(sys.argv[2]) % 2:
    ids.reverse()
print("ready", flush=True)
sys.stdin.readline()
for _ in range(3):
    told = [each.refusal.code if each.refusal else "done" for each in payments.processing.process_all(
        ids, by=Operator(), actor=OPERATOR
    )]
    print(" ".join(told))
"""

KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR
from ledgercore.payments.limits import PaymentLimits
from ledgercore.payments.payments import PaymentFilter
from ledgercore.payments import processing
from ledgercore.payments.use_cases import Payments
from ledgercore_postgres import PostgresWorkStore, connect

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

place = sys.argv[2]
store = PostgresWorkStore(connect(sys.argv[1]), clock=lambda: datetime.now(UTC))
payments = Payments(
    store=store, clock=lambda: datetime.now(UTC), random_bytes=None, ledger="bank", limits=PaymentLimits()
)
ids = [each.id for each in payments.reading.page(PaymentFilter(), by=Operator(), page=1, page_size=100).items]
with store.begin() as work:
    if place == "save":
        work.payments.save_all = die
    elif place == "tell":
        processing.tell = die
    payments.processing.process_in(work, dict.fromkeys(ids, OPERATOR), by=Operator(), failing=False)
    if place == "commit":
        die()
if place == "after":
    die()
"""


@pytest.fixture
def bank_store(engine: Engine, clock) -> PostgresWorkStore:
    """Everything in this test's database."""
    return PostgresWorkStore(engine, clock=clock)


def over(store: PostgresWorkStore, clock, limits: PaymentLimits = WIDE) -> Payments:
    """The use cases over a store."""
    return Payments(store=store, clock=clock, random_bytes=os.urandom, ledger=LEDGER, limits=limits)


@pytest.fixture
def payments(bank_store: PostgresWorkStore, clock) -> Payments:
    """The use cases, with a daily limit that nobody reaches."""
    return over(bank_store, clock)


@pytest.fixture
def second(second_engine: Engine, clock) -> Payments:
    """Another client of the same database."""
    return over(PostgresWorkStore(second_engine, clock=clock), clock)


def code_of(payments: Payments, made: Payment) -> str:
    """What becomes of processing a payment."""
    try:
        payments.processing.process(made.id, by=ANY, actor=OPERATOR)
    except LedgercoreError as error:
        return error.code
    return "done"


def balance(engine: Engine, account: BankAccount, clock) -> str:
    """What the ledger says is in an account."""
    return str(Ledger(PostgresStore(engine, clock=clock).journal(LEDGER)).get_account(account.path).balance.posted)


def test_a_thousand_calls_complete_a_payment_once(payments, second, bank_store, engine, clock, sound) -> None:
    """From sixteen threads with connections of two pools."""
    account = funded_account(bank_store, "500", ledger=LEDGER)
    made = payment(account)
    stored_payments(bank_store, made)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: code_of((payments, second)[number % 2], made), range(1_000)))

    assert Counter(answers) == {"done": 1, "already_processed": 999}
    assert balance(engine, account, clock) == "490.00 EUR"
    sound(Ledger(PostgresStore(engine, clock=clock).journal(LEDGER)))


def test_processes_complete_each_payment_once(bank_store, engine, clock, processes) -> None:
    """Batches in opposite orders, several times over, from processes of their own: nobody waits in a circle."""
    accounts = [funded_account(bank_store, "100", ledger=LEDGER) for _ in range(3)]
    made = [payment(account, f"{units}.00") for units in range(1, 9) for account in accounts]
    stored_payments(bank_store, *made)

    said = processes(CLIENT, 4)

    assert Counter(" ".join(said).split()) == {"done": 24, "already_processed": 4 * 3 * 24 - 24}
    assert {balance(engine, account, clock) for account in accounts} == {"64.00 EUR"}


def test_concurrent_payments_never_overrun_funds(payments, second, bank_store, engine, clock, at_once) -> None:
    account = funded_account(bank_store, "50", ledger=LEDGER)
    made = [payment(account, "10.00") for _ in range(10)]
    stored_payments(bank_store, *made)

    answers = at_once([partial(code_of, (payments, second)[n % 2], each) for n, each in enumerate(made)])

    assert Counter(answers) == {"done": 5, "insufficient_funds": 5}
    assert balance(engine, account, clock) == "0.00 EUR"


def test_concurrent_payments_never_overrun_the_daily_limit(bank_store, second_engine, clock, at_once) -> None:
    limited = [
        over(store, clock, PaymentLimits()) for store in (bank_store, PostgresWorkStore(second_engine, clock=clock))
    ]
    account = funded_account(bank_store, "5000", ledger=LEDGER)
    made = [payment(account, "300.00") for _ in range(8)]
    stored_payments(bank_store, *made)

    answers = at_once([partial(code_of, limited[n % 2], each) for n, each in enumerate(made)])

    assert Counter(answers) == {"done": 3, "daily_limit_exceeded": 5}


def test_look_alikes_on_two_accounts_complete_once(payments, second, bank_store, at_once) -> None:
    """Nothing but the lock on what they have in common brings them together."""
    accounts = [funded_account(bank_store, "100", ledger=LEDGER)]
    with bank_store.begin() as work:
        owner = work.users.find(accounts[0].user_id)
    accounts.append(funded_account(bank_store, "100", ledger=LEDGER, user=owner))
    for round_ in range(5):
        twins = [payment(account, description=f"rent {round_}") for account in accounts for _ in range(4)]
        stored_payments(bank_store, *twins)

        answers = at_once([partial(code_of, (payments, second)[n % 2], each) for n, each in enumerate(twins)])

        assert Counter(answers) == {"done": 1, "duplicate_transaction": 7}


def test_opposite_orders_do_not_wait_in_a_circle(payments, second, bank_store, at_once) -> None:
    """Batches that name the same payments in opposite orders, and a return among them."""
    accounts = [funded_account(bank_store, "100", ledger=LEDGER) for _ in range(2)]
    for _ in range(5):
        made = [payment(account) for account in (*accounts, *reversed(accounts))]
        stored_payments(bank_store, *made)
        ids = [each.id for each in made]
        first = payments.processing.process(ids[0], by=ANY, actor=OPERATOR)

        outcomes = at_once(
            [
                partial(payments.processing.process_all, ids, by=ANY, actor=OPERATOR),
                partial(second.processing.process_all, ids[::-1], by=ANY, actor=OPERATOR),
                partial(second.returns.return_, first.id, by=ANY, actor=OPERATOR),
            ]
        )

        done = [each for batch in outcomes[:2] for each in batch if each.refusal is None]
        assert sorted(each.payment.id for each in done) == sorted(ids[1:])


@pytest.mark.parametrize("size", [1, 10, 100])
def test_a_batch_takes_the_same_statements_whatever_its_size(bank_store, engine, clock, watched, size: int) -> None:
    """Postings, events and audit entries included."""
    payments = over(bank_store, clock)
    warm, *accounts = [funded_account(bank_store, "1000", ledger=LEDGER) for _ in range(6)]
    first = payment(warm)
    batch = [payment(accounts[number % 5], f"1.{number:02}") for number in range(size)]
    stored_payments(bank_store, first, *batch)
    payments.processing.process(first.id, by=ANY, actor=OPERATOR)
    done: list[Processed] = []

    sent = watched(
        lambda: done.extend(
            payments.processing.process_all([each.id for each in batch], by=ANY, actor=OPERATOR, failing=True)
        )
    )

    assert all(each.refusal is None for each in done)
    assert (sent.statements, sent.trips) == (STATEMENTS, TRIPS)


@pytest.mark.parametrize("place", ["save", "tell", "commit", "after"])
def test_killed_in_the_middle_of_a_batch_and_done_again_is_done_once(
    bank_store, engine, clock, database_url, tmp_path, place
) -> None:
    """Killed with the ledger written and nothing committed, or just after the commit."""
    account = funded_account(bank_store, "500", ledger=LEDGER)
    made = [payment(account, f"{units}.00") for units in range(1, 11)]
    stored_payments(bank_store, *made)
    script = tmp_path / "killed.py"
    script.write_text(KILLED)

    killed = subprocess.run(
        [sys.executable, str(script), database_url, place], capture_output=True, timeout=60, check=False
    )

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    _until_nobody_is_connected(engine)
    payments = over(bank_store, clock, PaymentLimits())
    outcomes = payments.processing.process_all([each.id for each in made], by=ANY, actor=OPERATOR)
    assert {each.refusal.code if each.refusal else "done" for each in outcomes} == (
        {"already_processed"} if place == "after" else {"done"}
    )
    assert balance(engine, account, clock) == "445.00 EUR"
    everyone = payments.reading.page(PaymentFilter(), by=ANY, page=1, page_size=20)
    assert {each.status for each in everyone.items} == {PaymentStatus.COMPLETED}
    with bank_store.begin() as work:
        events = [stored.event.type for stored in work.events.list_after(0, limit=100)]
    assert Counter(events) == {"payment.completed": 10, "balance.changed": 1}


def _until_nobody_is_connected(engine: Engine) -> None:
    """Wait until the server has noticed that the killed client is gone."""
    others = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
    )
    for _ in range(500):
        with engine.connect() as connection:
            if not connection.execute(others).scalar_one():
                return
        time.sleep(0.01)
    raise AssertionError("somebody is still there")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE payments SET status = 'PENDING', posted_at = NULL, transaction_id = NULL",
        "UPDATE payments SET minor = 1",
    ],
)
def test_a_completed_payment_stays_as_it_is(payments, bank_store, engine, change: str) -> None:
    """Whoever asks the database itself."""
    made = payment(funded_account(bank_store, "100", ledger=LEDGER))
    stored_payments(bank_store, made)
    payments.processing.process(made.id, by=ANY, actor=OPERATOR)

    with pytest.raises(Exception, match="the payment is final"), engine.begin() as connection:
        connection.execute(text(change))


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("minor = 0", "payments_amount"),
        ("currency = 'eur'", "payments_currency"),
        ("direction = 'UP'", "payments_direction"),
        ("payment_type = 'GIFT'", "payments_type"),
        ("description = ''", "payments_description"),
        ("status = 'DONE'", "payments_status"),
        ("status = 'COMPLETED'", "payments_completed"),
        ("status = 'FAILED'", "payments_failed"),
        ("failure = 'timeout'", "payments_failed"),
    ],
)
def test_what_cannot_be_is_not_stored(bank_store, engine, change: str, constraint: str) -> None:
    stored_payments(bank_store, payment(funded_account(bank_store, ledger=LEDGER)))

    with pytest.raises(Exception, match=constraint), engine.begin() as connection:
        connection.execute(text(f"UPDATE payments SET {change}"))
