"""Batches over HTTP: JSON and NDJSON, each by itself or all together."""

import json
from typing import Any

import pytest

SALE = {"debit": "assets:bank", "credit": "income:sales", "amount": "120.00", "currency": "EUR"}
GOOD = {"lines": [SALE]}
BAD = {"lines": [{**SALE, "credit": "cash"}]}
"""No rule of the ledger gives `cash` a type."""
NDJSON = {"content-type": "application/x-ndjson"}


def lines(*documents: Any) -> str:
    return "\n".join(json.dumps(document) for document in documents)


def posted(client: Any, shop: str) -> str:
    found: str = client.get(f"/ledgers/{shop}/accounts/assets:bank/balance").json()["data"]["posted"]
    return found


def test_independent_items_have_an_outcome_each(walter, bob, shop):
    answer = walter.post(f"/ledgers/{shop}/batches", {"items": [GOOD, BAD, GOOD]})

    assert answer.status_code == 200
    outcomes = answer.json()["data"]["outcomes"]
    assert [each["outcome"] for each in outcomes] == ["applied", "refused", "applied"]
    assert outcomes[1]["code"] == "account_not_found"
    assert answer.json()["metadata"] == {"applied": 2, "replayed": 0, "refused": 1}
    assert bob.get(f"/ledgers/{shop}/transactions/{outcomes[0]['id']}").status_code == 200
    assert posted(bob, shop) == "240.00"


@pytest.mark.parametrize("as_ndjson", [False, True])
def test_an_atomic_batch_happens_as_a_whole_or_not_at_all(walter, bob, shop, as_ndjson):
    """It is refused with the reason of the item that broke it."""
    path = f"/ledgers/{shop}/batches"

    def send(*items: Any) -> Any:
        if as_ndjson:
            return walter.post(f"{path}?atomic=true", content=lines(*items), headers=NDJSON)
        return walter.post(path, {"items": items, "atomic": True})

    refused, done = send(GOOD, {"group": [GOOD, BAD]}, GOOD), send(GOOD, GOOD)

    assert (refused.status_code, refused.json()["code"]) == (404, "account_not_found")
    assert (refused.json()["details"]["index"], refused.json()["details"]["account"]) == (1, "cash")
    assert (done.status_code, done.json()["metadata"]["applied"]) == (200, 2)
    assert posted(bob, shop) == "240.00"


def test_a_group_happens_as_one(walter, bob, shop):
    answer = walter.post(f"/ledgers/{shop}/batches", {"items": [{"group": [GOOD, BAD]}, {"group": [GOOD, GOOD]}]})

    [broken, whole] = answer.json()["data"]["outcomes"]
    assert [each["code"] for each in broken["outcomes"]] == ["group_refused", "account_not_found"]
    assert [each["outcome"] for each in whole["outcomes"]] == ["applied", "applied"]
    assert answer.json()["metadata"] == {"applied": 2, "replayed": 0, "refused": 2}
    assert posted(bob, shop) == "240.00"


def test_every_kind_of_command_can_stand_in_a_batch(alice, bob, shop):
    hold = "01970000-0000-7000-8000-00000000000{}"
    sale = "01970000-0000-7000-8000-0000000000a0"

    answer = alice.post(
        f"/ledgers/{shop}/batches",
        {
            "items": [
                {"type": "account", "account": "assets:till", "currency": "EUR", "account_type": "asset"},
                {"type": "transaction", "id": sale, **GOOD},
                {"type": "reversal", "transaction": sale, "amount": "20.00", "currency": "EUR"},
                {"type": "hold", "id": hold.format(1), **GOOD},
                {"type": "hold_change", "hold": hold.format(1), "amount": "5.00", "currency": "EUR"},
                {"type": "capture", "hold": hold.format(1), "amount": "1.00", "currency": "EUR"},
                {"type": "void", "hold": hold.format(1)},
                {"type": "hold", "id": hold.format(2), "group": "g/1", **GOOD},
                {"type": "group_capture", "group": "g/1"},
                {"type": "hold", "id": hold.format(3), "group": "g/2", **GOOD},
                {"type": "group_void", "group": "g/2"},
                {"type": "hold_replacement", "hold": hold.format(3)},
                {"type": "account_change", "account": "assets:till", "status": "closed"},
                {"type": "period_close", "through": "2025-12-31T23:59:59Z"},
            ]
        },
    )

    outcomes = [each.get("code", each["outcome"]) for each in answer.json()["data"]["outcomes"]]
    assert outcomes == ["applied"] * 11 + ["hold_not_expired"] + ["applied"] * 2
    assert posted(bob, shop) == "221.00"


def test_closing_a_period_takes_the_right_to_manage(walter, shop):
    """In a group as well; the whole batch is refused, and nothing posted."""
    closing = {"type": "period_close", "through": "2025-12-31T23:59:59Z"}

    for items in ([GOOD, closing], [{"group": [GOOD, closing]}]):
        refused = walter.post(f"/ledgers/{shop}/batches", {"items": items})
        assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_permissions")
    assert walter.get(f"/ledgers/{shop}/transactions").json()["data"] == []


def test_a_key_names_every_item_that_has_no_name(walter, bob, shop):
    items = [GOOD, {**GOOD, "key": "own"}, {"group": [GOOD, BAD]}, BAD]
    path = f"/ledgers/{shop}/batches"

    first = walter.post(path, {"items": items}, key="night")
    again = walter.post(path, {"items": items}, key="night")

    assert [each["key"] for each in bob.get(f"/ledgers/{shop}/transactions").json()["data"]] == ["own", "night/0"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["metadata"] == {"applied": 0, "replayed": 2, "refused": 3}

    def without_marks(answer: Any) -> Any:
        return json.loads(answer.text.replace('"replayed":true', '"replayed":false'))["data"]

    assert without_marks(again) == without_marks(first)
    assert posted(bob, shop) == "240.00"


def test_another_body_under_a_key_conflicts_item_by_item(walter, shop):
    path = f"/ledgers/{shop}/batches"
    walter.post(path, {"items": [GOOD]}, key="night")

    each = walter.post(path, {"items": [{**GOOD, "description": "other"}]}, key="night")
    together = walter.post(path, {"items": [{**GOOD, "description": "other"}], "atomic": True}, key="night")

    assert each.json()["data"]["outcomes"][0]["code"] == "idempotency_key_reused"
    assert (together.status_code, together.json()["code"]) == (409, "idempotency_key_reused")


def test_a_key_that_leaves_no_room_for_the_index_is_refused(walter, shop):
    refused = walter.post(f"/ledgers/{shop}/batches", {"items": [GOOD]}, key="k" * 254)

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_idempotency_key")
    assert walter.get(f"/ledgers/{shop}/transactions").json()["data"] == []


def test_ndjson_may_have_blank_lines_and_either_line_end(walter, bob, shop):
    body = f"\n{json.dumps(GOOD)}\r\n\r\n{json.dumps(GOOD)}\n\n"

    answer = walter.post(f"/ledgers/{shop}/batches", content=body, headers=NDJSON)

    assert answer.json()["metadata"]["applied"] == 2


@pytest.mark.parametrize(
    ("items", "code", "field"),
    [
        ([], "invalid_argument", "items"),
        ({}, "invalid_argument", "items"),
        (None, "missing_fields", "items"),
        ([7], "invalid_argument", "items[0].document"),
        ([GOOD, {**GOOD, "colour": "red"}], "unknown_fields", "items[1].colour"),
        ([{"type": "gift"}], "invalid_argument", "items[0].type"),
        ([{"group": [GOOD, {"lines": [{**SALE, "amount": "x"}]}]}], "invalid_amount_format",
         "items[0].group[1].lines[0].amount"),
        ([{"group": []}], "invalid_argument", "items[0].group"),
        ([{"lines": [{**SALE, "currency": "EUX"}]}], "unknown_currency", "items[0].lines[0].currency"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_item_is_named(walter, shop, items, code, field):
    refused = walter.post(f"/ledgers/{shop}/batches", {"items": items})

    assert (refused.status_code, refused.json()["code"]) == (400, code)
    assert refused.json()["details"]["field"] == field


def test_a_line_that_is_no_json_is_named(walter, shop):
    refused = walter.post(f"/ledgers/{shop}/batches", content=f"{lines(GOOD)}\n{{]", headers=NDJSON)

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_json")
    assert refused.json()["details"]["line"] == 2


@pytest.mark.parametrize("body", [{"items": [GOOD], "atomic": "yes"}, {"items": [GOOD], "key": "k"}])
def test_fields_of_the_batch_itself_are_checked(walter, shop, body):
    refused = walter.post(f"/ledgers/{shop}/batches", body)

    assert refused.status_code == 400


def test_a_batch_of_too_many_is_refused(walter, shop):
    refused = walter.post(f"/ledgers/{shop}/batches", {"items": [{}] * 20_001})

    assert (refused.status_code, refused.json()["code"]) == (400, "batch_too_large")


def test_another_content_type_is_refused(walter, shop):
    refused = walter.post(f"/ledgers/{shop}/batches", content="x", headers={"content-type": "text/csv"})

    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_media_type")


def test_an_asset_registered_since_is_known(walter, alice, shop):
    """Also one that another process registered after this one had read the currencies."""
    path = f"/ledgers/{shop}/batches"
    walter.post(path, {"items": [GOOD]})
    alice.put(f"/ledgers/{shop}/settings", {"on_first_use": True, "assets": {"GOLD": 3}})

    gold = {"debit": "assets:safe", "credit": "equity:capital", "amount": "1.234", "currency": "GOLD"}
    answer = walter.post(path, {"items": [{"lines": [gold]}]})

    assert answer.json()["metadata"]["applied"] == 1


def test_readers_and_strangers_send_no_batches(bob, carol, shop):
    answers = [each.post(f"/ledgers/{shop}/batches", {"items": [GOOD]}) for each in (bob, carol)]

    assert [each.status_code for each in answers] == [403, 404]
