"""A ledger over HTTP: its state, settings, periods, reports, proofs and events."""

import pytest

from ledgercore.ledger.proofs.checking import check, check_consistency

SALE = {"debit": "assets:bank", "credit": "income:sales", "amount": "120.00", "currency": "EUR"}
ABSENT = "01970000-0000-7000-8000-0000000000ff"


@pytest.fixture
def sale(walter, shop) -> str:
    """The id of a posted transaction."""
    made: str = walter.post(f"/ledgers/{shop}/transactions", {"lines": [SALE]}).json()["data"]["id"]
    return made


def test_a_ledger_tells_where_it_stands(bob, shop, sale):
    state = bob.get(f"/ledgers/{shop}").json()["data"]

    assert (state["ledger"], state["records"], state["accounts"]) == (shop, 4, 2)
    assert state["settings"]["on_first_use"] is True


def test_settings_are_replaced_and_registered_assets_stay(alice, bob, shop):
    path = f"/ledgers/{shop}/settings"
    wanted = {"types": {"bank": "asset"}, "limits": {"bank": {"minimum_minor": "-5"}}, "assets": {"GOLD": 3}}

    first = alice.put(path, wanted)
    second = alice.put(path, {"on_first_use": True})

    assert first.json()["data"] == {"on_first_use": False, **wanted}
    assert second.json()["data"]["assets"] == {"GOLD": 3}
    assert second.json()["data"]["limits"] == {}
    assert bob.get(f"/ledgers/{shop}").json()["data"]["settings"] == second.json()["data"]


def test_the_same_settings_again_write_nothing(alice, shop):
    before = alice.get(f"/ledgers/{shop}").json()["data"]["records"]

    alice.put(f"/ledgers/{shop}/settings", {"on_first_use": True})

    assert alice.get(f"/ledgers/{shop}").json()["data"]["records"] == before


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"colour": "red"}, 400, "unknown_fields"),
        ({"types": {"bank": "money"}}, 400, "invalid_account_type"),
        ({"types": {"a::b": "asset"}}, 400, "invalid_account_path"),
        ({"limits": {"bank": {"minimum_minor": 2, "maximum_minor": 1}}}, 400, "invalid_limits"),
        ({"assets": {"EUR": 3}}, 400, "invalid_asset"),
        ({"assets": {"GOLD": 4}}, 409, "asset_already_registered"),
    ],
)
def test_settings_that_cannot_be_are_refused(alice, shop, body, status, code):
    alice.put(f"/ledgers/{shop}/settings", {"assets": {"GOLD": 3}})

    refused = alice.put(f"/ledgers/{shop}/settings", body)

    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_a_period_is_closed_for_good(alice, walter, shop):
    path, body = f"/ledgers/{shop}/periods", {"through": "2025-12-31T23:59:59Z"}

    first, again = (alice.post(path, body, key="2025") for _ in range(2))
    twice = alice.post(path, body)
    late = walter.post(f"/ledgers/{shop}/transactions", {"lines": [SALE], "effective_at": "2025-12-31T00:00:00Z"})

    assert (first.status_code, first.json()["data"]["closed_through"]) == (201, "2025-12-31T23:59:59+00:00")
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert (twice.status_code, twice.json()["code"]) == (422, "period_already_closed")
    assert (late.status_code, late.json()["code"]) == (422, "period_closed")
    assert alice.get(f"/ledgers/{shop}").json()["data"]["closed_through"] == "2025-12-31T23:59:59+00:00"


@pytest.mark.parametrize(("body", "code"), [({}, "missing_fields"), ({"through": "2025"}, "invalid_datetime_format")])
def test_a_period_without_an_end_is_refused(alice, shop, body, code):
    refused = alice.post(f"/ledgers/{shop}/periods", body)

    assert (refused.status_code, refused.json()["code"]) == (400, code)


def test_only_owners_and_admins_manage_a_ledger(walter, bob, carol, ada, shop):
    closing = {"through": "2025-12-31T23:59:59Z"}

    assert [each.post(f"/ledgers/{shop}/periods", closing).status_code for each in (walter, bob, carol)] == [
        403,
        403,
        404,
    ]
    assert [each.put(f"/ledgers/{shop}/settings", {}).status_code for each in (walter, bob, carol)] == [403, 403, 404]
    assert ada.post(f"/ledgers/{shop}/periods", closing).status_code == 201
    assert ada.put(f"/ledgers/{shop}/settings", {}).status_code == 200


def test_reports_agree(bob, shop, sale):
    trial = bob.get(f"/ledgers/{shop}/reports/trial-balance", params={"prefix": "assets"}).json()["data"]
    sheet = bob.get(f"/ledgers/{shop}/reports/balance-sheet").json()["data"]
    income = bob.get(f"/ledgers/{shop}/reports/income-statement", params={"since": "2026-01-01T00:00:00Z"}).json()[
        "data"
    ]
    totals = bob.get(f"/ledgers/{shop}/reports/totals", params={"prefix": "income"}).json()["data"]

    assert [(each["account"], each["debit"]) for each in trial["lines"]] == [("assets:bank", "120.00")]
    assert (sheet["balanced"], sheet["totals"][0]["result"]) == (True, "120.00")
    assert income["results"] == [{"amount": "120.00", "amount_minor": "12000", "currency": "EUR"}]
    assert [each["account"] for each in totals] == ["income", "income:sales"]


def test_reports_look_back(bob, shop, sale, clock):
    clock.forward(seconds=1)
    before = {"effective_at": "2026-01-01T00:00:00Z", "recorded_at": clock.now.isoformat()}

    trial = bob.get(f"/ledgers/{shop}/reports/trial-balance", params=before).json()["data"]

    assert trial["effective_at"] == "2026-01-01T00:00:00+00:00"
    assert trial["totals"] == [
        {"currency": "EUR", "debit": "0.00", "debit_minor": "0", "credit": "0.00", "credit_minor": "0"}
    ]


@pytest.mark.parametrize("report", ["trial-balance", "balance-sheet", "income-statement", "totals"])
def test_a_report_of_what_is_not_recorded_yet_is_refused(bob, carol, shop, report):
    path = f"/ledgers/{shop}/reports/{report}"

    refused = bob.get(path, params={"recorded_at": "2099-01-01T00:00:00Z"})

    assert (refused.status_code, refused.json()["code"]) == (400, "recorded_time_in_future")
    assert carol.get(path).status_code == 404


def test_a_proof_can_be_checked_offline(bob, walter, shop, sale):
    path = f"/ledgers/{shop}/proofs"
    kept = bob.get(f"{path}/head").json()["data"]
    walter.post(f"/ledgers/{shop}/transactions", {"lines": [SALE]})

    proof = bob.get(f"{path}/transactions/{sale}", params={"since": kept["head"]}).json()["data"]
    by_number = bob.get(f"{path}/records/{proof['says']['number']}").json()["data"]
    consistency = bob.get(f"{path}/consistency", params={"older": kept["head"]}).json()["data"]

    checked = check(proof, trusted_head=bytes.fromhex(kept["head"]))
    assert (checked.says["id"], checked.committed) == (sale, True)
    assert check(by_number).says == checked.says
    assert check_consistency(consistency).older_batch == kept["batch"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"transactions/{ABSENT}", 404, "transaction_not_found"),
        ("transactions/17", 400, "invalid_uuid_format"),
        ("records/999", 404, "transaction_not_found"),
        ("records/x", 400, "invalid_filter"),
        (f"records/{10**38}", 404, "transaction_not_found"),
        ("consistency", 400, "missing_fields"),
        ("consistency?older=17", 400, "invalid_argument"),
        (f"consistency?older={'ab' * 32}", 400, "invalid_proof"),
        (f"records/1?since={'ab' * 32}", 400, "invalid_proof"),
    ],
)
def test_what_cannot_be_proven_is_refused(bob, shop, sale, path, status, code):
    refused = bob.get(f"/ledgers/{shop}/proofs/{path}")

    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_events_are_followed_from_any_offset(bob, walter, shop, sale):
    path = f"/ledgers/{shop}/events"

    first = bob.get(path, params={"limit": "2"}).json()
    page = first["metadata"]["pagination"]
    second = bob.get(path, params={"after": page["next_after"]}).json()

    assert [each["type"] for each in first["data"]] == ["settings.changed", "account.opened"]
    assert page == {"type": "offset", "limit": 2, "has_more": True, "next_after": 2}
    assert [each["type"] for each in second["data"]] == ["account.opened", "transaction.posted"]
    assert second["data"][-1]["id"] == sale
    assert second["metadata"]["pagination"] == {"type": "offset", "limit": 100, "has_more": False, "next_after": 4}


def test_events_of_some_types_are_followed(bob, shop, sale):
    """What was looked at without a match need not be looked at again."""
    path = f"/ledgers/{shop}/events"

    posted = bob.get(path, params={"types": "transaction.posted,hold.placed"}).json()
    none = bob.get(path, params={"types": "hold.placed"}).json()

    assert [each["number"] for each in posted["data"]] == [4]
    assert (none["data"], none["metadata"]["pagination"]["next_after"]) == ([], 4)


@pytest.mark.parametrize(
    "query",
    [{"types": "gift"}, {"types": ""}, {"after": "-1"}, {"after": "x"}, {"limit": "0"}, {"limit": "1001"}],
)
def test_events_that_cannot_be_asked_for_are_refused(bob, shop, query):
    refused = bob.get(f"/ledgers/{shop}/events", params=query)

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_filter")


def test_an_offset_beyond_every_record_finds_nothing_yet(bob, shop, sale):
    found = bob.get(f"/ledgers/{shop}/events", params={"after": "9" * 38})

    assert (found.status_code, found.json()["data"]) == (200, [])


@pytest.mark.parametrize("what", ["", "/events", "/proofs/head", f"/proofs/transactions/{ABSENT}", "/proofs/records/1"])
def test_strangers_see_nothing_of_a_ledger(carol, anonymous, shop, what):
    answers = [each.get(f"/ledgers/{shop}{what}") for each in (carol, anonymous)]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [
        (404, "ledger_not_found"),
        (401, "invalid_token"),
    ]


def test_options_tell_every_method_of_a_path(anonymous, shop):
    answer = anonymous.request("OPTIONS", f"/api/v1/ledgers/{shop}/holds")

    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, OPTIONS, POST")
