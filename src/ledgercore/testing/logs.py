"""The log: chained entries, rows byte for byte, events, and copies of a ledger made from them."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from ledgercore.errors import ConflictError
from ledgercore.ledger.accounts import AccountStatus, Limits
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.log.chain import GENESIS, first_gap
from ledgercore.ledger.log.logged import by_record, read_row
from ledgercore.ledger.log.merkle import tree_root
from ledgercore.ledger.log.projection import Projection
from ledgercore.ledger.log.restoring import record_leaves
from ledgercore.ledger.ports import Journal, LedgerStore
from ledgercore.ledger.queries import Event
from ledgercore.ledger.transactions import Transaction, credit, debit, transfer
from ledgercore.testing.ledgers import EUR, OPENING, LedgerContract, StoppedClock, day, eur, everything, refusal

FIELDS = (
    "number", "path", "currency", "type", "status", "limits", "balance", "pending_debits", "pending_credits", "version",
    "latest_effective_at", "opened_at", "metadata",
)  # fmt: skip


def account_fields(state: Any) -> tuple[Any, ...]:
    """Everything that is stored of an account."""
    return tuple(getattr(state, name) for name in FIELDS)


def derived(journal: Journal) -> Projection:
    """What follows from the rows of the log by addition alone; fails where they contradict themselves."""
    projection = Projection()
    for record in by_record(map(read_row, journal.rows())):
        assert list(projection.apply(record)) == []
    return projection


def check_derived(journal: Journal) -> None:
    """What is stored must be what follows from the log."""
    projection = derived(journal)
    assert [account_fields(state) for state in journal.stored_accounts()] == [
        account_fields(state) for state in projection.accounts.values()
    ]
    assert list(journal.stored_holds()) == sorted(projection.holds.values(), key=lambda hold: hold.id)
    assert (journal.state().settings, journal.state().closed_through) == (
        projection.settings,
        projection.closed_through,
    )


def busy_week(ledger: Ledger, clock: StoppedClock) -> None:
    """A little of everything, in several batches."""
    ledger.open_account("liabilities:w", EUR, limits=Limits(minimum=0), metadata={"a": [None, 1, "ü"]})
    ledger.transfer(
        debit="assets:bank", credit="liabilities:w", amount=eur("100.00"), description="in", metadata={"n": 1}
    )
    lines = [debit("liabilities:w", eur("9.00")), credit("income:x", eur("4.00")), credit("income:y", eur("5.00"))]
    compound = ledger.post(Transaction(lines=lines, reference="R", effective_at=day(3), key="compound"))
    ledger.reverse(compound.id, lines=[lines[0], credit("income:x", eur("4.00")), credit("income:y", eur("5.00"))])
    end = clock.now + timedelta(hours=1)
    first = ledger.hold(
        debit="liabilities:w", credit="income:x", amount=eur("50.00"), expires_at=end, tolerance_bps=100
    ).id
    ledger.capture(first, amount=eur("5.00"))
    ledger.change_hold(first, eur("60.00"))
    second = ledger.hold(debit="liabilities:w", credit="income:x", amount=eur("10.00"), group="g").id
    ledger.capture(second, amount=eur("3.00"), final=True)
    ledger.void(ledger.hold(debit="liabilities:w", credit="income:x", amount=eur("10.00")).id)
    clock.forward(hours=2)
    ledger.replace_hold(first, expires_at=clock.now + timedelta(hours=1))
    refusal(ledger, transfer(debit="liabilities:w", credit="income:x", amount=eur("900.00"), key="no"))
    ledger.change_account("income:y", status=AccountStatus.FROZEN, limits=Limits(-1, 10**20), metadata={"m": {}})
    ledger.close_period(day(5))


class LogContract(LedgerContract):
    """Every batch extends a log that commits to all before it."""

    def test_new_ledger_records_its_settings(self, store: LedgerStore, ledger_name: str) -> None:
        """Settings are the first record; the head commits to it."""
        state = store.create(ledger_name, OPENING).state()

        assert (state.number, state.batch, state.settings, state.accounts_count) == (1, 1, OPENING, 0)
        assert state.head != GENESIS
        assert state.closed_through is None

    def test_entries_form_a_chain(self, ledger: Ledger, clock: StoppedClock) -> None:
        """One entry a batch, without a gap, the last one's head being the ledger's."""
        busy_week(ledger, clock)

        entries, state = list(ledger.journal.log_entries()), ledger.state()

        assert first_gap(entries) is None
        assert (entries[-1].head, entries[-1].last_number, entries[-1].batch, entries[-1].recorded_at) == (
            state.head, state.number, state.batch, state.recorded_at,
        )  # fmt: skip

    def test_entries_commit_to_their_rows(self, ledger: Ledger, clock: StoppedClock) -> None:
        """The root of each entry is the Merkle root over its records, a record being its rows."""
        busy_week(ledger, clock)

        for entry in ledger.journal.log_entries():
            rows = list(ledger.journal.rows(after_number=entry.first_number - 1, through_number=entry.last_number))
            assert tree_root(record_leaves(rows)) == entry.root

    def test_log_is_read_from_any_batch(self, ledger: Ledger, clock: StoppedClock) -> None:
        """A reader resumes after a batch, and takes as many as it wants."""
        busy_week(ledger, clock)
        entries = list(ledger.journal.log_entries())

        assert list(ledger.journal.log_entries(after_batch=3, limit=2)) == entries[3:5]
        assert list(ledger.journal.log_entries(after_batch=len(entries))) == []
        assert list(ledger.journal.log_entries(after_batch=-1, limit=1)) == entries[:1]

    def test_record_leads_to_its_batch(self, ledger: Ledger, clock: StoppedClock) -> None:
        """Each number is in one entry, others in none."""
        busy_week(ledger, clock)
        entries = list(ledger.journal.log_entries())

        assert [ledger.journal.batch_of(entry.first_number) for entry in entries] == entries
        assert [ledger.journal.batch_of(entry.last_number) for entry in entries] == entries
        assert ledger.journal.batch_of(0) is None
        assert ledger.journal.batch_of(entries[-1].last_number + 1) is None

    def test_rows_are_the_same_read_and_raw(self, ledger: Ledger, clock: StoppedClock) -> None:
        """What is hashed is what is read, in the order of the log, from any number."""
        busy_week(ledger, clock)
        number = ledger.state().number

        raw = [read_row(row) for row in ledger.journal.rows()]

        assert ledger.journal.read_rows(limit=number) == raw
        assert [row.number for row in raw if row.line == 0] == list(range(1, number + 1))
        resumed = ledger.journal.read_rows(after_number=4, limit=3)
        assert resumed == [row for row in raw if 4 < row.number <= 7]
        assert ledger.journal.read_rows(after_number=number) == []
        assert ledger.journal.read_rows(after_number=-3, limit=4) == raw[:1]

    def test_everything_stored_follows_from_the_log(self, ledger: Ledger, clock: StoppedClock) -> None:
        """Accounts, holds, settings and lock date are derived again from the rows alone."""
        busy_week(ledger, clock)

        check_derived(ledger.journal)

    def test_refused_and_replayed_batches_leave_the_log(self, ledger: Ledger) -> None:
        """Only what happened is recorded, and named refusals."""
        command = transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"), key="k")
        ledger.post_all([command])
        head = ledger.state().head

        ledger.post_all([command, transfer(debit="assets:a", credit="elsewhere", amount=eur("1.00"))])

        assert ledger.state().head == head


class EventContract(LedgerContract):
    """The log as events: each number is an offset to resume from."""

    def test_events_follow_the_log(self, ledger: Ledger, clock: StoppedClock) -> None:
        """Every record is one event, in order, its kind in its type."""
        busy_week(ledger, clock)

        events = list(ledger.events())

        assert [event.number for event in events] == list(range(1, ledger.state().number + 1))
        assert {event.type for event in events} == {
            "settings.changed", "account.opened", "account.changed", "transaction.posted", "transaction.reversed",
            "hold.placed", "hold.captured", "hold.changed", "hold.voided", "hold.expired", "command.refused",
            "period.closed",
        }  # fmt: skip

    def test_readers_resume_and_select(self, ledger: Ledger, clock: StoppedClock) -> None:
        """A subscriber continues after the number it saw last, with the types it wants."""
        busy_week(ledger, clock)
        all_events: list[Event] = list(ledger.events())

        assert list(ledger.events(after_number=5)) == all_events[5:]
        assert list(ledger.events(limit=2)) == all_events[:2]
        placed = [event for event in all_events if event.type == "hold.placed"]
        assert list(ledger.events(types={"hold.placed"})) == placed
        assert list(ledger.events(types={"hold.placed"}, after_number=placed[0].number, limit=1)) == placed[1:2]
        assert list(ledger.events(after_number=-5)) == all_events

    def test_event_carries_what_happened(self, ledger: Ledger) -> None:
        """Amounts are text, ids are ids, and what is empty is left out."""
        outcome = ledger.transfer(
            debit="assets:a", credit="assets:b", amount=eur("1.00"), reference="R", metadata={"n": 1}
        )

        [event] = ledger.events(after_number=outcome.number - 1)

        assert (event.id, event.type, event.recorded_at) == (outcome.id, "transaction.posted", outcome.recorded_at)
        assert (event.data["reference"], event.data["metadata"]) == ("R", {"n": 1})
        assert event.data["lines"][0]["amount_minor"] == "100"
        assert "description" not in event.data


class RestoringContract(LedgerContract):
    """A copy of a ledger is made batch by batch from its log."""

    def copy_of(self, store: Any, name: str) -> Journal:
        """An empty ledger; how it is made is up to the store."""
        if not hasattr(store, "create_empty"):
            pytest.skip("this store makes no empty ledgers")
        made: Journal = store.create_empty(name)
        return made

    def test_copy_is_the_same_ledger(
        self, ledger: Ledger, store: LedgerStore, ledger_name: str, clock: StoppedClock
    ) -> None:
        """Restored batches give the same head, rows, balances and holds, and posting goes on."""
        busy_week(ledger, clock)
        copy = self.copy_of(store, f"{ledger_name}-copy")

        for entry in ledger.journal.log_entries():
            rows = list(ledger.journal.rows(after_number=entry.first_number - 1, through_number=entry.last_number))
            copy.restore(entry, rows)

        assert copy.state().head == ledger.state().head
        assert list(copy.rows()) == list(ledger.journal.rows())
        assert everything(copy) == everything(ledger.journal)
        check_derived(copy)
        replayed = Ledger(copy).transfer(
            debit="assets:bank", credit="liabilities:w", amount=eur("1.00"), key="after the copy"
        )
        assert not replayed.replayed

    def test_batch_out_of_place_is_refused(
        self, ledger: Ledger, store: LedgerStore, ledger_name: str, clock: StoppedClock
    ) -> None:
        """A gap, another head, missing rows or changed bytes are told, and nothing is taken over."""
        busy_week(ledger, clock)
        copy = self.copy_of(store, f"{ledger_name}-copy")
        first, second = list(ledger.journal.log_entries(limit=2))
        rows = list(ledger.journal.rows(through_number=first.last_number))
        changed = [rows[0][:-2] + bytes([rows[0][-2] ^ 1]) + rows[0][-1:], *rows[1:]]

        for entry, given in (
            (second, rows),
            (evolve(first, head=bytes(32)), rows),
            (first, []),
            (first, rows + rows),
            (first, changed),
            (first, [rows[0][:-1]]),
        ):
            with pytest.raises(ConflictError) as caught:
                copy.restore(entry, given)
            assert caught.value.code == "export_diverges"
        assert copy.state().number == 0
