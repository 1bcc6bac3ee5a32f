"""Transactions over HTTP: posted, found, reversed."""

import json
from typing import Any

import pytest

SALE = {"debit": "assets:bank", "credit": "income:sales", "amount": "120.00", "currency": "EUR"}
ABSENT = "01970000-0000-7000-8000-0000000000ff"


def sale(**fields: Any) -> dict[str, Any]:
    return {"lines": [SALE], **fields}


def test_a_transaction_is_posted_and_read_back(walter, bob, shop):
    made = walter.post(f"/ledgers/{shop}/transactions", sale(description="Order 17", metadata={"order": 17}))

    assert made.status_code == 201
    posted = made.json()["data"]
    assert posted["kind"] == "transaction.posted"
    assert posted["lines"] == [{**SALE, "amount_minor": "12000"}]
    read = bob.get(f"/ledgers/{shop}/transactions/{posted['id']}").json()["data"]
    assert {name: read[name] for name in posted if name != "lines"} == {
        name: value for name, value in posted.items() if name != "lines"
    }
    assert (read["lines"][0]["debit_balance"], read["lines"][0]["credit_balance"]) == ("120.00", "120.00")


def test_the_short_prefix_serves_the_same(walter, shop):
    made = walter.request("POST", f"/api/ledgers/{shop}/transactions", json=sale())

    read = walter.request("GET", f"/api/ledgers/{shop}/transactions/{made.json()['data']['id']}")

    assert (made.status_code, read.status_code) == (201, 200)


@pytest.mark.parametrize("how", ["header", "key", "id"])
def test_a_repeat_gets_the_very_same_answer(walter, shop, how):
    """However the intent is named; and nothing is posted again."""
    body = {"header": sale(), "key": sale(key="order-17"), "id": sale(id=ABSENT)}[how]
    key = "order-17" if how == "header" else None

    first, again = (walter.post(f"/ledgers/{shop}/transactions", body, key=key) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert walter.get(f"/ledgers/{shop}/accounts/assets:bank/balance").json()["data"]["posted"] == "120.00"


def test_another_body_under_a_key_is_a_conflict(walter, shop):
    walter.post(f"/ledgers/{shop}/transactions", sale(), key="order-17")

    other = walter.post(f"/ledgers/{shop}/transactions", sale(description="another"), key="order-17")

    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


def test_a_refusal_under_a_key_is_for_ever(walter, alice, shop):
    alice.post(
        f"/ledgers/{shop}/accounts", {"account": "assets:bank", "currency": "EUR", "limits": {"maximum_minor": 5}}
    )
    first = walter.post(f"/ledgers/{shop}/transactions", sale(), key="order-17")
    alice.patch(f"/ledgers/{shop}/accounts/assets:bank", {"limits": {}})

    again = walter.post(f"/ledgers/{shop}/transactions", sale(), key="order-17")

    assert (first.status_code, first.json()["code"]) == (422, "balance_above_maximum")
    assert (again.status_code, again.json()["details"]) == (422, first.json()["details"])
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (sale(colour="red"), "unknown_fields", "colour"),
        ({}, "missing_fields", "lines"),
        (sale(lines=[{**SALE, "amount": 12.5}]), "invalid_amount_format", "lines[0].amount"),
        (sale(lines=[{**SALE, "amount": "12.345"}]), "invalid_amount_format", "lines[0].amount"),
        (sale(lines=[{**SALE, "currency": "EUX"}]), "unknown_currency", "lines[0].currency"),
        (sale(lines=[{**SALE, "debit": "a::b"}]), "invalid_account_path", "lines[0].debit"),
        (sale(lines=[{**SALE, "debit": None}]), "unbalanced_transaction", "lines"),
        (sale(description="a\x00b"), "invalid_description_format", "description"),
        (sale(effective_at="yesterday"), "invalid_datetime_format", "effective_at"),
        (sale(effective_at="0001-01-01T00:00:00Z"), "datetime_out_of_range", "effective_at"),
        (sale(metadata={"a": 1.5}), "invalid_metadata", "metadata.a"),
        (sale(preconditions=[{"account": "a"}]), "missing_fields", "preconditions[0]"),
    ],
)
def test_what_is_wrong_with_a_body_is_named(walter, shop, body, code, field):
    refused = walter.post(f"/ledgers/{shop}/transactions", body)

    assert (refused.status_code, refused.json()["code"]) == (400, code)
    assert refused.json()["details"]["field"] == field


def test_a_lone_surrogate_is_refused(walter, shop):
    data = json.dumps(sale(description="\ud800"))

    refused = walter.post(f"/ledgers/{shop}/transactions", content=data, headers={"content-type": "application/json"})

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_description_format")


def test_a_name_in_the_body_and_another_in_the_header_are_refused(walter, shop):
    refused = walter.post(f"/ledgers/{shop}/transactions", sale(id=ABSENT), key="order-17")

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_idempotency_key")


def test_a_precondition_that_fails_is_a_conflict(walter, shop):
    walter.post(f"/ledgers/{shop}/transactions", sale())

    refused = walter.post(
        f"/ledgers/{shop}/transactions", sale(preconditions=[{"account": "assets:bank", "balance_minor": "0"}])
    )

    assert (refused.status_code, refused.json()["code"]) == (409, "balance_precondition_failed")


def test_a_reader_may_not_post_and_a_stranger_sees_nothing(bob, carol, sam, anonymous, shop):
    answers = [each.post(f"/ledgers/{shop}/transactions", sale()) for each in (bob, carol, sam, anonymous)]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [
        (403, "insufficient_permissions"),
        (404, "ledger_not_found"),
        (403, "insufficient_permissions"),
        (401, "invalid_token"),
    ]


def test_strangers_cannot_tell_a_ledger_from_none(carol, walter, shop):
    """Nor by an id that they guessed."""
    made = walter.post(f"/ledgers/{shop}/transactions", sale()).json()["data"]["id"]

    there = carol.get(f"/ledgers/{shop}/transactions/{made}").json()
    nowhere = carol.get(f"/ledgers/nowhere/transactions/{made}").json()

    assert (there["code"], nowhere["code"]) == ("ledger_not_found", "ledger_not_found")
    assert there["detail"].replace(shop, "nowhere") == nowhere["detail"]


def test_transactions_are_not_found_in_other_ledgers(walter, alice, shop):
    made = walter.post(f"/ledgers/{shop}/transactions", sale()).json()["data"]["id"]
    other = alice.post("/ledgers", {"name": "other"}).json()["data"]["ledger"]

    missing = alice.get(f"/ledgers/{other}/transactions/{made}")

    assert (missing.status_code, missing.json()["code"]) == (404, "transaction_not_found")


def test_an_id_that_is_none_is_refused(bob, shop):
    refused = bob.get(f"/ledgers/{shop}/transactions/17")

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_uuid_format")


@pytest.fixture
def posted(walter, shop) -> list[str]:
    """The ids of three transactions that differ in every field that can be asked for, oldest first."""
    bodies = [
        sale(reference="r-1", metadata={"order": "1"}, effective_at="2026-01-01T00:00:00Z", key="first"),
        sale(reference="r 2\u00a0", lines=[{**SALE, "amount": "5.00"}]),
        sale(metadata={"order": "3", "more": [1]}, lines=[{**SALE, "debit": "assets:cash"}]),
    ]
    return [walter.post(f"/ledgers/{shop}/transactions", body).json()["data"]["id"] for body in bodies]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [2, 1, 0]),
        ({"account": "assets:cash"}, [2]),
        ({"reference": "r-1"}, [0]),
        ({"reference": "r 2\u00a0"}, [1]),
        ({"metadata": '{"order": "3"}'}, [2]),
        ({"amount_minor_max": "500"}, [1]),
        ({"amount_minor_min": "501", "account": "assets:bank"}, [0]),
        ({"effective_to": "2026-01-31T00:00:00+00:00"}, [0]),
        ({"effective_from": "2026-01-31T00:00:00+00:00"}, [2, 1]),
        ({"recorded_to": "2026-02-01T00:00:00Z"}, []),
        ({"recorded_from": "2026-02-01T00:00:00Z"}, [2, 1, 0]),
        ({"key": "first"}, [0]),
        ({"key": "second"}, []),
    ],
)
def test_transactions_are_found_by_what_is_asked(bob, shop, posted, query, found):
    answer = bob.get(f"/ledgers/{shop}/transactions", params=query)

    assert [each["id"] for each in answer.json()["data"]] == [posted[index] for index in found]


def test_pages_follow_one_another_and_stay_when_more_is_posted(bob, walter, shop, posted):
    first = bob.get(f"/ledgers/{shop}/transactions", params={"limit": 2}).json()
    walter.post(f"/ledgers/{shop}/transactions", sale())

    page = first["metadata"]["pagination"]
    second = bob.get(f"/ledgers/{shop}/transactions", params={"limit": 2, "cursor": page["next_cursor"]}).json()

    assert (page["type"], page["limit"], page["has_more"]) == ("keyset", 2, True)
    assert [each["id"] for each in (*first["data"], *second["data"])] == posted[::-1]
    assert second["metadata"]["pagination"] == {"type": "keyset", "limit": 2, "has_more": False, "next_cursor": None}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": "0"}, "invalid_filter"),
        ({"limit": "1001"}, "invalid_filter"),
        ({"limit": "x"}, "invalid_filter"),
        ({"cursor": "x"}, "invalid_cursor"),
        ({"colour": "red"}, "unknown_fields"),
        ({"account": "a::b"}, "invalid_account_path"),
        ({"reference": ""}, "invalid_reference"),
        ({"reference": "a\x00"}, "invalid_reference"),
        ({"metadata": "{"}, "invalid_json"),
        ({"metadata": "7"}, "invalid_argument"),
        ({"metadata": '{"a": 1.5}'}, "invalid_metadata"),
        ({"amount_minor_min": "1.5"}, "invalid_filter"),
        ({"effective_from": "2026"}, "invalid_datetime_format"),
        ({"effective_from": "2026-02-01T00:00:00Z", "effective_to": "2026-01-01T00:00:00Z"}, "invalid_filter"),
        ({"key": "first", "reference": "r-1"}, "invalid_filter"),
        ({"key": ""}, "invalid_idempotency_key"),
    ],
)
def test_a_query_that_cannot_be_is_refused(bob, shop, query, code):
    refused = bob.get(f"/ledgers/{shop}/transactions", params=query)

    assert (refused.status_code, refused.json()["code"]) == (400, code)


def test_an_account_that_is_not_there_is_not_found(bob, shop):
    refused = bob.get(f"/ledgers/{shop}/transactions", params={"account": "assets:nowhere"})

    assert (refused.status_code, refused.json()["code"]) == (404, "account_not_found")


def test_a_transaction_is_reversed_in_parts(walter, shop):
    made = walter.post(f"/ledgers/{shop}/transactions", sale()).json()["data"]["id"]
    path = f"/ledgers/{shop}/transactions/{made}/reversals"

    part = walter.post(path, {"amount": "20.00", "currency": "EUR", "description": "Partial refund"}, key="refund")
    rest = walter.post(path)
    more = walter.post(path)

    assert part.status_code == 201
    reversal = part.json()["data"]
    assert (reversal["kind"], reversal["reverses"]) == ("transaction.reversed", made)
    assert reversal["lines"][0]["debit_balance"] == "100.00"
    assert rest.json()["data"]["lines"][0]["amount"] == "100.00"
    assert (more.status_code, more.json()["code"]) == (422, "transaction_already_reversed")
    again = walter.post(path, {"amount": "20.00", "currency": "EUR", "description": "Partial refund"}, key="refund")
    assert again.content == part.content
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"amount": "121.00", "currency": "EUR"}, 422, "reversal_exceeds_remainder"),
        ({"amount": "1.00"}, 400, "missing_fields"),
        ({"amount": "1.00", "currency": "USD"}, 422, "currency_mismatch"),
        ({"lines": []}, 400, "empty_transaction"),
        ({"transaction": ABSENT}, 400, "unknown_fields"),
        ({"effective_at": 7}, 400, "invalid_datetime_format"),
    ],
)
def test_a_reversal_that_cannot_be_is_refused(walter, shop, body, status, code):
    made = walter.post(f"/ledgers/{shop}/transactions", sale()).json()["data"]["id"]

    refused = walter.post(f"/ledgers/{shop}/transactions/{made}/reversals", body)

    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_what_is_not_there_cannot_be_reversed(walter, shop):
    refused = walter.post(f"/ledgers/{shop}/transactions/{ABSENT}/reversals")

    assert (refused.status_code, refused.json()["code"]) == (404, "transaction_not_found")
