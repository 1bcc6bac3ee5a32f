"""Users over HTTP: registration, and what only admins may."""

import json

import pytest

REGISTRATION = {
    "email": "dora@example.com",
    "full_name": "Dora Example",
    "password": "password123!",
    "password_confirmation": "password123!",
}
USER_FIELDS = {
    "id", "email", "full_name", "status", "role", "active", "verified", "suspended", "deleted",
    "inserted_at", "updated_at",
}  # fmt: skip
NOBODY = "01970000-0000-7000-8000-00000000abcd"


def told(answer):
    """The status and the reason of a refusal."""
    return answer.status_code, answer.json()["code"]


def emails(answer):
    """Whose a list is."""
    return [user["email"].partition("@")[0] for user in answer.json()["data"]]


class TestRegistration:
    @pytest.mark.parametrize("prefix", ["/api", "/api/v1"])
    def test_makes_an_ordinary_user_who_may_log_in(self, anonymous, prefix):
        answer = anonymous.request("POST", f"{prefix}/users", json=REGISTRATION)

        assert answer.status_code == 201
        body = answer.json()
        assert body["data"].keys() == USER_FIELDS
        assert body["data"] | {"id": None, "inserted_at": None, "updated_at": None} == {
            "id": None,
            "email": "dora@example.com",
            "full_name": "Dora Example",
            "role": "user",
            "status": "ACTIVE",
            "active": True,
            "verified": False,
            "suspended": False,
            "deleted": False,
            "inserted_at": None,
            "updated_at": None,
        }
        assert body["metadata"] == {"action": "created"}
        signed_in = anonymous.post("/auth/login", {"email": "dora@example.com", "password": "password123!"})
        assert signed_in.status_code == 200

    @pytest.mark.parametrize("role", ["admin", "support", "nonsense", None, 17, ["admin"]])
    def test_role_is_ignored(self, anonymous, role):
        assert anonymous.post("/users", REGISTRATION | {"role": role}).json()["data"]["role"] == "user"

    def test_email_and_name_are_trimmed(self, anonymous):
        sent = REGISTRATION | {"email": " DORA@Example.com ", "full_name": "  Dora  "}

        data = anonymous.post("/users", sent).json()["data"]
        assert (data["email"], data["full_name"]) == ("dora@example.com", "Dora")

    @pytest.mark.parametrize(
        ("changed", "code", "field"),
        [
            ({"email": None}, "missing_fields", "email"),
            ({"full_name": "   "}, "missing_fields", "full_name"),
            ({"password": None}, "missing_fields", "password"),
            ({"password_confirmation": None}, "missing_fields", "password_confirmation"),
            ({"email": "dora"}, "invalid_email_format", "email"),
            ({"email": "dora@localhost"}, "invalid_email_format", "email"),
            ({"email": "do ra@example.com"}, "invalid_email_format", "email"),
            ({"email": "dora\x00@example.com"}, "invalid_email_format", "email"),
            ({"email": 17}, "invalid_email_format", "email"),
            ({"full_name": "x" * 256}, "invalid_name_format", "full_name"),
            ({"full_name": "Do\x00ra"}, "invalid_name_format", "full_name"),
            ({"full_name": 17}, "invalid_name_format", "full_name"),
            ({"password": "short12", "password_confirmation": "short12"}, "invalid_password_format", "password"),
            ({"password": "x" * 256, "password_confirmation": "x" * 256}, "invalid_password_format", "password"),
            ({"password_confirmation": "password124!"}, "invalid_password_format", "password"),
            ({"password": 12345678, "password_confirmation": 12345678}, "invalid_password_format", "password"),
        ],
        ids=str,
    )
    def test_bad_value_is_refused_by_name(self, anonymous, changed, code, field):
        answer = anonymous.post("/users", REGISTRATION | changed)

        assert told(answer) == (400, code)
        assert answer.json()["details"]["field"] == field

    def test_email_is_taken_once_in_any_spelling(self, anonymous, alice):
        answer = anonymous.post("/users", REGISTRATION | {"email": "ALICE@example.com"})

        assert told(answer) == (409, "email_already_exists")

    def test_email_of_a_deleted_user_stays_taken(self, anonymous, ada, alice):
        ada.delete(f"/users/{alice.user_id}")

        assert told(anonymous.post("/users", REGISTRATION | {"email": alice.email})) == (409, "email_already_exists")

    @pytest.mark.parametrize("field", ["status", "id", "active", "is_admin", "__proto__", "Email"])
    def test_unknown_field_is_refused(self, anonymous, field):
        answer = anonymous.post("/users", REGISTRATION | {field: "ADMIN"})

        assert told(answer) == (400, "unknown_fields")
        assert answer.json()["details"]["field"] == field


class TestRegistrationUnderAKey:
    def test_repeat_gets_the_same_user(self, anonymous, ada):
        first = anonymous.post("/users", REGISTRATION, key="dora")
        again = anonymous.post("/users", REGISTRATION, key="dora")

        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["idempotency-replayed"] == "true"
        assert ada.get("/users/stats").json()["data"]["total_users"] == 2

    def test_both_prefixes_are_one_address(self, anonymous):
        first = anonymous.request("POST", "/api/users", json=REGISTRATION, headers={"idempotency-key": "dora"})
        again = anonymous.request("POST", "/api/v1/users", json=REGISTRATION, headers={"idempotency-key": "dora"})

        assert again.content == first.content

    def test_another_body_is_a_conflict_that_changes_nothing(self, anonymous, ada):
        anonymous.post("/users", REGISTRATION, key="dora")

        answer = anonymous.post("/users", REGISTRATION | {"email": "eve@example.com"}, key="dora")
        assert told(answer) == (409, "idempotency_key_reused")
        assert ada.get("/users/stats").json()["data"]["total_users"] == 2

    def test_another_route_is_a_conflict(self, anonymous, alice):
        anonymous.post("/users", REGISTRATION, key="dora")

        answer = anonymous.post("/auth/login", {"email": alice.email, "password": "correct horse battery"}, key="dora")
        assert told(answer) == (409, "idempotency_key_reused")

    def test_refused_request_may_be_mended(self, anonymous):
        assert told(anonymous.post("/users", REGISTRATION | {"email": "x"}, key="dora"))[0] == 400

        assert anonymous.post("/users", REGISTRATION, key="dora").status_code == 201

    def test_key_is_forgotten_after_a_day(self, anonymous, clock):
        anonymous.post("/users", REGISTRATION, key="dora")
        clock.forward(hours=25)

        assert told(anonymous.post("/users", REGISTRATION, key="dora")) == (409, "email_already_exists")


class TestCreationByAdmins:
    SENT = REGISTRATION | {"password": "a long password!", "password_confirmation": "a long password!"}

    @pytest.mark.parametrize(
        ("role", "stored"),
        [("user", "user"), ("support", "support"), (" ADMIN ", "admin"), (None, "user"), ("", "user")],
    )
    def test_role_is_as_told(self, ada, role, stored):
        answer = ada.post("/users/admin", self.SENT | {"role": role})

        assert answer.status_code == 201
        assert answer.json()["data"]["role"] == stored

    @pytest.mark.parametrize("role", ["root", 17, ["admin"], {"admin": True}])
    def test_bad_role_is_refused(self, ada, role):
        assert told(ada.post("/users/admin", self.SENT | {"role": role})) == (400, "invalid_role")

    def test_admins_and_support_need_longer_passwords(self, ada):
        answer = ada.post("/users/admin", REGISTRATION | {"role": "support"})

        assert told(answer) == (400, "invalid_password_format")
        assert answer.json()["details"]["length_min"] == 15

    def test_is_recorded_with_who_did_it(self, ada):
        made = ada.post("/users/admin", self.SENT).json()["data"]

        [entry] = ada.get(f"/audit?action=user_created_by_admin&target=user:{made['id']}").json()["data"]
        assert entry["actor"] == f"user:{ada.user_id}"

    def test_others_are_refused_before_their_body_is_read(self, anonymous, alice, sam):
        for client in (alice, sam):
            assert told(client.post("/users/admin", {"nonsense": 1})) == (403, "insufficient_permissions")
        assert told(anonymous.post("/users/admin", self.SENT)) == (401, "invalid_token")


class TestListByPage:
    @pytest.fixture(autouse=True)
    def people(self, ada, alice, bob, carol, sam):
        """Five people, from ada to sam."""

    def test_newest_first_with_where_one_is(self, ada):
        answer = ada.get("/users")

        assert emails(answer) == ["sam", "carol", "bob", "alice", "ada"]
        assert answer.json()["metadata"] == {
            "action": "listed",
            "pagination": {"page": 1, "page_size": 20, "total_count": 5, "total_pages": 1},
        }

    def test_pages_follow_one_another(self, ada):
        pages = [ada.get(f"/users?page={page}&page_size=2") for page in (1, 2, 3, 4)]

        assert [emails(page) for page in pages] == [["sam", "carol"], ["bob", "alice"], ["ada"], []]
        assert pages[3].json()["metadata"]["pagination"] == {
            "page": 4, "page_size": 2, "total_count": 5, "total_pages": 3,
        }  # fmt: skip

    @pytest.mark.parametrize("bad", ["0", "-1", "abc", "", "1.5", "%00", "\uff11", "1e3", "null", "+1"])
    def test_what_cannot_be_read_is_the_default(self, ada, bad):
        pagination = ada.get(f"/users?page={bad}&page_size={bad}").json()["metadata"]["pagination"]

        assert (pagination["page"], pagination["page_size"]) == (1, 20)

    @pytest.mark.parametrize("size", ["101", "1000000000", "9" * 400])
    def test_page_has_at_most_a_hundred(self, ada, size):
        assert ada.get(f"/users?page_size={size}").json()["metadata"]["pagination"]["page_size"] == 100

    def test_very_late_page_is_empty(self, ada):
        assert emails(ada.get(f"/users?page={'9' * 300}")) == []

    @pytest.mark.parametrize(
        ("sort", "order"),
        [
            ("email", ["ada", "alice", "bob", "carol", "sam"]),
            ("email:asc", ["ada", "alice", "bob", "carol", "sam"]),
            ("email:desc", ["sam", "carol", "bob", "alice", "ada"]),
            ("created_at:asc", ["ada", "alice", "bob", "carol", "sam"]),
            ("role:asc,email:desc", ["ada", "sam", "carol", "bob", "alice"]),
            (" role , email ", ["ada", "sam", "alice", "bob", "carol"]),
            ("email:up,,", ["sam", "carol", "bob", "alice", "ada"]),
        ],
    )
    def test_order_is_as_asked(self, ada, sort, order):
        assert emails(ada.get("/users", params={"sort": sort})) == order

    @pytest.mark.parametrize("sort", ["password_hash", "email;drop table users", "id:asc", "email:asc,secret", "EMAIL"])
    def test_unknown_field_is_refused(self, ada, sort):
        assert told(ada.get("/users", params={"sort": sort})) == (400, "invalid_sort")

    @pytest.mark.parametrize(
        ("query", "who"),
        [
            ("role=admin", ["ada"]),
            ("role=%20USER%20", ["carol", "bob", "alice"]),
            ("role=support&status=active", ["sam"]),
            ("status=SUSPENDED", []),
            ("status=&role=", ["sam", "carol", "bob", "alice", "ada"]),
        ],
    )
    def test_filters_narrow_the_list_and_its_count(self, ada, query, who):
        answer = ada.get(f"/users?{query}")

        assert emails(answer) == who
        assert answer.json()["metadata"]["pagination"]["total_count"] == len(who)

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("status=GONE", "invalid_status"),
            ("role=root", "invalid_role"),
            ("password_hash=x", "unknown_fields"),
            ("page=1&page=2", "invalid_argument"),
        ],
    )
    def test_bad_query_is_refused(self, ada, query, code):
        assert told(ada.get(f"/users?{query}")) == (400, code)

    def test_deleted_users_are_shown_only_by_their_status(self, ada, bob):
        ada.delete(f"/users/{bob.user_id}")

        assert "bob" not in emails(ada.get("/users"))
        assert emails(ada.get("/users?status=DELETED")) == ["bob"]

    @pytest.mark.parametrize("path", ["/users", "/users/keyset", "/users/stats", f"/users/{NOBODY}"])
    def test_only_admins_look(self, anonymous, alice, sam, path):
        for client in (alice, sam):
            assert told(client.get(path)) == (403, "insufficient_permissions")
        assert told(anonymous.get(path)) == (401, "invalid_token")


class TestListByKeyset:
    @pytest.fixture(autouse=True)
    def people(self, ada, alice, bob, carol, sam):
        """Five people, from ada to sam."""

    def test_cursor_leads_through_all_of_them_once(self, ada):
        seen, cursor = [], None
        while True:
            answer = ada.get("/users/keyset", params={"limit": 2} | ({} if cursor is None else {"cursor": cursor}))
            seen += emails(answer)
            pagination = answer.json()["metadata"]["pagination"]
            assert pagination.keys() == {"type", "limit", "has_more", "next_cursor"}
            if not pagination["has_more"]:
                break
            cursor = json.dumps(pagination["next_cursor"])

        assert seen == ["sam", "carol", "bob", "alice", "ada"]
        assert pagination == {"type": "keyset", "limit": 2, "has_more": False, "next_cursor": None}

    def test_cursor_names_the_last_that_was_shown(self, ada):
        answer = ada.get("/users/keyset?limit=2")

        last = answer.json()["data"][-1]
        assert answer.json()["metadata"]["pagination"]["next_cursor"] == {
            "inserted_at": last["inserted_at"],
            "id": last["id"],
        }

    def test_full_last_page_has_no_more(self, ada):
        assert ada.get("/users/keyset?limit=5").json()["metadata"]["pagination"]["has_more"] is False

    def test_who_registers_meanwhile_moves_nobody(self, ada, person):
        first = ada.get("/users/keyset?limit=2")
        person("zoe")
        cursor = json.dumps(first.json()["metadata"]["pagination"]["next_cursor"])

        assert emails(ada.get("/users/keyset", params={"limit": 2, "cursor": cursor})) == ["bob", "alice"]

    @pytest.mark.parametrize(
        "cursor",
        [
            "", "nonsense", "{}", "[]", "null", "{", '{"inserted_at": "yesterday", "id": "x"}', '{"id": 1}', "\x00",
            '{"inserted_at": "2026-03-01T12:00:00", "id": "01970000-0000-7000-8000-00000000abcd"}',
            "[" * 600, '{"inserted_at": 5, "id": "01970000-0000-7000-8000-00000000abcd"}',
        ],
    )  # fmt: skip
    def test_bad_cursor_is_the_first_page(self, ada, cursor):
        assert emails(ada.get("/users/keyset", params={"cursor": cursor}))[0] == "sam"

    @pytest.mark.parametrize(("limit", "counts"), [("0", 20), ("x", 20), ("101", 100), ("3", 3)])
    def test_limit_is_lenient(self, ada, limit, counts):
        assert ada.get(f"/users/keyset?limit={limit}").json()["metadata"]["pagination"]["limit"] == counts

    def test_filters_count(self, ada):
        assert emails(ada.get("/users/keyset?role=user&status=ACTIVE")) == ["carol", "bob", "alice"]


def test_stats_count_by_status_and_role(ada, sam, alice, bob, carol):
    ada.put(f"/users/{bob.user_id}", {"status": "SUSPENDED"})
    ada.delete(f"/users/{carol.user_id}")

    assert ada.get("/users/stats").json()["data"] == {
        "total_users": 4,
        "active_users": 3,
        "admin_users": 1,
        "suspended_users": 1,
    }


class TestOneUser:
    def test_is_shown_to_admins(self, ada, alice):
        answer = ada.get(f"/users/{alice.user_id}")

        assert answer.json()["data"].keys() == USER_FIELDS
        assert answer.json()["metadata"] == {"action": "retrieved"}

    @pytest.mark.parametrize("id", ["17", "x" * 16, NOBODY + "0", NOBODY.replace("-", ""), "%00", "keyset2"])
    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_malformed_id_is_refused(self, ada, method, id):
        answer = ada.request(method, f"/api/v1/users/{id}", json={"full_name": "X"} if method == "PUT" else None)

        assert told(answer) == (400, "invalid_uuid_format")

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_unknown_id_is_not_found(self, ada, method):
        answer = ada.request(method, f"/api/v1/users/{NOBODY}", json={"full_name": "X"} if method == "PUT" else None)

        assert told(answer) == (404, "user_not_found")


class TestChange:
    def test_gives_new_values(self, ada, alice):
        sent = {"email": " ALICIA@example.com", "full_name": " Alicia ", "role": "SUPPORT", "status": "active"}

        answer = ada.put(f"/users/{alice.user_id}", sent)
        assert answer.status_code == 200
        data = answer.json()["data"]
        assert (data["email"], data["full_name"], data["role"]) == ("alicia@example.com", "Alicia", "support")
        assert data["updated_at"] > data["inserted_at"]
        assert answer.json()["metadata"] == {"action": "updated"}

    def test_null_leaves_a_value_as_it_is(self, ada, alice):
        data = ada.put(f"/users/{alice.user_id}", {"full_name": "Alicia", "email": None}).json()["data"]

        assert (data["full_name"], data["email"]) == ("Alicia", "alice@example.com")

    @pytest.mark.parametrize(
        ("sent", "told_"),
        [
            ({}, (400, "missing_fields")),
            ({"email": None, "role": None}, (400, "missing_fields")),
            ({"role": "root"}, (400, "invalid_role")),
            ({"status": "ASLEEP"}, (400, "invalid_status")),
            ({"email": "x"}, (400, "invalid_email_format")),
            ({"email": 5}, (400, "invalid_email_format")),
            ({"full_name": "\x00"}, (400, "invalid_name_format")),
            ({"email": "bob@example.com"}, (409, "email_already_exists")),
            ({"password_hash": "x"}, (400, "unknown_fields")),
            ({"password": "a new password"}, (400, "unknown_fields")),
            ({"active": False}, (400, "unknown_fields")),
        ],
        ids=str,
    )
    def test_bad_change_is_refused_and_changes_nothing(self, ada, alice, bob, sent, told_):
        before = ada.get(f"/users/{alice.user_id}").json()["data"]

        assert told(ada.put(f"/users/{alice.user_id}", sent)) == told_
        assert ada.get(f"/users/{alice.user_id}").json()["data"] == before

    def test_role_counts_at_once(self, ada, alice):
        ada.put(f"/users/{alice.user_id}", {"role": "admin"})

        assert alice.get("/users/stats").status_code == 200

    def test_last_admin_stays_one(self, ada):
        assert told(ada.put(f"/users/{ada.user_id}", {"role": "user"})) == (422, "last_admin")

    def test_is_for_admins(self, alice, sam):
        for client in (alice, sam):
            assert told(client.put(f"/users/{alice.user_id}", {"role": "admin"})) == (403, "insufficient_permissions")


class TestDeletion:
    def test_takes_the_user_out_of_sight_at_once(self, ada, alice):
        answer = ada.delete(f"/users/{alice.user_id}")

        assert answer.status_code == 200
        assert answer.json()["message"] == "User deleted successfully"
        assert told(ada.get(f"/users/{alice.user_id}")) == (404, "user_not_found")
        assert alice.get("/auth/me").status_code == 401

    def test_twice_is_not_found(self, ada, alice):
        ada.delete(f"/users/{alice.user_id}")

        assert told(ada.delete(f"/users/{alice.user_id}")) == (404, "user_not_found")

    def test_nobody_deletes_themselves(self, ada, person):
        person("second", "admin")

        assert told(ada.delete(f"/users/{ada.user_id}"))[0] == 403
        assert ada.get("/auth/me").status_code == 200

    def test_is_for_admins(self, alice, bob):
        assert told(alice.delete(f"/users/{bob.user_id}")) == (403, "insufficient_permissions")
