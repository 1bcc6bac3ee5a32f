"""Tenants cannot see one another: another's ledger is as one that is not there, and what is another's opens nothing.

alice owns `shop`; carol owns a ledger of her own and has got hold of every name and id that alice has.
"""

import json
from typing import Any

import pytest
from attrs import frozen

from ledgercore_http.resources.table import TABLES

SALE = {"debit": "assets:bank", "credit": "income:sales", "amount": "120.00", "currency": "EUR"}
HOLD = {"lines": [{**SALE, "amount": "20.00"}], "group": "alices-order"}
ABSENT = "01970000-0000-7000-8000-0000000000ff"
OF_A_LEDGER = [route for table in TABLES for route in table.table if route.access.ledger is not None]


@frozen(kw_only=True)
class Theirs:
    """What alice has in her ledger: names that carol was told."""

    ledger: str
    head: str
    cursor: str
    transaction: str
    hold: str
    token: str
    key: str
    member: str
    group: str = "alices-order"
    path: str = "assets:bank"


@pytest.fixture
def theirs(alice, bob, shop) -> Theirs:
    posted = [alice.post(f"/ledgers/{shop}/transactions", {"lines": [SALE]}, key=f"sale-{n}") for n in range(2)]
    hold = alice.post(f"/ledgers/{shop}/holds", HOLD)
    token = alice.post("/tokens", {"name": "till", "scopes": ["ledger:read", "ledger:write"]}, key="till")
    page = alice.get(f"/ledgers/{shop}/transactions?limit=1").json()
    return Theirs(
        ledger=shop,
        head=alice.get(f"/ledgers/{shop}/proofs/head").json()["data"]["head"],
        cursor=page["metadata"]["pagination"]["next_cursor"],
        transaction=posted[0].json()["data"]["id"],
        hold=hold.json()["data"]["id"],
        token=token.json()["data"]["id"],
        key="sale-0",
        member=bob.user_id,
    )


@pytest.fixture
def den(carol) -> str:
    """Carol's own ledger."""
    made = carol.post("/ledgers", {"name": "den", "settings": {"on_first_use": True}})
    name: str = made.json()["data"]["ledger"]
    return name


def seen_by_alice(alice, theirs: Theirs) -> list[Any]:
    """Everything of alice's that carol could have changed."""
    book = f"/ledgers/{theirs.ledger}"
    paths = (
        book,
        f"{book}/members",
        f"{book}/holds",
        f"{book}/transactions",
        f"{book}/accounts",
        "/tokens",
        "/ledgers",
    )
    found = [alice.get(path).json()["data"] for path in paths]
    for token in found[paths.index("/tokens")]:
        # Noted a little after each use.
        token.pop("last_used_at", None)
    return found


def thing_of(route, theirs: Theirs) -> dict[str, str]:
    """What alice's things are called in the path of a route."""
    ids = {"holds": theirs.hold, "tokens": theirs.token}
    return {
        "id": ids.get(route.tag, theirs.transaction),
        "user_id": theirs.member,
        "group": theirs.group,
        "path": theirs.path,
        "number": "1",
    }


def send(client, route, path: str, **options: Any) -> Any:
    """Send a request with the body of the route's example, unless another is given."""
    if route.body is not None:
        options.setdefault("json", route.body.example)
    return client.request(route.method, f"/api/v1{path}", **options)


def told(answer, *names: str) -> tuple[Any, ...]:
    """An answer, byte for byte, but for the name of the request, the time, and the names that were asked for."""
    text = answer.text
    body = answer.json()
    headers = {name: value for name, value in answer.headers.items() if name != "x-correlation-id"}
    for own in (body.get("instance"), body.get("correlation_id"), body.get("timestamp"), *names):
        if own:
            text = text.replace(own, "*")
    return answer.status_code, headers, text


class TestLedgers:
    """Another's ledger, on every route, is as one that is not there."""

    def check(self, client, theirs: Theirs, status: int) -> None:
        """Ask for alice's ledger and for one of no other shape, and compare the answers."""
        absent = "shop-" + "0" * len(theirs.ledger[5:])
        for route in OF_A_LEDGER:
            answers = [
                told(send(client, route, route.path.format(ledger=name, **thing_of(route, theirs))), name)
                for name in (theirs.ledger, absent)
            ]

            assert answers[0] == answers[1], route.name
            assert answers[0][0] == status, route.name

    def test_to_a_stranger(self, alice, carol, theirs, den):
        before = seen_by_alice(alice, theirs)

        self.check(carol, theirs, 404)

        assert seen_by_alice(alice, theirs) == before

    def test_to_nobody(self, anonymous, theirs):
        self.check(anonymous, theirs, 401)

    def test_to_a_token_of_its_owner_that_is_bound_to_another(self, alice, theirs):
        other = alice.post("/ledgers", {"name": "other"}).json()["data"]["ledger"]
        scopes = ["ledger:read", "ledger:write", "ledger:manage"]
        issued = alice.post("/tokens", {"name": "t", "scopes": scopes, "ledgers": [other]})
        before = seen_by_alice(alice, theirs)

        self.check(alice.as_(issued.json()["data"]["key"]), theirs, 404)

        assert seen_by_alice(alice, theirs) == before

    @pytest.mark.parametrize(
        "options",
        [
            {"content": b"{", "headers": {"content-type": "application/json"}},
            {"content": b"x", "headers": {"content-type": "text/plain"}},
            {"json": {}, "headers": {"idempotency-key": "sale-0"}},
            {"json": {}, "headers": {"idempotency-key": "k" * 300}},
            {"params": {"colour": "red"}},
        ],
        ids=["json", "type", "key", "bad key", "query"],
    )
    def test_whatever_else_is_wrong(self, carol, theirs, options):
        """The ledger is asked for first: other faults are told only to those who may know that it is there."""
        for route in OF_A_LEDGER:
            path = route.path.format(ledger=theirs.ledger, **thing_of(route, theirs))

            refused = send(carol, route, path, **{"json": None, **options})

            assert (refused.status_code, refused.json()["code"]) == (404, "ledger_not_found"), route.name

    def test_of_a_name_that_is_taken_by_another(self, carol, theirs):
        """Users' ledgers get an ending, so that a name being taken is never an answer."""
        mine = [carol.post("/ledgers", {"name": name}) for name in ("shop", "shop", theirs.ledger)]

        assert [each.status_code for each in mine] == [201] * 3
        assert theirs.ledger not in {each.json()["data"]["ledger"] for each in mine}


def test_anothers_id_is_as_one_that_is_not_there(alice, carol, theirs, den):
    """In one's own ledger nothing of another's is found: neither for reading nor for changing it."""
    absent = {"id": ABSENT, "user_id": ABSENT, "group": "nobody-order", "path": "assets:none", "number": "1"}
    before, own = seen_by_alice(alice, theirs), carol.get(f"/ledgers/{den}").json()["data"]

    # Whoever manages a ledger may let anybody in who has told them their id.
    for route in (each for each in OF_A_LEDGER if _names_a_thing(each) and each.name != "grant_membership"):
        answers = [
            told(send(carol, route, route.path.format(ledger=den, **names)), *names.values())
            for names in (thing_of(route, theirs), absent)
        ]

        assert answers[0] == answers[1], route.name
        assert answers[0][0] == 404, route.name
    assert seen_by_alice(alice, theirs) == before
    assert carol.get(f"/ledgers/{den}").json()["data"] == own


def _names_a_thing(route) -> bool:
    return any(thing in route.path for thing in ("{id}", "{group}", "{path}", "{user_id}"))


def test_batch_finds_nothing_of_anothers(alice, carol, theirs, den):
    before = seen_by_alice(alice, theirs)
    items = [
        {"type": "capture", "hold": theirs.hold},
        {"type": "void", "hold": theirs.hold},
        {"type": "reversal", "transaction": theirs.transaction},
        {"type": "group_void", "group": theirs.group},
        {"type": "account_change", "account": theirs.path, "status": "closed"},
    ]

    outcomes = carol.post(f"/ledgers/{den}/batches", {"items": items}).json()["data"]["outcomes"]

    assert [each["code"] for each in outcomes] == [
        "hold_not_found", "hold_not_found", "transaction_not_found", "hold_group_not_found", "account_not_found",
    ]  # fmt: skip
    assert seen_by_alice(alice, theirs) == before


def test_anothers_token_is_as_one_that_is_not_there(alice, carol, theirs):
    before = alice.get("/tokens").json()["data"]

    found, absent = (carol.delete(f"/tokens/{id}") for id in (theirs.token, ABSENT))

    assert told(found, theirs.token) == told(absent, ABSENT)
    assert (found.status_code, found.json()["code"]) == (404, "service_token_not_found")
    assert alice.get("/tokens").json()["data"] == before


def test_lists_show_ones_own_alone(carol, theirs, den):
    shown = [
        carol.get(path).text for path in ("/ledgers", "/tokens", f"/ledgers/{den}/members", f"/ledgers/{den}/events")
    ]

    assert not any(name in text for text in shown for name in (theirs.ledger, theirs.token, theirs.transaction))
    assert [each["ledger"] for each in carol.get("/ledgers").json()["data"]] == [den]


@pytest.mark.parametrize("listing", ["transactions", "accounts", "holds", "accounts/assets:bank/entries"])
def test_anothers_cursor_leads_to_nothing_of_theirs(alice, carol, theirs, den, listing):
    for client, ledger in ((alice, theirs.ledger), (carol, den)):
        for n in range(2):
            client.post(f"/ledgers/{ledger}/transactions", {"lines": [SALE], "description": f"of {ledger}"})
            client.post(f"/ledgers/{ledger}/holds", {**HOLD, "description": f"of {ledger}", "group": f"g{n}"})
    cursor = alice.get(f"/ledgers/{theirs.ledger}/{listing}?limit=1").json()["metadata"]["pagination"]["next_cursor"]
    assert cursor

    answer = carol.get(f"/ledgers/{den}/{listing}", params={"cursor": cursor})

    own = carol.get(f"/ledgers/{den}/{listing}").json()["data"]
    assert answer.status_code == 400 or all(each in own for each in answer.json()["data"])
    assert theirs.ledger not in answer.text


def test_cursor_of_anothers_tokens_or_ledgers_leads_to_ones_own(alice, carol, theirs, den):
    for listing in ("tokens", "ledgers"):
        body = {"name": "more", "scopes": ["ledger:read"]} if listing == "tokens" else {"name": "more"}
        for client in (alice, alice, carol):
            client.post(f"/{listing}", body)
        cursor = alice.get(f"/{listing}?limit=1").json()["metadata"]["pagination"]["next_cursor"]

        found = carol.get(f"/{listing}", params={"cursor": cursor}).json()["data"]

        own = carol.get(f"/{listing}").json()["data"]
        assert all(each in own for each in found)


@pytest.mark.parametrize("query", ["consistency?older=", "records/1?since="])
def test_anothers_head_is_as_one_that_never_was(carol, theirs, den, query):
    found, absent = (carol.get(f"/ledgers/{den}/proofs/{query}{head}") for head in (theirs.head, "ab" * 32))

    assert told(found, theirs.head) == told(absent, "ab" * 32)
    assert (found.status_code, found.json()["code"]) == (400, "invalid_proof")


class TestKeys:
    """Idempotency keys: one's own alone, so that another's are neither an answer nor a conflict."""

    @pytest.mark.parametrize("lines", [[SALE], [{**SALE, "amount": "1.00"}]], ids=["same body", "another body"])
    def test_of_another_ledger_names_something_else_here(self, alice, carol, theirs, den, lines):
        posted = carol.post(f"/ledgers/{den}/transactions", {"lines": lines}, key=theirs.key)

        assert posted.status_code == 201
        assert "idempotency-replayed" not in posted.headers
        assert posted.json()["data"]["lines"][0]["amount"] == lines[0]["amount"]
        again = alice.post(f"/ledgers/{theirs.ledger}/transactions", {"lines": [SALE]}, key=theirs.key)
        assert again.headers["idempotency-replayed"] == "true"

    @pytest.mark.parametrize("lines", [[SALE], [{**SALE, "amount": "1.00"}]], ids=["same body", "another body"])
    def test_in_a_ledger_one_may_not_read_is_not_looked_up(self, carol, theirs, lines):
        known, unknown = (
            carol.post(f"/ledgers/{theirs.ledger}/transactions", {"lines": lines}, key=key)
            for key in (theirs.key, "never-used")
        )

        assert told(known) == told(unknown)
        assert known.json()["code"] == "ledger_not_found"

    def test_in_a_ledger_one_may_only_read_is_not_answered(self, bob, theirs):
        known, unknown = (
            bob.post(f"/ledgers/{theirs.ledger}/transactions", {"lines": [SALE]}, key=key)
            for key in (theirs.key, "never-used")
        )

        assert told(known) == told(unknown)
        assert known.json()["code"] == "insufficient_permissions"

    @pytest.mark.parametrize("body", [{"scopes": ["ledger:read", "ledger:write"]}, {"scopes": ["ledger:read"]}])
    def test_of_another_user_are_ones_own(self, alice, carol, theirs, body):
        """The key under which alice got a token gives carol a token of her own, whatever she sends."""
        mine = carol.post("/tokens", {"name": "till", **body}, key="till")

        assert mine.status_code == 201
        assert "idempotency-replayed" not in mine.headers
        assert mine.json()["data"]["owner_id"] == carol.user_id
        again = alice.post("/tokens", {"name": "till", "scopes": ["ledger:read", "ledger:write"]}, key="till")
        assert again.json()["data"]["id"] == theirs.token

    def test_of_a_token_and_of_its_owner_are_apart(self, alice):
        """A machine gets nothing that its owner was answered, and the other way round."""
        sent = {"name": "till", "scopes": ["ledger:read"]}
        scopes = {"scopes": ["tokens:write", "ledger:read"]}
        machines = [
            alice.as_(alice.post("/tokens", {"name": name, **scopes}).json()["data"]["key"]) for name in ("one", "two")
        ]

        answers = [client.post("/tokens", sent, key="mine") for client in (alice, *machines)]

        assert [answer.status_code for answer in answers] == [201] * 3
        assert not any("idempotency-replayed" in answer.headers for answer in answers)
        assert len({answer.json()["data"]["id"] for answer in answers}) == 3

    def test_of_one_session_count_in_the_next(self, anonymous, alice):
        """Keys belong to the user, so that an answer that was lost comes again after another login."""
        sent = {"name": "till", "scopes": ["ledger:read"]}
        first = alice.post("/tokens", sent, key="mine")
        login = anonymous.post("/auth/login", {"email": alice.email, "password": "correct horse battery"})

        again = anonymous.as_(login.json()["data"]["access_token"]).post("/tokens", sent, key="mine")

        assert json.loads(again.content) == json.loads(first.content)
