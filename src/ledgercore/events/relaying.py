"""Relaying: every event becomes exactly one delivery for each endpoint that wants it."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from attrs import evolve, frozen

from ledgercore.clock import EPOCH, Clock
from ledgercore.events.deliveries import Delivery
from ledgercore.events.events import StoredEvent
from ledgercore.events.ports import Store, Work
from ledgercore.events.webhooks import WebhookEndpoint
from ledgercore.identity.users import Role
from ledgercore.ids import TimeOrderedIds
from ledgercore.jobs.jobs import PRIORITY_LAST, Claim, NewJob
from ledgercore.ledger.events import event_of
from ledgercore.ledger.log.logged import by_record
from ledgercore.ledger.queries import Event as LedgerEvent
from ledgercore.ledger.texts import encode_json

RELAY_JOB: Final = "relay_webhooks"
DELIVERY_JOB: Final = "deliver_webhook"
WEBHOOK_QUEUE: Final = "notifications"
BATCH: Final = 100
"""So many events are relayed to an endpoint at once; the others have their turn before it gets more."""
ENDPOINTS: Final = 100
RELAY_EVERY: Final = timedelta(seconds=5)
PRIORITY: Final = 5
REDELIVERY_UNIQUE_FOR: Final = timedelta(days=1)


@frozen(kw_only=True)
class Relay:
    """Reads on where each endpoint has got to."""

    store: Store
    clock: Clock
    random_bytes: Callable[[int], bytes]

    def run(self, claim: Claim) -> None:
        """Carry out a job `relay_webhooks`, and enqueue the next one: a few seconds later, however many are run now."""
        self.relay()
        with self.store.begin() as work:
            work.jobs.enqueue([relay_job(self.clock())])
            work.jobs.complete([claim])

    def relay(self) -> int:
        """Make the deliveries that are due, at most `BATCH` for each endpoint; returns how many there are to send.

        An endpoint's deliveries, their jobs and how far it has got are one commit, so nothing is lost or doubled
        however many relay at once and wherever one of them ends.
        """
        with self.store.begin() as work:
            last_number = work.events.last_number()
        return sum(self._relay_to(endpoint.id, last_number) for endpoint in self._active(last_number))

    def _active(self, last_number: int) -> Iterator[WebhookEndpoint]:
        """Active endpoints that something may have happened for."""
        after: UUID | None = None
        while True:
            with self.store.begin() as work:
                found = work.webhooks.list_active(after=after, limit=ENDPOINTS)
            for endpoint in found:
                if endpoint.ledger is not None or endpoint.after_number < last_number:
                    yield endpoint
            if len(found) < ENDPOINTS:
                return
            after = found[-1].id

    def _relay_to(self, id: UUID, last_number: int) -> int:
        now = self.clock()
        with self.store.begin() as work:
            endpoint = work.webhooks.find(id)
            if endpoint is None or not endpoint.is_active:
                return 0
            if endpoint.ledger is None:
                deliveries, after_number = self._of_bank(work, endpoint, last_number, now)
            else:
                deliveries, after_number = self._of_ledger(work, endpoint, endpoint.ledger, now)
            if after_number == endpoint.after_number:
                return 0
            owner = work.users.find(endpoint.owner_id)
            if owner is None or not owner.is_active:
                # What happens meanwhile waits for the owner.
                return 0
            if endpoint.ledger is not None and not _may_follow(work, endpoint, owner.role):
                work.webhooks.save(endpoint.disabled("ledger_not_found", now))
                return 0
            work.webhooks.add_deliveries(deliveries)
            work.webhooks.save(evolve(endpoint, after_number=after_number))
            work.jobs.enqueue([delivery_job(delivery, failing=endpoint.failing) for delivery in deliveries])
        return len(deliveries)

    def _of_bank(
        self, work: Work, endpoint: WebhookEndpoint, last_number: int, now: datetime
    ) -> tuple[list[Delivery], int]:
        found = work.events.list_after(
            endpoint.after_number, types=endpoint.types, owner_id=endpoint.owner_id, limit=BATCH
        )
        # Numbers follow the order of commits: below the last one that was seen, nothing can come any more.
        after_number = found[-1].number if found else 0
        if len(found) < BATCH:
            after_number = max(after_number, last_number, endpoint.after_number)
        draw = TimeOrderedIds(self.random_bytes).batch(now)
        return [_delivery(endpoint, stored, UUID(bytes=draw()), now) for stored in found], after_number

    def _of_ledger(
        self, work: Work, endpoint: WebhookEndpoint, ledger: str, now: datetime
    ) -> tuple[list[Delivery], int]:
        journal = work.ledgers.journal(ledger)
        records = [
            event_of(record) for record in by_record(journal.read_rows(after_number=endpoint.after_number, limit=BATCH))
        ]
        draw = TimeOrderedIds(self.random_bytes).batch(now)
        deliveries = [
            _ledger_delivery(endpoint, record, UUID(bytes=draw()), now)
            for record in records
            if not endpoint.types or record.type in endpoint.types
        ]
        return deliveries, records[-1].number if records else endpoint.after_number


def relay_job(now: datetime) -> NewJob:
    """The job that relays in the next of the slots of `RELAY_EVERY`; there is one for each slot."""
    slot = (now - EPOCH) // RELAY_EVERY + 1
    return NewJob(
        kind=RELAY_JOB,
        priority=0,
        run_at=EPOCH + slot * RELAY_EVERY,
        unique_key=f"slot {slot}",
        unique_for=12 * RELAY_EVERY,
    )


def delivery_job(delivery: Delivery, *, failing: bool) -> NewJob:
    """The job that sends a delivery; those to an endpoint that fails come after all others."""
    return NewJob(
        kind=DELIVERY_JOB,
        arguments={"endpoint_id": str(delivery.endpoint_id), "delivery_id": str(delivery.id)},
        queue=WEBHOOK_QUEUE,
        priority=PRIORITY_LAST if failing else PRIORITY,
    )


def redelivery_job(delivery: Delivery) -> NewJob:
    """The job that sends a delivery again; asked for twice in a row, it is one."""
    key = f"{delivery.id}:{len(delivery.attempts)}"
    return evolve(delivery_job(delivery, failing=False), unique_key=key, unique_for=REDELIVERY_UNIQUE_FOR)


def _may_follow(work: Work, endpoint: WebhookEndpoint, role: Role) -> bool:
    """Whether the owner may still read the ledger: its members, admins and support."""
    assert endpoint.ledger is not None
    return role is not Role.USER or work.members.find(endpoint.ledger, endpoint.owner_id) is not None


def _delivery(endpoint: WebhookEndpoint, stored: StoredEvent, id: UUID, now: datetime) -> Delivery:
    event = stored.event
    body = {
        "type": event.type,
        "timestamp": stored.occurred_at.isoformat(),
        "id": str(stored.id),
        "number": stored.number,
        "version": event.version,
        "subject": event.subject,
        "data": event.data,
    }
    return _new(endpoint, id, now, number=stored.number, event_id=stored.id, body=body)


def _ledger_delivery(endpoint: WebhookEndpoint, record: LedgerEvent, id: UUID, now: datetime) -> Delivery:
    body = {
        "type": record.type,
        "timestamp": record.recorded_at.isoformat(),
        "id": str(record.id),
        "number": record.number,
        "version": 1,
        "subject": f"ledger:{endpoint.ledger}",
        "data": record.data,
    }
    return _new(endpoint, id, now, number=record.number, event_id=record.id, body=body)


def _new(
    endpoint: WebhookEndpoint, id: UUID, now: datetime, *, number: int, event_id: UUID, body: dict[str, Any]
) -> Delivery:
    return Delivery(
        id=id,
        endpoint_id=endpoint.id,
        replay=endpoint.replays,
        event_number=number,
        event_id=event_id,
        event_type=body["type"],
        body=encode_json(body).decode(),
        next_attempt_at=now,
        created_at=now,
    )
