"""Service tokens over HTTP: shown once, bounded by their scopes and their owner."""

import pytest

NOBODY = "01970000-0000-7000-8000-00000000abcd"


def told(answer):
    """The status and the reason of a refusal."""
    return answer.status_code, answer.json()["code"]


def issue(client, /, *scopes, **fields):
    return client.post("/tokens", {"name": "robot", "scopes": list(scopes) or ["ledger:read"], **fields})


def machine(client, /, *scopes, **fields):
    """A client with a service token of another client's user."""
    answer = issue(client, *scopes, **fields)
    assert answer.status_code == 201, answer.text
    return client.as_(answer.json()["data"]["key"])


class TestIssuing:
    @pytest.mark.parametrize("prefix", ["/api", "/api/v1"])
    def test_shows_the_key_once(self, alice, prefix):
        sent = {"name": " nightly ", "scopes": ["ledger:write", "ledger:read"]}

        answer = alice.request("POST", f"{prefix}/tokens", json=sent)
        assert answer.status_code == 201
        data = answer.json()["data"]
        assert data.keys() == {"id", "owner_id", "name", "shown", "scopes", "issued_at", "key"}
        assert data["key"].startswith("lc_test_")
        assert data["key"].startswith(data["shown"])
        assert (data["name"], data["scopes"]) == ("nightly", ["ledger:read", "ledger:write"])
        assert data["key"] not in alice.get("/tokens").text

    def test_repeat_under_a_key_shows_the_same_token(self, alice):
        sent = {"name": "robot", "scopes": ["ledger:read"]}

        first, again = alice.post("/tokens", sent, key="mine"), alice.post("/tokens", sent, key="mine")
        assert again.content == first.content
        assert again.headers["idempotency-replayed"] == "true"
        assert len(alice.get("/tokens").json()["data"]) == 1

    def test_keys_of_different_users_are_apart(self, alice, bob):
        sent = {"name": "robot", "scopes": ["ledger:read"]}

        first, other = alice.post("/tokens", sent, key="mine"), bob.post("/tokens", sent, key="mine")
        assert other.status_code == 201
        assert other.json()["data"]["owner_id"] == bob.user_id != first.json()["data"]["owner_id"]

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"name": None}, "missing_fields"),
            ({"name": "  "}, "missing_fields"),
            ({"name": 17}, "invalid_name_format"),
            ({"name": "x" * 101}, "invalid_name_format"),
            ({"name": "a\x00b"}, "invalid_name_format"),
            ({"scopes": None}, "missing_fields"),
            ({"scopes": []}, "invalid_scope"),
            ({"scopes": ["ledger:everything"]}, "invalid_scope"),
            ({"scopes": "ledger:read"}, "invalid_argument"),
            ({"scopes": 17}, "invalid_argument"),
            ({"scopes": [["ledger:read"]]}, "invalid_argument"),
            ({"scopes": {"ledger:read": True}}, "invalid_argument"),
            ({"ledgers": []}, "invalid_argument"),
            ({"ledgers": ["x"] * 50 + [f"l{n}" for n in range(101)]}, "invalid_argument"),
            ({"ledgers": "shop"}, "invalid_argument"),
            ({"ledgers": [17]}, "invalid_argument"),
            ({"ledgers": [{}]}, "invalid_argument"),
            ({"ledgers": ["../shop"]}, "invalid_ledger_name"),
            ({"expires_at": "tomorrow"}, "invalid_datetime_format"),
            ({"expires_at": 1_900_000_000}, "invalid_datetime_format"),
            ({"expires_at": "2030-01-01T00:00:00"}, "invalid_datetime_format"),
            ({"expires_at": "0000-01-01T00:00:00Z"}, "datetime_out_of_range"),
            ({"expires_at": "2026-01-01T00:00:00Z"}, "invalid_expiry"),
            ({"owner_id": "somebody"}, "invalid_uuid_format"),
            ({"key": "lc_mine"}, "unknown_fields"),
        ],
        ids=str,
    )
    def test_bad_form_is_refused(self, alice, fields, code):
        assert told(issue(alice, **fields)) == (400, code)

    def test_for_another_is_for_admins(self, ada, alice, bob):
        assert told(issue(alice, owner_id=bob.user_id)) == (403, "insufficient_permissions")
        assert issue(ada, owner_id=bob.user_id).json()["data"]["owner_id"] == bob.user_id
        assert told(issue(ada, owner_id=NOBODY)) == (404, "user_not_found")

    def test_not_for_a_suspended_owner(self, ada, bob):
        ada.put(f"/users/{bob.user_id}", {"status": "SUSPENDED"})

        assert told(issue(ada, owner_id=bob.user_id)) == (422, "account_inactive")

    def test_needs_a_token(self, anonymous):
        assert told(issue(anonymous)) == (401, "invalid_token")


class TestUsing:
    def test_acts_for_its_owner_within_its_scopes(self, alice):
        robot = machine(alice, "profile:read")

        assert robot.get("/auth/me").json()["data"]["id"] == alice.user_id
        assert robot.get("/auth/validate").json()["data"]["expires_at"] is None
        assert told(robot.get("/ledgers")) == (403, "insufficient_permissions")

    def test_is_never_more_than_its_owner(self, alice):
        robot = machine(alice, "users:read", "users:write", "audit:read")

        for path in ("/users", "/audit"):
            assert told(robot.get(path)) == (403, "insufficient_permissions")

    def test_of_an_admin_needs_the_scope(self, ada):
        reader = machine(ada, "users:read")

        assert reader.get("/users").status_code == 200
        assert told(reader.post("/users/admin", {})) == (403, "insufficient_permissions")

    @pytest.mark.parametrize(
        ("method", "path"), [("POST", "/auth/logout-all"), ("PUT", "/profile"), ("PUT", "/profile/password")]
    )
    def test_does_not_do_what_only_people_do(self, alice, method, path):
        robot = machine(alice, "profile:read", "tokens:write", "ledger:manage")

        assert told(robot.request(method, f"/api/v1{path}", json={})) == (403, "insufficient_permissions")

    def test_expires(self, alice, clock):
        robot = machine(alice, "profile:read", expires_at="2026-03-01T13:00:00+00:00")
        assert robot.get("/auth/validate").json()["data"]["expires_at"] == "2026-03-01T13:00:00+00:00"
        clock.forward(hours=2)

        assert told(robot.get("/auth/me")) == (401, "token_expired")

    def test_is_out_with_its_owner(self, ada, alice):
        robot = machine(alice, "profile:read")
        ada.put(f"/users/{alice.user_id}", {"status": "SUSPENDED"})

        assert told(robot.get("/auth/me")) == (403, "forbidden")

    def test_outlives_its_owners_sessions(self, alice):
        robot = machine(alice, "profile:read")
        alice.post("/auth/logout-all")

        assert robot.get("/auth/me").status_code == 200

    def test_is_bound_to_its_ledgers(self, alice, bob):
        first, second = (alice.post("/ledgers", {"name": name}).json()["data"]["ledger"] for name in ("one", "two"))
        robot = machine(alice, "ledger:read", "ledger:manage", ledgers=[first])

        assert [each["ledger"] for each in robot.get("/ledgers").json()["data"]] == [first]
        assert robot.get(f"/ledgers/{first}/members").status_code == 200
        assert told(robot.get(f"/ledgers/{second}/members")) == (404, "ledger_not_found")

    def test_issues_no_more_than_it_has(self, alice):
        robot = machine(alice, "tokens:write", "ledger:read")

        assert issue(robot, "ledger:read").status_code == 201
        assert told(issue(robot, "ledger:write")) == (403, "insufficient_permissions")

    def test_mistyped_key_is_refused(self, alice):
        robot = machine(alice, "profile:read")

        assert told(robot.as_(robot.token[:-1] + "!").get("/auth/me")) == (401, "invalid_token")


class TestListing:
    def test_shows_ones_own_page_by_page(self, alice, bob, clock):
        issue(bob)
        names = ["robot 0", "robot 1", "robot 2"]
        for name in names:
            clock.forward(seconds=1)
            issue(alice, name=name)

        first = alice.get("/tokens?limit=2")
        pagination = first.json()["metadata"]["pagination"]
        second = alice.get("/tokens", params={"limit": 2, "cursor": pagination["next_cursor"]})
        assert [token["name"] for token in first.json()["data"] + second.json()["data"]] == names
        assert (pagination["limit"], pagination["has_more"]) == (2, True)
        assert second.json()["metadata"]["pagination"]["next_cursor"] is None

    def test_admins_see_anybodys(self, ada, alice, bob):
        issue(alice), issue(bob)

        assert ada.get("/tokens").json()["data"] == []
        assert len(ada.get(f"/tokens?owner_id={bob.user_id}").json()["data"]) == 1
        assert len(ada.get("/tokens?everybodys=true").json()["data"]) == 2

    def test_others_see_only_their_own(self, alice, bob):
        assert told(alice.get(f"/tokens?owner_id={bob.user_id}")) == (403, "insufficient_permissions")
        assert told(alice.get("/tokens?everybodys=true")) == (403, "insufficient_permissions")
        assert alice.get(f"/tokens?owner_id={alice.user_id}").status_code == 200

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("limit=0", "invalid_filter"),
            ("limit=1001", "invalid_filter"),
            ("limit=ten", "invalid_filter"),
            ("cursor=nonsense", "invalid_cursor"),
            ("owner_id=me", "invalid_uuid_format"),
            ("everybodys=1", "invalid_filter"),
            ("scope=ledger:read", "unknown_fields"),
        ],
    )
    def test_bad_query_is_refused(self, alice, query, code):
        assert told(alice.get(f"/tokens?{query}")) == (400, code)


class TestRevoking:
    def test_closes_at_once(self, alice):
        issued = issue(alice, "profile:read").json()["data"]

        answer = alice.delete(f"/tokens/{issued['id']}")
        assert answer.status_code == 200
        assert "revoked_at" in answer.json()["data"]
        assert told(alice.as_(issued["key"]).get("/auth/me")) == (401, "token_revoked")

    def test_once_more_changes_nothing(self, alice):
        id = issue(alice).json()["data"]["id"]

        assert alice.delete(f"/tokens/{id}").json()["data"] == alice.delete(f"/tokens/{id}").json()["data"]

    def test_of_another_is_not_found_but_for_admins(self, ada, alice, bob):
        id = issue(alice).json()["data"]["id"]

        assert told(bob.delete(f"/tokens/{id}")) == (404, "service_token_not_found")
        assert ada.delete(f"/tokens/{id}").status_code == 200

    @pytest.mark.parametrize(
        ("id", "told_"), [(NOBODY, (404, "service_token_not_found")), ("x", (400, "invalid_uuid_format"))]
    )
    def test_bad_id_is_refused(self, alice, id, told_):
        assert told(alice.delete(f"/tokens/{id}")) == told_
