"""Holds over HTTP: placed, changed, captured, let go, replaced, alone and in groups."""

from typing import Any

import pytest

SALE = {"debit": "assets:bank", "credit": "income:sales", "amount": "120.00", "currency": "EUR"}
ABSENT = "01970000-0000-7000-8000-0000000000ff"


@pytest.fixture
def place(walter, shop) -> Any:
    """Places a hold of 120 euros; returns its path."""

    def made(**fields: Any) -> str:
        answer = walter.post(f"/ledgers/{shop}/holds", {"lines": [SALE], **fields})
        assert answer.status_code == 201, answer.text
        return f"/ledgers/{shop}/holds/{answer.json()['data']['id']}"

    return made


def test_a_hold_is_placed_and_read_back(walter, bob, shop):
    body = {"lines": [SALE], "group": "order-17", "tolerance_bps": 100, "metadata": {"a": 1}}

    first, again = (walter.post(f"/ledgers/{shop}/holds", body, key="h-1") for _ in range(2))

    placed = first.json()["data"]
    assert (first.status_code, placed["status"], placed["key"]) == (201, "open", "h-1")
    assert (placed["lines"][0]["captured"], placed["lines"][0]["remaining"]) == ("0.00", "120.00")
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    read = bob.get(f"/ledgers/{shop}/holds/{placed['id']}").json()["data"]
    assert {**placed, "placed_at": read["placed_at"]} == {
        **read, "number": placed["number"], "key": "h-1", "recorded_at": placed["recorded_at"]
    }  # fmt: skip


def test_a_hold_shows_in_what_is_available(bob, place, walter, shop):
    walter.post(f"/ledgers/{shop}/transactions", {"lines": [SALE]})
    place(lines=[{**SALE, "debit": "expenses:rent", "credit": "assets:bank", "amount": "20.00"}])

    balance = bob.get(f"/ledgers/{shop}/accounts/assets:bank/balance").json()["data"]

    assert (balance["posted"], balance["pending_credits"], balance["available"]) == ("120.00", "20.00", "100.00")


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"lines": None}, "missing_fields", "lines"),
        ({"tolerance_bps": 10_001}, "invalid_tolerance", "tolerance_bps"),
        ({"tolerance_bps": "1"}, "invalid_tolerance", "tolerance_bps"),
        ({"group": ""}, "invalid_reference", "group"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "invalid_expiry", "expires_at"),
        ({"reference": "r"}, "unknown_fields", "reference"),
    ],
)
def test_a_hold_that_cannot_be_is_refused(walter, shop, fields, code, field):
    refused = walter.post(f"/ledgers/{shop}/holds", {"lines": [SALE], **fields})

    assert (refused.status_code, refused.json()["code"]) == (400, code)
    assert refused.json()["details"]["field"] == field


def test_a_hold_is_changed_and_the_answer_stays(walter, place):
    """A repeat tells of the change, whatever became of the hold since."""
    path = place()

    first = walter.patch(path, {"amount": "150.00", "currency": "EUR"}, headers={"idempotency-key": "more"})
    walter.post(f"{path}/capture")
    again = walter.patch(path, {"amount": "150.00", "currency": "EUR"}, headers={"idempotency-key": "more"})

    assert (first.status_code, first.json()["data"]["lines"][0]["remaining"]) == (200, "150.00")
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"


def test_a_hold_is_captured_in_parts(walter, bob, place):
    path = place(description="Order 17")
    part = {"amount": "80.00", "currency": "EUR"}

    first = walter.post(f"{path}/capture", part, key="c-1")
    rest = walter.post(f"{path}/capture")
    again = walter.post(f"{path}/capture", part, key="c-1")
    more = walter.post(f"{path}/capture")

    captured = first.json()["data"]
    assert (first.status_code, captured["kind"]) == (201, "hold.captured")
    assert (captured["captures"], captured["description"]) == (path.rpartition("/")[2], "Order 17")
    assert rest.json()["data"]["lines"][0]["amount"] == "40.00"
    assert again.content == first.content
    assert (more.status_code, more.json()["code"]) == (409, "hold_already_closed")
    assert bob.get(path).json()["data"]["status"] == "captured"


def test_a_final_capture_lets_the_rest_go(walter, bob, place):
    path = place()

    walter.post(f"{path}/capture", {"amount": "80.00", "currency": "EUR", "final": True})

    assert bob.get(path).json()["data"]["status"] == "captured"


def test_a_capture_above_the_hold_is_refused(walter, place):
    refused = walter.post(f"{place()}/capture", {"amount": "120.01", "currency": "EUR"})

    assert (refused.status_code, refused.json()["code"]) == (422, "capture_exceeds_hold")
    assert refused.json()["details"]["over_by"] == "0.01 EUR"


def test_a_hold_is_voided_once_and_a_repeat_is_told_so(walter, place):
    path = place()

    first = walter.post(f"{path}/void", key="v")
    again = walter.post(f"{path}/void", key="v")
    other = walter.post(f"{path}/void", key="w")

    assert (first.status_code, first.json()["data"]["status"]) == (200, "voided")
    assert again.content == first.content
    assert (other.status_code, other.json()["code"]) == (409, "hold_already_closed")


def test_an_expired_hold_is_placed_again(walter, bob, place, clock):
    path = place(expires_at="2026-03-02T00:00:00Z", group="g")
    early = walter.post(f"{path}/replacement")
    clock.forward(days=7)
    alive = walter.as_(_logged_in_again(walter))

    first = alive.post(f"{path}/replacement", {"expires_at": "2026-04-01T00:00:00Z"}, key="again")
    again = alive.post(f"{path}/replacement", {"expires_at": "2026-04-01T00:00:00Z"}, key="again")

    assert (early.status_code, early.json()["code"]) == (422, "hold_not_expired")
    placed = first.json()["data"]
    assert (first.status_code, placed["replaces"], placed["group"]) == (201, path.rpartition("/")[2], "g")
    assert again.content == first.content
    captured = alive.post(f"{path}/capture")
    assert (captured.status_code, captured.json()["code"]) == (422, "hold_expired")


def _logged_in_again(client: Any) -> str:
    answer = client.as_(None).post("/auth/login", {"email": client.email, "password": "correct horse battery"})
    token: str = answer.json()["data"]["access_token"]
    return token


@pytest.mark.parametrize(("verb", "status"), [("capture", "captured"), ("void", "voided")])
def test_a_group_ends_together(walter, bob, shop, place, verb, status):
    paths = [place(group="order 17") for _ in range(2)]
    path = f"/ledgers/{shop}/hold-groups/order%2017/{verb}"

    first, again = (walter.post(path, key="g") for _ in range(2))

    assert first.status_code == 200
    assert sorted(first.json()["data"][status]) == sorted(each.rpartition("/")[2] for each in paths)
    assert again.content == first.content
    assert [bob.get(each).json()["data"]["status"] for each in paths] == [status, status]
    none_left = walter.post(path)
    assert (none_left.status_code, none_left.json()["code"]) == (404, "hold_group_not_found")


def test_holds_are_found_by_what_is_asked(walter, bob, shop, place):
    grouped, voided = place(group="g"), place(lines=[{**SALE, "debit": "assets:cash"}])
    walter.post(f"{voided}/void")

    def found(**query: str) -> list[str]:
        data = bob.get(f"/ledgers/{shop}/holds", params=query).json()["data"]
        return [f"/ledgers/{shop}/holds/{each['id']}" for each in data]

    by_id = sorted([grouped, voided])
    assert found() == by_id
    assert found(status="open") == found(group="g") == found(account="assets:bank") == [grouped]
    assert found(status="voided") == found(account="assets:cash") == [voided]
    assert found(limit="1") == by_id[:1]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"status": "OPEN"}, 400, "invalid_filter"),
        ({"group": ""}, 400, "invalid_reference"),
        ({"account": "a::b"}, 400, "invalid_account_path"),
        ({"cursor": "x"}, 400, "invalid_cursor"),
    ],
)
def test_a_query_for_holds_that_cannot_be_is_refused(bob, shop, query, status, code):
    refused = bob.get(f"/ledgers/{shop}/holds", params=query)

    assert (refused.status_code, refused.json()["code"]) == (status, code)


@pytest.mark.parametrize("verb", ["capture", "void", "replacement"])
def test_a_hold_that_is_not_there_is_not_found(walter, shop, verb):
    absent = walter.post(f"/ledgers/{shop}/holds/{ABSENT}/{verb}")
    no_id = walter.post(f"/ledgers/{shop}/holds/17/{verb}")

    assert (absent.status_code, absent.json()["code"]) == (404, "hold_not_found")
    assert (no_id.status_code, no_id.json()["code"]) == (400, "invalid_uuid_format")


def test_readers_and_strangers_end_no_hold(bob, carol, place, shop):
    path = place(group="g")

    for url in (f"{path}/capture", f"{path}/void", f"/ledgers/{shop}/hold-groups/g/void"):
        assert [each.post(url).status_code for each in (bob, carol)] == [403, 404]
    assert [each.patch(path, {"amount": "1.00", "currency": "EUR"}).status_code for each in (bob, carol)] == [403, 404]
    assert carol.get(path).status_code == 404
