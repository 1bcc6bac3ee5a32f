"""Which lines explain which transactions: every stage, and what stays a guess."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgercore.ledger.texts import encode_json
from ledgercore.money import Money
from ledgercore.statements.lines import NewLine, StatementLine
from ledgercore.statements.matches import BookItem, Proposal, Stage
from ledgercore.statements.matching import MatchingRules, OpenItem, OpenLine, propose
from ledgercore.statements.statements import Direction
from ledgercore.testing.ledgers import EUR

MONDAY = date(2026, 3, 2)
RULES = MatchingRules()


def line(number: int, minor: int, *, days: int = 0, on: Any = MONDAY, **said: Any) -> OpenLine:
    direction = Direction.CREDIT if minor > 0 else Direction.DEBIT
    on = None if on is None else on + timedelta(days=days)
    new = NewLine(
        identity=encode_json([number]), direction=direction, amount=Money(abs(minor), EUR), booked_on=on, value_on=None,
        text="", **said,
    )  # fmt: skip
    stored = StatementLine(id=UUID(int=number), number=number, statement_id=UUID(int=0), said=new)
    return OpenLine(line=stored, open_minor=minor)


def item(number: int, minor: int, *names: str, days: int = 0, text: str = "") -> OpenItem:
    on = MONDAY + timedelta(days=days)
    book = BookItem(transaction_id=UUID(int=1_000 + number), signed_minor=minor, on=on, names=names, text=text)
    return OpenItem(item=book, open_minor=minor)


def pairs(proposals: list[Proposal]) -> list[tuple[str, list[int], list[int], bool]]:
    """Each proposal as its stage, the numbers of both sides, and whether it is certain."""
    return [
        (
            each.stage.value,
            [part.id.int for part in each.lines],
            [part.id.int - 1_000 for part in each.transactions],
            each.is_certain,
        )
        for each in proposals
    ]


class TestIds:
    def test_a_shared_name_is_a_match(self):
        found = propose([line(1, 500, references=("E2E 7",))], [item(1, 500, "e2e7")], RULES)

        assert pairs(found) == [("ids", [1], [1], True)]
        assert found[0].why == {"reference": "E2E7"}

    def test_one_line_for_several_transactions_of_its_name(self):
        found = propose([line(1, 500, references=("B",))], [item(1, 200, "B"), item(2, 300, "B")], RULES)

        assert pairs(found) == [("ids", [1], [1, 2], True)]

    def test_several_lines_for_several_transactions(self):
        lines = [line(1, 400, references=("B",)), line(2, 100, references=("B",))]
        found = propose(lines, [item(1, 200, "B"), item(2, 300, "B")], RULES)

        assert pairs(found) == [("ids", [1, 2], [1, 2], True)]

    def test_a_smaller_payment_under_the_name_is_suggested_in_part(self):
        [found] = propose([line(1, 400, references=("B",))], [item(1, 1_000, "B")], RULES)

        assert found.is_partial
        assert not found.is_certain
        assert [each.signed_minor for each in (*found.lines, *found.transactions)] == [400, 400]

    def test_two_names_that_lead_to_different_transactions_are_a_guess(self):
        lines = [line(1, 500, references=("A", "B"))]
        found = propose(lines, [item(1, 500, "A", text="x"), item(2, 500, "B")], RULES)

        assert [certain for *_, certain in pairs(found)]
        assert not any(each.is_certain for each in found)

    def test_money_the_other_way_is_no_part_of_it(self):
        assert propose([line(1, -500, references=("B",))], [item(1, 700, "B")], RULES) == []


def test_a_structured_reference_comes_after_ids():
    lines = [line(1, 500, structured_references=("RF18539007547034",)), line(2, 500, references=("E2E",))]
    found = propose(lines, [item(1, 500, "E2E"), item(2, 500, "RF18 5390 0754 7034")], RULES)

    assert pairs(found) == [("ids", [2], [1], True), ("structured_reference", [1], [2], True)]


class TestAmountAndCounterparty:
    def test_the_only_one_of_its_amount_and_name_is_certain(self):
        found = propose([line(1, -500, counterparty="Acme GmbH")], [item(1, -500, text="acme gmbh, rent")], RULES)

        assert pairs(found) == [("amount_and_counterparty", [1], [1], True)]
        assert found[0].why == {"amount_minor": "-500", "days": 0, "counterparty": "Acme GmbH"}

    def test_an_account_number_names_the_counterparty_too(self):
        lines = [line(1, 500, counterparty_account="DE02120300000000202051")]
        found = propose(lines, [item(1, 500, "de02120300000000202051")], RULES)

        assert pairs(found) == [("amount_and_counterparty", [1], [1], True)]

    @pytest.mark.parametrize(("days", "found"), [(5, 1), (-5, 1), (6, 0)])
    def test_only_within_the_window(self, days, found):
        lines = [line(1, 500, days=days, counterparty="Acme")]

        assert len(propose(lines, [item(1, 500, text="Acme")], RULES)) == found

    def test_two_transactions_that_would_do_are_a_guess(self):
        items = [item(1, 500, text="Acme"), item(2, 500, text="Acme")]
        found = propose([line(1, 500, counterparty="Acme")], items, RULES)

        assert [(lines, ids, certain) for _, lines, ids, certain in pairs(found)] == [
            ([1], [1], False),
            ([1], [2], False),
        ]

    def test_two_lines_that_would_do_are_a_guess(self):
        lines = [line(1, 500, counterparty="Acme"), line(2, 500, counterparty="Acme")]

        assert not any(each.is_certain for each in propose(lines, [item(1, 500, text="Acme")], RULES))

    def test_the_amount_alone_is_a_guess(self):
        [found] = propose([line(1, 500)], [item(1, 500)], RULES)

        assert not found.is_certain
        assert found.why["counterparty"] == "not named"

    def test_short_words_name_nobody(self):
        [found] = propose([line(1, 500, counterparty="De Na")], [item(1, 500, text="de na")], RULES)

        assert not found.is_certain

    def test_a_line_without_a_day_is_never_near(self):
        assert propose([line(1, 500, on=None, counterparty="Acme")], [item(1, 500, text="Acme")], RULES) == []


class TestBatchSum:
    def test_one_line_is_several_transactions(self):
        items = [item(number, minor) for number, minor in enumerate((100, 250, 400, 7_000), 1)]
        found = propose([line(1, 750)], items, RULES)

        assert pairs(found) == [("batch_sum", [1], [1, 2, 3], True)]

    def test_one_transaction_is_several_lines(self):
        found = propose([line(1, -100), line(2, -250)], [item(1, -350)], RULES)

        assert pairs(found) == [("batch_sum", [1, 2], [1], True)]

    def test_two_ways_to_add_up_are_a_guess(self):
        items = [item(number, minor) for number, minor in enumerate((100, 200, 150, 150), 1)]

        assert not any(each.is_certain for each in propose([line(1, 300)], items, RULES))

    def test_two_lines_that_want_the_same_transactions_are_a_guess(self):
        items = [item(1, 100), item(2, 200)]

        assert not any(each.is_certain for each in propose([line(1, 300), line(2, 300)], items, RULES))

    def test_at_most_ten(self):
        items = [item(number, 10**number) for number in range(1, 12)]
        total = sum(each.open_minor for each in items)

        assert propose([line(1, total)], items, RULES) == []
        assert pairs(propose([line(1, total - 10)], items, RULES)) == [("batch_sum", [1], list(range(2, 12)), True)]

    def test_among_very_many_nothing_is_looked_for(self):
        items = [item(number, number) for number in range(1, 42)]

        assert propose([line(1, 300)], items, RULES) == []


class TestTolerance:
    RULES = MatchingRules(tolerance_minor=5, tolerance_account="expenses:fees")

    def test_a_small_difference_goes_to_the_named_account(self):
        [found] = propose([line(1, -503, counterparty="Acme")], [item(1, -500, text="Acme")], self.RULES)

        assert found.is_certain
        assert (found.stage, found.tolerance_minor) == (Stage.TOLERANCE, -3)

    def test_a_larger_one_does_not(self):
        assert propose([line(1, -506, counterparty="Acme")], [item(1, -500, text="Acme")], self.RULES) == []

    def test_without_an_account_nothing_is_tolerated(self):
        assert propose([line(1, 503, counterparty="Acme")], [item(1, 500, text="Acme")], RULES) == []

    def test_the_exact_amount_comes_first(self):
        items = [item(1, 500, text="Acme"), item(2, 502, text="Acme")]
        found = propose([line(1, 502, counterparty="Acme")], items, self.RULES)

        assert pairs(found) == [("amount_and_counterparty", [1], [2], True)]


def test_what_an_earlier_stage_guesses_no_later_one_is_certain_of():
    """One line of the amount, or two that add up to it: nobody can tell."""
    found = propose([line(1, 300), line(2, 100), line(3, 200)], [item(1, 300)], RULES)

    assert pairs(found) == [("amount_and_counterparty", [1], [1], False), ("batch_sum", [2, 3], [1], False)]


amounts = st.integers(-400, 400).filter(bool)
names = st.lists(st.sampled_from("ABCD"), max_size=2)


@given(
    st.lists(st.tuples(amounts, names, st.integers(0, 9), st.sampled_from([None, "Acme", "Zeta"])), max_size=8),
    st.lists(st.tuples(amounts, names, st.integers(0, 9), st.sampled_from(["", "acme", "zeta"])), max_size=8),
)
def test_certain_proposals_add_up_and_share_nothing(said, booked):
    """Whatever is open: no unit is explained twice, and both sides of a match come to the same but for tolerance."""
    lines = [
        line(number, minor, days=days, references=tuple(refs), counterparty=who)
        for number, (minor, refs, days, who) in enumerate(said, 1)
    ]
    items = [
        item(number, minor, *refs, days=days, text=text) for number, (minor, refs, days, text) in enumerate(booked, 1)
    ]
    rules = MatchingRules(tolerance_minor=3, tolerance_account="fees")

    found = propose(lines, items, rules)

    taken: set[Any] = set()
    for each in found:
        left, right = (sum(part.signed_minor for part in side) for side in (each.lines, each.transactions))
        assert left == right + each.tolerance_minor
        assert abs(each.tolerance_minor) <= (3 if each.stage is Stage.TOLERANCE else 0)
        if each.is_certain:
            assert taken.isdisjoint(each.ids)
            taken |= each.ids
    assert all(each.is_certain or taken.isdisjoint(each.ids) for each in found)


class TestTooMuchToSearch:
    def test_a_sum_among_too_many_combinations_is_not_looked_for(self):
        """Even amounts never come to an odd sum, and finding that out would take for ever."""
        items = [item(number, 200) for number in range(1, 41)]

        assert propose([line(1, 4_101)], items, RULES) == []

    def test_far_off_tolerances_are_looked_up_and_not_counted_through(self):
        rules = MatchingRules(tolerance_minor=100_000, tolerance_account="expenses:fees")
        lines = [line(number, 10**12 + number, counterparty="Acme") for number in range(1, 3)]

        found = propose(lines, [item(1, 10**12 - 99_999, text="Acme"), item(2, 1, text="Acme")], rules)

        assert pairs(found) == [("tolerance", [1], [1], True)]
