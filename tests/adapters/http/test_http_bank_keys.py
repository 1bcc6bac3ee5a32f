"""Idempotency keys on what changes the bank: a repeat gets the same bytes and moves nothing, and of twins one acts."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from ledgercore.identity.access import Operator
from ledgercore.testing.banking_people import stored_login
from ledgercore.testing.payments_people import funded_account
from ledgercore_http import create_app
from ledgercore_http.schemas.banking import ACCOUNT_ASKED_EXAMPLE, BANK_ASKED_EXAMPLE, BRANCH_ASKED_EXAMPLE
from ledgercore_http.schemas.payments import NEW_PAYMENT_EXAMPLE
from ledgercore_http.schemas.statements import FILE_EXAMPLE

TWINS = 8
HOOK = {"url": "https://example.com/hook"}
FILE = {"content-type": "text/plain"}


REQUESTS = (
    "create_payment", "create_webhook", "import_statements", "connect_bank", "create_bank_account", "create_bank",
    "create_branch",
)  # fmt: skip


class Desk:
    """Alice's things at the bank, and the requests that make more of them."""

    def __init__(self, service: Any, alice: Any, ada: Any, shop: str) -> None:
        user = service.identity.users.get(UUID(alice.user_id), by=Operator())
        self.alice, self.ada, self.shop = alice, ada, shop
        self.account = funded_account(service.bank.store, "500", ledger=service.bank.ledger, user=user)
        self.login = stored_login(service.bank.store, user=user)
        self.bank = ada.post("/banks", BANK_ASKED_EXAMPLE).json()["data"]["id"]
        self.branch = ada.post(f"/banks/{self.bank}/branches", BRANCH_ASKED_EXAMPLE).json()["data"]["id"]
        alice.post(f"/ledgers/{shop}/accounts", {"account": "assets:bank", "currency": "EUR"})

    def asked(self, **fields: Any) -> dict[str, Any]:
        return {**NEW_PAYMENT_EXAMPLE, "user_bank_account_id": str(self.account.id), **fields}

    def send(self, name: str, *, another: bool = False) -> Any:
        """One of the requests under a key of its own; or another one under that."""
        if name == "create_payment":
            return self.alice.post("/payments", self.asked(amount="7" if another else "12.50"), key=name)
        if name == "create_webhook":
            return self.alice.post("/webhook-endpoints", {**HOOK, "types": []} if another else HOOK, key=name)
        if name == "import_statements":
            path = f"/ledgers/{self.shop}/statements?account=assets:bank&file_name={another}"
            return self.alice.post(path, content=FILE_EXAMPLE, headers=FILE, key=name)
        if name == "connect_bank":
            body = {"bank_branch_id": self.branch, "username": "alice02" if another else "alice01"}
            return self.alice.post("/bank-logins", body, key=name)
        if name == "create_bank_account":
            body = {**ACCOUNT_ASKED_EXAMPLE, "user_bank_login_id": str(self.login.id)}
            return self.alice.post("/accounts", {**body, "account_name": f"Pots {another}"}, key=name)
        if name == "create_bank":
            return self.ada.post("/banks", {**BANK_ASKED_EXAMPLE, "name": "Two", "code": f"TWO_{another:d}"}, key=name)
        assert name == "create_branch"
        return self.ada.post(f"/banks/{self.bank}/branches", {"name": f"Branch {another}", "country": "GB"}, key=name)

    def count(self, name: str) -> int:
        """How many there are of what the request makes."""
        path = {
            "create_payment": "/payments",
            "create_webhook": "/webhook-endpoints",
            "import_statements": f"/ledgers/{self.shop}/statements",
            "connect_bank": "/bank-logins",
            "create_bank_account": "/accounts",
            "create_bank": "/banks",
            "create_branch": f"/banks/{self.bank}/branches",
        }[name]
        return len(self.alice.get(path).json()["data"])


@pytest.fixture
def desk(service, alice, ada, shop) -> Desk:
    return Desk(service, alice, ada, shop)


def test_repeat_is_answered_byte_for_byte_and_another_request_refused(desk):
    for name in REQUESTS:
        before = desk.count(name)

        first, again = (desk.send(name) for _ in range(2))
        other = desk.send(name, another=True)

        assert first.status_code == 201, first.text
        assert "idempotency-replayed" not in first.headers
        assert (again.status_code, again.content) == (first.status_code, first.content), name
        assert again.headers["idempotency-replayed"] == "true"
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused"), name
        assert desk.count(name) == before + 1, name


def test_of_twins_one_acts(desk):
    """All get its answer, a secret in it too."""
    for name in REQUESTS:
        before = desk.count(name)

        with ThreadPoolExecutor(TWINS) as pool:
            answers = list(pool.map(desk.send, [name] * TWINS))

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1, name
        assert sum("idempotency-replayed" in answer.headers for answer in answers) == TWINS - 1, name
        assert desk.count(name) == before + 1, name


@pytest.mark.parametrize("keys", [["pay"] * TWINS, [f"pay-{n}" for n in range(TWINS)]], ids=["one key", "many keys"])
def test_payment_is_processed_once_by_twins(desk, alice, keys):
    """Under one key all are told so; under keys of their own all but one come too late."""
    id = desk.send("create_payment").json()["data"]["id"]

    with ThreadPoolExecutor(TWINS) as pool:
        answers = list(pool.map(lambda key: alice.post(f"/payments/{id}/process", key=key), keys))

    done = [answer for answer in answers if answer.status_code == 200]
    assert len(done) == (TWINS if len(set(keys)) == 1 else 1)
    assert {answer.json()["code"] for answer in answers if answer not in done} <= {"already_processed"}
    assert alice.get(f"/accounts/{desk.account.id}").json()["data"]["balance"] == "512.50"


def test_same_file_at_once_is_imported_once(desk, alice):
    """Without a key too: lines are known by what they say."""
    path = f"/ledgers/{desk.shop}/statements?account=assets:bank"

    with ThreadPoolExecutor(TWINS) as pool:
        answers = list(pool.map(lambda _: alice.post(path, content=FILE_EXAMPLE, headers=FILE), range(TWINS)))

    told = [answer.json()["data"][0] for answer in answers]
    assert sorted(each["is_new"] for each in told) == [False] * (TWINS - 1) + [True]
    assert len({each["id"] for each in told}) == 1
    assert desk.count("import_statements") == 1


def test_rotated_secret_is_told_again_under_its_key_and_only_there(desk, alice):
    path = f"/webhook-endpoints/{desk.send('create_webhook').json()['data']['id']}/rotate"

    first, again, another = (alice.post(path, key=key).json()["data"]["secret"] for key in ("a", "a", "b"))

    assert first == again != another


def test_repeat_asks_nobody_outside_again(service, client_of, desk, alice):
    """What goes before the unit of work is not done for an answer that is kept."""
    calls = []

    def counting(data: bytes, **options: Any) -> Any:
        calls.append(data)
        return service.bank.statement_reader(data, **options)

    app = create_app(evolve(service, bank=evolve(service.bank, statement_reader=counting)))
    desk.alice = client_of(app, alice.token)

    answers = [desk.send("import_statements", another=other) for other in (False, False, True)]
    app.drain()

    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert len(calls) == 1
