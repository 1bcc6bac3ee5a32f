"""What operators do about other people's addresses, passwords and sessions."""

from typing import Any
from uuid import UUID

import pytest

from ledgercore.errors import AuthenticationError, AuthorizationError, LedgercoreError, NotFoundError
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR
from ledgercore.identity.users import Role

from .conftest import PASSWORD

BY: Any = {"by": Operator(), "actor": OPERATOR}
OTHER_PASSWORD = "battery staple horse"


class TestNaming:
    def test_address_names_a_user_in_any_case(self, world):
        alice = world.add("alice")

        assert world.identity.users.id_of(" ALICE@example.com", by=Operator()) == alice.id

    def test_address_of_a_deleted_user_still_names_them(self, world):
        alice = world.add("alice")
        world.identity.users.delete(alice.id, **BY)

        assert world.identity.users.id_of(alice.email, by=Operator()) == alice.id
        assert world.identity.users.emails_of([alice.id], by=Operator()) == {alice.id: alice.email}

    def test_unknown_address_is_nobodys(self, world):
        with pytest.raises(NotFoundError) as caught:
            world.identity.users.id_of("nobody@example.com", by=Operator())

        assert (caught.value.code, caught.value.details["email"]) == ("user_not_found", "nobody@example.com")

    def test_addresses_are_found_together(self, world):
        alice, bob = world.add("alice"), world.add("bob")
        begun = world.store.begun

        found = world.identity.users.emails_of([bob.id, alice.id, bob.id, UUID(int=5)], by=Operator())

        assert found == {alice.id: "alice@example.com", bob.id: "bob@example.com"}
        assert world.store.begun == begun + 1


class TestSettingAPassword:
    def test_it_replaces_the_password_and_ends_every_session(self, world):
        alice, bob = world.add("alice"), world.add("bob")
        ended, kept = [world.login(alice), world.login(alice)], world.login(bob)

        count = world.identity.users.set_password(alice.id, OTHER_PASSWORD, **BY)

        assert count == 2
        assert all(world.session(each.session.id).revoked_at for each in ended)
        assert world.session(kept.session.id).revoked_at is None
        assert world.login(alice, OTHER_PASSWORD).user.id == alice.id
        with pytest.raises(AuthenticationError):
            world.login(alice, PASSWORD)

    def test_it_is_recorded_without_the_password(self, world):
        alice = world.add("alice")
        since = len(world.audited())

        world.identity.users.set_password(alice.id, OTHER_PASSWORD, **BY)

        [entry] = world.audited(since=since)
        assert (entry["action"], entry["actor"], entry["target"]) == (
            "password_changed", "operator", f"user:{alice.id}",
        )  # fmt: skip
        assert OTHER_PASSWORD not in str(entry)

    @pytest.mark.parametrize(
        ("role", "password", "code"),
        [
            (Role.USER, None, "missing_fields"),
            (Role.USER, "", "missing_fields"),
            (Role.USER, "seven c", "invalid_password_format"),
            (Role.USER, "alice@example.com", "invalid_password_format"),
            (Role.ADMIN, "twelve chars", "invalid_password_format"),
        ],
    )
    def test_weak_password_is_refused_and_changes_nothing(self, world, role, password, code):
        alice = world.add("alice", role)
        before = world.state()

        with pytest.raises(LedgercoreError) as caught:
            world.identity.users.set_password(alice.id, password, **BY)

        assert caught.value.code == code
        assert world.state() == before

    def test_password_is_hashed_outside_units_of_work(self, world):
        alice = world.add("alice")

        world.identity.users.set_password(alice.id, OTHER_PASSWORD, **BY)

        assert world.hasher.inside == []


class TestEndingSessions:
    def test_all_sessions_of_one_user_end(self, world):
        alice, bob = world.add("alice"), world.add("bob")
        ended, kept = world.login(alice), world.login(bob)

        assert world.identity.users.end_sessions(alice.id, **BY) == 1
        assert world.identity.users.end_sessions(alice.id, **BY) == 0

        assert world.session(ended.session.id).revoked_at is not None
        assert world.session(kept.session.id).revoked_at is None
        assert world.actions()[-2:] == ["user_logout_all", "user_logout_all"]


@pytest.mark.parametrize("act", ["set_password", "end_sessions"])
def test_deleted_user_is_not_found(world, act):
    alice = world.add("alice")
    world.identity.users.delete(alice.id, **BY)
    more = [OTHER_PASSWORD] if act == "set_password" else []

    with pytest.raises(NotFoundError):
        getattr(world.identity.users, act)(alice.id, *more, **BY)


@pytest.mark.parametrize("role", [Role.USER, Role.SUPPORT])
def test_only_admins_and_operators_may(world, role):
    principal = world.principal(world.add("eve", role))
    users, actor = world.identity.users, world.actor
    acts = [
        lambda: users.id_of("eve@example.com", by=principal),
        lambda: users.emails_of([principal.user_id], by=principal),
        lambda: users.set_password(principal.user_id, OTHER_PASSWORD, by=principal, actor=actor),
        lambda: users.end_sessions(principal.user_id, by=principal, actor=actor),
    ]

    for act in acts:
        with pytest.raises(AuthorizationError):
            act()
