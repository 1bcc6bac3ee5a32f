"""The suite for webhooks: endpoints, their deliveries, and what providers sent."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from ledgercore.events.deliveries import Attempt, Delivery, DeliveryStatus
from ledgercore.events.ports import Store
from ledgercore.events.received import Provider, ReceivedWebhook
from ledgercore.events.webhooks import EndpointStatus, WebhookEndpoint
from ledgercore.identity.users import User
from ledgercore.testing.events_outbox import EventsContract
from ledgercore.testing.identity_people import EVERYBODY, new_id, someone
from ledgercore.testing.ledgers import MONDAY


def endpoint_of(owner: User, **fields: Any) -> WebhookEndpoint:
    """A webhook of an owner that is not stored yet."""
    defaults = {
        "id": new_id(),
        "owner_id": owner.id,
        "url": "https://example.com/hook",
        "secret": b"sealed",
        "created_at": MONDAY,
        "updated_at": MONDAY,
    }
    return WebhookEndpoint(**{**defaults, **fields})


def delivery_to(endpoint: WebhookEndpoint, number: int = 1, **fields: Any) -> Delivery:
    """A delivery that is not stored yet."""
    defaults = {
        "id": new_id(),
        "endpoint_id": endpoint.id,
        "replay": 0,
        "event_number": number,
        "event_id": new_id(),
        "event_type": "payment.completed",
        "body": '{"a":"ü"}',
        "next_attempt_at": MONDAY,
        "created_at": MONDAY,
    }
    return Delivery(**{**defaults, **fields})


class WebhookContract(EventsContract):
    """Where events go, and how far they have got."""

    @pytest.fixture
    def owner(self, events: Store) -> User:
        """Somebody with webhooks."""
        user = someone()
        with events.begin() as work:
            work.users.add(user)
        return user

    @pytest.fixture
    def endpoint(self, events: Store, owner: User) -> WebhookEndpoint:
        """A webhook that is stored."""
        endpoint = endpoint_of(owner)
        with events.begin() as work:
            work.webhooks.add(endpoint)
        return endpoint

    def test_endpoint_comes_back_as_it_was_stored_and_saved(self, events: Store, endpoint: WebhookEndpoint) -> None:
        """With everything about it."""
        changed = evolve(
            endpoint, url="https://example.com/ü", types=frozenset({"a", "b"}), ledger="books", after_number=2**40,
            replays=3, secret=b"\x00new", previous_secret=b"old", previous_until=MONDAY + timedelta(days=1),
            status=EndpointStatus.DISABLED, disabled_reason="webhook_gone", failing=True,
            updated_at=MONDAY + timedelta(hours=1),
        )  # fmt: skip

        with events.begin() as work:
            assert work.webhooks.find(endpoint.id) == endpoint
            work.webhooks.save(changed)

        with events.begin() as work:
            assert work.webhooks.find(endpoint.id) == changed
            assert work.webhooks.find(new_id()) is None

    def test_endpoints_are_listed_by_owner_and_by_being_active(self, events: Store, owner: User) -> None:
        """In the order of their ids, after one of them."""
        other = someone()
        first, second, third = (endpoint_of(owner) for _ in range(3))
        third = third.disabled("webhook_gone", MONDAY)
        with events.begin() as work:
            work.users.add(other)
            for endpoint in (third, first, second, theirs := endpoint_of(other)):
                work.webhooks.add(endpoint)

            assert work.webhooks.list_of(owner.id, after=None, limit=2) == [first, second]
            assert work.webhooks.list_of(owner.id, after=second.id, limit=2) == [third]
            assert theirs in work.webhooks.list_of(None, after=third.id, limit=EVERYBODY)
            assert work.webhooks.list_active(after=first.id, limit=EVERYBODY) == [second, theirs]
            assert set(work.webhooks.list_active(after=None, limit=EVERYBODY)) >= {first, second, theirs}
            assert list(work.webhooks.list_active(after=first.id, limit=1)) == [second]

    def test_delivery_comes_back_as_it_was_stored_and_saved(self, events: Store, endpoint: WebhookEndpoint) -> None:
        """With every attempt."""
        delivery = delivery_to(endpoint)
        failed = Attempt(at=MONDAY, duration_ms=15_000, reason="timeout")
        taken = Attempt(at=MONDAY + timedelta(seconds=1), duration_ms=7, status_code=204)
        later = delivery.attempted(failed, DeliveryStatus.PENDING, next_attempt_at=MONDAY + timedelta(seconds=1))
        done = later.attempted(taken, DeliveryStatus.DELIVERED)

        with events.begin() as work:
            work.webhooks.add_deliveries([])
            work.webhooks.add_deliveries([delivery])
        seen = []
        for saved in (delivery, later, done):
            with events.begin() as work:
                work.webhooks.save_delivery(saved)
            with events.begin() as work:
                seen.append(work.webhooks.find_delivery(delivery.id))

        assert seen == [delivery, later, done]
        assert done.attempts == (failed, taken)
        assert done.next_attempt_at is None

    def test_deliveries_are_listed_newest_first(self, events: Store, endpoint: WebhookEndpoint, owner: User) -> None:
        """Those to one endpoint, before one of them."""
        other = endpoint_of(owner)
        first, second, third = (delivery_to(endpoint, number) for number in (1, 2, 3))
        with events.begin() as work:
            work.webhooks.add(other)
            work.webhooks.add_deliveries([first, second, third, delivery_to(other)])

            assert work.webhooks.list_deliveries(endpoint.id, before=None, limit=2) == [third, second]
            assert work.webhooks.list_deliveries(endpoint.id, before=second.id, limit=2) == [first]

    def test_removed_endpoint_takes_its_deliveries_along(self, events: Store, owner: User) -> None:
        """What is saved of them later is saved nowhere."""
        gone, kept = endpoint_of(owner), endpoint_of(owner)
        lost, left = delivery_to(gone), delivery_to(kept)
        with events.begin() as work:
            work.webhooks.add(gone)
            work.webhooks.add(kept)
            work.webhooks.add_deliveries([lost, left])

        with events.begin() as work:
            work.webhooks.remove(gone.id)
            work.webhooks.save_delivery(lost)

        with events.begin() as work:
            assert work.webhooks.find(gone.id) is None
            assert work.webhooks.find_delivery(lost.id) is None
            assert work.webhooks.find_delivery(left.id) == left

    def test_webhook_is_received_once(self, events: Store) -> None:
        """By its provider and id, whatever else it says; another provider's ids are others."""
        webhook = received()

        answers: list[bool] = []
        for each in (
            webhook,
            webhook,
            evolve(webhook, document={"a": 2}),
            evolve(webhook, provider=Provider.FRAUD),
        ):
            with events.begin() as work:
                answers.append(work.webhooks.receive(each))

        assert answers == [True, False, False, True]

    def test_webhook_of_an_undone_unit_of_work_is_received_again(self, events: Store) -> None:
        """What was not carried out was not received."""
        webhook = received()

        def fail() -> None:
            with events.begin() as work:
                work.webhooks.receive(webhook)
                raise LookupError

        with pytest.raises(LookupError):
            fail()

        with events.begin() as work:
            assert work.webhooks.receive(webhook)


def received(id: UUID | None = None) -> ReceivedWebhook:
    """What a provider sent."""
    return ReceivedWebhook(
        provider=Provider.PAYMENTS,
        id=f"evt-{id or new_id()}",
        sent_at=MONDAY,
        received_at=MONDAY,
        document={"a": [1, "ü\x00", 1.5]},
    )
