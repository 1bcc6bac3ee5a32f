"""Holds of several lines."""

from uuid import UUID

from ledgercore.ledger.accounts import Limits
from ledgercore.ledger.holds import (
    Capture,
    ChangeHold,
    HoldStatus,
    PlaceHold,
)
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.transactions import Line, credit, debit
from ledgercore.testing.holds import NOTHING
from ledgercore.testing.ledgers import (
    EUR,
    LedgerContract,
    applied,
    available,
    eur,
    everything,
    pending,
    posted,
    refusal,
    tell,
)


class CompoundHoldContract(LedgerContract):
    """Holds of several lines are captured by naming them."""

    def compound(self, ledger: Ledger, **options: object) -> UUID:
        """A hold of 100.00 from one account to two."""
        lines = [
            debit("assets:bank", eur("100.00")),
            credit("income:a", eur("60.00")),
            credit("income:b", eur("40.00")),
        ]
        return ledger.place(PlaceHold(lines=lines, **options)).id  # type: ignore[arg-type]

    def test_lines_are_captured_in_parts(self, ledger: Ledger) -> None:
        """Named lines are captured, the others stay; the parts balance as a transaction does."""
        hold_id = self.compound(ledger)

        ledger.capture(hold_id, lines=[debit("assets:bank", eur("60.00")), credit("income:a", eur("60.00"))])
        between = [line.remaining for line in ledger.get_hold(hold_id).lines]
        ledger.capture(hold_id)

        assert between == [4000, 0, 4000]
        assert ledger.get_hold(hold_id).status is HoldStatus.CAPTURED
        assert (posted(ledger, "income:a"), posted(ledger, "income:b")) == ("60.00", "40.00")
        assert pending(ledger, "assets:bank") == NOTHING

    def test_parts_that_do_not_balance_are_refused(self, ledger: Ledger) -> None:
        """A capture within the tolerance may not leave a lopsided remainder that nobody could capture."""
        hold_id = self.compound(ledger, tolerance_bps=1000)
        before = everything(ledger.journal)

        words = tell(
            ledger,
            [
                Capture(hold=hold_id, lines=[debit("assets:bank", eur("66.00")), credit("income:a", eur("66.00"))]),
            ],
        )

        assert words == ["unbalanced_transaction"]
        assert everything(ledger.journal) == before

    def test_excess_may_end_the_hold(self, ledger: Ledger) -> None:
        """Within the tolerance lines may exceed their own amounts when the capture is the last."""
        hold_id = self.compound(ledger, tolerance_bps=1000)

        ledger.capture(
            hold_id,
            lines=[
                debit("assets:bank", eur("110.00")),
                credit("income:a", eur("66.00")),
                credit("income:b", eur("44.00")),
            ],
        )

        assert (posted(ledger, "assets:bank"), pending(ledger, "assets:bank")) == ("110.00", NOTHING)

    def test_lines_that_the_hold_lacks_are_refused(self, ledger: Ledger) -> None:
        """A capture or change names lines of the hold, each once, and an amount alone is for one line."""
        hold_id = self.compound(ledger)
        both = [debit("assets:bank", eur("1.00")), credit("income:a", eur("1.00"))]

        words = tell(
            ledger,
            [
                Capture(hold=hold_id, amount=eur("1.00")),
                Capture(hold=hold_id, lines=[Line(eur("1.00"), "assets:bank", "income:a")]),
                Capture(hold=hold_id, lines=[*both, *both]),
                ChangeHold(hold=hold_id, lines=both),
            ],
        )

        assert words == ["invalid_capture"] * 4

    def test_every_line_is_named_to_change_a_hold(self, ledger: Ledger) -> None:
        """A line that is captured in full may stay as it is while others change."""
        hold_id = self.compound(ledger)
        ledger.capture(hold_id, lines=[debit("assets:bank", eur("60.00")), credit("income:a", eur("60.00"))])

        outcome = applied(
            ledger,
            ChangeHold(
                hold=hold_id,
                lines=[
                    credit("income:b", eur("15.00")),
                    debit("assets:bank", eur("75.00")),
                    credit("income:a", eur("60.00")),
                ],
            ),
        )

        assert not outcome.replayed
        assert [line.remaining for line in ledger.get_hold(hold_id).lines] == [1500, 0, 1500]
        assert pending(ledger, "assets:bank") == ("15.00", "0.00")

    def test_one_account_may_stand_in_several_lines(self, ledger: Ledger) -> None:
        """Reservations on one account add up, and are captured line by line."""
        ledger.open_account("liabilities:w", EUR, limits=Limits(minimum=0))
        ledger.transfer(debit="assets:bank", credit="liabilities:w", amount=eur("10.00"))
        lines = [Line(eur("6.00"), "liabilities:w", "income:a"), Line(eur("4.00"), "liabilities:w", "income:b")]
        too_much = [*lines, Line(eur("0.01"), "liabilities:w", "income:c")]

        refused = refusal(ledger, PlaceHold(lines=too_much))
        hold_id = ledger.place(PlaceHold(lines=lines)).id
        ledger.capture(hold_id, lines=lines[:1])

        assert refused.details["short_by"] == "0.01"
        assert (pending(ledger, "liabilities:w"), available(ledger, "liabilities:w")) == (("4.00", "0.00"), "0.00")
