"""The engine on facts made by hand: commands and values go in, answers and records come out."""

import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from ledgercore.errors.catalog import GROUP_REFUSED
from ledgercore.ledger.accounts import AccountState, AccountStatus, AccountType, Limits, Opening
from ledgercore.ledger.commands import ChangeAccount, ClosePeriod, Group, OpenAccount, Reversal, Settings, identity_of
from ledgercore.ledger.holds import Capture, CaptureGroup, HeldLine, Hold, HoldStatus, PlaceHold, VoidGroup, VoidHold
from ledgercore.ledger.log.records import CREDIT_LATE, DEBIT_LATE, EFFECTIVE_WHEN_RECORDED
from ledgercore.ledger.outcomes import Applied, GroupOutcome, Posted, Refused
from ledgercore.ledger.rules.engine import evaluate
from ledgercore.ledger.rules.working_set import (
    Known,
    Reversible,
    WorkingSet,
    paths_of,
    paths_of_hold,
    targets_of,
)
from ledgercore.ledger.transactions import Line, PostedLine, PostedTransaction, Precondition, Transaction, transfer
from ledgercore.money import Money, currency

EUR, USD = currency("EUR"), currency("USD")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
OPEN_ALL = Settings(opening=Opening(on_first_use=True))


def eur(minor):
    return Money(minor, EUR)


def account(path, balance=0, **fields):
    fields = {"type": AccountType.ASSET, "currency": EUR, "opened_at": NOON - HOUR, **fields}
    return AccountState(number=sum(map(ord, path)), path=path, balance=balance, **fields)


def working(*accounts, holds=(), groups=None, **fields):
    return WorkingSet(
        accounts={state.path: state for state in accounts},
        holds={hold.id: hold for hold in holds},
        groups=groups or {},
        **fields,
    )


def open_hold(number, *lines, status=HoldStatus.OPEN, **fields):
    held = tuple(HeldLine(line=line) for line in lines)
    return Hold(id=UUID(int=number), lines=held, status=status, placed_at=NOON - HOUR, **fields)


def run(batch, facts, *, now=NOON, atomic=False):
    """Evaluate and number the records; ids count from 1,000."""
    ids = (number.to_bytes(16) for number in itertools.count(1_000))
    decided = evaluate(batch, facts, now=now, new_id=lambda: next(ids), atomic=atomic)
    for number, record in enumerate(decided.records, 1):
        record.number = number
    return decided


def codes(decided):
    """Each outcome as a code or the name of its class."""
    return [
        outcome.reason.code if isinstance(outcome, Refused) else type(outcome).__name__
        for outcome in decided.outcomes(NOON)
    ]


def pay(minor, **fields):
    return transfer(debit="b", credit="a", amount=eur(minor), **fields)


def test_transfer_moves_two_accounts():
    """One record, one row: both accounts, the amount, both balances, and the flag of an unnamed time."""
    a, b = account("a", 500), account("b", type=AccountType.INCOME)

    decided = run([transfer(debit="a", credit="b", amount=eur(100))], working(a, b))

    [record] = decided.records
    assert record.lines == [(a, b, 100, 600, 100, EFFECTIVE_WHEN_RECORDED)]
    assert (record.effective_at, a.balance, a.version, a.changed, a.latest_effective_at) == (NOON, 600, 1, True, NOON)
    assert decided.outcomes(NOON) == [Posted(record.identity, 1, NOON)]


@pytest.mark.parametrize(
    ("debit_latest", "credit_latest", "flags"),
    [
        (None, None, 0),
        (NOON, NOON, 0),
        (NOON + HOUR, NOON, DEBIT_LATE),
        (NOON, NOON + HOUR, CREDIT_LATE),
        (NOON + HOUR, NOON + HOUR, DEBIT_LATE | CREDIT_LATE),
    ],
)
@pytest.mark.parametrize("lines", [1, 2])
def test_late_entries_are_marked_on_their_side(debit_latest, credit_latest, flags, lines):
    """An entry is late when its account has one that counts later; equal times are in order."""
    a, b = account("a", latest_effective_at=debit_latest), account("b", latest_effective_at=credit_latest)
    line = Line(eur(1), "a", "b")

    decided = run([Transaction(lines=[line] * lines, effective_at=NOON)], working(a, b))

    assert [row[5] for row in decided.records[0].lines] == [flags] * lines
    assert a.latest_effective_at == max(filter(None, [debit_latest, NOON]))


@pytest.mark.parametrize("lines", [1, 2])
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"status": AccountStatus.FROZEN}, "account_frozen"),
        ({"status": AccountStatus.CLOSED}, "account_closed"),
        ({"limits": Limits(minimum=101 - 6)}, "insufficient_funds"),
        ({"currency": USD}, "currency_mismatch"),
        ({"balance": -(10**38) + 2}, "balance_overflow"),
        ({"limits": Limits(minimum=0), "pending_credits": 96}, "insufficient_funds"),
    ],
)
def test_account_refuses(fields, code, lines):
    """Whichever side and form, a refusal changes neither account."""
    a, b = account("a", **{"balance": 100, **fields}), account("b")
    before = (a.snapshot(), b.snapshot())

    decided = run([Transaction(lines=[Line(eur(6 // lines), "b", "a")] * lines)], working(a, b))

    assert codes(decided) == [code]
    assert decided.records == []
    assert (a.snapshot(), b.snapshot()) == before


def test_overflow_is_noticed_on_the_credit_side_too():
    """A balance keeps to 38 digits in either direction."""
    a, b = account("a"), account("b", 10**38 - 1, type=AccountType.INCOME)

    assert codes(run([transfer(debit="a", credit="b", amount=eur(1))], working(a, b))) == ["balance_overflow"]


def test_pending_keeps_to_38_digits():
    """Holds that nobody could capture together are refused."""
    a, b = account("a", pending_credits=10**38 - 1), account("b")

    assert codes(run([PlaceHold(lines=[Line(eur(1), "b", "a")])], working(a, b))) == ["balance_overflow"]


def test_accounts_open_before_what_uses_them():
    """The log says that an account exists before it says what happened on it."""
    decided = run([transfer(debit="assets:a", credit="income:b", amount=eur(1))], working(settings=OPEN_ALL))

    assert [record.kind for record in decided.records] == ["o", "o", "t"]
    assert [state.path for state in decided.opened] == ["assets:a", "income:b"]
    decided.number_accounts(after=7, recorded_at=NOON)
    assert [(state.number, state.opened_at) for state in decided.opened] == [(8, NOON), (9, NOON)]


def test_refused_first_use_opens_nothing():
    """An account that was opened in thought is forgotten with the command, and thought of again by the next."""
    facts = working(account("assets:a", currency=USD), settings=OPEN_ALL)
    batch = [transfer(debit=path, credit="income:new", amount=eur(1)) for path in ("assets:a", "assets:b")]

    decided = run(batch, facts)

    assert codes(decided) == ["currency_mismatch", "Posted"]
    assert [state.path for state in decided.opened] == ["assets:b", "income:new"]


def test_refused_hold_opens_nothing():
    """What a hold or a compound transaction thought of is forgotten too."""
    facts = working(settings=OPEN_ALL)
    batch = [
        PlaceHold(lines=[Line(eur(1), "assets:a", "nowhere")]),
        Transaction(lines=[Line(eur(1), "assets:b", "income:c"), Line(eur(1), "assets:d", "nowhere")]),
    ]

    decided = run(batch, facts)

    assert codes(decided) == ["account_not_found"] * 2
    assert (decided.opened, facts.accounts) == ([], {})


def test_due_holds_go_first():
    """Holds whose time has passed are let go before the first command, in the order of their ids."""
    line = Line(eur(10), "b", "a")
    a, b = account("a", 20, limits=Limits(minimum=0), pending_credits=20), account("b", pending_debits=20)
    holds = [open_hold(2, line, expires_at=NOON), open_hold(1, line, expires_at=NOON - HOUR), open_hold(3, line)]
    b.pending_debits += 10
    a.pending_credits += 10

    decided = run([pay(10), pay(1)], working(a, b, holds=holds))

    assert [(record.kind, record.subject and record.subject[-1]) for record in decided.records] == [
        ("e", 1), ("e", 2), ("t", None),
    ]  # fmt: skip
    assert codes(decided) == ["Posted", "insufficient_funds"]
    assert (a.pending_credits, b.pending_debits) == (10, 10)
    assert {hold.id.int: hold.status for hold in decided.holds} == {1: "expired", 2: "expired"}


def test_known_name_is_answered_from_what_is_known():
    """A repeat is compared with what was posted, and answered without a look at the accounts."""
    command = pay(5, key="k", metadata={"a": 1})
    posted = PostedTransaction(
        id=UUID(bytes=identity_of(command)), number=3, kind="t", effective_at=NOON, recorded_at=NOON, key="k",
        lines=(PostedLine(line=command.lines[0], debit_balance=None, credit_balance=None),), metadata={"a": 1},
    )  # fmt: skip
    known = Known(kind="t", number=3, recorded_at=NOON - HOUR, posted=posted, named_effective=False)
    facts = working(known={posted.id.bytes: known})

    decided = run([command, pay(6, key="k", metadata={"a": 1}), pay(5, key="k", metadata={"a": True})], facts)

    [again, *others] = decided.outcomes(NOON)
    assert again == Posted(posted.id.bytes, 3, NOON - HOUR, replayed=True)
    assert [other.reason.code for other in others] == ["idempotency_key_reused"] * 2
    assert others[0].details["first_number"] == 3
    assert decided.records == []


def test_name_of_a_capture_is_not_a_transaction():
    """A transaction with the content of a capture that the ledger named itself is another command."""
    command = pay(5, id=UUID(int=9), effective_at=NOON)
    posted = PostedTransaction(
        id=UUID(int=9), number=3, kind="c", effective_at=NOON, recorded_at=NOON, captures=UUID(int=1),
        lines=(PostedLine(line=command.lines[0], debit_balance=None, credit_balance=None),),
    )  # fmt: skip
    known = Known(kind="c", number=3, recorded_at=NOON, posted=posted)

    assert codes(run([command], working(known={posted.id.bytes: known}))) == ["idempotency_key_reused"]


def test_refused_group_puts_back_what_it_touched():
    """Everything a group reached is as before: accounts, holds, groups of holds, lock date, remainders."""
    line = Line(eur(10), "b", "a")
    posted = PostedTransaction(
        id=UUID(int=50), number=1, kind="t", effective_at=NOON, recorded_at=NOON,
        lines=(PostedLine(line=Line(eur(30), "c", "d"), debit_balance=None, credit_balance=None),),
    )  # fmt: skip
    a, b, c, d = account("a", 100, pending_credits=10), account("b", pending_debits=10), account("c"), account("d")
    facts = working(
        a, b, c, d, holds=[open_hold(1, line, group="g")], groups={"g": [UUID(int=1)]}, settings=OPEN_ALL,
        reversibles={posted.id: Reversible(posted=posted, reversed_minor={("c", "d"): 5})},
    )  # fmt: skip
    before = [state.snapshot() for state in (a, b, c, d)]
    group = Group(
        [
            PlaceHold(lines=[Line(eur(1), "assets:new", "a")], id=UUID(int=2), group="g"),
            CaptureGroup(group="g"),
            Reversal(transaction=posted.id, amount=eur(25)),
            ClosePeriod(through=NOON - HOUR),
            OpenAccount(path="assets:other", currency=EUR),
            ChangeAccount(path="a", status=AccountStatus.FROZEN),
            pay(1),
        ]
    )

    decided = run([group], facts)

    [outcome] = decided.outcomes(NOON)
    assert isinstance(outcome, GroupOutcome)
    assert [each.reason.code for each in outcome.outcomes if isinstance(each, Refused)] == ["group_refused"] * 6 + [
        "account_frozen"
    ]
    assert [state.snapshot() for state in (a, b, c, d)] == before
    assert (set(facts.accounts), set(facts.holds), facts.groups) == (set("abcd"), {UUID(int=1)}, {"g": [UUID(int=1)]})
    assert (facts.closed_through, facts.reversibles[posted.id].reversed_minor) == (None, {("c", "d"): 5})
    assert (decided.opened, decided.holds) == ([], [])
    # The hold alone carried a name; its refusal is what is recorded.
    assert [(record.kind, record.identity) for record in decided.records] == [("x", UUID(int=2).bytes)]
    assert outcome.refusal is outcome.outcomes[6]


def test_group_refused_only_by_others_still_tells_why():
    """A group of repeats whose first answer was that their group was refused has no better reason."""
    told = GroupOutcome((Refused(GROUP_REFUSED, {}),))

    assert told.refusal is told.outcomes[0]
    assert GroupOutcome((Applied(bytes(16), 1, NOON),)).refusal is None


def test_atomic_batch_keeps_its_shape():
    """Groups inside an atomic batch get their outcomes as groups."""
    a, b = account("a", 100), account("b")

    decided = run([Group([pay(1), pay(2)]), pay(3), Group([])], working(a, b), atomic=True)

    first, second, third = decided.outcomes(NOON)
    assert isinstance(first, GroupOutcome)
    assert isinstance(third, GroupOutcome)
    assert (len(first.outcomes), type(second), third.outcomes) == (2, Posted, ())


def test_preconditions_are_asked_before_anything_moves():
    """Of several conditions the first that does not hold is told."""
    a, b = account("a", 100, version=4), account("b")

    decided = run(
        [
            pay(1, preconditions=[Precondition("a", balance=100, version=4), Precondition("b", version=0)]),
            pay(1, preconditions=[Precondition("a", balance=99, version=4)]),
            pay(1, preconditions=[Precondition("c")]),
        ],
        working(a, b),
    )

    assert codes(decided) == ["Posted", "version_precondition_failed", "account_not_found"]


def test_group_of_holds_is_voided_in_the_order_of_ids():
    """Each hold gets its own record, and the group one that names them."""
    line = Line(eur(10), "b", "a")
    a, b = account("a", 100, pending_credits=30), account("b", pending_debits=30)
    ids = [UUID(int=number) for number in (3, 1, 2)]
    holds = [open_hold(id_.int, line, group="g") for id_ in ids]

    decided = run(
        [VoidGroup(group="g"), VoidHold(hold=ids[0]), Capture(hold=ids[1])],
        working(a, b, holds=holds, groups={"g": ids}),
    )

    assert codes(decided) == ["Applied", "hold_already_closed", "hold_already_closed"]
    assert [record.kind for record in decided.records] == ["v", "v", "v", "b"]
    assert decided.records[-1].body == {"group": "g", "voided": [str(id_) for id_ in sorted(ids)]}
    assert a.pending_credits == 0


def test_working_set_is_what_commands_name():
    """Accounts by path, holds and transactions by id, groups by name."""
    one = UUID(int=1)
    commands = [
        pay(1, preconditions=[Precondition("p")]),
        Transaction(lines=[Line(eur(1), debit="x"), Line(eur(1), credit="y")]),
        PlaceHold(lines=[Line(eur(1), "h", "i")]),
        OpenAccount(path="o", currency=EUR),
        Capture(hold=one),
        VoidGroup(group="g"),
        Reversal(transaction=one),
        ClosePeriod(through=NOON),
    ]

    targets = targets_of(commands)

    assert paths_of(commands) == {"a", "b", "p", "x", "y", "h", "i", "o"}
    assert (targets.holds, targets.groups, targets.transactions) == (frozenset([one]), frozenset("g"), frozenset([one]))
    assert targets
    assert not targets_of(commands[:4])
    assert paths_of_hold(open_hold(1, Line(eur(1), "h", "i"), Line(eur(1), debit="j"))) == {"h", "i", "j"}
