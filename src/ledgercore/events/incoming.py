"""Taking webhooks of providers: each once, as an event and a job for whoever knows what it means.

The jobs are `payment_status_reported`, `bank_sync_reported` and `fraud_reported`, on the queue `default`. Their
arguments are `webhook_id`, `reported_at` (ISO 8601) and the fields that every webhook of the provider has: what a
provider reports is a reason to look, and never by itself a reason to move money.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import field, frozen

from ledgercore.clock import Clock
from ledgercore.events.events import Event
from ledgercore.events.ports import Store
from ledgercore.events.received import FIELDS, Provider, ReceivedWebhook, read_webhook
from ledgercore.jobs.jobs import NewJob

JOB_KINDS: Final[Mapping[Provider, str]] = {
    Provider.PAYMENTS: "payment_status_reported",
    Provider.BANKS: "bank_sync_reported",
    Provider.FRAUD: "fraud_reported",
}


@frozen(kw_only=True)
class Taken:
    """What became of a webhook; one that had come before is taken again, and does nothing."""

    webhook: ReceivedWebhook
    is_new: bool


@frozen(kw_only=True)
class IncomingWebhooks:
    """Takes webhooks of providers. `secrets` are those of each provider, several while one is being changed."""

    store: Store
    clock: Clock
    secrets: Mapping[Provider, Sequence[str]] = field(repr=False)

    def take(
        self, provider: Provider, *, headers: Mapping[str, str], body: bytes, correlation_id: str | None = None
    ) -> Taken:
        """Verify a webhook, store it, and have it acted upon: once, however often and however many at once it comes.

        Raises `unauthorized` and `webhook_processing_failed`, as `read_webhook` does.
        """
        webhook = read_webhook(
            provider, secrets=self.secrets.get(provider, ()), headers=headers, body=body, now=self.clock()
        )
        with self.store.begin() as work:
            is_new = work.webhooks.receive(webhook)
            if is_new:
                work.jobs.enqueue([_job(webhook, correlation_id)])
                work.events.publish_all([_event(webhook)])
        return Taken(webhook=webhook, is_new=is_new)


def _job(webhook: ReceivedWebhook, correlation_id: str | None) -> NewJob:
    told = {name: webhook.document[name] for name, _, _ in FIELDS[webhook.provider]}
    return NewJob(
        kind=JOB_KINDS[webhook.provider],
        arguments={"webhook_id": webhook.id, "reported_at": webhook.sent_at.isoformat(), **told},
        correlation_id=correlation_id,
    )


def _event(webhook: ReceivedWebhook) -> Event:
    return Event(
        type=f"webhook.{webhook.provider}.received",
        subject=f"webhook:{webhook.provider}:{webhook.id}",
        data=webhook.document,
    )
