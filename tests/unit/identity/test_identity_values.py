"""The values of identity: passwords, sessions, keys."""

import itertools
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve

from ledgercore.errors import ValidationError
from ledgercore.identity.passwords import LENGTH_MAX, LENGTH_MIN, check_new_password
from ledgercore.identity.service_tokens import digest_of, is_key, new_key, shown_of
from ledgercore.identity.sessions import Rotation, Session, decide_rotation
from ledgercore.identity.users import Role, check_email

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SESSION = Session(
    id=UUID(int=1), user_id=UUID(int=2), token_id="now", started_at=NOON, rotated_at=NOON + 10 * SECOND,
    expires_at=NOON + timedelta(days=1),
)  # fmt: skip


class TestPasswords:
    @pytest.mark.parametrize("role", Role)
    def test_length_is_bounded_by_role_on_both_ends(self, role):
        for length in (LENGTH_MIN[role], 64, 128, LENGTH_MAX):
            text = "p" * length
            assert check_new_password(text, text, role=role, email="a@b.cd") == text
        for length in (1, LENGTH_MIN[role] - 1, LENGTH_MAX + 1):
            with pytest.raises(ValidationError) as caught:
                check_new_password("p" * length, "p" * length, role=role, email="a@b.cd")
            assert caught.value.code == "invalid_password_format"
            assert caught.value.details["length_min"] == LENGTH_MIN[role]

    @pytest.mark.parametrize(
        "text",
        ["correct horse battery staple", "a" * 20, "  blanks  around  ", "пароль-пароль-пароль", "🔑" * 15],
    )
    def test_characters_are_free(self, text):
        assert check_new_password(text, text, role=Role.ADMIN, email="a@b.cd") == text

    @pytest.mark.parametrize(
        ("password", "confirmation", "fields"),
        [
            (None, "x", ["password"]),
            ("", "x", ["password"]),
            ("x", None, ["password_confirmation"]),
            (None, None, ["password", "password_confirmation"]),
        ],
    )
    def test_missing_ones_are_named(self, password, confirmation, fields):
        with pytest.raises(ValidationError) as caught:
            check_new_password(password, confirmation, role=Role.USER, email="a@b.cd")

        assert (caught.value.code, caught.value.details["fields"]) == ("missing_fields", fields)

    @pytest.mark.parametrize("text", ["longenough@example.com", "LongEnough", "longenough"])
    def test_ones_own_address_is_no_password(self, text):
        with pytest.raises(ValidationError):
            check_new_password(text, text, role=Role.USER, email="longenough@example.com")

    def test_password_is_never_in_the_refusal(self):
        with pytest.raises(ValidationError) as caught:
            check_new_password("hunter2", "hunter2", role=Role.USER, email="a@b.cd")

        assert "hunter2" not in repr(caught.value)


class TestRotation:
    @pytest.mark.parametrize(
        ("current", "began_before", "revoked", "over"), list(itertools.product((True, False), repeat=4))
    )
    def test_every_token_in_every_session(self, current, began_before, revoked, over):
        session = evolve(SESSION, revoked_at=NOON if revoked else None)
        began_at = session.rotated_at - SECOND if began_before else session.rotated_at + SECOND
        now = session.expires_at if over else session.rotated_at + 2 * SECOND

        rotation = decide_rotation(session, "now" if current else "earlier", began_at=began_at, now=now)

        if revoked or over:
            assert rotation is Rotation.ENDED
        elif current:
            assert rotation is Rotation.CURRENT
        else:
            assert rotation is (Rotation.TWIN if began_before else Rotation.REUSED)

    def test_request_of_the_same_moment_is_a_twin(self):
        rotation = decide_rotation(SESSION, "earlier", began_at=SESSION.rotated_at, now=SESSION.rotated_at)

        assert rotation is Rotation.TWIN


class TestKeys:
    KEY = new_key("live", bytes(range(100, 132)))

    def test_key_tells_its_environment_and_hides_the_rest(self):
        assert re.fullmatch(r"lc_live_[0-9A-Za-z]{38}", self.KEY)
        assert shown_of(self.KEY) == self.KEY[:12]
        assert len(digest_of(self.KEY)) == 32

    @pytest.mark.parametrize("place", range(len(KEY)))
    def test_every_mistyped_character_is_noticed(self, place):
        other = "A" if self.KEY[place] != "A" else "B"

        assert is_key(self.KEY)
        assert not is_key(self.KEY[:place] + other + self.KEY[place + 1 :])

    def test_swapped_characters_are_noticed(self):
        swapped = [
            self.KEY[:place] + self.KEY[place + 1] + self.KEY[place] + self.KEY[place + 2 :]
            for place in range(3, len(self.KEY) - 1)
        ]

        assert [key for key in swapped if key != self.KEY and is_key(key)] == []

    @pytest.mark.parametrize("text", ["", "lc_", "lc", "x" * 46, "lc_" + "é" * 40, "lc_" + "\ud800" * 40])
    def test_what_is_no_key_is_noticed(self, text):
        assert not is_key(text)

    def test_each_random_number_makes_another_key(self):
        keys = {new_key("test", number.to_bytes(32)) for number in range(1000)}

        assert len(keys) == 1000
        assert all(map(is_key, keys))


@pytest.mark.parametrize("text", ["a" * 100_000, "a@" * 50_000, "a@" + "b." * 50_000, "a@b" + ".c" * 50_000 + "@"])
def test_hostile_addresses_are_refused_at_once(text):
    with pytest.raises(ValidationError):
        check_email(text)
