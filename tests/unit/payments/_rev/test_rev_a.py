import os
from datetime import timedelta
import pytest
from attrs import evolve
from ledgercore.banking.accounts import AccountStatus
from ledgercore.errors import LedgercoreError, InternalError
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR, Actor
from ledgercore.jobs.administration import JobAdministration
from ledgercore.jobs.jobs import JobState
from ledgercore.jobs.ports import JobFilter
from ledgercore.jobs.running import Runner
from ledgercore.ledger.ledger import Ledger
from ledgercore.money import Money, currency
from ledgercore.payments.limits import read_limits
from ledgercore.payments.payments import PaymentStatus
from ledgercore.statements.statements import Direction
from ledgercore.testing.payments_people import *
from ledgercore_memory.jobs.queue import MemoryJobQueue

ANY = Operator()


def runner_of(payments, store, clock, handlers=None):
    return Runner(
        store=store,
        queue=MemoryJobQueue(store),
        handlers=handlers or payments.handlers.all,
        clock=clock,
        random=lambda: 0.0,
    )


def one_job(store):
    with store.begin() as w:
        return w.jobs.list_after(JobFilter(), after=None, limit=10)[0]


def scheduled(payments, store, account, owner, amount="10.00"):
    made = payment(account, amount)
    stored_payments(store, made)
    return payments.processing.schedule(made.id, by=owner, actor=OPERATOR)


def test_cancelled_job(payments, bank_store, account, owner, clock):
    p = scheduled(payments, bank_store, account, owner)
    JobAdministration(store=bank_store, clock=clock).cancel(one_job(bank_store).id, actor=OPERATOR)
    clock.forward(days=1)
    runner_of(payments, bank_store, clock).drain()
    assert payments.reading.get(p.id, by=ANY).status is not PaymentStatus.PROCESSING


def test_hold_due(payments, bank_store, account, owner, clock, ledgers):
    led = Ledger(ledgers.journal("bank"))
    from ledgercore.ledger.holds import Hold

    h = (
        led.hold(
            debit=account.path,
            credit="clearing:payments:EUR",
            amount=Money.of("500", currency("EUR")),
            expires_at=clock.now + timedelta(hours=1),
        )
        if hasattr(led, "hold")
        else led.place_hold(
            debit=account.path,
            credit="clearing:payments:EUR",
            amount=Money.of("500", currency("EUR")),
            expires_at=clock.now + timedelta(hours=1),
        )
    )
    p = payment(account, "10.00")
    stored_payments(bank_store, p)
    with pytest.raises(LedgercoreError) as e:
        payments.processing.process(p.id, by=owner, actor=OPERATOR)
    assert e.value.code == "insufficient_funds"
    clock.forward(hours=2)
    assert payments.processing.process(p.id, by=owner, actor=OPERATOR).status is PaymentStatus.COMPLETED
