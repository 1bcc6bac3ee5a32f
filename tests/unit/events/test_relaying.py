"""From events to deliveries: each event once for each endpoint that wants it."""

import ast
import json
from pathlib import Path

import pytest
from attrs import evolve

import ledgercore
from ledgercore.events import relaying
from ledgercore.events.relaying import relay_job
from ledgercore.events.types import BANK_TYPES
from ledgercore.identity.audit import OPERATOR
from ledgercore.identity.memberships import LedgerAccess, Membership
from ledgercore.identity.users import Role, UserStatus
from ledgercore.jobs.jobs import PRIORITY_LAST
from ledgercore.jobs.ports import JobFilter
from ledgercore.ledger.accounts import Opening
from ledgercore.ledger.commands import Settings
from ledgercore.ledger.ledger import Ledger
from ledgercore.testing.ledgers import eur


def numbers(world, endpoint) -> list[int]:
    return [delivery.event_number for delivery in world.deliveries(endpoint.id)]


class TestEventsOfTheBank:
    def test_each_event_becomes_one_delivery(self, world):
        """However often it is relayed; what was before the webhook is not told."""
        world.publish("payment.created")
        endpoint = world.create().endpoint
        [id] = world.publish("payment.completed")

        counts = [world.relay.relay() for _ in range(3)]

        [delivery] = world.deliveries(endpoint.id)
        body = json.loads(delivery.body)
        assert counts == [1, 0, 0]
        assert (delivery.event_id, delivery.event_type, delivery.event_number) == (id, "payment.completed", 2)
        assert body.keys() == {"type", "timestamp", "id", "number", "version", "subject", "data"}
        assert (body["id"], body["type"], body["data"]) == (str(id), "payment.completed", {"n": 1})

    def test_only_what_is_the_owners_and_wanted_is_told(self, world):
        """Each endpoint by its own wishes."""
        other = world.add_user()
        every = world.create().endpoint
        failed = world.create(types=["payment.failed"]).endpoint

        world.publish("payment.completed", "payment.failed")
        world.publish("payment.failed", owner=other)
        world.relay.relay()

        assert numbers(world, every) == [1, 2]
        assert numbers(world, failed) == [2]
        assert world.endpoint(failed.id).after_number == 3

    def test_many_events_are_relayed_in_portions(self, world, monkeypatch):
        """None is left out where one portion ends."""
        monkeypatch.setattr(relaying, "BATCH", 3)
        endpoint = world.create().endpoint
        world.publish(*["payment.completed"] * 7)

        counts = []
        for _ in range(4):
            counts.append(world.relay.relay())
            world.clock.forward(milliseconds=1)

        assert counts == [3, 3, 1, 0]
        assert numbers(world, endpoint) == [1, 2, 3, 4, 5, 6, 7]

    def test_many_endpoints_are_all_seen(self, world, monkeypatch):
        """A page of them at a time."""
        monkeypatch.setattr(relaying, "ENDPOINTS", 2)
        endpoints = [world.create().endpoint for _ in range(5)]
        world.publish("payment.completed")

        assert world.relay.relay() == 5
        assert all(numbers(world, endpoint) == [1] for endpoint in endpoints)

    def test_events_of_a_disabled_endpoint_wait(self, world):
        """Until it is enabled."""
        endpoint = world.create().endpoint
        world.administration.change(endpoint.id, by=world.principal, active=False, actor=OPERATOR)
        world.publish("payment.completed")
        waiting = world.relay.relay()

        world.administration.change(endpoint.id, by=world.principal, active=True, actor=OPERATOR)

        assert (waiting, world.relay.relay()) == (0, 1)

    @pytest.mark.parametrize("status", [UserStatus.SUSPENDED, UserStatus.DELETED])
    def test_events_of_whoever_is_gone_wait(self, world, status):
        """And go on when the owner is back."""
        endpoint = world.create().endpoint
        world.publish("payment.completed")
        with world.store.begin() as work:
            work.users.save(evolve(world.owner, status=status))
        waiting = world.relay.relay()
        with world.store.begin() as work:
            work.users.save(world.owner)

        assert (waiting, world.relay.relay()) == (0, 1)
        assert numbers(world, endpoint) == [1]

    def test_endpoint_that_goes_meanwhile_is_passed_over(self, world):
        """Between being listed and being locked."""
        endpoint = world.create().endpoint
        world.publish("payment.completed")

        world.administration.remove(endpoint.id, by=world.principal, actor=OPERATOR)

        assert world.relay._relay_to(endpoint.id, 1) == 0

    def test_failing_endpoints_come_last(self, world):
        """Whoever hangs keeps nobody waiting who does not."""
        endpoint = world.create().endpoint
        with world.store.begin() as work:
            work.webhooks.save(evolve(endpoint, failing=True))
        world.publish("payment.completed")
        world.relay.relay()

        with world.store.begin() as work:
            [job] = work.jobs.list_after(JobFilter(), after=None, limit=9)
        assert job.priority == PRIORITY_LAST


class TestRecordsOfALedger:
    @pytest.fixture
    def books(self, world) -> Ledger:
        """A ledger that the owner reads, with something in it."""
        journal = world.ledgers.create("books", Settings(opening=Opening(on_first_use=True)))
        with world.store.begin() as work:
            work.members.grant(
                Membership(ledger="books", user_id=world.owner.id, access=LedgerAccess.READER, granted_at=world.clock())
            )
        ledger = Ledger(journal)
        ledger.transfer(debit="assets:a", credit="income:b", amount=eur("1.00"))
        return ledger

    def test_each_record_becomes_one_delivery(self, world, books):
        """From the webhook's beginning on, with what the ledger's own events tell."""
        start = books.state().number
        endpoint = world.create(ledger="books", types=["transaction.posted"]).endpoint
        posted = books.transfer(debit="assets:a", credit="income:b", amount=eur("2.00"))

        world.relay.relay()
        world.relay.relay()

        [delivery] = world.deliveries(endpoint.id)
        body = json.loads(delivery.body)
        assert endpoint.after_number == start
        assert (delivery.event_number, body["id"]) == (start + 1, str(posted.id))
        assert (body["type"], body["subject"]) == ("transaction.posted", "ledger:books")
        assert body["data"]["lines"][0]["amount_minor"] == "200"

    def test_other_types_are_passed_over(self, world, books):
        """The place moves on all the same."""
        endpoint = world.create(ledger="books", types=["hold.placed"]).endpoint
        books.transfer(debit="assets:a", credit="income:b", amount=eur("2.00"))

        assert world.relay.relay() == 0
        assert world.endpoint(endpoint.id).after_number == books.state().number

    def test_whoever_may_read_no_longer_is_told_no_longer(self, world, books):
        """The webhook is disabled, and says why."""
        endpoint = world.create(ledger="books").endpoint
        books.transfer(debit="assets:a", credit="income:b", amount=eur("2.00"))
        with world.store.begin() as work:
            work.members.revoke("books", world.owner.id)

        world.relay.relay()

        assert world.deliveries(endpoint.id) == []
        assert world.endpoint(endpoint.id).disabled_reason == "ledger_not_found"

    def test_admins_are_told_of_every_ledger(self, world, books, acting_as):
        """As they may read it."""
        admin = world.add_user(role=Role.ADMIN)
        endpoint = world.create(ledger="books", by=acting_as(admin)).endpoint
        books.transfer(debit="assets:a", credit="income:b", amount=eur("2.00"))

        assert world.relay.relay() == 1
        assert len(world.deliveries(endpoint.id)) == 1


class TestJob:
    def test_relaying_enqueues_the_next(self, world):
        """One for the next slot, however many relay now."""
        with world.store.begin() as work:
            work.jobs.enqueue([relay_job(world.clock()), relay_job(world.clock())])
        world.create()
        world.publish("payment.completed")
        world.clock.forward(seconds=5)

        first = world.runner.run_once("default")
        with world.store.begin() as work:
            work.jobs.enqueue([relay_job(world.clock())])
            waiting = list(work.jobs.list_after(JobFilter(kind="relay_webhooks"), after=None, limit=9))

        assert [ran.job.kind for ran in first] == ["relay_webhooks"]
        assert [job.state for job in waiting] == ["waiting", "done"]
        assert len(world.runner.run_once("notifications")) == 1


def test_every_type_that_is_published_can_be_subscribed_to():
    """But for what providers send, which has no owner."""
    published = set()
    for path in Path(ledgercore.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Event":
                published |= {
                    each.value.value
                    for each in node.keywords
                    if each.arg == "type" and isinstance(each.value, ast.Constant)
                }

    assert published <= BANK_TYPES
