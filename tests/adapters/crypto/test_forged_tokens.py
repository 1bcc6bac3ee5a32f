"""Tokens that we did not issue: each is `invalid_token`, whatever it is, and nothing is fetched because of it."""

import base64
import hmac
import itertools
import json
import socket
from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ledgercore.errors import AuthenticationError
from ledgercore.identity.secrets import Claims, TokenType

ALGORITHMS = ("HS256", "EdDSA", "ES256")
SHARED_SIGNER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
SOME_DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


def encoded(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def hmac_token(header: object, payload: object, key: bytes) -> str:
    """A token whose signature is right for this key, whatever its header says."""
    signed = f"{encoded(header)}.{encoded(payload)}"
    return f"{signed}.{encoded(hmac.digest(key, signed.encode(), 'sha256'))}"


def assert_refused(signer, token: str) -> None:
    """One answer to every forgery, which tells nothing."""
    with pytest.raises(AuthenticationError) as refused:
        signer.read(token, wanted=TokenType.ACCESS, now=SOME_DAY)

    assert refused.value.code == "invalid_token"
    assert refused.value.details == {}


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, 0, [], "HS256 "])
@pytest.mark.parametrize("kid", ["hs", "ed", "es", None])
def test_unsigned_token_is_refused(signer, payload, algorithm, kid):
    header = {"alg": algorithm, "typ": "JWT"} | ({"kid": kid} if kid else {})

    assert_refused(signer, f"{encoded(header)}.{encoded(payload)}.")


@pytest.mark.parametrize("kid", ["hs", "ed", "es"])
def test_no_signature_under_a_good_header_is_refused(signer, token_keys, payload, kid):
    [algorithm] = [key.algorithm for key in token_keys.values() if key.id == kid]
    header = {"alg": algorithm, "kid": kid, "typ": "JWT"}

    assert_refused(signer, f"{encoded(header)}.{encoded(payload)}.")


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256"])
@pytest.mark.parametrize("claimed", ["HS256", "EdDSA", "ES256"])
@pytest.mark.parametrize(
    "spelling",
    [
        (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.OpenSSH, PublicFormat.OpenSSH),
    ],
    ids=["pem", "der", "ssh"],
)
def test_public_key_is_no_secret(signer, token_keys, payload, algorithm, claimed, spelling):
    """The public half is known to everybody; a signature made with it as a secret proves nothing."""
    key = token_keys[algorithm]
    public = key.verifying_key.public_bytes(*spelling)

    assert_refused(signer, hmac_token({"alg": claimed, "kid": key.id, "typ": "JWT"}, payload, public))


@pytest.mark.parametrize(("signed_as", "named"), list(itertools.permutations(ALGORITHMS, 2)))
def test_key_and_algorithm_belong_together(signer, token_keys, payload, signed_as, named):
    """A good signature by one of our keys, under the id of another."""
    token = jwt.encode(payload, token_keys[signed_as].key, signed_as, headers={"kid": token_keys[named].id})

    assert_refused(signer, token)


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_other_algorithms_of_the_same_secret_are_refused(signer, secret, payload, algorithm):
    assert_refused(signer, jwt.encode(payload, secret, algorithm, headers={"kid": "hs"}))


@pytest.mark.parametrize(
    "kid",
    [
        "unknown",
        "HS",
        "hs ",
        "hs\x00",
        "",
        "../../../../dev/null",
        "/etc/passwd",
        "hs' OR '1'='1",
        "' UNION SELECT 'secret' --",
        "https://example.com/key",
        "$(id)",
        "h" * 3_000,
    ],
)
def test_key_is_found_by_its_exact_name_only(signer, secret, payload, kid):
    assert_refused(signer, jwt.encode(payload, secret, headers={"kid": kid}))


@pytest.mark.parametrize("kid", [None, 1, ["hs"], {"hs": 1}, True])
def test_key_id_that_is_no_text_is_refused(signer, secret, payload, kid):
    assert_refused(signer, hmac_token({"alg": "HS256", "kid": kid, "typ": "JWT"}, payload, secret))


@pytest.mark.parametrize(
    "extra",
    [
        {"jku": "http://127.0.0.1:9/keys"},
        {"x5u": "http://127.0.0.1:9/cert"},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"x5c": ["AAAA"]},
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"zip": "DEF"},
        {"typ": "at+jwt"},
        {"typ": None},
        {"cty": "JWT"},
    ],
    ids=lambda extra: next(iter(extra)),
)
def test_header_can_ask_for_nothing(signer, secret, payload, extra, monkeypatch):
    """Even signed with our key: no header but ours is read, and nobody is asked for a key."""
    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, lambda *_, **__: pytest.fail("the network was used"))

    assert_refused(signer, hmac_token({"alg": "HS256", "kid": "hs", "typ": "JWT"} | extra, payload, secret))


def test_missing_token_kind_is_refused(signer, secret, payload):
    assert_refused(signer, hmac_token({"alg": "HS256", "kid": "hs"}, payload, secret))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_single_flipped_bit_is_noticed(signer, token_keys, payload, algorithm):
    key = token_keys[algorithm]
    token = jwt.encode(payload, key.key, algorithm, headers={"kid": key.id})

    for place, letter in enumerate(token):
        for bit in range(8):
            flipped = chr(ord(letter) ^ 1 << bit)
            assert_refused(signer, token[:place] + flipped + token[place + 1 :])


def test_signature_has_one_spelling(signer, secret, payload):
    """32 bytes leave two bits of their last letter unused, and padding may be written or not."""
    token = jwt.encode(payload, secret, headers={"kid": "hs"})
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    place = alphabet.index(token[-1])
    spellings = [token[:-1] + alphabet[place | unused] for unused in (1, 2, 3)]

    for other in (*spellings, token + "=", token + "\n", " " + token, token.replace("-", "+").replace("_", "/") + "="):
        assert_refused(signer, other)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_parts_of_two_tokens_do_not_mix(signer, token_keys, claims, payload, part):
    ours = signer.sign(claims).split(".")
    key = token_keys["ES256"]
    theirs = jwt.encode(payload | {"role": "admin"}, key.key, "ES256", headers={"kid": "es"}).split(".")

    mixed = [*ours]
    mixed[part] = theirs[part]

    assert_refused(signer, ".".join(mixed))


def test_token_has_three_parts(signer, claims):
    token = signer.sign(claims)
    header, payload, signature = token.split(".")
    too_few = ("", ".", header, f"{header}.{payload}")
    too_many = ("...", f"{token}.", f".{token}", f"{token}.{signature}")

    for wrong in (*too_few, "..", *too_many):
        assert_refused(signer, wrong)


def test_token_is_4096_characters_at_most(signer, secret, payload):
    """The longest is read to find out that it is good; one of four characters more is not looked at."""
    bare = len(jwt.encode(payload | {"pad": ""}, secret, headers={"kid": "hs"}))
    room = 4_096 - bare
    longest = jwt.encode(payload | {"pad": "x" * (room * 3 // 4)}, secret, headers={"kid": "hs"})
    longer = jwt.encode(payload | {"pad": "x" * (room * 3 // 4 + 3)}, secret, headers={"kid": "hs"})

    assert 4_092 < len(longest) <= 4_096 < len(longer)
    assert signer.read(longest, wanted=TokenType.ACCESS, now=SOME_DAY)
    assert_refused(signer, longer)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'"text"', b"1", b"{", b"\xff\xfe", b"[" * 2_500, b"1" * 2_500, b'{"sub":"\xff"}']
)
def test_signed_nonsense_is_refused(signer, secret, body):
    assert_refused(signer, hmac_token({"alg": "HS256", "kid": "hs", "typ": "JWT"}, body, secret))


@pytest.mark.parametrize(
    "token", ["\x00", "a.b\x00.c", "\ud800.\udfff.x", "é.é.é", "\N{MONEY BAG}" * 3, "…", "a" * 5_000], ids=ascii
)
def test_text_that_is_no_token_is_refused(signer, token):
    assert_refused(signer, token)


def test_refusal_does_not_show_the_token(signer, claims):
    token = signer.sign(claims)[:-2]

    with pytest.raises(AuthenticationError) as refused:
        signer.read(token, wanted=TokenType.ACCESS, now=SOME_DAY)

    assert token[-20:] not in repr(refused.value) + str(refused.value) + repr(refused.value.__cause__)


ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.text(".-_=eyJ\x00\ud800 ", max_size=40)


@SHARED_SIGNER
@given(token=ANY_TEXT)
@example("\udc80")
@example("..")
def test_arbitrary_text_is_an_invalid_token(signer, token):
    assert_refused(signer, token)


@SHARED_SIGNER
@given(parts=st.lists(ANY_TEXT, max_size=3), place=st.integers(0, 2))
def test_arbitrary_parts_beside_good_ones_are_an_invalid_token(signer, secret, parts, place):
    token = jwt.encode({"sub": "x"}, secret, headers={"kid": "hs"}).split(".")
    token[place : place + 1] = parts
    text = ".".join(token)

    if text != jwt.encode({"sub": "x"}, secret, headers={"kid": "hs"}):
        assert_refused(signer, text)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
CLAIM_NAMES = st.sampled_from(["iss", "aud", "sub", "sid", "jti", "type", "iat", "nbf", "exp", "email", "role", "more"])


@SHARED_SIGNER
@given(changed=st.dictionaries(CLAIM_NAMES, JSON_VALUES, max_size=3))
def test_arbitrary_claims_under_a_good_signature_are_read_or_refused(signer, secret, payload, changed):
    """Nothing but claims of the right types, or an authentication error, comes out."""
    token = hmac_token({"alg": "HS256", "kid": "hs", "typ": "JWT"}, payload | changed, secret)

    try:
        claims = signer.read(token, wanted=TokenType.ACCESS, now=SOME_DAY)
    except AuthenticationError:
        return

    assert isinstance(claims, Claims)
    assert isinstance(claims.token_id, str)
    assert claims.issued_at <= SOME_DAY < claims.expires_at


def test_forging_helper_makes_tokens_that_would_pass(signer, secret, payload, claims):
    """Otherwise the tests above could not fail."""
    token = hmac_token({"alg": "HS256", "kid": "hs", "typ": "JWT"}, payload, secret)

    assert signer.read(token, wanted=TokenType.ACCESS, now=SOME_DAY) == claims
    assert token == jwt.encode(payload, secret, headers={"kid": "hs"})
