"""Which few of many amounts add up to one."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgercore.statements.subsets import TooMany, subsets_summing_to


@given(st.lists(st.integers(1, 30), max_size=9), st.integers(1, 90), st.integers(2, 5))
def test_finds_what_trying_everything_finds(amounts, total, size_max):
    """All sets of places, no more and no less."""
    expected = {
        places
        for size in range(2, size_max + 1)
        for places in itertools.combinations(range(len(amounts)), size)
        if sum(amounts[place] for place in places) == total
    }

    found = subsets_summing_to(amounts, total, size_max=size_max, found_max=10_000)

    assert len(found) == len(set(found))
    assert set(found) == expected


def test_stops_at_as_many_as_are_asked_for():
    assert len(subsets_summing_to([1] * 10, 3, size_max=3, found_max=2)) == 2


def test_gives_up_on_too_many_combinations():
    with pytest.raises(TooMany):
        subsets_summing_to([2] * 40, 41, size_max=10, found_max=1)
