"""What counts as a secret, by name and by look; and what is left alone."""

import doctest
import time

import pytest

from ledgercore.errors.details import SENSITIVE_KEYS
from ledgercore_telemetry import redaction
from ledgercore_telemetry.redaction import DEPTH_MAX, REDACTED, TEXT_MAX, is_sensitive, masked, redacted

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl-_X"
SERVICE_TOKEN = "lc_4q7m2kd9xa_0123456789abcdefghijklmnopqrstuv"

SECRET_NAMES = [
    "password", "password_hash", "current_password", "new_password", "password_confirmation", "access_token",
    "refresh_token", "token", "authorization", "secret", "private_key", "api_key", "cookie",
    "Authorization", "Set-Cookie", "X-Api-Key", "jwt_secret", "Proxy-Authorization", "PASSWORD",
]  # fmt: skip


@pytest.mark.parametrize("name", [*SECRET_NAMES, *SENSITIVE_KEYS])
def test_secret_names_are_known(name):
    assert is_sensitive(name)


@pytest.mark.parametrize(
    "name", ["token_id", "password_changed_at", "idempotency_key", "key", "secretary", "token_prefix", "tokens", "path"]
)
def test_other_names_are_left_alone(name):
    assert not is_sensitive(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Bearer {JWT}", REDACTED),
        ("bearer   opaque+token/with=chars~", REDACTED),
        ("curl -H 'Authorization: Bearer abc' https://bank", "curl -H 'Authorization: [redacted]' https://bank"),
        (f"cannot read {JWT}, it is too old", f"cannot read {REDACTED}, it is too old"),
        (f"{JWT}.{JWT}", REDACTED),
        ("eyJhbGciOiJub25lIn0.eyJzdWIiOiI3In0.", REDACTED),
        (f"/login?next=%2F&t%3D{SERVICE_TOKEN}", f"/login?next=%2F&t%3D{REDACTED}"),
        (f"GET /docs?x={JWT} HTTP/1.1", f"GET /docs?x={REDACTED} HTTP/1.1"),
        ("/reset?token=abc&user=7", f"/reset?token={REDACTED}&user=7"),
        ("postgresql://app:p%40ss@db:5432/bank", f"postgresql://app:{REDACTED}@db:5432/bank"),
        ("postgresql://app:p@ss/w:rd@db/bank?sslmode=on", f"postgresql://app:{REDACTED}@db/bank?sslmode=on"),
        ("redis://:sesame@cache/0", f"redis://:{REDACTED}@cache/0"),
        ("host=db password=sesame dbname=bank", f"host=db password={REDACTED} dbname=bank"),
        (
            "User(id=7, password_hash='$argon2id$v=19$', role='user')",
            f"User(id=7, password_hash={REDACTED}, role='user')",
        ),
        ("{'new_password': 'it''s', 'a': 1}", f"{{'new_password': {REDACTED}'s', 'a': 1}}"),
        (r'{"secret": "with \"quotes\" in it", "a": 1}', f'{{"secret": {REDACTED}, "a": 1}}'),
        ("api-key: abc def\r\nHost: bank", f"api-key: {REDACTED}\r\nHost: bank"),
        ("Cookie: a=1; b=2", f"Cookie: {REDACTED}"),
        ("Authorization: Basic YWxpY2U6eA==", f"Authorization: {REDACTED}"),
    ],
)
def test_secrets_in_texts_are_masked(text, shown):
    assert masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Password updated successfully",
        "the token is too old: sign in again",
        "calc_interest_of(account=7)",
        "token prefix lc_4q7m2kd9",
        "https://bank.example:8080/api/users?sort=email:asc",
        "alice@example.com: 3 accounts",
        "Schlüssel für die Übersicht",
        "idempotency_key=order-1",
    ],
)
def test_ordinary_texts_are_left_alone(text):
    assert masked(text) == text


def test_secrets_are_masked_at_any_depth():
    value = {
        "users": [{"id": 7, "token": "x", "notes": (f"Bearer {JWT}", {"cookie": {"a": 1}})}],
        b"password": b"x",
        "headers": ((b"authorization", b"Basic x"), ("accept", "text/html")),
        f"Bearer {JWT}": None,
    }

    assert redacted(value) == {
        "users": [{"id": 7, "token": REDACTED, "notes": [REDACTED, {"cookie": REDACTED}]}],
        "password": REDACTED,
        "headers": [["authorization", REDACTED], ["accept", "text/html"]],
        REDACTED: None,
    }


def test_value_inside_itself_comes_to_an_end():
    loop: list = ["start"]
    loop.append(loop)

    shown = redacted(loop)

    assert str(shown).count("start") == DEPTH_MAX


def test_long_texts_are_cut_off():
    assert masked("x" * TEXT_MAX) == "x" * TEXT_MAX
    assert masked("x" * (TEXT_MAX + 1)) == "x" * TEXT_MAX + "…"


@pytest.mark.parametrize(
    "piece", ["://a:", "eyJ.", "token=", "Bearer ", "'token': '\\", "cookie :", "lc_", "://a:b@", "secret "]
)
def test_no_text_takes_long_to_search(piece):
    """A bound far from any timing: what grows with the square of the length would take minutes."""
    text = piece * (TEXT_MAX // len(piece)) + "@"
    started = time.process_time()

    masked(text)

    assert time.process_time() - started < 5


def test_examples_hold():
    assert doctest.testmod(redaction) == (0, 3)
