"""Signatures by the Standard Webhooks scheme, judged by an implementation that is not ours."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from ledgercore.errors import AuthenticationError, ValidationError
from ledgercore.events.standard_webhooks import is_secret, key_of, moment_of, new_secret, signed_headers, verify

SECRET = new_secret(os.urandom)
OTHER = new_secret(os.urandom)
BODY = '{"type":"payment.completed","data":{"name":"Zoë 😀"}}'.encode()


def now() -> datetime:
    """The other implementation looks at the real clock."""
    return datetime.now(UTC)


def signed(*secrets: str, id: str = "evt-1", body: bytes = BODY) -> dict[str, str]:
    return dict(signed_headers(secrets or (SECRET,), id=id, sent_at=now(), body=body))


class TestSigning:
    @given(st.dictionaries(st.text(), st.text() | st.integers()), st.uuids())
    def test_others_believe_our_signatures(self, data, id):
        """Whatever is sent."""
        body = json.dumps(data).encode()

        assert Webhook(SECRET).verify(body, signed(id=str(id), body=body)) == data

    def test_during_a_rotation_either_secret_is_believed(self):
        """Whoever has changed already, and whoever has not."""
        headers = signed(SECRET, OTHER)

        for secret in (SECRET, OTHER):
            Webhook(secret).verify(BODY, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(new_secret(os.urandom)).verify(BODY, headers)

    def test_others_notice_a_changed_byte(self):
        """Wherever it is."""
        headers = signed()

        for place in range(0, len(BODY), 7):
            changed = bytearray(BODY)
            changed[place] ^= 1
            with pytest.raises((WebhookVerificationError, UnicodeDecodeError)):
                Webhook(SECRET).verify(bytes(changed), headers)


class TestVerifying:
    def test_we_believe_the_signatures_of_others(self):
        """With the id and the time that they sign."""
        sent_at = now().replace(microsecond=0)
        signature = Webhook(SECRET).sign("msg_1", sent_at, BODY.decode())
        headers = {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(int(sent_at.timestamp())),
            "webhook-signature": f"v1a,xyz {signature} v1,",
        }

        verified = verify([OTHER, SECRET], headers=headers, body=BODY, now=now())

        assert (verified.id, verified.sent_at) == ("msg_1", sent_at)

    def test_every_changed_byte_is_noticed(self):
        """Of the body, and of every header."""
        headers = signed()
        for place in range(len(BODY)):
            changed = bytearray(BODY)
            changed[place] ^= 1
            with pytest.raises(AuthenticationError):
                verify([SECRET], headers=headers, body=bytes(changed), now=now())
        for name, value in headers.items():
            for place in range(len(value)):
                other = "0" if value[place] != "0" else "1"
                with pytest.raises(AuthenticationError):
                    verify(
                        [SECRET], headers={**headers, name: value[:place] + other + value[place + 1 :]}, body=BODY,
                        now=now(),
                    )  # fmt: skip

    @pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
    def test_every_header_is_needed(self, missing):
        """None is guessed."""
        headers = {name: value for name, value in signed().items() if name != missing}

        with pytest.raises(AuthenticationError) as refused:
            verify([SECRET], headers=headers, body=BODY, now=now())

        assert refused.value.code == "unauthorized"

    def test_the_same_json_spelled_differently_is_refused(self):
        """What is signed are bytes."""
        with pytest.raises(AuthenticationError):
            verify([SECRET], headers=signed(), body=json.dumps(json.loads(BODY)).encode(), now=now())

    @pytest.mark.parametrize(("seconds", "accepted"), [(-301, False), (-299, True), (299, True), (301, False)])
    def test_time_may_be_five_minutes_from_ours(self, seconds, accepted):
        """In either direction."""
        sent_at = datetime(2026, 3, 2, 9, tzinfo=UTC)
        headers = signed_headers([SECRET], id="evt-1", sent_at=sent_at, body=BODY)
        at = sent_at - timedelta(seconds=seconds)

        if accepted:
            assert verify([SECRET], headers=headers, body=BODY, now=at).sent_at == sent_at
        else:
            with pytest.raises(AuthenticationError):
                verify([SECRET], headers=headers, body=BODY, now=at)

    def test_without_secrets_nothing_is_believed(self):
        """A provider that was not set up has no say."""
        with pytest.raises(AuthenticationError):
            verify([], headers=signed(), body=BODY, now=now())


class TestSecrets:
    def test_new_ones_are_known_as_secrets(self):
        """32 bytes, in the spelling of the scheme."""
        assert is_secret(SECRET)
        assert len(key_of(SECRET)) == 32
        assert SECRET != OTHER

    @pytest.mark.parametrize(
        "text",
        ["", "whsec_", "whsec_" + base64.b64encode(b"x" * 23).decode(), "whsec_ü", "whsec_****" * 10,
         base64.b64encode(b"x" * 32).decode()],
    )  # fmt: skip
    def test_other_texts_are_refused_without_being_repeated(self, text):
        """Too short, not base64, or without the prefix."""
        with pytest.raises(ValidationError) as refused:
            key_of(text)

        assert not is_secret(text)
        assert set(refused.value.details) == {"field", "why"}

    @pytest.mark.parametrize("text", ["", "-1", "1.5", "\u0661\u0662", "9" * 13, "999999999999", "now"])
    def test_times_are_plain_seconds(self, text):
        """Whatever is no moment is `None`."""
        assert moment_of(text) is None
