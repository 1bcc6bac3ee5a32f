"""What providers send: verified on its bytes, read, and taken once."""

import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from attrs import frozen

from ledgercore.errors import AuthenticationError, ValidationError
from ledgercore.events.incoming import JOB_KINDS, IncomingWebhooks
from ledgercore.events.received import FIELDS, Provider, provider_of, read_webhook
from ledgercore.events.standard_webhooks import new_secret, signed_headers
from ledgercore.identity.audit import ACTIONS, AuditFilter
from ledgercore.jobs.ports import JobFilter
from ledgercore.jobs.running import Outcome

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PLAIN = "a secret that we share with them"
STANDARD = new_secret(lambda count: b"s" * count)
REPORTS: dict[Provider, dict[str, Any]] = {
    Provider.PAYMENTS: {"payment_id": str(uuid4()), "status": "completed", "amount": "12.50"},
    Provider.BANKS: {"user_id": str(uuid4()), "bank_id": str(uuid4()), "accounts_synced": 2},
    Provider.FRAUD: {"payment_id": str(uuid4()), "severity": "high", "risk_score": 0.9},
}
EVERY_PROVIDER = pytest.mark.parametrize("provider", Provider)


@frozen
class Sent:
    """A webhook on its way."""

    headers: dict[str, str]
    body: bytes


def by_body(document: Any, secret: str = PLAIN) -> Sent:
    """Signed over the body alone; bytes are sent as they are."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Sent({"x-webhook-signature": "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()}, body)


def by_headers(document: Any, id: str = "evt-1") -> Sent:
    """Signed by Standard Webhooks."""
    body = json.dumps(document).encode()
    return Sent(dict(signed_headers([STANDARD], id=id, sent_at=NOW, body=body)), body)


def told(provider: Provider, **fields: Any) -> dict[str, Any]:
    return {"id": "evt-1", "timestamp": NOW.isoformat(), **REPORTS[provider], **fields}


def read(provider: Provider, sent: Sent, *secrets: str, now: datetime = NOW) -> Any:
    return read_webhook(provider, secrets=secrets or (PLAIN, STANDARD), headers=sent.headers, body=sent.body, now=now)


class TestReading:
    @EVERY_PROVIDER
    def test_either_signature_is_believed(self, provider):
        """With the id and the time that it covers."""
        plain, standard = read(provider, by_body(told(provider))), read(provider, by_headers(REPORTS[provider]))

        assert (plain.id, plain.sent_at, plain.received_at) == ("evt-1", NOW, NOW)
        assert (standard.id, standard.sent_at, standard.document) == ("evt-1", NOW, REPORTS[provider])

    @pytest.mark.parametrize("timestamp", [int(NOW.timestamp()), str(int(NOW.timestamp())), NOW.isoformat()])
    def test_times_are_seconds_or_iso_8601(self, timestamp):
        """Whole seconds, as number or text."""
        assert read(Provider.FRAUD, by_body(told(Provider.FRAUD, timestamp=timestamp))).sent_at == NOW

    def test_any_of_the_secrets_counts(self):
        """While one is being changed."""
        sent = by_body(told(Provider.BANKS), secret="another secret, as long as that")

        assert read(Provider.BANKS, sent, PLAIN, "another secret, as long as that").id == "evt-1"

    def test_a_changed_byte_is_noticed_before_anything_is_read(self):
        """Wherever it is; no reader of JSON sees it."""
        sent = by_body(told(Provider.PAYMENTS))
        for place in range(len(sent.body)):
            changed = bytearray(sent.body)
            changed[place] ^= 1
            with pytest.raises(AuthenticationError):
                read(Provider.PAYMENTS, Sent(sent.headers, bytes(changed)))

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"x-webhook-signature": ""},
            {"x-webhook-signature": "sha256=" + "0" * 64},
            {"x-webhook-signature": "sha256=ü\udcff"},
            {"webhook-signature": "v1,AAAA"},
        ],
    )
    def test_unsigned_and_wrongly_signed_are_refused(self, headers):
        """All alike."""
        with pytest.raises(AuthenticationError) as refused:
            read(Provider.PAYMENTS, Sent(headers, b"{}"))

        assert refused.value.code == "unauthorized"

    def test_signature_without_its_prefix_is_refused(self):
        """The digits alone are none."""
        sent = by_body(told(Provider.FRAUD))
        digits = sent.headers["x-webhook-signature"].removeprefix("sha256=")

        with pytest.raises(AuthenticationError):
            read(Provider.FRAUD, Sent({"x-webhook-signature": digits}, sent.body))

    def test_provider_without_secrets_has_no_say(self):
        """Nor has one that nobody knows."""
        sent = by_body(told(Provider.FRAUD), secret="")

        with pytest.raises(AuthenticationError):
            read_webhook(Provider.FRAUD, secrets=(), headers=sent.headers, body=sent.body, now=NOW)
        with pytest.raises(AuthenticationError) as refused:
            provider_of("weather")
        assert refused.value.code == "unauthorized"
        assert provider_of("fraud") is Provider.FRAUD

    @pytest.mark.parametrize("minutes", [-6, 6])
    @pytest.mark.parametrize("sign", [by_body, by_headers])
    def test_replay_of_an_old_webhook_is_refused(self, sign, minutes):
        """By either signature."""
        with pytest.raises(AuthenticationError):
            read(Provider.FRAUD, sign(told(Provider.FRAUD)), now=NOW + timedelta(minutes=minutes))

    @EVERY_PROVIDER
    def test_missing_field_is_named(self, provider):
        """Each that the provider has to send."""
        for name, _, _ in FIELDS[provider]:
            document = {key: value for key, value in told(provider).items() if key != name}

            with pytest.raises(ValidationError) as refused:
                read(provider, by_body(document))

            assert (refused.value.code, refused.value.details["field"]) == ("webhook_processing_failed", name)

    @pytest.mark.parametrize(
        ("provider", "field", "value"),
        [
            (Provider.PAYMENTS, "payment_id", "1"),
            (Provider.PAYMENTS, "payment_id", 7),
            (Provider.PAYMENTS, "payment_id", None),
            (Provider.PAYMENTS, "status", "COMPLETED"),
            (Provider.PAYMENTS, "amount", 12.5),
            (Provider.PAYMENTS, "amount", True),
            (Provider.PAYMENTS, "amount", "1e9"),
            (Provider.PAYMENTS, "amount", "1.2.3"),
            (Provider.BANKS, "accounts_synced", -1),
            (Provider.BANKS, "accounts_synced", "2"),
            (Provider.FRAUD, "severity", " "),
            (Provider.FRAUD, "risk_score", "high"),
            (Provider.FRAUD, "id", ""),
            (Provider.FRAUD, "id", 7),
            (Provider.FRAUD, "id", "a\nb"),
            (Provider.FRAUD, "id", "x" * 256),
            (Provider.FRAUD, "timestamp", None),
            (Provider.FRAUD, "timestamp", "2026-03-02T09:00:00"),
            (Provider.FRAUD, "timestamp", "soon"),
            (Provider.FRAUD, "timestamp", 1.5),
            (Provider.FRAUD, "timestamp", 10**30),
        ],
    )
    def test_wrong_field_is_named(self, provider, field, value):
        """With what would be right."""
        with pytest.raises(ValidationError) as refused:
            read(provider, by_body(told(provider, **{field: value})))

        assert (refused.value.code, refused.value.details["field"]) == ("webhook_processing_failed", field)

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b'"text"', b"\xff", b'{"a":NaN}', b'{"a":-1e400}', b'{"a":"\\ud800"}']
    )
    def test_what_is_no_object_is_refused(self, body):
        """Though it was signed."""
        with pytest.raises(ValidationError) as refused:
            read(Provider.FRAUD, by_body(body))

        assert (refused.value.code, refused.value.details["field"]) == ("webhook_processing_failed", "body")


class TestTaking:
    @EVERY_PROVIDER
    def test_webhook_becomes_an_event_and_a_job_once(self, world, clock, provider):
        """However often it comes."""
        clock.now = NOW
        incoming = IncomingWebhooks(store=world.store, clock=clock, secrets={provider: [PLAIN]})
        sent = by_body(told(provider, more="than needed"))

        taken = [
            incoming.take(provider, headers=sent.headers, body=sent.body, correlation_id="c-1").is_new for _ in range(3)
        ]

        assert taken == [True, False, False]
        with world.store.begin() as work:
            [job] = work.jobs.list_after(JobFilter(), after=None, limit=9)
            [stored] = work.events.list_after(0, limit=9)
        assert (job.kind, job.correlation_id) == (JOB_KINDS[provider], "c-1")
        assert job.arguments == {"webhook_id": "evt-1", "reported_at": NOW.isoformat(), **REPORTS[provider]}
        assert (stored.event.type, stored.event.owner_id) == (f"webhook.{provider}.received", None)
        assert stored.event.data == told(provider, more="than needed")

    def test_refused_webhook_does_nothing(self, world, clock):
        """Another provider's secret is nobody's."""
        clock.now = NOW
        incoming = IncomingWebhooks(store=world.store, clock=clock, secrets={Provider.FRAUD: [PLAIN]})
        sent = by_body(told(Provider.BANKS))

        with pytest.raises(AuthenticationError):
            incoming.take(Provider.BANKS, headers=sent.headers, body=sent.body)

        with world.store.begin() as work:
            assert work.events.last_number() == 0
        assert PLAIN not in repr(incoming)

    def test_report_of_fraud_is_in_the_audit_log(self, world, clock):
        """Under the payment; nothing else becomes of it by itself."""
        clock.now = NOW
        incoming = IncomingWebhooks(store=world.store, clock=clock, secrets={Provider.FRAUD: [PLAIN]})
        sent = by_body(told(Provider.FRAUD))
        incoming.take(Provider.FRAUD, headers=sent.headers, body=sent.body, correlation_id="c-1")

        [ran] = world.runner.drain()

        with world.store.begin() as work:
            [entry] = work.audit.list_before(AuditFilter(action="fraud_reported"), before=None, limit=9)
        noted = json.loads(entry.body)
        assert ran.outcome is Outcome.SUCCESS
        assert (noted["target"], noted["correlation_id"]) == (f"payment:{REPORTS[Provider.FRAUD]['payment_id']}", "c-1")
        assert noted["details"] == {"webhook_id": "evt-1", "severity": "high", "risk_score": 0.9}
        assert "fraud_reported" in ACTIONS
