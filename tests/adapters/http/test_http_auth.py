"""Sessions over HTTP: logging in and out, refreshing, and what a token still opens."""

import pytest

from ledgercore_http import Limits

PASSWORD = "correct horse battery"


def told(answer):
    """The status and the reason of a refusal."""
    return answer.status_code, answer.json()["code"]


def login(client, /, email="alice@example.com", password=PASSWORD, **options):
    return client.post("/auth/login", {"email": email, "password": password}, **options)


def refresh(client, token, **options):
    return client.post("/auth/refresh", {"refresh_token": token}, **options)


class TestLogin:
    @pytest.mark.parametrize("prefix", ["/api", "/api/v1"])
    def test_gives_a_pair_of_tokens_and_whose_they_are(self, anonymous, alice, prefix):
        answer = anonymous.request("POST", f"{prefix}/auth/login", json={"email": alice.email, "password": PASSWORD})

        assert answer.status_code == 200
        body = answer.json()
        assert body["success"] is True
        assert body["data"].keys() == {"access_token", "refresh_token", "user"}
        assert body["data"]["user"] == {
            "id": alice.user_id,
            "email": "alice@example.com",
            "full_name": "Alice",
            "role": "user",
            "status": "ACTIVE",
        }

    def test_email_counts_trimmed_and_in_lower_case(self, anonymous, alice):
        assert login(anonymous, email=" ALICE@EXAMPLE.COM  ").status_code == 200

    def test_password_counts_to_the_letter(self, anonymous, alice):
        assert told(login(anonymous, password=f" {PASSWORD} ")) == (401, "invalid_credentials")

    @pytest.mark.parametrize(
        "sent",
        [
            {"email": "alice@example.com", "password": "wrong horse battery"},
            {"email": "nobody@example.com", "password": PASSWORD},
            {"email": "alice@example.com", "password": ""},
            {"email": "alice@example.com", "password": "short"},
            {"email": "alice@example.com", "password": "x" * 5_000},
            {"email": "alice@example.com", "password": None},
            {"email": "alice@example.com", "password": 12_345_678},
            {"email": "alice@example.com", "password": ["a", "list"]},
            {"email": "alice@example.com", "password": "nul \x00 inside"},
            {"email": "alice@example.com"},
        ],
        ids=str,
    )
    def test_whatever_is_wrong_with_the_password_is_the_same_refusal(self, anonymous, alice, sent):
        answer = anonymous.post("/auth/login", sent)

        assert told(answer) == (401, "invalid_credentials")
        assert answer.json()["details"] == {}
        assert answer.headers["www-authenticate"].startswith("Bearer")

    @pytest.mark.parametrize(
        ("sent", "code"),
        [
            ({"password": PASSWORD}, "missing_fields"),
            ({"email": "", "password": PASSWORD}, "missing_fields"),
            ({"email": None, "password": PASSWORD}, "missing_fields"),
            ({"email": "alice", "password": PASSWORD}, "invalid_email_format"),
            ({"email": 17, "password": PASSWORD}, "invalid_email_format"),
            ({"email": "a\x00@example.com", "password": PASSWORD}, "invalid_email_format"),
            ({"email": f"{'a' * 250}@example.com", "password": PASSWORD}, "invalid_email_format"),
            ({"email": "alice@example.com", "password": PASSWORD, "otp": "123456"}, "unknown_fields"),
        ],
        ids=str,
    )
    def test_bad_form_is_refused_before_anything_is_looked_up(self, anonymous, alice, sent, code):
        assert told(anonymous.post("/auth/login", sent)) == (400, code)

    def test_status_is_told_only_to_who_knows_the_password(self, anonymous, ada, alice):
        ada.put(f"/users/{alice.user_id}", {"status": "SUSPENDED"})

        assert told(login(anonymous)) == (422, "account_inactive")
        assert told(login(anonymous, password="wrong horse battery")) == (401, "invalid_credentials")

    def test_deleted_user_is_nobody(self, anonymous, ada, alice):
        ada.delete(f"/users/{alice.user_id}")

        assert told(login(anonymous)) == (401, "invalid_credentials")

    def test_refusal_names_its_target_in_the_audit_log_and_never_the_password(self, anonymous, ada, alice):
        login(anonymous, password="a secret that is wrong", headers={"x-correlation-id": "who-was-it"})

        answer = ada.get("/audit?action=authentication_failure&correlation_id=who-was-it")
        [entry] = answer.json()["data"]
        assert (entry["actor"], entry["target"]) == ("anonymous", "email:alice@example.com")
        assert entry["details"]["reason"] == "invalid_credentials"
        assert "a secret that is wrong" not in answer.text


class TestLoginUnderAKey:
    def test_repeat_gets_the_same_tokens(self, anonymous, alice):
        first, again = login(anonymous, key="mine"), login(anonymous, key="mine")

        assert first.json() == again.json()
        assert "idempotency-replayed" not in first.headers
        assert again.headers["idempotency-replayed"] == "true"

    def test_another_body_is_a_conflict(self, anonymous, alice, bob):
        login(anonymous, key="mine")

        assert told(login(anonymous, email=bob.email, key="mine")) == (409, "idempotency_key_reused")

    def test_refusal_is_not_kept(self, anonymous, ada, alice):
        ada.put(f"/users/{alice.user_id}", {"status": "SUSPENDED"})
        assert told(login(anonymous, key="mine")) == (422, "account_inactive")
        ada.put(f"/users/{alice.user_id}", {"status": "ACTIVE"})

        assert login(anonymous, key="mine").status_code == 200

    def test_tokens_are_not_replayed_to_who_has_lost_the_right(self, anonymous, ada, alice):
        """A repeat is recognised anew: a password that was changed, or a suspension, stands before the kept answer."""
        login(anonymous, key="mine")
        ada.put(f"/users/{alice.user_id}", {"status": "SUSPENDED"})

        assert told(login(anonymous, key="mine")) == (422, "account_inactive")

    def test_keys_of_different_addresses_are_apart(self, anonymous, alice, bob):
        login(anonymous, key="mine", client="192.0.2.1")

        assert login(anonymous, email=bob.email, key="mine", client="192.0.2.2").status_code == 200

    @pytest.mark.parametrize("key", ["x" * 256, "\tbell", "naïve"])
    def test_bad_key_is_refused(self, anonymous, alice, key):
        answer = anonymous.post(
            "/auth/login",
            {"email": alice.email, "password": PASSWORD},
            headers={"idempotency-key": key.encode("latin-1")},
        )

        assert told(answer) == (400, "invalid_idempotency_key")


class TestTooManyLogins:
    @pytest.fixture
    def limits(self, tight):
        return Limits(per_address=None, per_user=None, per_token=None, logins=tight)

    def test_have_to_wait_and_are_told_how_long(self, anonymous, alice, tight):
        for _ in range(tight.limit):
            assert told(login(anonymous, password="wrong horse battery"))[0] == 401

        answer = login(anonymous)
        assert told(answer) == (429, "rate_limit_exceeded")
        assert answer.headers["retry-after"] == "20"
        assert answer.headers["x-ratelimit-remaining"] == "0"
        assert answer.json()["details"]["scope"] == "login"

    def test_waiting_that_long_is_enough(self, anonymous, alice, clock, tight):
        for _ in range(tight.limit + 1):
            login(anonymous, password="wrong horse battery")
        clock.forward(seconds=20)

        assert login(anonymous).status_code == 200

    def test_others_and_other_addresses_are_let_in_meanwhile(self, anonymous, alice, bob, tight):
        for _ in range(tight.limit):
            login(anonymous, password="wrong horse battery")

        assert login(anonymous, client="192.0.2.9").status_code == 200
        assert login(anonymous, email=bob.email).status_code == 200

    def test_spelling_the_email_differently_does_not_help(self, anonymous, alice, tight):
        for _ in range(tight.limit):
            login(anonymous, password="wrong horse battery")

        assert told(login(anonymous, email=" Alice@Example.COM"))[0] == 429


class TestRefresh:
    def test_gives_a_new_pair_that_works(self, anonymous, alice):
        answer = refresh(anonymous, alice.refresh_token)

        assert answer.status_code == 200
        data = answer.json()["data"]
        assert data.keys() == {"access_token", "refresh_token"}
        assert data["refresh_token"] != alice.refresh_token
        assert anonymous.as_(data["access_token"]).get("/auth/me").status_code == 200

    def test_rotates_again_and_again(self, anonymous, alice):
        token = alice.refresh_token
        for _ in range(5):
            token = refresh(anonymous, token).json()["data"]["refresh_token"]

        assert anonymous.post("/auth/refresh", {"refresh_token": f"  {token} "}).status_code == 200

    def test_token_that_is_used_again_ends_its_whole_session(self, anonymous, ada, alice):
        newer = refresh(anonymous, alice.refresh_token).json()["data"]

        reused = refresh(anonymous, alice.refresh_token)
        assert told(reused) == (401, "token_revoked")
        assert told(refresh(anonymous, newer["refresh_token"])) == (
            401,
            "token_revoked",
        )
        assert told(anonymous.as_(newer["access_token"]).get("/auth/me")) == (401, "token_revoked")
        assert [entry["target"] for entry in ada.get("/audit?action=refresh_token_reused").json()["data"]] == [
            f"user:{alice.user_id}"
        ]

    def test_reuse_under_a_key_ends_the_session_too(self, anonymous, alice):
        newer = refresh(anonymous, alice.refresh_token).json()["data"]

        assert told(refresh(anonymous, alice.refresh_token, key="mine"))[0] == 401
        assert told(refresh(anonymous, newer["refresh_token"])) == (
            401,
            "token_revoked",
        )

    def test_lost_answer_comes_again_under_its_key(self, anonymous, alice):
        """Who repeats a refresh under the same key has no second pair, and no session lost."""
        first = refresh(anonymous, alice.refresh_token, key="once")
        again = refresh(anonymous, alice.refresh_token, key="once")

        assert again.json() == first.json()
        newest = first.json()["data"]["refresh_token"]
        assert refresh(anonymous, newest).status_code == 200

    def test_other_sessions_of_the_user_live_on(self, anonymous, alice):
        other = login(anonymous).json()["data"]
        refresh(anonymous, alice.refresh_token)
        refresh(anonymous, alice.refresh_token)

        assert anonymous.as_(other["access_token"]).get("/auth/me").status_code == 200

    @pytest.mark.parametrize(
        ("sent", "told_"),
        [
            ({}, (400, "missing_fields")),
            ({"refresh_token": None}, (400, "missing_fields")),
            ({"refresh_token": ""}, (400, "missing_fields")),
            ({"refresh_token": "no token"}, (401, "invalid_token")),
            ({"refresh_token": 17}, (401, "invalid_token")),
            ({"refresh_token": "a.b.c", "email": "x"}, (400, "unknown_fields")),
        ],
        ids=str,
    )
    def test_bad_form_is_refused(self, anonymous, sent, told_):
        assert told(anonymous.post("/auth/refresh", sent)) == told_

    def test_access_token_is_none(self, anonymous, alice):
        assert told(refresh(anonymous, alice.token)) == (401, "invalid_token_type")

    def test_expired_token_is_told_so(self, anonymous, alice, clock):
        clock.forward(days=8)

        assert told(refresh(anonymous, alice.refresh_token)) == (401, "token_expired")

    def test_suspended_user_gets_nothing(self, anonymous, ada, alice):
        ada.put(f"/users/{alice.user_id}", {"status": "SUSPENDED"})

        assert told(refresh(anonymous, alice.refresh_token)) == (401, "token_revoked")


class TestLogout:
    def test_ends_the_session_with_its_access_token(self, anonymous, alice):
        answer = anonymous.post("/auth/logout", {"refresh_token": alice.refresh_token})

        assert answer.status_code == 200
        assert answer.json()["message"] == "Logged out successfully"
        assert told(alice.get("/auth/me")) == (401, "token_revoked")

    def test_once_more_is_refused(self, anonymous, alice):
        anonymous.post("/auth/logout", {"refresh_token": alice.refresh_token})

        assert told(anonymous.post("/auth/logout", {"refresh_token": alice.refresh_token})) == (401, "token_revoked")

    def test_under_a_key_once_more_is_the_same_answer(self, anonymous, alice):
        first = anonymous.post("/auth/logout", {"refresh_token": alice.refresh_token}, key="bye")
        again = anonymous.post("/auth/logout", {"refresh_token": alice.refresh_token}, key="bye")

        assert again.json() == first.json()

    @pytest.mark.parametrize(("sent", "status"), [({}, 400), ({"refresh_token": "no token"}, 401)])
    def test_bad_form_is_refused(self, anonymous, sent, status):
        assert anonymous.post("/auth/logout", sent).status_code == status


class TestLogoutEverywhere:
    def test_ends_every_session(self, anonymous, alice):
        other = anonymous.as_(login(anonymous).json()["data"]["access_token"])

        answer = alice.post("/auth/logout-all")
        assert answer.status_code == 200
        assert answer.json()["message"] == "Logged out from all devices successfully"
        assert told(alice.get("/auth/me")) == told(other.get("/auth/me")) == (401, "token_revoked")

    def test_leaves_other_users_in(self, alice, bob):
        alice.post("/auth/logout-all")

        assert bob.get("/auth/me").status_code == 200


class TestWhoOneIs:
    def test_me_is_the_user(self, alice):
        body = alice.get("/auth/me").json()

        assert body["data"]["id"] == alice.user_id
        assert "password_hash" not in body["data"]

    def test_validate_tells_until_when(self, alice, clock):
        body = alice.get("/auth/validate").json()

        assert body["data"] == {
            "valid": True,
            "user_id": alice.user_id,
            "role": "user",
            "expires_at": "2026-03-01T12:15:00+00:00",
        }

    def test_role_is_the_one_that_counts_now(self, ada, alice):
        """The token still says what the role was; the store says what it is."""
        ada.put(f"/users/{alice.user_id}", {"role": "support"})

        assert alice.get("/auth/validate").json()["data"]["role"] == "support"

    @pytest.mark.parametrize("path", ["/auth/me", "/auth/validate", "/profile"])
    @pytest.mark.parametrize(
        "header",
        [
            "",
            "Bearer",
            "Bearer ",
            "Basic YTpi",
            "Token abc",
            "Bearer not.a.token",
            "bearer lc_test_nothing",
            "Bearer a b",
        ],
    )
    def test_anything_but_a_good_bearer_is_refused(self, anonymous, path, header):
        answer = anonymous.get(path, headers={"authorization": header})

        assert told(answer) == (401, "invalid_token")

    def test_two_headers_are_refused(self, anonymous, alice):
        headers = [("authorization", f"Bearer {alice.token}"), ("authorization", f"Bearer {alice.token}")]

        assert told(anonymous.get("/auth/me", headers=headers)) == (401, "invalid_token")

    def test_refresh_token_opens_nothing(self, anonymous, alice):
        assert told(anonymous.as_(alice.refresh_token).get("/auth/me")) == (401, "invalid_token_type")

    def test_expired_token_is_told_so(self, alice, clock):
        clock.forward(seconds=901)

        assert told(alice.get("/auth/me")) == (401, "token_expired")

    def test_suspended_user_is_out_at_once(self, ada, alice):
        ada.put(f"/users/{alice.user_id}", {"status": "SUSPENDED"})

        assert told(alice.get("/auth/me")) == (401, "token_revoked")

    def test_suspended_user_has_to_log_in_anew_when_active_again(self, ada, alice):
        ada.put(f"/users/{alice.user_id}", {"status": "SUSPENDED"})
        ada.put(f"/users/{alice.user_id}", {"status": "ACTIVE"})

        assert told(alice.get("/auth/me")) == (401, "token_revoked")


class TestRateHeaders:
    @pytest.fixture
    def limits(self):
        return Limits()

    def test_are_on_good_and_bad_answers(self, anonymous, alice):
        for answer in (login(anonymous), login(anonymous, password="wrong horse battery")):
            assert int(answer.headers["x-ratelimit-limit"]) == 10
            assert int(answer.headers["x-ratelimit-remaining"]) < 10
            assert 1_772_366_400 < int(answer.headers["x-ratelimit-reset"]) < 1_772_366_800
