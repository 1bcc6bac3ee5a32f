"""Batches that move many accounts, whose balances are stored while their rows are still being spelled."""

from datetime import timedelta
from uuid import uuid4

import pytest

from ledgercore.errors import InternalError
from ledgercore.ledger.accounts import AccountStatus, Limits
from ledgercore.ledger.commands import ChangeAccount, OpenAccount
from ledgercore.ledger.holds import PlaceHold
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.outcomes import Refused
from ledgercore.ledger.transactions import Line, Transaction
from ledgercore.money import Money, known_currency
from ledgercore_postgres.appending import BESIDE

EUR = known_currency("EUR", 2)


@pytest.fixture
def wide(postgres_ledger: Ledger, pay) -> Ledger:
    """A ledger with more open accounts than are stored behind the rows."""
    postgres_ledger.post_all(one_each(pay))
    return postgres_ledger


def one_each(pay, **fields) -> list[Transaction]:
    return [pay(f"assets:many:{n}", "income:1", 100, **fields) for n in range(BESIDE.start)]


def test_everything_a_batch_may_do_is_stored(wide: Ledger, pay, sound) -> None:
    """Holds, statuses, and accounts that the same batch opens and changes."""
    hold = PlaceHold(lines=[Line(Money(30, EUR), "expenses:x", "assets:many:7")], id=uuid4())

    wide.post_all(
        [
            *one_each(pay),
            hold,
            ChangeAccount(path="assets:many:8", limits=Limits(minimum=0)),
            OpenAccount(path="assets:new", currency=EUR),
            pay("assets:new", "income:1", 5),
            ChangeAccount(path="assets:new", status=AccountStatus.FROZEN),
        ]
    )
    wide.post_all(one_each(pay))

    assert wide.balance("assets:many:7").posted == Money(300, EUR)
    assert wide.balance("assets:many:7").available == Money(270, EUR)
    assert wide.get_account("assets:many:8").limits == Limits(minimum=0)
    new = wide.get_account("assets:new")
    assert (new.status, new.balance.posted) == (AccountStatus.FROZEN, Money(5, EUR))
    sound(wide)


def test_rules_that_others_changed_meanwhile_hold(wide: Ledger, client, pay, clock, sound) -> None:
    """The head is read before anything is stored, and a batch on old rules is decided again."""
    wide.post_all(one_each(pay))
    day = clock() - timedelta(days=2)
    client().close_period(day)

    outcomes = wide.post_all(one_each(pay, effective_at=day))

    assert {outcome.reason.code for outcome in outcomes if isinstance(outcome, Refused)} == {"period_closed"}
    assert len(outcomes) == BESIDE.start
    sound(wide)


def test_balances_that_cannot_be_stored_leave_nothing_behind(wide: Ledger, fault, pay, sound) -> None:
    """An error of a statement that was not waited for is the batch's error."""
    before = wide.state()

    with fault("accounts", "RAISE EXCEPTION USING ERRCODE = '22012';", event="UPDATE"), pytest.raises(InternalError):
        wide.post_all(one_each(pay))

    assert wide.state() == before
    assert len(wide.post_all(one_each(pay))) == BESIDE.start
    sound(wide)
