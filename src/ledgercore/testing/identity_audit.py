"""The suite for the audit log: numbered without gaps, chained, found by what happened."""

import json
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import pytest

from ledgercore.clock import TICK
from ledgercore.identity.audit import Actor, AuditEntry, AuditEvent, AuditFilter, first_broken
from ledgercore.identity.ports import IdentityStore
from ledgercore.testing.identity_people import EVERYBODY, IdentityContract, new_id
from ledgercore.testing.ledgers import StoppedClock


def event(action: str = "user_login", *, actor: Actor | None = None, target: str | None = None) -> AuditEvent:
    """Something that happened to somebody."""
    return AuditEvent(action=action, actor=actor or Actor(name="anonymous"), target=target)


def recorded(identity: IdentityStore, *events: AuditEvent) -> list[AuditEntry]:
    """Append events in one unit of work."""
    with identity.begin() as work:
        return [work.audit.append(each) for each in events]


def found(identity: IdentityStore, **wanted: object) -> Sequence[AuditEntry]:
    """Entries that fit, oldest first."""
    with identity.begin() as work:
        listed = work.audit.list_before(AuditFilter(**wanted), before=None, limit=EVERYBODY)  # type: ignore[arg-type]
    return list(reversed(listed))


class AuditContract(IdentityContract):
    """Who did what to whom, when and from where."""

    def test_event_is_stored_as_the_bytes_that_were_hashed(self, identity: IdentityStore) -> None:
        """The entry comes back byte for byte, with everything that was said."""
        actor = Actor(name=f"user:{new_id()}", source="2001:db8::1", correlation_id=str(new_id()))
        told = AuditEvent(
            action="user_updated", actor=actor, target=f"user:{new_id()}",
            details={"z": [1, {"b": "ü😀\x00", "a": None}], "full_name": "O'Hara \\ \"x\"", "password": "secret"},
        )  # fmt: skip

        [entry] = recorded(identity, told)

        [stored] = found(identity, target=told.target)
        body = json.loads(stored.body)
        assert stored == entry
        assert (body["action"], body["actor"], body["source"]) == ("user_updated", actor.name, actor.source)
        assert (body["correlation_id"], body["target"]) == (actor.correlation_id, told.target)
        assert body["details"] == {"z": [1, {"b": "ü😀\\x00", "a": None}], "full_name": 'O\'Hara \\ "x"'}
        assert (body["number"], body["at"]) == (entry.log.batch, entry.log.recorded_at.isoformat())

    def test_numbers_have_no_gaps(self, identity: IdentityStore) -> None:
        """One after the other, within a unit of work and from one to the next."""
        entries = recorded(identity, event(), event()) + recorded(identity, event())

        first = entries[0].log.batch
        assert [entry.log.batch for entry in entries] == [first, first + 1, first + 2]

    def test_undone_event_leaves_no_gap(self, identity: IdentityStore) -> None:
        """Its number is given to the next one."""
        target = f"user:{new_id()}"
        [before] = recorded(identity, event())

        def fail() -> None:
            with identity.begin() as work:
                work.audit.append(event(target=target))
                raise LookupError

        with pytest.raises(LookupError):
            fail()
        [after] = recorded(identity, event())

        assert after.log.batch == before.log.batch + 1
        assert found(identity, target=target) == []

    def test_log_is_chained(self, identity: IdentityStore) -> None:
        """Every entry continues the one before it, from the first."""
        recorded(identity, event(), event("user_logout"), event("user_deleted", target="user:1"))

        with identity.begin() as work:
            entries = list(work.audit.entries())

        assert entries[0].log.batch == 1
        assert first_broken(entries) is None

    def test_many_are_appended_as_one_after_the_other(self, identity: IdentityStore) -> None:
        """In order, in one chain with what came before and comes after; none at all is nothing."""
        target = f"user:{new_id()}"
        [before] = recorded(identity, event())

        with identity.begin() as work:
            none = work.audit.append_all([])
            many = work.audit.append_all([event(f"action-{number}", target=target) for number in range(20)])
            last = work.audit.append(event(target=target))

        assert list(none) == []
        assert [json.loads(entry.body)["action"] for entry in many] == [f"action-{number}" for number in range(20)]
        assert [entry.log.batch for entry in many] == [before.log.batch + 1 + number for number in range(20)]
        assert found(identity, target=target) == [*many, last]
        assert all(after.log.follows(entry.log) for entry, after in pairwise([before, *many, last]))

    def test_entries_go_on_after_a_number(self, identity: IdentityStore) -> None:
        """Whoever has read some of the log reads the rest."""
        first, second, third = recorded(identity, event(), event(), event())

        with identity.begin() as work:
            rest = list(work.audit.entries(after=first.log.batch))

        assert rest == [second, third]

    def test_times_rise_even_when_the_clock_does_not(self, identity: IdentityStore, clock: StoppedClock) -> None:
        """A clock that is set back changes no order."""
        [before] = recorded(identity, event())
        clock.forward(days=-30)

        after = recorded(identity, event(), event())

        assert [entry.log.recorded_at - before.log.recorded_at for entry in after] == [TICK, 2 * TICK]

    @pytest.mark.parametrize("field", ["action", "actor", "target", "correlation_id"])
    def test_entries_are_found_by(self, identity: IdentityStore, field: str) -> None:
        """Exactly those where the field has the value."""
        value = f"value-{new_id()}"
        fitting = {
            "action": event(value),
            "actor": event(actor=Actor(name=value)),
            "target": event(target=value),
            "correlation_id": event(actor=Actor(name="anonymous", correlation_id=value)),
        }[field]

        entries = recorded(identity, fitting, event(), fitting, event(target=value + "x"))

        assert found(identity, **{field: value}) == [entries[0], entries[2]]

    def test_conditions_must_all_fit(self, identity: IdentityStore) -> None:
        """Action and target together."""
        target = f"user:{new_id()}"

        entries = recorded(identity, event(target=target), event("user_logout", target=target), event("user_logout"))

        assert found(identity, target=target, action="user_logout") == [entries[1]]

    def test_times_bound_the_entries_inclusively(self, identity: IdentityStore, clock: StoppedClock) -> None:
        """Since and until a time; beyond the last entry there is nothing."""
        target = f"user:{new_id()}"
        entries = []
        for _ in range(4):
            entries += recorded(identity, event(target=target))
            clock.forward(hours=1)
        times = [entry.log.recorded_at for entry in entries]

        assert found(identity, target=target, since=times[1], until=times[2]) == entries[1:3]
        assert found(identity, target=target, since=times[1] + TICK) == entries[2:]
        assert found(identity, target=target, until=times[2] - TICK) == entries[:2]
        assert found(identity, target=target, since=times[3] + timedelta(days=999)) == []
        assert found(identity, target=target, until=times[0] - timedelta(days=9_999)) == []

    def test_pages_go_back_from_a_number(self, identity: IdentityStore) -> None:
        """Newest first, each page before the last number of the one before it."""
        target = f"user:{new_id()}"
        entries = recorded(identity, *(event(target=target) for _ in range(5)))

        with identity.begin() as work:
            wanted = AuditFilter(target=target)
            first = work.audit.list_before(wanted, before=None, limit=2)
            second = work.audit.list_before(wanted, before=first[-1].log.batch, limit=2)
            none = work.audit.list_before(wanted, before=entries[0].log.batch, limit=2)

        assert [*first, *second] == entries[:0:-1]
        assert list(none) == []

    @pytest.mark.parametrize("text", ["a\x00b", "\ud800", "ü" * 3_000])
    def test_whatever_a_stranger_sends_can_be_recorded(self, identity: IdentityStore, text: str) -> None:
        """A refusal is in the log, however strange what was refused."""
        told = AuditEvent(
            action="authorization_failure",
            actor=Actor(name="anonymous", source=text, correlation_id=text),
            target=text,
            details={"path": text},
        )

        [entry] = recorded(identity, told)

        assert entry in found(identity, target=told.target)
