"""Webhooks from the command line."""

import pytest
from attrs import evolve

from ledgercore.events.deliveries import Attempt, DeliveryStatus
from ledgercore.testing.events_webhooks import delivery_to, endpoint_of
from ledgercore.testing.identity_people import someone
from ledgercore.testing.ledgers import MONDAY


@pytest.fixture
def endpoints(console):
    """Two webhooks of one user; to the first there are two deliveries."""
    owner = someone()
    first, second = endpoint_of(owner, after_number=2), endpoint_of(owner, ledger="books", failing=True)
    taken = Attempt(at=MONDAY, duration_ms=7, status_code=204)
    late = Attempt(at=MONDAY, duration_ms=15_000, reason="timeout")
    with console.application.bank.store.begin() as work:
        work.users.add(owner)
        work.webhooks.add(first)
        work.webhooks.add(second)
        work.webhooks.add_deliveries(
            [
                delivery_to(first, 1).attempted(taken, DeliveryStatus.DELIVERED),
                evolve(delivery_to(first, 2), attempts=(taken, late)),
                delivery_to(second, 3),
            ]
        )
    return [str(endpoint.id) for endpoint in (first, second)]


def test_webhooks_are_listed(console, endpoints):
    """Those of everybody, in pages."""
    listed = console("webhook", "list").out.splitlines()
    page = console.json("webhook", "list", "--limit", "1")
    rest = console.json("webhook", "list", "--cursor", page["next_cursor"])

    assert [line.split()[0] for line in listed[2:]] == endpoints
    assert [line.split()[-1] for line in listed[2:]] == ["active", "failing"]
    assert [each["id"] for each in (*page["items"], *rest["items"])] == endpoints
    assert "secret" not in page["items"][0]


def test_deliveries_are_listed(console, endpoints):
    """Newest first, with the last answer."""
    listed = console("webhook", "deliveries", endpoints[0]).out.splitlines()[2:]
    found = console.json("webhook", "deliveries", endpoints[0], "--limit", "1")

    assert [line.split()[1:6] for line in listed] == [
        ["2", "payment.completed", "pending", "2", "timeout"],
        ["1", "payment.completed", "delivered", "1", "204"],
    ]
    assert found["items"][0]["attempts"][1]["reason"] == "timeout"
    assert found["next_cursor"] is not None
    assert console("webhook", "deliveries", endpoints[1]).out.splitlines()[2].split()[4] == "0"


def test_webhook_is_replayed(console, endpoints):
    """From a number on."""
    assert "told up to  0" in console("webhook", "replay", endpoints[0], "--from", "1").out
    assert console.json("webhook", "replay", endpoints[0], "--from", "1")["after_number"] == 0
    assert console("webhook", "replay", endpoints[0], "--from", "9").status != 0


def test_nothing_is_told_of_what_is_not_there(console):
    """No webhooks; one that is not there."""
    assert console("webhook", "list").out == "no webhooks\n"
    assert console("webhook", "deliveries", "01900000-0000-7000-8000-000000000000").status != 0
