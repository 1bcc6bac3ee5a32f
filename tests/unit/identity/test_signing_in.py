"""Logging in, refreshing, logging out."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from ledgercore.errors import AuthenticationError, BusinessRuleError, LedgercoreError, ValidationError
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import ACTIONS, OPERATOR
from ledgercore.identity.principals import Principal
from ledgercore.identity.secrets import TokenType
from ledgercore.identity.service_tokens import Scope
from ledgercore.identity.sessions import Lifetimes
from ledgercore.identity.signing_in import SessionMustEnd
from ledgercore.identity.users import Role, UserStatus

PASSWORD = "correct horse battery"


def code_of(act: Any, *arguments: Any, **named: Any) -> str:
    """The reason for which something is refused."""
    with pytest.raises(LedgercoreError) as caught:
        act(*arguments, **named)
    return caught.value.code


def refreshed(world, token, **named):
    return world.identity.sign_in.refresh(token, actor=world.actor, **named)


class TestLogin:
    def test_right_password_begins_a_session(self, world):
        alice = world.add("alice")

        signed_in = world.identity.sign_in.login(" ALICE@Example.com ", PASSWORD, actor=world.actor)

        assert signed_in.user == alice
        assert world.enter(signed_in.access_token) == Principal(
            user_id=alice.id, email="alice@example.com", role=Role.USER, session_id=signed_in.session.id
        )

    def test_tokens_say_who_and_how_long(self, world):
        alice = world.add("alice", Role.SUPPORT)

        signed_in = world.login(alice)

        started_at = signed_in.session.started_at
        read = world.identity.signer.read
        access = read(signed_in.access_token, wanted=TokenType.ACCESS, now=world.clock())
        refresh = read(signed_in.refresh_token, wanted=TokenType.REFRESH, now=world.clock())
        assert (access.email, access.role, access.expires_at) == (
            "alice@example.com", "support", started_at + timedelta(seconds=900),
        )  # fmt: skip
        assert (refresh.email, refresh.role, refresh.expires_at) == (None, None, started_at + timedelta(days=7))
        assert refresh.token_id == signed_in.session.token_id != access.token_id
        assert access.session_id == refresh.session_id == signed_in.session.id
        assert signed_in.access_expires_at == access.expires_at

    def test_token_ids_have_144_random_bits(self, world):
        alice = world.add("alice")

        ids = {world.login(alice).session.token_id for _ in range(20)}

        assert len(ids) == 20
        assert {len(id) for id in ids} == {24}

    @pytest.mark.parametrize("password", ["wrong", "", None, 5, [], True, "\ud800", "nul\x00", "x" * 1_000_000])
    def test_every_wrong_password_is_the_same(self, world, password):
        """Also a missing or impossible one: no answer tells about the rules for passwords."""
        world.add("alice")
        refusals = []
        for email in ("alice@example.com", "nobody@example.com"):
            with pytest.raises(AuthenticationError) as caught:
                world.identity.sign_in.login(email, password, actor=world.actor)
            refusals.append((caught.value.code, dict(caught.value.details)))

        assert refusals == [("invalid_credentials", {})] * 2

    def test_unknown_email_costs_a_verification_too(self, world):
        """The hasher is asked once, whether the user is there or not and whatever was sent."""
        alice = world.add("alice")
        for password in (PASSWORD + "!", "", None, "x" * 1_000):
            for email, hashed in (("alice@example.com", alice.password_hash), ("nobody@example.com", None)):
                world.hasher.verified.clear()
                assert code_of(world.identity.sign_in.login, email, password, actor=world.actor)
                assert world.hasher.verified == [hashed]

    def test_status_is_looked_at_after_the_password(self, world):
        """Only who knows the password learns that the user is suspended, and nobody that one was deleted."""
        sue, del_ = world.add("sue"), world.add("del")
        world.identity.users.suspend(sue.id, by=Operator(), actor=OPERATOR)
        world.identity.users.delete(del_.id, by=Operator(), actor=OPERATOR)

        login = world.identity.sign_in.login
        assert code_of(login, "sue@example.com", "wrong", actor=world.actor) == "invalid_credentials"
        with pytest.raises(BusinessRuleError) as caught:
            login("sue@example.com", PASSWORD, actor=world.actor)
        assert caught.value.code == "account_inactive"
        for password in ("wrong", PASSWORD):
            assert code_of(login, "del@example.com", password, actor=world.actor) == "invalid_credentials"

    @pytest.mark.parametrize(
        ("email", "code"),
        [
            (None, "missing_fields"), ("", "missing_fields"), ("  ", "missing_fields"),
            ("alice", "invalid_email_format"), ("a@b", "invalid_email_format"), (5, "invalid_email_format"),
            ("a\x00@b.cd", "invalid_email_format"), ("\ud800@b.cd", "invalid_email_format"),
            ("a" * 251 + "@b.cd", "invalid_email_format"),
        ],
    )  # fmt: skip
    def test_email_is_checked(self, world, email, code):
        with pytest.raises(ValidationError) as caught:
            world.identity.sign_in.login(email, PASSWORD, actor=world.actor)

        assert caught.value.code == code

    def test_password_is_hashed_between_units_of_work(self, world):
        world.hasher.version = 2
        alice = world.add("alice")
        world.hasher.version = 3

        world.login(alice)

        assert world.hasher.inside == []

    def test_outdated_hash_is_replaced_once(self, world):
        alice = world.add("alice")
        world.hasher.version = 2
        before = len(world.audited())

        world.login(alice)
        world.login(alice)

        assert world.user(alice.id).password_hash.startswith("2:")
        assert world.actions(since=before) == ["password_rehashed", "user_login", "user_login"]

    def test_simultaneous_login_that_rehashed_first_shuts_nobody_out(self, world):
        alice = world.add("alice")
        world.hasher.version = 2
        sign_in = world.identity.sign_in
        first, second = (sign_in.recognise(alice.email, PASSWORD) for _ in range(2))

        sign_in.admit(first, actor=world.actor)
        signed_in = sign_in.admit(second, actor=world.actor)

        assert world.enter(signed_in.access_token).user_id == alice.id
        assert world.actions().count("password_rehashed") == 1

    def test_password_that_is_changed_meanwhile_opens_nothing(self, world):
        alice = world.add("alice")
        recognised = world.identity.sign_in.recognise(alice.email, PASSWORD)
        new = {"current_password": PASSWORD, "new_password": "other words", "password_confirmation": "other words"}
        world.identity.profiles.change_password(world.principal(alice), new, actor=world.actor)

        code = code_of(world.identity.sign_in.admit, recognised, actor=world.actor)

        assert code == "invalid_credentials"

    def test_user_who_is_suspended_meanwhile_gets_no_session(self, world):
        alice = world.add("alice")
        recognised = world.identity.sign_in.recognise(alice.email, PASSWORD)
        world.identity.users.suspend(alice.id, by=Operator(), actor=OPERATOR)

        assert code_of(world.identity.sign_in.admit, recognised, actor=world.actor) == "account_inactive"

    def test_login_is_audited_with_who_and_from_where(self, world):
        alice = world.add("alice")

        signed_in = world.login(alice)

        entry = world.audited()[-1]
        assert (entry["action"], entry["actor"], entry["target"]) == (
            "user_login", f"user:{alice.id}", f"user:{alice.id}",
        )  # fmt: skip
        assert (entry["source"], entry["correlation_id"]) == ("192.0.2.1", "c-1")
        assert entry["details"] == {"session_id": str(signed_in.session.id)}

    def test_nothing_secret_is_shown(self, world):
        alice = world.add("alice")
        recognised, signed_in = world.identity.sign_in.recognise(alice.email, PASSWORD), world.login(alice)

        for secret in (PASSWORD, alice.password_hash, signed_in.access_token, signed_in.refresh_token):
            assert secret not in repr(recognised) + repr(signed_in) + str(world.audited())


class TestRefresh:
    def test_a_refresh_gives_another_pair(self, world):
        first = world.login(world.add("alice"))

        second = refreshed(world, first.refresh_token)
        third = refreshed(world, second.refresh_token)

        assert len({each.refresh_token for each in (first, second, third)}) == 3
        assert {each.session.id for each in (first, second, third)} == {first.session.id}
        assert world.enter(third.access_token).session_id == first.session.id
        assert world.actions()[-2:] == ["session_refreshed"] * 2

    def test_new_access_token_has_the_role_that_counts_now(self, world):
        alice = world.add("alice")
        signed_in = world.login(alice)
        world.identity.users.update(alice.id, {"role": "support"}, by=Operator(), actor=OPERATOR)

        assert world.enter(signed_in.access_token).role is Role.SUPPORT
        assert refreshed(world, signed_in.refresh_token).user.role is Role.SUPPORT

    def test_reuse_ends_the_session_for_good(self, world):
        """Also for the newest token, whoever holds it."""
        first = world.login(world.add("alice"))
        second = refreshed(world, first.refresh_token)
        before = len(world.audited())

        assert code_of(refreshed, world, first.refresh_token) == "token_revoked"

        assert world.session(first.session.id).revoked_at is not None
        assert world.actions(since=before) == ["refresh_token_reused"]
        assert code_of(refreshed, world, second.refresh_token) == "token_revoked"
        assert code_of(world.enter, second.access_token) == "token_revoked"

    def test_session_that_ended_meanwhile_keeps_its_end(self, world):
        """Between the refusal and what follows from it others may have come first."""
        first = world.login(world.add("alice"))
        refreshed(world, first.refresh_token)
        with pytest.raises(SessionMustEnd) as caught:
            refreshed(world, first.refresh_token)
        ended_at = world.session(first.session.id).revoked_at

        world.identity.sign_in.end(caught.value)

        assert world.session(first.session.id).revoked_at == ended_at

    def test_other_sessions_outlive_a_reuse(self, world):
        alice = world.add("alice")
        elsewhere, first = world.login(alice), world.login(alice)
        refreshed(world, first.refresh_token)

        assert code_of(refreshed, world, first.refresh_token) == "token_revoked"

        assert refreshed(world, elsewhere.refresh_token).session.id == elsewhere.session.id

    def test_twin_that_began_before_the_rotation_gets_nothing_and_ends_nothing(self, world):
        first = world.login(world.add("alice"))
        began_at = world.clock()
        second = refreshed(world, first.refresh_token)

        assert code_of(refreshed, world, first.refresh_token, began_at=began_at) == "token_revoked"

        assert refreshed(world, second.refresh_token).session.revoked_at is None

    def test_session_ends_whatever_happens(self, world):
        """Tokens never outlive the session, however often it was refreshed."""
        signed_in = world.login(world.add("alice"))
        end = signed_in.session.expires_at
        for _ in range(5):
            world.clock.forward(days=5, hours=23)
            signed_in = refreshed(world, signed_in.refresh_token)
        world.clock.now = end - timedelta(minutes=1)
        last = refreshed(world, signed_in.refresh_token)

        read = world.identity.signer.read(last.refresh_token, wanted=TokenType.REFRESH, now=world.clock())
        assert read.expires_at == last.access_expires_at == end
        world.clock.now = end
        assert code_of(refreshed, world, last.refresh_token) == "token_expired"
        assert code_of(world.enter, last.access_token) == "token_expired"

    def test_session_that_is_over_is_refused_even_when_the_token_is_not(self, world):
        signed_in = world.login(world.add("alice"))
        with world.store.begin() as work:
            work.sessions.save(evolve(signed_in.session, expires_at=world.clock()))

        assert code_of(refreshed, world, signed_in.refresh_token) == "token_expired"
        assert code_of(world.enter, signed_in.access_token) == "token_expired"

    def test_idle_session_ends_with_its_refresh_token(self, world):
        signed_in = world.login(world.add("alice"))
        world.clock.forward(days=7)

        assert code_of(refreshed, world, signed_in.refresh_token) == "token_expired"

    def test_lifetimes_are_what_the_deployment_says(self, world):
        lifetimes = Lifetimes(access=timedelta(minutes=1), refresh=timedelta(hours=1), session=timedelta(hours=2))
        identity = evolve(world.identity, lifetimes=lifetimes)
        alice = world.add("alice")

        signed_in = identity.sign_in.login(alice.email, PASSWORD, actor=world.actor)

        started_at = signed_in.session.started_at
        assert signed_in.access_expires_at == started_at + timedelta(minutes=1)
        assert signed_in.session.expires_at == started_at + timedelta(hours=2)

    @pytest.mark.parametrize(
        ("token", "code"),
        [(None, "missing_fields"), ("", "missing_fields"), (5, "invalid_token"), ("junk", "invalid_token")],
    )
    def test_what_is_no_token_is_refused(self, world, token, code):
        assert code_of(refreshed, world, token) == code
        assert code_of(world.identity.sign_in.logout, token, actor=world.actor) == code

    def test_access_token_does_not_refresh(self, world):
        signed_in = world.login(world.add("alice"))

        assert code_of(refreshed, world, signed_in.access_token) == "invalid_token_type"
        assert code_of(world.enter, signed_in.refresh_token) == "invalid_token_type"

    def test_token_of_a_session_or_user_that_is_not_there_is_invalid(self, world):
        alice, bob = world.add("alice"), world.add("bob")
        claims = world.identity.signer.read(
            world.login(alice).refresh_token, wanted=TokenType.REFRESH, now=world.clock()
        )
        for wrong in (
            evolve(claims, session_id=UUID(int=1)),
            evolve(claims, user_id=UUID(int=1)),
            evolve(claims, user_id=bob.id),
        ):
            assert code_of(refreshed, world, world.identity.signer.sign(wrong)) == "invalid_token"

    def test_user_who_was_shut_out_elsewhere_loses_the_session(self, world):
        """As when somebody has changed the status in the database by hand."""
        alice = world.add("alice")
        signed_in = world.login(alice)
        with world.store.begin() as work:
            work.users.save(evolve(alice, status=UserStatus.SUSPENDED))

        assert code_of(refreshed, world, signed_in.refresh_token) == "token_revoked"

        assert world.session(signed_in.session.id).revoked_at is not None
        assert world.actions()[-1] == "session_revoked"


class TestLogout:
    def test_logout_ends_the_session_and_its_access_tokens(self, world):
        alice = world.add("alice")
        signed_in = world.login(alice)

        world.identity.sign_in.logout(signed_in.refresh_token, actor=world.actor)

        assert world.actions()[-1] == "user_logout"
        assert code_of(world.enter, signed_in.access_token) == "token_revoked"
        assert code_of(refreshed, world, signed_in.refresh_token) == "token_revoked"
        logout = world.identity.sign_in.logout
        assert code_of(logout, signed_in.refresh_token, actor=world.actor) == "token_revoked"

    def test_logout_with_a_rotated_token_is_a_reuse(self, world):
        first = world.login(world.add("alice"))
        refreshed(world, first.refresh_token)

        assert code_of(world.identity.sign_in.logout, first.refresh_token, actor=world.actor) == "token_revoked"

        assert world.session(first.session.id).revoked_at is not None
        assert world.actions()[-1] == "refresh_token_reused"

    def test_logout_everywhere_ends_every_session_of_one_user(self, world):
        alice, bob = world.add("alice"), world.add("bob")
        mine, others = [world.login(alice) for _ in range(3)], world.login(bob)
        principal = world.enter(mine[0].access_token)

        ended = world.identity.sign_in.logout_all(principal, actor=world.actor)

        assert ended == 3
        assert {code_of(world.enter, each.access_token) for each in mine} == {"token_revoked"}
        assert world.enter(others.access_token).user_id == bob.id
        assert world.audited()[-1]["details"] == {"sessions": 3}

    def test_service_token_logs_nobody_out(self, world):
        key = evolve(world.principal(world.add("alice")), token_id=UUID(int=5), scopes=frozenset(Scope))

        code = code_of(world.identity.sign_in.logout_all, key, actor=world.actor)

        assert code == "insufficient_permissions"


def test_every_action_is_listed(world):
    """What the audit log says is one of the actions that its readers know."""
    alice = world.add("alice")
    first = world.login(alice)
    refreshed(world, first.refresh_token)
    assert code_of(refreshed, world, first.refresh_token)

    assert set(world.actions()) <= set(ACTIONS)
    assert world.identity.audit.verify() is None
