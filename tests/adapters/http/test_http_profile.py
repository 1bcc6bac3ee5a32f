"""One's own profile over HTTP."""

import pytest

from ledgercore_http import Limits

PASSWORD = "correct horse battery"
NEW = "a new and better one"


def told(answer):
    """The status and the reason of a refusal."""
    return answer.status_code, answer.json()["code"]


def change(client, /, current=PASSWORD, new=NEW, confirmation=NEW):
    sent = {"current_password": current, "new_password": new, "password_confirmation": confirmation}
    return client.put("/profile/password", sent)


class TestProfile:
    @pytest.mark.parametrize("prefix", ["/api", "/api/v1"])
    def test_is_the_user_who_asks(self, alice, prefix):
        answer = alice.request("GET", f"{prefix}/profile")

        assert answer.json()["data"]["id"] == alice.user_id
        assert answer.json()["metadata"] == {"action": "retrieved"}

    def test_name_and_email_are_changed(self, alice):
        answer = alice.put("/profile", {"full_name": " Alicia ", "email": "ALICIA@example.com"})

        assert answer.status_code == 200
        assert (answer.json()["data"]["full_name"], answer.json()["data"]["email"]) == ("Alicia", "alicia@example.com")
        assert alice.get("/profile").json()["data"] == answer.json()["data"]

    @pytest.mark.parametrize(
        ("sent", "told_"),
        [
            ({}, (400, "missing_fields")),
            ({"full_name": None}, (400, "missing_fields")),
            ({"full_name": ""}, (400, "missing_fields")),
            ({"full_name": 17}, (400, "invalid_name_format")),
            ({"full_name": "x" * 256}, (400, "invalid_name_format")),
            ({"email": "x"}, (400, "invalid_email_format")),
            ({"email": ["alice@example.com"]}, (400, "invalid_email_format")),
            ({"email": "bob@example.com"}, (409, "email_already_exists")),
            ({"role": "admin"}, (403, "insufficient_permissions")),
            ({"full_name": "Alicia", "role": "user"}, (403, "insufficient_permissions")),
            ({"full_name": "Alicia", "status": "ACTIVE"}, (403, "insufficient_permissions")),
            ({"full_name": "Alicia", "verified": True}, (400, "unknown_fields")),
            ({"full_name": "Alicia", "id": "x"}, (400, "unknown_fields")),
        ],
        ids=str,
    )
    def test_bad_change_is_refused_and_changes_nothing(self, alice, bob, sent, told_):
        before = alice.get("/profile").json()["data"]

        assert told(alice.put("/profile", sent)) == told_
        assert alice.get("/profile").json()["data"] == before

    def test_admin_does_not_raise_or_lower_themselves_here(self, ada):
        assert told(ada.put("/profile", {"role": "user"})) == (403, "insufficient_permissions")

    @pytest.mark.parametrize(
        ("method", "path"), [("GET", "/profile"), ("PUT", "/profile"), ("PUT", "/profile/password")]
    )
    def test_needs_a_token(self, anonymous, method, path):
        assert told(anonymous.request(method, f"/api{path}")) == (401, "invalid_token")


class TestPassword:
    def test_new_one_counts_and_the_old_one_does_not(self, anonymous, alice):
        answer = change(alice)

        assert answer.status_code == 200
        assert answer.json()["message"] == "Password updated successfully"
        sent = {"email": alice.email, "password": NEW}
        assert anonymous.post("/auth/login", sent).status_code == 200
        assert anonymous.post("/auth/login", sent | {"password": PASSWORD}).status_code == 401

    def test_every_other_session_ends(self, anonymous, alice):
        other = anonymous.post("/auth/login", {"email": alice.email, "password": PASSWORD}).json()["data"]

        change(alice)
        assert alice.get("/profile").status_code == 200
        assert told(anonymous.as_(other["access_token"]).get("/profile")) == (401, "token_revoked")
        refreshed = anonymous.post("/auth/refresh", {"refresh_token": other["refresh_token"]})
        assert told(refreshed) == (401, "token_revoked")

    @pytest.mark.parametrize("current", ["wrong horse battery", 17, f" {PASSWORD}", "x" * 1_000, "nul\x00"])
    def test_wrong_current_one_is_refused(self, alice, current):
        assert told(change(alice, current=current)) == (401, "invalid_credentials")

    @pytest.mark.parametrize(
        ("new", "confirmation"),
        [("short12", "short12"), (NEW, NEW + "x"), (PASSWORD, PASSWORD), ("x" * 256, "x" * 256), (17, 17)],
    )
    def test_weak_unconfirmed_or_same_one_is_refused(self, alice, new, confirmation):
        answer = change(alice, new=new, confirmation=confirmation)

        assert told(answer) == (400, "invalid_password_format")
        assert answer.json()["details"]["field"] == "new_password"

    @pytest.mark.parametrize("missing", ["current", "new", "confirmation"])
    def test_missing_one_is_refused(self, alice, missing):
        assert told(change(alice, **{missing: None})) == (400, "missing_fields")

    def test_admins_need_longer_ones(self, ada):
        answer = change(ada, new="twelve chars", confirmation="twelve chars")

        assert told(answer) == (400, "invalid_password_format")
        assert answer.json()["details"]["length_min"] == 15


class TestGuessing:
    @pytest.fixture
    def limits(self, tight):
        return Limits(per_address=None, per_user=None, per_token=None, logins=tight)

    def test_current_password_cannot_be_guessed_in_a_session(self, alice, bob, tight):
        for _ in range(tight.limit):
            assert told(change(alice, current="wrong horse battery"))[0] == 401

        assert told(change(alice)) == (429, "rate_limit_exceeded")
        assert change(bob).status_code == 200
