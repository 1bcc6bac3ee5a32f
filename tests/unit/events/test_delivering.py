"""Sending: signed, once if all goes well, and written down whatever comes of it."""

from datetime import timedelta

import pytest
from attrs import evolve

from ledgercore.errors import ExternalDependencyError, ValidationError
from ledgercore.errors.catalog import FORBIDDEN_ADDRESS, TIMEOUT
from ledgercore.events.deliveries import DeliveryStatus
from ledgercore.events.standard_webhooks import verify
from ledgercore.http_messages import HttpResponse
from ledgercore.identity.audit import OPERATOR
from ledgercore.jobs.running import Outcome


def told(delivery) -> list[tuple[int | None, str | None]]:
    return [(attempt.status_code, attempt.reason) for attempt in delivery.attempts]


class TestDelivering:
    def test_event_is_sent_signed(self, world):
        """By the webhook's secret, under the event's id, byte for byte as it is in the log."""
        new = world.create()
        [id] = world.publish("payment.completed")

        [ran] = world.run()

        [request], [delivery] = world.receiver.requests, world.deliveries(new.endpoint.id)
        sent_at = delivery.attempts[0].at
        verified = verify([new.secret], headers=request.headers, body=request.content, now=sent_at)
        assert ran.outcome is Outcome.SUCCESS
        assert (request.method, request.url, request.safe) == ("POST", new.endpoint.url, False)
        assert request.headers["content-type"] == "application/json"
        assert verified.id == str(id)
        assert request.content == delivery.body.encode()
        assert (delivery.status, told(delivery)) == (DeliveryStatus.DELIVERED, [(204, None)])
        assert delivery.next_attempt_at is None
        assert new.secret not in repr((request, delivery, new, world.endpoint(new.endpoint.id)))

    def test_after_a_rotation_both_secrets_sign_for_a_day(self, world):
        """And then only the new one."""
        old = world.create()
        new = world.administration.rotate(old.endpoint.id, by=world.principal, actor=OPERATOR)
        world.publish("payment.completed")
        world.run()
        world.clock.forward(days=1)
        world.publish("payment.completed")
        world.run()

        counts = [len(request.headers["webhook-signature"].split()) for request in world.receiver.requests]
        assert counts == [2, 1]
        for request, secrets in zip(world.receiver.requests, [(old.secret, new.secret), (new.secret,)], strict=True):
            for secret in secrets:
                at = world.clock.now.fromtimestamp(int(request.headers["webhook-timestamp"]), world.clock.now.tzinfo)
                verify([secret], headers=request.headers, body=request.content, now=at)

    @pytest.mark.parametrize("status", [301, 302, 400, 404, 429, 500, 503])
    def test_everything_but_2xx_is_a_failure_that_is_tried_again(self, world, status):
        """As often as the catalog says; then the delivery and its job are dead."""
        new = world.create()
        world.receiver.answers = [HttpResponse(status=status)] * 9
        world.publish("payment.completed")

        ran = world.run(rounds=6)

        [delivery] = world.deliveries(new.endpoint.id)
        assert [each.outcome for each in ran] == [Outcome.FAILURE] * 3 + [Outcome.DEAD_LETTER]
        assert {each.error.code for each in ran} == {"webhook_refused"}
        assert delivery.status is DeliveryStatus.DEAD
        assert told(delivery) == [(status, "webhook_refused")] * 4
        assert delivery.next_attempt_at is None
        assert len({request.headers["webhook-id"] for request in world.receiver.requests}) == 1

    def test_time_of_the_next_attempt_is_told(self, world):
        """With the first wait of the catalog, a second, and then a longer one."""
        new = world.create()
        world.receiver.answers = [HttpResponse(status=500)] * 2
        world.publish("payment.completed")

        waits = []
        for _ in range(2):
            world.relay.relay()
            world.runner.drain()
            [delivery] = world.deliveries(new.endpoint.id)
            waits.append(delivery.next_attempt_at - delivery.attempts[-1].at)
            world.clock.forward(minutes=1)

        assert [wait // timedelta(seconds=1) for wait in waits] == [1, 2]
        assert delivery.status is DeliveryStatus.PENDING

    def test_receiver_may_ask_for_a_pause(self, world):
        """By Retry-After."""
        new = world.create()
        world.receiver.answers = [HttpResponse(status=429, headers={"retry-after": "90"})]
        world.publish("payment.completed")
        world.relay.relay()

        [failed] = world.runner.drain()
        world.clock.forward(seconds=89)
        early = world.runner.drain()
        world.clock.forward(seconds=2)
        [late] = world.runner.drain()

        [delivery] = world.deliveries(new.endpoint.id)
        assert (failed.error.details["retry_after_ms"], list(early)) == (90_000, [])
        assert late.outcome is Outcome.SUCCESS
        assert told(delivery) == [(429, "webhook_refused"), (204, None)]

    def test_silence_is_a_failure_too(self, world):
        """With how long it took."""
        new = world.create()
        world.receiver.answers = [ExternalDependencyError(TIMEOUT)]
        world.receiver.while_sending = lambda: world.clock.forward(seconds=15)
        world.publish("payment.completed")

        [first, second] = world.run(rounds=2)

        [delivery] = world.deliveries(new.endpoint.id)
        assert (first.outcome, second.outcome) == (Outcome.FAILURE, Outcome.SUCCESS)
        assert told(delivery) == [(None, "timeout"), (204, None)]
        assert delivery.attempts[0].duration_ms == 15_000

    def test_forbidden_address_is_never_tried_again(self, world):
        """A name may lead elsewhere than it did when it was entered."""
        new = world.create()
        world.receiver.answers = [ValidationError(FORBIDDEN_ADDRESS)]
        world.publish("payment.completed")

        [ran] = world.run(rounds=3)

        assert ran.outcome is Outcome.DEAD_LETTER
        assert world.deliveries(new.endpoint.id)[0].status is DeliveryStatus.DEAD

    def test_whoever_is_gone_is_told_no_more(self, world):
        """410 disables the endpoint; what was on its way is given up, and what comes waits."""
        new = world.create()
        world.receiver.answers = [HttpResponse(status=410)]
        world.publish("payment.created", "payment.completed")

        first, second = world.run(rounds=1)
        world.publish("payment.failed")
        later = world.run(rounds=2)

        endpoint = world.endpoint(new.endpoint.id)
        assert (endpoint.is_active, endpoint.disabled_reason, endpoint.after_number) == (False, "webhook_gone", 2)
        assert (first.outcome, second.outcome, later) == (Outcome.DEAD_LETTER, Outcome.SUCCESS, [])
        assert [told(delivery) for delivery in world.deliveries(endpoint.id)] == [
            [(410, "webhook_gone")], [(None, "webhook_gone")],
        ]  # fmt: skip
        assert len(world.receiver.requests) == 1
        assert "webhook_disabled" in world.actions()

    def test_endpoint_is_failing_until_a_delivery_succeeds(self, world):
        """As its owner sees it."""
        new = world.create()
        world.receiver.answers = [HttpResponse(status=500)]
        world.publish("payment.completed")

        world.run()
        failing = world.endpoint(new.endpoint.id).failing
        world.run()

        assert (failing, world.endpoint(new.endpoint.id).failing) == (True, False)

    def test_what_was_removed_meanwhile_is_let_go(self, world):
        """Before sending and while it is sent; the job is done."""
        new, other = world.create(), world.create()
        world.publish("payment.completed")
        world.relay.relay()
        world.administration.remove(new.endpoint.id, by=world.principal, actor=OPERATOR)
        world.receiver.while_sending = lambda: world.administration.remove(
            other.endpoint.id, by=world.principal, actor=OPERATOR
        )

        ran = world.runner.drain()

        assert [each.outcome for each in ran] == [Outcome.SUCCESS] * 2
        assert len(world.receiver.requests) == 1

    def test_job_of_a_delivered_one_sends_nothing(self, world):
        """Where two jobs have one delivery."""
        new = world.create()
        world.publish("payment.completed")
        world.run()
        [delivery] = world.deliveries(new.endpoint.id)
        world.administration.redeliver(new.endpoint.id, delivery.id, by=world.principal, actor=OPERATOR)
        with world.store.begin() as work:
            work.webhooks.save_delivery(evolve(delivery, status=DeliveryStatus.DELIVERED, next_attempt_at=None))

        [ran] = world.run()

        assert ran.outcome is Outcome.SUCCESS
        assert len(world.receiver.requests) == 1

    def test_worker_that_lost_its_lease_notes_nothing(self, world):
        """Another one has the delivery by now."""
        new = world.create()
        world.publish("payment.completed")
        world.relay.relay()

        def take_over() -> None:
            world.clock.forward(hours=1)
            world.runner.queue.claim("notifications", kinds=["deliver_webhook"], limit=1, lease=timedelta(hours=1))

        world.receiver.while_sending = take_over
        [ran] = world.runner.run_once("notifications")

        [delivery] = world.deliveries(new.endpoint.id)
        assert ran.outcome is Outcome.LOST
        assert (delivery.status, delivery.attempts) == (DeliveryStatus.PENDING, ())
