"""Exports: a ledger goes through text into another one and keeps its head; whatever was altered is refused."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledgercore.errors import ConflictError, InternalError
from ledgercore.ledger.accounts import AccountStatus, Limits, Opening
from ledgercore.ledger.commands import AnyCommand, ChangeAccount, Group, OpenAccount, Reversal, Settings
from ledgercore.ledger.files.exporting import ExportReader, export_lines
from ledgercore.ledger.holds import Capture, CaptureGroup, ChangeHold, PlaceHold, ReplaceHold, VoidGroup, VoidHold
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.log.chain import GENESIS
from ledgercore.ledger.outcomes import Refused
from ledgercore.ledger.queries import LedgerState
from ledgercore.ledger.transactions import Line, Transaction, credit, debit
from ledgercore.money import Currency, Money, currency
from ledgercore_memory import MemoryJournal, MemoryStore

EUR = currency("EUR")
GOLD = Currency("GOLD18", 18)
SETTINGS = Settings(opening=Opening(on_first_use=True), assets=(GOLD,))


def euros(minor: int) -> Money:
    return Money(minor, EUR)


def exported(ledger: Ledger) -> list[str]:
    return list(export_lines(ledger.journal))


def restored(lines: list[str], journal) -> LedgerState:
    return ExportReader([line.encode() for line in lines]).restore(journal)


def fill(ledger: Ledger, clock) -> None:
    """Leave a record of every kind behind."""
    ledger.open_account("assets:vault", GOLD, limits=Limits(minimum=0, maximum=10**30), metadata={"room": "ü"})
    ledger.transfer(
        debit="assets:vault", credit="equity:gold", amount=Money(10**20 + 1, GOLD), key="k1", description='"ä;\n\t',
        reference="ref", metadata={"deep": [{"n": None, "t": True, "i": 10**40}], "ö": "\u2028"},
    )  # fmt: skip
    sale = ledger.post(
        Transaction(
            lines=[
                debit("assets:bank", euros(1190)), credit("income:sales", euros(1000)),
                credit("liabilities:vat", euros(190)), Line(Money.of(7, "JPY"), "assets:yen", "income:yen"),
            ],
            effective_at=clock.now - timedelta(days=400),
        )
    )  # fmt: skip
    ledger.transfer(debit="assets:bank", credit="income:sales", amount=euros(5))
    ledger.reverse(sale.id, lines=[Line(Money.of(3, "JPY"), "assets:yen", "income:yen")], description="part")
    ledger.change_account("assets:bank", limits=Limits(minimum=0))
    refused = ledger.post_all(
        [Transaction(lines=[Line(euros(10**9), "income:sales", "assets:bank")], key="never", metadata={"x": "y"})]
    )
    assert not hasattr(refused[0], "number")
    open_, changed, part, voided, expired = (
        ledger.hold(debit="expenses:x", credit="assets:bank", amount=euros(100), group="g", **more).id
        for more in ({}, {}, {"tolerance_bps": 500}, {}, {"expires_at": clock.now + timedelta(hours=1)})
    )
    ledger.change_hold(changed, euros(150))
    ledger.capture(part, amount=euros(40))
    ledger.void(voided)
    clock.forward(hours=2)
    ledger.replace_hold(expired, expires_at=clock.now + timedelta(days=1))
    ledger.capture(open_)
    ledger.hold(debit="expenses:x", credit="assets:bank", amount=euros(1), group="others")
    ledger.post_all([VoidGroup(group="others", key="vg")])
    ledger.change_account("liabilities:vat", status=AccountStatus.FROZEN)
    ledger.close_period(datetime(2025, 12, 31, tzinfo=UTC))


@pytest.fixture
def full(memory_store: MemoryStore, clock) -> Ledger:
    ledger = Ledger(memory_store.create("full", SETTINGS))
    fill(ledger, clock)
    return ledger


def assert_same(one: Ledger, other: Ledger) -> None:
    assert other.state().head == one.state().head
    assert list(other.journal.rows()) == list(one.journal.rows())
    assert list(other.journal.stored_holds()) == list(one.journal.stored_holds())
    assert other.list_accounts(limit=1000) == one.list_accounts(limit=1000)


def test_export_restores_to_the_same_head(store, clock):
    """Every kind of record goes through text and back, byte for byte, between adapters as within one."""
    ledger = Ledger(store.create("full", SETTINGS))
    fill(ledger, clock)
    elsewhere = MemoryStore(clock=clock).create_empty("copy")
    back = store.create_empty("back")

    restored(exported(ledger), elsewhere)
    restored(exported(Ledger(elsewhere)), back)

    assert_same(ledger, Ledger(elsewhere))
    assert_same(ledger, Ledger(back))


def test_restored_ledger_goes_on(full: Ledger, memory_store: MemoryStore):
    """After a restore the ledger knows every key, limit, hold and lock date, and takes new postings."""
    copy = Ledger(memory_store.create_empty("copy"))
    restored(exported(full), copy.journal)

    again = copy.post_all([Transaction(lines=[Line(euros(10**9), "income:sales", "assets:bank")], key="never")])

    assert isinstance(again[0], Refused)
    assert again[0].reason.code == "idempotency_key_reused"
    assert copy.state().settings == full.state().settings
    assert copy.state().closed_through == full.state().closed_through
    copy.transfer(debit="assets:bank", credit="income:sales", amount=euros(5))
    assert copy.state().number == full.state().number + 1


def test_lines_are_readable(full: Ledger):
    """A line names accounts by path and amounts in units; the header counts what follows."""
    lines = [json.loads(line) for line in exported(full)]

    header, records = lines[0], [line for line in lines if "record" in line]
    state = full.state()
    assert header == {
        "format": "export/1", "ledger": "full", "records": state.number, "batches": state.batch,
        "head": state.head.hex(),
    }  # fmt: skip
    assert [record["record"] for record in records] == list(range(1, state.number + 1))
    [gold] = [record for record in records if record.get("key") == "k1"]
    assert gold["lines"] == [
        {
            "debit": "assets:vault", "credit": "equity:gold", "amount": "100.000000000000000001",
            "amount_minor": "100000000000000000001", "currency": "GOLD18",
            "debit_balance": "100.000000000000000001", "credit_balance": "100.000000000000000001",
            "flags": ["effective_when_recorded"],
        }
    ]  # fmt: skip


def test_progress_counts_records(full: Ledger):
    """`advance` adds up to the number of records."""
    told: list[int] = []

    list(export_lines(full.journal, advance=told.append))

    assert sum(told) == full.state().number


def test_empty_ledger_has_an_export(memory_store: MemoryStore):
    """A ledger without records is a header and nothing else."""
    lines = exported(Ledger(memory_store.create_empty("none")))

    state = restored(lines, memory_store.create_empty("copy"))

    assert (len(lines), state.head) == (1, GENESIS)


@pytest.mark.parametrize("kept", range(1, 54, 3))
def test_cut_off_restore_goes_on(full: Ledger, memory_store: MemoryStore, kept: int):
    """A file that ends too soon is refused; whole batches stay, and the whole file completes them."""
    lines = exported(full)
    copy = memory_store.create_empty("copy")
    assert kept < len(lines)

    with pytest.raises(ConflictError) as refused:
        restored(lines[:kept], copy)
    before = copy.state().batch
    restored(lines, copy)

    assert (refused.value.code, refused.value.details["line"]) == ("export_diverges", kept + 1)
    begun = sum('"batch":' in line for line in lines[:kept])
    assert before in (begun, begun - 1)
    assert copy.state().head == full.state().head


def test_restoring_twice_changes_nothing(full: Ledger, memory_store: MemoryStore):
    """A ledger that has everything already stays as it is."""
    copy = memory_store.create_empty("copy")
    restored(exported(full), copy)

    state = restored(exported(full), copy)

    assert state.head == full.state().head


def test_other_ledger_is_refused(full: Ledger, memory_store: MemoryStore):
    """An export goes only into an empty ledger, or into the beginning of itself."""
    other = Ledger(memory_store.create("other"))

    with pytest.raises(ConflictError) as refused:
        restored(exported(full), other.journal)

    assert (refused.value.code, refused.value.details["line"], other.state().batch) == ("export_diverges", 2, 1)


def test_ledger_that_went_on_is_refused(full: Ledger, memory_store: MemoryStore):
    """A ledger with more than the export has is not turned back."""
    lines = exported(full)
    full.transfer(debit="assets:bank", credit="income:sales", amount=euros(5))

    with pytest.raises(ConflictError, match="more than the export"):
        restored(lines, full.journal)


def changed(lines: list[str], index: int, change) -> list[str]:
    document = json.loads(lines[index])
    change(document)
    return [*lines[:index], json.dumps(document) + "\n", *lines[index + 1 :]]


@settings(deadline=None)
@given(data=st.data())
def test_any_altered_line_is_refused(data):
    """A line that was taken out, doubled, swapped, or changed in any one field never restores to a head."""
    lines = ALTERABLE
    index = data.draw(st.integers(0, len(lines) - 1))
    how = data.draw(st.sampled_from(["drop", "double", "swap", "field", "extra", "text"]))
    if how == "drop":
        altered = lines[:index] + lines[index + 1 :]
    elif how == "double":
        altered = lines[: index + 1] + lines[index:]
    elif how == "swap":
        other = data.draw(st.integers(0, len(lines) - 1).filter(lambda other: other != index))
        altered = list(lines)
        altered[index], altered[other] = lines[other], lines[index]
    elif how == "text":
        altered = [*lines[:index], data.draw(st.sampled_from(["", "x", "[]", "null", "{}", "\ud800", "1" * 5000])), ""]
        altered[index] = altered[index] + "\n"
    elif how == "extra":
        altered = changed(lines, index, lambda document: document.update(note=1))
    else:
        field = data.draw(st.sampled_from(sorted(json.loads(lines[index]))))
        value = data.draw(
            st.sampled_from([None, "", "x", 0, -1, [], {}, "2026-01-01T00:00:00+00:00", "00", 1.5, {"lines": 3}])
        )
        altered = changed(lines, index, lambda document: document.update({field: value}))
        if index == 0 and field == "ledger":
            return
    store = MemoryStore(clock=lambda: datetime(2026, 3, 1, tzinfo=UTC))

    with pytest.raises(ConflictError) as refused:
        ExportReader([line.encode("utf-8", "surrogatepass") for line in altered]).restore(store.create_empty("copy"))

    assert refused.value.code == "export_diverges"
    assert refused.value.details["line"]


def test_damaged_ledger_is_not_exported(full: Ledger):
    """Rows that are not what the log committed to are found while they are written."""
    assert isinstance(full.journal, MemoryJournal)
    row = full.journal._rows[5]
    full.journal._rows[5] = row[:-1] + bytes([row[-1] ^ 1])

    with pytest.raises(InternalError) as refused:
        exported(full)

    assert refused.value.code == "log_diverged"


MINOR = st.integers(1, 300)
PATHS = st.sampled_from(["assets:a", "assets:b", "liabilities:c", "income:d", "expenses:e"])
LINES = st.lists(
    st.builds(
        lambda sides, minor: (*sides, minor), st.tuples(PATHS, PATHS).filter(lambda pair: pair[0] != pair[1]), MINOR
    ),
    min_size=1,
    max_size=3,
)
NAMES = st.one_of(st.none(), st.sampled_from(["k1", "k2", "k3"]))


class Drawn:
    """Draws commands, some of which refer to earlier ones."""

    def __init__(self, data) -> None:
        self.data = data
        self.holds: list[UUID] = [UUID(int=1)]
        self.transactions: list[UUID] = [UUID(int=1)]
        self.ids = (UUID(int=number) for number in count(2))

    def command(self) -> AnyCommand | None:
        draw = self.data.draw
        key = draw(NAMES)
        kind = draw(st.integers(0, 9))
        try:
            if kind <= 2:
                id_ = None if key else next(self.ids)
                if id_:
                    self.transactions.append(id_)
                return Transaction(lines=self.lines(), id=id_, key=key, description=draw(st.none() | st.just("t")))
            if kind == 3:
                self.holds.append(next(self.ids))
                return PlaceHold(lines=self.lines(), id=self.holds[-1], group=draw(st.none() | st.just("g")))
            hold = draw(st.sampled_from(self.holds))
            if kind == 4:
                return Capture(hold=hold, key=key, final=draw(st.booleans()))
            if kind == 5:
                return ChangeHold(hold=hold, amount=euros(draw(MINOR)), key=key)
            if kind == 6:
                return draw(
                    st.sampled_from(
                        [VoidHold(hold=hold), ReplaceHold(hold=hold), CaptureGroup(group="g"), VoidGroup(group="g")]
                    )
                )
            if kind == 7:
                return Reversal(transaction=draw(st.sampled_from(self.transactions)), key=key)
            if kind == 8:
                return ChangeAccount(path=draw(PATHS), limits=Limits(minimum=draw(st.sampled_from([None, 0, -100]))))
            return OpenAccount(path=draw(PATHS), currency=EUR, key=key)
        except ValueError:
            return None

    def lines(self) -> tuple[Line, ...]:
        return tuple(Line(euros(minor), debit, credit) for debit, credit, minor in self.data.draw(LINES)[:1])


@settings(deadline=None, max_examples=60)
@given(data=st.data(), batches=st.integers(1, 6))
def test_whatever_was_recorded_restores(data, batches):
    """Random commands, alone, in groups and refused: every ledger they leave behind survives the round trip."""
    now = datetime(2026, 3, 1, tzinfo=UTC)
    store = MemoryStore(clock=lambda: now)
    ledger = Ledger(store.create("random", SETTINGS))
    drawn = Drawn(data)
    for _ in range(batches):
        commands = [drawn.command() for _ in range(data.draw(st.integers(1, 5)))]
        batch = [command for command in commands if command is not None]
        ledger.post_all([Group(batch)] if data.draw(st.booleans()) else batch)
    copy = Ledger(store.create_empty("copy"))

    restored(exported(ledger), copy.journal)

    assert_same(ledger, copy)


def _alterable() -> list[str]:
    moment = [datetime(2026, 3, 1, tzinfo=UTC)]

    class Clock:
        now = moment[0]

        def __call__(self) -> datetime:
            self.now += timedelta(microseconds=1)
            return self.now

        def forward(self, **delta: float) -> datetime:
            self.now += timedelta(**delta)
            return self.now

    clock = Clock()
    ledger = Ledger(MemoryStore(clock=clock).create("full", SETTINGS))
    fill(ledger, clock)
    return exported(ledger)


ALTERABLE = _alterable()
