"""What workers do for banking: synchronise logins when it is time, or when a bank says that something happened."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from ledgercore.banking.logins import RUN_WINDOW, BankLogin, LoginStatus
from ledgercore.banking.ports import Store, Work
from ledgercore.banking.runs import bank_of, next_sync_at
from ledgercore.banking.syncing import BankSync
from ledgercore.clock import Clock
from ledgercore.errors import BusinessRuleError, LedgercoreError, ValidationError
from ledgercore.errors.catalog import BANK_NOT_CONNECTED, INVALID_ARGUMENT
from ledgercore.identity.audit import Actor
from ledgercore.jobs.handlers import External, Handler, Transactional
from ledgercore.jobs.jobs import Claim, Job, NewJob
from ledgercore.jobs.schedules import Schedule
from ledgercore.ledger.documents import id_from

SYNC: Final = "sync_bank_login"
REPORTED: Final = "bank_sync_reported"
SCHEDULE_DUE: Final = "schedule_due_syncs"
QUEUE: Final = "banking"
TIME_LIMIT: Final = timedelta(minutes=10)
DUE_MAX: Final = 500
"""How many logins are scheduled at most each minute."""
LOGINS_MAX: Final = 1_000

SCHEDULES: Final = (Schedule("* * * * *", NewJob(kind=SCHEDULE_DUE, queue=QUEUE, priority=2)),)
"""Each minute."""


def enqueue_sync(work: Work, login: BankLogin, *, correlation_id: str | None = None) -> UUID:
    """Leave the synchronisation of a login to the workers: one job in 300 seconds, whose id it gives."""
    job = NewJob(
        kind=SYNC,
        arguments={"bank_login_id": str(login.id)},
        queue=QUEUE,
        unique_key=str(login.id),
        unique_for=RUN_WINDOW,
        correlation_id=correlation_id,
    )
    return work.jobs.enqueue([job])[0]


@frozen(kw_only=True)
class BankHandlers:
    """The handlers of jobs about banks."""

    store: Store
    clock: Clock
    sync: BankSync

    @property
    def all(self) -> Sequence[Handler]:
        """Each of them."""
        return (
            External(kind=SYNC, handle=self.synchronise, queue=QUEUE, time_limit=TIME_LIMIT),
            Transactional(kind=SCHEDULE_DUE, handle=self.schedule_due, queue=QUEUE, batch_max=1),
            Transactional(kind=REPORTED, handle=self.take_report),
        )

    def synchronise(self, claim: Claim) -> None:
        """Synchronise the login of a job; there is nothing to do for one that was disconnected since."""
        actor = Actor(name="system", source=f"job:{claim.job.id}", correlation_id=claim.job.correlation_id)
        try:
            self.sync.run(_id(claim.job, "bank_login_id"), actor=actor, finish=lambda work: work.jobs.complete([claim]))
        except BusinessRuleError as error:
            if error.reason is not BANK_NOT_CONNECTED:
                raise
            with self.store.begin() as work:
                work.jobs.complete([claim])

    def schedule_due(self, work: Work, jobs: Sequence[Job]) -> Sequence[LedgercoreError | None]:
        """Enqueue the synchronisation of each login whose time has come."""
        now = self.clock()
        for due in work.bank_logins.list_due(now, limit=DUE_MAX):
            login = work.bank_logins.find(due.id)
            if login is not None and login.next_sync_at is not None and login.next_sync_at <= now:
                work.bank_logins.save(evolve(login, next_sync_at=next_sync_at(login, now)))
                enqueue_sync(work, login)
        return [None for _ in jobs]

    def take_report(self, work: Work, jobs: Sequence[Job]) -> Sequence[LedgercoreError | None]:
        """Look for ourselves at the logins of the user and bank that a provider has told something of."""
        for job in jobs:
            user_id, bank_id = _id(job, "user_id"), _id(job, "bank_id")
            for login in work.bank_logins.list_of(user_id, after=None, limit=LOGINS_MAX):
                if login.status is LoginStatus.ACTIVE and bank_of(work, login).id == bank_id:
                    enqueue_sync(work, login, correlation_id=job.correlation_id)
        return [None for _ in jobs]


def _id(job: Job, name: str) -> UUID:
    id = id_from(job.arguments.get(name), field=name)
    if id is None:
        raise ValidationError(INVALID_ARGUMENT, field=name, why="the job does not name it")
    return id
