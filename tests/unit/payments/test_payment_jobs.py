"""What workers do for payments: those that were left to them, and what providers tell."""

from datetime import timedelta
from uuid import UUID

import pytest
from attrs import evolve

from ledgercore.errors import LedgercoreError
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR, Actor
from ledgercore.jobs.jobs import Job, JobState, NewJob
from ledgercore.jobs.ports import JobFilter
from ledgercore.payments.handling import REPORT_KIND
from ledgercore.payments.payments import PaymentStatus
from ledgercore.payments.processing import JOB_KIND
from ledgercore.testing.identity_people import new_id
from ledgercore.testing.payments_people import payment, stored_payments

ANY = Operator()


@pytest.fixture
def scheduled(payments, owner, account, bank_store):
    """Leaves a payment of the owner to the workers, and gives it with its job."""

    def leave(amount="10.00", **options):
        made = payment(account, amount)
        stored_payments(bank_store, made)
        actor = Actor(name=owner.name, correlation_id="from here")
        left = payments.processing.schedule(made.id, by=owner, actor=actor, **options)
        return left, next(job for job in jobs_of(bank_store) if job.arguments == {"payment_id": str(made.id)})

    return leave


def jobs_of(store) -> list[Job]:
    """Every job, newest first."""
    with store.begin() as work:
        return list(work.jobs.list_after(JobFilter(), after=None, limit=100))


@pytest.fixture
def work_on(payments, bank_store):
    """Does jobs as a worker would, all in one unit of work, and gives the codes of what went wrong."""

    def do(*jobs):
        handlers = {handler.kind: handler for handler in payments.handlers.all}
        with bank_store.begin() as work:
            errors = handlers[jobs[0].kind].handle(work, jobs)
        return [error and error.code for error in errors]

    return do


class TestScheduling:
    def test_payment_waits_for_a_worker(self, scheduled, clock, told):
        left, job = scheduled(priority=2)

        assert left.status is PaymentStatus.PROCESSING
        assert (job.kind, job.queue, job.priority, job.state) == (JOB_KIND, "payments", 2, JobState.WAITING)
        assert (job.correlation_id, job.unique_key) == ("from here", left.key)
        assert [event.type for event in told()] == ["payment.processing"]

    def test_a_delay_is_kept(self, scheduled, clock):
        left, job = scheduled(delay=timedelta(minutes=5))

        assert job.run_at == left.updated_at + timedelta(minutes=5)

    def test_priority_is_from_0_to_9(self, scheduled, bank_store):
        with pytest.raises(LedgercoreError, match="argument"):
            scheduled(priority=10)

        assert jobs_of(bank_store) == []

    def test_is_left_to_a_worker_once(self, scheduled, payments, owner):
        left, _ = scheduled()

        with pytest.raises(LedgercoreError, match="already been processed"):
            payments.processing.schedule(left.id, by=owner, actor=OPERATOR)


class TestProcessing:
    def test_batch_is_carried_out_and_done_again_without_effect(self, scheduled, work_on, payments, account, balance):
        """A refused payment is FAILED for its reason, and its job for the same, also when it is done again."""
        jobs = [scheduled(amount)[1] for amount in ("400", "200", "100")]

        for _ in range(2):
            assert work_on(*jobs) == [None, "insufficient_funds", None]

        found = [payments.reading.get(_id(job), by=ANY) for job in jobs]
        assert [each.status.value for each in found] == ["COMPLETED", "FAILED", "COMPLETED"]
        assert found[1].failure == "insufficient_funds"
        assert balance(account) == "0.00 EUR"

    def test_audit_log_names_the_job(self, scheduled, work_on, bank_store):
        _, job = scheduled()
        work_on(job)

        with bank_store.begin() as work:
            entry = list(work.audit.entries())[-1]

        for said in (b'"actor":"system"', f'"source":"job:{job.id}"'.encode(), b'"correlation_id":"from here"'):
            assert said in entry.body

    def test_job_of_a_cancelled_payment_fails(self, payments, account, bank_store, work_on, owner):
        made = payment(account)
        stored_payments(bank_store, made)
        payments.cancellation.cancel(made.id, by=owner, actor=OPERATOR)

        assert work_on(_job(bank_store, JOB_KIND, payment_id=str(made.id))) == ["already_processed"]

    def test_job_without_a_payment_fails(self, bank_store, work_on):
        assert work_on(_job(bank_store, JOB_KIND, payment_id=str(new_id()))) == ["payment_not_found"]
        with pytest.raises(LedgercoreError, match="argument"):
            work_on(_job(bank_store, JOB_KIND))


class TestReports:
    def report(self, store, left, status, **fields):
        """The job that passes on what a provider told of a payment."""
        arguments = {"payment_id": str(left.id), "status": status, "amount": "10.00", **fields}
        return _job(store, REPORT_KIND, **arguments)

    @pytest.mark.parametrize(
        ("status", "expected"),
        [("pending", "PROCESSING"), ("completed", "COMPLETED"), ("failed", "FAILED"), ("cancelled", "FAILED")],
    )
    def test_report_is_taken_in_once(self, scheduled, work_on, payments, bank_store, told, status, expected):
        left, _ = scheduled()
        job = self.report(bank_store, left, status, external_transaction_id="theirs")

        assert work_on(job) == [None]
        after, events = payments.reading.get(left.id, by=ANY), told()
        assert work_on(job) == [None]

        assert after.status.value == expected
        assert after.failure == ("payment_provider_error" if expected == "FAILED" else None)
        assert after.external_transaction_id == (None if status == "pending" else "theirs")
        assert (payments.reading.get(left.id, by=ANY), told()) == (after, events)

    def test_rules_hold_for_what_a_provider_completed(self, scheduled, work_on, payments, bank_store):
        left, _ = scheduled("600")
        job = self.report(bank_store, left, "completed", amount=600)

        assert work_on(job) == ["insufficient_funds"]
        with pytest.raises(LedgercoreError, match="Webhook"):
            work_on(job)
        assert payments.reading.get(left.id, by=ANY).failure == "insufficient_funds"

    @pytest.mark.parametrize("fields", [{"amount": "10.01"}, {"status": "lost"}])
    def test_what_does_not_fit_is_refused(self, scheduled, work_on, payments, bank_store, fields):
        left, _ = scheduled()

        with pytest.raises(LedgercoreError) as caught:
            work_on(self.report(bank_store, left, **{"status": "completed", **fields}))

        assert caught.value.code == "webhook_processing_failed"
        assert payments.reading.get(left.id, by=ANY) == left

    @pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
    def test_a_report_moves_no_money_that_nobody_asked_to_be_moved(
        self, account, bank_store, work_on, payments, status
    ):
        made = payment(account)
        stored_payments(bank_store, made)

        with pytest.raises(LedgercoreError, match="Webhook"):
            work_on(self.report(bank_store, made, status))

        assert payments.reading.get(made.id, by=ANY) == made

    @pytest.mark.parametrize("status", ["pending", "failed", "cancelled"])
    def test_what_is_final_is_not_contradicted(self, scheduled, work_on, payments, bank_store, status):
        left, job = scheduled()
        work_on(job)

        with pytest.raises(LedgercoreError, match="Webhook"):
            work_on(self.report(bank_store, left, status))

    def test_without_a_job_reports_are_taken_in_too(self, scheduled, payments):
        left, _ = scheduled()

        done = payments.reports.report(left.id, status="completed", amount="10", actor=OPERATOR)

        assert done.status is PaymentStatus.COMPLETED


def _job(store, kind, **arguments) -> Job:
    with store.begin() as work:
        [id] = work.jobs.enqueue([NewJob(kind=kind, arguments=arguments)])
        found = work.jobs.find(id)
    assert found is not None
    return evolve(found, attempts=1)


def _id(job):
    return UUID(job.arguments["payment_id"])
