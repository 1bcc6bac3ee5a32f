"""Access rules for every kind of caller."""

import itertools
from uuid import UUID

import pytest
from attrs import evolve

from ledgercore.errors import AuthenticationError, AuthorizationError, LedgercoreError, NotFoundError
from ledgercore.identity.access import (
    LEDGER_MANAGE,
    LEDGER_POST,
    LEDGER_READ,
    PUBLIC,
    SESSION,
    Access,
    Operator,
    admin,
    bearer,
    check_access,
    check_admin,
)
from ledgercore.identity.memberships import LedgerAccess
from ledgercore.identity.principals import Principal, Standing
from ledgercore.identity.service_tokens import Scope
from ledgercore.identity.users import Role

LEDGER_RULES = [LEDGER_READ, LEDGER_POST, LEDGER_MANAGE]


def person(role: Role = Role.USER) -> Principal:
    return Principal(user_id=UUID(int=1), email="me@example.com", role=role, session_id=UUID(int=2))


def machine(role: Role = Role.USER, *scopes: Scope, ledgers: frozenset[str] | None = None) -> Principal:
    return Principal(
        user_id=UUID(int=1),
        email="me@example.com",
        role=role,
        token_id=UUID(int=3),
        scopes=frozenset(scopes),
        ledgers=ledgers,
    )


def in_shop(access: LedgerAccess | None) -> Standing:
    return Standing(ledger_exists=True, access=access)


def verdict(rule: Access, principal: Principal | None, standing: Standing | None = None, ledger: str | None = None):
    try:
        check_access(rule, principal, standing, ledger)
    except LedgercoreError as error:
        return error.code
    return "passes"


def test_public_routes_are_for_everybody():
    for principal in (None, person(), machine()):
        assert verdict(PUBLIC, principal) == "passes"


@pytest.mark.parametrize("rule", [SESSION, bearer(Scope.PROFILE_READ), admin(Scope.USERS_READ), *LEDGER_RULES], ids=str)
def test_nobody_passes_where_somebody_is_asked_for(rule):
    with pytest.raises(AuthenticationError) as caught:
        check_access(rule, None, in_shop(LedgerAccess.OWNER), "shop")

    assert caught.value.code == "invalid_token"


@pytest.mark.parametrize("role", Role)
def test_bearer_routes_are_for_every_user_and_for_tokens_with_the_scope(role):
    rule = bearer(Scope.PROFILE_READ)

    assert verdict(rule, person(role)) == "passes"
    assert verdict(rule, machine(role, Scope.PROFILE_READ)) == "passes"
    assert verdict(rule, machine(role, Scope.USERS_READ, Scope.LEDGER_MANAGE)) == "insufficient_permissions"


@pytest.mark.parametrize("role", Role)
def test_session_routes_are_for_no_token(role):
    """A key that leaked must not change the password."""
    assert verdict(SESSION, person(role)) == "passes"
    assert verdict(SESSION, machine(role, *Scope)) == "insufficient_permissions"


@pytest.mark.parametrize("role", Role)
def test_admin_routes_are_for_admins_and_their_tokens_with_the_scope(role):
    rule = admin(Scope.USERS_WRITE)
    expected = "passes" if role is Role.ADMIN else "insufficient_permissions"

    assert verdict(rule, person(role)) == expected
    assert verdict(rule, machine(role, Scope.USERS_WRITE)) == expected
    assert verdict(rule, machine(role, Scope.USERS_READ)) == "insufficient_permissions"


@pytest.mark.parametrize(("role", "access"), list(itertools.product(Role, [None, *LedgerAccess])))
def test_ledger_routes_for_every_role_and_access(role, access):
    """Who may not even read is told that there is nothing; who may read and no more is told what is missing."""
    reads = access is not None or role is not Role.USER
    refused = "insufficient_permissions" if reads else "ledger_not_found"
    expected = {
        LEDGER_READ: reads,
        LEDGER_POST: access in (LedgerAccess.WRITER, LedgerAccess.OWNER),
        LEDGER_MANAGE: access is LedgerAccess.OWNER or role is Role.ADMIN,
    }

    for rule, passes in expected.items():
        outcome = "passes" if passes else refused
        assert verdict(rule, person(role), in_shop(access), "shop") == outcome
        assert verdict(rule, machine(role, *Scope), in_shop(access), "shop") == outcome
        assert verdict(rule, machine(role, *Scope, ledgers=frozenset({"shop"})), in_shop(access), "shop") == outcome


@pytest.mark.parametrize("rule", LEDGER_RULES, ids=str)
@pytest.mark.parametrize("role", Role)
def test_ledger_that_a_token_does_not_cover_is_not_there(role, rule):
    token = machine(role, *Scope, ledgers=frozenset({"other"}))

    assert verdict(rule, token, in_shop(LedgerAccess.OWNER), "shop") == "ledger_not_found"


@pytest.mark.parametrize("rule", LEDGER_RULES, ids=str)
def test_ledger_of_others_looks_like_one_that_is_not_there(rule):
    """Not a letter of the answers differs."""
    refusals = []
    for standing in (Standing(), in_shop(None), None):
        with pytest.raises(NotFoundError) as caught:
            check_access(rule, person(), standing, "shop")
        refusals.append((caught.value.code, dict(caught.value.details)))

    assert refusals == [("ledger_not_found", {"ledger": "shop"})] * 3


@pytest.mark.parametrize(
    ("rule", "scope"),
    [(LEDGER_READ, Scope.LEDGER_READ), (LEDGER_POST, Scope.LEDGER_WRITE), (LEDGER_MANAGE, Scope.LEDGER_MANAGE)],
)
def test_ledger_routes_need_their_scope_of_a_token(rule, scope):
    others = [each for each in Scope if each is not scope]

    assert verdict(rule, machine(Role.USER, scope), in_shop(LedgerAccess.OWNER), "shop") == "passes"
    with pytest.raises(AuthorizationError) as caught:
        check_access(rule, machine(Role.USER, *others), in_shop(LedgerAccess.OWNER), "shop")
    assert (caught.value.code, caught.value.details["scope"]) == ("insufficient_permissions", scope.value)


def test_refusal_names_what_is_missing():
    for rule, principal, details in (
        (admin(Scope.USERS_READ), person(), {"role": "admin"}),
        (admin(Scope.USERS_READ), machine(Role.ADMIN), {"scope": "users:read"}),
        (LEDGER_POST, person(Role.ADMIN), {"access": "writer"}),
        (LEDGER_MANAGE, person(Role.SUPPORT), {"access": "owner"}),
    ):
        with pytest.raises(AuthorizationError) as caught:
            check_access(rule, principal, in_shop(None), "shop")
        assert dict(caught.value.details) == details


def test_ledger_rule_without_a_ledger_refuses():
    """A route that forgot to name its ledger opens nothing."""
    assert verdict(LEDGER_READ, person(Role.ADMIN), in_shop(LedgerAccess.OWNER)) == "ledger_not_found"


def test_operator_may_what_an_admin_may():
    check_admin(Operator(), Scope.USERS_WRITE)
    check_admin(person(Role.ADMIN), Scope.USERS_WRITE)
    for principal in (person(), person(Role.SUPPORT), machine(Role.ADMIN), evolve(person(), scopes=frozenset(Scope))):
        with pytest.raises(AuthorizationError):
            check_admin(principal, Scope.USERS_WRITE)
