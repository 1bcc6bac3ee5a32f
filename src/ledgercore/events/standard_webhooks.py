"""Signing and verifying webhooks by the Standard Webhooks scheme: HMAC-SHA256 over id, time and the body's bytes."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import frozen

from ledgercore.errors import AuthenticationError, ValidationError
from ledgercore.errors.catalog import INVALID_ARGUMENT, UNAUTHORIZED

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
SECRET_BYTES_MIN: Final = 24
TOLERANCE: Final = timedelta(minutes=5)
"""How far a webhook's time may be from ours, in either direction."""
ID_HEADER: Final = "webhook-id"
TIME_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"
_VERSION: Final = "v1"
_DIGITS_MAX: Final = 12


@frozen(kw_only=True)
class Verified:
    """What the signature of a webhook proves: its id, and when it was sent."""

    id: str
    sent_at: datetime


def new_secret(random_bytes: Callable[[int], bytes]) -> str:
    """A secret that was never used before, as both sides write it."""
    return PREFIX + base64.b64encode(random_bytes(SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The key that a secret spells; raises `invalid_argument` for any other text, and for fewer than 24 bytes."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or len(key) < SECRET_BYTES_MIN:
        # The secret itself is told to nobody.
        raise ValidationError(
            INVALID_ARGUMENT, field="secret", why=f"{PREFIX} and base64 of at least {SECRET_BYTES_MIN} bytes"
        )
    return key


def is_secret(text: str) -> bool:
    """Whether a text spells a secret."""
    try:
        return bool(key_of(text))
    except ValidationError:
        return False


def signed_headers(secrets: Sequence[str], *, id: str, sent_at: datetime, body: bytes) -> Mapping[str, str]:
    """The headers of a webhook, signed with each secret: during a rotation receivers may know either."""
    seconds = str(int(sent_at.timestamp()))
    signatures = (f"{_VERSION},{_signature(key_of(secret), id, seconds, body)}" for secret in secrets)
    return {ID_HEADER: id, TIME_HEADER: seconds, SIGNATURE_HEADER: " ".join(signatures)}


def verify(secrets: Sequence[str], *, headers: Mapping[str, str], body: bytes, now: datetime) -> Verified:
    """Check a webhook on the bytes that came, before anything reads them; header names are in lower case.

    Raises `unauthorized` for a missing header, a time more than five minutes away, and a signature by none of the
    secrets. It takes the same time whichever part of a signature is wrong.
    """
    id, seconds = headers.get(ID_HEADER, ""), headers.get(TIME_HEADER, "")
    sent_at = moment_of(seconds)
    if not id or sent_at is None:
        raise AuthenticationError(UNAUTHORIZED, why="webhook-id and webhook-timestamp, in seconds, are expected")
    check_recent(sent_at, now)
    given = [part.partition(",") for part in headers.get(SIGNATURE_HEADER, "").split()]
    signatures = [signature.encode() for version, _, signature in given if version == _VERSION]
    expected = [_signature(key_of(secret), id, seconds, body).encode() for secret in secrets]
    if not any(hmac.compare_digest(ours, theirs) for ours in expected for theirs in signatures):
        raise AuthenticationError(UNAUTHORIZED, why="no signature is by a secret that is known here")
    return Verified(id=id, sent_at=sent_at)


def moment_of(seconds: str) -> datetime | None:
    """The moment that a text of whole Unix seconds names; `None` for any other text."""
    if not (seconds.isascii() and seconds.isdecimal() and len(seconds) <= _DIGITS_MAX):
        return None
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError):
        return None


def check_recent(sent_at: datetime, now: datetime) -> None:
    """Refuse what may be a replay of an old webhook; raises `unauthorized`."""
    if abs(now - sent_at) > TOLERANCE:
        raise AuthenticationError(UNAUTHORIZED, why="the webhook's time is more than five minutes from ours")


def _signature(key: bytes, id: str, seconds: str, body: bytes) -> str:
    content = b".".join((id.encode("utf-8", "surrogateescape"), seconds.encode(), body))
    return base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
