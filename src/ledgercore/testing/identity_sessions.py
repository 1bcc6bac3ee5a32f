"""The suites for sessions and for service tokens: kept as they are, ended one by one or all at once."""

from datetime import timedelta

from attrs import evolve

from ledgercore.identity.ports import IdentityStore
from ledgercore.identity.service_tokens import Scope
from ledgercore.testing.identity_people import HOUR, IdentityContract, login, machine, new_id, someone, stored
from ledgercore.testing.ledgers import MONDAY


class SessionContract(IdentityContract):
    """Logins."""

    def test_session_comes_back_as_it_was_stored(self, identity: IdentityStore) -> None:
        """Added, found, replaced."""
        user = someone()
        session = login(user)
        stored(identity, user, session)
        rotated = evolve(
            session,
            token_id="next",
            rotated_at=MONDAY + HOUR,
            expires_at=MONDAY + timedelta(days=8),
            revoked_at=MONDAY + 2 * HOUR,
        )

        with identity.begin() as work:
            first = work.sessions.find(session.id)
            work.sessions.save(rotated)

        with identity.begin() as work:
            assert (first, work.sessions.find(session.id)) == (session, rotated)
            assert work.sessions.find(new_id()) is None

    def test_all_live_sessions_of_a_user_end(self, identity: IdentityStore) -> None:
        """Those that had ended before keep their time, and nobody else is logged out."""
        user, other = someone(), someone()
        now = MONDAY + timedelta(days=1)
        live = [login(user), login(user)]
        revoked = login(user, revoked_at=MONDAY + HOUR)
        expired = login(user, expires_at=now)
        others = login(other)
        stored(identity, user, other, *live, revoked, expired, others)

        with identity.begin() as work:
            ended = work.sessions.revoke_all(user.id, now=now)
            again = work.sessions.revoke_all(user.id, now=now + HOUR)

        with identity.begin() as work:
            after = [work.sessions.find(session.id) for session in (*live, revoked, expired, others)]
        assert (ended, again) == (2, 0)
        assert after == [*(evolve(session, revoked_at=now) for session in live), revoked, expired, others]

    def test_one_session_may_be_left(self, identity: IdentityStore) -> None:
        """Whoever changes a password stays logged in where it was changed."""
        user = someone()
        here, elsewhere = login(user), login(user)
        stored(identity, user, here, elsewhere)

        with identity.begin() as work:
            ended = work.sessions.revoke_all(user.id, now=MONDAY + HOUR, but=here.id)

        with identity.begin() as work:
            assert ended == 1
            assert work.sessions.find(here.id) == here
            assert work.sessions.find(elsewhere.id) == evolve(elsewhere, revoked_at=MONDAY + HOUR)


class ServiceTokenContract(IdentityContract):
    """Keys of machines."""

    def test_key_comes_back_as_it_was_stored(self, identity: IdentityStore) -> None:
        """Added, found, replaced; bound to ledgers or to none."""
        owner = someone()
        plain = machine(owner)
        bound = machine(
            owner, ledgers=frozenset({"shop", "bank"}), scopes=frozenset(Scope), expires_at=MONDAY + HOUR,
            last_used_at=MONDAY,
        )  # fmt: skip
        unusable = machine(owner, ledgers=frozenset())
        stored(identity, owner, plain, bound, unusable)
        revoked = evolve(plain, revoked_at=MONDAY + HOUR)

        with identity.begin() as work:
            found = [work.tokens.find(token.id) for token in (plain, bound, unusable)]
            work.tokens.save(revoked)

        with identity.begin() as work:
            assert found == [plain, bound, unusable]
            assert work.tokens.find(plain.id) == revoked
            assert work.tokens.find(new_id()) is None

    def test_keys_are_listed_by_id(self, identity: IdentityStore) -> None:
        """Of one owner or of all, page after page."""
        owner, other = someone(), someone()
        one, two, others, three = machine(owner), machine(owner), machine(other), machine(owner)
        stored(identity, owner, other, three, others, two, one)

        with identity.begin() as work:
            own = work.tokens.list_after(owner_id=owner.id, after=None, limit=10)
            page = work.tokens.list_after(owner_id=owner.id, after=one.id, limit=1)
            everybodys = work.tokens.list_after(owner_id=None, after=one.id, limit=3)

        assert list(own) == [one, two, three]
        assert list(page) == [two]
        assert list(everybodys) == [two, others, three]

    def test_all_live_keys_of_an_owner_end(self, identity: IdentityStore) -> None:
        """Keys that had ended keep their time, and other owners' keys work on."""
        owner, other = someone(), someone()
        now = MONDAY + timedelta(days=1)
        live = [machine(owner), machine(owner, expires_at=now + HOUR)]
        ended = [machine(owner, expires_at=now), machine(owner, revoked_at=MONDAY), machine(other)]
        stored(identity, owner, other, *live, *ended)

        with identity.begin() as work:
            count = work.tokens.revoke_all(owner.id, now=now)

        with identity.begin() as work:
            after = [work.tokens.find(token.id) for token in (*live, *ended)]
        assert count == 2
        assert after == [*(evolve(token, revoked_at=now) for token in live), *ended]

    def test_last_use_is_noted(self, identity: IdentityStore) -> None:
        """The latest use counts, in whatever order uses are told; unknown keys are passed over."""
        owner = someone()
        used, unused = machine(owner), machine(owner)
        stored(identity, owner, used, unused)

        identity.touch_tokens([(used.id, MONDAY + 2 * HOUR), (new_id(), MONDAY), (used.id, MONDAY + HOUR)])
        identity.touch_tokens([(used.id, MONDAY)])
        identity.touch_tokens([])

        with identity.begin() as work:
            assert work.tokens.find(used.id) == evolve(used, last_used_at=MONDAY + 2 * HOUR)
            assert work.tokens.find(unused.id) == unused
