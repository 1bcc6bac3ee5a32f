"""The background jobs of webhooks: relaying every few seconds, and one for each delivery."""

from typing import Final

from ledgercore.events.delivering import WebhookDelivering
from ledgercore.events.relaying import DELIVERY_JOB, RELAY_JOB, WEBHOOK_QUEUE, Relay
from ledgercore.jobs.handlers import External
from ledgercore.jobs.jobs import NewJob
from ledgercore.jobs.schedules import Schedule

SCHEDULES: Final = (Schedule("* * * * *", NewJob(kind=RELAY_JOB, priority=0)),)
"""Relaying begins within a minute of the first worker's start; from then on each relaying enqueues the next."""


def webhook_handlers(relay: Relay, delivering: WebhookDelivering) -> tuple[External, ...]:
    """Both in units of work of their own: there may be much to relay, and deliveries wait for others."""
    return (
        External(kind=RELAY_JOB, handle=relay.run),
        External(kind=DELIVERY_JOB, handle=delivering.deliver, queue=WEBHOOK_QUEUE),
    )
