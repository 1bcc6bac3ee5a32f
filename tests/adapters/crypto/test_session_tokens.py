"""Tokens as they are issued, read, end, and move from key to key."""

from datetime import timedelta

import jwt
import pytest
from attrs import evolve

from ledgercore.errors import AuthenticationError, InternalError
from ledgercore.identity.secrets import TokenType
from ledgercore_crypto import JwtSigner, TokenKey

ALGORITHMS = ("HS256", "EdDSA", "ES256")
SECOND = timedelta(seconds=1)


def signer_of(*keys: TokenKey, **options) -> JwtSigner:
    return JwtSigner(keys, **{"issuer": "ledgercore", "audience": "ledgercore-api"} | options)


def reason_of(signer, token, now, wanted=TokenType.ACCESS) -> str:
    with pytest.raises(AuthenticationError) as refused:
        signer.read(token, wanted=wanted, now=now)
    return refused.value.code


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_token_says_what_was_signed(token_keys, algorithm, claims, now):
    signer = signer_of(token_keys[algorithm])

    assert signer.read(signer.sign(claims), wanted=TokenType.ACCESS, now=now) == claims


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_other_libraries_read_our_tokens(token_keys, algorithm, claims, payload):
    """The token is a JWT like any other, with the key id and the claims that the specification names."""
    key = token_keys[algorithm]

    token = signer_of(key).sign(claims)

    assert jwt.get_unverified_header(token) == {"alg": algorithm, "kid": key.id, "typ": "JWT"}
    assert jwt.decode(
        token, key.verifying_key, algorithms=[algorithm], audience="ledgercore-api", options={"verify_exp": False}
    ) == payload  # fmt: skip


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_tokens_signed_elsewhere_with_our_key_are_read(token_keys, algorithm, payload, claims, now):
    key = token_keys[algorithm]

    token = jwt.encode(payload, key.key, algorithm, headers={"kid": key.id})

    assert signer_of(key).read(token, wanted=TokenType.ACCESS, now=now) == claims


def test_refresh_token_names_neither_email_nor_role(signer, claims, now):
    refresh = evolve(claims, type=TokenType.REFRESH, email=None, role=None, expires_at=now + timedelta(days=7))

    token = signer.sign(refresh)

    assert signer.read(token, wanted=TokenType.REFRESH, now=now) == refresh
    assert {"email", "role"}.isdisjoint(jwt.decode(token, options={"verify_signature": False}))


def test_fractions_of_seconds_are_dropped(signer, claims, now):
    token = signer.sign(evolve(claims, issued_at=now + timedelta(microseconds=999_999)))

    assert signer.read(token, wanted=TokenType.ACCESS, now=now).issued_at == now


def test_longest_email_still_fits_into_a_token(signer, claims, now):
    longest = evolve(claims, email="\N{MONEY BAG}" * 243 + "@example.com")

    assert signer.read(signer.sign(longest), wanted=TokenType.ACCESS, now=now) == longest


@pytest.mark.parametrize(("issued", "wanted"), [("access", "refresh"), ("refresh", "access")])
def test_one_type_of_token_is_no_use_as_the_other(signer, claims, now, issued, wanted):
    token = signer.sign(evolve(claims, type=TokenType(issued)))

    assert reason_of(signer, token, now, TokenType(wanted)) == "invalid_token_type"


def test_token_ends_exactly_when_it_says(signer, claims):
    token = signer.sign(claims)

    assert signer.read(token, wanted=TokenType.ACCESS, now=claims.expires_at - timedelta(microseconds=1)) == claims
    assert reason_of(signer, token, claims.expires_at) == "token_expired"


def test_token_begins_exactly_when_it_was_issued(signer, claims):
    token = signer.sign(claims)

    assert signer.read(token, wanted=TokenType.ACCESS, now=claims.issued_at) == claims
    assert reason_of(signer, token, claims.issued_at - timedelta(microseconds=1)) == "token_not_yet_valid"


def test_leeway_moves_both_ends_and_no_further(token_keys, claims):
    signer = signer_of(token_keys["HS256"], leeway_seconds=60)
    token = signer.sign(claims)

    for near in (claims.issued_at - 60 * SECOND, claims.expires_at + 59 * SECOND):
        assert signer.read(token, wanted=TokenType.ACCESS, now=near) == claims
    assert reason_of(signer, token, claims.expires_at + 60 * SECOND) == "token_expired"


def test_not_before_counts_by_itself(token_keys, secret, payload, now):
    token = jwt.encode(payload | {"nbf": payload["nbf"] + 31}, secret, headers={"kid": "hs"})

    assert reason_of(signer_of(token_keys["HS256"], leeway_seconds=30), token, now) == "token_not_yet_valid"


def test_token_from_the_far_future_is_none_of_ours(signer, claims, now):
    assert reason_of(signer, signer.sign(evolve(claims, issued_at=now + 61 * SECOND)), now) == "invalid_token"
    assert reason_of(signer, signer.sign(evolve(claims, issued_at=now + 60 * SECOND)), now) == "token_not_yet_valid"


@pytest.mark.parametrize("name", ["sub", "exp", "iat", "nbf", "iss", "aud", "jti", "type", "sid"])
def test_every_claim_is_required(signer, secret, payload, now, name):
    del payload[name]

    with pytest.raises(AuthenticationError) as refused:
        signer.read(jwt.encode(payload, secret, headers={"kid": "hs"}), wanted=TokenType.ACCESS, now=now)

    assert refused.value.code == "missing_required_claims"
    assert refused.value.details == {"missing": [name]}


def test_null_is_no_claim(signer, secret, payload, now):
    token = jwt.encode(payload | {"sub": None, "sid": None}, secret, headers={"kid": "hs"})

    assert reason_of(signer, token, now) == "missing_required_claims"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"iss": "ledgercore "}, "invalid_issuer"),
        ({"iss": "LEDGERCORE"}, "invalid_issuer"),
        ({"iss": ""}, "invalid_issuer"),
        ({"aud": "ledgercore"}, "invalid_audience"),
        ({"aud": ["ledgercore-api"]}, "invalid_audience"),
        ({"aud": ["ledgercore-api", "another"]}, "invalid_audience"),
        ({"aud": 1}, "invalid_audience"),
        ({"type": "Access"}, "invalid_token_type"),
        ({"type": ["access"]}, "invalid_token_type"),
        ({"type": "root"}, "invalid_token_type"),
        ({"sub": 1}, "invalid_token"),
        ({"sub": "alice"}, "invalid_token"),
        ({"sid": {}}, "invalid_token"),
        ({"jti": 7}, "invalid_token"),
        ({"exp": "9999999999"}, "invalid_token"),
        ({"exp": True}, "invalid_token"),
        ({"exp": 1e12}, "invalid_token"),
        ({"exp": float("inf")}, "invalid_token"),
        ({"exp": 10**400}, "invalid_token"),
        ({"nbf": -(10**30)}, "invalid_token"),
        ({"iat": float("nan")}, "invalid_token"),
        ({"iat": [1]}, "invalid_token"),
        ({"email": 1}, "invalid_token"),
        ({"role": ["admin"]}, "invalid_token"),
    ],
    ids=repr,
)
def test_claims_are_compared_exactly(signer, secret, payload, now, changed, reason):
    """Even under a good signature nothing is taken for what it is not."""
    token = jwt.encode(payload | changed, secret, headers={"kid": "hs"})

    assert reason_of(signer, token, now) == reason


def test_old_and_new_key_are_valid_together(claims, now, fresh_key):
    old, new = fresh_key("2025"), fresh_key("2026")
    token = signer_of(old).sign(claims)
    rotated = signer_of(new, old)

    assert rotated.read(token, wanted=TokenType.ACCESS, now=now) == claims
    assert jwt.get_unverified_header(rotated.sign(claims))["kid"] == "2026"


def test_removed_key_is_dead(claims, now, fresh_key):
    old, new = fresh_key("2025"), fresh_key("2026")

    assert reason_of(signer_of(new), signer_of(old).sign(claims), now) == "invalid_token"


def test_reused_key_id_does_not_revive_tokens(claims, now, fresh_key):
    assert reason_of(signer_of(fresh_key("main")), signer_of(fresh_key("main")).sign(claims), now) == "invalid_token"


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256"])
def test_public_key_verifies_but_does_not_sign(token_keys, algorithm, claims, now, fresh_key):
    private = token_keys[algorithm]
    public = TokenKey(private.id, private.algorithm, private.verifying_key)
    token = signer_of(private).sign(claims)

    assert signer_of(fresh_key("new"), public).read(token, wanted=TokenType.ACCESS, now=now) == claims
    with pytest.raises(InternalError, match="first key signs"):
        signer_of(public)


@pytest.mark.parametrize("leeway_seconds", [-1, 61])
def test_leeway_is_a_minute_at_most(fresh_key, leeway_seconds):
    with pytest.raises(InternalError, match="Configuration error"):
        signer_of(fresh_key("main"), leeway_seconds=leeway_seconds)


def test_signer_without_key_or_with_two_of_one_name_is_refused(fresh_key):
    with pytest.raises(InternalError, match="no key is given"):
        signer_of()
    with pytest.raises(InternalError, match="two keys have the same id"):
        signer_of(fresh_key("main"), fresh_key("main"))
