"""Webhooks in their owners' hands."""

import json
from uuid import uuid4

import pytest

from ledgercore.errors import AuthorizationError, NotFoundError, ValidationError
from ledgercore.events import webhook_administration
from ledgercore.events.documents import delivery_document, new_webhook_document, webhook_document
from ledgercore.events.webhooks import EndpointStatus
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import ACTIONS, OPERATOR
from ledgercore.identity.memberships import LedgerAccess, Membership
from ledgercore.identity.service_tokens import Scope


class TestCreating:
    def test_webhook_is_the_owners_and_its_secret_is_shown_once(self, world):
        """It is sealed for its own row, and in no document but that of its creation."""
        new = world.create(types=["payment.completed"])

        stored = world.endpoint(new.endpoint.id)
        assert (stored.owner_id, stored.url, stored.types) == (
            world.owner.id, "https://example.com/hook", frozenset({"payment.completed"}),
        )  # fmt: skip
        assert stored.secret == f"webhook_endpoints:{stored.id}:secret|{new.secret}".encode()
        assert new_webhook_document(new)["secret"] == new.secret
        assert new.secret not in json.dumps(webhook_document(stored)) + repr(stored) + repr(new)
        assert world.create().secret != new.secret

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"url": "https://localhost/"}, "forbidden_address"),
            ({"url": "https://example.com/" + "x" * 2_000}, "invalid_argument"),
            ({"types": ["payment.completed", "nonsense"]}, "invalid_event_type"),
            ({"types": [7]}, "invalid_event_type"),
            ({"types": ["transaction.posted"]}, "invalid_event_type"),
            ({"ledger": "books", "types": ["payment.completed"]}, "invalid_event_type"),
        ],
    )
    def test_what_cannot_be_is_refused(self, world, fields, code):
        """Bad addresses, and types that there are not."""
        with pytest.raises(ValidationError) as refused:
            world.create(**fields)

        assert refused.value.code == code

    def test_ledger_of_others_is_not_there(self, world):
        """Nor one that does not exist."""
        world.ledgers.create("books")

        for ledger in ("books", "nowhere"):
            with pytest.raises(NotFoundError) as refused:
                world.create(ledger=ledger)
            assert refused.value.code == "ledger_not_found"

    def test_token_reads_ledgers_only_within_its_bounds(self, world, acting_as):
        """By its scope, and by the ledgers that it is bound to."""
        world.ledgers.create("books")
        with world.store.begin() as work:
            work.members.grant(
                Membership(ledger="books", user_id=world.owner.id, access=LedgerAccess.READER, granted_at=world.clock())
            )
        both = frozenset({Scope.WEBHOOKS_WRITE, Scope.LEDGER_READ})

        with pytest.raises(AuthorizationError):
            world.create(ledger="books", by=acting_as(world.owner, scopes=frozenset({Scope.WEBHOOKS_WRITE})))
        with pytest.raises(NotFoundError):
            world.create(ledger="books", by=acting_as(world.owner, scopes=both, ledgers=frozenset({"other"})))
        assert world.create(ledger="books", by=acting_as(world.owner, scopes=both)).endpoint.ledger == "books"

    @pytest.mark.parametrize(
        ("types", "needed"),
        [
            ([], [Scope.BANKING_READ, Scope.PAYMENTS_READ]),
            (["payment.completed"], [Scope.PAYMENTS_READ]),
            (["balance.changed"], [Scope.BANKING_READ]),
        ],
    )
    def test_token_has_delivered_only_what_it_may_read(self, world, acting_as, types, needed):
        """Neither a webhook of its own nor that of its owner, led elsewhere, tells it more."""
        owners = world.create(types=types).endpoint
        enough = frozenset({Scope.WEBHOOKS_WRITE, *needed})
        may = acting_as(world.owner, scopes=enough)
        change = world.administration.change

        for scope in needed:
            may_not = acting_as(world.owner, scopes=enough - {scope})
            with pytest.raises(AuthorizationError):
                world.create(types=types, by=may_not)
            with pytest.raises(AuthorizationError):
                change(owners.id, by=may_not, url="https://example.org/", actor=OPERATOR)
        assert world.create(types=types, by=may).endpoint.types == frozenset(types)
        assert change(owners.id, by=may, url="https://example.org/", actor=OPERATOR).url == "https://example.org/"

    def test_token_bound_to_another_ledger_leads_no_webhook_elsewhere(self, world, acting_as):
        """The ledger is not there for it."""
        world.ledgers.create("books")
        with world.store.begin() as work:
            work.members.grant(
                Membership(ledger="books", user_id=world.owner.id, access=LedgerAccess.READER, granted_at=world.clock())
            )
        endpoint = world.create(ledger="books").endpoint
        scopes = frozenset({Scope.WEBHOOKS_WRITE, Scope.LEDGER_READ})
        bound = acting_as(world.owner, scopes=scopes, ledgers=frozenset({"other"}))

        with pytest.raises(NotFoundError):
            world.administration.change(endpoint.id, by=bound, url="https://example.org/", actor=OPERATOR)

    def test_nobody_has_webhooks_without_end(self, world, monkeypatch):
        """So many for a user."""
        monkeypatch.setattr(webhook_administration, "ENDPOINTS_MAX", 2)
        world.create()
        world.create()

        with pytest.raises(ValidationError) as refused:
            world.create()
        assert refused.value.code == "invalid_argument"


class TestReading:
    def test_everybody_sees_their_own_and_operators_all(self, world, acting_as):
        """Page by page, in the order in which they were added."""
        other = acting_as(world.add_user())
        first, second, third = (world.create().endpoint for _ in range(3))
        theirs = world.create(by=other).endpoint

        page = world.administration.page(by=world.principal, limit=2)
        rest = world.administration.page(by=world.principal, cursor=page.next_cursor, limit=2)

        assert (page.items, rest.items, rest.next_cursor) == ((first, second), (third,), None)
        assert world.administration.page(by=other).items == (theirs,)
        assert world.administration.page(by=Operator()).items == (first, second, third, theirs)
        assert world.administration.get(theirs.id, by=Operator()) == theirs

    def test_webhook_of_another_is_not_there(self, world, acting_as):
        """Whatever is asked of it."""
        endpoint, other, use = world.create().endpoint, acting_as(world.add_user()), world.administration
        asks = [
            lambda id, by: use.get(id, by=by),
            lambda id, by: use.change(id, by=by, active=False, actor=OPERATOR),
            lambda id, by: use.rotate(id, by=by, actor=OPERATOR),
            lambda id, by: use.remove(id, by=by, actor=OPERATOR),
            lambda id, by: use.deliveries(id, by=by),
            lambda id, by: use.redeliver(id, uuid4(), by=by, actor=OPERATOR),
            lambda id, by: use.replay(id, 1, by=by, actor=OPERATOR),
        ]

        for ask in asks:
            for id, by in ((endpoint.id, other), (uuid4(), world.principal)):
                with pytest.raises(NotFoundError) as refused:
                    ask(id, by)
                assert refused.value.code == "webhook_not_found"
        assert world.endpoint(endpoint.id) == endpoint

    def test_delivery_log_is_read_from_its_end(self, world):
        """Page by page."""
        endpoint = world.create().endpoint
        world.publish(*["payment.completed"] * 3)
        world.run()

        page = world.administration.deliveries(endpoint.id, by=world.principal, limit=2)
        rest = world.administration.deliveries(endpoint.id, by=world.principal, cursor=page.next_cursor, limit=2)

        assert [each.event_number for each in (*page.items, *rest.items)] == [3, 2, 1]
        document = delivery_document(page.items[0])
        assert (document["status"], document["attempts"][0]["status_code"]) == ("delivered", 204)


class TestChanging:
    def test_what_is_given_is_changed(self, world):
        """And nothing else; what is so already is not changed at all."""
        endpoint = world.create().endpoint
        change = world.administration.change

        changed = change(
            endpoint.id, by=world.principal, url="https://example.org/", types=["payment.failed"], actor=OPERATOR
        )
        disabled = change(endpoint.id, by=world.principal, active=False, actor=OPERATOR)
        same = change(endpoint.id, by=world.principal, active=False, actor=OPERATOR)

        assert (changed.url, changed.types) == ("https://example.org/", frozenset({"payment.failed"}))
        assert (disabled.status, disabled.disabled_reason) == (EndpointStatus.DISABLED, "disabled_by_owner")
        assert (disabled.url, same) == (changed.url, disabled)
        assert list(world.actions()) == ["webhook_created", "webhook_changed", "webhook_changed"]

    def test_address_is_checked_again(self, world):
        """As that of a new one is."""
        endpoint = world.create().endpoint

        with pytest.raises(ValidationError):
            world.administration.change(endpoint.id, by=world.principal, url="https://localhost", actor=OPERATOR)

    def test_removed_webhook_is_gone(self, world):
        """With its log."""
        endpoint = world.create().endpoint
        world.publish("payment.completed")
        world.run()

        world.administration.remove(endpoint.id, by=world.principal, actor=OPERATOR)

        assert (world.endpoint(endpoint.id), world.deliveries(endpoint.id)) == (None, [])


class TestSendingAgain:
    def test_delivery_is_sent_again_under_its_id(self, world):
        """Once, though it is asked for twice."""
        endpoint = world.create().endpoint
        world.publish("payment.completed")
        world.run()
        [delivery] = world.deliveries(endpoint.id)

        for _ in range(2):
            world.administration.redeliver(endpoint.id, delivery.id, by=world.principal, actor=OPERATOR)
        world.run()

        [again] = world.deliveries(endpoint.id)
        first, second = world.receiver.ids
        assert first == second
        assert len(again.attempts) == 2

    def test_delivery_to_another_webhook_is_not_there(self, world):
        """Nor is one that there is not."""
        endpoint, other = world.create().endpoint, world.create().endpoint
        world.publish("payment.completed")
        world.run()
        [delivery] = world.deliveries(other.id)

        for id in (delivery.id, uuid4()):
            with pytest.raises(NotFoundError) as refused:
                world.administration.redeliver(endpoint.id, id, by=world.principal, actor=OPERATOR)
            assert refused.value.code == "delivery_not_found"

    def test_replay_delivers_everything_from_a_number_on(self, world):
        """Under the ids that they had."""
        endpoint = world.create().endpoint
        ids = [str(id) for id in world.publish(*["payment.completed"] * 3)]
        world.run()

        world.administration.replay(endpoint.id, 2, by=world.principal, actor=OPERATOR)
        world.run()

        assert world.receiver.ids == [*ids, *ids[1:]]
        assert [each.replay for each in world.deliveries(endpoint.id)] == [0, 0, 0, 1, 1]

    @pytest.mark.parametrize("number", [0, -1, 3])
    def test_what_has_not_happened_cannot_be_replayed(self, world, number):
        """That would pass events over."""
        endpoint = world.create().endpoint
        world.publish("payment.completed")
        world.run()

        with pytest.raises(ValidationError) as refused:
            world.administration.replay(endpoint.id, number, by=world.principal, actor=OPERATOR)
        assert refused.value.details["most"] == 2


def test_everything_that_is_done_has_an_action_of_the_log(world):
    """So that the log can be searched for it."""
    endpoint = world.create().endpoint
    world.publish("payment.completed")
    world.run()
    [delivery] = world.deliveries(endpoint.id)
    use, by = world.administration, world.principal
    use.rotate(endpoint.id, by=by, actor=OPERATOR)
    use.redeliver(endpoint.id, delivery.id, by=by, actor=OPERATOR)
    use.replay(endpoint.id, 1, by=by, actor=OPERATOR)
    use.remove(endpoint.id, by=by, actor=OPERATOR)

    done = list(world.actions())

    assert len(done) == 5
    assert set(done) <= set(ACTIONS)
