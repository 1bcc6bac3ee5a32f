"""Who does which background jobs, and which come by the clock."""

from typing import Final

from ledgercore.bank import Bank
from ledgercore.banking import sync_jobs
from ledgercore.events import jobs as webhook_jobs
from ledgercore.jobs import upkeep
from ledgercore.jobs.handlers import Handler
from ledgercore.jobs.schedules import Schedule
from ledgercore.payments import stranded

SCHEDULES: Final[tuple[Schedule, ...]] = (
    *upkeep.SCHEDULES,
    *webhook_jobs.SCHEDULES,
    *sync_jobs.SCHEDULES,
    *stranded.SCHEDULES,
)


def handlers_of(bank: Bank) -> tuple[Handler, ...]:
    """A handler for every kind of job that this version enqueues."""
    return (
        *upkeep.Upkeep(bank.store).handlers,
        *bank.payments.handlers.all,
        *webhook_jobs.webhook_handlers(bank.relay, bank.webhook_delivering),
        *bank.banking.handlers.all,
    )
