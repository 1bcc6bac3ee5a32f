"""Sealed bytes: opened only unchanged, in their own place, and with a key that is known."""

import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from ledgercore.errors import InternalError
from ledgercore_crypto import AesGcmSealer, SealingKey, sealing_key_from

PLACE = "answers.body/42"


@pytest.fixture
def sealing_key() -> SealingKey:
    return SealingKey("2026", os.urandom(32))


@pytest.fixture
def sealer(sealing_key) -> AesGcmSealer:
    return AesGcmSealer([sealing_key])


def reason_of(sealer, sealed: bytes, context: str = PLACE) -> str:
    with pytest.raises(InternalError) as refused:
        sealer.open(sealed, context=context)
    return refused.value.code


@given(plain=st.binary(), context=st.text())
def test_what_was_sealed_is_opened(plain, context):
    sealer = AesGcmSealer([SealingKey("main", os.urandom(32))])

    assert sealer.open(sealer.seal(plain, context=context), context=context) == plain


def test_layout_is_as_documented(sealing_key, sealer):
    """Whoever has the key can open it with any AES-GCM, in years as well."""
    sealed = sealer.seal(b"one secret", context=PLACE)

    header, nonce, ciphertext = sealed[:6], sealed[6:18], sealed[18:]
    assert header == b"\x01\x042026"
    assert AESGCM(sealing_key.key).decrypt(nonce, ciphertext, header + PLACE.encode()) == b"one secret"
    assert len(ciphertext) == len(b"one secret") + 16


def test_nothing_of_the_plain_bytes_shows(sealer):
    marker = os.urandom(16)

    assert marker not in sealer.seal(marker * 4, context=PLACE)


def test_moved_to_another_place_it_does_not_open(sealer):
    here, there = sealer.seal(b"mine", context="tokens.key/1"), sealer.seal(b"yours", context="tokens.key/2")

    assert reason_of(sealer, here, "tokens.key/2") == "internal_server_error"
    assert reason_of(sealer, there, "tokens.key/1") == "internal_server_error"


def test_every_flipped_bit_is_noticed(sealer):
    sealed = sealer.seal(b"one secret", context=PLACE)

    for place in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[place] ^= 1 << bit
            assert reason_of(sealer, bytes(changed)) in {"internal_server_error", "configuration_error"}


def test_every_cut_is_noticed(sealer):
    sealed = sealer.seal(b"", context=PLACE)

    for length in range(len(sealed)):
        assert reason_of(sealer, sealed[:length]) in {"internal_server_error", "configuration_error"}
    assert reason_of(sealer, sealed + b"\x00") == "internal_server_error"


@given(sealed=st.binary())
def test_arbitrary_bytes_are_refused(sealed):
    assert reason_of(AesGcmSealer([SealingKey("a", bytes(32))]), sealed)


def test_first_key_seals_and_all_open(sealing_key, sealer):
    sealed = sealer.seal(b"kept", context=PLACE)
    rotated = AesGcmSealer([SealingKey("2027", os.urandom(32)), sealing_key])

    assert rotated.open(sealed, context=PLACE) == b"kept"
    assert rotated.seal(b"kept", context=PLACE).startswith(b"\x01\x042027")


def test_removed_key_opens_nothing(sealer):
    sealed = sealer.seal(b"kept", context=PLACE)

    assert reason_of(AesGcmSealer([SealingKey("2027", os.urandom(32))]), sealed) == "configuration_error"
    assert reason_of(AesGcmSealer([SealingKey("2026", os.urandom(32))]), sealed) == "internal_server_error"


def test_key_cannot_be_renamed_in_what_it_sealed():
    """The header is part of what is authenticated, even between two names of one key."""
    key = os.urandom(32)
    sealer = AesGcmSealer([SealingKey("2026", key), SealingKey("2027", key)])
    sealed = sealer.seal(b"kept", context=PLACE)

    assert reason_of(sealer, sealed.replace(b"2026", b"2027", 1)) == "internal_server_error"


def test_header_and_context_do_not_run_into_each_other():
    key = os.urandom(32)
    sealed = AesGcmSealer([SealingKey("ab", key)]).seal(b"kept", context="c")

    assert reason_of(AesGcmSealer([SealingKey("a", key)]), b"\x01\x01a" + sealed[4:], "bc") == "internal_server_error"


def test_nonces_do_not_repeat(sealer):
    nonces = {sealer.seal(b"", context="")[6:18] for _ in range(100_000)}

    assert len(nonces) == 100_000


def test_one_secret_gives_the_same_key_everywhere():
    """The value is fixed: another derivation would lose everything that was sealed before."""
    secret = bytes(range(32))

    key = sealing_key_from(secret, "main")

    assert key.key == sealing_key_from(secret, "another").key
    assert key.key.hex() == "b3019b619c7cc2e35acd0fde3f767ff882ca265aeea64aa16967f4ffae406ab6"
    assert key.key != sealing_key_from(bytes(range(1, 33)), "main").key


@pytest.mark.parametrize("secret", [b"", b"4fT9xQ2mZ7", b"changeme" * 8, b"a" * 64])
def test_weak_secret_seals_nothing(secret):
    with pytest.raises(InternalError, match="secret is"):
        sealing_key_from(secret, "main")


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_key_has_32_bytes(length):
    with pytest.raises(InternalError, match="32 bytes"):
        SealingKey("main", os.urandom(length))


def test_sealer_without_key_or_with_two_of_one_name_is_refused(sealing_key):
    with pytest.raises(InternalError, match="no key is given"):
        AesGcmSealer([])
    with pytest.raises(InternalError, match="two keys have the same id"):
        AesGcmSealer([sealing_key, sealing_key])


def test_key_is_not_shown(sealing_key):
    assert repr(sealing_key) == "SealingKey(id='2026')"
