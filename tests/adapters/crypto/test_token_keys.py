"""Secrets and PEM keys: which are good enough to sign with, and that they are never shown."""

import os
import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from ledgercore.errors import InternalError
from ledgercore_crypto import TokenAlgorithm, TokenKey, key_from_pem, key_from_secret


def private_pem(key, encryption=None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def public_pem(key) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def refusal_of(make, *arguments, **options) -> InternalError:
    with pytest.raises(InternalError) as refused:
        make(*arguments, **options)
    assert refused.value.code == "configuration_error"
    return refused.value


@pytest.mark.parametrize(
    ("bytes_found", "production", "bytes_min"), [(0, False, 32), (31, False, 32), (32, True, 64), (63, True, 64)]
)
def test_short_secret_is_refused(bytes_found, production, bytes_min):
    refusal = refusal_of(key_from_secret, "main", os.urandom(bytes_found), production=production)

    assert refusal.details["bytes_min"] == bytes_min
    assert refusal.details["bytes_found"] == bytes_found
    assert refusal.details["key_id"] == "main"


@pytest.mark.parametrize(("length", "production"), [(32, False), (64, True), (1_000, True)])
def test_random_secret_of_the_least_length_is_taken(length, production):
    assert key_from_secret("main", os.urandom(length), production=production).algorithm is TokenAlgorithm.HS256


def test_random_text_is_a_good_secret():
    """However it is spelt; so a check for weak ones that went too far would show."""
    for _ in range(200):
        key_from_secret("hex", secrets.token_hex(16).encode())
        key_from_secret("letters", secrets.token_urlsafe(64).encode(), production=True)


@pytest.mark.parametrize(
    "secret",
    [
        b"secret" * 11,
        b"my-SECRET-key-that-nobody-will-ever-guess-because-it-is-long-0815",
        b"changeme" * 8,
        b"please-change_me-before-going-live-2a4f6b8c0d1e3f5a7b9c-xyz-4711",
        b"password" * 8,
        b"your-256-bit-key-goes-here-0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a",
        b"a" * 64,
        b"\x00" * 64,
        b"1" * 63 + b"2",
        b"ab" * 32,
        b"0123456789" * 7,
        b"the quick brown fox jumps over " * 3,
        b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/",
        b"qwertyuiopasdfghjklzxcvbnmQWERTYUIOPASDFGHJKLZXCVBNM-0987-654321",
    ],
    ids=lambda secret: secret[:12].decode(),
)
@pytest.mark.parametrize("production", [False, True])
def test_secret_that_anybody_would_try_is_refused(secret, production):
    refusal = refusal_of(key_from_secret, "main", secret, production=production)

    assert "easily guessed" in str(refusal)


def test_weak_secret_finds_no_other_way_in():
    assert "too short" in str(refusal_of(TokenKey, "main", TokenAlgorithm.HS256, b"short"))


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ed25519.Ed25519PrivateKey.generate(), TokenAlgorithm.EDDSA),
        (ec.generate_private_key(ec.SECP256R1()), TokenAlgorithm.ES256),
    ],
    ids=["EdDSA", "ES256"],
)
def test_pem_says_which_algorithm_it_is_for(key, algorithm):
    private, public = key_from_pem("main", private_pem(key)), key_from_pem("main", public_pem(key))

    assert (private.algorithm, private.can_sign) == (algorithm, True)
    assert (public.algorithm, public.can_sign) == (algorithm, False)


def test_traditional_pem_of_a_curve_is_read():
    """As `openssl ecparam -genkey` writes it, with its parameters in front."""
    key = ec.generate_private_key(ec.SECP256R1())
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())

    assert key_from_pem("main", parameters + pem).can_sign


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(public_exponent=65_537, key_size=2_048),
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP256K1()),
        ed448.Ed448PrivateKey.generate(),
    ],
    ids=["RSA", "P-384", "secp256k1", "Ed448"],
)
@pytest.mark.parametrize("spell", [private_pem, public_pem])
def test_key_of_another_kind_is_refused(key, spell):
    refusal_of(key_from_pem, "main", spell(key))


def test_encrypted_pem_is_refused():
    pem = private_pem(ed25519.Ed25519PrivateKey.generate(), BestAvailableEncryption(b"a passphrase"))

    assert "encrypted" in str(refusal_of(key_from_pem, "main", pem))


@pytest.mark.parametrize(
    "pem", [b"", b"PUBLIC KEY", b"\x00", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_text_without_a_key_is_refused(pem):
    refusal_of(key_from_pem, "main", pem)


def test_algorithm_and_key_must_fit():
    edwards, curve = ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())

    refusal_of(TokenKey, "main", TokenAlgorithm.ES256, edwards)
    refusal_of(TokenKey, "main", TokenAlgorithm.EDDSA, curve)
    refusal_of(TokenKey, "main", TokenAlgorithm.HS256, curve)
    refusal_of(TokenKey, "main", TokenAlgorithm.ES256, os.urandom(64))


@pytest.mark.parametrize("spell", [private_pem, public_pem])
def test_pem_is_no_secret(spell):
    """Somebody who configures the wrong algorithm shall hear of it before strangers sign with a public key."""
    refusal_of(key_from_secret, "main", spell(ed25519.Ed25519PrivateKey.generate()))


@pytest.mark.parametrize("id", ["", "-", "a b", "../main", "a/b", "é", "k" * 65, "k\n", "k\x00"])
def test_key_id_is_a_short_plain_name(id):
    refusal_of(key_from_secret, id, os.urandom(32))


def test_key_is_never_shown():
    """Neither by `repr`, nor by the refusal of it."""
    secret = secrets.token_hex(32)

    assert secret not in repr(key_from_secret("main", secret.encode()))
    refusal = refusal_of(key_from_secret, "main", f"changeme-{secret}".encode())
    assert secret not in repr(refusal) + str(refusal)
    assert repr(key_from_secret("main", secret.encode())) == f"TokenKey(id='main', algorithm={TokenAlgorithm.HS256!r})"
