"""Creating ledgers, and who is what in them."""

import functools
import itertools
import re
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from ledgercore.errors import BusinessRuleError, LedgercoreError
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR
from ledgercore.identity.memberships import LedgerAccess, check_access
from ledgercore.identity.service_tokens import Scope
from ledgercore.identity.users import Role
from ledgercore.ledger.accounts import Opening
from ledgercore.ledger.commands import Settings

READER, WRITER, OWNER = LedgerAccess
BY: Any = {"by": Operator(), "actor": OPERATOR}


def refusal(act: Any, *arguments: Any, **named: Any) -> LedgercoreError:
    with pytest.raises(LedgercoreError) as caught:
        act(*arguments, **named)
    return caught.value


@pytest.fixture
def people(world):
    """Principals by name: Alice and Bob are users, Sam is support, Ada an admin."""
    roles = {"alice": Role.USER, "bob": Role.USER, "sam": Role.SUPPORT, "ada": Role.ADMIN}
    return {name: world.principal(world.add(name, role)) for name, role in roles.items()}


@pytest.fixture
def ledgers(world):
    return world.identity.ledgers


@pytest.fixture
def shop(world, people, ledgers):
    """A ledger that Alice owns."""
    ledgers.create("shop", **BY)
    ledgers.grant("shop", people["alice"].user_id, OWNER, **BY)
    return "shop"


class TestCreating:
    @pytest.mark.parametrize("name", ["alice", "sam"])
    def test_others_than_admins_get_random_characters_after_their_name(self, world, people, ledgers, name):
        made = {ledgers.create("shop", by=people[name], actor=world.actor) for _ in range(50)}

        assert len(made) == 50
        assert all(re.fullmatch(r"shop-[0-9a-hjkmnp-tv-z]{10}", each) for each in made)

    def test_taken_name_tells_nothing(self, world, people, ledgers, shop):
        assert ledgers.create(shop, by=people["bob"], actor=world.actor) != shop

    def test_admins_and_operators_name_ledgers_exactly(self, world, people, ledgers):
        assert ledgers.create("exact", by=people["ada"], actor=world.actor) == "exact"
        assert ledgers.create("books", **BY) == "books"
        assert refusal(ledgers.create, "books", **BY).code == "ledger_already_exists"

    def test_creator_owns_the_ledger_and_it_has_the_settings(self, world, people, ledgers):
        settings = Settings(opening=Opening(on_first_use=True))

        name = ledgers.create("shop", settings, by=people["alice"], actor=world.actor)

        [membership] = ledgers.members(name, by=people["alice"])
        assert (membership.user_id, membership.access) == (people["alice"].user_id, OWNER)
        with world.store.begin() as work:
            assert work.ledgers.journal(name).state().settings == settings
        entry = world.audited()[-1]
        assert (entry["action"], entry["target"]) == ("ledger_created", f"ledger:{name}")

    @pytest.mark.parametrize("name", ["", "-a", "a b", "a/b", "ü", "a" * 64, None, 5])
    def test_wrong_name_is_refused(self, world, people, ledgers, name):
        for by in (people["alice"], people["ada"]):
            assert refusal(ledgers.create, name, by=by, actor=world.actor).code == "invalid_ledger_name"

    def test_full_name_must_fit(self, world, people, ledgers):
        assert len(ledgers.create("a" * 52, by=people["alice"], actor=world.actor)) == 63
        assert refusal(ledgers.create, "a" * 53, by=people["alice"], actor=world.actor).code == "invalid_ledger_name"
        assert ledgers.create("a" * 63, by=people["ada"], actor=world.actor) == "a" * 63

    def test_token_creates_ledgers_with_the_scope_and_unbound(self, world, people, ledgers):
        machine = evolve(people["alice"], token_id=UUID(int=5), scopes=frozenset({Scope.LEDGER_MANAGE}))

        assert ledgers.create("shop", by=machine, actor=world.actor).startswith("shop-")
        for narrow in (
            evolve(machine, scopes=frozenset({Scope.LEDGER_WRITE})),
            evolve(machine, ledgers=frozenset({"shop"})),
        ):
            assert refusal(ledgers.create, "shop", by=narrow, actor=world.actor).code == "insufficient_permissions"


class TestMembers:
    @pytest.mark.parametrize(
        ("name", "access", "code"),
        [
            ("bob", None, "ledger_not_found"), ("bob", READER, "insufficient_permissions"),
            ("bob", WRITER, "insufficient_permissions"), ("bob", OWNER, None),
            ("sam", None, "insufficient_permissions"), ("sam", WRITER, "insufficient_permissions"),
            ("sam", OWNER, None), ("ada", None, None), ("ada", READER, None),
        ],
    )  # fmt: skip
    def test_members_are_decided_about_by_owners_and_admins(self, world, people, ledgers, shop, name, access, code):
        by, guest = people[name], world.add("guest")
        if access is not None:
            ledgers.grant(shop, by.user_id, access, **BY)

        for act in (
            lambda: ledgers.grant(shop, guest.id, READER, by=by, actor=world.actor),
            lambda: ledgers.members(shop, by=by),
            lambda: ledgers.revoke(shop, guest.id, by=by, actor=world.actor),
        ):
            if code is None:
                act()
            else:
                assert refusal(act).code == code

    def test_ledger_of_others_is_not_there(self, world, people, ledgers, shop):
        """The same answer as for a name that nobody has, with every way to ask."""
        bob, guest = people["bob"], world.add("guest").id
        for name in (shop, "nothing"):
            for act in (
                lambda name=name: ledgers.members(name, by=bob),
                lambda name=name: ledgers.grant(name, guest, READER, by=bob, actor=world.actor),
                lambda name=name: ledgers.grant(name, UUID(int=1), READER, by=bob, actor=world.actor),
                lambda name=name: ledgers.revoke(name, guest, by=bob, actor=world.actor),
            ):
                error = refusal(act)
                assert (error.code, error.details) == ("ledger_not_found", {"ledger": name})

    def test_admin_is_told_that_a_ledger_is_not_there(self, people, ledgers):
        assert refusal(ledgers.members, "nothing", by=people["ada"]).code == "ledger_not_found"
        assert refusal(ledgers.members, "nothing", by=Operator()).code == "ledger_not_found"

    def test_grant_replaces_an_earlier_one(self, world, people, ledgers, shop):
        bob = people["bob"].user_id
        for access in (READER, OWNER, WRITER):
            granted = ledgers.grant(shop, bob, access, by=people["alice"], actor=world.actor)
            assert granted in ledgers.members(shop, by=people["alice"])
        assert len(ledgers.members(shop, by=people["alice"])) == 2
        entry = world.audited()[-1]
        assert (entry["action"], entry["target"]) == ("member_granted", f"ledger:{shop}")
        assert entry["details"] == {"user_id": str(bob), "access": "writer"}

    def test_access_counts_at_once(self, world, people, ledgers, shop):
        bob = world.login(world.user(people["bob"].user_id))
        for access in (READER, WRITER, OWNER):
            ledgers.grant(shop, people["bob"].user_id, access, **BY)
            assert world.standing(bob.access_token, shop).access is access
        ledgers.revoke(shop, people["bob"].user_id, **BY)
        assert world.standing(bob.access_token, shop).access is None
        assert world.audited()[-1]["action"] == "member_revoked"

    def test_access_is_given_by_value_or_name(self, world, people, ledgers, shop):
        granted = ledgers.grant(shop, people["bob"].user_id, " Owner", by=people["alice"], actor=world.actor)

        assert granted.access is OWNER
        error = refusal(ledgers.grant, shop, people["bob"].user_id, "boss", by=people["alice"], actor=world.actor)
        assert error.code == "invalid_access"

    @pytest.mark.parametrize("deleted", [False, True])
    def test_who_is_not_there_becomes_no_member(self, world, people, ledgers, shop, deleted):
        id = world.add("gone").id if deleted else UUID(int=1)
        if deleted:
            world.identity.users.delete(id, **BY)

        assert refusal(ledgers.grant, shop, id, READER, by=people["alice"], actor=world.actor).code == "user_not_found"

    def test_who_is_no_member_is_not_revoked(self, world, people, ledgers, shop):
        error = refusal(ledgers.revoke, shop, people["bob"].user_id, by=people["alice"], actor=world.actor)

        assert error.code == "member_not_found"

    @pytest.mark.parametrize("access", [None, READER, WRITER])
    @pytest.mark.parametrize("by", ["alice", "ada"])
    def test_last_owner_stays(self, world, people, ledgers, shop, access, by):
        alice = people["alice"].user_id
        ledgers.grant(shop, people["bob"].user_id, WRITER, **BY)
        before = world.state()

        change: Any = ledgers.revoke if access is None else functools.partial(ledgers.grant, access=access)
        error = refusal(change, shop, alice, by=people[by], actor=world.actor)

        assert isinstance(error, BusinessRuleError)
        assert error.code == "last_owner"
        assert world.state() == before

    def test_one_of_two_owners_may_go(self, world, people, ledgers, shop):
        ledgers.grant(shop, people["bob"].user_id, OWNER, by=people["alice"], actor=world.actor)

        ledgers.revoke(shop, people["alice"].user_id, by=people["alice"], actor=world.actor)

        assert [each.user_id for each in ledgers.members(shop, by=people["bob"])] == [people["bob"].user_id]
        assert ledgers.grant(shop, people["bob"].user_id, OWNER, by=people["bob"], actor=world.actor)

    def test_ledger_without_owner_may_lose_members(self, people, ledgers):
        """One that was made at the command line has none until somebody is made one."""
        ledgers.create("books", **BY)
        ledgers.grant("books", people["bob"].user_id, READER, **BY)

        ledgers.revoke("books", people["bob"].user_id, **BY)

        assert ledgers.members("books", by=Operator()) == []

    def test_token_manages_the_ledgers_it_covers(self, world, people, ledgers, shop):
        token = evolve(people["alice"], token_id=UUID(int=5), scopes=frozenset({Scope.LEDGER_MANAGE}))

        assert ledgers.members(shop, by=evolve(token, ledgers=frozenset({shop})))
        elsewhere = evolve(token, ledgers=frozenset({"other"}))
        assert refusal(ledgers.members, shop, by=elsewhere).code == "ledger_not_found"
        reading = evolve(token, scopes=frozenset({Scope.LEDGER_READ}))
        assert refusal(ledgers.members, shop, by=reading).code == "insufficient_permissions"


class TestListing:
    @pytest.fixture
    def many(self, people, ledgers):
        """Seven ledgers; Alice reads four of them."""
        for letter in "abcdefg":
            ledgers.create(letter, **BY)
        for letter in "aceg":
            ledgers.grant(letter, people["alice"].user_id, READER, **BY)

    def test_own_ledgers_come_in_pages(self, people, ledgers, many):
        first = ledgers.page(by=people["alice"], limit=3)
        second = ledgers.page(by=people["alice"], limit=3, cursor=first.next_cursor)

        assert [*first.items, *second.items] == [(letter, READER) for letter in "aceg"]
        assert second.next_cursor is None
        assert ledgers.page(by=people["bob"]).items == ()

    def test_everybodys_ledgers_are_for_admins_support_and_operators(self, people, ledgers, many):
        for by in (people["ada"], people["sam"], Operator()):
            assert [name for name, _ in ledgers.page(by=by, everybodys=True).items] == list("abcdefg")
        assert ledgers.page(by=people["ada"]).items == ()
        for name in ("alice", "bob"):
            assert refusal(ledgers.page, by=people[name], everybodys=True).code == "insufficient_permissions"

    @pytest.mark.parametrize(("role", "everybodys"), list(itertools.product(["alice", "ada"], [False, True])))
    def test_bound_token_sees_the_ledgers_it_covers(self, people, ledgers, many, role, everybodys):
        ledgers.grant("c", people["ada"].user_id, READER, **BY)
        token = evolve(
            people[role], token_id=UUID(int=5), scopes=frozenset(Scope), ledgers=frozenset({"b", "c", "e", "x"})
        )
        if everybodys and role == "alice":
            assert refusal(ledgers.page, by=token, everybodys=True).code == "insufficient_permissions"
            return

        first = ledgers.page(by=token, everybodys=everybodys, limit=1)
        rest = ledgers.page(by=token, everybodys=everybodys, cursor=first.next_cursor) if first.next_cursor else None

        names = [name for name, _ in (*first.items, *(rest.items if rest else ()))]
        assert names == {"alice": ["c", "e"], "ada": ["c"]}[role]


@pytest.mark.parametrize(("text", "access"), [("reader", READER), (" Writer ", WRITER), ("OWNER", OWNER)])
def test_access_is_read_in_any_case(text, access):
    assert check_access(text) is access


@pytest.mark.parametrize("text", ["", "admin", None, 5])
def test_unknown_access_is_refused(text):
    assert refusal(check_access, text).code == "invalid_access"
