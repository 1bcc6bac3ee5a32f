"""Payments by one worker in batches, against one database transaction for each payment.

Both do the same: checks, locks, ledger, events, audit log, commit. The worker's part counts claiming and completing
its jobs too. A naive baseline does with plain SQL what the originals did, without locks, ledger, events or audit log.
"""

import os
import random
from collections.abc import Callable
from itertools import count
from uuid import UUID

import psycopg
from attrs import evolve
from harness import (  # type: ignore[import-not-found]
    Target,
    clock,
    fresh_database,
    interleaved,
    options,
    plain_url,
    report,
    seconds_of,
    server,
)

from ledgercore.banking.accounts import BankAccount
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR
from ledgercore.jobs.handlers import Transactional
from ledgercore.jobs.jobs import NewJob
from ledgercore.jobs.running import Outcome, Runner
from ledgercore.payments.limits import read_limits
from ledgercore.payments.payments import Payment
from ledgercore.payments.processing import JOB_KIND, JOB_QUEUE
from ledgercore.payments.use_cases import Payments
from ledgercore.testing.payments_people import funded_account, payment, stored_payments
from ledgercore_postgres import PostgresJobQueue, PostgresWorkStore, connect

ACCOUNTS = 200
ONE_BY_ONE = 150


def main() -> None:
    """Measure and print."""
    chosen = options(__doc__, rounds=5, payments=2_000)
    with server(chosen) as url, fresh_database(url) as database:
        engine = connect(database)
        store = PostgresWorkStore(engine, clock=clock)
        payments = Payments(
            store=store, clock=clock, random_bytes=os.urandom, ledger="bank", limits=read_limits("CHECKING:100000000")
        )
        accounts = [funded_account(store, "1000000", ledger="bank") for _ in range(ACCOUNTS)]
        naive = Naive(database, accounts)

        def one_by_one() -> float:
            ids = [each.id for each in _made(store, accounts, ONE_BY_ONE)]
            return ONE_BY_ONE / seconds_of(
                lambda: [payments.processing.process(id, by=Operator(), actor=OPERATOR) for id in ids]
            )

        def in_batches(size: int) -> Callable[[], float]:
            def case() -> float:
                made = _made(store, accounts, chosen.payments)
                with store.begin() as work:
                    work.jobs.enqueue(
                        [
                            NewJob(kind=JOB_KIND, arguments={"payment_id": str(each.id)}, queue=JOB_QUEUE)
                            for each in made
                        ]
                    )
                handler = next(each for each in payments.handlers.all if each.kind == JOB_KIND)
                assert isinstance(handler, Transactional)
                runner = Runner(
                    store=store,
                    queue=PostgresJobQueue(engine, clock=clock),
                    handlers=[evolve(handler, batch_max=size)],
                    clock=clock,
                    random=random.random,
                )
                ran: list[Outcome] = []
                seconds = seconds_of(lambda: ran.extend(each.outcome for each in runner.drain([JOB_QUEUE])))
                assert ran == [Outcome.SUCCESS] * chosen.payments
                return chosen.payments / seconds

            return case

        def plain() -> float:
            made = _made(store, accounts, ONE_BY_ONE)
            return ONE_BY_ONE / seconds_of(lambda: naive.pay(made))

        rates = interleaved(
            {
                "one database transaction for each payment": one_by_one,
                "naive: plain SQL, one transaction for each": plain,
                "one worker, batches of 100": in_batches(100),
                "one worker, batches of 500": in_batches(500),
            },
            chosen.rounds,
        )
        single = rates["one database transaction for each payment"]
        report(
            "Payments per second",
            rates,
            [
                Target("batches of 100 / one transaction each", 5, rates["one worker, batches of 100"] / single),
                Target("batches of 500 / one transaction each", 5, rates["one worker, batches of 500"] / single),
            ],
            chosen,
        )


class Naive:
    """What one writes first: read the balance, the day and the look-alikes, change two rows, insert one."""

    def __init__(self, url: str, accounts: list[BankAccount]) -> None:
        self.connection = psycopg.connect(plain_url(url), prepare_threshold=0)
        self.connection.execute(
            "CREATE TABLE naive_accounts (id uuid PRIMARY KEY, status text NOT NULL, balance bigint NOT NULL)"
        )
        self.connection.execute(
            "CREATE TABLE naive_payments (id uuid PRIMARY KEY, account uuid NOT NULL, amount bigint NOT NULL,"
            " said text NOT NULL, status text NOT NULL, posted_at timestamptz)"
        )
        self.connection.execute("CREATE INDEX ON naive_payments (account, posted_at)")
        with self.connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO naive_accounts VALUES (%s, 'ACTIVE', 100000000)", [(account.id,) for account in accounts]
            )
        self.connection.commit()

    def pay(self, made: list[Payment]) -> None:
        """Process payments one by one."""
        cursor = self.connection.cursor()
        for each in made:
            account: UUID = each.user_bank_account_id
            with self.connection.transaction():
                cursor.execute("SELECT status, balance FROM naive_accounts WHERE id = %s", (account,)).fetchone()
                cursor.execute(
                    "SELECT sum(amount) FROM naive_payments WHERE account = %s"
                    " AND posted_at >= date_trunc('day', now())",
                    (account,),
                ).fetchone()
                cursor.execute(
                    "SELECT 1 FROM naive_payments WHERE account = %s AND amount = %s AND said = %s"
                    " AND posted_at >= now() - interval '5 minutes' LIMIT 1",
                    (account, each.amount.minor, each.description),
                ).fetchone()
                cursor.execute(
                    "UPDATE naive_accounts SET balance = balance - %s WHERE id = %s", (each.amount.minor, account)
                )
                cursor.execute(
                    "INSERT INTO naive_payments VALUES (%s, %s, %s, %s, 'COMPLETED', now())",
                    (each.id, account, each.amount.minor, each.description),
                )


_numbers = count(1)


def _made(store: PostgresWorkStore, accounts: list[BankAccount], size: int) -> list[Payment]:
    """Pending payments of all accounts in turn."""
    made = [payment(accounts[next(_numbers) % len(accounts)], "1.25") for _ in range(size)]
    stored_payments(store, *made)
    return made


if __name__ == "__main__":
    main()
