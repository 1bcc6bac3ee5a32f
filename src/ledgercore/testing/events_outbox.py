"""The suite for the outbox: events numbered in the order of commits, found by number, type and owner."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

import pytest

from ledgercore.clock import TICK
from ledgercore.events.events import Event, StoredEvent
from ledgercore.events.ports import Store
from ledgercore.identity.audit import OPERATOR, AuditEvent
from ledgercore.testing.identity_people import EVERYBODY, new_id
from ledgercore.testing.ledgers import LedgerContract, StoppedClock


def fact(type: str = "payment.completed", *, owner_id: UUID | None = None) -> Event:
    """Something that others may want to know."""
    return Event(type=type, subject=f"payment:{new_id()}", data={"amount_minor": "100"}, owner_id=owner_id)


def published(events: Store, *facts: Event) -> Sequence[StoredEvent]:
    """Publish facts in one unit of work."""
    with events.begin() as work:
        return work.events.publish_all(facts)


class EventsContract(LedgerContract):
    """The fixtures; subclasses override `store` and `events`, and `clock` if they like."""

    @pytest.fixture
    def events(self) -> Store:
        """Where events are kept; every adapter says for itself."""
        raise NotImplementedError("override the fixture `events`")


class OutboxContract(EventsContract):
    """What happened, in the order in which it became true."""

    def test_event_comes_back_as_it_was_published(self, events: Store) -> None:
        """With its number, its id, and the time of its commit."""
        told = Event(
            type="payment.failed", subject="payment:ü", data={"z": [1, {"b": "😀\x00", "a": None}]}, owner_id=new_id(),
            version=3,
        )  # fmt: skip

        [stored] = published(events, told)

        with events.begin() as work:
            assert work.events.list_after(stored.number - 1, limit=1) == [stored]
        assert stored.event == told
        assert stored.id.version == 7

    def test_numbers_follow_one_another(self, events: Store) -> None:
        """Within a unit of work and from one to the next."""
        stored = [*published(events, fact(), fact(), fact()), *published(events, fact())]

        first = stored[0].number
        assert [each.number for each in stored] == [first, first + 1, first + 2, first + 3]

    def test_events_of_one_commit_occur_at_once_and_later_ones_later(self, events: Store, clock: StoppedClock) -> None:
        """Even when the clock is set back."""
        first, twin = published(events, fact(), fact())
        clock.forward(days=-30)
        [after] = published(events, fact())

        assert twin.occurred_at == first.occurred_at
        assert after.occurred_at == first.occurred_at + TICK

    def test_undone_event_leaves_no_gap(self, events: Store) -> None:
        """Its number is given to the next one."""
        [before] = published(events, fact())

        def fail() -> None:
            with events.begin() as work:
                work.events.publish_all([fact()])
                raise LookupError

        with pytest.raises(LookupError):
            fail()
        [after] = published(events, fact())

        assert after.number == before.number + 1

    def test_nothing_to_publish_is_nothing(self, events: Store) -> None:
        """No event, no number."""
        [before] = published(events, fact())

        assert list(published(events)) == []
        with events.begin() as work:
            assert work.events.last_number() == before.number

    def test_events_and_the_audit_log_are_written_in_one_unit_of_work(self, events: Store) -> None:
        """In either order, since both take the same turn."""
        with events.begin() as work:
            work.audit.append(AuditEvent(action="user_login", actor=OPERATOR))
            [stored] = work.events.publish_all([fact()])
            work.audit.append(AuditEvent(action="user_login", actor=OPERATOR))

        with events.begin() as work:
            assert work.events.last_number() == stored.number

    def test_events_are_read_on_after_a_number(self, events: Store) -> None:
        """In order, as many as are asked for, until there are no more."""
        stored = published(events, *(fact() for _ in range(5)))

        with events.begin() as work:
            start = stored[0].number
            assert work.events.list_after(start - 1, limit=2) == stored[:2]
            assert work.events.list_after(start + 1, limit=EVERYBODY) == stored[2:]
            assert list(work.events.list_after(stored[-1].number, limit=EVERYBODY)) == []

    def test_events_are_read_by_type_and_owner(self, events: Store) -> None:
        """Any of the types, and exactly the owner's; both must fit."""
        owner, other = new_id(), new_id()
        mine, moved, theirs, nobodys = published(
            events,
            fact(owner_id=owner), fact("balance.changed", owner_id=owner), fact(owner_id=other), fact(),
        )  # fmt: skip
        completed, either = frozenset({mine.event.type}), frozenset({mine.event.type, moved.event.type})

        with events.begin() as work:
            after = partial(work.events.list_after, mine.number - 1, limit=EVERYBODY)
            assert after(owner_id=owner) == [mine, moved]
            assert after(types=completed) == [mine, theirs, nobodys]
            assert after(types=either) == [mine, moved, theirs, nobodys]
            assert list(after(types=frozenset({moved.event.type}), owner_id=other)) == []
