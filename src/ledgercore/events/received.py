"""Webhooks of providers that came in: who sent them, and what they must say."""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from attrs import field, frozen

from ledgercore.errors import AuthenticationError, LedgercoreError, ValidationError, shortened
from ledgercore.errors.catalog import UNAUTHORIZED, WEBHOOK_PROCESSING_FAILED
from ledgercore.events.standard_webhooks import (
    PREFIX,
    SIGNATURE_HEADER,
    Verified,
    check_recent,
    moment_of,
    verify,
)
from ledgercore.ledger.documents import id_from, parse_json
from ledgercore.ledger.texts import encode_json

HEX_SIGNATURE_HEADER: Final = "x-webhook-signature"
HEX_SIGNATURE_PREFIX: Final = "sha256="
ID_LENGTH_MAX: Final = 255


class Provider(StrEnum):
    """Who may send us webhooks."""

    PAYMENTS = "payments"
    BANKS = "banks"
    FRAUD = "fraud"


@frozen(kw_only=True)
class ReceivedWebhook:
    """A webhook that was verified and read; `document` is what it said."""

    provider: Provider
    id: str
    sent_at: datetime
    received_at: datetime
    document: Mapping[str, Any] = field(factory=dict)


def provider_of(name: str) -> Provider:
    """The provider of a name; raises `unauthorized` for any other, as if its signature were wrong."""
    try:
        return Provider(name)
    except ValueError as error:
        raise AuthenticationError(UNAUTHORIZED, why="no such provider") from error


def read_webhook(
    provider: Provider, *, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime
) -> ReceivedWebhook:
    """Verify a webhook on its bytes, and only then read it; header names are in lower case.

    Signed are either id and time in headers, by Standard Webhooks, or the body alone in `x-webhook-signature`: then
    the body holds `id` and `timestamp` itself. Raises `unauthorized`, also for a provider without secrets and for a
    time more than five minutes away, and `webhook_processing_failed` naming the field that is missing or wrong.
    """
    if SIGNATURE_HEADER in headers:
        standard = [secret for secret in secrets if secret.startswith(PREFIX)]
        verified = verify(standard, headers=headers, body=body, now=now)
        document = _object(body)
    else:
        _check_hex_signature(secrets, headers.get(HEX_SIGNATURE_HEADER, ""), body)
        document = _object(body)
        verified = _told(document)
        check_recent(verified.sent_at, now)
    if not verified.id.isprintable() or len(verified.id) > ID_LENGTH_MAX:
        raise _refused("id", f"at most {ID_LENGTH_MAX} printable characters")
    for name, is_right, wanted in FIELDS[provider]:
        if name not in document:
            raise _refused(name, "it is missing")
        if not is_right(document[name]):
            raise _refused(name, wanted, document[name])
    return ReceivedWebhook(
        provider=provider, id=verified.id, sent_at=verified.sent_at, received_at=now, document=document
    )


def _check_hex_signature(secrets: Sequence[str], given: str, body: bytes) -> None:
    expected = [HEX_SIGNATURE_PREFIX + hmac.digest(secret.encode(), body, hashlib.sha256).hex() for secret in secrets]
    theirs = given.encode("utf-8", "surrogateescape")
    if not any(hmac.compare_digest(ours.encode(), theirs) for ours in expected):
        raise AuthenticationError(UNAUTHORIZED, why="no signature is by a secret that is known here")


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        document = parse_json(body)
    except LedgercoreError as error:
        raise _refused("body", "no JSON can be read") from error
    if not isinstance(document, dict):
        raise _refused("body", "a JSON object is expected")
    try:
        encode_json(document)
    except UnicodeEncodeError as error:
        raise _refused("body", "half of a surrogate pair cannot be stored") from error
    return document


def _told(document: Mapping[str, Any]) -> Verified:
    """The id and the time that a body tells of itself."""
    id, timestamp = document.get("id"), document.get("timestamp")
    if not isinstance(id, str) or not id:
        raise _refused("id", "a text is expected, since the signature is over the body alone", id)
    sent_at = _moment(timestamp)
    if sent_at is None:
        raise _refused("timestamp", "Unix seconds or an ISO 8601 time with its UTC offset are expected", timestamp)
    return Verified(id=id, sent_at=sent_at)


def _moment(value: object) -> datetime | None:
    if type(value) is int:
        return moment_of(str(value))
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return moment_of(value)
    return found if found.tzinfo is not None else None


def _refused(name: str, why: str, value: object = None) -> ValidationError:
    return ValidationError(WEBHOOK_PROCESSING_FAILED, field=name, why=why, value=shortened(value))


def _is_id(value: object) -> bool:
    try:
        return id_from(value) is not None
    except LedgercoreError:
        return False


def _is_status(value: object) -> bool:
    return value in ("pending", "completed", "failed", "cancelled")


def _is_amount(value: object) -> bool:
    """An amount as providers write it: an exact text, or a whole number."""
    text = value if isinstance(value, str) else ""
    digits = text.removeprefix("-").replace(".", "", 1)
    return type(value) is int or (digits.isascii() and digits.isdecimal() and len(text) <= 40)


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_score(value: object) -> bool:
    return type(value) in (int, float)


_ID: Final = "a UUID is expected"
FIELDS: Final[Mapping[Provider, Sequence[tuple[str, Callable[[object], bool], str]]]] = {
    Provider.PAYMENTS: (
        ("payment_id", _is_id, _ID),
        ("status", _is_status, "pending, completed, failed or cancelled is expected"),
        ("amount", _is_amount, "a decimal text or a whole number is expected"),
    ),
    Provider.BANKS: (
        ("user_id", _is_id, _ID),
        ("bank_id", _is_id, _ID),
        ("accounts_synced", _is_count, "a whole number from 0 is expected"),
    ),
    Provider.FRAUD: (
        ("payment_id", _is_id, _ID),
        ("severity", _is_text, "a text is expected"),
        ("risk_score", _is_score, "a number is expected"),
    ),
}
"""The fields that a webhook must have, beside whatever else it says."""
