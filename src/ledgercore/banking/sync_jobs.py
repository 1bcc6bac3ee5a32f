"""What workers do for banking: synchronise logins when it is time, or when a bank says that something happened."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from ledgercore.banking.logins import RUN_WINDOW, BankLogin, LoginStatus, Run
from ledgercore.banking.ports import Store, Work
from ledgercore.banking.records import login_audited
from ledgercore.banking.runs import bank_of, next_sync_at
from ledgercore.banking.syncing import BankSync
from ledgercore.clock import Clock
from ledgercore.errors import BusinessRuleError, LedgercoreError, ValidationError
from ledgercore.errors.catalog import BANK_NOT_CONNECTED, INVALID_ARGUMENT
from ledgercore.identity.audit import Actor
from ledgercore.identity.users import UserStatus
from ledgercore.jobs.handlers import External, Handler, Transactional
from ledgercore.jobs.jobs import Claim, Job, NewJob
from ledgercore.jobs.schedules import Schedule
from ledgercore.ledger.documents import id_from

SYNC: Final = "sync_bank_login"
REPORTED: Final = "bank_sync_reported"
SCHEDULE_DUE: Final = "schedule_due_syncs"
QUEUE: Final = "banking"
SCHEDULER: Final = Actor(name="system", source=f"job:{SCHEDULE_DUE}")
TIME_LIMIT: Final = timedelta(minutes=10)
DUE_MAX: Final = 500
"""How many logins are scheduled at most each minute."""
LOGINS_MAX: Final = 1_000

SCHEDULES: Final = (Schedule("* * * * *", NewJob(kind=SCHEDULE_DUE, queue=QUEUE, priority=2)),)
"""Each minute."""


def enqueue_sync(
    work: Work, login: BankLogin, *, correlation_id: str | None = None, unique_for: timedelta = RUN_WINDOW
) -> UUID:
    """Leave the synchronisation of a login to the workers: one job in 300 seconds, whose id it gives."""
    job = NewJob(
        kind=SYNC,
        arguments={"bank_login_id": str(login.id)},
        queue=QUEUE,
        unique_key=str(login.id),
        unique_for=unique_for,
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
        login_id = _id(claim.job, "bank_login_id")

        def finish(work: Work) -> None:
            work.jobs.complete([claim])
            login = work.bank_logins.find(login_id)
            if login is not None and login.run is not None:
                _look_again(work, login.run, claim.job)

        try:
            self.sync.run(login_id, actor=actor, finish=finish)
        except BusinessRuleError as error:
            if error.reason is not BANK_NOT_CONNECTED:
                raise
            with self.store.begin() as work:
                work.jobs.complete([claim])

    def schedule_due(self, work: Work, jobs: Sequence[Job]) -> Sequence[LedgercoreError | None]:
        """Enqueue the synchronisation of each login whose time has come; those of deleted users lose their tokens."""
        now, forgotten = self.clock(), list[BankLogin]()
        for due in work.bank_logins.list_due(now, limit=DUE_MAX):
            login = work.bank_logins.find(due.id)
            if login is None or login.next_sync_at is None or login.next_sync_at > now:
                continue
            user = work.users.find(login.user_id)
            if user is not None and user.status is not UserStatus.DELETED:
                work.bank_logins.save(evolve(login, next_sync_at=next_sync_at(login, now)))
                enqueue_sync(work, login)
            else:
                forgotten.append(login.disconnected(now=now))
                work.bank_logins.save(forgotten[-1])
        work.audit.append_all([login_audited("bank_login_disconnected", login, SCHEDULER) for login in forgotten])
        return [None for _ in jobs]

    def take_report(self, work: Work, jobs: Sequence[Job]) -> Sequence[LedgercoreError | None]:
        """Look for ourselves at the logins of the user and bank that a provider has told something of."""
        for job in jobs:
            user_id, bank_id = _id(job, "user_id"), _id(job, "bank_id")
            for login in work.bank_logins.list_of(user_id, after=None, limit=LOGINS_MAX):
                if login.status is LoginStatus.ACTIVE and bank_of(work, login).id == bank_id:
                    enqueue_sync(work, login, correlation_id=job.correlation_id)
        return [None for _ in jobs]


def _look_again(work: Work, run: Run, job: Job) -> None:
    """Have a job done again when the lease of a run has lapsed: whoever is at it may have ended in the middle."""
    again = NewJob(
        kind=SYNC,
        arguments=job.arguments,
        queue=QUEUE,
        run_at=run.leased_until,
        unique_key=f"{run.id} until {run.leased_until.isoformat()}",
        unique_for=RUN_WINDOW,
        correlation_id=job.correlation_id,
    )
    work.jobs.enqueue([again])


def _id(job: Job, name: str) -> UUID:
    id = id_from(job.arguments.get(name), field=name)
    if id is None:
        raise ValidationError(INVALID_ARGUMENT, field=name, why="the job does not name it")
    return id
