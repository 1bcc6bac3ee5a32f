"""Registering users, and administering them."""

import itertools
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from ledgercore.errors import (
    AuthorizationError,
    BusinessRuleError,
    ConflictError,
    LedgercoreError,
    NotFoundError,
    ValidationError,
)
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR
from ledgercore.identity.service_tokens import Scope
from ledgercore.identity.user_changes import decide_move, decide_update
from ledgercore.identity.users import MOVES, Role, UserCounts, UserFilter, UserStatus

PASSWORD = "correct horse battery"
BY: Any = {"by": Operator(), "actor": OPERATOR}
NOT_ADMINS = [Role.USER, Role.SUPPORT]


def attrs_of(name: str, **changes: Any) -> dict[str, Any]:
    sent = {"email": f"{name}@example.com", "full_name": name.title(), "password": PASSWORD,
            "password_confirmation": PASSWORD, **changes}  # fmt: skip
    return {field: value for field, value in sent.items() if value is not ...}


def refusal(act: Any, *arguments: Any, **named: Any) -> LedgercoreError:
    with pytest.raises(LedgercoreError) as caught:
        act(*arguments, **named)
    return caught.value


class TestRegistration:
    def test_registered_user_may_log_in(self, world):
        user = world.identity.users.register(attrs_of("alice", email=" ALICE@Example.com"), actor=world.actor)

        assert (user.email, user.full_name, user.role, user.status) == (
            "alice@example.com", "Alice", Role.USER, UserStatus.ACTIVE,
        )  # fmt: skip
        assert user.inserted_at == user.updated_at
        assert world.login(user).user == user
        [entry, *_] = world.audited()
        assert (entry["action"], entry["actor"], entry["target"]) == ("user_created", "anonymous", f"user:{user.id}")

    @pytest.mark.parametrize("role", ["admin", "support", "ADMIN", "boss", None, 5, ["admin"]])
    def test_nobody_registers_with_a_role(self, world, role):
        user = world.identity.users.register(
            attrs_of("eve", role=role, status="SUSPENDED", id=str(UUID(int=1)), verified=True), actor=world.actor
        )

        assert (user.role, user.status) == (Role.USER, UserStatus.ACTIVE)
        assert user.id != UUID(int=1)

    @pytest.mark.parametrize("name", ["email", "full_name", "password", "password_confirmation"])
    @pytest.mark.parametrize("value", [..., None, ""], ids=["left out", "null", "empty"])
    def test_every_field_is_needed(self, world, name, value):
        error = refusal(world.identity.users.register, attrs_of("alice", **{name: value}), actor=world.actor)

        assert (error.code, error.details["fields"]) == ("missing_fields", [name])

    def test_all_that_is_missing_is_told_at_once(self, world):
        nothing: list[Any] = [{}, None, "text"]
        for attrs in nothing:
            error = refusal(world.identity.users.register, attrs, actor=world.actor)
            assert error.details["fields"] == ["email", "full_name", "password", "password_confirmation"]

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"email": "alice"}, "invalid_email_format"),
            ({"email": 5}, "invalid_email_format"),
            ({"full_name": "x" * 256}, "invalid_name_format"),
            ({"full_name": "a\x00b"}, "invalid_name_format"),
            ({"full_name": ["a"]}, "invalid_name_format"),
            ({"password": "1234567", "password_confirmation": "1234567"}, "invalid_password_format"),
            ({"password": PASSWORD + " "}, "invalid_password_format"),
            ({"password": "x" * 256, "password_confirmation": "x" * 256}, "invalid_password_format"),
            ({"password": 12345678, "password_confirmation": 12345678}, "invalid_password_format"),
            (
                {"password": "Alice@example.com", "password_confirmation": "Alice@example.com"},
                "invalid_password_format",
            ),
        ],
        ids=str,
    )  # fmt: skip
    def test_what_is_wrong_is_refused_and_nothing_stored(self, world, changes, code):
        error = refusal(world.identity.users.register, attrs_of("alice", **changes), actor=world.actor)

        assert isinstance(error, ValidationError)
        assert error.code == code
        assert world.audited() == []

    def test_email_is_taken_in_any_spelling_and_for_ever(self, world):
        alice = world.identity.users.register(attrs_of("alice"), actor=world.actor)
        again = attrs_of("alice", email="Alice@EXAMPLE.com ")
        assert refusal(world.identity.users.register, again, actor=world.actor).code == "email_already_exists"

        world.identity.users.delete(alice.id, **BY)

        error = refusal(world.identity.users.register, again, actor=world.actor)
        assert isinstance(error, ConflictError)

    def test_password_is_hashed_outside_the_unit_of_work(self, world):
        world.add("alice")

        assert world.hasher.inside == []


class TestCreation:
    @pytest.mark.parametrize(("role", "length"), [("user", 8), ("support", 15), ("admin", 15)])
    def test_operator_creates_any_role_with_its_length_of_password(self, world, role, length):
        enough, short = "p" * length, "p" * (length - 1)

        user = world.identity.users.create(
            attrs_of("ada", role=f" {role.upper()} ", password=enough, password_confirmation=enough), **BY
        )
        error = refusal(
            world.identity.users.create,
            attrs_of("bob", role=role, password=short, password_confirmation=short),
            **BY,
        )

        assert user.role == role
        assert (error.code, error.details["length_min"]) == ("invalid_password_format", length)
        assert world.audited()[0]["action"] == "user_created_by_admin"

    def test_role_is_user_unless_one_is_given(self, world):
        assert world.identity.users.create(attrs_of("bob"), **BY).role is Role.USER

    @pytest.mark.parametrize("role", ["boss", 5, ["admin"]], ids=str)
    def test_unknown_role_is_refused(self, world, role):
        assert refusal(world.identity.users.create, attrs_of("bob", role=role), **BY).code == "invalid_role"

    @pytest.mark.parametrize(("role", "made"), list(itertools.product(NOT_ADMINS, Role)))
    def test_only_admins_create_users(self, world, role, made):
        """Not even support is made by anybody else, whatever the policy for admins alone would allow."""
        principal = world.principal(world.add("someone", role))

        error = refusal(world.identity.users.create, attrs_of("eve", role=made), by=principal, actor=world.actor)

        assert isinstance(error, AuthorizationError)
        assert error.code == "insufficient_permissions"


@pytest.mark.parametrize("role", NOT_ADMINS)
def test_administration_is_for_admins(world, role):
    """Every use case asks, whoever calls it."""
    bob = world.add("bob")
    by, actor = world.principal(world.add("someone", role)), world.actor
    users = world.identity.users
    before = world.state()

    for act in (
        lambda: users.get(bob.id, by=by),
        lambda: users.page(UserFilter(), by=by, page=1, page_size=20),
        lambda: users.page_after(UserFilter(), by=by, limit=20),
        lambda: users.stats(by=by),
        lambda: users.update(bob.id, {"full_name": "Robert"}, by=by, actor=actor),
        lambda: users.suspend(bob.id, by=by, actor=actor),
        lambda: users.activate(bob.id, by=by, actor=actor),
        lambda: users.delete(bob.id, by=by, actor=actor),
    ):
        assert refusal(act).code == "insufficient_permissions"

    assert world.state() == before


def test_service_token_of_an_admin_needs_the_scope(world):
    bob, admin = world.add("bob"), world.principal(world.add("ada", Role.ADMIN))
    reading = evolve(admin, token_id=UUID(int=5), scopes=frozenset({Scope.USERS_READ}))

    assert world.identity.users.get(bob.id, by=reading) == bob
    error = refusal(world.identity.users.suspend, bob.id, by=reading, actor=world.actor)
    assert error.details == {"scope": "users:write"}


class TestFinding:
    def test_deleted_user_is_not_found(self, world):
        bob = world.add("bob")
        world.identity.users.delete(bob.id, **BY)

        for id in (bob.id, UUID(int=1)):
            for act in (
                lambda id=id: world.identity.users.get(id, by=Operator()),
                lambda id=id: world.identity.users.update(id, {"full_name": "Bob"}, **BY),
                lambda id=id: world.identity.users.suspend(id, **BY),
                lambda id=id: world.identity.users.delete(id, **BY),
            ):
                error = refusal(act)
                assert isinstance(error, NotFoundError)
                assert (error.code, error.details) == ("user_not_found", {"user_id": str(id)})

    def test_pages_by_number_count_what_fits(self, world):
        made = [world.add(name) for name in ("a", "b", "c", "d", "e")]
        ada = world.add("ada", Role.ADMIN)
        world.identity.users.suspend(made[0].id, **BY)
        world.identity.users.delete(made[1].id, **BY)

        page = world.identity.users.page(
            UserFilter(status=UserStatus.ACTIVE), by=Operator(), page=2, page_size=3, sort=(("email", False),)
        )
        every = world.identity.users.page(UserFilter(), by=Operator(), page=1, page_size=20, sort=(("email", True),))
        beyond = world.identity.users.page(UserFilter(role=Role.ADMIN), by=Operator(), page=9, page_size=1)

        assert ([user.email[0] for user in page.items], page.total_count, page.total_pages) == (["e"], 4, 2)
        assert [user.email[:2] for user in every.items] == ["e@", "d@", "c@", "ad", "a@"]
        assert (list(beyond.items), beyond.total_count, beyond.total_pages) == ([], 1, 1)
        assert ada.role is Role.ADMIN

    def test_keyset_pages_walk_every_user_once(self, world):
        made = [world.add(f"u{number}") for number in range(7)]
        seen, after = [], None
        for expected in (3, 3, 1):
            found = world.identity.users.page_after(UserFilter(), by=Operator(), limit=3, after=after)
            assert len(found.items) == expected
            seen += found.items
            after = found.next_after

        assert after is None
        assert seen == made[::-1]

    def test_last_full_page_has_no_next_one(self, world):
        """A full page alone does not mean that more follow."""
        for name in ("a", "b"):
            world.add(name)

        assert world.identity.users.page_after(UserFilter(), by=Operator(), limit=2).next_after is None
        assert world.identity.users.page_after(UserFilter(), by=Operator(), limit=1).next_after is not None

    def test_statistics_count_by_status_and_role(self, world):
        for name in ("a", "b", "c"):
            world.add(name)
        world.add("ada", Role.ADMIN)
        world.identity.users.suspend(world.add("d").id, **BY)
        world.identity.users.delete(world.add("e").id, **BY)

        assert world.identity.users.stats(by=Operator()) == UserCounts(total=5, active=4, admins=1, suspended=1)


class TestChanges:
    def test_update_changes_what_is_given(self, world):
        bob = world.add("bob")

        changed = world.identity.users.update(
            bob.id, {"email": " ROBERT@example.com", "full_name": " Robert ", "role": "SUPPORT", "status": None}, **BY
        )

        assert changed == evolve(
            bob, email="robert@example.com", full_name="Robert", role=Role.SUPPORT, updated_at=changed.updated_at
        )
        assert changed.updated_at > bob.updated_at
        assert world.user(bob.id) == changed

    def test_update_is_audited_without_names_and_addresses(self, world):
        bob = world.add("bob")

        world.identity.users.update(bob.id, {"email": "rob@example.com", "role": "support"}, **BY)

        entry = world.audited()[-1]
        assert (entry["action"], entry["actor"], entry["target"]) == ("user_updated", "operator", f"user:{bob.id}")
        assert entry["details"] == {"fields": ["email", "role"], "role": "support"}

    def test_update_to_what_is_there_already_changes_nothing(self, world):
        bob = world.add("bob")
        before = world.state()

        assert world.identity.users.update(bob.id, {"full_name": "Bob ", "status": "active"}, **BY) == bob
        assert world.state() == before

    @pytest.mark.parametrize(
        ("attrs", "code"),
        [
            ({}, "missing_fields"), (None, "missing_fields"), ({"password": "x"}, "missing_fields"),
            ({"role": None}, "missing_fields"), ({"email": " "}, "missing_fields"),
            ({"email": "x"}, "invalid_email_format"), ({"full_name": "x" * 256}, "invalid_name_format"),
            ({"role": "boss"}, "invalid_role"), ({"role": ""}, "invalid_role"), ({"status": "GONE"}, "invalid_status"),
            ({"full_name": "Robert", "role": "boss"}, "invalid_role"),
        ],
        ids=str,
    )  # fmt: skip
    def test_wrong_updates_are_refused(self, world, attrs, code):
        bob = world.add("bob")

        assert refusal(world.identity.users.update, bob.id, attrs, **BY).code == code
        assert world.user(bob.id) == bob

    def test_email_of_another_is_refused(self, world):
        bob = world.add("bob")
        world.add("alice")

        code = refusal(world.identity.users.update, bob.id, {"email": "alice@example.com"}, **BY).code

        assert code == "email_already_exists"

    @pytest.mark.parametrize(
        "suspend",
        [
            lambda world, id: world.identity.users.suspend(id, **BY),
            lambda world, id: world.identity.users.update(id, {"status": "suspended"}, **BY),
        ],
        ids=["by move", "by status"],
    )
    def test_suspension_shuts_out_at_once(self, world, suspend):
        bob = world.add("bob")
        signed_in = world.login(bob)
        key = world.identity.service_tokens.issue(
            by=world.principal(bob), name="ci", scopes=["ledger:read"], actor=world.actor
        ).key

        suspend(world, bob.id)

        assert refusal(world.enter, signed_in.access_token).code == "token_revoked"
        assert refusal(world.enter, key).code == "forbidden"
        code = refusal(world.identity.sign_in.refresh, signed_in.refresh_token, actor=world.actor).code
        assert code == "token_revoked"

    def test_activation_opens_keys_but_no_session(self, world):
        bob = world.add("bob")
        signed_in = world.login(bob)
        key = world.identity.service_tokens.issue(
            by=world.principal(bob), name="ci", scopes=["ledger:read"], actor=world.actor
        ).key
        world.identity.users.suspend(bob.id, **BY)

        world.identity.users.activate(bob.id, **BY)

        assert world.enter(key).user_id == bob.id
        assert refusal(world.enter, signed_in.access_token).code == "token_revoked"
        assert world.login(bob).user.is_active

    @pytest.mark.parametrize(
        "delete",
        [
            lambda world, id: world.identity.users.delete(id, **BY),
            lambda world, id: world.identity.users.update(id, {"status": "DELETED"}, **BY),
        ],
        ids=["by move", "by status"],
    )
    def test_deletion_ends_sessions_and_keys_and_keeps_the_row(self, world, delete):
        bob = world.add("bob")
        signed_in = world.login(bob)
        issued = world.identity.service_tokens.issue(
            by=world.principal(bob), name="ci", scopes=["ledger:read"], actor=world.actor
        )

        delete(world, bob.id)

        assert world.user(bob.id).status is UserStatus.DELETED
        assert world.token(issued.token.id).revoked_at is not None
        assert refusal(world.enter, signed_in.access_token).code == "token_revoked"
        assert refusal(world.enter, issued.key).code == "token_revoked"
        assert world.actions()[-1] == "user_deleted"

    def test_nobody_deletes_themselves(self, world):
        world.add("other", Role.ADMIN)
        ada = world.principal(world.add("ada", Role.ADMIN))
        users, actor = world.identity.users, world.actor

        for act in (
            lambda: users.delete(ada.user_id, by=ada, actor=actor),
            lambda: users.update(ada.user_id, {"status": "DELETED"}, by=ada, actor=actor),
        ):
            error = refusal(act)
            assert isinstance(error, AuthorizationError)
            assert error.code == "forbidden"

    @pytest.mark.parametrize(
        "attrs", [{"role": "user"}, {"role": "support"}, {"status": "SUSPENDED"}, {"status": "DELETED"}], ids=str
    )
    def test_last_admin_stays(self, world, attrs):
        """Suspended admins do not count: they could not let anybody in again."""
        ada, idle = world.add("ada", Role.ADMIN), world.add("idle", Role.ADMIN)
        world.identity.users.suspend(idle.id, **BY)
        before = world.state()

        error = refusal(world.identity.users.update, ada.id, attrs, **BY)

        assert isinstance(error, BusinessRuleError)
        assert error.code == "last_admin"
        assert world.state() == before

    def test_one_of_two_admins_may_go(self, world):
        ada, eve = world.add("ada", Role.ADMIN), world.add("eve", Role.ADMIN)

        world.identity.users.delete(eve.id, by=world.principal(ada), actor=world.actor)

        assert refusal(world.identity.users.suspend, ada.id, **BY).code == "last_admin"
        assert world.identity.users.update(ada.id, {"full_name": "Ada L."}, **BY).role is Role.ADMIN


class TestMoves:
    @pytest.mark.parametrize(
        ("status", "move"), list(itertools.product(UserStatus, sorted({move for _, move in MOVES})))
    )
    def test_every_pair_of_status_and_move(self, world, status, move):
        user = evolve(world.add("bob"), status=status)
        allowed = {
            (UserStatus.ACTIVE, "suspend"): UserStatus.SUSPENDED,
            (UserStatus.ACTIVE, "delete"): UserStatus.DELETED,
            (UserStatus.SUSPENDED, "activate"): UserStatus.ACTIVE,
            (UserStatus.SUSPENDED, "delete"): UserStatus.DELETED,
        }

        if (status, move) in allowed:
            assert decide_move(user, move, now=world.clock()).status is allowed[status, move]
        else:
            error = refusal(decide_move, user, move, now=world.clock())
            assert (error.code, error.details) == ("invalid_status_change", {"status": status, "move": move})

    @pytest.mark.parametrize(("status", "wanted"), list(itertools.product(UserStatus, repeat=2)))
    def test_every_pair_of_statuses(self, world, status, wanted):
        """A status that is given leads where a move leads, or is what it was."""
        user = evolve(world.add("bob"), status=status)
        reachable = {after for (before, _), after in MOVES.items() if before is status} | {status}

        if wanted in reachable:
            assert decide_update(user, {"status": wanted}, now=world.clock()).status is wanted
        else:
            assert refusal(decide_update, user, {"status": wanted}, now=world.clock()).code == "invalid_status_change"

    def test_a_move_that_is_not_there_changes_nothing(self, world):
        bob = world.add("bob")

        assert refusal(world.identity.users.activate, bob.id, **BY).code == "invalid_status_change"
        assert world.user(bob.id) == bob
