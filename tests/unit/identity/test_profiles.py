"""What users change of themselves."""

from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from ledgercore.errors import AuthorizationError, LedgercoreError
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR
from ledgercore.identity.service_tokens import Scope
from ledgercore.identity.users import Role

PASSWORD = "correct horse battery"


def refusal(act: Any, *arguments: Any, **named: Any) -> LedgercoreError:
    with pytest.raises(LedgercoreError) as caught:
        act(*arguments, **named)
    return caught.value


def passwords(current: Any = PASSWORD, new: Any = "another fine password", confirmation: Any = ...) -> dict[str, Any]:
    confirmation = new if confirmation is ... else confirmation
    return {"current_password": current, "new_password": new, "password_confirmation": confirmation}


@pytest.fixture
def alice(world):
    return world.add("alice")


@pytest.fixture
def me(world, alice):
    """Alice in a session."""
    return world.enter(world.login(alice).access_token)


def test_everybody_sees_themselves(world, alice, me):
    assert world.identity.profiles.get(me) == alice


def test_name_and_email_are_ones_own(world, alice, me):
    changed = world.identity.profiles.update(
        me, {"full_name": " Alice L. ", "email": "AL@example.com"}, actor=world.actor
    )

    assert (changed.full_name, changed.email, changed.role) == ("Alice L.", "al@example.com", Role.USER)
    assert world.user(alice.id) == changed
    assert world.audited()[-1]["details"] == {"fields": ["email", "full_name"]}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    "attrs", [{"role": "admin"}, {"status": "ACTIVE"}, {"full_name": "A", "role": "user"}], ids=str
)
def test_role_and_status_are_not(world, role, attrs):
    """Not even for admins, and not together with what is allowed."""
    user = world.add("someone", role)

    error = refusal(world.identity.profiles.update, world.principal(user), attrs, actor=world.actor)

    assert isinstance(error, AuthorizationError)
    assert error.code == "insufficient_permissions"
    assert world.user(user.id) == user


@pytest.mark.parametrize(
    ("attrs", "code"),
    [
        ({}, "missing_fields"), (None, "missing_fields"), ({"full_name": None}, "missing_fields"),
        ({"nickname": "Al"}, "missing_fields"), ({"full_name": " "}, "missing_fields"),
        ({"email": "x"}, "invalid_email_format"), ({"full_name": 5}, "invalid_name_format"),
        ({"email": "bob@example.com"}, "email_already_exists"),
    ],
    ids=str,
)  # fmt: skip
def test_wrong_profiles_are_refused(world, alice, me, attrs, code):
    world.add("bob")

    assert refusal(world.identity.profiles.update, me, attrs, actor=world.actor).code == code
    assert world.user(alice.id) == alice


def test_new_password_counts_and_the_old_one_does_not(world, alice, me):
    world.identity.profiles.change_password(me, passwords(), actor=world.actor)

    assert world.login(alice, "another fine password").user.id == alice.id
    assert refusal(world.login, alice, PASSWORD).code == "invalid_credentials"


def test_password_change_ends_every_other_session(world, alice, me):
    others = [world.login(alice) for _ in range(2)]

    ended = world.identity.profiles.change_password(me, passwords(), actor=world.actor)

    assert ended == 2
    assert {refusal(world.enter, each.access_token).code for each in others} == {"token_revoked"}
    assert world.session(me.session_id).revoked_at is None
    entry = world.audited()[-1]
    assert (entry["action"], entry["details"]) == ("password_changed", {"sessions": 2})


def test_of_simultaneous_changes_one_counts(world, alice, me):
    """The second still knows the old password, which is none any more once the first is stored."""
    change, hash = world.identity.profiles.change_password, world.hasher.hash

    def overtaken(password: str) -> str:
        world.hasher.hash = hash
        change(me, passwords(new="the faster password"), actor=world.actor)
        return hash(password)

    world.hasher.hash = overtaken

    assert refusal(change, me, passwords(), actor=world.actor).code == "invalid_credentials"
    assert world.login(alice, "the faster password").user.id == alice.id


def test_passwords_are_hashed_between_units_of_work(world, me):
    world.identity.profiles.change_password(me, passwords(), actor=world.actor)

    assert world.hasher.inside == []


@pytest.mark.parametrize(
    "current", ["wrong", PASSWORD + " ", PASSWORD.upper(), 5, ["x"], "x" * 300, "\ud800"], ids=repr
)
def test_wrong_current_password_is_refused(world, alice, me, current):
    error = refusal(world.identity.profiles.change_password, me, passwords(current), actor=world.actor)

    assert error.code == "invalid_credentials"
    assert world.user(alice.id) == alice


@pytest.mark.parametrize(
    ("attrs", "fields"),
    [
        ({}, ["current_password", "new_password", "password_confirmation"]),
        (None, ["current_password", "new_password", "password_confirmation"]),
        (passwords(current=None), ["current_password"]),
        (passwords(new=""), ["new_password", "password_confirmation"]),
        (passwords(confirmation=None), ["password_confirmation"]),
    ],
    ids=str,
)
def test_missing_passwords_are_named(world, me, attrs, fields):
    error = refusal(world.identity.profiles.change_password, me, attrs, actor=world.actor)

    assert (error.code, error.details["fields"]) == ("missing_fields", fields)


@pytest.mark.parametrize(
    "attrs",
    [
        passwords(new="1234567"),
        passwords(new="x" * 256),
        passwords(new=12345678),
        passwords(confirmation="another fine passwort"),
        passwords(new=PASSWORD),
        passwords(new="alice@example.com"),
        passwords(new="eight\x00888"),
        passwords(new="lone \ud800 surrogate"),
    ],
    ids=ascii,
)
def test_weak_unconfirmed_and_same_passwords_are_refused(world, alice, me, attrs):
    error = refusal(world.identity.profiles.change_password, me, attrs, actor=world.actor)

    assert (error.code, error.details["field"]) == ("invalid_password_format", "new_password")
    assert world.user(alice.id) == alice


def test_blanks_belong_to_a_password(world, alice, me):
    world.identity.profiles.change_password(me, passwords(new="  in blanks  "), actor=world.actor)

    assert refusal(world.login, alice, "in blanks").code == "invalid_credentials"
    assert world.login(alice, "  in blanks  ").user.id == alice.id


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.ADMIN])
def test_length_is_that_of_the_role(world, role):
    ada = world.principal(world.add("ada", role))

    error = refusal(world.identity.profiles.change_password, ada, passwords(new="x" * 14), actor=world.actor)

    assert error.details["length_min"] == 15


def test_service_token_changes_nothing_of_its_owner(world, alice, me):
    key = evolve(me, session_id=None, token_id=UUID(int=5), scopes=frozenset(Scope))

    for act in (
        lambda: world.identity.profiles.update(key, {"full_name": "A"}, actor=world.actor),
        lambda: world.identity.profiles.change_password(key, passwords(), actor=world.actor),
    ):
        assert refusal(act).code == "insufficient_permissions"
    assert world.user(alice.id) == alice


def test_user_who_was_deleted_meanwhile_has_no_profile(world, alice, me):
    world.identity.users.delete(alice.id, by=Operator(), actor=OPERATOR)

    assert refusal(world.identity.profiles.get, me).code == "user_not_found"
