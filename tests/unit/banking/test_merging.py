"""Merging: every transaction of a bank once, in whatever way it is told."""

import itertools
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgercore.banking.findings import AMBIGUOUS, FOREIGN_CURRENCY, PAYMENT_DIFFERS, ROW_MISSING
from ledgercore.banking.merging import Listing, Merged, OwnPayment, mentions, merge_rows, without_vanished
from ledgercore.banking.observations import RowSeen, RowStatus
from ledgercore.banking.rows import BankRow, RowState, fingerprint_of, row_document, row_from
from ledgercore.ledger.texts import encode_json
from ledgercore.money import Money, currency
from ledgercore.statements.statements import Direction
from ledgercore.testing.ledgers import MONDAY

GBP, EUR = currency("GBP"), currency("EUR")
ACCOUNT = UUID(int=1)
PAYMENT = UUID("01970000-0000-7000-8000-000000000001")


def seen(minor: int = 1_000, status: RowStatus = RowStatus.BOOKED, **fields: Any) -> RowSeen:
    """What a bank tells of a debit on Monday."""
    defaults = {
        "external_id": "tx1",
        "direction": Direction.DEBIT,
        "money": Money(minor, GBP),
        "description": "Corner Bakery",
        "created_at": MONDAY,
        "booked_at": MONDAY if status is RowStatus.BOOKED else None,
        "counterparty": "Bakery",
    }
    return RowSeen(status=status, **{**defaults, **fields})


def pending(minor: int = 1_000, **fields: Any) -> RowSeen:
    return seen(minor, RowStatus.PENDING, **fields)


class Books:
    """What is known of an account, as listing after listing is merged into it."""

    def __init__(self, own: dict[UUID, OwnPayment] | None = None) -> None:
        self.rows: dict[UUID, BankRow] = {}
        self.posted: dict[UUID, int] = {}
        self.own = own or {}
        self.findings: list[str] = []
        self._ids = itertools.count(1_000)

    def listing(self) -> UUID:
        return UUID(int=next(self._ids))

    def page(self, *told: RowSeen, listing: UUID | None = None) -> Merged:
        """Merge a page with what a store would find for it."""
        ids = {each.external_id for each in told} - {None}
        prints = {fingerprint_of(each) for each in told if each.external_id is None}
        known = [
            row
            for row in self.rows.values()
            if row.state is RowState.PENDING
            or row.seen.external_id in ids
            or (row.seen.external_id is None and row.fingerprint in prints)
        ]
        linked = {row.payment_id for row in self.rows.values()}
        merged = merge_rows(
            known,
            told,
            Listing(
                id=listing or self.listing(),
                account_id=ACCOUNT,
                currency="GBP",
                now=MONDAY,
                draw_id=lambda: UUID(int=next(self._ids)),
                own={id: own for id, own in self.own.items() if id not in linked},
            ),
        )
        self.take(merged)
        return merged

    def take(self, merged: Merged) -> None:
        self.rows.update({row.id: row for row in merged.rows})
        self.findings += [finding.kind for finding in merged.findings]
        for move in merged.moves:
            if move.reverses is not None:
                assert self.posted.pop(move.reverses) == -move.signed_minor
            else:
                assert move.transaction_id not in self.posted
                self.posted[move.transaction_id] = move.signed_minor

    @property
    def balance(self) -> int:
        return sum(self.posted.values())

    @property
    def states(self) -> list[tuple[RowState, int]]:
        return [(row.state, row.signed_minor) for row in self.rows.values()]


class TestById:
    """A row is known by the bank's id."""

    def test_new_booked_row_is_posted(self) -> None:
        books = Books()

        merged = books.page(seen())

        [move] = merged.moves
        assert (move.signed_minor, move.effective_at, move.external_id) == (-1_000, MONDAY, "tx1")
        assert merged.rows[0].transaction_id == move.transaction_id

    def test_same_row_again_changes_nothing(self) -> None:
        books = Books()
        books.page(seen(), seen())

        again = books.page(seen())

        assert books.balance == -1_000
        assert (again.rows, again.moves) == ((), ())

    def test_pending_row_moves_nothing_until_it_is_booked(self) -> None:
        books = Books()
        books.page(pending(1_000))
        before = books.balance

        books.page(seen(1_200))

        assert (before, books.balance) == (0, -1_200)
        [row] = books.rows.values()
        assert [past.seen.money.minor for past in row.history] == [1_000]

    @pytest.mark.parametrize("first", [seen(), seen(status=RowStatus.DECLINED)])
    def test_late_pending_row_changes_nothing(self, first: RowSeen) -> None:
        """The bank has said more of it already."""
        books = Books()
        books.page(first)
        before = books.states

        late = books.page(pending(999))

        assert late.rows == ()
        assert books.states == before

    def test_amended_amount_is_undone_and_posted_anew(self) -> None:
        books = Books()
        first = books.page(seen(1_000)).moves[0]

        undone, anew = books.page(seen(1_500)).moves

        assert (undone.reverses, anew.signed_minor, books.balance) == (first.transaction_id, -1_500, -1_500)

    def test_amended_day_is_undone_and_posted_anew(self) -> None:
        books = Books()
        books.page(seen())

        moves = books.page(seen(booked_at=MONDAY + timedelta(days=1))).moves

        assert len(moves) == 2
        assert books.balance == -1_000

    def test_amended_text_moves_nothing(self) -> None:
        books = Books()
        books.page(seen())

        merged = books.page(seen(description="CORNER BAKERY LTD"))

        assert merged.moves == ()
        assert merged.rows[0].seen.description == "CORNER BAKERY LTD"

    def test_booked_row_that_is_declined_is_undone(self) -> None:
        books = Books()
        books.page(seen())

        books.page(seen(status=RowStatus.DECLINED))

        assert books.balance == 0
        assert books.states == [(RowState.DECLINED, -1_000)]

    def test_pending_row_that_is_declined_moves_nothing(self) -> None:
        books = Books()
        books.page(pending())

        merged = books.page(seen(status=RowStatus.DECLINED))

        assert (merged.moves, merged.rows[0].state) == ((), RowState.DECLINED)

    def test_two_booked_rows_with_other_ids_are_two(self) -> None:
        """However alike they are, a shared reference included."""
        books = Books()

        books.page(seen(references=("rent",)), seen(external_id="tx2", references=("rent",)))

        assert books.balance == -2_000

    def test_row_without_an_amount_is_kept_and_not_posted(self) -> None:
        books = Books()

        merged = books.page(seen(0))

        assert (merged.moves, merged.rows[0].state) == ((), RowState.BOOKED)

    def test_row_in_another_currency_is_a_finding(self) -> None:
        books = Books()

        merged = books.page(seen(money=Money(500, EUR)))

        assert (merged.moves, merged.rows[0].signed_minor, books.findings) == ((), 0, [FOREIGN_CURRENCY])


class TestWithoutKnownId:
    """Pending rows that have no id, or another one when they are booked."""

    def test_reference_tells_even_at_another_amount(self) -> None:
        books = Books()
        books.page(pending(1_000, external_id=None, references=("E2E",)))

        books.page(seen(1_234, external_id="tx9", references=("E2E",)))

        assert books.states == [(RowState.BOOKED, -1_234)]

    def test_id_that_was_a_reference_tells(self) -> None:
        """Some banks give pending rows their id as a mere reference."""
        books = Books()
        books.page(pending(external_id=None, references=("tx9",)))

        books.page(seen(2_000, external_id="tx9"))

        assert books.states == [(RowState.BOOKED, -2_000)]

    def test_amount_and_counterparty_tell_within_two_weeks(self) -> None:
        books = Books()
        books.page(pending(external_id=None, description="CARD 1234"))

        books.page(seen(external_id="tx9", booked_at=MONDAY + timedelta(days=3)))

        assert books.states == [(RowState.BOOKED, -1_000)]

    @pytest.mark.parametrize(
        "other", [{"counterparty": "Butcher"}, {"booked_at": MONDAY + timedelta(days=15)}, {"money": Money(1_001, GBP)}]
    )
    def test_anything_else_is_new(self, other: dict[str, Any]) -> None:
        books = Books()
        books.page(pending(external_id=None))

        books.page(seen(external_id="tx9", **other))

        assert [state for state, _ in books.states] == [RowState.PENDING, RowState.BOOKED]

    def test_pending_row_that_is_still_told_is_another(self) -> None:
        """A purchase twice: one booked, one still pending, in one listing."""
        books, listing = Books(), UUID(int=5)
        books.page(pending(external_id=None))

        books.page(pending(external_id=None), seen(external_id="tx9"), listing=listing)

        assert sorted(state for state, _ in books.states) == [RowState.BOOKED, RowState.PENDING]

    def test_twins_are_told_apart_by_their_number(self) -> None:
        """Two alike without ids are two; told again they are the same two; of them one is booked at a time."""
        books = Books()
        twin = pending(external_id=None)
        books.page(twin, twin)
        books.page(twin, twin)
        assert len(books.rows) == 2

        books.page(seen(external_id="tx9"))

        assert sorted(state for state, _ in books.states) == [RowState.BOOKED, RowState.PENDING]
        assert books.findings == []

    def test_several_that_fit_are_a_finding(self) -> None:
        """The row counts as new, so that nothing is lost; what it might have been vanishes later."""
        books = Books()
        books.page(
            pending(external_id=None, description="a"),
            pending(external_id=None, description="b"),
        )

        books.page(seen(external_id="tx9"))

        assert books.findings == [AMBIGUOUS]
        assert len(books.rows) == 3
        assert books.balance == -1_000

    def test_booked_rows_without_ids_are_counted_by_listing(self) -> None:
        books, row = Books(), seen(external_id=None)
        books.page(row)

        again = books.page(row)
        books.page(row, row)

        assert again.moves == ()
        assert books.balance == -2_000

    def test_undated_pending_row_is_the_same_the_next_day(self) -> None:
        """The bank's clock stood in for its date; the first one stays."""
        books = Books()
        books.page(pending(external_id=None))

        books.page(pending(external_id=None, created_at=MONDAY + timedelta(days=1)))

        [row] = books.rows.values()
        assert (row.seen.created_at, row.history) == (MONDAY, ())


class TestVanished:
    """Rows that a whole listing did not tell of."""

    def test_pending_row_is_dropped_and_may_come_back(self) -> None:
        books = Books()
        books.page(pending())
        books.take(without_vanished(books.rows.values(), now=MONDAY))
        [dropped] = books.rows.values()

        books.page(seen())

        assert (dropped.state, dropped.note) == (RowState.DROPPED, "the bank does not tell of it any more")
        [row] = books.rows.values()
        assert (row.state, row.note, books.balance) == (RowState.BOOKED, None, -1_000)

    def test_booked_row_stays_and_is_a_finding_once(self) -> None:
        books = Books()
        books.page(seen(external_id=None))

        for _ in range(2):
            books.take(without_vanished(books.rows.values(), now=MONDAY))

        assert (books.findings, books.balance) == ([ROW_MISSING], -1_000)


class TestOwnPayments:
    """Payments of ours, which the bank tells of later."""

    @pytest.mark.parametrize(
        "text", [{"description": f"payment {PAYMENT}"}, {"references": (PAYMENT.hex,)}], ids=["text", "reference"]
    )
    def test_row_that_names_one_is_it(self, text: dict[str, Any]) -> None:
        own = OwnPayment(payment_id=PAYMENT, transaction_id=UUID(int=7), signed_minor=-1_000)
        books = Books({PAYMENT: own})

        merged = books.page(seen(**text))

        assert merged.moves == ()
        assert (merged.rows[0].transaction_id, merged.rows[0].payment_id) == (UUID(int=7), PAYMENT)

    def test_second_row_that_names_it_is_another(self) -> None:
        own = OwnPayment(payment_id=PAYMENT, transaction_id=UUID(int=7), signed_minor=-1_000)
        books = Books({PAYMENT: own})

        books.page(*(seen(external_id=id, description=str(PAYMENT)) for id in ("tx1", "tx2")))

        assert books.balance == -1_000
        assert books.findings == [PAYMENT_DIFFERS]

    def test_another_amount_is_a_finding_and_posted(self) -> None:
        own = OwnPayment(payment_id=PAYMENT, transaction_id=UUID(int=7), signed_minor=-999)
        books = Books({PAYMENT: own})

        books.page(seen(description=str(PAYMENT)))

        assert (books.balance, books.findings) == (-1_000, [PAYMENT_DIFFERS])

    @pytest.mark.parametrize("later", [seen(1_500, description=str(PAYMENT)), seen(status=RowStatus.DECLINED)])
    def test_change_of_a_linked_row_is_a_finding(self, later: RowSeen) -> None:
        """What we paid is not undone because the bank says something else."""
        own = OwnPayment(payment_id=PAYMENT, transaction_id=UUID(int=7), signed_minor=-1_000)
        books = Books({PAYMENT: own})
        books.page(seen(description=str(PAYMENT)))

        merged = books.page(later)

        assert (merged.moves, books.findings) == ((), [PAYMENT_DIFFERS])

    def test_another_day_of_a_linked_row_is_none(self) -> None:
        own = OwnPayment(payment_id=PAYMENT, transaction_id=UUID(int=7), signed_minor=-1_000)
        books = Books({PAYMENT: own})
        books.page(seen(description=str(PAYMENT)))

        books.page(seen(description=str(PAYMENT), booked_at=MONDAY + timedelta(days=2)))

        assert books.findings == []

    def test_ids_are_found_in_texts(self) -> None:
        assert mentions(seen(description=f"x{PAYMENT}y, {'0' * 40}", references=("a", PAYMENT.hex))) == (PAYMENT,) * 2


def test_rows_come_back_from_their_documents() -> None:
    """What stores keep of a row is all of it."""
    books = Books()
    books.page(pending(references=("a", "b"), decline_reason="x"))
    books.page(seen(2_000))
    [row] = books.rows.values()

    back = row_from(
        json.loads(encode_json(row_document(row))),
        id=row.id, account_id=row.account_id, state=row.state, signed_minor=row.signed_minor,
        listing_id=row.listing_id, transaction_id=row.transaction_id, payment_id=row.payment_id,
    )  # fmt: skip

    assert back == row


@st.composite
def tellings(draw: st.DrawFn) -> tuple[dict[str, int], list[list[RowSeen]]]:
    """What becomes of some transactions, and listings in which the bank tells of them in any order and number.

    A bank never forgets what is booked: the last listing tells all of it.
    """
    final: dict[str, int] = {}
    told: list[RowSeen] = []
    for number in range(draw(st.integers(1, 6))):
        id, minor = f"tx{number}", draw(st.integers(1, 50))
        direction = draw(st.sampled_from(Direction))
        shared = {"external_id": id, "direction": direction, "description": draw(st.sampled_from(["a", "b"]))}
        if draw(st.booleans()):
            told.append(
                pending(draw(st.integers(1, 50)), **{**shared, "external_id": draw(st.sampled_from([id, None]))})
            )
        if draw(st.booleans()):
            final[id] = direction.sign * minor
            told.append(seen(minor, **shared))
    times = [each for each in told for _ in range(draw(st.integers(1, 3)))]
    shuffled = draw(st.permutations(times))
    cuts = sorted(draw(st.lists(st.integers(0, len(shuffled)), max_size=3)))
    listings = [shuffled[first:last] for first, last in itertools.pairwise([0, *cuts, len(shuffled)])]
    return final, [*listings, [each for each in told if each.status is RowStatus.BOOKED]]


@given(tellings())
def test_any_order_number_and_paging_ends_the_same(case: tuple[dict[str, int], list[list[RowSeen]]]) -> None:
    """Every booked row is posted exactly once, at the bank's amount; no pending one is."""
    final, listings = case
    books = Books()

    for told in listings:
        books.page(*told)

    booked = {row.seen.external_id: row.signed_minor for row in books.rows.values() if row.state is RowState.BOOKED}
    assert booked == final
    assert books.balance == sum(final.values())
    assert len(books.posted) == len(final)


@given(st.lists(st.sampled_from(["a", "b"]), max_size=8), st.data())
def test_twins_without_ids_are_kept_by_their_number(names: list[str], data: st.DataObject) -> None:
    """However a listing is cut into pages, and however often it is read."""
    books = Books()
    for _ in range(2):
        listing = books.listing()
        cut = data.draw(st.integers(0, len(names)))
        for part in (names[:cut], names[cut:]):
            books.page(*(seen(100, external_id=None, description=name) for name in part), listing=listing)

    assert books.balance == -100 * len(names)
