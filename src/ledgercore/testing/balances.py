"""Balances at any point of both time axes, and the periods that lock one of them."""

import itertools
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from ledgercore.errors import NotFoundError, ValidationError
from ledgercore.ledger.accounts import Side
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.ports import JournalReader
from ledgercore.ledger.queries import AsOf, TransactionFilter
from ledgercore.ledger.transactions import PostedTransaction, Transaction, credit, debit, transfer
from ledgercore.testing.ledgers import (
    LedgerContract,
    StoppedClock,
    applied,
    day,
    eur,
    pages,
    posted,
    refusal,
    tell,
    told,
)


def counted(transactions: Iterable[PostedTransaction], path: str, normal_side: Side, at: AsOf) -> int:
    """An account's balance by adding up every entry that counts at a point: the slow, certain way."""
    return sum(
        entry.amount.minor if entry.side is normal_side else -entry.amount.minor
        for transaction in transactions
        if (at.effective_at is None or transaction.effective_at <= at.effective_at)
        and (at.recorded_at is None or transaction.recorded_at <= at.recorded_at)
        for entry in transaction.entries
        if entry.account == path
    )


def check_everywhere(journal: JournalReader, moments: Iterable[datetime], recorded: Iterable[datetime]) -> None:
    """Compare every balance with the counted one at each pair of times, and with either axis open."""
    transactions = list(pages(journal.list_transactions, TransactionFilter()))
    for effective_at, recorded_at in itertools.product([None, *moments], [None, *recorded]):
        at = AsOf(effective_at=effective_at, recorded_at=recorded_at)
        for balance in journal.balances(at=at):
            expected = counted(transactions, balance.path, balance.type.normal_side, at)
            assert balance.posted.minor == expected, f"{balance.path} at {at}"


class BalanceContract(LedgerContract):
    """What counted when, as it was known when."""

    def test_backdated_entry_counts_from_its_effective_time(self, ledger: Ledger, clock: StoppedClock) -> None:
        """A late entry changes the past on the effective axis, and not on the recorded one."""
        ledger.transfer(debit="assets:bank", credit="income:sales", amount=eur("10.00"), effective_at=day(10))
        before = clock.forward(hours=1)
        clock.forward(hours=1)
        ledger.transfer(debit="assets:bank", credit="income:sales", amount=eur("5.00"), effective_at=day(5))

        def at(effective_at: datetime | None, recorded_at: datetime | None) -> str:
            found = ledger.balance_at("assets:bank", effective_at=effective_at, recorded_at=recorded_at)
            return str(found.decimal)

        assert [at(day(number), None) for number in (4, 5, 9, 10)] == ["0.00", "5.00", "5.00", "15.00"]
        assert [at(day(number), before) for number in (4, 5, 9, 10)] == ["0.00", "0.00", "0.00", "10.00"]
        assert at(None, before) == "10.00"
        assert at(None, None) == "15.00"

    def test_times_include_their_own_moment(self, ledger: Ledger) -> None:
        """An entry counts at its time, and not a microsecond before."""
        outcome = ledger.transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"), effective_at=day(5))
        tick = timedelta(microseconds=1)

        found = [
            ledger.balance_at("assets:a", effective_at=day(5)),
            ledger.balance_at("assets:a", effective_at=day(5) - tick),
            ledger.balance_at("assets:a", recorded_at=outcome.recorded_at),
            ledger.balance_at("assets:a", recorded_at=outcome.recorded_at - tick),
        ]

        assert found == [eur("1.00"), eur("0.00"), eur("1.00"), eur("0.00")]

    def test_future_entry_counts_now_and_not_before_its_time(self, ledger: Ledger, clock: StoppedClock) -> None:
        """The balance without a time has everything; one as of the present leaves out what is to come."""
        later = clock.now + timedelta(days=3)
        ledger.transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"), effective_at=later)
        ledger.transfer(debit="assets:a", credit="assets:b", amount=eur("2.00"))

        found = [ledger.balance_at("assets:a", effective_at=time) for time in (None, clock.now, later)]

        assert found == [eur("3.00"), eur("2.00"), eur("3.00")]

    def test_every_point_agrees_with_counting(self, ledger: Ledger, clock: StoppedClock) -> None:
        """Late entries on either side or both, equal times, several lines on one account: always the plain sum."""
        recorded = []
        days = [10, 10, 7, 12, 7, 3, 12, 12, 1, 20, 9, 10]
        for index, number in enumerate(days):
            amount = eur(f"{index + 1}.00")
            batch = [
                transfer(debit="assets:a", credit="assets:b", amount=amount, effective_at=day(number)),
                transfer(debit="assets:b", credit=f"income:{index % 3}", amount=amount, effective_at=day(21 - number)),
                Transaction(
                    lines=[
                        debit("assets:a", amount),
                        credit("income:0", eur("0.40")),
                        credit("income:0", amount - eur("0.40")),
                    ],
                    effective_at=day(number),
                ),
                transfer(debit="expenses:x", credit="assets:a", amount=eur("0.10"), effective_at=day(number)),
            ]
            ledger.post_all(batch[index % 2 :])
            recorded.append(ledger.state().recorded_at)
            clock.forward(minutes=1)

        check_everywhere(
            ledger.journal,
            [day(number, hour) for number in range(1, 22) for hour in (11, 12)],
            filter(None, recorded[::3]),
        )

    def test_recorded_time_never_changes_its_answer(self, ledger: Ledger, clock: StoppedClock) -> None:
        """Once asked, a recorded time is settled: a clock that goes back puts nothing there."""
        ledger.transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"))
        asked = clock.forward(hours=1)
        first = ledger.balance_at("assets:a", recorded_at=asked)
        clock.forward(minutes=-30)

        late = ledger.transfer(debit="assets:a", credit="assets:b", amount=eur("2.00"))

        assert late.recorded_at > asked
        assert (first, ledger.balance_at("assets:a", recorded_at=asked)) == (eur("1.00"), eur("1.00"))

    def test_recorded_time_to_come_is_refused(self, ledger: Ledger, clock: StoppedClock) -> None:
        """Nobody knows yet what will be recorded."""
        ledger.transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"))

        with pytest.raises(ValidationError) as caught:
            ledger.balance_at("assets:a", recorded_at=clock.now + timedelta(hours=1))

        assert (caught.value.code, caught.value.details["field"]) == ("recorded_time_in_future", "recorded_at")

    def test_named_accounts_come_once_and_by_path(self, ledger: Ledger) -> None:
        """Balances of named accounts, whatever the order and however often they are named."""
        ledger.transfer(debit="assets:b", credit="assets:a", amount=eur("1.00"))

        found = ledger.journal.balances(["assets:b", "assets:a", "assets:b"], at=AsOf())

        assert [(each.path, each.posted) for each in found] == [("assets:a", -eur("1.00")), ("assets:b", eur("1.00"))]

    def test_unknown_account_has_no_balance(self, ledger: Ledger) -> None:
        """A named account must be there, at any time."""
        ledger.transfer(debit="assets:b", credit="assets:a", amount=eur("1.00"))

        for at in (AsOf(), AsOf(effective_at=day(1))):
            with pytest.raises(NotFoundError) as caught:
                ledger.journal.balances(["assets:a", "assets:zz", "assets:c"], at=at)
            assert caught.value.details["account"] == "assets:c"

    def test_accounts_come_in_the_order_asked(self, ledger: Ledger) -> None:
        """As often as they are named, and nothing for those that are not there."""
        ledger.transfer(debit="assets:b", credit="assets:a", amount=eur("1.00"))
        asked = ["assets:b", "assets:zz", "assets:a", "assets:b"]

        found = ledger.journal.find_accounts(asked)

        assert found == [ledger.journal.find_account(path) for path in asked]
        assert [account and account.path for account in found] == ["assets:b", None, "assets:a", "assets:b"]
        assert [account and account.balance.posted for account in found[:3]] == [eur("1.00"), None, -eur("1.00")]
        assert ledger.journal.find_accounts([]) == []

    def test_accounts_come_without_what_has_expired(self, ledger: Ledger, wallet: str, clock: StoppedClock) -> None:
        """Holds whose time has passed count on neither side; what was captured of them, and other holds, do."""
        end = clock.now + timedelta(hours=1)
        for path in (wallet, "assets:b"):
            ledger.hold(debit=path, credit="income:x", amount=eur("7.00"), expires_at=end + timedelta(hours=1))
            captured = ledger.hold(debit=path, credit="income:x", amount=eur("5.00"), expires_at=end).id
            ledger.capture(captured, amount=eur("2.00"))
            ledger.hold(debit=path, credit="income:x", amount=eur("1.00"), expires_at=end)
        paths = [wallet, "assets:b", "income:x", "assets:bank"]

        def pending_minor() -> list[tuple[int, int]]:
            balances = [account.balance for account in ledger.journal.find_accounts(paths) if account is not None]
            return [(balance.pending_debits.minor, balance.pending_credits.minor) for balance in balances]

        before = pending_minor()
        clock.now = end

        assert (before, pending_minor()) == (
            [(1_100, 0), (1_100, 0), (0, 2_200), (0, 0)],
            [(700, 0), (700, 0), (0, 1_400), (0, 0)],
        )

    def test_accounts_are_found_by_paths_only(self, ledger: Ledger) -> None:
        """One wrong path refuses the question, and is named."""
        ledger.transfer(debit="assets:b", credit="assets:a", amount=eur("1.00"))

        with pytest.raises(ValidationError) as caught:
            ledger.journal.find_accounts(["assets:a", "assets::b"])

        assert (caught.value.code, caught.value.details["path"]) == ("invalid_account_path", "assets::b")

    def test_prefix_is_taken_by_segments(self, ledger: Ledger) -> None:
        """`assets:b` holds `assets:b:1` and not `assets:b1`."""
        for path in ("assets:b", "assets:b:1", "assets:b1", "assets:b-1", "assets:a"):
            ledger.transfer(debit=path, credit="income:x", amount=eur("1.00"))

        for at in (AsOf(), AsOf(effective_at=day(1))):
            assert [each.path for each in ledger.journal.balances(prefix="assets:b", at=at)] == [
                "assets:b",
                "assets:b:1",
            ]
        assert ledger.journal.balances(prefix="liabilities", at=AsOf()) == []

    def test_snapshot_reads_one_moment(self, ledger: Ledger) -> None:
        """Reads of a snapshot agree with one another, and with the ledger at its time."""
        ledger.transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"))

        with ledger.journal.snapshot() as reader:
            found = [reader.find_account("assets:a"), reader.state(), reader.balances(at=AsOf())]

        assert found == [ledger.journal.find_account("assets:a"), ledger.state(), ledger.journal.balances(at=AsOf())]

    def test_reports_agree_with_the_ledger(self, ledger: Ledger) -> None:
        """Trial balance, balance sheet and income statement follow from the balances."""
        ledger.transfer(debit="assets:bank", credit="equity:owner", amount=eur("100.00"), effective_at=day(1))
        ledger.transfer(debit="assets:bank", credit="income:sales", amount=eur("50.00"), effective_at=day(2))
        ledger.transfer(debit="expenses:rent", credit="assets:bank", amount=eur("30.00"), effective_at=day(3))

        trial, sheet = ledger.trial_balance(), ledger.balance_sheet(effective_at=day(2))
        statement = ledger.income_statement(since=day(1), until=day(3))

        [totals], [result] = sheet.totals.values(), statement.results.values()
        assert trial.is_balanced
        assert next(iter(trial.debits.values())) == eur("150.00")
        assert (totals.assets, totals.equity, totals.result) == (eur("150.00"), eur("100.00"), eur("50.00"))
        assert result == eur("20.00")


class PeriodContract(LedgerContract):
    """A lock date that only moves forward."""

    def test_closed_period_refuses_what_would_count_in_it(self, ledger: Ledger) -> None:
        """At or before the lock date nothing is posted, captured or reversed; after it everything is."""
        outcome = ledger.transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"), effective_at=day(5))
        ledger.close_period(day(10), key="february")

        words = tell(
            ledger,
            [
                transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"), effective_at=time)
                for time in (day(5), day(10), day(10) + timedelta(microseconds=1))
            ],
        )

        assert words == ["period_closed", "period_closed", "posted"]
        assert ledger.state().closed_through == day(10)
        assert ledger.get_transaction(outcome.id).effective_at == day(5)

    def test_lock_date_moves_forward_only(self, ledger: Ledger) -> None:
        """A period that is closed is not opened again."""
        ledger.close_period(day(10))

        with pytest.raises(Exception, match="already closed"):
            ledger.close_period(day(10))
        ledger.close_period(day(11))

        assert ledger.state().closed_through == day(11)

    def test_lock_date_to_come_holds_up_the_present(self, ledger: Ledger, clock: StoppedClock) -> None:
        """A transaction without a time of its own counts now, which may be closed already."""
        ledger.close_period(clock.now + timedelta(days=1))
        now = transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"))

        refused = refusal(ledger, now)
        clock.forward(days=2)

        applied(ledger, now)
        assert (told(refused), posted(ledger, "assets:a")) == ("period_closed", "1.00")

    def test_captures_and_holds_meet_the_lock_date(self, ledger: Ledger, wallet: str) -> None:
        """A capture counts at its effective time; placing and voiding holds counts nowhere."""
        ledger.close_period(day(10))
        hold_id = ledger.hold(debit=wallet, credit="income:sales", amount=eur("5.00")).id

        with pytest.raises(Exception, match="closed"):
            ledger.capture(hold_id, effective_at=day(9))
        ledger.capture(hold_id, effective_at=day(11))

        assert posted(ledger, wallet) == "95.00"
