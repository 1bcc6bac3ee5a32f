"""Posting: lines, attachments and preconditions, and that a refusal leaves everything as it was."""

import pytest

from ledgercore.errors import ValidationError
from ledgercore.ledger.commands import BATCH_MAX
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.transactions import Line, Precondition, Transaction, credit, debit, transfer
from ledgercore.testing.ledgers import (
    LedgerContract,
    StoppedClock,
    applied,
    day,
    eur,
    everything,
    key_id,
    posted,
    refusal,
    told,
    usd,
)


class PostingContract(LedgerContract):
    """Transactions are posted whole or not at all."""

    def test_transfer_debits_one_account_and_credits_another(self, ledger: Ledger) -> None:
        """Debits raise assets and credits raise income; both entries know the balance after them."""
        outcome = ledger.transfer(debit="assets:bank", credit="income:sales", amount=eur("12.30"))

        found = ledger.get_transaction(outcome.id)
        assert (posted(ledger, "assets:bank"), posted(ledger, "income:sales")) == ("12.30", "12.30")
        assert (found.lines[0].debit_balance, found.lines[0].credit_balance) == (eur("12.30"), eur("12.30"))

    def test_many_debits_meet_many_credits(self, ledger: Ledger) -> None:
        """A compound transaction keeps its lines in order, each with the running balance of its account."""
        lines = (
            debit("expenses:wages", eur("70.00")),
            debit("expenses:bonus", eur("30.00")),
            credit("liabilities:tax", eur("25.00")),
            credit("assets:bank", eur("40.00")),
            credit("assets:bank", eur("35.00")),
        )

        outcome = ledger.post(Transaction(lines=lines, key="payroll"))

        found = ledger.get_transaction(outcome.id)
        assert tuple(line.line for line in found.lines) == lines
        assert [line.credit_balance for line in found.lines[2:]] == [eur("25.00"), -eur("40.00"), -eur("75.00")]
        assert posted(ledger, "assets:bank") == "-75.00"

    def test_currencies_balance_each_by_itself(self, ledger: Ledger) -> None:
        """An exchange is two balanced pairs through trading accounts."""
        outcome = ledger.post(
            Transaction(
                lines=[
                    Line(usd("10.80"), debit="assets:bank-usd", credit="equity:trading:usd"),
                    Line(eur("10.00"), debit="equity:trading:eur", credit="assets:bank"),
                ]
            )
        )

        found = ledger.get_transaction(outcome.id)
        assert [line.line.amount for line in found.lines] == [usd("10.80"), eur("10.00")]
        assert posted(ledger, "equity:trading:usd") == "10.80"
        assert posted(ledger, "equity:trading:eur") == "-10.00"

    def test_everything_that_was_attached_is_read_back(self, ledger: Ledger) -> None:
        """Texts, metadata, ids, and both times come back as they were given."""
        command = transfer(
            debit="assets:bank",
            credit="income:sales",
            amount=eur("1.00"),
            id=key_id(1),
            effective_at=day(3),
            description="Überweisung 💶 'quoted' \\ \t\n",
            reference="RF18 5390",
            metadata={"order": 7, "tags": ["a", "ü"], "deep": {"yes": True, "none": None, "big": 10**30}},
        )

        outcome = ledger.post(command)

        found = ledger.get_transaction(key_id(1))
        assert (found.description, found.reference, found.metadata) == (
            command.description,
            command.reference,
            command.metadata,
        )
        assert (found.id, found.effective_at, found.recorded_at) == (key_id(1), day(3), outcome.recorded_at)
        assert (found.key, found.kind, found.reverses, found.captures) == (None, "t", None, None)

    def test_key_is_read_back_and_leads_to_the_transaction(self, ledger: Ledger) -> None:
        """A text key is kept in full, and names the transaction."""
        outcome = ledger.transfer(debit="assets:bank", credit="income:sales", amount=eur("1.00"), key="Schlüssel/1")

        found = ledger.get_transaction_by_key("Schlüssel/1")

        assert (found.id, found.key, found.number) == (outcome.id, "Schlüssel/1", outcome.number)

    def test_amounts_have_up_to_38_digits(self, ledger: Ledger) -> None:
        """The largest amount is posted exactly; one more would overflow the balance and is refused."""
        most = eur("9" * 36 + ".99")
        ledger.transfer(debit="assets:vault", credit="equity:owner", amount=most)
        before = everything(ledger.journal)

        refused = refusal(ledger, transfer(debit="assets:vault", credit="income:sales", amount=eur("0.01")))

        assert refused.reason.code == "balance_overflow"
        assert refused.details["account"] == "assets:vault"
        assert everything(ledger.journal) == before
        assert ledger.balance("assets:vault").posted == most

    def test_version_counts_entries(self, ledger: Ledger) -> None:
        """Each entry raises its account's version by one, whichever side it is on."""
        ledger.transfer(debit="assets:bank", credit="income:sales", amount=eur("5.00"))
        ledger.transfer(debit="expenses:rent", credit="assets:bank", amount=eur("3.00"))

        assert ledger.get_account("assets:bank").version == 2
        assert ledger.get_account("expenses:rent").version == 1

    def test_effective_time_defaults_to_the_present(self, ledger: Ledger, clock: StoppedClock) -> None:
        """Without a time of its own a transaction counts from when it is recorded."""
        clock.forward(hours=1)
        before = clock.now

        outcome = ledger.transfer(debit="assets:bank", credit="income:sales", amount=eur("5.00"))

        found = ledger.get_transaction(outcome.id)
        assert before <= found.effective_at <= found.recorded_at

    def test_recorded_times_grow_though_the_clock_stands(self, ledger: Ledger, clock: StoppedClock) -> None:
        """Each batch is recorded after the one before, even when the clock went back."""
        first = ledger.transfer(debit="assets:bank", credit="income:sales", amount=eur("5.00"))
        clock.forward(days=-1)

        second = ledger.transfer(debit="assets:bank", credit="income:sales", amount=eur("5.00"))

        assert second.recorded_at > first.recorded_at
        assert second.number == first.number + 1

    def test_empty_batch_changes_nothing(self, ledger: Ledger) -> None:
        """Nothing asked for, nothing recorded."""
        before = ledger.state()

        outcomes = ledger.post_all([])

        assert list(outcomes) == []
        assert ledger.state() == before

    def test_batch_has_a_largest_size(self, ledger: Ledger) -> None:
        """One command more than allowed refuses the batch before anything happens."""
        one = transfer(debit="assets:bank", credit="income:sales", amount=eur("0.01"))
        before = ledger.state()

        with pytest.raises(ValidationError) as caught:
            ledger.post_all([one] * (BATCH_MAX + 1))

        assert caught.value.code == "batch_too_large"
        assert caught.value.details["commands"] == BATCH_MAX + 1
        assert ledger.state() == before


class PreconditionContract(LedgerContract):
    """A transaction may depend on what its writer saw."""

    def test_expected_balance_and_version_let_it_pass(self, ledger: Ledger, wallet: str) -> None:
        """Both may be named, of several accounts."""
        seen = ledger.get_account(wallet)

        applied(
            ledger,
            transfer(
                debit=wallet,
                credit="income:sales",
                amount=eur("1.00"),
                preconditions=[Precondition(wallet, balance=10000, version=seen.version), Precondition("assets:bank")],
            ),
        )

    def test_other_balance_refuses(self, ledger: Ledger, wallet: str) -> None:
        """The refusal is a conflict that tells the actual balance; nothing moves."""
        before = everything(ledger.journal)

        refused = refusal(
            ledger,
            transfer(
                debit=wallet, credit="income:sales", amount=eur("1.00"), preconditions=[Precondition(wallet, balance=1)]
            ),
        )

        assert refused.reason.code == "balance_precondition_failed"
        assert refused.details == {"account": wallet, "expected": 1, "actual": 10000}
        assert everything(ledger.journal) == before

    def test_version_moves_within_the_batch(self, ledger: Ledger, wallet: str) -> None:
        """A precondition looks at the moment just before its transaction."""
        expects_one = [Precondition(wallet, version=1)]
        batch = [
            transfer(debit=wallet, credit="income:sales", amount=eur("1.00"), preconditions=expects_one),
            transfer(debit=wallet, credit="income:sales", amount=eur("2.00"), preconditions=expects_one),
        ]

        outcomes = ledger.post_all(batch)

        assert [told(outcome) for outcome in outcomes] == ["posted", "version_precondition_failed"]

    def test_precondition_may_be_about_another_account(self, ledger: Ledger, wallet: str) -> None:
        """The account that is looked at need not take part, but must exist."""
        one = transfer(
            debit="assets:a", credit="assets:b", amount=eur("1.00"), preconditions=[Precondition(wallet, 10000)]
        )
        other = transfer(
            debit="assets:a", credit="assets:b", amount=eur("1.00"), preconditions=[Precondition("assets:c", 0)]
        )

        outcomes = ledger.post_all([one, other])

        assert [told(outcome) for outcome in outcomes] == ["posted", "account_not_found"]

    def test_precondition_on_an_account_opened_in_the_batch(self, ledger: Ledger) -> None:
        """An account that an earlier command opened is there with what it holds by then."""
        batch = [
            transfer(debit="assets:a", credit="assets:b", amount=eur("1.00")),
            transfer(
                debit="assets:a",
                credit="assets:b",
                amount=eur("1.00"),
                preconditions=[Precondition("assets:a", 100, 1)],
            ),
        ]

        assert [told(outcome) for outcome in ledger.post_all(batch)] == ["posted", "posted"]

    def test_keyed_repeat_with_preconditions_is_a_replay(self, ledger: Ledger, wallet: str) -> None:
        """A repeat is answered from memory and does not ask the precondition again."""
        command = transfer(
            debit=wallet,
            credit="income:sales",
            amount=eur("1.00"),
            key="once",
            preconditions=[Precondition(wallet, 10000)],
        )
        applied(ledger, command)

        assert told(applied(ledger, command)) == "posted again"
