"""Outcomes as values."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from ledgercore.errors import BusinessRuleError, LedgercoreError
from ledgercore.errors.catalog import GROUP_REFUSED, INSUFFICIENT_FUNDS
from ledgercore.ledger.outcomes import Applied, GroupOutcome, Posted, Refused

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ID = UUID(int=7)


def test_applied_and_posted_are_told_apart():
    """Equal outcomes have the same class, record and time, and are both replayed or neither."""
    applied, posted = Applied(ID.bytes, 1, NOON), Posted(ID.bytes, 1, NOON)

    assert applied != posted
    assert posted == Posted(ID.bytes, 1, NOON)
    assert posted != Posted(ID.bytes, 1, NOON, replayed=True)
    assert posted != "posted"
    assert len({posted, Posted(ID.bytes, 1, NOON)}) == 1
    assert (posted.id, applied.or_raise(), posted.or_raise()) == (ID, applied, posted)


def test_refusal_raises_the_error_of_its_category():
    """Who wants an exception gets the one that the reason stands for."""
    refused = Refused(INSUFFICIENT_FUNDS, {"account": "a"})

    with pytest.raises(BusinessRuleError) as caught:
        refused.or_raise()

    assert (caught.value.code, caught.value.details) == ("insufficient_funds", {"account": "a"})


def test_group_raises_what_broke_it():
    """The reason of the command that failed, rather than that of those who failed with it."""
    with_it, broke_it = Refused(GROUP_REFUSED, {}), Refused(INSUFFICIENT_FUNDS, {})
    group = GroupOutcome((with_it, broke_it))

    with pytest.raises(LedgercoreError) as caught:
        group.or_raise()

    assert caught.value.code == "insufficient_funds"
    assert GroupOutcome((with_it,)).refusal is with_it
    assert GroupOutcome(()).or_raise() == GroupOutcome(())
