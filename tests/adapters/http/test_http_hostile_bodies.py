"""What nobody should send, to every route of identity and of the bank that reads a body: refused as what it is."""

import json
from typing import Any

import pytest

from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR
from ledgercore.testing.events_webhooks import endpoint_of
from ledgercore.testing.ledgers import MONDAY, StoppedClock
from ledgercore.testing.payments_people import funded_account, payment, stored_payments
from ledgercore_http import create_app
from ledgercore_http.schemas import banking, payments, statements, webhooks

PASSWORD = "correct horse battery"
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
    ("POST", "/ledgers/{ledger}/reconciliation/assets:bank/runs"): statements.RULES_EXAMPLE,
    ("POST", "/ledgers/{ledger}/reconciliation/assets:bank/matches"): statements.MATCH_ASKED_EXAMPLE,
    ("POST", "/payments"): {**payments.NEW_PAYMENT_EXAMPLE, "user_bank_account_id": "{account}"},
    ("POST", "/payments/validate"): {**payments.NEW_PAYMENT_EXAMPLE, "user_bank_account_id": "{account}"},
    ("POST", "/payments/{payment}/return"): payments.RETURN_EXAMPLE,
    ("POST", "/webhook-endpoints"): {**webhooks.WEBHOOK_ASKED_EXAMPLE, "ledger": "book"},
    ("PATCH", "/webhook-endpoints/{webhook}"): {**webhooks.WEBHOOK_ASKED_EXAMPLE, "status": "active"},
    ("POST", "/webhook-endpoints/{webhook}/replay"): webhooks.REPLAY_EXAMPLE,
    ("POST", "/banks"): {**banking.BANK_ASKED_EXAMPLE, "status": "ACTIVE", "logo_url": "https://example.com/logo"},
    ("PUT", "/banks/{bank}"): banking.BANK_ASKED_EXAMPLE,
    ("POST", "/banks/{bank}/branches"): {
        "name": "Main", "country": "GB", "iban": "GB82WEST12345698765432", "swift_code": "MONZGB2LXXX",
        "routing_number": "021000021",
    },
    ("POST", "/bank-logins"): {**banking.LOGIN_ASKED_EXAMPLE, "bank_branch_id": "{branch}"},
    ("POST", "/bank-logins/callback"): {"state": "x", "code": "y", "error": "access_denied"},
    ("POST", "/bank-logins/{login}/monzo-webhook"): {"type": "transaction.created"},
    ("POST", "/accounts"): {
        **banking.ACCOUNT_ASKED_EXAMPLE, "user_bank_login_id": "{login}", "external_account_id": "acc1",
        "iban": "GB82WEST12345698765432",
    },
    ("PUT", "/accounts/{account}"): {"account_name": "Pots", "status": "ACTIVE", "credit_limit": "1.00"},
}  # fmt: skip
ROUTES = pytest.mark.parametrize("route", GOOD, ids=lambda route: " ".join(route))


def told(answer):
    """The status and the reason of a refusal."""
    return answer.status_code, answer.json()["code"]


@pytest.fixture(scope="module")
def ada_for_all(open_service, client_of):
    """An admin, in a service that all these tests share."""
    with open_service(StoppedClock(MONDAY)) as service:
        app, identity = create_app(service), service.identity
        asked = {**GOOD["POST", "/users"], "email": "alice@example.com", "password": PASSWORD, "role": "admin"}
        user = identity.users.create({**asked, "password_confirmation": PASSWORD}, by=Operator(), actor=OPERATOR)
        client = client_of(app, identity.sign_in.login(user.email, PASSWORD, actor=OPERATOR).access_token)
        client.service, client.user = service, user
        yield client
        app.drain()


@pytest.fixture(scope="module")
def send(ada_for_all):
    """Sends bytes to a route as an admin, who owns a ledger and has one of everything at the bank."""
    ada, user, service = ada_for_all, ada_for_all.user, ada_for_all.service
    ada.post("/ledgers", {"name": "book"})
    ada.post("/ledgers/book/accounts", {"account": "assets:bank", "currency": "EUR"})
    store = service.bank.store
    account, webhook = funded_account(store, "500", ledger=service.bank.ledger, user=user), endpoint_of(user)
    paid = payment(account)
    stored_payments(store, paid)
    with store.begin() as work:
        work.webhooks.add(webhook)
        login = work.bank_logins.find(account.user_bank_login_id)
        branch = work.banks.find_branch(login.bank_branch_id)
    service.bank.payments.processing.process(paid.id, by=Operator(), actor=OPERATOR)
    names = {
        "{me}": user.id, "{ledger}": "book", "{account}": account.id, "{payment}": paid.id,
        "{webhook}": webhook.id, "{login}": login.id, "{branch}": branch.id, "{bank}": branch.bank_id,
    }  # fmt: skip

    def named(text):
        for name, id in names.items():
            text = text.replace(name, str(id))
        return text

    def send_(route, content, content_type="application/json", **headers):
        method, path = route[0], named(route[1])
        content = named(content.decode("latin-1")).encode("latin-1")
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


# Those who may leave the body out.
NONE_NEEDED = {route for route in GOOD if route[1].endswith(("/return", "/runs"))}


@ROUTES
def test_what_is_no_json_object_is_refused(send, route):
    for content, code in NO_OBJECTS[1:] if route in NONE_NEEDED else NO_OBJECTS:
        assert told(send(route, content)) == (400, code), content[:40]


@ROUTES
def test_another_content_type_is_refused(send, route):
    for content_type in ("text/plain", "", "application/xml", "application/json; charset=utf-16"):
        answer = send(route, json.dumps(GOOD[route]).encode(), content_type)

        assert told(answer) == (415, "unsupported_media_type"), content_type


@pytest.mark.parametrize(
    # Others send us what they like.
    "route", [route for route in GOOD if not route[1].endswith("webhook")], ids=lambda route: " ".join(route),
)  # fmt: skip
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


def test_malformed_bodies_are_in_the_audit_log_once_a_minute(ada):
    for _ in range(3):
        ada.put("/profile", content=b"{", headers={"content-type": "application/json"})

    [entry] = ada.get("/audit?action=malformed_json_request").json()["data"]
    assert entry["actor"] == f"user:{ada.user_id}"
