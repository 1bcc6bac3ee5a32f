"""JSON Web Tokens (RFC 7519) for sessions, signed with HMAC or with Ed25519 or P-256 keys."""

import base64
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from attrs import frozen
from jwt import get_algorithm_by_name
from jwt.algorithms import Algorithm

from ledgercore.clock import EPOCH
from ledgercore.errors import AuthenticationError, InternalError
from ledgercore.errors.catalog import (
    CONFIGURATION_ERROR,
    INVALID_AUDIENCE,
    INVALID_ISSUER,
    INVALID_TOKEN,
    INVALID_TOKEN_TYPE,
    MISSING_REQUIRED_CLAIMS,
    TOKEN_EXPIRED,
    TOKEN_NOT_YET_VALID,
)
from ledgercore.identity.secrets import Claims, TokenType
from ledgercore_crypto.configuration import check_key_ids, refused
from ledgercore_crypto.keys import TokenKey

TOKEN_LENGTH_MAX: Final = 4_096
LEEWAY_SECONDS_MAX: Final = 60
REQUIRED_CLAIMS: Final = ("sub", "exp", "iat", "nbf", "iss", "aud", "jti", "type", "sid")
_SECOND: Final = timedelta(seconds=1)
# How far the clocks of two processes that share a database may differ.
_ISSUED_AHEAD_MAX: Final = timedelta(seconds=60)
Value = TypeVar("Value")


@frozen
class _Verifier:
    """An algorithm with its key made ready: making it ready costs more than a signature."""

    algorithm: Algorithm
    key: Any

    def verifies(self, signed: str, signature: str) -> bool:
        raw = _decoded(signature)
        # Another spelling of the same bytes would be another token that says the same.
        return _encoded(raw) == signature and self.algorithm.verify(signed.encode(), self.key, raw)


class JwtSigner:
    """Signs with the first key and verifies with all: put a new key in front to rotate, drop one to end its tokens.

    A token is accepted only under the very header that we write for its key, byte for byte. What a header
    could ask for, another algorithm or a key from elsewhere, is therefore never even looked at.

    `leeway_seconds` is how far clocks may differ when a token begins and ends. Raises `configuration_error`
    when there is no key, ids repeat, the first key cannot sign, or the leeway is not from 0 to 60 seconds.
    """

    def __init__(self, keys: Sequence[TokenKey], *, issuer: str, audience: str, leeway_seconds: int = 0) -> None:
        check_key_ids(key.id for key in keys)
        first = keys[0]
        if not first.can_sign:
            raise refused(first.id, "the first key signs and cannot be a public one")
        if not 0 <= leeway_seconds <= LEEWAY_SECONDS_MAX:
            raise InternalError(CONFIGURATION_ERROR, leeway_seconds=leeway_seconds, least=0, most=LEEWAY_SECONDS_MAX)
        self._signing_header = _header(first)
        self._signing_algorithm = get_algorithm_by_name(first.algorithm)
        self._signing_key = self._signing_algorithm.prepare_key(first.key)
        self._verifiers = {_header(key): _verifier(key) for key in keys}
        self._issuer = issuer
        self._audience = audience
        self._leeway = timedelta(seconds=leeway_seconds)

    def sign(self, claims: Claims) -> str:
        """A token that says this; see `TokenSigner`."""
        issued_at = _seconds(claims.issued_at)
        payload = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(claims.user_id),
            "sid": str(claims.session_id),
            "jti": claims.token_id,
            "type": claims.type,
            "iat": issued_at,
            "nbf": issued_at,
            "exp": _seconds(claims.expires_at),
        }
        payload |= {
            name: value for name, value in (("email", claims.email), ("role", claims.role)) if value is not None
        }
        signed = f"{self._signing_header}.{_encoded(_json(payload))}"
        return f"{signed}.{_encoded(self._signing_algorithm.sign(signed.encode(), self._signing_key))}"

    def read(self, token: str, *, wanted: TokenType, now: datetime) -> Claims:
        """What a token says, after everything about it was checked; see `TokenSigner`."""
        payload = self._payload(token)
        if missing := [name for name in REQUIRED_CLAIMS if payload.get(name) is None]:
            raise AuthenticationError(MISSING_REQUIRED_CLAIMS, missing=missing)
        if payload["iss"] != self._issuer:
            raise AuthenticationError(INVALID_ISSUER)
        if payload["aud"] != self._audience:
            raise AuthenticationError(INVALID_AUDIENCE)
        if payload["type"] != wanted:
            raise AuthenticationError(INVALID_TOKEN_TYPE, wanted=wanted)
        try:
            claims = _claims(payload, wanted)
            valid_from = _moment(payload["nbf"])
        except (ValueError, OverflowError) as error:
            raise AuthenticationError(INVALID_TOKEN) from error
        if claims.issued_at - now > _ISSUED_AHEAD_MAX:
            raise AuthenticationError(INVALID_TOKEN)
        if valid_from - now > self._leeway:
            raise AuthenticationError(TOKEN_NOT_YET_VALID, valid_from=valid_from)
        if now - claims.expires_at >= self._leeway:
            raise AuthenticationError(TOKEN_EXPIRED, expired_at=claims.expires_at)
        return claims

    def _payload(self, token: str) -> dict[str, Any]:
        """The claims of a token whose signature holds."""
        try:
            if len(token) > TOKEN_LENGTH_MAX:
                raise ValueError("longer than any token of ours")
            header, payload, signature = token.split(".")
            if not self._verifiers[header].verifies(f"{header}.{payload}", signature):
                raise ValueError("the signature does not match")
            found = json.loads(_decoded(payload))
            if not isinstance(found, dict):
                raise ValueError("not an object")
        except (KeyError, ValueError, RecursionError) as error:
            raise AuthenticationError(INVALID_TOKEN) from error
        return found


def _header(key: TokenKey) -> str:
    return _encoded(_json({"alg": key.algorithm, "kid": key.id, "typ": "JWT"}))


def _verifier(key: TokenKey) -> _Verifier:
    algorithm = get_algorithm_by_name(key.algorithm)
    return _Verifier(algorithm, algorithm.prepare_key(key.verifying_key))


def _claims(payload: dict[str, Any], type: TokenType) -> Claims:
    return Claims(
        token_id=_typed(payload["jti"], str),
        user_id=UUID(_typed(payload["sub"], str)),
        session_id=UUID(_typed(payload["sid"], str)),
        type=type,
        issued_at=_moment(payload["iat"]),
        expires_at=_moment(payload["exp"]),
        email=_optional_text(payload.get("email")),
        role=_optional_text(payload.get("role")),
    )


def _typed(value: object, wanted: type[Value]) -> Value:
    # `bool` is a kind of `int`, and no time.
    if type(value) is not wanted:
        raise ValueError("a claim of another type")
    return value


def _optional_text(value: object) -> str | None:
    return None if value is None else _typed(value, str)


def _moment(seconds: object) -> datetime:
    return EPOCH + timedelta(seconds=_typed(seconds, int))


def _seconds(moment: datetime) -> int:
    return (moment - EPOCH) // _SECOND


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
