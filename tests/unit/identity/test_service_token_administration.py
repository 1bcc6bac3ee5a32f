"""Issuing, listing and revoking keys of machines."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from ledgercore.errors import AuthorizationError, LedgercoreError
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR
from ledgercore.identity.service_tokens import Scope, digest_of, is_key
from ledgercore.identity.users import Role


def refusal(act: Any, *arguments: Any, **named: Any) -> LedgercoreError:
    with pytest.raises(LedgercoreError) as caught:
        act(*arguments, **named)
    return caught.value


@pytest.fixture
def alice(world):
    return world.principal(world.add("alice"))


@pytest.fixture
def bob(world):
    return world.principal(world.add("bob"))


@pytest.fixture
def ada(world):
    return world.principal(world.add("ada", Role.ADMIN))


@pytest.fixture
def issue(world):
    """Issues a token for reading unless told otherwise."""

    def issued(by: Any, **changes: Any) -> Any:
        world.clock.forward(milliseconds=1)  # ids are in order from one millisecond to the next
        asked = {"name": "ci", "scopes": ["ledger:read"], **changes}
        return world.identity.service_tokens.issue(by=by, actor=world.actor, **asked)

    return issued


def test_key_is_shown_once_and_kept_as_a_digest(world, alice, issue):
    issued = issue(alice, name=" nightly export ")

    stored = world.token(issued.token.id)
    assert is_key(issued.key)
    assert issued.key.startswith("lc_test_")
    assert stored == issued.token
    assert (stored.name, stored.owner_id, stored.digest) == ("nightly export", alice.user_id, digest_of(issued.key))
    assert issued.key.startswith(stored.shown)
    assert issued.key not in repr(issued) + repr(stored) + str(world.audited())


def test_key_opens_what_its_scopes_and_ledgers_say(world, alice, issue):
    end = world.clock() + timedelta(days=30)

    issued = issue(alice, scopes=["ledger:read", Scope.LEDGER_WRITE], ledgers=["shop", "bar"], expires_at=end)

    principal = world.enter(issued.key)
    assert (principal.user_id, principal.token_id) == (alice.user_id, issued.token.id)
    assert principal.scopes == {Scope.LEDGER_READ, Scope.LEDGER_WRITE}
    assert principal.ledgers == {"shop", "bar"}
    world.clock.now = end
    assert refusal(world.enter, issued.key).code == "token_expired"


def test_issue_is_audited(world, alice, issue):
    issued = issue(alice, scopes=["users:read", "ledger:read"])

    entry = world.audited()[-1]
    assert (entry["action"], entry["target"]) == ("service_token_issued", f"token:{issued.token.id}")
    assert entry["details"]["owner_id"] == str(alice.user_id)
    assert entry["details"]["scopes"] == ["ledger:read", "users:read"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": None}, "missing_fields"), ({"name": " "}, "missing_fields"), ({"name": 5}, "invalid_name_format"),
        ({"name": "x" * 101}, "invalid_name_format"), ({"name": "a\nb"}, "invalid_name_format"),
        ({"name": "a\x00"}, "invalid_name_format"), ({"name": "\ud800"}, "invalid_name_format"),
        ({"scopes": []}, "invalid_scope"), ({"scopes": ["ledger:steal"]}, "invalid_scope"),
        ({"scopes": [None]}, "invalid_scope"),
        ({"ledgers": []}, "invalid_argument"), ({"ledgers": [f"l{n}" for n in range(101)]}, "invalid_argument"),
        ({"ledgers": ["a b"]}, "invalid_ledger_name"),
        ({"expires_at": datetime(2027, 1, 1)}, "invalid_datetime_format"),
    ],
    ids=ascii,
)  # fmt: skip
def test_wrong_tokens_are_not_issued(world, alice, issue, changes, code):
    before = world.state()

    assert refusal(issue, alice, **changes).code == code
    assert world.state() == before


def test_token_ends_in_the_future(world, alice, issue):
    assert refusal(issue, alice, expires_at=world.clock()).code == "invalid_expiry"


def test_admins_and_operators_issue_for_others(world, alice, bob, ada, issue):
    for by in (ada, Operator()):
        assert issue(by, owner_id=bob.user_id).token.owner_id == bob.user_id
    assert issue(ada).token.owner_id == ada.user_id
    assert issue(alice, owner_id=alice.user_id).token.owner_id == alice.user_id

    assert refusal(issue, alice, owner_id=bob.user_id).code == "insufficient_permissions"
    assert refusal(issue, world.principal(world.add("sam", Role.SUPPORT)), owner_id=bob.user_id).code == (
        "insufficient_permissions"
    )
    assert refusal(issue, Operator()).code == "missing_fields"
    assert refusal(issue, ada, owner_id=UUID(int=1)).code == "user_not_found"


def test_suspended_owner_gets_no_token(world, bob, ada, issue):
    world.identity.users.suspend(bob.user_id, by=Operator(), actor=OPERATOR)

    assert refusal(issue, ada, owner_id=bob.user_id).code == "account_inactive"


class TestIssuingByToken:
    """A token passes on no more than it has."""

    @pytest.fixture
    def machine(self, world, alice, issue):
        issued = issue(
            alice,
            scopes=["ledger:read", "tokens:write"],
            ledgers=["shop", "bar"],
            expires_at=world.clock() + timedelta(days=2),
        )
        return world.enter(issued.key)

    def test_it_passes_on_what_it_has(self, world, machine, issue):
        issued = issue(machine, ledgers=["shop"], expires_at=world.clock() + timedelta(days=1))

        assert world.enter(issued.key).ledgers == {"shop"}

    @pytest.mark.parametrize(
        "changes",
        [
            {"scopes": ["ledger:read", "ledger:write"]},
            {"ledgers": ["shop", "other"]},
            {"ledgers": None},
            {"days": 3},
            {"days": None},
        ],
        ids=str,
    )
    def test_it_passes_on_no_more(self, world, machine, issue, changes):
        days = changes.get("days", 1)
        asked = {
            "ledgers": ["shop"],
            "expires_at": None if days is None else world.clock() + timedelta(days=days),
            **{name: value for name, value in changes.items() if name != "days"},
        }

        error = refusal(issue, machine, **asked)

        assert isinstance(error, AuthorizationError)
        assert error.code == "insufficient_permissions"

    def test_even_an_admins_passes_on_nothing_to_others(self, world, ada, bob, issue):
        machine = world.enter(issue(ada, scopes=["tokens:write", "ledger:read"]).key)

        assert refusal(issue, machine, owner_id=bob.user_id).code == "insufficient_permissions"


class TestListing:
    def test_own_tokens_come_in_pages(self, world, alice, bob, issue):
        mine = [issue(alice).token for _ in range(5)]
        issue(bob)
        page = world.identity.service_tokens.page

        first = page(by=alice, owner_id=alice.user_id, limit=3)
        second = page(by=alice, owner_id=alice.user_id, limit=3, cursor=first.next_cursor)

        assert [*first.items, *second.items] == mine
        assert second.next_cursor is None

    def test_tokens_of_others_are_for_admins_and_operators(self, world, alice, bob, ada, issue):
        every = [issue(by).token for by in (alice, bob, ada)]
        page = world.identity.service_tokens.page

        for by in (ada, Operator()):
            assert list(page(by=by).items) == every
            assert list(page(by=by, owner_id=bob.user_id).items) == every[1:2]
        for owner_id in (None, bob.user_id):
            assert refusal(page, by=alice, owner_id=owner_id).code == "insufficient_permissions"

    @pytest.mark.parametrize("cursor", ["", "x", "W10"])
    def test_foreign_cursor_is_refused(self, world, alice, cursor):
        page = world.identity.service_tokens.page

        assert refusal(page, by=alice, owner_id=alice.user_id, cursor=cursor).code == "invalid_cursor"
        assert refusal(page, by=alice, owner_id=alice.user_id, limit=0).code == "invalid_filter"


class TestRevoking:
    def test_revoked_token_opens_nothing(self, world, alice, issue):
        issued = issue(alice)

        token = world.identity.service_tokens.revoke(issued.token.id, by=alice, actor=world.actor)

        assert token == world.token(issued.token.id)
        assert refusal(world.enter, issued.key).code == "token_revoked"
        assert world.audited()[-1]["action"] == "service_token_revoked"

    def test_revoking_again_changes_nothing(self, world, alice, issue):
        id = issue(alice).token.id
        first = world.identity.service_tokens.revoke(id, by=alice, actor=world.actor)
        before = world.state()

        assert world.identity.service_tokens.revoke(id, by=alice, actor=world.actor) == first
        assert world.state() == before

    def test_token_of_another_is_not_there(self, world, alice, bob, issue):
        """The same answer as for an id that nobody has."""
        id = issue(bob).token.id
        for by in (alice, world.principal(world.add("sam", Role.SUPPORT))):
            for wanted in (id, UUID(int=1)):
                error = refusal(world.identity.service_tokens.revoke, wanted, by=by, actor=world.actor)
                assert (error.code, error.details) == ("service_token_not_found", {"token_id": str(wanted)})
        assert world.token(id).revoked_at is None

    def test_admins_and_operators_revoke_any(self, world, alice, ada, issue):
        for by in (ada, Operator()):
            id = issue(alice).token.id
            assert world.identity.service_tokens.revoke(id, by=by, actor=world.actor).revoked_at is not None

    def test_token_of_an_admin_needs_the_scope_to_revoke_others(self, world, alice, ada, issue):
        id = issue(alice).token.id
        reading = evolve(ada, token_id=UUID(int=5), scopes=frozenset({Scope.LEDGER_READ}))

        code = refusal(world.identity.service_tokens.revoke, id, by=reading, actor=world.actor).code

        assert code == "service_token_not_found"
