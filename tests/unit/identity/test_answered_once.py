"""Requests under an idempotency key, and use cases inside somebody else's unit of work."""

import contextlib
import json
from typing import Any

import pytest

from ledgercore.errors import AuthenticationError, ConflictError, InternalError
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR
from ledgercore.identity.users import UserFilter

PASSWORD = "correct horse battery"
BODY = b"digest of the body"


def attrs_of(name: str) -> dict[str, Any]:
    return {
        "email": f"{name}@example.com", "full_name": name, "password": PASSWORD, "password_confirmation": PASSWORD,
    }  # fmt: skip


@pytest.fixture
def once(world, sealer):
    """Carries out a use case under a key."""

    def answered(run: Any, *, scope: str = "address:192.0.2.1", key: str = "k", fingerprint: bytes = BODY) -> Any:
        return world.identity.answered_once(
            scope, key, fingerprint, lambda work: run(world.identity.within(work)), sealer=sealer
        )

    return answered


@pytest.fixture
def register(world):
    """Registers a user and answers with the id."""

    def named(name: str) -> Any:
        return lambda identity: str(identity.users.register(attrs_of(name), actor=world.actor).id).encode()

    return named


def emails(world: Any) -> list[str]:
    return [each.email for each in world.identity.users.page_after(UserFilter(), by=Operator(), limit=99).items]


def test_second_request_gets_the_first_answer(world, once, register):
    first = once(register("alice"))
    again = once(register("bob"))

    assert first[1:] == (False,)
    assert again == (first[0], True)
    assert emails(world) == ["alice@example.com"]


def test_everything_is_one_unit_of_work(world, once, register):
    before = world.store.begun

    once(register("alice"))

    assert world.store.begun == before + 1


def test_other_request_under_a_key_is_refused(world, once, register):
    once(register("alice"))

    with pytest.raises(ConflictError) as caught:
        once(register("bob"), fingerprint=b"another body")

    assert (caught.value.code, caught.value.details) == ("idempotency_key_reused", {"key": "k"})
    assert emails(world) == ["alice@example.com"]


@pytest.mark.parametrize("other", [{"scope": "user:1"}, {"key": "l"}], ids=str)
def test_another_scope_or_key_is_another_request(world, once, register, other):
    """Nobody learns from a key of theirs what others have sent under it."""
    first = once(register("alice"))

    second = once(register("bob"), **other)

    assert second[1] is False
    assert second[0] != first[0]


def test_a_refusal_keeps_nothing(world, once, register):
    """The key is free again: the same request may succeed later, and another may take it."""
    world.add("alice")
    before = world.state()

    with pytest.raises(ConflictError) as caught:
        once(register("alice"))

    assert caught.value.code == "email_already_exists"
    assert world.state() == before
    assert once(register("bob"), fingerprint=b"another body")[1] is False


def test_what_was_done_before_a_failure_is_undone(world, once, register):
    before = world.state()

    def halfway(identity: Any) -> bytes:
        register("alice")(identity)
        raise RuntimeError("the process broke")

    with pytest.raises(RuntimeError):
        once(halfway)

    assert world.state() == before


class TestFinding:
    """Whether there is an answer can be asked before it is decided whether to act."""

    @pytest.fixture
    def found(self, world, sealer):
        """The answer under a key."""

        def under(*, scope: str = "address:192.0.2.1", key: str = "k", fingerprint: bytes = BODY) -> Any:
            return world.identity.find_answer(scope, key, fingerprint, sealer=sealer)

        return under

    def test_answer_is_found_where_it_was_given(self, once, register, found):
        answer, _ = once(register("alice"))

        assert found() == answer
        assert (found(key="l"), found(scope="user:1")) == (None, None)
        with pytest.raises(ConflictError) as caught:
            found(fingerprint=b"another body")
        assert caught.value.code == "idempotency_key_reused"

    def test_asking_claims_nothing(self, world, once, register, found):
        before = world.state()

        assert found() is None

        assert world.state() == before
        assert once(register("alice"), fingerprint=b"another body")[1] is False


def test_answers_are_forgotten_after_a_day(world, once, register):
    once(register("alice"))

    world.clock.forward(hours=23, minutes=59)
    assert once(register("bob"))[1] is True
    world.clock.forward(minutes=2)
    assert once(register("bob"))[1] is False


def test_answers_are_sealed_for_their_key(world, once, sealer):
    """A login's answer holds tokens; moved to another key it cannot be opened."""
    alice = world.add("alice")

    def login(identity: Any) -> bytes:
        return identity.sign_in.login(alice.email, PASSWORD, actor=world.actor).refresh_token.encode()

    token, _ = once(login, scope="a", key="b")

    with world.store.begin() as work:
        sealed = work.answers.claim("a", "b", BODY, now=world.clock()).sealed
        work.answers.claim("a", "c", BODY, now=world.clock())
        work.answers.keep("a", "c", sealed)
    assert token not in sealed
    with pytest.raises(InternalError):
        once(login, scope="a", key="c")
    assert once(login, scope="a", key="b") == (token, True)


def test_names_that_run_together_are_different_ones(once):
    """The scope and the key are told apart wherever they meet."""
    assert once(lambda identity: b"1", scope='a","b', key="c") == (b"1", False)
    assert once(lambda identity: b"2", scope="a", key='b","c') == (b"2", False)


class TestRefreshing:
    @pytest.fixture
    def refresh(self, world):
        """Refreshes a token and answers with the pair."""

        def of(token: str) -> Any:
            def run(identity: Any) -> bytes:
                pair = identity.sign_in.refresh(token, actor=world.actor)
                return json.dumps([pair.access_token, pair.refresh_token]).encode()

            return run

        return of

    def test_repeated_refresh_under_a_key_is_no_reuse(self, world, once, refresh):
        """A client that lost the answer gets it again, and the session lives."""
        first = world.login(world.add("alice"))
        answer, _ = once(refresh(first.refresh_token))

        assert once(refresh(first.refresh_token)) == (answer, True)

        access, token = json.loads(answer)
        assert world.enter(access).session_id == first.session.id
        assert world.identity.sign_in.refresh(token, actor=world.actor)

    def test_reuse_under_a_key_ends_the_session_for_good(self, world, once, refresh):
        """Although the refusal undoes the claim of the key."""
        first = world.login(world.add("alice"))
        second = world.identity.sign_in.refresh(first.refresh_token, actor=world.actor)
        before, answers = len(world.audited()), world.state()[-1]

        with pytest.raises(AuthenticationError) as caught:
            once(refresh(first.refresh_token))

        assert caught.value.code == "token_revoked"
        assert world.session(first.session.id).revoked_at is not None
        assert world.actions(since=before) == ["refresh_token_reused"]
        assert world.state()[-1] == answers
        with pytest.raises(AuthenticationError):
            world.enter(second.access_token)

    def test_logout_with_a_reused_token_under_a_key_ends_the_session_too(self, world, once):
        first = world.login(world.add("alice"))
        world.identity.sign_in.refresh(first.refresh_token, actor=world.actor)

        def logout(identity: Any) -> bytes:
            identity.sign_in.logout(first.refresh_token, actor=world.actor)
            return b"done"

        with pytest.raises(AuthenticationError):
            once(logout)

        assert world.session(first.session.id).revoked_at is not None


class TestJoining:
    def test_use_cases_join_an_open_unit_of_work(self, world):
        before = world.state()

        def abandoned() -> None:
            with world.store.begin() as work:
                self.fill(world.identity.within(work), world)
                raise RuntimeError("the caller changed their mind")

        with pytest.raises(RuntimeError):
            abandoned()

        assert world.state() == before
        with world.store.begin() as work:
            self.fill(world.identity.within(work), world)
        assert emails(world) == ["alice@example.com"]

    def fill(self, identity: Any, world: Any) -> None:
        alice = identity.users.register(attrs_of("alice"), actor=world.actor)
        principal = world.principal(alice)
        identity.ledgers.create("shop", by=principal, actor=world.actor)
        identity.service_tokens.issue(by=principal, name="ci", scopes=["ledger:read"], actor=world.actor)
        identity.sign_in.login(alice.email, PASSWORD, actor=world.actor)

    def test_standings_are_looked_up_as_before(self, world):
        signed_in = world.login(world.add("alice"))
        subject = world.identity.authenticator.subject_of(signed_in.access_token, ledger=None, now=world.clock())

        with world.store.begin() as work:
            [standing] = world.identity.within(work).store.standings([subject])

        assert standing.email == "alice@example.com"

    def test_last_use_of_keys_is_noted_as_before(self, world):
        alice = world.principal(world.add("alice"))
        token = world.identity.service_tokens.issue(
            by=alice, name="ci", scopes=["ledger:read"], actor=world.actor
        ).token

        with world.store.begin() as work:
            world.identity.within(work).store.touch_tokens([(token.id, world.clock.now)])

        assert world.token(token.id).last_used_at == world.clock.now


def changes(world: Any) -> dict[str, Any]:
    """Every use case that changes something, ready to be carried out."""
    identity, actor, by = world.identity, world.actor, Operator()
    alice = world.add("alice")
    session, old = world.login(alice), world.login(alice)
    identity.sign_in.refresh(old.refresh_token, actor=actor)
    me = world.enter(session.access_token)
    identity.ledgers.create("shop", by=by, actor=OPERATOR)
    identity.ledgers.grant("shop", alice.id, "owner", by=by, actor=OPERATOR)
    token = identity.service_tokens.issue(by=me, name="ci", scopes=["ledger:read"], actor=actor).token
    new = {"current_password": PASSWORD, "new_password": "other words", "password_confirmation": "other words"}
    bob, idle = world.add("bob"), world.add("idle")
    identity.users.suspend(idle.id, by=by, actor=OPERATOR)
    return {
        "register": lambda: identity.users.register(attrs_of("eve"), actor=actor),
        "create": lambda: identity.users.create(attrs_of("eve"), by=by, actor=actor),
        "update": lambda: identity.users.update(alice.id, {"role": "support"}, by=by, actor=actor),
        "suspend": lambda: identity.users.suspend(alice.id, by=by, actor=actor),
        "activate": lambda: identity.users.activate(idle.id, by=by, actor=actor),
        "delete": lambda: identity.users.delete(alice.id, by=by, actor=actor),
        "profile": lambda: identity.profiles.update(me, {"full_name": "A"}, actor=actor),
        "password": lambda: identity.profiles.change_password(me, new, actor=actor),
        "login": lambda: identity.sign_in.login(alice.email, PASSWORD, actor=actor),
        "refresh": lambda: identity.sign_in.refresh(session.refresh_token, actor=actor),
        "reuse": lambda: identity.sign_in.refresh(old.refresh_token, actor=actor),
        "logout": lambda: identity.sign_in.logout(session.refresh_token, actor=actor),
        "logout all": lambda: identity.sign_in.logout_all(me, actor=actor),
        "issue": lambda: identity.service_tokens.issue(by=me, name="x", scopes=["ledger:read"], actor=actor),
        "revoke": lambda: identity.service_tokens.revoke(token.id, by=me, actor=actor),
        "ledger": lambda: identity.ledgers.create("bar", by=me, actor=actor),
        "grant": lambda: identity.ledgers.grant("shop", bob.id, "reader", by=me, actor=actor),
        "ungrant": lambda: (
            identity.ledgers.grant("shop", bob.id, "owner", by=by, actor=OPERATOR),
            identity.ledgers.revoke("shop", bob.id, by=by, actor=actor),
        ),
    }


NAMES = [
    "register", "create", "update", "suspend", "activate", "delete", "profile", "password", "login", "refresh",
    "reuse", "logout", "logout all", "issue", "revoke", "ledger", "grant", "ungrant",
]  # fmt: skip


def test_every_change_is_tried_below(world):
    assert sorted(changes(world)) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_change_that_cannot_be_audited_does_not_happen(world, name):
    act = changes(world)[name]
    before = world.state()
    world.store.audit_fails = True

    with pytest.raises(InternalError):
        act()

    world.store.audit_fails = False
    assert world.state() == before


@pytest.mark.parametrize("name", NAMES)
def test_every_change_leaves_a_record(world, name):
    act = changes(world)[name]
    before, state = len(world.audited()), world.state()

    with contextlib.suppress(AuthenticationError):  # the reuse is refused
        act()

    assert world.state() != state
    for entry in world.audited(since=before):
        assert {"action", "actor", "at", "source", "target", "correlation_id"} <= entry.keys()
    assert len(world.audited()) > before
