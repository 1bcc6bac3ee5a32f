"""How often events ask the database, however many there are, and that many publishers leave no gaps."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from ledgercore.identity.audit import OPERATOR, AuditEvent
from ledgercore.testing.events_outbox import fact, published
from ledgercore_postgres import PostgresWorkStore

LOGIN = AuditEvent(action="user_login", actor=OPERATOR)


@pytest.fixture
def events(engine: Engine, clock) -> PostgresWorkStore:
    """Events in this test's database."""
    return PostgresWorkStore(engine, clock=clock)


@pytest.mark.parametrize("size", [1, 100])
def test_publishing_takes_two_trips(events: PostgresWorkStore, watched, size: int) -> None:
    """Begin; its turn and the last number; the events; commit: one insert for many."""
    facts = [fact() for _ in range(size)]
    published(events, *facts)

    sent = watched(lambda: published(events, *facts))

    assert (sent.statements, sent.trips) == (5, 4)


@pytest.mark.parametrize("size", [1, 100])
def test_audit_entries_take_two_trips(events: PostgresWorkStore, watched, size: int) -> None:
    """Begin; their turn and the last entry; the entries; commit."""

    def note() -> None:
        with events.begin() as work:
            work.audit.append_all([LOGIN] * size)

    note()

    sent = watched(note)

    assert (sent.statements, sent.trips) == (5, 4)


def test_publishers_at_once_leave_no_gaps(events: PostgresWorkStore, at_once) -> None:
    """Those who audit first and those who publish first take the same turn, so that nobody waits in a circle."""

    def publish_then_audit() -> list[int]:
        with events.begin() as work:
            numbers = [stored.number for stored in work.events.publish_all([fact(), fact()])]
            work.audit.append(LOGIN)
        return numbers

    def audit_then_publish() -> list[int]:
        with events.begin() as work:
            work.audit.append(LOGIN)
            return [stored.number for stored in work.events.publish_all([fact()])]

    given = at_once([publish_then_audit, audit_then_publish] * 4)

    assert sorted(number for numbers in given for number in numbers) == list(range(1, 13))


@pytest.mark.parametrize(
    "change",
    ["UPDATE events SET number = 7", "DELETE FROM events WHERE number = 1", "TRUNCATE events"],
)
def test_events_are_append_only(engine: Engine, events: PostgresWorkStore, change: str) -> None:
    """The database itself refuses to change or remove what is in it."""
    stored = published(events, fact())

    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(change))

    with events.begin() as work:
        assert work.events.list_after(0, limit=10) == stored
