"""Headers that every answer of the identity routes has, whatever its status."""

import pytest

from ledgercore.rate_limits import Quota
from ledgercore_http import Limits

ALWAYS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "permissions-policy": "geolocation=(), microphone=(), camera=()",
    "cache-control": "no-store",
}
NOBODY = "01970000-0000-7000-8000-00000000abcd"


@pytest.fixture
def limits(tight):
    """Generous but for logins."""
    many = Quota(1_000, tight.period)
    return Limits(per_address=many, per_user=many, per_token=many, logins=tight)


@pytest.fixture
def answers(anonymous, ada, alice, tight):
    """An answer of every status that an identity route gives, by its status."""
    login = {"email": alice.email, "password": "wrong horse battery"}
    user = {
        "email": "dora@example.com",
        "full_name": "Dora",
        "password": "password123!",
        "password_confirmation": "password123!",
    }
    found = [
        alice.get("/profile"),
        anonymous.post("/users", user),
        alice.put("/profile", {}),
        anonymous.get("/profile"),
        alice.get("/users"),
        ada.get(f"/users/{NOBODY}"),
        alice.request("PATCH", "/api/v1/profile"),
        anonymous.post("/users", user),
        anonymous.request("POST", "/api/v1/users", content=b"x" * 1_100_000),
        alice.get("/profile?" + "x" * 2_100),
        anonymous.request("POST", "/api/v1/users", content=b"{}", headers={"content-type": "text/plain"}),
        ada.put(f"/users/{ada.user_id}", {"role": "user"}),
        *(anonymous.post("/auth/login", login) for _ in range(tight.limit + 1)),
        alice.get("/profile", headers={"x-padding": "x" * 9_000}),
    ]
    return {answer.status_code: answer for answer in found}


def test_are_complete_on_every_status(answers):
    assert sorted(answers) == [200, 201, 400, 401, 403, 404, 405, 409, 413, 414, 415, 422, 429, 431]
    for answer in answers.values():
        for name, value in ALWAYS.items():
            assert answer.headers[name] == value, answer.status_code
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["x-xss-protection"] == "0"
        assert "strict-transport-security" not in answer.headers
        assert "server" not in answer.headers


def test_errors_are_problem_details_that_name_their_request(answers):
    for status, answer in answers.items():
        if status < 400:
            continue
        body = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert {
            "type",
            "title",
            "status",
            "detail",
            "instance",
            "code",
            "reason",
            "category",
            "retryable",
        } <= body.keys()
        assert (body["status"], body["code"]) == (status, body["reason"])
        assert body["instance"] == f"req_{answer.headers['x-correlation-id']}"


def test_rate_headers_are_on_whatever_counted(answers):
    for status in (200, 201, 400, 401, 403, 404, 409, 415, 422, 429):
        assert {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"} <= answers[status].headers.keys()


def test_only_what_may_be_repeated_says_when(answers):
    assert [status for status, answer in answers.items() if "retry-after" in answer.headers] == [429]


@pytest.mark.parametrize(
    ("sent", "kept"), [("abc-123", True), ("x" * 128, True), ("x" * 129, False), ("two words", False), ("a;b", False)]
)
def test_correlation_id_comes_back_if_it_is_one(anonymous, sent, kept):
    answer = anonymous.get("/problems/not_found", headers={"x-correlation-id": sent})

    echoed = answer.headers["x-correlation-id"]
    assert (echoed == sent) is kept
    assert kept or len(echoed) == 32
