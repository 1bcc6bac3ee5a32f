"""Passwords: hashed with Argon2id, and imported hashes known until they are replaced."""

import base64
import hashlib
import re
import sys

import argon2
import bcrypt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledgercore.errors import InternalError
from ledgercore_crypto import Argon2Hasher

# Published test vectors: RFC 7914 section 11 (PBKDF2-HMAC-SHA-256) and the test of crypt_blowfish.
PBKDF2_PASSWORD, PBKDF2_SALT, PBKDF2_ITERATIONS = "Password", b"NaCl", 80_000
PBKDF2_HASH = bytes.fromhex(
    "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
    "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d"
)
BCRYPT_PASSWORD, BCRYPT_HASH = "U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"


def base64_of(data: bytes, *, plus: str = "+", padded: bool = False) -> str:
    text = base64.b64encode(data).decode().replace("+", plus)
    return text if padded else text.rstrip("=")


IMPORTED = {
    "bcrypt 2a": (BCRYPT_PASSWORD, BCRYPT_HASH),
    "bcrypt 2b": (BCRYPT_PASSWORD, BCRYPT_HASH.replace("2a", "2b")),
    "bcrypt 2y": (BCRYPT_PASSWORD, BCRYPT_HASH.replace("2a", "2y")),
    "pbkdf2 named": (PBKDF2_PASSWORD, f"pbkdf2_sha256$80000$NaCl${base64_of(PBKDF2_HASH[:32], padded=True)}"),
    "pbkdf2 crypt": (PBKDF2_PASSWORD, f"$pbkdf2-sha256$80000$TmFDbA${base64_of(PBKDF2_HASH[:32], plus='.')}"),
    "pbkdf2 phc": (PBKDF2_PASSWORD, f"$pbkdf2-sha256$i=80000,l=64$TmFDbA${base64_of(PBKDF2_HASH)}"),
}


@pytest.fixture(scope="module")
def hasher() -> Argon2Hasher:
    """The cheapest that Argon2 allows."""
    return Argon2Hasher(time_cost=1, memory_kib=8)


def test_defaults_are_what_owasp_advises_at_least():
    hasher = Argon2Hasher()

    hashed = hasher.hash("correct horse battery staple")

    assert re.fullmatch(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}", hashed)
    assert hasher.verify("correct horse battery staple", hashed)
    assert not hasher.verify("Correct horse battery staple", hashed)


def test_other_libraries_know_our_hashes(hasher):
    assert argon2.PasswordHasher().verify(hasher.hash("correct horse"), "correct horse")


def test_equal_passwords_have_different_hashes(hasher):
    assert hasher.hash("correct horse") != hasher.hash("correct horse")


@settings(deadline=None)
@example(password="\ud800", other="\udfff")
@given(password=st.text(st.characters(exclude_categories=())), other=st.text(st.characters(exclude_categories=())))
def test_password_is_known_and_no_other(password, other):
    """Any text at all is a possible password."""
    hasher = Argon2Hasher(time_cost=1, memory_kib=8)

    hashed = hasher.hash(password)

    assert hasher.verify(password, hashed)
    assert hasher.verify(other, hashed) == (password == other)


@pytest.mark.parametrize(
    ("password", "other"),
    [
        ("x" * 72 + "y", "x" * 72 + "z"),
        ("x" * 5_000, "x" * 4_999),
        (" correct horse ", "correct horse"),
        ("correct\x00horse", "correct"),
        ("caf\N{LATIN SMALL LETTER E WITH ACUTE}", "cafe\N{COMBINING ACUTE ACCENT}"),
        ("correct horse", "CORRECT HORSE"),
        ("correct horse", ""),
    ],
    ids=["place 73", "length", "blanks", "NUL", "accent", "case", "empty"],
)
def test_every_character_counts(hasher, password, other):
    assert not hasher.verify(other, hasher.hash(password))


def test_unknown_user_costs_one_hash_of_the_same_parameters(monkeypatch):
    """Counted rather than timed: the library is asked once, for a hash like any new one."""
    hasher = Argon2Hasher(time_cost=2, memory_kib=16)
    asked = []
    verify = argon2.PasswordHasher.verify

    def noted(self, hash, password):
        asked.append(hash)
        return verify(self, hash, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", noted)

    assert not hasher.verify("correct horse", None)
    assert not hasher.verify("", None)

    assert len(asked) == 2
    real = argon2.extract_parameters(hasher.hash("correct horse"))
    assert [argon2.extract_parameters(hash) for hash in asked] == [real, real]


@pytest.mark.parametrize(
    "changed", [{"time_cost": 2}, {"memory_kib": 16}, {"parallelism": 2, "memory_kib": 16}], ids=str
)
def test_changed_parameters_make_hashes_outdated(hasher, changed):
    hashed = hasher.hash("correct horse")
    stronger = Argon2Hasher(**{"time_cost": 1, "memory_kib": 8} | changed)

    assert not hasher.is_outdated(hashed)
    assert stronger.is_outdated(hashed)
    assert stronger.verify("correct horse", hashed)
    assert not stronger.is_outdated(stronger.hash("correct horse"))


@pytest.mark.parametrize("type", [argon2.Type.I, argon2.Type.D])
def test_other_kinds_of_argon2_are_known_and_outdated(hasher, type):
    hashed = argon2.PasswordHasher(1, 8, 1, type=type).hash("correct horse")

    assert hasher.verify("correct horse", hashed)
    assert hasher.is_outdated(hashed)


@pytest.mark.parametrize(("password", "hashed"), IMPORTED.values(), ids=IMPORTED)
def test_imported_hash_knows_its_password_and_is_outdated(hasher, password, hashed):
    assert hasher.verify(password, hashed)
    assert not hasher.verify(password + "x", hashed)
    assert not hasher.verify("", hashed)
    assert hasher.is_outdated(hashed)


def test_sha_512_is_known_too(hasher):
    made = base64_of(hashlib.pbkdf2_hmac("sha512", b"correct horse", b"some salt", 1_000), plus=".")

    assert hasher.verify("correct horse", f"$pbkdf2-sha512$1000${base64_of(b'some salt')}${made}")
    assert not hasher.verify("correct", f"$pbkdf2-sha512$1000${base64_of(b'some salt')}${made}")


def test_long_password_of_an_imported_bcrypt_hash_still_works(hasher):
    """Those who hashed it cut it off at 72 bytes; its next hash counts all of it."""
    long = "correct horse battery staple " * 4
    hashed = bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode()

    assert hasher.verify(long, hashed)


def test_bcrypt_hash_without_its_package_names_the_package(hasher, monkeypatch):
    monkeypatch.setitem(sys.modules, "bcrypt", None)

    with pytest.raises(InternalError) as refused:
        hasher.verify(BCRYPT_PASSWORD, BCRYPT_HASH)

    assert refused.value.code == "configuration_error"
    assert refused.value.details["package"] == "bcrypt"


@pytest.mark.parametrize(
    "hashed",
    [
        "",
        "correct horse",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
        "$argon2",
        "$argon2id$",
        "$argon2x$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaA",
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$é",
        BCRYPT_HASH[:-1],
        BCRYPT_HASH.replace("$05$", "$31$"),
        BCRYPT_HASH.replace("2a", "2x"),
        BCRYPT_HASH + "\n",
        "$2b$04$" + "9" * 53,
        "pbkdf2_sha256$1$salt$",
        "pbkdf2_sha256$0$salt$" + "A" * 44,
        "pbkdf2_sha256$99999999$salt$" + "A" * 44,
        "pbkdf2_sha256$1$salt$" + "A" * 45,
        "pbkdf2_md5$1$salt$" + "A" * 44,
        "$pbkdf2-sha256$1$c2FsdA$AA",
    ],
)
def test_unreadable_hash_is_the_operators_matter(hasher, hashed):
    """Nobody logs in with it, nobody waits for hours, and it is not passed over in silence."""
    with pytest.raises(InternalError) as refused:
        hasher.verify("correct horse", hashed)

    assert refused.value.code == "configuration_error"
    assert not hashed or hashed not in str(refused.value)


def test_unreadable_hash_is_outdated(hasher):
    assert hasher.is_outdated("correct horse")


@pytest.mark.parametrize("wrong", [{"time_cost": 0}, {"memory_kib": 1}, {"parallelism": 0}], ids=str)
def test_parameters_that_argon2_does_not_have_are_refused(wrong):
    with pytest.raises(InternalError, match="Configuration error"):
        Argon2Hasher(**wrong)
