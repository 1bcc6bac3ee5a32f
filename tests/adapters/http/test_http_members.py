"""Ledgers and their members over HTTP: who starts one, who sees it, who lets others in."""

import re

import pytest

NOBODY = "01970000-0000-7000-8000-00000000abcd"


def told(answer):
    """The status and the reason of a refusal."""
    return answer.status_code, answer.json()["code"]


def names(answer):
    """The ledgers of a list."""
    return [each["ledger"] for each in answer.json()["data"]]


class TestStartingALedger:
    @pytest.mark.parametrize("prefix", ["/api", "/api/v1"])
    def test_makes_its_creator_the_owner_under_an_unguessable_name(self, alice, prefix):
        answer = alice.request("POST", f"{prefix}/ledgers", json={"name": "shop"})

        assert answer.status_code == 201
        data = answer.json()["data"]
        assert re.fullmatch(r"shop-[0-9a-z]{10}", data["ledger"])
        assert data["access"] == "owner"
        assert alice.get("/ledgers").json()["data"] == [data]

    def test_taken_name_tells_a_user_nothing(self, alice, bob):
        assert alice.post("/ledgers", {"name": "shop"}).status_code == 201
        assert bob.post("/ledgers", {"name": "shop"}).status_code == 201

    def test_admins_name_it_exactly(self, ada):
        assert ada.post("/ledgers", {"name": "main"}).json()["data"] == {"ledger": "main", "access": "owner"}
        assert told(ada.post("/ledgers", {"name": "main"})) == (409, "ledger_already_exists")

    def test_repeat_under_a_key_starts_one(self, alice):
        first, again = (alice.post("/ledgers", {"name": "shop"}, key="one") for _ in range(2))

        assert again.content == first.content
        assert len(names(alice.get("/ledgers"))) == 1

    def test_settings_count_from_the_start(self, service, alice):
        made = alice.post("/ledgers", {"name": "shop", "settings": {"on_first_use": True, "assets": {"GOLD": 3}}})

        settings = service.journals.journal(made.json()["data"]["ledger"]).state().settings
        assert settings.opening.on_first_use
        assert [asset.code for asset in settings.assets] == ["GOLD"]

    @pytest.mark.parametrize(
        ("sent", "told_", "field"),
        [
            ({}, (400, "missing_fields"), "name"),
            ({"name": None}, (400, "missing_fields"), "name"),
            ({"name": 17}, (400, "invalid_ledger_name"), "ledger"),
            ({"name": ""}, (400, "invalid_ledger_name"), "ledger"),
            ({"name": "../etc"}, (400, "invalid_ledger_name"), "ledger"),
            ({"name": "sh\x00op"}, (400, "invalid_ledger_name"), "ledger"),
            ({"name": "x" * 53}, (400, "invalid_ledger_name"), "ledger"),
            ({"name": ["shop"]}, (400, "invalid_ledger_name"), "ledger"),
            ({"name": "shop", "settings": []}, (400, "invalid_argument"), "settings"),
            ({"name": "shop", "settings": {"colour": "red"}}, (400, "unknown_fields"), "settings.colour"),
            ({"name": "shop", "settings": {"on_first_use": 1}}, (400, "invalid_argument"), "settings.on_first_use"),
            ({"name": "shop", "owner": "me"}, (400, "unknown_fields"), "owner"),
        ],
        ids=str,
    )
    def test_bad_form_is_refused(self, alice, sent, told_, field):
        answer = alice.post("/ledgers", sent)

        assert told(answer) == told_
        assert answer.json()["details"]["field"] == field

    def test_needs_a_token(self, anonymous):
        assert told(anonymous.post("/ledgers", {"name": "shop"})) == (401, "invalid_token")


class TestListing:
    def test_shows_what_one_is_a_member_of(self, shop, alice, bob, carol, ada, sam):
        assert alice.get("/ledgers").json()["data"] == [{"ledger": shop, "access": "owner"}]
        assert bob.get("/ledgers").json()["data"] == [{"ledger": shop, "access": "reader"}]
        for stranger in (carol, ada, sam):
            assert names(stranger.get("/ledgers")) == []

    def test_admins_and_support_see_everybodys(self, shop, alice, ada, sam):
        for client in (ada, sam):
            assert client.get("/ledgers?everybodys=true").json()["data"] == [{"ledger": shop}]
        assert told(alice.get("/ledgers?everybodys=true")) == (403, "insufficient_permissions")

    def test_pages_follow_one_another(self, ada):
        for number in range(5):
            ada.post("/ledgers", {"name": f"book-{number}"})

        seen, cursor = [], None
        while True:
            page = ada.get("/ledgers", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
            seen += names(page)
            cursor = page.json()["metadata"]["pagination"]["next_cursor"]
            if cursor is None:
                break
        assert seen == [f"book-{number}" for number in range(5)]

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("cursor=x", "invalid_cursor"),
            ("limit=0", "invalid_filter"),
            ("everybodys=yes", "invalid_filter"),
            ("owner=me", "unknown_fields"),
        ],
    )
    def test_bad_query_is_refused(self, alice, query, code):
        assert told(alice.get(f"/ledgers?{query}")) == (400, code)


class TestMembers:
    @pytest.mark.parametrize("prefix", ["/api", "/api/v1"])
    def test_owner_and_admins_see_them(self, shop, alice, ada, bob, walter, prefix):
        for client in (alice, ada):
            answer = client.request("GET", f"{prefix}/ledgers/{shop}/members")
            assert {each["user_id"]: each["access"] for each in answer.json()["data"]} == {
                alice.user_id: "owner",
                bob.user_id: "reader",
                walter.user_id: "writer",
            }

    def test_owner_lets_somebody_in(self, shop, alice, carol):
        assert told(carol.get(f"/ledgers/{shop}/members")) == (404, "ledger_not_found")

        answer = alice.put(f"/ledgers/{shop}/members/{carol.user_id}", {"access": "reader"})
        assert answer.status_code == 200
        assert answer.json()["data"] | {"granted_at": None} == {
            "ledger": shop,
            "user_id": carol.user_id,
            "access": "reader",
            "granted_at": None,
        }
        assert names(carol.get("/ledgers")) == [shop]

    def test_access_is_changed_in_place(self, shop, alice, bob):
        alice.put(f"/ledgers/{shop}/members/{bob.user_id}", {"access": " OWNER "})

        assert bob.get(f"/ledgers/{shop}/members").status_code == 200

    def test_owner_shuts_somebody_out(self, shop, alice, bob):
        answer = alice.delete(f"/ledgers/{shop}/members/{bob.user_id}")

        assert (answer.status_code, answer.json()["message"]) == (200, "Member removed successfully")
        assert names(bob.get("/ledgers")) == []
        assert told(alice.delete(f"/ledgers/{shop}/members/{bob.user_id}")) == (404, "member_not_found")

    def test_last_owner_stays(self, shop, alice):
        own = f"/ledgers/{shop}/members/{alice.user_id}"

        assert told(alice.delete(own)) == (422, "last_owner")
        assert told(alice.put(own, {"access": "reader"})) == (422, "last_owner")
        assert alice.put(own, {"access": "owner"}).status_code == 200

    @pytest.mark.parametrize("who", ["bob", "walter", "sam"])
    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_who_only_reads_or_posts_does_not_manage(self, shop, request, bob, who, method):
        client = request.getfixturevalue(who)
        path = f"/ledgers/{shop}/members" + ("" if method == "GET" else f"/{bob.user_id}")

        answer = client.request(method, f"/api/v1{path}", json={"access": "owner"} if method == "PUT" else None)
        assert told(answer) == (403, "insufficient_permissions")

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_stranger_gets_the_answer_of_a_ledger_that_is_not_there(self, shop, carol, bob, method):
        answers = []
        for ledger in (shop, "shop-0123456789"):
            path = f"/api/v1/ledgers/{ledger}/members" + ("" if method == "GET" else f"/{bob.user_id}")
            answer = carol.request(method, path, json={"access": "owner"} if method == "PUT" else None)
            body = answer.json()
            answers.append((answer.status_code, body["code"], body["title"], body["details"] == {"ledger": ledger}))

        assert answers == [(404, "ledger_not_found", "Ledger not found", True)] * 2

    @pytest.mark.parametrize(
        ("user", "sent", "told_"),
        [
            (NOBODY, {"access": "reader"}, (404, "user_not_found")),
            ("x", {"access": "reader"}, (400, "invalid_uuid_format")),
            ("bob", {}, (400, "missing_fields")),
            ("bob", {"access": None}, (400, "missing_fields")),
            ("bob", {"access": "emperor"}, (400, "invalid_access")),
            ("bob", {"access": 17}, (400, "invalid_access")),
            ("bob", {"access": ["owner"]}, (400, "invalid_access")),
            ("bob", {"access": "reader", "role": "admin"}, (400, "unknown_fields")),
        ],
        ids=str,
    )
    def test_bad_form_is_refused(self, shop, alice, bob, user, sent, told_):
        user_id = bob.user_id if user == "bob" else user

        assert told(alice.put(f"/ledgers/{shop}/members/{user_id}", sent)) == told_

    def test_changes_are_audited(self, shop, ada, alice, carol):
        alice.put(f"/ledgers/{shop}/members/{carol.user_id}", {"access": "writer"})
        alice.delete(f"/ledgers/{shop}/members/{carol.user_id}")

        entries = ada.get(f"/audit?target=ledger:{shop}&limit=2").json()["data"]
        assert [entry["action"] for entry in entries] == ["member_revoked", "member_granted"]
        assert entries[1]["details"] == {"user_id": carol.user_id, "access": "writer"}
