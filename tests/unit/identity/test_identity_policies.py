"""Policies as truth tables: every role, every target, every kind of field."""

import itertools
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from ledgercore.identity.memberships import LedgerAccess
from ledgercore.identity.policies import (
    OWN,
    RESTRICTED,
    all_of,
    any_of,
    can_access_user_stats,
    can_change_password,
    can_create_user,
    can_delete_user,
    can_do_sensitive_operation,
    can_list_users,
    can_manage,
    can_name_ledger_exactly,
    can_post,
    can_read_ledger,
    can_update_user,
    can_view_user,
    negate,
)
from ledgercore.identity.principals import Principal
from ledgercore.identity.users import Role, User, UserStatus

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ME, OTHER = UUID(int=1), UUID(int=2)
U, S, A = Role.USER, Role.SUPPORT, Role.ADMIN
ACCESSES = [None, *LedgerAccess]
NOT_BOOLEAN: Any = ["yes", 1, None, [], object(), lambda: 1]


def acting(role: Role) -> Principal:
    return Principal(user_id=ME, email="me@example.com", role=role)


def user(id: UUID, role: Role = Role.USER) -> User:
    return User(
        id=id, email="target@example.com", full_name="Target", role=role, status=UserStatus.ACTIVE,
        password_hash="h", inserted_at=NOON, updated_at=NOON,
    )  # fmt: skip


@pytest.mark.parametrize("names", [["full_name"], ["email"], ["password", "password_confirmation"]], ids=str)
@pytest.mark.parametrize(
    ("role", "target", "allowed"),
    [
        (U, ME, True), (S, ME, True), (A, ME, True),
        (U, OTHER, False), (S, OTHER, True), (A, OTHER, True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("target_role", Role)
def test_own_fields_are_changed_by_oneself_support_and_admins(role, target, allowed, names, target_role):
    assert can_update_user(acting(role), user(target, target_role), names) is allowed


@pytest.mark.parametrize("name", sorted(RESTRICTED))
@pytest.mark.parametrize("others", [[], ["full_name"]], ids=str)
@pytest.mark.parametrize(("role", "target"), list(itertools.product(Role, (ME, OTHER))))
def test_restricted_fields_are_changed_by_admins_alone(role, target, name, others):
    """One restricted field among allowed ones spoils the change."""
    assert can_update_user(acting(role), user(target), [name, *others]) is (role is A)


@pytest.mark.parametrize("names", [[], ["nickname"]], ids=str)
@pytest.mark.parametrize(
    ("role", "target", "allowed"),
    [(U, ME, False), (S, ME, False), (A, ME, True), (U, OTHER, False), (S, OTHER, True), (A, OTHER, True)],
)
def test_a_change_of_oneself_names_at_least_one_own_field(role, target, allowed, names):
    assert can_update_user(acting(role), user(target), names) is allowed


def test_own_and_restricted_fields_are_different_ones():
    assert not OWN & RESTRICTED
    assert {"full_name", "email", "password", "password_confirmation"} == OWN
    assert {"role", "status", "active", "verified", "suspended", "deleted"} == RESTRICTED


@pytest.mark.parametrize(
    ("current", "new", "allowed"),
    [
        ("old", "new", True), ("old", "old", False), ("old", "Old", True), ("old", "old ", True),
        ("", "new", False), (None, "new", False), ("old", "", False), ("old", None, False), (None, None, False),
    ],
)  # fmt: skip
def test_password_is_changed_to_another(current, new, allowed):
    assert can_change_password(current, new) is allowed


@pytest.mark.parametrize(("role", "allowed"), [(U, False), (S, True), (A, True)])
def test_users_are_listed_by_support_and_admins(role, allowed):
    assert can_list_users(acting(role)) is allowed


@pytest.mark.parametrize(
    ("role", "target", "allowed"),
    [(U, ME, True), (U, OTHER, False), (S, ME, True), (S, OTHER, True), (A, ME, True), (A, OTHER, True)],
)
def test_users_are_viewed_by_themselves_support_and_admins(role, target, allowed):
    assert can_view_user(acting(role), user(target)) is allowed


@pytest.mark.parametrize(
    ("role", "target", "allowed"),
    [(U, ME, False), (U, OTHER, False), (S, ME, False), (S, OTHER, False), (A, ME, False), (A, OTHER, True)],
)
def test_others_are_deleted_by_admins(role, target, allowed):
    assert can_delete_user(acting(role), user(target)) is allowed


@pytest.mark.parametrize(
    ("role", "made", "allowed"),
    [
        (U, U, True), (U, S, True), (U, A, False),
        (S, U, True), (S, S, True), (S, A, False),
        (A, U, True), (A, S, True), (A, A, True),
    ],
)  # fmt: skip
def test_admins_are_made_by_admins(role, made, allowed):
    assert can_create_user(acting(role), made) is allowed


@pytest.mark.parametrize(("role", "allowed"), [(U, False), (S, False), (A, True)])
def test_only_admins_see_statistics_and_name_ledgers_exactly(role, allowed):
    assert can_access_user_stats(acting(role)) is allowed
    assert can_name_ledger_exactly(acting(role)) is allowed


@pytest.mark.parametrize(
    ("role", "target", "allowed"),
    [(U, ME, False), (U, OTHER, False), (S, ME, False), (S, OTHER, True), (A, ME, True), (A, OTHER, True)],
)
def test_sensitive_operations_are_for_admins_and_for_support_on_others(role, target, allowed):
    """Nobody passes once a restricted field is touched."""
    for names in ([], ["full_name"]):
        assert can_do_sensitive_operation(acting(role), user(target), names) is allowed
    for name in RESTRICTED:
        assert can_do_sensitive_operation(acting(role), user(target), ["full_name", name]) is False


@pytest.mark.parametrize(("role", "access"), list(itertools.product(Role, ACCESSES)))
def test_ledger_policies_for_every_role_and_access(role, access):
    reads, posts, manages = {
        (U, None): (False, False, False),
        (U, LedgerAccess.READER): (True, False, False),
        (U, LedgerAccess.WRITER): (True, True, False),
        (U, LedgerAccess.OWNER): (True, True, True),
        (S, None): (True, False, False),
        (S, LedgerAccess.READER): (True, False, False),
        (S, LedgerAccess.WRITER): (True, True, False),
        (S, LedgerAccess.OWNER): (True, True, True),
        (A, None): (True, False, True),
        (A, LedgerAccess.READER): (True, False, True),
        (A, LedgerAccess.WRITER): (True, True, True),
        (A, LedgerAccess.OWNER): (True, True, True),
    }[role, access]

    assert can_read_ledger(acting(role), access) is reads
    assert can_post(acting(role), access) is posts
    assert can_manage(acting(role), access) is manages


@pytest.mark.parametrize(("one", "other"), list(itertools.product((True, False), repeat=2)))
def test_combinators_take_truth_values_and_functions(one, other):
    for conditions in ([one, other], [lambda: one, other], [one, lambda: other], [lambda: one, lambda: other]):
        assert all_of(*conditions) is (one and other)
        assert any_of(*conditions) is (one or other)
    assert negate(one) is negate(lambda: one) is (not one)


@pytest.mark.parametrize("condition", NOT_BOOLEAN, ids=lambda condition: type(condition).__name__)
def test_what_is_no_truth_value_does_not_hold(condition):
    assert all_of(True, condition) is False
    assert any_of(False, condition) is False
    assert negate(condition) is True


def test_no_condition_is_all_of_nothing():
    assert (all_of(), any_of()) == (True, False)
