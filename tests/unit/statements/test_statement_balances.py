"""Whether a statement closes, and when that cannot be told."""

from datetime import date

import pytest
from attrs import evolve

from ledgercore.money import Money, currency
from ledgercore.statements.statements import Balance, BalanceKind, Direction, Statement, StatementEntry

EUR, USD = currency("EUR"), currency("USD")
DAY = date(2026, 3, 2)


def balance(minor: int) -> Balance:
    return Balance(kind=BalanceKind.CLOSING, amount=Money(minor, EUR), on=DAY)


def entry(minor: int, **fields: object) -> StatementEntry:
    plain = StatementEntry(
        direction=Direction.CREDIT if minor > 0 else Direction.DEBIT,
        amount=Money(abs(minor), EUR),
        booked_on=DAY,
        value_on=DAY,
        position="line 1",
    )
    return evolve(plain, **fields)  # type: ignore[arg-type]


MARCH = Statement(
    format="test", account=None, currency="EUR", opening=balance(1_000), closing=balance(1_250),
    entries=(entry(500), entry(-250), entry(7, is_pending=True)),
)  # fmt: skip


def test_opening_and_booked_entries_come_to_the_closing_balance() -> None:
    """What is pending does not count."""
    assert MARCH.difference == Money(0, EUR)
    assert evolve(MARCH, closing=balance(1_200)).difference == Money(50, EUR)


@pytest.mark.parametrize(
    "changes",
    [{"opening": None}, {"closing": None}, {"entries": (entry(5, amount=Money(5, USD)),)}],
    ids=["no opening", "no closing", "several currencies"],
)
def test_without_its_parts_nothing_can_be_told(changes: dict[str, object]) -> None:
    """Which is not the same as a difference of zero."""
    assert evolve(MARCH, **changes).difference is None  # type: ignore[arg-type]
