"""The background jobs of webhooks: relaying every few seconds, one for each delivery, and reports of fraud."""

from collections.abc import Sequence
from typing import Final

from ledgercore.errors import LedgercoreError
from ledgercore.events.delivering import WebhookDelivering
from ledgercore.events.incoming import JOB_KINDS
from ledgercore.events.ports import Work
from ledgercore.events.received import Provider
from ledgercore.events.relaying import DELIVERY_JOB, RELAY_JOB, WEBHOOK_QUEUE, Relay
from ledgercore.identity.audit import Actor, AuditEvent
from ledgercore.jobs.handlers import External, Handler, Transactional
from ledgercore.jobs.jobs import Job, NewJob
from ledgercore.jobs.schedules import Schedule

SCHEDULES: Final = (Schedule("* * * * *", NewJob(kind=RELAY_JOB, priority=0)),)
"""Relaying begins within a minute of the first worker's start; from then on each relaying enqueues the next."""


def webhook_handlers(relay: Relay, delivering: WebhookDelivering) -> tuple[Handler, ...]:
    """The first two in units of work of their own: there may be much to relay, and deliveries wait for others."""
    return (
        External(kind=RELAY_JOB, handle=relay.run),
        External(kind=DELIVERY_JOB, handle=delivering.deliver, queue=WEBHOOK_QUEUE),
        Transactional(kind=JOB_KINDS[Provider.FRAUD], handle=note_fraud),
    )


def note_fraud(work: Work, jobs: Sequence[Job]) -> Sequence[LedgercoreError | None]:
    """Have the audit log tell which payments were reported as fraud: whether they are, people decide."""
    work.audit.append_all([_suspicion(job) for job in jobs])
    return [None] * len(jobs)


def _suspicion(job: Job) -> AuditEvent:
    told = job.arguments
    return AuditEvent(
        action="fraud_reported",
        actor=Actor(name="provider:fraud", correlation_id=job.correlation_id),
        target=f"payment:{told['payment_id']}",
        details={name: told[name] for name in ("webhook_id", "severity", "risk_score")},
    )
