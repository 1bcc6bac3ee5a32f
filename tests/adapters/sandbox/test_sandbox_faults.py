"""What goes wrong on request, and who may request it."""

import asyncio

import httpx2
import pytest

from ledgercore_sandbox import Control, create_sandbox
from ledgercore_sandbox.bank import make_bank

from .conftest import NOW, code_of


def test_a_fault_happens_as_often_as_asked_and_only_on_its_path(monzo):
    monzo.log_in()
    account_id = monzo.account_id()
    monzo.sandbox.control.fault("500", times=2, path="/monzo/balance")

    elsewhere = monzo.get("/accounts").status_code
    answers = [monzo.get("/balance", account_id=account_id).status_code for _ in range(3)]

    assert (elsewhere, answers) == (200, [500, 500, 200])
    assert monzo.sandbox.control.faults() == []


def test_each_bank_refuses_in_its_own_words(monzo, berlin_group):
    monzo.log_in()
    berlin_group.log_in()

    def refused(call, kind, **options):
        monzo.sandbox.control.fault(kind, **options)
        answer = call.get("/accounts")
        return answer.status_code, code_of(answer), answer.headers.get("retry-after")

    assert refused(monzo, "429", seconds=7) == (429, "too_many_requests", "7")
    assert refused(monzo, "500") == (500, "internal_service", None)
    assert refused(monzo, "timeout", seconds=0) == (504, "timeout", None)
    assert refused(berlin_group, "429") == (429, "ACCESS_EXCEEDED", "1")
    assert refused(berlin_group, "500") == (500, "INTERNAL_SERVER_ERROR", None)


def test_a_slow_bank_answers_too_late(monzo):
    """Whoever waits less gives up; ending the sandbox does not wait for the answer either."""
    monzo.log_in()
    monzo.sandbox.control.fault("timeout", seconds=600)

    with pytest.raises(httpx2.TimeoutException):
        monzo.call("GET", "/accounts", timeout=0.05)

    assert monzo.get("/accounts").status_code == 200


def test_garbage_is_no_json_though_the_status_is_fine(monzo):
    monzo.log_in()
    monzo.sandbox.control.fault("garbage")

    answer = monzo.get("/accounts")

    assert answer.status_code == 200
    with pytest.raises(ValueError, match="Expecting value"):
        answer.json()


def test_a_token_expires_between_pages(monzo, berlin_group):
    monzo.log_in()
    berlin_group.log_in()
    account_id, cursor = monzo.account_id(), monzo.rows(limit=5)[-1]["id"]
    monzo.sandbox.control.fault("token_expiry_mid_page", path="/monzo")
    monzo.sandbox.control.fault("token_expiry_mid_page", path="/bg")

    following = berlin_group.report(itemsPerPage=10)["_links"]["next"]["href"]
    first, second = monzo.rows(limit=5), monzo.get("/transactions", account_id=account_id, since=cursor)

    assert len(first) == 5
    assert code_of(second) == "unauthorized.bad_access_token.expired"
    assert code_of(berlin_group.call("GET", following)) == "TOKEN_EXPIRED"
    monzo.tokens = monzo.refresh(monzo.tokens["refresh_token"]).json()
    assert monzo.get("/transactions", account_id=account_id, since=cursor).status_code == 200


def test_rows_stand_on_a_page_twice(monzo, berlin_group):
    monzo.log_in()
    berlin_group.log_in()
    once, booked = monzo.rows(limit=3), berlin_group.report()["booked"]
    monzo.sandbox.control.fault("duplicate_rows", times=2)

    assert monzo.rows(limit=3) == [row for row in once for _ in range(2)]
    assert berlin_group.report()["booked"] == [row for row in booked for _ in range(2)]
    assert monzo.rows(limit=3) == once


def test_a_row_turns_up_late(monzo):
    monzo.log_in()
    before = monzo.rows()
    balance = monzo.get("/balance", account_id=monzo.account_id()).json()["balance"]
    monzo.sandbox.control.fault("late_rows")

    told, after = monzo.rows(), monzo.rows()

    assert told == before
    [late] = [row for row in after if row not in before]
    assert late["created"] < before[-1]["created"]
    assert monzo.get("/balance", account_id=monzo.account_id()).json()["balance"] == balance + late["amount"]


def test_pending_rows_change_and_vanish_behind_the_page(berlin_group):
    berlin_group.log_in()
    account_id = berlin_group.account_id()
    berlin_group.sandbox.control.fault("amend_pending")
    first, second = berlin_group.report()["pending"], berlin_group.report()["pending"]
    berlin_group.sandbox.control.fault("drop_pending")
    third, fourth = berlin_group.report()["pending"], berlin_group.report()["pending"]

    def minor(row):
        return int(row["transactionAmount"]["amount"].replace(".", ""))

    assert minor(second[0]) == minor(first[0]) - 100
    assert second[1:] == first[1:]
    assert (third, fourth) == (second, second[:-1])
    [true] = [each for each in berlin_group.sandbox.control.accounts() if each["id"] == account_id]
    assert true["expected_minor"] - true["booked_minor"] == sum(minor(row) for row in fourth)


def test_nothing_pending_means_nothing_to_amend(berlin_group):
    """The fault waits for a page that has something pending."""
    berlin_group.log_in()
    control, account_id = berlin_group.sandbox.control, berlin_group.account_id()
    for row in control.transactions(account_id):
        if row["state"] == "pending":
            control.settle(row["id"])
    control.fault("amend_pending")

    assert berlin_group.report()["pending"] == []
    assert [fault["kind"] for fault in control.faults()] == ["amend_pending"]


def test_a_balance_is_told_wrong(monzo, berlin_group):
    monzo.log_in()
    berlin_group.log_in()
    own, other = monzo.account_id(), berlin_group.account_id()

    def balances():
        told = monzo.get("/balance", account_id=own).json()["balance"]
        [booked, _] = berlin_group.get(f"/accounts/{other}/balances").json()["balances"]
        return told, int(booked["balanceAmount"]["amount"].replace(".", ""))

    right = balances()
    monzo.sandbox.control.fault("wrong_balance", times=2)

    assert balances() == (right[0] + 100, right[1] + 100)
    assert balances() == right


class Levers:
    """Pulls the levers over HTTP."""

    def __init__(self, sandbox, http):
        self.sandbox, self.http = sandbox, http

    def get(self, path):
        return self.http.get(f"{self.sandbox.url}/control{path}").json()

    def post(self, path, /, **document):
        return self.http.post(f"{self.sandbox.url}/control{path}", json=document)


@pytest.fixture
def levers(sandbox, http):
    return Levers(sandbox, http)


def test_the_levers_are_there_over_http(levers):
    account_id = levers.get("/accounts")["accounts"][0]["id"]
    before = levers.get("/accounts")["accounts"][0]

    made = levers.post("/transactions", account_id=account_id, amount=-700, description="TAXI", counterparty="Taxi")
    settled = levers.post("/settle", id=made.json()["id"], amount=-800, new_id="tx_0000b", date="2026-02-28T09:00:00Z")
    booked = levers.post(
        "/transactions", account_id=account_id, amount=900, state="booked", date="2026-02-01T09:00:00Z"
    )
    declined = levers.post("/transactions", account_id=account_id, amount=-1).json()["id"]
    levers.post("/decline", id=declined, reason="CARD_BLOCKED")

    assert (made.status_code, settled.json(), booked.status_code) == (201, {"id": "tx_0000b"}, 201)
    after = levers.get("/accounts")["accounts"][0]
    assert after["booked_minor"] == before["booked_minor"] - 800 + 900
    assert after["transactions"] == before["transactions"] + 3
    states = {row["id"]: row for row in levers.get(f"/accounts/{account_id}/transactions")["transactions"]}
    assert states["tx_0000b"]["booked_at"] == "2026-02-28T09:00:00+00:00"
    assert states[declined]["state"] == "declined"
    assert levers.post("/clock/advance", seconds=60).json() == {"now": "2026-03-01T12:01:00+00:00"}
    assert levers.post("/approve").json() == {}
    assert levers.post("/revoke", customer_id=after["customer_id"]).json() == {}


def test_faults_are_listed_and_cleared_over_http(levers):
    levers.post("/faults", kind="429", times=2, path="/monzo", seconds=3)

    assert levers.get("/faults")["faults"] == [{"kind": "429", "times": 2, "path": "/monzo", "seconds": 3}]
    assert "amend_pending" in levers.get("/faults")["kinds"]
    assert levers.http.delete(f"{levers.sandbox.url}/control/faults").json() == {"faults": []}
    assert levers.get("/faults")["faults"] == []


def test_levers_refuse_what_they_cannot_do(levers):
    account_id = levers.get("/accounts")["accounts"][0]["id"]
    taken = levers.get(f"/accounts/{account_id}/transactions")["transactions"]
    pending = levers.post("/transactions", account_id=account_id, amount=-1).json()["id"]

    for path, document, status in (
        ("/faults", {"kind": "earthquake"}, 400),
        ("/faults", {"kind": "429", "times": "many"}, 400),
        ("/faults", {}, 400),
        ("/transactions", {"account_id": "nobody", "amount": 1}, 404),
        ("/transactions", {"account_id": account_id, "amount": True}, 400),
        ("/transactions", {"account_id": account_id, "amount": 1, "date": "2026-02-01"}, 400),
        ("/transactions", {"account_id": account_id, "amount": 1, "date": "soon"}, 400),
        ("/settle", {"id": "tx_nothing"}, 404),
        ("/settle", {"id": taken[0]["id"]}, 404),
        ("/settle", {"id": pending, "new_id": taken[0]["id"]}, 404),
    ):
        assert levers.post(path, **document).status_code == status, (path, document)
    assert levers.http.post(f"{levers.sandbox.url}/control/settle", content=b"{").status_code == 400
    assert levers.http.get(f"{levers.sandbox.url}/elsewhere").status_code == 404


def answer_status(app, peer):
    """The status of the application's answer to somebody elsewhere, asked in the way of ASGI."""
    told = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        told.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/control/accounts",
        "raw_path": b"/control/accounts",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"sandbox")],
        "client": peer,
        "server": ("sandbox", 80),
    }
    asyncio.run(app(scope, receive, send))
    return told[0]["status"]


def test_only_this_machine_pulls_the_levers():
    app = create_sandbox(transactions=0)
    peers = [("127.0.0.1", 5), ("::1", 5), ("203.0.113.9", 5), ("somewhere", 5), None]

    assert [answer_status(app, peer) for peer in peers] == [200, 200, 403, 403, 403]


def test_the_same_seed_makes_the_same_bank():
    """Names, numbers, amounts and times; another seed makes another bank."""

    def bank(seed):
        made = make_bank(clock=lambda: NOW, seed=seed, customers=7, accounts=1, transactions=40)
        control = Control(made)
        return [(account, control.transactions(account["id"])) for account in control.accounts()]

    assert bank(3) == bank(3) != bank(4)
    assert len({account["iban"] for account, _ in bank(3)}) == 14
