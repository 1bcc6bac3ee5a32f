"""What follows from a log is derived without the engine: by the fast way and by the close look alike."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledgercore.ledger.accounts import AccountStatus, Limits
from ledgercore.ledger.commands import AnyCommand, ChangeAccount, ClosePeriod, Group, OpenAccount, Reversal
from ledgercore.ledger.holds import Capture, CaptureGroup, ChangeHold, PlaceHold, ReplaceHold, VoidGroup, VoidHold
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.log.encoding import microseconds
from ledgercore.ledger.log.logged import by_record, read_row
from ledgercore.ledger.log.projection import Projection
from ledgercore.ledger.outcomes import Applied
from ledgercore.ledger.ports import Journal
from ledgercore.ledger.proofs.verification import verify
from ledgercore.ledger.transactions import Line, Transaction, transfer
from ledgercore.money import Money
from ledgercore.testing.books import EUR, SETTINGS, USD, keep_books
from ledgercore_memory import MemoryStore

PATHS = ("assets:bank", "assets:wallet:ann", "income:sales", "liabilities:loan", "nowhere:at:all")


@pytest.fixture
def books(memory_store: MemoryStore, clock: Any) -> Ledger:
    """A ledger in memory in which one of everything has happened."""
    ledger = Ledger(memory_store.create("books", SETTINGS))
    keep_books(ledger, wait=lambda time: clock.forward(seconds=time.total_seconds()))
    return ledger


def derived(journal: Journal, *, fast: bool) -> tuple[Projection, int]:
    """Everything that follows from the log, and how many records went the fast way."""
    projection = Projection()
    count = 0
    rows = list(journal.rows())
    for record in by_record(map(read_row, rows)):
        mine = [row for row in rows if int.from_bytes(row[4:12]) == record[0].number]
        if fast and projection.apply_transfer(mine[0], microseconds(record[0].recorded_at)) and len(mine) == 1:
            count += 1
        else:
            assert list(projection.apply(record)) == []
    return projection, count


def shown(projection: Projection) -> Any:
    states = [(state.number, state.path, state.snapshot(), state.opened_at) for state in projection.accounts.values()]
    return states, projection.holds, projection.settings, projection.closed_through


def test_fast_way_comes_to_the_same(books: Ledger) -> None:
    """Plain transfers are taken in from their bytes; the result is that of the close look."""
    slowly, none = derived(books.journal, fast=False)
    quickly, some = derived(books.journal, fast=True)

    assert shown(quickly) == shown(slowly)
    assert (none, some > 30) == (0, True)


def test_derived_accounts_and_holds_are_those_stored(books: Ledger) -> None:
    """What the engine stored is what addition alone comes to."""
    projection, _ = derived(books.journal, fast=True)

    stored = {state.path: state.as_account() for state in books.journal.stored_accounts()}
    assert {state.path: state.as_account() for state in projection.accounts.values()} == stored
    assert projection.holds == {hold.id: hold for hold in books.journal.stored_holds()}
    assert projection.closed_through == books.state().closed_through


def plain_row(journal: Journal) -> tuple[Projection, bytes, int]:
    """The last plain transfer of a small ledger, and everything before it."""
    ledger = Ledger(journal)
    for _ in range(2):
        ledger.transfer(debit="assets:bank", credit="income:sales", amount=Money(12_345, EUR))
    *rows, last = list(journal.rows())
    projection = Projection()
    for record in by_record(map(read_row, rows)):
        assert list(projection.apply(record)) == []
    return projection, last, microseconds(read_row(last).recorded_at)


def test_fast_way_turns_down_whatever_differs(memory_ledger: Ledger) -> None:
    """Any change of a byte before the texts goes to the close look instead, and nothing is taken in.

    Number, id and effective time may be others; the texts are covered by the hash of the row alone.
    """
    projection, row, recorded = plain_row(memory_ledger.journal)
    before = shown(projection)
    free = {*range(4, 12), *range(27, 43), *range(47, 55)}
    texts = row.index(bytes.fromhex("ff" * 28))

    for at in set(range(texts + 4)) - free:
        for change in (0x01, 0x80):
            changed = row[:at] + bytes([row[at] ^ change]) + row[at + 1 :]

            assert not projection.apply_transfer(changed, recorded)
            assert shown(projection) == before
    assert projection.apply_transfer(row, recorded)


def test_fast_way_turns_down_bytes_that_are_no_row() -> None:
    """Too short, or cut off in the middle of an amount."""
    projection = Projection()

    assert not projection.apply_transfer(b"", 0)
    assert not projection.apply_transfer(bytes(95), 0)


amounts = st.integers(1, 500).map(lambda minor: Money(minor, EUR)) | st.just(Money(5, USD))
paths = st.sampled_from(PATHS)
lines = st.tuples(amounts, paths, paths).filter(lambda line: line[1] != line[2]).map(lambda line: Line(*line))
names = st.one_of(st.none(), st.integers(0, 5).map(str))
groups = st.sampled_from(["one", "two"])


def commands_on(ids: Sequence[Any], clock: Any) -> st.SearchStrategy[AnyCommand]:
    """Any command; those on holds and transactions name one of the ids."""
    soon = clock.now + timedelta(minutes=5)
    id_ = st.sampled_from(ids)
    times = st.sampled_from([None, clock.now - timedelta(days=3), clock.now - timedelta(hours=1)])
    return st.one_of(
        st.builds(lambda line, key, at: Transaction(lines=[line], key=key, effective_at=at), lines, names, times),
        st.builds(
            lambda line, key, bps, group, expires: PlaceHold(
                lines=[line], key=key, tolerance_bps=bps, group=group, expires_at=expires
            ),
            lines, names, st.sampled_from([0, 1_000]), st.one_of(st.none(), groups), st.sampled_from([None, soon]),
        ),
        st.builds(lambda hold, amount: Capture(hold=hold, amount=amount), id_, st.one_of(st.none(), amounts)),
        st.builds(lambda hold, amount: ChangeHold(hold=hold, amount=amount), id_, amounts),
        st.builds(lambda hold: VoidHold(hold=hold), id_),
        st.builds(lambda hold: ReplaceHold(hold=hold), id_),
        st.builds(lambda id_, amount: Reversal(transaction=id_, amount=amount), id_, st.one_of(st.none(), amounts)),
        st.builds(lambda group: CaptureGroup(group=group), groups),
        st.builds(lambda group: VoidGroup(group=group), groups),
        st.builds(lambda path, key: OpenAccount(path=path, currency=EUR, key=key), paths, names),
        st.builds(lambda path, status: ChangeAccount(path=path, status=status), paths, st.sampled_from(AccountStatus)),
        st.builds(lambda path: ChangeAccount(path=path, limits=Limits(-200, 900)), paths),
        st.just(ClosePeriod(through=clock.now - timedelta(days=2))),
    )  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_commands_leave_a_ledger_that_verifies(data: st.DataObject, clock: Any) -> None:
    """Whatever is asked for, and however much of it is refused, everything stored follows from the log."""
    journal = MemoryStore(clock=clock).create("any", SETTINGS)
    sale = transfer(debit=PATHS[0], credit=PATHS[2], amount=Money(700, EUR))
    ids = [outcome.id for outcome in journal.append([sale]) if isinstance(outcome, Applied)]
    for _ in range(data.draw(st.integers(1, 6))):
        batch = data.draw(st.lists(commands_on(ids, clock), min_size=1, max_size=6))
        together = [Group(batch)] if data.draw(st.booleans()) else batch
        outcomes = journal.append(together, atomic=data.draw(st.booleans()))
        ids += [outcome.id for outcome in outcomes if isinstance(outcome, Applied)]
        clock.forward(minutes=data.draw(st.sampled_from([0, 6])))

    found = verify(journal)

    assert found.divergences == {}
