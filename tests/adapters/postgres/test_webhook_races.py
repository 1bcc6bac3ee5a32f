"""Webhooks in PostgreSQL: relayed and received by many at once, each event and each webhook has one effect."""

import os
from uuid import UUID

import pytest
from sqlalchemy import Engine

from ledgercore.events.relaying import Relay
from ledgercore.identity.users import User
from ledgercore.jobs.ports import JobFilter
from ledgercore.testing.events_outbox import fact, published
from ledgercore.testing.events_webhooks import endpoint_of, received
from ledgercore.testing.identity_people import EVERYBODY, someone
from ledgercore_postgres import PostgresWorkStore


@pytest.fixture
def events(engine: Engine, clock) -> PostgresWorkStore:
    """Events in this test's database."""
    return PostgresWorkStore(engine, clock=clock)


@pytest.fixture
def owner(events: PostgresWorkStore) -> User:
    """Somebody with a webhook."""
    user = someone()
    with events.begin() as work:
        work.users.add(user)
    return user


def listening(events: PostgresWorkStore, owner: User) -> UUID:
    endpoint = endpoint_of(owner)
    with events.begin() as work:
        work.webhooks.add(endpoint)
    return endpoint.id


def relay_of(events: PostgresWorkStore, clock) -> Relay:
    return Relay(store=events, clock=clock, random_bytes=os.urandom)


def test_events_that_are_relayed_by_many_become_one_delivery_each(events, owner, clock, at_once):
    """With one job each, while others publish."""
    id = listening(events, owner)
    published(events, *(fact(owner_id=owner.id) for _ in range(10)))
    relay = relay_of(events, clock)

    at_once([relay.relay] * 4 + [lambda: published(events, fact(owner_id=owner.id))] * 4)
    relay.relay()

    with events.begin() as work:
        deliveries = work.webhooks.list_deliveries(id, before=None, limit=EVERYBODY)
        jobs = work.jobs.list_after(JobFilter(kind="deliver_webhook"), after=None, limit=EVERYBODY)
    assert sorted(delivery.event_number for delivery in deliveries) == list(range(1, 15))
    assert {job.arguments["delivery_id"] for job in jobs} == {str(delivery.id) for delivery in deliveries}
    assert len(jobs) == len(deliveries)


def test_webhook_that_comes_ten_times_at_once_is_received_once(events, at_once):
    """The others wait for the first, and find that it was there."""
    webhook = received()

    def receive() -> bool:
        with events.begin() as work:
            return work.webhooks.receive(webhook)

    assert sorted(at_once([receive] * 10)) == [False] * 9 + [True]


def test_relaying_takes_as_many_trips_for_many_events_as_for_one(events, owner, clock, watched):
    """For an endpoint; how many are relayed does not count."""
    listening(events, owner)
    relay = relay_of(events, clock)
    trips = []
    for size in (1, 1, 50):
        published(events, *(fact(owner_id=owner.id) for _ in range(size)))
        trips.append(watched(relay.relay).trips)

    assert trips[2] == trips[1]
