"""What nobody should send, to every identity route that reads a body: refused as what it is, and nothing changes."""

import json
from typing import Any

import pytest

NOBODY = "01970000-0000-7000-8000-00000000abcd"
GOOD: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/auth/login"): {"email": "alice@example.com", "password": "correct horse battery"},
    ("POST", "/auth/refresh"): {"refresh_token": "x"},
    ("POST", "/auth/logout"): {"refresh_token": "x"},
    ("POST", "/users"): {
        "email": "d@example.com",
        "full_name": "D",
        "password": "password123!",
        "password_confirmation": "password123!",
    },
    ("POST", "/users/admin"): {
        "email": "d@example.com",
        "full_name": "D",
        "password": "password123!",
        "password_confirmation": "password123!",
    },
    ("PUT", "/users/{me}"): {"full_name": "A"},
    ("PUT", "/profile"): {"full_name": "A"},
    ("PUT", "/profile/password"): {
        "current_password": "correct horse battery",
        "new_password": "another horse battery",
        "password_confirmation": "another horse battery",
    },
    ("POST", "/tokens"): {"name": "robot", "scopes": ["ledger:read"]},
    ("POST", "/ledgers"): {"name": "shop"},
    ("PUT", "/ledgers/{ledger}/members/{me}"): {"access": "owner"},
}
ROUTES = pytest.mark.parametrize("route", GOOD, ids=lambda route: " ".join(route))


def told(answer):
    """The status and the reason of a refusal."""
    return answer.status_code, answer.json()["code"]


@pytest.fixture
def send(ada):
    """Sends bytes to a route as an admin, who owns a ledger."""
    ada.post("/ledgers", {"name": "book"})

    def send_(route, content, content_type="application/json", **headers):
        method, path = route
        path = path.replace("{me}", ada.user_id).replace("{ledger}", "book")
        return ada.request(method, f"/api/v1{path}", content=content, headers={"content-type": content_type, **headers})

    return send_


NO_OBJECTS = [
    (b"", "missing_fields"),
    (b"{", "invalid_json"),
    (b"[]", "invalid_json"),
    (b"null", "invalid_json"),
    (b'"text"', "invalid_json"),
    (b"{} {}", "invalid_json"),
    (b'{"email": NaN}', "invalid_json"),
    (b'\xef\xbb\xbf{"email": "x"}', "invalid_json"),
    (b'{"email": "x", "email": "y"}', "invalid_json"),
    (b'{"email": "x", "\\u0065mail": "y"}', "invalid_json"),
    (b'{"email": {"a": 1, "a": 2}}', "invalid_json"),
    (b'{"email":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "invalid_json"),
    (b'{"email":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001, "invalid_json"),
    (b'{"email": ' + b"9" * 5_000 + b"}", "invalid_json"),
    (b'{"email": "\xff"}', "invalid_encoding"),
    (b'{"email": "\xc0\xaf"}', "invalid_encoding"),
    (b'{"email": "\xed\xa0\x80"}', "invalid_encoding"),
    ('{"email": "x"}'.encode("utf-16"), "invalid_encoding"),
]


@ROUTES
def test_what_is_no_json_object_is_refused(send, route):
    for content, code in NO_OBJECTS:
        assert told(send(route, content)) == (400, code), content[:40]


@ROUTES
def test_another_content_type_is_refused(send, route):
    for content_type in ("text/plain", "", "application/xml", "application/json; charset=utf-16"):
        answer = send(route, json.dumps(GOOD[route]).encode(), content_type)

        assert told(answer) == (415, "unsupported_media_type"), content_type


@ROUTES
def test_unknown_field_is_refused(send, route):
    answer = send(route, json.dumps(GOOD[route] | {"surprise": 1}).encode())

    assert told(answer) == (400, "unknown_fields")
    assert answer.json()["details"]["field"] == "surprise"


@ROUTES
def test_body_that_is_too_large_is_refused(send, route):
    assert told(send(route, b'{"email": "' + b"x" * 1_048_576 + b'"}')) == (413, "payload_too_large")


ODDITIES: list[Any] = [
    None, True, 0, -1, 10**40, 1.5, "", " ", "\x00", "a\x00b", "\ud800", "a\udfffb", "\u202e", "\u2028", [], [[]],
    ["\ud800"], {}, {"\ud800": 1}, "x" * 10_000, "'; --", "{{7*7}}", "../../etc/passwd",
]  # fmt: skip


@ROUTES
def test_whatever_a_field_holds_the_answer_is_no_failure_of_ours(send, route):
    """JSON can carry NUL and lone surrogates as escapes; nothing that cannot be stored gets as far as that."""
    for field in GOOD[route]:
        for value in ODDITIES:
            answer = send(route, json.dumps(GOOD[route] | {field: value}).encode())

            assert answer.status_code < 500, (field, value, answer.text)
            if answer.status_code >= 400:
                assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("route", "field", "code"),
    [
        (("POST", "/users"), "email", "invalid_email_format"),
        (("POST", "/users"), "full_name", "invalid_name_format"),
        (("PUT", "/profile"), "full_name", "invalid_name_format"),
        (("PUT", "/users/{me}"), "full_name", "invalid_name_format"),
        (("POST", "/tokens"), "name", "invalid_name_format"),
        (("POST", "/ledgers"), "name", "invalid_ledger_name"),
        (("PUT", "/ledgers/{ledger}/members/{me}"), "access", "invalid_access"),
    ],
    ids=str,
)
@pytest.mark.parametrize("value", ["a\x00b@example.com", "a\ud800b@example.com", 17, ["x"]], ids=ascii)
def test_what_cannot_be_stored_or_is_no_text_is_refused_by_name(send, route, field, code, value):
    assert told(send(route, json.dumps(GOOD[route] | {field: value}).encode())) == (400, code)


@pytest.mark.parametrize("bad", ["nul\x00in the middle", "lone \ud800 surrogate", "tail \udc00"], ids=ascii)
def test_passwords_that_utf_8_cannot_carry_are_refused(send, bad):
    body = GOOD["POST", "/users"] | {"password": bad, "password_confirmation": bad}

    assert told(send(("POST", "/users"), json.dumps(body).encode())) == (400, "invalid_password_format")


def test_malformed_bodies_are_in_the_audit_log_once_a_minute(send, ada):
    for _ in range(3):
        send(("PUT", "/profile"), b"{")

    [entry] = ada.get("/audit?action=malformed_json_request").json()["data"]
    assert entry["actor"] == f"user:{ada.user_id}"
