"""Which few of many amounts add up to one."""

from collections.abc import Iterator, Sequence
from typing import Final

STEPS_MAX: Final = 20_000
"""So many steps before a search is given up; beyond, chance would find sums that mean nothing."""


class TooMany(Exception):
    """There are too many combinations to say which add up."""


def subsets_summing_to(amounts: Sequence[int], total: int, *, size_max: int, found_max: int) -> list[tuple[int, ...]]:
    """Up to `found_max` sets of places, each of 2 to `size_max`, whose amounts add up to a total above zero.

    Amounts are above zero too. Raises `TooMany` when the search takes more than `STEPS_MAX` steps.
    """
    order = sorted(range(len(amounts)), key=lambda place: -amounts[place])
    sizes = [amounts[place] for place in order]
    rest = [0] * (len(sizes) + 1)
    for place in range(len(sizes) - 1, -1, -1):
        rest[place] = rest[place + 1] + sizes[place]
    found: list[tuple[int, ...]] = []
    for chosen in _search(sizes, rest, total, size_max):
        found.append(tuple(sorted(order[place] for place in chosen)))
        if len(found) == found_max:
            break
    return found


def _search(sizes: Sequence[int], rest: Sequence[int], total: int, size_max: int) -> Iterator[tuple[int, ...]]:
    """Walk the choices depth first, largest amounts first; a branch ends where what is left cannot make up the sum."""
    stack: list[tuple[int, int, tuple[int, ...]]] = [(0, total, ())]
    steps = 0
    while stack:
        steps += 1
        if steps > STEPS_MAX:
            raise TooMany
        place, missing, chosen = stack.pop()
        if missing == 0:
            if len(chosen) > 1:
                yield chosen
            continue
        if place == len(sizes) or len(chosen) == size_max or rest[place] < missing:
            continue
        stack.append((place + 1, missing, chosen))
        if sizes[place] <= missing:
            stack.append((place + 1, missing - sizes[place], (*chosen, place)))
