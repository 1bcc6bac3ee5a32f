"""The suite for standings: how the subjects of many requests stand now, asked all at once."""

from attrs import evolve

from ledgercore.identity.memberships import LedgerAccess
from ledgercore.identity.ports import IdentityStore
from ledgercore.identity.principals import Standing, Subject
from ledgercore.identity.users import Role, UserStatus
from ledgercore.ledger.ports import LedgerStore
from ledgercore.testing.identity_people import HOUR, IdentityContract, login, machine, member, new_id, someone, stored
from ledgercore.testing.ledgers import MONDAY

NOBODY = Standing()


class StandingContract(IdentityContract):
    """One look-up for many requests."""

    def test_user_in_a_session_stands_as_stored(self, identity: IdentityStore) -> None:
        """Role and status of now, and until when the session counts."""
        user = someone(role=Role.SUPPORT, status=UserStatus.SUSPENDED)
        session = login(user, revoked_at=MONDAY + HOUR)
        stored(identity, user, session)

        [standing] = identity.standings([Subject(user_id=user.id, session_id=session.id)])

        assert standing == Standing(
            user_id=user.id,
            email=user.email,
            role=Role.SUPPORT,
            status=UserStatus.SUSPENDED,
            session_expires_at=session.expires_at,
            session_revoked_at=MONDAY + HOUR,
        )

    def test_token_stands_for_its_owner(self, identity: IdentityStore) -> None:
        """The key comes with what its owner is now, whoever else the request names."""
        owner, other = someone(role=Role.ADMIN), someone()
        token = machine(owner, ledgers=frozenset({"shop"}), expires_at=MONDAY + HOUR, last_used_at=MONDAY)
        stored(identity, owner, other, token)

        standings = identity.standings(
            [Subject(token_digest=token.digest), Subject(token_digest=token.digest, user_id=other.id)]
        )

        expected = Standing(user_id=owner.id, email=owner.email, role=Role.ADMIN, status=UserStatus.ACTIVE, token=token)
        assert list(standings) == [expected, expected]

    def test_what_is_not_there_is_none(self, identity: IdentityStore) -> None:
        """Unknown users, sessions and keys; and nobody at all."""
        user = someone()
        stored(identity, user)
        subjects = [
            Subject(),
            Subject(user_id=new_id(), session_id=new_id()),
            Subject(token_digest=b"?" * 32),
            Subject(token_digest=b"?" * 32, user_id=user.id),
            Subject(user_id=user.id, session_id=new_id()),
        ]

        standings = identity.standings(subjects)

        known = Standing(user_id=user.id, email=user.email, role=user.role, status=user.status)
        assert list(standings) == [NOBODY, NOBODY, NOBODY, NOBODY, known]

    def test_session_of_somebody_else_is_none(self, identity: IdentityStore) -> None:
        """A session counts only for the user who is named with it."""
        user, other = someone(), someone()
        session = login(other)
        stored(identity, user, other, session)

        [mixed, alone] = identity.standings(
            [Subject(user_id=user.id, session_id=session.id), Subject(session_id=session.id)]
        )

        assert (mixed.user_id, mixed.session_expires_at) == (user.id, None)
        assert alone == NOBODY

    def test_access_to_the_ledger_comes_along(
        self, identity: IdentityStore, store: LedgerStore, ledger_name: str
    ) -> None:
        """The user's own or the key's owner's; a ledger is there also for whoever has no access."""
        store.create(ledger_name)
        user, stranger = someone(), someone()
        token = machine(user)
        stored(identity, user, stranger, token, member(ledger_name, user, LedgerAccess.WRITER))
        subjects = [
            Subject(user_id=user.id, ledger=ledger_name),
            Subject(token_digest=token.digest, ledger=ledger_name),
            Subject(user_id=stranger.id, ledger=ledger_name),
            Subject(ledger=ledger_name),
            Subject(user_id=user.id, ledger=f"{ledger_name}-other"),
            Subject(user_id=user.id),
        ]

        found = [(standing.ledger_exists, standing.access) for standing in identity.standings(subjects)]

        writer = (True, LedgerAccess.WRITER)
        assert found == [writer, writer, (True, None), (True, None), (False, None), (False, None)]

    def test_names_that_no_ledger_can_have_are_not_there(self, identity: IdentityStore) -> None:
        """And do not keep the others from being answered."""
        user = someone()
        stored(identity, user)
        names = ["", "a\x00b", "\ud800", "ü", "x" * 10_000]

        standings = identity.standings([Subject(user_id=user.id, ledger=name) for name in names])

        assert [(standing.user_id, standing.ledger_exists) for standing in standings] == [(user.id, False)] * 5

    def test_answers_come_in_the_order_asked(self, identity: IdentityStore) -> None:
        """One for each subject, also for one that is asked for twice; none for none."""
        users = [someone() for _ in range(20)]
        stored(identity, *users)
        asked = [*reversed(users), *users[:3]]

        standings = identity.standings([Subject(user_id=user.id) for user in asked])

        assert [standing.user_id for standing in standings] == [user.id for user in asked]
        assert list(identity.standings([])) == []

    def test_change_counts_at_once(self, identity: IdentityStore) -> None:
        """Suspension, a new role and a revoked key are seen by whoever asks next."""
        user = someone()
        token = machine(user)
        stored(identity, user, token)
        subject = Subject(token_digest=token.digest)
        [before] = identity.standings([subject])

        with identity.begin() as work:
            work.users.save(evolve(user, status=UserStatus.DELETED, role=Role.ADMIN))
            work.tokens.save(evolve(token, revoked_at=MONDAY))

        [after] = identity.standings([subject])
        assert (before.status, before.role) == (UserStatus.ACTIVE, Role.USER)
        assert (after.status, after.role) == (UserStatus.DELETED, Role.ADMIN)
        assert after.token == evolve(token, revoked_at=MONDAY)
