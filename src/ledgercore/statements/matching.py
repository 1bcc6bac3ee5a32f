"""Finding what explains what: stages from the surest to the least sure, each taking what earlier ones left."""

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID

from attrs import evolve, field, frozen

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import INVALID_ARGUMENT
from ledgercore.statements.lines import StatementLine
from ledgercore.statements.matches import Allocation, BookItem, Proposal, Stage
from ledgercore.statements.subsets import TooMany, subsets_summing_to

WORD_LENGTH_MIN: Final = 3
CANDIDATES_MAX: Final = 40
"""A sum is looked for among so many at most: among more, chance finds one."""
WINDOW_DAYS_MAX: Final = 60
TOLERANCE_MINOR_MAX: Final = 100_000
_NEVER: Final = 1_000_000
_WORDS: Final = re.compile(r"\w+")


@frozen(kw_only=True)
class MatchingRules:
    """What counts as near: days, and minor units that may be missing.

    Tolerance needs the account that differences are booked to. Raises `invalid_argument`.
    """

    window_days: int = 5
    batch_max: int = 10
    tolerance_minor: int = 0
    tolerance_account: str | None = None

    def __attrs_post_init__(self) -> None:
        _check_between("window_days", self.window_days, WINDOW_DAYS_MAX)
        _check_between("tolerance", self.tolerance_minor, TOLERANCE_MINOR_MAX)
        if bool(self.tolerance_minor) is not (self.tolerance_account is not None):
            raise ValidationError(
                INVALID_ARGUMENT, field="tolerance_account", why="a tolerance and an account for it are given together"
            )


@frozen(kw_only=True)
class OpenLine:
    """A line and how much of it nothing explains yet."""

    line: StatementLine
    open_minor: int


@frozen(kw_only=True)
class OpenItem:
    """A transaction and how much of it nothing explains yet."""

    item: BookItem
    open_minor: int


Open: TypeAlias = OpenLine | OpenItem
OpenT = TypeVar("OpenT", OpenLine, OpenItem)


@frozen
class Board:
    """What is open, on both sides."""

    lines: dict[UUID, OpenLine] = field(factory=dict)
    items: dict[UUID, OpenItem] = field(factory=dict)

    def take(self, proposal: Proposal) -> None:
        """Let go of what a certain proposal explains."""
        for each in proposal.lines:
            del self.lines[each.id]
        for each in proposal.transactions:
            del self.items[each.id]


def propose(lines: Iterable[OpenLine], items: Iterable[OpenItem], rules: MatchingRules) -> list[Proposal]:
    """What explains what: certain proposals, none of which takes what another names, and those that are guesses."""
    board = Board({each.line.id: each for each in lines}, {each.item.transaction_id: each for each in items})
    proposals: list[Proposal] = []
    guessed: set[UUID] = set()
    for stage in STAGES:
        # What an earlier stage has a guess about, a later one cannot be certain of.
        found = [_beside(guessed, proposal) for proposal in stage(board, rules)]
        for proposal in found:
            if proposal.is_certain:
                board.take(proposal)
            else:
                guessed.update(proposal.ids)
        proposals += found
    return proposals


def by_ids(board: Board, _: MatchingRules) -> Iterator[Proposal]:
    """The bank names what the ledger's transaction is called."""
    return _by_names(board, Stage.IDS, lambda line: line.said.references)


def by_structured_reference(board: Board, _: MatchingRules) -> Iterator[Proposal]:
    """The payer gave the reference that was asked for (ISO 11649, or the creditor's own)."""
    return _by_names(board, Stage.STRUCTURED_REFERENCE, lambda line: line.said.structured_references)


def by_amount_and_counterparty(board: Board, rules: MatchingRules) -> Iterator[Proposal]:
    """The same amount within some days; certain only where the counterparty is named too and there is one of each."""
    same = list(_near(board, rules, difference_max=0))
    named = [pair for pair in same if _is_named(*pair)]
    yield from _one_to_one(named, Stage.AMOUNT_AND_COUNTERPARTY)
    told = {id for pair in named for id in _ids(*pair)}
    unnamed = [pair for pair in same if told.isdisjoint(_ids(*pair))]
    for proposal in _one_to_one(unnamed, Stage.AMOUNT_AND_COUNTERPARTY):
        # The amount alone may be chance.
        yield evolve(proposal, rivals=max(proposal.rivals, 1), why={**proposal.why, "counterparty": "not named"})


def by_batch_sum(board: Board, rules: MatchingRules) -> Iterator[Proposal]:
    """One line is several transactions, or one transaction several lines; certain where only one choice adds up."""
    lines, items = list(board.lines.values()), list(board.items.values())
    items_on, lines_on = _by_day(items), _by_day(lines)
    found = [([line], some) for line in lines for some in _sums_to(line, items_on, rules)]
    found += [(some, [item]) for item in items for some in _sums_to(item, lines_on, rules)]
    uses = Counter(id for left, right in found for id in _ids(*left, *right))
    for left, right in found:
        rivals = max(uses[id] for id in _ids(*left, *right)) - 1
        why = {"lines": len(left), "transactions": len(right)}
        yield _whole(Stage.BATCH_SUM, left, right, why=why, rivals=rivals)


def by_tolerance(board: Board, rules: MatchingRules) -> Iterator[Proposal]:
    """Nearly the same amount and the counterparty; the difference is booked to the account that was named for it."""
    if rules.tolerance_minor:
        near = _near(board, rules, difference_max=rules.tolerance_minor)
        yield from _one_to_one([pair for pair in near if _is_named(*pair)], Stage.TOLERANCE)


STAGES: Final = (by_ids, by_structured_reference, by_amount_and_counterparty, by_batch_sum, by_tolerance)


def _beside(guessed: AbstractSet[UUID], proposal: Proposal) -> Proposal:
    return proposal if guessed.isdisjoint(proposal.ids) else evolve(proposal, rivals=proposal.rivals + 1)


def _by_names(board: Board, stage: Stage, names_of: Callable[[StatementLine], Sequence[str]]) -> Iterator[Proposal]:
    known: dict[str, list[OpenItem]] = defaultdict(list)
    for item in board.items.values():
        for name in dict.fromkeys(map(_plain, item.item.names)):
            known[name].append(item)
    asked: dict[str, list[OpenLine]] = defaultdict(list)
    for line in board.lines.values():
        for name in dict.fromkeys(map(_plain, names_of(line.line))):
            if name in known:
                asked[name].append(line)
    groups = {frozenset(_ids(*lines, *known[name])): name for name, lines in asked.items()}
    uses = Counter(id for members in groups for id in members)
    for members, name in groups.items():
        rivals = max(uses[id] for id in members) - 1
        why = {"reference": name}
        lines, items = asked[name], known[name]
        if _total(lines) == _total(items):
            yield _whole(stage, lines, items, why=why, rivals=rivals)
        elif len(lines) == 1 == len(items) and _total(lines) * _total(items) > 0:
            yield _part(stage, lines[0], items[0], why=why, rivals=rivals)


def _near(board: Board, rules: MatchingRules, *, difference_max: int) -> Iterator[tuple[OpenLine, OpenItem]]:
    """Lines and transactions of about the same amount, within the window."""
    items = sorted(board.items.values(), key=lambda item: item.open_minor)
    amounts = [item.open_minor for item in items]
    for line in board.lines.values():
        first = bisect_left(amounts, line.open_minor - difference_max)
        end = bisect_right(amounts, line.open_minor + difference_max)
        for item in items[first:end]:
            if item.open_minor * line.open_minor > 0 and _days_between(line, item) <= rules.window_days:
                yield line, item


def _one_to_one(pairs: Sequence[tuple[OpenLine, OpenItem]], stage: Stage) -> Iterator[Proposal]:
    uses = Counter(id for pair in pairs for id in _ids(*pair))
    for line, item in pairs:
        rivals = max(uses[_id(line)], uses[_id(item)]) - 1
        why = {"amount_minor": str(line.open_minor), "days": _days_between(line, item)}
        if line.line.said.counterparty:
            why["counterparty"] = line.line.said.counterparty
        yield _whole(stage, [line], [item], why=why, rivals=rivals)


def _by_day(parts: Iterable[OpenT]) -> dict[date, list[OpenT]]:
    found: dict[date, list[OpenT]] = defaultdict(list)
    for each in parts:
        day = _day_of(each)
        if day is not None:
            found[day].append(each)
    return found


def _sums_to(one: Open, others: Mapping[date, Sequence[OpenT]], rules: MatchingRules) -> list[list[OpenT]]:
    """The few of the others that add up to one; at most two choices, since two are too many to be certain."""
    day = _day_of(one)
    if day is None:
        return []
    near = [
        other
        for days in range(-rules.window_days, rules.window_days + 1)
        for other in others.get(day + timedelta(days=days), ())
        if other.open_minor * one.open_minor > 0 and abs(other.open_minor) < abs(one.open_minor)
    ]
    if not 1 < len(near) <= CANDIDATES_MAX:
        return []
    amounts = [abs(each.open_minor) for each in near]
    try:
        found = subsets_summing_to(amounts, abs(one.open_minor), size_max=rules.batch_max, found_max=2)
    except TooMany:
        return []
    return [[near[place] for place in places] for places in found]


def _whole(
    stage: Stage, lines: Sequence[OpenLine], items: Sequence[OpenItem], *, why: Mapping[str, Any], rivals: int
) -> Proposal:
    """Explain all of what is named; a difference is for the tolerance account."""
    return Proposal(
        stage=stage,
        lines=tuple(Allocation(id=_id(each), signed_minor=each.open_minor) for each in lines),
        transactions=tuple(Allocation(id=_id(each), signed_minor=each.open_minor) for each in items),
        why=why,
        tolerance_minor=_total(lines) - _total(items),
        rivals=rivals,
    )


def _part(stage: Stage, line: OpenLine, item: OpenItem, *, why: Mapping[str, Any], rivals: int) -> Proposal:
    """Explain as much as both have in common; the rest of the larger one stays open."""
    common = min(line.open_minor, item.open_minor, key=abs)
    return Proposal(
        stage=stage,
        lines=(Allocation(id=_id(line), signed_minor=common),),
        transactions=(Allocation(id=_id(item), signed_minor=common),),
        why=why,
        rivals=rivals,
        is_partial=True,
    )


def _is_named(line: OpenLine, item: OpenItem) -> bool:
    """Whether every longer word of the counterparty's name, or its account, stands in the transaction."""
    said, words = line.line.said, item.item.words
    if said.counterparty_account and said.counterparty_account.upper() in words:
        return True
    name = [word for word in _WORDS.findall((said.counterparty or "").upper()) if len(word) >= WORD_LENGTH_MIN]
    return bool(name) and set(name) <= set(_WORDS.findall(words))


def _days_between(one: Open, other: Open) -> int:
    first, second = _day_of(one), _day_of(other)
    return abs((first - second).days) if first is not None and second is not None else _NEVER


def _day_of(each: Open) -> date | None:
    return each.line.said.on if isinstance(each, OpenLine) else each.item.on


def _ids(*parts: Open) -> list[UUID]:
    return [_id(each) for each in parts]


def _id(each: Open) -> UUID:
    return each.line.id if isinstance(each, OpenLine) else each.item.transaction_id


def _total(parts: Sequence[Open]) -> int:
    return sum(each.open_minor for each in parts)


def _check_between(name: str, value: int, most: int) -> None:
    if not 0 <= value <= most:
        raise ValidationError(INVALID_ARGUMENT, field=name, value=value, least=0, most=most)


def _plain(name: str) -> str:
    return "".join(name.split()).upper()
