"""Reversals: new transactions that undo others, wholly or in part, and never twice."""

from ledgercore.ledger.accounts import AccountStatus, Limits
from ledgercore.ledger.commands import Group, Reversal
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.transactions import Line, Transaction, credit, debit, transfer
from ledgercore.testing.ledgers import (
    LedgerContract,
    applied,
    day,
    eur,
    everything,
    key_id,
    posted,
    refusal,
    tell,
    told,
    usd,
)


class ReversalContract(LedgerContract):
    """What was posted stays; what undoes it is posted too, with the remainder tracked."""

    def test_whole_reversal_exchanges_the_sides(self, ledger: Ledger) -> None:
        """Without an amount all that remains is undone; the new transaction names the old one."""
        original = ledger.transfer(debit="assets:bank", credit="income:sales", amount=eur("50.00"))

        outcome = ledger.reverse(original.id, description="storno", effective_at=day(9), key="undo")

        found = ledger.get_transaction(outcome.id)
        assert [line.line for line in found.lines] == [Line(eur("50.00"), "income:sales", "assets:bank")]
        assert (found.reverses, found.kind, found.description, found.effective_at) == (
            original.id, "r", "storno", day(9),
        )  # fmt: skip
        assert (posted(ledger, "assets:bank"), posted(ledger, "income:sales")) == ("0.00", "0.00")

    def test_parts_add_up_to_the_whole_and_no_further(self, ledger: Ledger) -> None:
        """The remainder is tracked over any number of reversals."""
        original = ledger.transfer(debit="assets:bank", credit="income:sales", amount=eur("50.00"))
        ledger.reverse(original.id, amount=eur("20.00"))
        before = everything(ledger.journal)

        refused = refusal(ledger, Reversal(transaction=original.id, amount=eur("30.01")))
        assert (told(refused), refused.details["remaining"]) == ("reversal_exceeds_remainder", "30.00 EUR")
        assert everything(ledger.journal) == before
        words = tell(
            ledger,
            [
                Reversal(transaction=original.id, amount=eur("10.00")),
                Reversal(transaction=original.id),
                Reversal(transaction=original.id),
            ],
        )

        assert words == ["posted", "posted", "transaction_already_reversed"]
        assert posted(ledger, "assets:bank") == "0.00"

    def test_compound_transaction_is_reversed_by_its_lines(self, ledger: Ledger) -> None:
        """Parts of a compound transaction name its lines and balance as it did."""
        original = ledger.post(
            Transaction(
                lines=[
                    debit("assets:bank", eur("100.00")),
                    credit("income:a", eur("60.00")),
                    credit("income:b", eur("40.00")),
                ]
            )
        )
        part = [debit("assets:bank", eur("25.00")), credit("income:a", eur("25.00"))]

        words = tell(
            ledger,
            [
                Reversal(transaction=original.id, amount=eur("1.00")),
                Reversal(transaction=original.id, lines=part),
                Reversal(transaction=original.id, lines=[*part, *part]),
                Reversal(transaction=original.id, lines=[Line(eur("1.00"), "assets:bank", "income:a")]),
                Reversal(transaction=original.id),
            ],
        )

        assert words == [
            "invalid_capture", "posted", "reversal_exceeds_remainder", "reversal_exceeds_remainder", "posted",
        ]  # fmt: skip
        assert [posted(ledger, path) for path in ("assets:bank", "income:a", "income:b")] == ["0.00"] * 3

    def test_remainder_of_every_line_outlasts_its_batch(self, ledger: Ledger) -> None:
        """What earlier batches undid is known line by line: no line of a compound transaction is undone twice."""
        pairs = [Line(eur("10.00"), "assets:a", "income:a"), Line(eur("7.00"), "assets:b", "income:b")]
        sides = [debit("assets:c", eur("9.00")), credit("income:c", eur("4.00")), credit("income:d", eur("5.00"))]
        originals = [ledger.post(Transaction(lines=lines)) for lines in (pairs, sides)]
        part = [debit("assets:c", eur("5.00")), credit("income:d", eur("5.00"))]
        applied(ledger, Reversal(transaction=originals[1].id, lines=part))
        before = refusal(ledger, Reversal(transaction=originals[1].id, lines=part))

        whole = [applied(ledger, Reversal(transaction=original.id)) for original in originals]
        again = [told(refusal(ledger, Reversal(transaction=original.id))) for original in originals]

        assert told(before) == "reversal_exceeds_remainder"
        assert [len(ledger.get_transaction(outcome.id).lines) for outcome in whole] == [2, 2]
        assert again == ["transaction_already_reversed"] * 2
        assert all(balance.posted == eur("0.00") for balance in ledger.balances())

    def test_several_currencies_are_reversed_together(self, ledger: Ledger) -> None:
        """Whole reversals keep each currency's lines; an amount alone is for a single line."""
        original = ledger.post(
            Transaction(
                lines=[
                    Line(usd("10.80"), debit="assets:bank-usd", credit="equity:trading:usd"),
                    Line(eur("10.00"), debit="equity:trading:eur", credit="assets:bank"),
                ]
            )
        )

        words = tell(
            ledger,
            [
                Reversal(transaction=original.id, amount=eur("10.00")),
                Reversal(transaction=original.id, lines=[Line(eur("10.00"), "equity:trading:eur", "assets:bank")]),
                Reversal(transaction=original.id, amount=eur("1.00")),
                Reversal(transaction=original.id, amount=usd("10.80")),
            ],
        )

        assert words == ["invalid_capture", "posted", "currency_mismatch", "posted"]
        assert posted(ledger, "assets:bank-usd") == "0.00"

    def test_equal_lines_are_one_remainder(self, ledger: Ledger) -> None:
        """Lines between the same accounts are tracked together."""
        line = Line(eur("5.00"), "assets:bank", "income:a")
        original = ledger.post(Transaction(lines=[line, line]))

        words = tell(
            ledger,
            [
                Reversal(transaction=original.id, amount=eur("8.00")),
                Reversal(transaction=original.id, lines=[Line(eur("2.01"), "assets:bank", "income:a")]),
                Reversal(transaction=original.id),
            ],
        )

        assert words == ["posted", "reversal_exceeds_remainder", "posted"]
        assert posted(ledger, "assets:bank") == "0.00"

    def test_reversal_is_not_reversed(self, ledger: Ledger) -> None:
        """Whoever wants the money back again posts again."""
        original = ledger.transfer(debit="assets:bank", credit="income:sales", amount=eur("50.00"))
        undone = ledger.reverse(original.id)

        assert told(refusal(ledger, Reversal(transaction=undone.id))) == "transaction_not_reversible"

    def test_what_is_no_transaction_is_not_found(self, ledger: Ledger) -> None:
        """Unknown ids and ids of holds name no transaction."""
        hold_id = ledger.hold(debit="assets:a", credit="assets:b", amount=eur("1.00")).id

        words = tell(ledger, [Reversal(transaction=hold_id), Reversal(transaction=key_id(1))])

        assert words == ["transaction_not_found"] * 2

    def test_capture_is_reversed_like_any_posting(self, ledger: Ledger, wallet: str) -> None:
        """A refund of a captured hold leaves the hold captured."""
        hold_id = ledger.hold(debit=wallet, credit="income:sales", amount=eur("30.00")).id
        captured = ledger.capture(hold_id)

        ledger.reverse(captured.id, amount=eur("10.00"))

        assert posted(ledger, wallet) == "80.00"
        assert ledger.get_hold(hold_id).status == "captured"

    def test_transaction_is_reversed_in_its_own_batch(self, ledger: Ledger) -> None:
        """A batch is carried out in order, so that a later command may undo an earlier one."""
        words = tell(
            ledger,
            [
                transfer(debit="assets:bank", credit="income:sales", amount=eur("50.00"), id=key_id(1)),
                Reversal(transaction=key_id(1), amount=eur("20.00"), id=key_id(2)),
                Reversal(transaction=key_id(1), amount=eur("30.01")),
                Group([Reversal(transaction=key_id(1)), Reversal(transaction=key_id(1))]),
                Reversal(transaction=key_id(2)),
                Reversal(transaction=key_id(1)),
            ],
        )

        assert words == [
            "posted", "posted", "reversal_exceeds_remainder", ["group_refused", "transaction_already_reversed"],
            "transaction_not_reversible", "posted",
        ]  # fmt: skip
        assert posted(ledger, "assets:bank") == "0.00"

    def test_reversal_meets_statuses_limits_and_lock_date(self, ledger: Ledger, wallet: str) -> None:
        """A reversal is a posting: it needs open accounts, an open period, and funds."""
        top_up = ledger.transfer(debit="assets:bank", credit=wallet, amount=eur("50.00"), effective_at=day(3))
        ledger.transfer(debit=wallet, credit="income:sales", amount=eur("120.00"))
        no_funds = refusal(ledger, Reversal(transaction=top_up.id))
        ledger.change_account(wallet, limits=Limits())
        ledger.close_period(day(3))
        locked = refusal(ledger, Reversal(transaction=top_up.id, effective_at=day(3)))
        ledger.change_account("assets:bank", status=AccountStatus.FROZEN)
        frozen = refusal(ledger, Reversal(transaction=top_up.id))
        ledger.change_account("assets:bank", status=AccountStatus.OPEN)

        applied(ledger, Reversal(transaction=top_up.id))

        assert (told(no_funds), no_funds.details["short_by"]) == ("insufficient_funds", "20.00")
        assert (told(locked), told(frozen)) == ("period_closed", "account_frozen")

    def test_reversal_on_an_account_closed_since_is_refused(self, ledger: Ledger) -> None:
        """A closed account takes no entries, not even those that undo earlier ones."""
        original = ledger.transfer(debit="assets:till", credit="income:sales", amount=eur("5.00"))
        ledger.transfer(debit="assets:bank", credit="assets:till", amount=eur("5.00"))
        ledger.change_account("assets:till", status=AccountStatus.CLOSED)

        refused = refusal(ledger, Reversal(transaction=original.id))

        assert (told(refused), refused.details["account"]) == ("account_closed", "assets:till")
