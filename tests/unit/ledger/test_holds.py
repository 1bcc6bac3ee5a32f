"""Holds as values, and the table of their life."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from ledgercore.errors import ValidationError
from ledgercore.ledger.holds import (
    MOVES,
    Capture,
    CaptureGroup,
    ChangeHold,
    HeldLine,
    Hold,
    HoldStatus,
    PlaceHold,
    ReplaceHold,
    check_expiry,
)
from ledgercore.ledger.transactions import Line, debit
from ledgercore.money import Money, currency

EUR = currency("EUR")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE = UUID(int=1)
HALF: Any = 0.5
LINE = Line(Money(1000, EUR), "a", "b")


def hold(status=HoldStatus.OPEN, captured=0, **fields):
    return Hold(id=ONE, lines=(HeldLine(line=LINE, captured=captured),), status=status, placed_at=NOON, **fields)


EVERY_MOVE = sorted({move for _, move in MOVES})


@pytest.mark.parametrize(("status", "move"), list(itertools.product(HoldStatus, EVERY_MOVE)))
def test_every_pair_of_status_and_move(status, move):
    """An open hold may move; one that has ended never does."""
    expected = {
        "change": HoldStatus.OPEN,
        "capture in part": HoldStatus.OPEN,
        "capture": HoldStatus.CAPTURED,
        "void": HoldStatus.VOIDED,
        "expire": HoldStatus.EXPIRED,
    }

    if status is HoldStatus.OPEN:
        assert hold(status).moved(move).status is expected[move]
    else:
        with pytest.raises(KeyError):
            hold(status).moved(move)


def test_every_status_can_be_reached_and_left_or_is_an_end():
    """Statuses that no move leads to would never be seen."""
    assert {HoldStatus.OPEN, *MOVES.values()} == set(HoldStatus)


def test_hold_is_due_from_its_end_on():
    """Exactly at its end a hold has expired; without an end it never does, and once closed it is not due."""
    ends = hold(expires_at=NOON)

    assert [ends.is_due(NOON + timedelta(microseconds=tick)) for tick in (-1, 0, 1)] == [False, True, True]
    assert not hold().is_due(NOON)
    assert not hold(HoldStatus.VOIDED, expires_at=NOON).is_due(NOON)


@pytest.mark.parametrize(("bps", "most"), [(0, 1000), (1, 1000), (9, 1000), (10, 1001), (1500, 1150), (10_000, 2000)])
def test_tolerance_is_rounded_down(bps, most):
    """A tolerance never allows a fraction of a minor unit."""
    held = hold(tolerance_bps=bps)

    assert held.most(held.lines[0]) == most


def test_remainder_is_never_negative():
    """A capture above the held amount leaves nothing reserved."""
    assert [hold(captured=minor).lines[0].remaining for minor in (0, 999, 1000, 1001)] == [1000, 1, 0, 0]
    assert hold(captured=1001).remaining_lines() == ()
    assert hold(captured=400).remaining_lines() == (Line(Money(600, EUR), "a", "b"),)


def test_hold_ends_after_it_begins():
    """An end at the present moment is too early."""
    check_expiry(None, NOON)
    check_expiry(NOON + timedelta(microseconds=1), NOON)
    with pytest.raises(ValidationError) as caught:
        check_expiry(NOON, NOON)
    assert caught.value.details["field"] == "expires_at"


@pytest.mark.parametrize(
    ("make", "code", "field"),
    [
        (lambda: PlaceHold(lines=[]), "empty_transaction", "lines"),
        (lambda: PlaceHold(lines=[debit("a", Money(1, EUR))]), "unbalanced_transaction", "lines"),
        (lambda: PlaceHold(lines=[LINE], tolerance_bps=-1), "invalid_tolerance", "tolerance_bps"),
        (lambda: PlaceHold(lines=[LINE], tolerance_bps=10_001), "invalid_tolerance", "tolerance_bps"),
        (lambda: PlaceHold(lines=[LINE], tolerance_bps=HALF), "invalid_tolerance", "tolerance_bps"),
        (lambda: PlaceHold(lines=[LINE], tolerance_bps=True), "invalid_tolerance", "tolerance_bps"),
        (lambda: PlaceHold(lines=[LINE], group=""), "invalid_reference", "group"),
        (lambda: PlaceHold(lines=[LINE], group="\x00"), "invalid_reference", "group"),
        (lambda: PlaceHold(lines=[LINE], expires_at=datetime(2026, 1, 1)), "invalid_datetime_format", "expires_at"),
        (lambda: PlaceHold(lines=[LINE], id=ONE, key="k"), "invalid_idempotency_key", "key"),
        (lambda: ReplaceHold(hold=ONE, expires_at=datetime(2026, 1, 1)), "invalid_datetime_format", "expires_at"),
        (lambda: CaptureGroup(group="g" * 256), "invalid_reference", "group"),
        (lambda: ChangeHold(hold=ONE), "invalid_capture", "amount"),
        (lambda: ChangeHold(hold=ONE, amount=Money(0, EUR)), "invalid_capture", "amount"),
        (lambda: Capture(hold=ONE, amount=Money(-1, EUR)), "invalid_capture", "amount"),
        (lambda: Capture(hold=ONE, amount=Money(1, EUR), lines=[LINE]), "invalid_capture", "amount"),
        (lambda: Capture(hold=ONE, lines=[debit("a", Money(1, EUR))]), "unbalanced_transaction", "lines"),
        (lambda: Capture(hold=ONE, effective_at=datetime(2026, 1, 1)), "invalid_datetime_format", "effective_at"),
    ],
)
def test_wrong_commands_are_refused(make, code, field):
    """Each refusal names its field."""
    with pytest.raises(ValidationError) as caught:
        make()

    assert (caught.value.code, caught.value.details["field"]) == (code, field)
