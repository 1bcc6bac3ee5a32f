"""The Monzo-shaped API, as the public documentation has it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from ledgercore_sandbox import CLIENT_ID

from .conftest import CHALLENGE, REDIRECT, VERIFIER, Monzo, code_of


def test_a_customer_logs_in_on_a_page_and_is_sent_back_with_a_code(monzo):
    query = {"client_id": CLIENT_ID, "redirect_uri": REDIRECT, "response_type": "code", "state": '"><b>'}
    url = monzo.sandbox.monzo_url + "/authorize"
    second = [account["customer_id"] for account in monzo.sandbox.control.accounts()][-1]

    page = monzo.http.get(url, params=query)
    approved = monzo.http.post(url, data=query | {"customer": second, "decision": "yes"})
    denied = monzo.http.post(url, data=query | {"customer": second, "decision": "no"})

    assert page.headers["content-type"].startswith("text/html")
    assert "Ann Archer" in page.text
    assert "Ben Baker" in page.text
    assert "<b>" not in page.text.replace(f"<b>{CLIENT_ID}</b>", "")
    assert denied.headers["location"] == REDIRECT + "&error=access_denied&state=%22%3E%3Cb%3E"
    monzo.tokens = monzo.exchange(approved.headers["location"].partition("code=")[2].partition("&")[0]).json()
    assert monzo.get("/ping/whoami").json() == {"authenticated": True, "client_id": CLIENT_ID, "user_id": second}


def test_a_request_that_cannot_be_trusted_goes_back_to_nobody(monzo):
    query = {"client_id": CLIENT_ID, "redirect_uri": REDIRECT, "response_type": "code"}
    url = monzo.sandbox.monzo_url + "/authorize"

    for wrong in (
        {"client_id": "other"},
        {"redirect_uri": "javascript:alert(1)"},
        {"auto": "yes", "customer": "nobody"},
    ):
        answer = monzo.http.get(url, params=query | wrong)

        assert (answer.status_code, "location" in answer.headers) == (400, False)


def test_a_refused_authorization_is_told_to_the_client(monzo):
    assert monzo.authorize(response_type="token")["error"] == "unsupported_response_type"
    assert monzo.authorize(code_challenge="x", code_challenge_method="plain")["error"] == "invalid_request"
    assert monzo.authorize(auto="no")["error"] == "access_denied"


def test_a_code_is_good_once_and_its_second_use_costs_the_first(monzo):
    code = monzo.authorize()["code"]
    monzo.tokens = monzo.exchange(code).json()
    assert monzo.get("/accounts").status_code == 200

    again = monzo.exchange(code)

    assert (again.status_code, again.json()["error"]) == (401, "invalid_grant")
    assert code_of(monzo.get("/accounts")) == "unauthorized.bad_access_token.evicted"
    assert monzo.refresh(monzo.tokens["refresh_token"]).status_code == 401


def test_a_code_is_refused_to_whoever_it_was_not_given_to(monzo):
    for form, error in (
        ({"redirect_uri": "http://localhost:9/elsewhere"}, "invalid_grant"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "other"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ):
        assert monzo.exchange(monzo.authorize()["code"], **form).json()["error"] == error
    assert monzo.exchange("nonsense").json()["error"] == "invalid_grant"
    assert monzo.refresh("nonsense").json()["error"] == "invalid_grant"


def test_a_challenge_has_to_be_met(monzo):
    first, second, third = (
        monzo.authorize(code_challenge=CHALLENGE, code_challenge_method="S256")["code"] for _ in range(3)
    )

    assert monzo.exchange(first, code_verifier="another").json()["error"] == "invalid_grant"
    assert monzo.exchange(second).json()["error"] == "invalid_grant"
    assert monzo.exchange(third, code_verifier=VERIFIER).json()["token_type"] == "Bearer"


def test_a_code_lasts_ten_minutes(monzo):
    code = monzo.authorize()["code"]
    monzo.sandbox.control.advance(601)

    assert monzo.exchange(code).json()["error"] == "invalid_grant"


def test_an_access_token_expires_and_a_refresh_token_renews_it_once(monzo):
    monzo.log_in()
    monzo.sandbox.control.advance(monzo.tokens["expires_in"])
    assert code_of(monzo.get("/accounts")) == "unauthorized.bad_access_token.expired"

    used = monzo.tokens["refresh_token"]
    monzo.tokens = monzo.refresh(used).json()
    assert monzo.get("/accounts").status_code == 200
    again = monzo.refresh(used)

    assert again.status_code == 401
    assert code_of(monzo.get("/accounts")) == "unauthorized.bad_access_token.evicted"
    assert monzo.refresh(monzo.tokens["refresh_token"]).status_code == 401


def test_a_client_has_one_access_token_of_a_customer_at_a_time(monzo, sandbox, http):
    """As Monzo says of itself: a new token makes those before it worthless."""
    monzo.log_in()
    newer = Monzo(sandbox, http).log_in()

    assert code_of(monzo.get("/accounts")) == "unauthorized.bad_access_token.evicted"
    assert newer.get("/accounts").status_code == 200


def test_nothing_is_seen_before_the_customer_approves_in_the_app(monzo):
    monzo.log_in(auto="later")

    assert monzo.get("/ping/whoami").status_code == 200
    waiting = monzo.get("/accounts")
    monzo.sandbox.control.approve()

    assert (waiting.status_code, code_of(waiting)) == (403, "forbidden.insufficient_permissions")
    assert monzo.get("/accounts").status_code == 200


def test_without_a_good_token_there_is_nothing(monzo):
    bare = monzo.http.get(monzo.sandbox.monzo_url + "/accounts")
    monzo.tokens = {"access_token": "made-up"}
    made_up = monzo.get("/accounts")

    assert [bare.status_code, made_up.status_code] == [401, 401]
    assert made_up.json() == {
        "code": "unauthorized.bad_access_token",
        "message": "Access token is not known",
        "error": "invalid_token",
        "error_description": "Access token is not known",
    }


def test_a_revoked_login_is_over(monzo):
    monzo.log_in()
    monzo.sandbox.control.revoke(monzo.tokens["user_id"])

    assert monzo.get("/accounts").status_code == 401
    assert monzo.refresh(monzo.tokens["refresh_token"]).status_code == 401


def test_pages_behind_a_row_tell_each_transaction_once_in_order(monzo):
    monzo.log_in()
    seen, since = [], "2020-01-01T00:00:00Z"
    while page := monzo.rows(since=since, limit=7):
        seen += page
        since = page[-1]["id"]

    assert len(seen) == len({row["id"] for row in seen}) == 30
    assert [row["created"] for row in seen] == sorted(row["created"] for row in seen)
    assert {row["settled"] == "" for row in seen[-3:]} == {True}
    assert {row["settled"] == "" for row in seen[:-3]} == {False}


def test_times_limit_what_is_told(monzo):
    monzo.log_in()
    rows = monzo.rows(since="2020-01-01T00:00:00Z")

    between = monzo.rows(since=rows[4]["created"], before=rows[9]["created"])
    newest = monzo.rows(limit=2)
    monzo.sandbox.control.make_transaction(monzo.account_id(), amount_minor=-1)

    assert len(monzo.rows()) == 30
    assert len(monzo.rows(limit=100)) == 31
    assert [row["id"] for row in between] == [row["id"] for row in rows[4:9]]
    assert [row["id"] for row in newest] == [row["id"] for row in rows[-2:]]


def test_the_balance_is_the_sum_of_all_that_is_not_declined(monzo):
    monzo.log_in()
    account_id, control = monzo.account_id(), monzo.sandbox.control
    before = monzo.get("/balance", account_id=account_id).json()
    assert before["balance"] == 100_000 + sum(row["amount"] for row in monzo.rows())

    kept = control.make_transaction(account_id, amount_minor=-500)
    control.decline(control.make_transaction(account_id, amount_minor=-9_900))
    after = monzo.get("/balance", account_id=account_id).json()

    assert after["balance"] == before["balance"] - 500
    assert after["spend_today"] == before["spend_today"] - 500
    declined = monzo.rows()[-1]
    assert (declined["decline_reason"], declined["settled"]) == ("INSUFFICIENT_FUNDS", "")
    assert "decline_reason" not in monzo.get(f"/transactions/{kept}").json()["transaction"]


def test_settlement_may_change_amount_and_id(monzo):
    monzo.log_in()
    account_id, control = monzo.account_id(), monzo.sandbox.control
    pending = control.make_transaction(account_id, amount_minor=-500)
    balance = monzo.get("/balance", account_id=account_id).json()["balance"]

    booked = control.settle(pending, amount_minor=-650, new_id="tx_0000new")

    row = monzo.get(f"/transactions/{booked}").json()["transaction"]
    assert (row["id"], row["amount"], row["settled"]) == ("tx_0000new", -650, "2026-03-01T12:00:00.000Z")
    assert monzo.get(f"/transactions/{pending}").status_code == 404
    assert monzo.get("/balance", account_id=account_id).json()["balance"] == balance - 150
    # The place of the one that is gone still marks where to go on.
    assert [row["id"] for row in monzo.rows(since=pending)] == ["tx_0000new"]


def test_old_history_closes_five_minutes_after_logging_in(monzo):
    monzo.log_in()
    oldest = monzo.rows(since="2020-01-01T00:00:00Z")[0]
    account_id = monzo.account_id()
    monzo.sandbox.control.advance(301)

    closed = monzo.get("/transactions", account_id=account_id, since="2020-01-01T00:00:00Z")
    behind_old = monzo.get("/transactions", account_id=account_id, since=oldest["id"])
    everything = monzo.get("/transactions", account_id=account_id)
    recent = monzo.get("/transactions", account_id=account_id, since="2026-01-01T00:00:00Z")
    monzo.tokens = monzo.refresh(monzo.tokens["refresh_token"]).json()
    refreshed = monzo.get("/transactions", account_id=account_id, since="2020-01-01T00:00:00Z")

    assert [each.status_code for each in (closed, behind_old, everything, recent, refreshed)] == [
        403,
        403,
        403,
        200,
        403,
    ]
    assert code_of(closed) == "forbidden.verification_required"


def test_malformed_questions_are_refused(monzo):
    monzo.log_in()
    account_id = monzo.account_id()

    for query, code in (
        ({"account_id": ""}, "bad_request.missing_param.account_id"),
        ({"account_id": "acc_of_nobody"}, "not_found.account"),
        ({"limit": "101"}, "bad_request.bad_param.limit"),
        ({"limit": "0"}, "bad_request.bad_param.limit"),
        ({"since": "yesterday"}, "bad_request.bad_param.since"),
        ({"since": "2026-01-01T00:00:00"}, "bad_request.bad_param.since"),
        ({"since": "tx_unknown"}, "bad_request.bad_param.since"),
        ({"before": "tx_unknown"}, "bad_request.bad_param.before"),
    ):
        assert code_of(monzo.get("/transactions", **{"account_id": account_id} | query)) == code


def test_another_customers_things_are_not_there(monzo):
    monzo.log_in()
    [other] = [
        each["id"]
        for each in monzo.sandbox.control.accounts()
        if each["bank"] == "monzo" and each["customer_id"] != monzo.tokens["user_id"]
    ]
    row = monzo.sandbox.control.make_transaction(other, amount_minor=-1)

    assert monzo.get("/balance", account_id=other).status_code == 404
    assert monzo.get(f"/transactions/{row}").status_code == 404
    assert monzo.call("DELETE", "/webhooks/webhook_none").status_code == 404
    assert monzo.call("PUT", "/accounts").json()["code"] == "method_not_allowed"
    assert monzo.get("/attachment").json()["code"] == "not_found"


def test_feed_items_and_webhooks_need_their_parameters(monzo):
    monzo.log_in()
    account = {"account_id": monzo.account_id()}

    assert code_of(monzo.call("POST", "/feed", data=account)) == "bad_request.missing_param.type"
    assert code_of(monzo.call("POST", "/webhooks", data=account)) == "bad_request.missing_param.url"
    assert code_of(monzo.call("POST", "/webhooks", data=account | {"url": "ftp://x"})) == "bad_request.bad_param.url"
    assert monzo.get("/accounts", account_type="uk_prepaid").json() == {"accounts": []}


def test_webhooks_hear_of_new_transactions_and_are_tried_again(monzo):
    """The first delivery is refused, and comes once more."""
    heard, arrived = [], threading.Event()

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self):
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if len(heard) == 1 else 200)
            self.end_headers()
            if len(heard) == 2:
                arrived.set()

        def log_message(self, *_):
            """Say nothing."""

    monzo.log_in()
    account_id = monzo.account_id()
    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}/hook"
        webhook = monzo.call("POST", "/webhooks", data={"account_id": account_id, "url": url}).json()["webhook"]
        row = monzo.sandbox.control.make_transaction(account_id, amount_minor=-350, description="OZONE COFFEE")
        assert arrived.wait(10)
        server.shutdown()

    assert monzo.get("/webhooks", account_id=account_id).json() == {"webhooks": [webhook]}
    assert monzo.call("DELETE", f"/webhooks/{webhook['id']}").json() == {}
    assert monzo.get("/webhooks", account_id=account_id).json() == {"webhooks": []}
    assert heard[0] == heard[1]
    assert (heard[0]["type"], heard[0]["data"]["id"], heard[0]["data"]["amount"]) == ("transaction.created", row, -350)
