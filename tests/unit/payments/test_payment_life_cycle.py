"""The life cycle of a payment: what MOVES says, and what each move leaves behind."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgercore.errors import ConflictError
from ledgercore.errors.catalog import INSUFFICIENT_FUNDS
from ledgercore.payments.payments import MOVES, PaymentStatus, start_of_day
from ledgercore.testing.banking_people import bank, bank_account, bank_login, branch
from ledgercore.testing.identity_people import new_id, someone
from ledgercore.testing.ledgers import MONDAY
from ledgercore.testing.payments_people import payment

EVERY_MOVE = sorted({move for _, move in MOVES})
FINAL = {PaymentStatus.COMPLETED, PaymentStatus.FAILED, PaymentStatus.CANCELLED}
LATER = MONDAY + timedelta(hours=1)


def in_status(status: PaymentStatus):
    """A payment that got into a status by the moves that lead there."""
    account = bank_account(bank_login(someone(), branch(bank())))
    made = payment(account, inserted_at=MONDAY)
    return {
        PaymentStatus.PENDING: lambda: made,
        PaymentStatus.PROCESSING: lambda: made.begun(now=MONDAY),
        PaymentStatus.COMPLETED: lambda: made.completed(new_id(), now=MONDAY),
        PaymentStatus.FAILED: lambda: made.failed(INSUFFICIENT_FUNDS, now=MONDAY),
        PaymentStatus.CANCELLED: lambda: made.moved("cancel", now=MONDAY),
    }[status]()


def test_every_status_can_be_reached_and_final_ones_are_left_by_nothing():
    assert {PaymentStatus.PENDING, *MOVES.values()} == set(PaymentStatus)
    assert {before for before, _ in MOVES}.isdisjoint(FINAL)


@pytest.mark.parametrize(("status", "move"), list(itertools.product(PaymentStatus, EVERY_MOVE)))
def test_a_move_is_made_where_the_table_has_it(status, move):
    before = in_status(status)
    if (status, move) in MOVES:
        after = before.moved(move, now=LATER)
        assert (after.status, after.updated_at) == (MOVES[status, move], LATER)
        return

    with pytest.raises(ConflictError) as caught:
        before.moved(move, now=LATER)

    assert (caught.value.code, caught.value.details["status"]) == ("already_processed", status)


@pytest.mark.parametrize("status", [PaymentStatus.PENDING, PaymentStatus.PROCESSING])
def test_completing_notes_when_and_by_which_transaction(status):
    transaction_id = new_id()

    done = in_status(status).completed(transaction_id, now=LATER)

    assert (done.status, done.posted_at, done.transaction_id) == (PaymentStatus.COMPLETED, LATER, transaction_id)


@pytest.mark.parametrize("status", [PaymentStatus.PENDING, PaymentStatus.PROCESSING])
def test_failing_notes_the_reason(status):
    failed = in_status(status).failed(INSUFFICIENT_FUNDS, now=LATER)

    assert (failed.status, failed.failure, failed.posted_at) == (PaymentStatus.FAILED, "insufficient_funds", None)


@pytest.mark.parametrize("status", sorted(FINAL))
def test_what_is_final_neither_completes_nor_fails(status):
    final = in_status(status)

    for end in (
        lambda: final.completed(new_id(), now=LATER),
        lambda: final.failed(INSUFFICIENT_FUNDS, now=LATER),
        lambda: final.begun(now=LATER),
    ):
        with pytest.raises(ConflictError):
            end()


@given(st.lists(st.sampled_from(EVERY_MOVE), max_size=8))
def test_random_walks_go_where_a_tiny_model_goes(moves):
    """The model: a position that is moved when the table has the move, and stays otherwise."""
    walker, position = in_status(PaymentStatus.PENDING), PaymentStatus.PENDING
    for move in moves:
        try:
            walker = walker.moved(move, now=LATER)
        except ConflictError:
            assert (position, move) not in MOVES
        position = MOVES.get((position, move), position)

        assert walker.status is position


def test_a_day_begins_at_midnight():
    assert start_of_day(MONDAY).isoformat() == "2026-03-02T00:00:00+00:00"
