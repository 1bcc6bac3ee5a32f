"""The suite for users: found by id and by email, listed in two ways, each email once for ever."""

from datetime import timedelta

import pytest
from attrs import evolve

from ledgercore.errors import ConflictError
from ledgercore.identity.ports import IdentityStore
from ledgercore.identity.users import SORTABLE, Role, UserFilter, UserStatus
from ledgercore.testing.identity_people import EVERYBODY, IdentityContract, new_id, someone, stored

ANYBODY = UserFilter()


class UserContract(IdentityContract):
    """Users come back as they were stored."""

    def test_user_is_found_by_id_and_by_email(self, identity: IdentityStore) -> None:
        """Every field comes back, letters of any script too."""
        user = someone(full_name="Zoë Ōkami 大神 😀", role=Role.SUPPORT, status=UserStatus.SUSPENDED)

        stored(identity, user)

        with identity.begin() as work:
            assert work.users.find(user.id) == user
            assert work.users.find_by_email(user.email) == user

    def test_unknown_user_is_none(self, identity: IdentityStore) -> None:
        """Neither an id nor an email that nobody has finds anybody."""
        with identity.begin() as work:
            assert work.users.find(new_id()) is None
            assert work.users.find_by_email("nobody@example.com") is None

    def test_saved_user_replaces_the_earlier_one(self, identity: IdentityStore) -> None:
        """Every field may change but the id."""
        before = someone()
        after = evolve(someone(role=Role.ADMIN, full_name="Grace"), id=before.id)
        stored(identity, before)

        with identity.begin() as work:
            work.users.save(after)

        with identity.begin() as work:
            assert work.users.find(before.id) == after
            assert work.users.find_by_email(before.email) is None

    @pytest.mark.parametrize("status", list(UserStatus))
    def test_email_is_given_once_for_ever(self, identity: IdentityStore, status: UserStatus) -> None:
        """Nobody gets the email of another, be that one deleted; the unit of work is undone."""
        first, second = someone(status=status), someone()
        stored(identity, first)

        with pytest.raises(ConflictError) as caught:
            stored(identity, second, someone(email=first.email))

        assert caught.value.code == "email_already_exists"
        with identity.begin() as work:
            assert work.users.find_by_email(first.email) == first
            assert work.users.find(second.id) is None

    def test_email_cannot_change_to_one_that_is_taken(self, identity: IdentityStore) -> None:
        """Saving keeps emails apart as adding does; one's own may be saved again."""
        first, second = someone(), someone()
        stored(identity, first, second)

        with identity.begin() as work:
            work.users.save(evolve(second, full_name="Grace"))
        with pytest.raises(ConflictError) as caught, identity.begin() as work:
            work.users.save(evolve(second, email=first.email))

        assert caught.value.code == "email_already_exists"

    def test_unit_of_work_may_go_on_after_a_taken_email(self, identity: IdentityStore) -> None:
        """Whoever catches the refusal can still store something else."""
        first, second = someone(), someone()
        stored(identity, first)

        with identity.begin() as work:
            with pytest.raises(ConflictError):
                work.users.add(someone(email=first.email))
            work.users.add(second)

        with identity.begin() as work:
            assert work.users.find(second.id) == second

    def test_newest_users_are_listed_first(self, identity: IdentityStore) -> None:
        """Without a sort order, by when they were inserted and then by id, both descending."""
        older, newer = someone(), someone()
        twin = someone(inserted_at=newer.inserted_at)
        stored(identity, older, newer, twin)

        with identity.begin() as work:
            found, total = work.users.list_offset(ANYBODY, sort=(), offset=0, limit=EVERYBODY)

        assert list(found[:3]) == [twin, newer, older]
        assert total == len(found)

    def test_offset_pages_do_not_overlap(self, identity: IdentityStore) -> None:
        """Page after page gives the same users as one long page; the total stays; beyond the end is nothing."""
        stored(identity, *(someone() for _ in range(5)))

        with identity.begin() as work:
            everybody, total = work.users.list_offset(ANYBODY, sort=(), offset=0, limit=EVERYBODY)
            pages = [work.users.list_offset(ANYBODY, sort=(), offset=2 * n, limit=2) for n in range(2)]
            beyond, total_beyond = work.users.list_offset(ANYBODY, sort=(), offset=total, limit=10)

        assert [user for page, _ in pages for user in page] == list(everybody[:4])
        assert {count for _, count in pages} == {total} == {total_beyond}
        assert list(beyond) == []

    @pytest.mark.parametrize("descends", [False, True])
    @pytest.mark.parametrize("name", SORTABLE)
    def test_users_are_sorted_by_a_field(self, identity: IdentityStore, name: str, descends: bool) -> None:
        """Texts by code points; equals stay newest first."""
        made = [
            someone(full_name=full_name, role=role, status=status)
            for full_name, role, status in (
                ("ada", Role.USER, UserStatus.SUSPENDED), ("Zoe", Role.ADMIN, UserStatus.ACTIVE),
                ("Ödön", Role.SUPPORT, UserStatus.SUSPENDED), ("Ada B", Role.USER, UserStatus.ACTIVE),
                ("Ada-B", Role.USER, UserStatus.ACTIVE),
            )
        ]  # fmt: skip
        stored(identity, *made)

        with identity.begin() as work:
            found, _ = work.users.list_offset(ANYBODY, sort=[(name, descends)], offset=0, limit=EVERYBODY)

        newest_first = list(reversed(made))
        expected = sorted(newest_first, key=lambda user: getattr(user, name), reverse=descends)
        assert [user for user in found if user in made] == expected

    def test_users_are_sorted_by_several_fields(self, identity: IdentityStore) -> None:
        """The later field decides among equals of the earlier one."""
        made = [someone(full_name=name, role=role) for role in (Role.USER, Role.ADMIN) for name in ("b", "a", "c")]
        stored(identity, *made)

        with identity.begin() as work:
            found, _ = work.users.list_offset(
                ANYBODY, sort=[("role", True), ("full_name", False)], offset=0, limit=EVERYBODY
            )

        assert [user.full_name for user in found if user in made] == ["a", "b", "c"] * 2
        assert [user.role for user in found if user in made] == [Role.USER] * 3 + [Role.ADMIN] * 3

    def test_filter_bounds_list_and_total(self, identity: IdentityStore) -> None:
        """Status and role must both fit; deleted users show only when asked for."""
        wanted = UserFilter(status=UserStatus.SUSPENDED, role=Role.SUPPORT)
        fitting = someone(status=UserStatus.SUSPENDED, role=Role.SUPPORT)
        others = [someone(status=UserStatus.SUSPENDED), someone(role=Role.SUPPORT)]
        deleted = someone(status=UserStatus.DELETED, role=Role.SUPPORT)
        with identity.begin() as work:
            _, before = work.users.list_offset(wanted, sort=(), offset=0, limit=1)
        stored(identity, fitting, *others, deleted)

        with identity.begin() as work:
            found, total = work.users.list_offset(wanted, sort=(), offset=0, limit=1)
            support = work.users.list_after(UserFilter(role=Role.SUPPORT), after=None, limit=2)
            gone = work.users.list_after(UserFilter(status=UserStatus.DELETED), after=None, limit=1)

        assert (list(found), total) == ([fitting], before + 1)
        assert list(support) == [others[1], fitting]
        assert list(gone) == [deleted]

    def test_keyset_pages_go_on_after_a_position(self, identity: IdentityStore) -> None:
        """Neither users inserted meanwhile nor equal times disturb the order."""
        first, second = someone(), someone()
        third = someone(inserted_at=second.inserted_at)
        stored(identity, first, second, third)

        with identity.begin() as work:
            page = work.users.list_after(ANYBODY, after=None, limit=1)
        stored(identity, someone())
        with identity.begin() as work:
            rest = work.users.list_after(ANYBODY, after=(page[0].inserted_at, page[0].id), limit=2)

        assert [*page, *rest] == [third, second, first]

    def test_users_are_counted(self, identity: IdentityStore) -> None:
        """In all, active, suspended and admins; deleted ones do not count."""
        with identity.begin() as work:
            before = work.users.count()
        stored(
            identity,
            someone(), someone(role=Role.ADMIN), someone(role=Role.ADMIN, status=UserStatus.SUSPENDED),
            someone(role=Role.ADMIN, status=UserStatus.DELETED),
        )  # fmt: skip

        with identity.begin() as work:
            after = work.users.count()

        assert (after.total - before.total, after.active - before.active) == (3, 2)
        assert (after.admins - before.admins, after.suspended - before.suspended) == (2, 1)

    def test_times_keep_their_microseconds(self, identity: IdentityStore) -> None:
        """A position is exact, so that no page repeats or skips anybody."""
        user = someone()
        user = evolve(user, inserted_at=user.inserted_at + timedelta(microseconds=123_457))
        stored(identity, user)

        with identity.begin() as work:
            found = work.users.find(user.id)

        assert found is not None
        assert found.inserted_at.isoformat() == user.inserted_at.isoformat()
