"""Delivering: a signed event is sent to its endpoint, and what came of it is written down."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from ledgercore.clock import Clock
from ledgercore.errors import BusinessRuleError, ExternalDependencyError, LedgercoreError
from ledgercore.errors.catalog import WEBHOOK_GONE, WEBHOOK_REFUSED
from ledgercore.events.deliveries import Attempt, Delivery, DeliveryStatus
from ledgercore.events.ports import Store, Work
from ledgercore.events.standard_webhooks import signed_headers
from ledgercore.events.webhooks import WebhookEndpoint
from ledgercore.http_messages import HttpRequest, HttpResponse, HttpSender
from ledgercore.identity.audit import Actor, AuditEvent
from ledgercore.identity.secrets import Sealer
from ledgercore.jobs.jobs import Claim
from ledgercore.jobs.retries import decide_retry

WORKER: Final = Actor(name="worker", source="webhooks")
_STATUS_GONE: Final = 410
_MILLISECOND: Final = timedelta(milliseconds=1)


@frozen(kw_only=True)
class WebhookDelivering:
    """Sends deliveries; each attempt is in the delivery log, whatever came of it."""

    store: Store
    clock: Clock
    sender: HttpSender
    sealer: Sealer

    def deliver(self, claim: Claim) -> None:
        """Carry out a job `deliver_webhook`: any 2xx is a success, and everything else a failure, redirects too.

        Raises `webhook_refused` (with `retry_after_ms` if the receiver asked for a pause), `timeout` and
        `service_unavailable`, which are tried again as the catalog says; `webhook_gone` and `forbidden_address`, which
        are not. Whoever answers 410 is told nothing more.
        """
        found = self._begin(claim)
        if found is None:
            return
        delivery, endpoint = found
        began_at = self.clock()
        response: HttpResponse | None = None
        error: LedgercoreError | None
        try:
            response = self.sender.send(self._request(delivery, endpoint))
            error = _refusal_in(response)
        except LedgercoreError as failure:
            error = failure
        attempt = Attempt(
            at=began_at,
            duration_ms=(self.clock() - began_at) // _MILLISECOND,
            status_code=None if response is None else response.status,
            reason=None if error is None else error.code,
        )
        with self.store.begin() as work:
            self._note(work, claim, delivery, attempt, error)
            if error is None:
                work.jobs.complete([claim])
        if error is not None:
            raise error

    def _begin(self, claim: Claim) -> tuple[Delivery, WebhookEndpoint] | None:
        """What is to be sent and where; a job that has nothing to send is done."""
        endpoint_id, delivery_id = (UUID(claim.job.arguments[name]) for name in ("endpoint_id", "delivery_id"))
        with self.store.begin() as work:
            # In this order, as whoever removes an endpoint takes them too.
            endpoint = work.webhooks.find(endpoint_id)
            delivery = work.webhooks.find_delivery(delivery_id)
            if endpoint is not None and delivery is not None and delivery.status is not DeliveryStatus.DELIVERED:
                if endpoint.is_active:
                    return delivery, endpoint
                given_up = Attempt(at=self.clock(), duration_ms=0, reason=endpoint.disabled_reason)
                work.webhooks.save_delivery(delivery.attempted(given_up, DeliveryStatus.DEAD))
            work.jobs.complete([claim])
        return None

    def _request(self, delivery: Delivery, endpoint: WebhookEndpoint) -> HttpRequest:
        now, body = self.clock(), delivery.body.encode()
        secrets = [
            self.sealer.open(sealed, context=endpoint.seal_context).decode() for sealed in endpoint.sealed_secrets(now)
        ]
        headers = signed_headers(secrets, id=str(delivery.event_id), sent_at=now, body=body)
        return HttpRequest(
            name="webhook",
            method="POST",
            url=endpoint.url,
            headers={"content-type": "application/json", **headers},
            content=body,
            safe=False,
        )

    def _note(self, work: Work, claim: Claim, sent: Delivery, attempt: Attempt, error: LedgercoreError | None) -> None:
        endpoint, delivery = work.webhooks.find(sent.endpoint_id), work.webhooks.find_delivery(sent.id)
        if endpoint is None or delivery is None:
            return
        status, next_attempt_at = DeliveryStatus.DELIVERED, None
        if error is not None:
            # Chance may add a little to the wait.
            next_attempt_at = decide_retry(claim.job, error, now=self.clock(), random=lambda: 0.0)
            status = DeliveryStatus.DEAD if next_attempt_at is None else DeliveryStatus.PENDING
        work.webhooks.save_delivery(delivery.attempted(attempt, status, next_attempt_at=next_attempt_at))
        if endpoint.failing is not (error is not None):
            endpoint = evolve(endpoint, failing=error is not None)
            work.webhooks.save(endpoint)
        if error is not None and error.reason is WEBHOOK_GONE and endpoint.is_active:
            work.webhooks.save(endpoint.disabled(WEBHOOK_GONE.code, self.clock()))
            target = f"webhook:{endpoint.id}"
            work.audit.append(AuditEvent(action="webhook_disabled", actor=WORKER, target=target))


def _refusal_in(response: HttpResponse) -> LedgercoreError | None:
    """What an answer says against a delivery; `None` for a success."""
    if response.is_success:
        return None
    if response.status == _STATUS_GONE:
        return BusinessRuleError(WEBHOOK_GONE, status=response.status)
    pause = response.retry_after_seconds
    asked = {} if pause is None else {"retry_after_ms": pause * 1000}
    return ExternalDependencyError(WEBHOOK_REFUSED, status=response.status, **asked)
