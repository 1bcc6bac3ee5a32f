"""Laws of the ledger, on random commands in memory."""

from collections import defaultdict

from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from ledgercore.ledger.accounts import Limits
from ledgercore.ledger.commands import Group, Reversal, identity_of
from ledgercore.ledger.holds import PlaceHold, VoidHold
from ledgercore.ledger.outcomes import Applied, GroupOutcome, Refused
from ledgercore.ledger.queries import NOW
from ledgercore.ledger.transactions import Line, Transaction, credit, debit, transfer
from ledgercore.money import Currency, Money
from ledgercore.testing.ledgers import EUR, everything, key_id
from ledgercore.testing.logs import account_fields, check_derived
from ledgercore.testing.side_by_side import SideBySide, World
from ledgercore.testing.strategies import RULES, Step, drafts, prelude, steps
from ledgercore_memory import MemoryJournal, MemoryStore


class Bench:
    """A ledger in memory with the small world's beginnings."""

    def __init__(self, *, with_prelude: bool = True) -> None:
        self.world = World()
        self.both = SideBySide.create(self.world, [self.store()], "law", RULES)
        [journal] = self.both.journals
        assert isinstance(journal, MemoryJournal)
        self.journal = journal
        if with_prelude:
            self.both.post(prelude(self.world.now))

    def store(self) -> MemoryStore:
        return MemoryStore(clock=self.world.clock, random_bytes=self.world.random_bytes)

    def written(self, step):
        self.world.forward(step.seconds)
        return step.batch(self.both.available, self.world.now)

    def stored(self):
        return (
            [account_fields(state) for state in self.journal.stored_accounts()],
            list(self.journal.stored_holds()),
            self.journal.state().settings,
            self.journal.state().closed_through,
        )


def flat(outcomes):
    """Every outcome, those of groups too."""
    for outcome in outcomes:
        if isinstance(outcome, GroupOutcome):
            yield from outcome.outcomes
        else:
            yield outcome


sequences = st.lists(steps(), min_size=1, max_size=6)


@given(sequences)
def test_debits_equal_credits_in_every_currency(sequence):
    """Whatever is posted, the balances of each currency add up to nothing, with every account's side."""
    bench = Bench()

    for step in sequence:
        bench.both.post(bench.written(step), atomic=step.atomic)

        totals: dict[Currency, int] = defaultdict(int)
        for balance in bench.journal.balances(at=NOW):
            totals[balance.currency] += balance.debits_minus_credits.minor
        assert not any(totals.values())


@given(sequences)
def test_state_follows_from_the_log(sequence):
    """Balances, holds, settings and lock date are what the log comes to by addition alone."""
    bench = Bench()

    for step in sequence:
        bench.both.post(bench.written(step), atomic=step.atomic)

        check_derived(bench.journal)


@given(sequences)
def test_pending_is_what_open_holds_reserve(sequence):
    """Pending is never negative, and exactly the sum of what open holds still reserve."""
    bench = Bench()

    for step in sequence:
        bench.both.post(bench.written(step), atomic=step.atomic)

        reserved: dict[tuple[str | None, str], int] = defaultdict(int)
        for hold in bench.journal.stored_holds():
            for line in hold.remaining_lines() if hold.status == "open" else ():
                reserved[line.debit, "debit"] += line.amount.minor
                reserved[line.credit, "credit"] += line.amount.minor
        for state in bench.journal.stored_accounts():
            assert state.pending_debits == reserved[state.path, "debit"] >= 0
            assert state.pending_credits == reserved[state.path, "credit"] >= 0


@given(sequences)
def test_no_command_takes_an_account_past_its_limits(sequence):
    """After every single command each account is within its limits, or no further beyond them than before."""
    bench = Bench()

    for step in sequence:
        for item in bench.written(step):
            before = {seen.path: seen for seen in map(Seen.of, bench.journal.stored_accounts())}
            bench.both.post([item])
            for state in bench.journal.stored_accounts():
                _check_limits(before.get(state.path), state)


@frozen
class Seen:
    """What limits are about, at some moment."""

    path: str
    available: int
    reach: int
    limits: Limits

    @classmethod
    def of(cls, state):
        return cls(state.path, state.available, state.balance + state.pending_in, state.limits)


def _check_limits(before, state):
    if before is not None and before.limits != state.limits:
        return
    least, most = state.limits.minimum, state.limits.maximum
    available, reach = (0, 0) if before is None else (before.available, before.reach)
    if least is not None:
        assert state.available >= min(least, available)
    if most is not None:
        assert state.balance + state.pending_in <= max(most, reach)


@given(sequences)
def test_replay_changes_nothing_and_answers_the_same(sequence):
    """A batch sent again under its names is answered as the first time, and moves nothing."""
    bench = Bench()
    sent = []
    for step in sequence:
        batch = [item for item in bench.written(step) if not isinstance(item, Group) and identity_of(item) is not None]
        sent.append((batch, step.atomic, bench.both.post(batch, atomic=step.atomic)))
    bench.journal.expire_holds()
    before, head = bench.stored(), bench.journal.state().head

    for batch, atomic, first in sent:
        again = bench.both.post(batch, atomic=atomic)

        for old, new in zip(first, again, strict=True):
            if isinstance(old, Applied):
                assert isinstance(new, Applied)
                assert (new.identity, new.number, new.recorded_at, new.replayed) == (
                    old.identity, old.number, old.recorded_at, True,
                )  # fmt: skip
            else:
                assert isinstance(old, Refused)
                assert isinstance(new, Refused)
                assert new.reason == old.reason
    assert (bench.stored(), bench.journal.state().head) == (before, head)


@given(sequences, steps())
def test_refused_group_leaves_everything_as_it_was(sequence, last):
    """When one command of an atomic batch is refused, accounts and holds are byte for byte as before."""
    bench = Bench()
    for step in sequence:
        bench.both.post(bench.written(step), atomic=step.atomic)
    batch = bench.written(last)
    bench.journal.expire_holds()
    before = bench.stored()
    never = transfer(debit="elsewhere:a", credit="elsewhere:b", amount=Money(1, EUR))

    outcomes = bench.both.post([*batch, never], atomic=True)

    assert not any(isinstance(outcome, Applied) and not outcome.replayed for outcome in flat(outcomes))
    assert bench.stored() == before
    check_derived(bench.journal)


@given(sequences, st.data())
def test_splitting_a_batch_changes_no_outcome(sequence, data):
    """Independent commands come to the same in one batch as in several."""
    whole, parts = Bench(), Bench()

    for step in sequence:
        batch = whole.written(step)
        parts.world.now = whole.world.now
        at = data.draw(st.integers(0, len(batch)), label="split at")
        outcomes = whole.both.post(batch)
        split = [*parts.both.post(batch[:at]), *parts.both.post(batch[at:])]

        assert [_kind(outcome) for outcome in flat(outcomes)] == [_kind(outcome) for outcome in flat(split)]
    assert _amounts(whole) == _amounts(parts)


def _kind(outcome):
    if isinstance(outcome, Refused):
        return outcome.reason.code, outcome.replayed
    return type(outcome).__name__, outcome.replayed


def _amounts(bench):
    return [
        (state.path, state.balance, state.pending_debits, state.pending_credits, state.version, state.status)
        for state in sorted(bench.journal.stored_accounts(), key=lambda state: state.path)
    ]


lines_of_transactions = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("efgh"), st.integers(1, 10**12)), min_size=1, max_size=6
)


@given(lines_of_transactions, st.booleans(), st.data())
def test_reversals_cancel(drawn, one_sided, data):
    """However a transaction is undone, in parts or at once, nothing of it remains; and no more is undone."""
    bench = Bench(with_prelude=False)
    lines = []
    for left, right, minor in drawn:
        amount = Money(minor, EUR)
        pair = [Line(amount, f"assets:{left}", f"income:{right}")]
        lines += [debit(f"assets:{left}", amount), credit(f"income:{right}", amount)] if one_sided else pair
    bench.both.post([Transaction(lines=lines, id=key_id(1))])
    before_again = _amounts(bench)

    for line in [] if one_sided else lines:
        part = Money(data.draw(st.integers(1, line.amount.minor)), EUR)
        bench.both.post([Reversal(transaction=key_id(1), lines=[Line(part, line.debit, line.credit)])])
    bench.both.post([Reversal(transaction=key_id(1))])

    assert all(balance == 0 for _, balance, *_ in _amounts(bench))
    [refused] = bench.both.post([Reversal(transaction=key_id(1))])
    assert isinstance(refused, Refused)
    assert refused.reason.code == "transaction_already_reversed"
    assert [path for path, *_ in before_again] == [path for path, *_ in _amounts(bench)]


@given(lines_of_transactions, st.booleans())
def test_hold_and_void_restore_what_was_available(drawn, by_time):
    """A hold that is let go, by choice or by time, leaves every balance as it was."""
    bench = Bench(with_prelude=False)
    bench.both.post(
        [Transaction(lines=[Line(Money(minor, EUR), f"assets:{a}", f"income:{b}") for a, b, minor in drawn])]
    )
    before = everything(bench.journal)[0]
    lines = [Line(Money(minor, EUR), f"income:{b}", f"assets:{a}") for a, b, minor in drawn]
    end = bench.world.now.replace(year=2027)

    bench.both.post([PlaceHold(lines=lines, id=key_id(1), expires_at=end)])
    during = everything(bench.journal)[0]
    if by_time:
        bench.world.now = end
    else:
        bench.both.post([VoidHold(hold=key_id(1))])

    assert during != before
    assert everything(bench.journal)[0] == before


@given(drafts())
def test_single_commands_need_no_batch(draft):
    """A command posted by itself and in a group of one comes to the same."""
    alone, grouped = Bench(), Bench()

    batch = alone.written(Step(0, (draft,), False))
    grouped.both.post([Group(batch)])
    alone.both.post(batch)

    assert alone.stored() == grouped.stored()
