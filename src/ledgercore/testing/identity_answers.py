"""The suite for kept answers: a key is claimed, answered, replayed for a day, and free again."""

from datetime import timedelta

import pytest

from ledgercore.identity.answers import KEPT_FOR, KeptAnswer
from ledgercore.identity.ports import IdentityStore
from ledgercore.testing.identity_people import HOUR, IdentityContract, new_id
from ledgercore.testing.ledgers import MONDAY

ONE, OTHER = b"1" * 32, b"2" * 32


def answered(
    identity: IdentityStore,
    scope: str,
    key: str,
    *,
    fingerprint: bytes = ONE,
    sealed: bytes = b"\x00sealed\xff",
    after: timedelta = timedelta(),
) -> KeptAnswer | None:
    """What is told under a key; when nothing was kept, an answer is kept now."""  # fmt: skip
    with identity.begin() as work:
        kept = work.answers.claim(scope, key, fingerprint, now=MONDAY + after)
        if kept is None:
            work.answers.keep(scope, key, sealed)
        return kept


class AnswerContract(IdentityContract):
    """Answers under idempotency keys."""

    @pytest.fixture
    def scope(self) -> str:
        """Somebody who never asked before."""
        return f"user:{new_id()}"

    def test_first_claim_gets_the_key_and_later_ones_the_answer(self, identity: IdentityStore, scope: str) -> None:
        """Byte for byte, with the fingerprint of the first request, also for whoever sends another one."""
        first = answered(identity, scope, "key")
        again = answered(identity, scope, "key")
        differing = answered(identity, scope, "key", fingerprint=OTHER, sealed=b"other")

        kept = KeptAnswer(fingerprint=ONE, sealed=b"\x00sealed\xff")
        assert (first, again, differing) == (None, kept, kept)

    def test_keys_of_different_scopes_are_different(self, identity: IdentityStore, scope: str) -> None:
        """Nobody is told what somebody else was told; keys differ by every letter."""
        answered(identity, scope, "key")

        others = [answered(identity, *name) for name in ((f"{scope}-other", "key"), (scope, "Key"), (scope, "key "))]

        assert others == [None, None, None]

    def test_undone_unit_of_work_gives_the_key_back(self, identity: IdentityStore, scope: str) -> None:
        """What failed may be tried again, also with another request."""

        def fail() -> None:
            with identity.begin() as work:
                work.answers.claim(scope, "key", ONE, now=MONDAY)
                work.answers.keep(scope, "key", b"never")
                raise LookupError

        with pytest.raises(LookupError):
            fail()

        assert answered(identity, scope, "key", fingerprint=OTHER) is None
        assert answered(identity, scope, "key") == KeptAnswer(fingerprint=OTHER, sealed=b"\x00sealed\xff")

    def test_claiming_twice_in_one_unit_of_work_is_claiming_once(self, identity: IdentityStore, scope: str) -> None:
        """Until an answer is kept, the key is the unit of work's own; then it is replayed there too."""
        with identity.begin() as work:
            claims = [work.answers.claim(scope, "key", ONE, now=MONDAY) for _ in range(2)]
            work.answers.keep(scope, "key", b"done")
            replayed = work.answers.claim(scope, "key", OTHER, now=MONDAY)

        assert claims == [None, None]
        assert replayed == KeptAnswer(fingerprint=ONE, sealed=b"done")

    def test_answer_is_kept_for_a_day(self, identity: IdentityStore, scope: str) -> None:
        """To the last moment; after it the key is as good as new, for another day."""
        answered(identity, scope, "key", sealed=b"old")

        at_last = answered(identity, scope, "key", after=KEPT_FOR)
        too_late = answered(identity, scope, "key", fingerprint=OTHER, sealed=b"new", after=KEPT_FOR + HOUR)
        next_day = answered(identity, scope, "key", after=2 * KEPT_FOR)

        assert at_last == KeptAnswer(fingerprint=ONE, sealed=b"old")
        assert too_late is None
        assert next_day == KeptAnswer(fingerprint=OTHER, sealed=b"new")

    def test_empty_answer_is_an_answer(self, identity: IdentityStore, scope: str) -> None:
        """No bytes at all are not the same as nothing kept."""
        answered(identity, scope, "key", sealed=b"")

        assert answered(identity, scope, "key") == KeptAnswer(fingerprint=ONE, sealed=b"")

    def test_many_keys_are_kept_side_by_side(self, identity: IdentityStore, scope: str) -> None:
        """Forgetting what is old takes nothing that is not."""
        for number in range(30):
            answered(identity, scope, f"key-{number}", sealed=b"%d" % number, after=number * HOUR)

        replayed = [answered(identity, scope, f"key-{number}", after=30 * HOUR) for number in range(30)]

        assert [kept is None for kept in replayed] == [number < 6 for number in range(30)]
        assert [kept.sealed for kept in replayed if kept] == [b"%d" % number for number in range(6, 30)]
