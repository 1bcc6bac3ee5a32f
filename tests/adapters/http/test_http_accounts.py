"""Accounts over HTTP: opened, changed, listed; balances on both time axes; entries."""

import pytest

SALE = {"debit": "assets:bank", "credit": "income:sales", "amount": "120.00", "currency": "EUR"}
CASH = {"account": "assets:cash", "currency": "EUR", "type": "asset", "limits": {"minimum_minor": "0"}}


def test_an_account_is_opened_and_read_back(walter, bob, shop):
    made = walter.post(f"/ledgers/{shop}/accounts", CASH)

    assert made.status_code == 201
    assert made.json()["data"]["minimum"] == "0.00"
    assert bob.get(f"/ledgers/{shop}/accounts/assets:cash").json()["data"] == made.json()["data"]


def test_a_repeat_tells_of_the_account_as_it_opened(walter, shop):
    first = walter.post(f"/ledgers/{shop}/accounts", CASH, key="till")
    walter.post(f"/ledgers/{shop}/transactions", {"lines": [{**SALE, "debit": "assets:cash"}]})
    walter.patch(f"/ledgers/{shop}/accounts/assets:cash", {"limits": {}})

    again = walter.post(f"/ledgers/{shop}/accounts", CASH, key="till")

    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    other = walter.post(f"/ledgers/{shop}/accounts", {**CASH, "limits": None}, key="till")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    twice = walter.post(f"/ledgers/{shop}/accounts", CASH)
    assert (twice.status_code, twice.json()["code"]) == (409, "account_already_exists")


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"account": None}, "missing_fields", "account"),
        ({"account": "a::b"}, "invalid_account_path", "account"),
        ({"currency": "EUX"}, "unknown_currency", "currency"),
        ({"type": "money"}, "invalid_account_type", "type"),
        ({"limits": {"minimum": "0"}}, "unknown_fields", "limits.minimum"),
        ({"limits": {"minimum_minor": "2", "maximum_minor": 1}}, "invalid_limits", "limits.minimum_minor"),
        ({"metadata": {"a": 0.1}}, "invalid_metadata", "metadata.a"),
    ],
)
def test_an_account_that_cannot_be_is_refused(walter, shop, fields, code, field):
    refused = walter.post(f"/ledgers/{shop}/accounts", {**CASH, **fields})

    assert (refused.status_code, refused.json()["code"]) == (400, code)
    assert refused.json()["details"]["field"] == field


def test_an_account_is_frozen_and_closed(walter, bob, shop):
    path = f"/ledgers/{shop}/accounts/assets:cash"
    walter.post(f"/ledgers/{shop}/accounts", CASH)

    frozen = walter.patch(path, {"status": "frozen", "metadata": {"why": "audit"}})
    refused = walter.post(f"/ledgers/{shop}/transactions", {"lines": [{**SALE, "debit": "assets:cash"}]})
    closed = walter.patch(path, {"status": "closed"})
    late = walter.patch(path, {"status": "open"})

    assert (frozen.status_code, frozen.json()["data"]["status"]) == (200, "frozen")
    assert frozen.json()["data"]["metadata"] == {"why": "audit"}
    assert (refused.status_code, refused.json()["code"]) == (422, "account_frozen")
    assert closed.json()["data"]["status"] == "closed"
    assert (late.status_code, late.json()["code"]) == (422, "account_closed")


def test_limits_are_replaced_together(walter, shop):
    walter.post(f"/ledgers/{shop}/accounts", CASH)

    changed = walter.patch(f"/ledgers/{shop}/accounts/assets:cash", {"limits": {"maximum_minor": 500}})

    assert changed.json()["data"]["maximum"] == "5.00"
    assert "minimum" not in changed.json()["data"]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("assets:cash", {}, 400, "invalid_argument"),
        ("assets:cash", {"status": "OPEN"}, 400, "invalid_status"),
        ("assets:cash", {"account": "assets:cash"}, 400, "unknown_fields"),
        ("assets::cash", {"status": "frozen"}, 400, "invalid_account_path"),
        ("assets:nowhere", {"status": "frozen"}, 404, "account_not_found"),
    ],
)
def test_a_change_that_cannot_be_is_refused(walter, shop, path, body, status, code):
    walter.post(f"/ledgers/{shop}/accounts", CASH)

    refused = walter.patch(f"/ledgers/{shop}/accounts/{path}", body)

    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_accounts_are_listed_by_prefix_and_page(walter, bob, shop):
    for name in ("assets:bank", "assets:cash", "assetsx", "income"):
        walter.post(f"/ledgers/{shop}/accounts", {"account": name, "currency": "EUR", "type": "asset"})

    below = bob.get(f"/ledgers/{shop}/accounts", params={"prefix": "assets"}).json()["data"]
    first = bob.get(f"/ledgers/{shop}/accounts", params={"limit": "3"}).json()
    cursor = first["metadata"]["pagination"]["next_cursor"]
    rest = bob.get(f"/ledgers/{shop}/accounts", params={"limit": "3", "cursor": cursor}).json()["data"]

    assert [each["account"] for each in below] == ["assets:bank", "assets:cash"]
    assert [each["account"] for each in (*first["data"], *rest)] == ["assets:bank", "assets:cash", "assetsx", "income"]
    refused = bob.get(f"/ledgers/{shop}/accounts", params={"prefix": "a::b"})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_account_path")


@pytest.mark.parametrize("what", ["", "/balance", "/entries"])
def test_an_account_that_is_not_there_is_not_found(bob, shop, what):
    absent = bob.get(f"/ledgers/{shop}/accounts/assets:nowhere{what}")
    no_path = bob.get(f"/ledgers/{shop}/accounts/assets::x{what}")

    assert (absent.status_code, absent.json()["code"]) == (404, "account_not_found")
    assert (no_path.status_code, no_path.json()["code"]) == (400, "invalid_account_path")


def test_balances_look_back_on_both_axes(walter, bob, shop, clock):
    """A late entry counts at its effective time, once it was recorded."""
    path = f"/ledgers/{shop}/transactions"
    walter.post(path, {"lines": [SALE]})
    before = clock.forward(seconds=1).isoformat()
    clock.forward(seconds=1)
    walter.post(path, {"lines": [{**SALE, "amount": "5.00"}], "effective_at": "2026-01-01T00:00:00Z"})
    clock.forward(seconds=1)

    def posted(**query: str) -> str:
        answer = bob.get(f"/ledgers/{shop}/accounts/assets:bank/balance", params=query)
        assert answer.status_code == 200, answer.text
        found: str = answer.json()["data"]["posted"]
        return found

    assert posted() == "125.00"
    assert posted(effective_at="2026-02-01T00:00:00Z") == "5.00"
    assert posted(recorded_at=before) == "120.00"
    assert posted(effective_at="2026-02-01T00:00:00Z", recorded_at=before) == "0.00"
    listed = bob.get(f"/ledgers/{shop}/balances", params={"prefix": "assets", "effective_at": "2026-02-01T00:00:00Z"})
    assert [(each["account"], each["posted_minor"]) for each in listed.json()["data"]] == [("assets:bank", "500")]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"recorded_at": "2099-01-01T00:00:00Z"}, "recorded_time_in_future"),
        ({"effective_at": "noon"}, "invalid_datetime_format"),
        ({"effective_at": "0001-01-01T00:00:00Z"}, "datetime_out_of_range"),
        ({"colour": "red"}, "unknown_fields"),
    ],
)
@pytest.mark.parametrize("what", ["accounts/assets:bank/balance", "balances"])
def test_a_time_that_cannot_be_is_refused(walter, bob, shop, what, query, code):
    walter.post(f"/ledgers/{shop}/transactions", {"lines": [SALE]})

    refused = bob.get(f"/ledgers/{shop}/{what}", params=query)

    assert (refused.status_code, refused.json()["code"]) == (400, code)


def test_entries_are_listed_in_either_order(walter, bob, shop):
    for amount in ("1.00", "2.00", "3.00"):
        walter.post(f"/ledgers/{shop}/transactions", {"lines": [{**SALE, "amount": amount}]})
    path = f"/ledgers/{shop}/accounts/assets:bank/entries"

    oldest = bob.get(path, params={"limit": "2"}).json()
    newest = bob.get(path, params={"order": "desc"}).json()["data"]

    assert [(each["amount"], each["balance"]) for each in oldest["data"]] == [("1.00", "1.00"), ("2.00", "3.00")]
    assert [each["balance"] for each in newest] == ["6.00", "3.00", "1.00"]
    rest = bob.get(path, params={"cursor": oldest["metadata"]["pagination"]["next_cursor"]}).json()["data"]
    assert [each["balance"] for each in rest] == ["6.00"]
    refused = bob.get(path, params={"order": "up"})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_filter")


def test_readers_open_nothing_and_strangers_see_nothing(bob, carol, walter, shop):
    walter.post(f"/ledgers/{shop}/accounts", CASH)
    path = f"/ledgers/{shop}/accounts"

    assert [each.post(path, {**CASH, "account": "assets:x"}).status_code for each in (bob, carol)] == [403, 404]
    assert [each.patch(f"{path}/assets:cash", {"status": "frozen"}).status_code for each in (bob, carol)] == [403, 404]
    for what in ("", "/assets:cash", "/assets:cash/balance", "/assets:cash/entries"):
        assert [each.get(f"{path}{what}").status_code for each in (bob, carol)] == [200, 404]
    assert [each.get(f"/ledgers/{shop}/balances").status_code for each in (bob, carol)] == [200, 404]
