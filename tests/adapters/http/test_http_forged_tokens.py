"""Forged, borrowed and misplaced tokens over HTTP: each is 401 with a challenge, none is a failure of ours.

What a signer makes of every kind of forgery is tested beside it; here is that nothing gets past the door.
"""

import base64
import hmac
import json
import os
import random
from datetime import timedelta
from typing import Any

import jwt
import pytest
from attrs import evolve

from ledgercore.identity.service_tokens import new_key
from ledgercore_crypto import JwtSigner, key_from_secret

SECRET = os.urandom(64)
KEY = key_from_secret("test", SECRET)
SALE = {"debit": "assets:bank", "credit": "income:sales", "amount": "120.00", "currency": "EUR"}
FLIPS = 400


class Watched:
    """A store that counts who is looked up."""

    def __init__(self, store: Any) -> None:
        self.looked_up = 0
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def standings(self, subjects: Any) -> Any:
        self.looked_up += 1
        return self._store.standings(subjects)


@pytest.fixture
def service(service):
    """The service with a signing key that the test knows, and a store that counts."""
    signer = JwtSigner([KEY], issuer="issuer", audience="audience")
    return evolve(service, identity=evolve(service.identity, signer=signer, store=Watched(service.identity.store)))


@pytest.fixture
def payload(alice) -> dict[str, Any]:
    """What alice's token says: a forger may know all of it."""
    claims: dict[str, Any] = jwt.decode(alice.token, options={"verify_signature": False})
    return claims


@pytest.fixture
def refused(anonymous, shop):
    """Checks that headers open nothing, neither for reading nor for writing, and tells the reason."""

    def ask(*values: str | bytes, path: str = "", **options: Any) -> str:
        headers = [("authorization", value) for value in values]
        asked = [
            anonymous.request("GET", f"/api/v1/auth/me{path}", headers=headers),
            anonymous.request("GET", f"/api/v1/ledgers/{shop}{path}", headers=headers),
            anonymous.request(
                "POST", f"/api/v1/ledgers/{shop}/transactions{path}",
                headers=headers, **(options or {"json": {"lines": [SALE]}}),
            ),
        ]  # fmt: skip
        for answer in asked:
            assert answer.status_code == 401, answer.text
            assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["category"] == "authentication"
        [code] = {answer.json()["code"] for answer in asked}
        return str(code)

    return ask


def encoded(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def signed(header: object, payload: object, digest: str = "sha256") -> str:
    """A token whose signature is right for our secret, whatever its header says."""
    text = f"{encoded(header)}.{encoded(payload)}"
    return f"{text}.{encoded(hmac.digest(SECRET, text.encode(), digest))}"


OURS = {"alg": "HS256", "kid": "test", "typ": "JWT"}


def test_forged_token_with_the_true_claims_would_open(anonymous, payload):
    """The helper makes what the service makes, so that every refusal below is for what is changed there."""
    token = signed(OURS, payload)

    assert anonymous.as_(token).get("/auth/me").status_code == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None])
def test_unsigned_token(refused, payload, algorithm):
    for header in ({**OURS, "alg": algorithm}, {"alg": algorithm}):
        start = f"{encoded(header)}.{encoded(payload)}"

        assert refused(f"Bearer {start}.") == "invalid_token"
        assert refused(f"Bearer {start}") == "invalid_token"
        assert refused(f"Bearer {signed(header, payload)}") == "invalid_token"


@pytest.mark.parametrize("algorithm", ["HS384", "HS512", "RS256", "ES256", "EdDSA", "PS256"])
def test_swapped_algorithm(refused, payload, algorithm):
    digest = {"HS384": "sha384", "HS512": "sha512"}.get(algorithm, "sha256")

    assert refused(f"Bearer {signed({**OURS, 'alg': algorithm}, payload, digest)}") == "invalid_token"


@pytest.mark.parametrize(
    "extra",
    [
        {"jku": "http://127.0.0.1:9/keys"},
        {"x5u": "http://127.0.0.1:9/cert"},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"kid": "../../../dev/null"},
        {"kid": "test' OR '1'='1"},
    ],
    ids=str,
)
def test_header_that_asks_for_another_key(refused, payload, extra):
    assert refused(f"Bearer {signed({**OURS, **extra}, payload)}") == "invalid_token"


def test_anothers_secret(refused, payload):
    for secret in (os.urandom(64), b"", b"secret", SECRET[:-1]):
        start = f"{encoded(OURS)}.{encoded(payload)}"
        signature = encoded(hmac.digest(secret, start.encode(), "sha256"))

        assert refused(f"Bearer {start}.{signature}") == "invalid_token"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"aud": "another service"}, "invalid_audience"),
        ({"aud": ["audience"]}, "invalid_audience"),
        ({"iss": "another issuer"}, "invalid_issuer"),
        ({"type": "refresh"}, "invalid_token_type"),
        ({"type": "admin"}, "invalid_token_type"),
        ({"aud": None}, "missing_required_claims"),
        ({"jti": None}, "missing_required_claims"),
        ({"sub": "nobody"}, "invalid_token"),
        ({"sub": "01970000-0000-7000-8000-0000000000ff"}, "invalid_token"),
        ({"sid": "01970000-0000-7000-8000-0000000000ff"}, "invalid_token"),
        ({"exp": "tomorrow"}, "invalid_token"),
        ({"exp": 10**30}, "invalid_token"),
        ({"exp": 1.5}, "invalid_token"),
    ],
    ids=str,
)
def test_claims_of_another_service_user_or_session(refused, payload, changed, code):
    """Even when signed with our key."""
    assert refused(f"Bearer {signed(OURS, payload | changed)}") == code


def test_session_of_another_user(refused, payload, bob):
    """A token that says alice and names bob's session is neither's."""
    theirs = jwt.decode(bob.token, options={"verify_signature": False})

    assert refused(f"Bearer {signed(OURS, payload | {'sid': theirs['sid']})}") == "invalid_token"


@pytest.mark.parametrize(
    ("seconds", "changed", "code"),
    [
        (900, {}, "token_expired"),
        (0, {"nbf": 60}, "token_not_yet_valid"),
        (0, {"iat": 61}, "invalid_token"),
        (0, {"iat": -86_400, "nbf": -86_400, "exp": -1}, "token_expired"),
    ],
    ids=str,
)
def test_out_of_its_time(refused, payload, clock, seconds, changed, code):
    clock.now += timedelta(seconds=seconds)

    token = signed(OURS, payload | {name: payload["iat"] + later for name, later in changed.items()})

    assert refused(f"Bearer {token}") == code


def test_last_second_still_counts(anonymous, alice, clock):
    clock.now += timedelta(seconds=899)

    assert alice.get("/auth/me").status_code == 200


def test_role_in_a_token_is_not_believed(anonymous, payload):
    """What counts is what the store says now, also under our own signature."""
    made_up = anonymous.as_(signed(OURS, payload | {"role": "admin"}))

    assert made_up.get("/users").status_code == 403
    assert made_up.get("/auth/me").json()["data"]["role"] == "user"


def test_refresh_token_is_no_access_token(refused, alice):
    assert refused(f"Bearer {alice.refresh_token}") == "invalid_token_type"


@pytest.mark.parametrize("path", ["/auth/refresh", "/auth/logout"])
def test_access_token_is_no_refresh_token(anonymous, alice, path):
    answer = anonymous.post(path, {"refresh_token": alice.token})

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token_type")
    assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
    assert alice.get("/auth/me").status_code == 200


@pytest.mark.parametrize("name", ["access_token", "token", "authorization", "bearer"])
def test_token_in_query_or_body(anonymous, refused, alice, shop, name):
    """RFC 6750 knows these places; what stands there is logged and cached, so nothing is taken from there."""
    form = f"{name}={alice.token}".encode()
    kinds = ("application/x-www-form-urlencoded", "application/json")

    assert refused(path=f"?{name}={alice.token}") == "invalid_token"
    for kind in kinds:
        answer = anonymous.post(f"/ledgers/{shop}/transactions", content=form, headers={"content-type": kind})
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert refused(json={"lines": [SALE], name: alice.token}) == "invalid_token"
    for header in ("cookie", "x-api-key", "x-access-token", "proxy-authorization"):
        answer = anonymous.get("/auth/me", headers={header: f"{name}={alice.token}"})
        assert answer.status_code == 401


def test_two_headers(refused, alice, bob):
    """Which of them counts, others on the way might see differently."""
    mine, theirs = f"Bearer {alice.token}", f"Bearer {bob.token}"

    for pair in ((mine, mine), (mine, theirs), (mine, ""), ("", mine), (mine, "Basic YTpi")):
        assert refused(*pair) == "invalid_token"


def test_scheme_counts_in_any_case_and_no_other_does(anonymous, refused, alice):
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert anonymous.get("/auth/me", headers={"authorization": f"{scheme} {alice.token}"}).status_code == 200
        assert refused(f"{scheme} {alice.token}x") == "invalid_token"
    for scheme in (
        "",
        "Basic ",
        "Token ",
        "JWT ",
        "Bearer:",
        "Bearer=",
        "Bearer\t",
        "Bearer\xa0",
        "Bear er ",
        "bearer,",
    ):
        assert refused(f"{scheme}{alice.token}".encode("latin-1")) == "invalid_token"


@pytest.mark.parametrize(
    "garbage",
    ["x", ".", ".x", "=", "==", ",", ", Bearer x", " x", ";", "%00", "%20", "\\", '"', "\x00", "\x7f", "\xff"],
)
def test_trailing_garbage(refused, alice, garbage):
    assert refused(f"Bearer {alice.token}{garbage}".encode("latin-1")) == "invalid_token"
    assert refused(f"Bearer {garbage}{alice.token}".encode("latin-1")) == "invalid_token"


@pytest.mark.parametrize("text", ["", "x", ".", "..", "...", "null", "undefined", "\xff\xfe", "{}", "a" * 4_097])
def test_what_is_no_token(refused, text):
    assert refused(f"Bearer {text}".encode("latin-1")) == "invalid_token"


def flipped(token: str, bit: int) -> bytes:
    """The token with one bit changed."""
    data = bytearray(token.encode())
    data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


def test_flipped_bits(anonymous, alice):
    """A sample of them all over the token, each alone; all of them are tried beside the signer."""
    bits = random.Random(7).sample(range(8 * len(alice.token)), FLIPS)

    answers = [
        anonymous.get("/auth/me", headers=[("authorization", b"Bearer " + flipped(alice.token, bit))]) for bit in bits
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(401, "invalid_token")}


class TestServiceKeys:
    """Keys that are nearly, or not yet, or no more, somebody's."""

    @pytest.fixture
    def key(self, alice) -> str:
        key: str = alice.post("/tokens", {"name": "till", "scopes": ["profile:read"]}).json()["data"]["key"]
        return key

    def test_one_changed_character_is_known_without_asking_the_store(self, service, anonymous, key):
        service.identity.store.looked_up = 0
        for place, letter in enumerate(key):
            mistyped = key[:place] + ("x" if letter != "x" else "y") + key[place + 1 :]

            answer = anonymous.as_(mistyped).get("/auth/me")

            assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
            assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
        assert service.identity.store.looked_up == 0
        assert anonymous.as_(key).get("/auth/me").status_code == 200
        assert service.identity.store.looked_up == 1

    def test_key_that_nobody_has_is_refused_as_one_that_is_mistyped(self, anonymous, refused, key):
        for environment in ("test", "live", "", "TEST"):
            assert refused(f"Bearer {new_key(environment, os.urandom(32))}") == "invalid_token"

    def test_shortened_lengthened_or_respelt_key(self, refused, key):
        for wrong in (
            key[:-1],
            key + "0",
            key[3:],
            key.upper(),
            key.lower(),
            key.replace("lc_", "lc__"),
            f"{key}.{key}",
        ):
            assert refused(f"Bearer {wrong}") == "invalid_token"

    def test_revoked_key_is_told_so(self, alice, refused, key):
        [token] = alice.get("/tokens").json()["data"]
        alice.delete(f"/tokens/{token['id']}")

        assert refused(f"Bearer {key}") == "token_revoked"
