"""Keys, a signer and claims to make tokens of; keys are drawn once, since tests only read them."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledgercore.identity.secrets import Claims, TokenType
from ledgercore_crypto import JwtSigner, TokenAlgorithm, TokenKey, key_from_secret

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def secret() -> bytes:
    return os.urandom(64)


@pytest.fixture(scope="session")
def token_keys(secret) -> dict[str, TokenKey]:
    """A signing key for each algorithm."""
    return {
        "HS256": TokenKey("hs", TokenAlgorithm.HS256, secret),
        "EdDSA": TokenKey("ed", TokenAlgorithm.EDDSA, Ed25519PrivateKey.generate()),
        "ES256": TokenKey("es", TokenAlgorithm.ES256, generate_private_key(SECP256R1())),
    }


@pytest.fixture
def fresh_key() -> Callable[[str], TokenKey]:
    """A drawer of HS256 keys by id."""
    return lambda id: key_from_secret(id, os.urandom(32))


@pytest.fixture
def now() -> datetime:
    """Noon of the first of March 2026."""
    return NOW


@pytest.fixture
def claims(now) -> Claims:
    """What an access token of Alice's says, for 15 minutes from now."""
    return Claims(
        token_id="yF3cS0hZ3vWk1kQ0bYxN2A",
        user_id=UUID(int=1),
        session_id=UUID(int=2),
        type=TokenType.ACCESS,
        issued_at=now,
        expires_at=now + timedelta(seconds=900),
        email="alice@example.com",
        role="user",
    )


@pytest.fixture
def signer(token_keys) -> JwtSigner:
    """Signs with HS256, and verifies the other algorithms too."""
    return JwtSigner(list(token_keys.values()), issuer="ledgercore", audience="ledgercore-api")


@pytest.fixture
def payload(claims) -> dict[str, object]:
    """The same claims as `claims`, as they stand in a token."""
    seconds = int(claims.issued_at.timestamp())
    return {
        "iss": "ledgercore",
        "aud": "ledgercore-api",
        "sub": str(claims.user_id),
        "sid": str(claims.session_id),
        "jti": claims.token_id,
        "type": "access",
        "iat": seconds,
        "nbf": seconds,
        "exp": seconds + 900,
        "email": claims.email,
        "role": claims.role,
    }
