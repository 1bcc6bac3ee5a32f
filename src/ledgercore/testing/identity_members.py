"""The suite for memberships: one access for each user in each ledger."""

import pytest

from ledgercore.errors import NotFoundError
from ledgercore.identity.memberships import LedgerAccess, Membership
from ledgercore.identity.ports import IdentityStore
from ledgercore.ledger.ports import LedgerStore
from ledgercore.testing.identity_people import EVERYBODY, HOUR, IdentityContract, member, new_id, someone, stored
from ledgercore.testing.ledgers import MONDAY


class MemberContract(IdentityContract):
    """Who is what in which ledger."""

    def test_membership_comes_back_as_it_was_granted(
        self, identity: IdentityStore, store: LedgerStore, ledger_name: str
    ) -> None:
        """Found by ledger and user, and by neither alone."""
        store.create(ledger_name)
        user = someone()
        granted = member(ledger_name, user, LedgerAccess.WRITER)

        stored(identity, user, granted)

        with identity.begin() as work:
            assert work.members.find(ledger_name, user.id) == granted
            assert work.members.find(ledger_name, new_id()) is None
            assert work.members.find(f"{ledger_name}-other", user.id) is None

    def test_later_grant_replaces_the_earlier_one(
        self, identity: IdentityStore, store: LedgerStore, ledger_name: str
    ) -> None:
        """A user has one access to a ledger."""
        store.create(ledger_name)
        user = someone()
        stored(identity, user, member(ledger_name, user, LedgerAccess.OWNER))
        later = Membership(ledger=ledger_name, user_id=user.id, access=LedgerAccess.READER, granted_at=MONDAY + HOUR)

        stored(identity, later)

        with identity.begin() as work:
            assert list(work.members.list_in(ledger_name)) == [later]

    def test_unknown_ledger_has_no_members(self, identity: IdentityStore, ledger_name: str) -> None:
        """Nobody can be granted anything in it, and asking finds nobody."""
        user = someone()
        stored(identity, user)

        with pytest.raises(NotFoundError) as caught, identity.begin() as work:
            work.members.grant(member(ledger_name, user))

        assert (caught.value.code, caught.value.details["ledger"]) == ("ledger_not_found", ledger_name)
        with identity.begin() as work:
            assert list(work.members.list_in(ledger_name)) == []
            assert work.members.revoke(ledger_name, user.id) is False

    def test_revoked_membership_is_gone(self, identity: IdentityStore, store: LedgerStore, ledger_name: str) -> None:
        """Once; the user's other ledgers and the ledger's other users stay."""
        other_name = f"{ledger_name}-other"
        store.create(ledger_name)
        store.create(other_name)
        user, other = someone(), someone()
        staying = [member(ledger_name, other), member(other_name, user)]
        stored(identity, user, other, member(ledger_name, user), *staying)

        with identity.begin() as work:
            revoked = [work.members.revoke(ledger_name, user.id) for _ in range(2)]

        with identity.begin() as work:
            assert revoked == [True, False]
            assert work.members.find(ledger_name, user.id) is None
            assert [*work.members.list_in(ledger_name), *work.members.list_in(other_name)] == staying

    def test_members_are_listed_by_user_id(self, identity: IdentityStore, store: LedgerStore, ledger_name: str) -> None:
        """All of a ledger's, whatever their access."""
        store.create(ledger_name)
        users = [someone() for _ in range(3)]
        members = [member(ledger_name, user, access) for user, access in zip(users, LedgerAccess, strict=True)]
        stored(identity, *users, *reversed(members))

        with identity.begin() as work:
            assert list(work.members.list_in(ledger_name)) == members

    def test_ledgers_of_a_user_are_listed_by_name(
        self, identity: IdentityStore, store: LedgerStore, ledger_name: str
    ) -> None:
        """Only the user's own, with the access, page after page."""
        names = sorted(f"{ledger_name}{end}" for end in ("-b", "-B", ".a", "_1"))
        for name in names:
            store.create(name)
        user, other = someone(), someone()
        owned = [member(name, user, LedgerAccess.OWNER) for name in names[1:]]
        stored(identity, user, other, *reversed(owned), member(names[0], other))

        with identity.begin() as work:
            all_of_them = work.members.list_of(user.id, after="", limit=10)
            page = work.members.list_of(user.id, after=names[1], limit=1)

        assert list(all_of_them) == [(name, LedgerAccess.OWNER) for name in names[1:]]
        assert list(page) == [(names[2], LedgerAccess.OWNER)]

    def test_every_ledger_is_listed_for_nobody_in_particular(
        self, identity: IdentityStore, store: LedgerStore, ledger_name: str
    ) -> None:
        """Whether or not anybody is a member, and without access."""
        names = sorted(f"{ledger_name}{end}" for end in ("-b", "-B", "_1"))
        for name in names:
            store.create(name)
        user = someone()
        stored(identity, user, member(names[1], user))

        with identity.begin() as work:
            every = work.members.list_of(None, after="", limit=EVERYBODY)
            page = work.members.list_of(None, after=names[0], limit=2)

        assert [name for name, _ in every] == list(store.names())
        assert list(page) == [(names[1], None), (names[2], None)]
