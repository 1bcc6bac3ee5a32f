"""Webhooks over HTTP: those that users have, and those that providers send."""

import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from attrs import evolve
from standardwebhooks.webhooks import Webhook

from ledgercore.events.received import Provider
from ledgercore.events.standard_webhooks import signed_headers
from ledgercore.identity.audit import AuditFilter
from ledgercore.jobs.ports import JobFilter
from ledgercore.testing.events_outbox import fact
from ledgercore_http import create_app

HOOK = "https://example.com/hook"
REPORTS: dict[str, dict[str, Any]] = {
    "payments": {"payment_id": str(uuid4()), "status": "completed", "amount": "12.50"},
    "banks": {"user_id": str(uuid4()), "bank_id": str(uuid4()), "accounts_synced": 2},
    "fraud": {"payment_id": str(uuid4()), "severity": "high", "risk_score": 87},
}
PATHS = [
    ("payments", "/webhooks/payments"), ("payments", "/webhooks/payments/status"), ("banks", "/webhooks/banks"),
    ("banks", "/webhooks/banks/sync"), ("fraud", "/webhooks/fraud"), ("fraud", "/webhooks/fraud/detection"),
]  # fmt: skip
EVERY_PATH = pytest.mark.parametrize(("provider", "path"), PATHS)


class TestEndpoints:
    def test_webhook_goes_its_way(self, alice):
        """Added, read, changed, rotated, removed; the secret is told when it is new."""
        made = alice.post("/webhook-endpoints", {"url": HOOK, "types": ["payment.completed"]}).json()["data"]
        path = f"/webhook-endpoints/{made['id']}"
        listed = alice.get("/webhook-endpoints").json()["data"]
        changed = alice.patch(path, {"status": "disabled", "types": []}).json()["data"]
        rotated = alice.post(f"{path}/rotate").json()["data"]
        removed = alice.delete(path)

        Webhook(made["secret"])
        assert made["status"] == "active"
        assert listed == [{name: value for name, value in made.items() if name != "secret"}]
        assert (changed["status"], changed["disabled_reason"], changed["types"]) == (
            "disabled",
            "disabled_by_owner",
            [],
        )
        assert rotated["secret"] != made["secret"]
        assert "previous_secret_until" in rotated
        assert removed.status_code == 200
        assert alice.get(path).json()["code"] == "webhook_not_found"

    def test_same_key_makes_one_webhook_and_tells_its_secret_again(self, alice):
        """As the answer was."""
        first, again = (alice.post("/webhook-endpoints", {"url": HOOK}, key="once").json()["data"] for _ in range(2))

        assert first == again
        assert len(alice.get("/webhook-endpoints").json()["data"]) == 1

    @pytest.mark.parametrize(
        "url",
        ["http://example.com/", "https://127.0.0.1/", "https://localhost/", "https://10.0.0.1/", "https://[::1]/",
         "https://169.254.169.254/latest", "https://u:p@example.com/", "https://example.com:22/", "ftp://example.com/",
         "https://2130706433/"],
    )  # fmt: skip
    def test_addresses_inside_are_refused(self, alice, url):
        """When a webhook is added, and when it is changed."""
        made = alice.post("/webhook-endpoints", {"url": HOOK}).json()["data"]

        answers = [
            alice.post("/webhook-endpoints", {"url": url}),
            alice.patch(f"/webhook-endpoints/{made['id']}", {"url": url}),
        ]

        assert [(each.status_code, each.json()["code"]) for each in answers] == [(400, "forbidden_address")] * 2

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({}, "missing_fields"),
            ({"url": 7}, "invalid_argument"),
            ({"url": HOOK, "types": "payment.completed"}, "invalid_argument"),
            ({"url": HOOK, "types": ["nonsense"]}, "invalid_event_type"),
            ({"url": HOOK, "secret": "mine"}, "unknown_fields"),
            ({"url": HOOK, "ledger": "nowhere"}, "ledger_not_found"),
        ],
    )
    def test_what_cannot_be_is_refused(self, alice, body, code):
        """With the reason."""
        assert alice.post("/webhook-endpoints", body).json()["code"] == code

    def test_change_says_what(self, alice):
        """Something, and of what there is."""
        path = f"/webhook-endpoints/{alice.post('/webhook-endpoints', {'url': HOOK}).json()['data']['id']}"

        assert alice.patch(path, {}).json()["code"] == "missing_fields"
        assert alice.patch(path, {"status": "gone"}).json()["code"] == "invalid_argument"

    def test_webhook_of_another_is_not_there(self, alice, bob):
        """Whatever is asked of it, and for a delivery of one's own as well."""
        theirs = f"/webhook-endpoints/{alice.post('/webhook-endpoints', {'url': HOOK}).json()['data']['id']}"

        answers = [
            bob.get(theirs), bob.patch(theirs, {"status": "disabled"}), bob.delete(theirs),
            bob.post(f"{theirs}/rotate"), bob.get(f"{theirs}/deliveries"),
            bob.post(f"{theirs}/replay", {"from_number": 1}), bob.post(f"{theirs}/deliveries/{uuid4()}/redeliver"),
        ]  # fmt: skip

        assert {(each.status_code, each.json()["code"]) for each in answers} == {(404, "webhook_not_found")}
        assert alice.get(theirs).json()["data"]["status"] == "active"

    def test_deliveries_are_listed_and_sent_again(self, service, alice):
        """One of them, or all from a number on."""
        path = f"/webhook-endpoints/{alice.post('/webhook-endpoints', {'url': HOOK}).json()['data']['id']}"
        with service.bank.store.begin() as work:
            work.events.publish_all([fact(owner_id=UUID(alice.user_id))])
        service.bank.relay.relay()

        [delivery] = alice.get(f"{path}/deliveries").json()["data"]
        again = alice.post(f"{path}/deliveries/{delivery['id']}/redeliver")
        replayed = alice.post(f"{path}/replay", {"from_number": 1})
        refused = alice.post(f"{path}/replay", {"from_number": 3})
        service.bank.relay.relay()

        assert (delivery["status"], delivery["event_type"]) == ("pending", "payment.completed")
        assert (again.status_code, again.json()["data"]["id"]) == (202, delivery["id"])
        assert (replayed.status_code, replayed.json()["data"]["after_number"]) == (202, 0)
        assert refused.json()["code"] == "invalid_argument"
        assert len(alice.get(f"{path}/deliveries").json()["data"]) == 2


@pytest.fixture
def send(service, anonymous, clock):
    """Sends a provider's webhook: `send(provider, path, **fields)`."""

    def post(provider, path, *, sign=None, headers=None, **fields):
        document = {"id": "evt-1", "timestamp": clock.now.isoformat(), **REPORTS[provider], **fields}
        body = json.dumps({name: value for name, value in document.items() if value is not None}).encode()
        secret = service.bank.webhook_secrets[Provider(provider)][0] if sign is None else sign
        signature = "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()
        sent = {"content-type": "application/json", "x-webhook-signature": signature, **(headers or {})}
        return anonymous.post(path, content=body, headers={name: value for name, value in sent.items() if value})

    return post


def effects(service) -> tuple[int, int]:
    """How many events there are, and how many jobs."""
    with service.bank.store.begin() as work:
        return work.events.last_number(), len(work.jobs.list_after(JobFilter(), after=None, limit=1_000))


class TestProviders:
    def test_providers_are_listed(self, anonymous):
        """With where each sends its webhooks."""
        told = anonymous.get("/webhooks").json()["data"]

        assert [(each["provider"], each["path"]) for each in told] == [
            ("payments", "/webhooks/payments"), ("banks", "/webhooks/banks"), ("fraud", "/webhooks/fraud"),
        ]  # fmt: skip

    @EVERY_PATH
    def test_webhook_is_taken_once(self, service, send, provider, path):
        """However often it comes, and on whichever of its paths."""
        answers = [send(provider, each) for each in (path, path, f"/webhooks/{provider}")]

        assert [each.status_code for each in answers] == [200] * 3
        assert [each.json()["data"]["duplicate"] for each in answers] == [False, True, True]
        assert effects(service) == (1, 1)

    def test_ten_at_once_have_one_effect(self, service, send):
        """And ten others have ten."""
        with ThreadPoolExecutor(10) as pool:
            same = list(pool.map(lambda _: send("fraud", "/webhooks/fraud"), range(10)))
            others = list(pool.map(lambda number: send("fraud", "/webhooks/fraud", id=f"evt-{number + 2}"), range(10)))

        assert sum(not each.json()["data"]["duplicate"] for each in same) == 1
        assert not any(each.json()["data"]["duplicate"] for each in others)
        assert effects(service) == (11, 11)

    @EVERY_PATH
    def test_unsigned_wrongly_signed_and_old_ones_are_refused_and_audited(self, service, send, clock, provider, path):
        """On every path alike, and without any effect."""
        answers = [
            send(provider, path, headers={"x-webhook-signature": ""}),
            send(provider, path, sign="another secret, as long as the right one"),
            send(provider, path, timestamp=(clock.now - timedelta(minutes=6)).isoformat()),
        ]

        assert {(each.status_code, each.json()["code"]) for each in answers} == {(401, "unauthorized")}
        with service.identity.store.begin() as work:
            noted = work.audit.list_before(AuditFilter(action="authentication_failure"), before=None, limit=9)
        assert len(noted) == 3
        assert effects(service) == (0, 0)

    @EVERY_PATH
    def test_missing_field_is_named(self, service, send, provider, path):
        """Whatever of them it is."""
        for name in REPORTS[provider]:
            answer = send(provider, path, **{name: None})
            assert (answer.status_code, answer.json()["code"]) == (400, "webhook_processing_failed")
            assert answer.json()["details"]["field"] == name
        assert effects(service) == (0, 0)

    def test_webhook_by_standard_webhooks_is_taken(self, service, client_of, clock):
        """Signed with a secret of that scheme."""
        secret = "whsec_" + "QUJD" * 11
        bank = evolve(service.bank, webhook_secrets={Provider.BANKS: [secret]})
        app = create_app(evolve(service, bank=bank))
        client = client_of(app)
        body = json.dumps(REPORTS["banks"]).encode()
        headers = {
            "content-type": "application/json",
            **signed_headers([secret], id="msg_1", sent_at=clock.now, body=body),
        }

        taken = client.post("/webhooks/banks", content=body, headers=headers)
        changed = client.post("/webhooks/banks", content=body + b" ", headers=headers)
        unknown = client.post("/webhooks/fraud", content=body, headers=headers)
        app.drain()

        assert taken.json()["data"] == {"provider": "banks", "webhook_id": "msg_1", "duplicate": False}
        assert (changed.status_code, unknown.status_code) == (401, 401)

    def test_header_that_is_there_twice_is_none(self, anonymous):
        """Nobody chooses between them."""
        headers = [("content-type", "application/json"), ("x-webhook-signature", "a"), ("x-webhook-signature", "b")]

        answer = anonymous.request("POST", "/api/v1/webhooks/fraud", content=b"{}", headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")

    def test_provider_that_there_is_not_is_no_route(self, anonymous):
        """As any path that leads nowhere."""
        assert anonymous.post("/webhooks/weather", {}).status_code == 404
