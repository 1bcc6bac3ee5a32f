"""Payments that were left to the workers and whose job nobody will do: they fail, with the reason, and stay failed."""

from datetime import timedelta

import pytest

from ledgercore.errors import InternalError
from ledgercore.errors.catalog import INTERNAL_SERVER_ERROR
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR, Actor, AuditFilter
from ledgercore.jobs.administration import JobAdministration
from ledgercore.jobs.handlers import Transactional
from ledgercore.jobs.jobs import Job, JobState, NewJob
from ledgercore.jobs.ports import JobFilter
from ledgercore.jobs.running import Outcome, Runner
from ledgercore.payments.payments import PaymentStatus
from ledgercore.payments.processing import JOB_KIND, JOB_QUEUE
from ledgercore.payments.stranded import BATCH, STRANDED_KIND
from ledgercore.testing.payments_people import payment, stored_payments
from ledgercore_memory import MemoryJobQueue

ANY = Operator()


@pytest.fixture
def administration(bank_store, clock):
    """What operators do with jobs."""
    return JobAdministration(store=bank_store, clock=clock)


@pytest.fixture
def worker(payments, bank_store, clock):
    """Does jobs as a worker would; `breaking` makes every payment meet an error that nobody expected."""

    def build(*, breaking=False):
        def break_down(work, jobs):
            raise InternalError(INTERNAL_SERVER_ERROR)

        broken = Transactional(kind=JOB_KIND, handle=break_down, queue=JOB_QUEUE)
        handlers = [broken if breaking and each.kind == JOB_KIND else each for each in payments.handlers.all]
        return Runner(
            store=bank_store, queue=MemoryJobQueue(bank_store), handlers=handlers, clock=clock, random=lambda: 0.0
        )

    return build


@pytest.fixture
def left(payments, owner, account, bank_store):
    """A payment of the owner that was left to the workers."""
    made = payment(account)
    stored_payments(bank_store, made)
    actor = Actor(name=owner.name, correlation_id="from here")
    return payments.processing.schedule(made.id, by=owner, actor=actor)


@pytest.fixture
def look(bank_store, worker):
    """Looks for stranded payments, as is done each minute."""

    def run():
        with bank_store.begin() as work:
            work.jobs.enqueue([NewJob(kind=STRANDED_KIND)])
        return worker().drain(["default"])

    return run


def job_of(store) -> Job:
    """The job of the payment."""
    with store.begin() as work:
        [job] = work.jobs.list_after(JobFilter(kind=JOB_KIND), after=None, limit=2)
    return job


def given_up(worker, clock) -> None:
    """Have the job fail until it is dead."""
    broken = worker(breaking=True)
    while not any(ran.outcome is Outcome.DEAD_LETTER for ran in broken.drain([JOB_QUEUE])):
        clock.forward(minutes=1)


def test_payment_whose_job_is_dead_fails_for_its_reason(
    payments, bank_store, left, worker, clock, look, told, account, balance
) -> None:
    """Nothing has moved; event and audit record name the reason and where it came from."""
    given_up(worker, clock)

    [ran] = look()

    after = payments.reading.get(left.id, by=ANY)
    assert ran.outcome is Outcome.SUCCESS
    assert (after.status, after.failure) == (PaymentStatus.FAILED, "internal_server_error")
    assert balance(account) == "500.00 EUR"
    assert [event.type for event in told()][-1] == "payment.failed"
    with bank_store.begin() as work:
        wanted = AuditFilter(action="payment_failed", target=f"payment:{left.id}", correlation_id="from here")
        [audited] = work.audit.list_before(wanted, before=None, limit=2)
    assert f"job:{job_of(bank_store).id}" in audited.body.decode()


def test_payment_whose_workers_ended_again_and_again_fails(payments, bank_store, left, clock, look) -> None:
    """A job that ends every worker is dead after its last attempt, and its payment with it."""
    queue = MemoryJobQueue(bank_store)
    while job_of(bank_store).state is not JobState.DEAD:
        queue.claim(JOB_QUEUE, kinds=[JOB_KIND], limit=1, lease=timedelta(seconds=30))
        clock.forward(minutes=5)

    look()

    assert payments.reading.get(left.id, by=ANY).failure == "job_abandoned"


def test_payment_whose_job_was_cancelled_fails(payments, bank_store, left, administration, look) -> None:
    """Its owner could neither process nor cancel it any more."""
    administration.cancel(job_of(bank_store).id, actor=OPERATOR)

    look()

    assert payments.reading.get(left.id, by=ANY).failure == "job_cancelled"


def test_payment_without_a_job_fails(payments, bank_store, account, look) -> None:
    """Whatever has become of it."""
    lost = payment(account, status=PaymentStatus.PROCESSING)
    stored_payments(bank_store, lost)

    look()

    assert payments.reading.get(lost.id, by=ANY).failure == "job_abandoned"


def test_payment_whose_job_waits_is_let_be(payments, left, worker, look) -> None:
    """Neither one that was never tried, nor one that will be tried again."""
    look()
    worker(breaking=True).drain([JOB_QUEUE])
    look()

    assert payments.reading.get(left.id, by=ANY).status is PaymentStatus.PROCESSING


def test_dead_job_that_is_replayed_in_time_completes_its_payment(
    payments, bank_store, left, administration, worker, clock, look
) -> None:
    """Before anybody has looked for stranded ones."""
    given_up(worker, clock)
    administration.retry(job_of(bank_store).id, actor=OPERATOR)

    look()
    [ran] = worker().drain([JOB_QUEUE])

    assert ran.outcome is Outcome.SUCCESS
    assert payments.reading.get(left.id, by=ANY).status is PaymentStatus.COMPLETED


def test_dead_job_that_is_replayed_too_late_is_refused_at_once(
    payments, bank_store, left, administration, worker, clock, look, account, balance
) -> None:
    """What is final is not tried again, though the reason that it failed for would be."""
    given_up(worker, clock)
    look()
    administration.retry(job_of(bank_store).id, actor=OPERATOR)

    [ran] = worker().drain([JOB_QUEUE])

    assert (ran.outcome, ran.error and ran.error.code) == (Outcome.DEAD_LETTER, "already_processed")
    assert payments.reading.get(left.id, by=ANY).failure == "internal_server_error"
    assert balance(account) == "500.00 EUR"


def test_payment_that_is_carried_out_meanwhile_stays_completed(payments, bank_store, left, look, worker, clock) -> None:
    """Between seeing it and locking it somebody may have completed it."""
    given_up(worker, clock)
    with bank_store.begin() as work:
        seen = work.payments.list_processing(after=None, limit=BATCH)
    payments.processing.process(left.id, by=ANY, actor=OPERATOR)

    with bank_store.begin() as work:
        payments.handlers.stranded.fail_in(work, seen)

    assert payments.reading.get(left.id, by=ANY).status is PaymentStatus.COMPLETED


def test_all_are_looked_at_however_many(payments, bank_store, account, look) -> None:
    """Page by page."""
    stored_payments(bank_store, *(payment(account, status=PaymentStatus.PROCESSING) for _ in range(BATCH + 1)))

    look()

    with bank_store.begin() as work:
        assert work.payments.count(account.user_id) == {PaymentStatus.FAILED: BATCH + 1}
