"""Random commands over a small world, so that they meet: few accounts, names, holds and times. Needs hypothesis.

Amounts are minor units, or words that are looked up just before the batch is posted: exactly what is
available on an account, or one more.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from attrs import frozen
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ledgercore.errors import LedgercoreError
from ledgercore.ledger.accounts import AccountStatus, AccountType, Limits, Opening
from ledgercore.ledger.commands import (
    AnyCommand,
    BatchItem,
    ChangeAccount,
    ChangeSettings,
    ClosePeriod,
    Group,
    OpenAccount,
    Reversal,
    Settings,
)
from ledgercore.ledger.holds import (
    Capture,
    CaptureGroup,
    ChangeHold,
    PlaceHold,
    ReplaceHold,
    VoidGroup,
    VoidHold,
)
from ledgercore.ledger.transactions import Line, Precondition, Transaction
from ledgercore.money import Currency, Money
from ledgercore.testing.ledgers import EUR, MONDAY, USD, key_id

Amount: TypeAlias = int | tuple[str, int]
"""Minor units, or an account with what to add to what is available on it."""

Draft: TypeAlias = Callable[[Callable[[Amount], int], datetime], AnyCommand]
"""A command that still has to look up amounts and the time; it may turn out not to be one."""

ACCOUNTS: Final = ("liabilities:w", "assets:till", "assets:bank", "income:x", "expenses:y", "assets:usd", "elsewhere")
CURRENCIES: Final[Mapping[str, Currency]] = {"assets:usd": USD}
RULES: Final = Settings(
    opening=Opening(
        on_first_use=True,
        types=(
            ("assets", AccountType.ASSET),
            ("liabilities", AccountType.LIABILITY),
            ("income", AccountType.INCOME),
            ("expenses", AccountType.EXPENSE),
        ),
        limits=(("liabilities", Limits(minimum=0)), ("assets:till", Limits(minimum=-50, maximum=200))),
    )
)
STRICT: Final = Settings()


def prelude(now: datetime) -> list[BatchItem]:
    """What every random sequence begins with: money to move, and holds and transactions to name."""
    wallet, till, sales = ACCOUNTS[0], ACCOUNTS[1], ACCOUNTS[3]
    one = Line(Money(20, EUR), wallet, sales)
    compound = [
        Line(Money(30, EUR), debit="assets:bank"),
        Line(Money(20, EUR), credit=sales),
        Line(Money(10, EUR), credit=till),
    ]

    def hold(number: int, lines: list[Line], **options: Any) -> PlaceHold:
        return PlaceHold(id=key_id(number), lines=lines, **options)

    return [
        Transaction(id=key_id(21), lines=[Line(Money(200, EUR), "assets:bank", wallet)]),
        Transaction(id=key_id(22), lines=[Line(Money(60, EUR), till, sales)], effective_at=now - timedelta(days=2)),
        Transaction(id=key_id(23), lines=compound, effective_at=now - timedelta(days=1)),
        Transaction(id=key_id(24), lines=[Line(Money(70, USD), "assets:usd", "income:usd"), *compound], key=None),
        hold(11, [one]),
        hold(12, [one], group="g", tolerance_bps=1000, metadata={"n": 1}),
        hold(13, [one, Line(Money(10, EUR), wallet, till)], group="g", expires_at=now + timedelta(hours=1)),
        hold(14, compound, tolerance_bps=10_000, expires_at=now + timedelta(hours=2)),
        Reversal(id=key_id(25), transaction=key_id(22), amount=Money(10, EUR)),
        Capture(id=key_id(26), hold=key_id(11), amount=Money(5, EUR)),
    ]


@frozen
class Step:
    """What happens at once: time passes, then a batch is posted."""

    seconds: int
    items: tuple[Any, ...]
    atomic: bool

    def batch(self, available: Callable[[str], int], now: datetime) -> list[BatchItem]:
        """The batch itself; drafts that turn out to be no commands are left out."""
        found: list[BatchItem] = []
        for item in self.items:
            if isinstance(item, tuple):
                found.append(Group([each for draft in item if (each := _written(draft, available, now))]))
            elif each := _written(item, available, now):
                found.append(each)
        return found


def _written(draft: Draft, available: Callable[[str], int], now: datetime) -> AnyCommand | None:
    def look_up(amount: Amount) -> int:
        return amount if isinstance(amount, int) else available(amount[0]) + amount[1]

    try:
        return draft(look_up, now)
    except LedgercoreError:
        return None


paths: Final = st.sampled_from(ACCOUNTS[:4] * 6 + ACCOUNTS)
_EXACT: Final = [(path, more) for path in ("liabilities:w", "assets:till") for more in (0, 1, -1)]
amounts: Final[SearchStrategy[Amount]] = st.sampled_from(
    [1, 2, 5, 10, 10, 20, 49, 50, 51, 99, 100, 101, 200, 10**38 - 1, 10**37, *_EXACT]
)
hold_ids: Final = st.sampled_from([key_id(number) for number in (11, 12, 13, 14, 15, 16, 17)])
transaction_ids: Final = st.sampled_from([key_id(number) for number in (21, 22, 23, 24, 25, 26)])
_new_ids: Final = st.integers(26, 40).map(key_id)
names: Final[SearchStrategy[dict[str, Any]]] = st.sampled_from(
    [
        {},
        {},
        {},
        *({"key": f"key {number}"} for number in range(6)),
        *({"id": key_id(26 + number)} for number in range(6)),
    ]
)
_days: Final = st.sampled_from([None, None, None, -6, -3, -2, -1, 0, 1, 3])
_metadata: Final = st.sampled_from([None, None, {"n": 1}, {"n": True}, {"l": [1, {"a": "ü"}], "n": None}])
_texts: Final = st.sampled_from([None, None, "text", "ü'\\"])


def _moment(days: int | None, now: datetime) -> datetime | None:
    return None if days is None else now + timedelta(days=days)


def _money(path: str, minor: int) -> Money:
    return Money(minor, CURRENCIES.get(path, EUR))


@st.composite
def line_drafts(draw: st.DrawFn) -> Callable[[Callable[[Amount], int]], list[Line]]:
    """One transfer, several, or a compound of one-sided lines that mostly balance."""
    form = draw(st.sampled_from(["transfer"] * 6 + ["transfers", "compound", "compound"]))
    if form == "transfer":
        debit, credit, amount = draw(paths), draw(paths), draw(amounts)
        return lambda look_up: [Line(_money(debit, look_up(amount)), debit, credit)]
    if form == "transfers":
        drawn = draw(st.lists(st.tuples(paths, paths, amounts), min_size=2, max_size=3))
        return lambda look_up: [Line(_money(debit, look_up(amount)), debit, credit) for debit, credit, amount in drawn]
    debit, credits = draw(paths), draw(st.lists(st.tuples(paths, amounts), min_size=1, max_size=3))
    off_by = draw(st.sampled_from([0] * 9 + [1]))

    def compound(look_up: Callable[[Amount], int]) -> list[Line]:
        minors = [look_up(amount) for _, amount in credits]
        return [
            Line(_money(debit, sum(minors) + off_by), debit=debit),
            *(Line(_money(debit, minor), credit=path) for (path, _), minor in zip(credits, minors, strict=True)),
        ]

    return compound


@st.composite
def transaction_drafts(draw: st.DrawFn) -> Draft:
    """A transaction, now and then with a precondition or an effective time."""
    lines, name, days = draw(line_drafts()), draw(names), draw(_days)
    texts: dict[str, Any] = {"description": draw(_texts), "reference": draw(_texts), "metadata": draw(_metadata)}
    looked_at, seen = draw(paths), draw(st.sampled_from([None] * 6 + ["balance", "version"]))
    version = draw(st.integers(0, 4))

    def write(look_up: Callable[[Amount], int], now: datetime) -> Transaction:
        conditions = []
        if seen == "balance":
            conditions.append(Precondition(looked_at, balance=look_up((looked_at, 0))))
        elif seen == "version":
            conditions.append(Precondition(looked_at, version=version))
        return Transaction(
            lines=lines(look_up), preconditions=conditions, effective_at=_moment(days, now), **texts, **name
        )

    return write


@st.composite
def hold_drafts(draw: st.DrawFn) -> Draft:
    """A hold of the small world: its id is one that other commands ask for."""
    lines, hold_id, named = draw(line_drafts()), draw(st.integers(15, 19).map(key_id)), draw(st.booleans())
    hours = draw(st.sampled_from([None, None, 1, 2, 2, 24, 0]))
    bps, group = draw(st.sampled_from([0, 0, 1000, 10_000])), draw(st.sampled_from([None, "g", "g", "h"]))
    metadata = draw(_metadata)
    return lambda look_up, now: PlaceHold(
        lines=lines(look_up),
        id=hold_id if named else None,
        expires_at=None if hours is None else now + timedelta(hours=hours),
        tolerance_bps=bps,
        group=group,
        metadata=metadata,
    )


@st.composite
def hold_move_drafts(draw: st.DrawFn) -> Draft:
    """What may be done with a hold or a group of them."""
    hold_id, name, amount = draw(hold_ids), draw(names), draw(amounts)
    move = draw(
        st.sampled_from(["capture"] * 4 + ["all"] * 2 + ["lines", "change", "change", "void", "replace", "group"])
    )
    final, days, lines = draw(st.booleans()), draw(_days), draw(line_drafts())
    group, captures = draw(st.sampled_from(["g", "h"])), draw(st.booleans())
    new_id, hours = draw(st.integers(15, 19).map(key_id)), draw(st.sampled_from([None, 1]))

    def write(look_up: Callable[[Amount], int], now: datetime) -> AnyCommand:
        effective_at = _moment(days, now)
        if move == "capture":
            return Capture(
                hold=hold_id, amount=Money(look_up(amount), EUR), final=final, effective_at=effective_at, **name
            )
        if move == "all":
            return Capture(hold=hold_id, **name)
        if move == "lines":
            return Capture(hold=hold_id, lines=lines(look_up), final=final, **name)
        if move == "change":
            return ChangeHold(hold=hold_id, amount=Money(look_up(amount), EUR), **name)
        if move == "void":
            return VoidHold(hold=hold_id, **name)
        if move == "replace":
            end = None if hours is None else now + timedelta(hours=hours)
            return ReplaceHold(hold=hold_id, id=new_id, expires_at=end)
        return CaptureGroup(group=group, **name) if captures else VoidGroup(group=group, **name)

    return write


@st.composite
def reversal_drafts(draw: st.DrawFn) -> Draft:
    """A reversal of what may have been posted under an id, wholly or in part."""
    id_, name, days = draw(transaction_ids), draw(names), draw(_days)
    amount, lines = draw(amounts), draw(line_drafts())
    form = draw(st.sampled_from(["whole", "whole", "amount", "amount", "lines"]))

    def write(look_up: Callable[[Amount], int], now: datetime) -> Reversal:
        part: dict[str, Any] = {}
        if form == "amount":
            part["amount"] = Money(look_up(amount), EUR)
        elif form == "lines":
            part["lines"] = lines(look_up)
        return Reversal(transaction=id_, effective_at=_moment(days, now), **part, **name)

    return write


@st.composite
def account_drafts(draw: st.DrawFn) -> Draft:
    """Openings and changes of accounts."""
    path, name, opens = draw(paths), draw(names), draw(st.booleans())
    low, high = draw(st.sampled_from([None, 0, -100, 50])), draw(st.sampled_from([None, None, 50, 500]))
    status, metadata = draw(st.sampled_from([None, None, *AccountStatus, AccountStatus.OPEN])), draw(_metadata)
    type_ = draw(st.sampled_from([None, AccountType.EQUITY]))
    if opens:
        return lambda _, __: OpenAccount(
            path=path,
            currency=CURRENCIES.get(path, EUR),
            type=type_,
            limits=Limits(low, high),
            metadata=metadata,
            **name,
        )
    limits = None if low is None and high is None else Limits(low, high)
    return lambda _, __: ChangeAccount(path=path, status=status, limits=limits, metadata=metadata, **name)


@st.composite
def ledger_drafts(draw: st.DrawFn) -> Draft:
    """Lock dates and settings."""
    name, days = draw(names), draw(st.sampled_from([-5, -3, -1]))
    if draw(st.sampled_from([True, False, False])):
        settings = draw(st.sampled_from([RULES, STRICT]))
        return lambda _, __: ChangeSettings(settings=settings, **name)
    return lambda _, now: ClosePeriod(through=now + timedelta(days=days), **name)


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    """A command of any kind; postings and holds more often than others."""
    kind = draw(st.sampled_from(_KINDS))
    return draw(kind())


_KINDS: Final = (
    *[transaction_drafts] * 7,
    *[hold_drafts] * 4,
    *[hold_move_drafts] * 8,
    *[reversal_drafts] * 3,
    *[account_drafts] * 2,
    ledger_drafts,
)


def steps(*, items_max: int = 6) -> SearchStrategy[Step]:
    """A batch of commands and groups of them, some time after the one before."""
    item = st.sampled_from([True, True, True, True, False]).flatmap(
        lambda alone: drafts() if alone else st.lists(drafts(), max_size=4).map(tuple)
    )
    return st.builds(
        Step,
        seconds=st.sampled_from([0, 0, 1, 1800, 3600, 7200, 86_400, -3600]),
        items=st.lists(item, max_size=items_max).map(tuple),
        atomic=st.sampled_from([False, False, False, True]),
    )


def points() -> SearchStrategy[tuple[datetime | None, datetime | None]]:
    """An effective and a recorded time around the small world's, either of them possibly open."""
    moment = st.one_of(
        st.none(),
        st.integers(-8, 8).map(lambda days: MONDAY + timedelta(days=days)),
        st.integers(0, 20_000).map(lambda seconds: MONDAY + timedelta(seconds=seconds)),
    )
    return st.tuples(moment, moment)
