"""Holds of one line: placed, raised, lowered, captured in parts, voided."""

from uuid import UUID

from ledgercore.ledger.accounts import AccountStatus
from ledgercore.ledger.holds import (
    Capture,
    ChangeHold,
    HoldStatus,
    PlaceHold,
    ReplaceHold,
    VoidHold,
)
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.outcomes import Applied
from ledgercore.ledger.transactions import Line
from ledgercore.testing.ledgers import (
    LedgerContract,
    available,
    day,
    eur,
    everything,
    key_id,
    pending,
    posted,
    refusal,
    tell,
    told,
    usd,
)

NOTHING = ("0.00", "0.00")


def held(ledger: Ledger, wallet: str, amount: str, **options: object) -> UUID:
    """A hold from the wallet to sales; the id of it."""
    outcome: Applied = ledger.hold(debit=wallet, credit="income:sales", amount=eur(amount), **options)  # type: ignore[arg-type]
    return outcome.id


class HoldContract(LedgerContract):
    """A hold reserves; its captures post, and what is not captured goes back once."""

    def test_hold_moves_pending_and_not_posted(self, ledger: Ledger, wallet: str) -> None:
        """Both accounts know what is held, neither posts it."""
        version = ledger.get_account(wallet).version

        hold_id = held(ledger, wallet, "30.00", group="order 7", description="Order", metadata={"n": [1]})

        found = ledger.get_hold(hold_id)
        assert (pending(ledger, wallet), pending(ledger, "income:sales")) == (("30.00", "0.00"), ("0.00", "30.00"))
        assert (posted(ledger, wallet), available(ledger, wallet)) == ("100.00", "70.00")
        assert ledger.get_account(wallet).version == version
        assert (found.status, found.group, found.description, found.metadata) == (
            HoldStatus.OPEN,
            "order 7",
            "Order",
            {"n": [1]},
        )
        assert [(line.line, line.captured) for line in found.lines] == [(Line(eur("30.00"), wallet, "income:sales"), 0)]

    def test_hold_opens_accounts_as_a_posting_would(self, ledger: Ledger) -> None:
        """Accounts open on first use, refused holds open none."""
        ledger.hold(debit="assets:a", credit="income:b", amount=eur("1.00"))
        refused = refusal(ledger, PlaceHold(lines=[Line(eur("1.00"), "assets:new", "elsewhere")]))

        assert told(refused) == "account_not_found"
        assert [account.path for account in ledger.list_accounts().items] == ["assets:a", "income:b"]

    def test_capture_of_all_posts_and_closes(self, ledger: Ledger, wallet: str) -> None:
        """Without an amount everything that remains is captured; the transaction names the hold."""
        hold_id = held(ledger, wallet, "30.00", description="Order", metadata={"n": 1})

        outcome = ledger.capture(hold_id, key="ship")

        found = ledger.get_transaction(outcome.id)
        assert (found.captures, found.description, found.metadata, found.kind) == (hold_id, "Order", {"n": 1}, "c")
        assert (posted(ledger, wallet), available(ledger, wallet), pending(ledger, wallet)) == (
            "70.00",
            "70.00",
            NOTHING,
        )
        assert ledger.get_hold(hold_id).status is HoldStatus.CAPTURED

    def test_partial_captures_leave_the_rest_reserved(self, ledger: Ledger, wallet: str) -> None:
        """Several parts may be captured; the one that reaches the held amount closes the hold."""
        hold_id = held(ledger, wallet, "30.00")

        ledger.capture(hold_id, amount=eur("10.00"))
        ledger.capture(hold_id, amount=eur("5.00"), effective_at=day(3), description="second parcel")
        between = (ledger.get_hold(hold_id).status, pending(ledger, wallet), available(ledger, wallet))
        last = ledger.capture(hold_id, amount=eur("15.00"))

        assert between == (HoldStatus.OPEN, ("15.00", "0.00"), "70.00")
        assert (ledger.get_hold(hold_id).status, pending(ledger, wallet)) == (HoldStatus.CAPTURED, NOTHING)
        assert posted(ledger, wallet) == "70.00"
        assert ledger.get_transaction(last.id).captures == hold_id

    def test_final_capture_gives_the_rest_back(self, ledger: Ledger, wallet: str) -> None:
        """`final` closes the hold whatever remains of it."""
        hold_id = held(ledger, wallet, "30.00")

        ledger.capture(hold_id, amount=eur("10.00"), final=True)

        assert (posted(ledger, wallet), available(ledger, wallet), pending(ledger, wallet)) == (
            "90.00",
            "90.00",
            NOTHING,
        )
        assert ledger.get_hold(hold_id).lines[0].captured == 1000

    def test_capture_above_meets_the_tolerance(self, ledger: Ledger, wallet: str) -> None:
        """Captures may exceed the hold by its tolerance in total, and by nothing more."""
        hold_id = held(ledger, wallet, "30.00", tolerance_bps=1000)
        ledger.capture(hold_id, amount=eur("20.00"))
        before = everything(ledger.journal)

        refused = refusal(ledger, Capture(hold=hold_id, amount=eur("13.01")))
        assert (refused.reason.code, refused.details["over_by"]) == ("capture_exceeds_hold", "0.01 EUR")
        assert everything(ledger.journal) == before
        ledger.capture(hold_id, amount=eur("13.00"))

        assert (posted(ledger, wallet), pending(ledger, wallet)) == ("67.00", NOTHING)
        assert ledger.get_hold(hold_id).status is HoldStatus.CAPTURED

    def test_excess_within_tolerance_meets_the_limits(self, ledger: Ledger, wallet: str) -> None:
        """Only the held amount is reserved: what goes beyond it must be available."""
        hold_id = held(ledger, wallet, "95.00", tolerance_bps=1000)

        refused = refusal(ledger, Capture(hold=hold_id, amount=eur("100.01")))
        ledger.capture(hold_id, amount=eur("100.00"))

        assert (refused.reason.code, refused.details["short_by"]) == ("insufficient_funds", "0.01")
        assert posted(ledger, wallet) == "0.00"

    def test_closed_hold_refuses_every_move(self, ledger: Ledger, wallet: str) -> None:
        """A hold ends once; later moves are conflicts that tell how it ended."""
        for end in ("capture", "void"):
            hold_id = held(ledger, wallet, "10.00")
            getattr(ledger, end)(hold_id)
            before = everything(ledger.journal)

            words = tell(
                ledger,
                [
                    Capture(hold=hold_id),
                    VoidHold(hold=hold_id),
                    ChangeHold(hold=hold_id, amount=eur("1.00")),
                    ReplaceHold(hold=hold_id),
                ],
            )

            assert words == ["hold_already_closed"] * 3 + ["hold_not_expired"]
            assert everything(ledger.journal) == before

    def test_void_gives_back_once(self, ledger: Ledger, wallet: str) -> None:
        """What was not captured is available again; what was captured stays posted."""
        hold_id = held(ledger, wallet, "30.00")
        ledger.capture(hold_id, amount=eur("10.00"))

        words = tell(ledger, [VoidHold(hold=hold_id), VoidHold(hold=hold_id)])

        assert words == ["applied", "hold_already_closed"]
        assert (posted(ledger, wallet), available(ledger, wallet), pending(ledger, wallet)) == (
            "90.00",
            "90.00",
            NOTHING,
        )
        assert ledger.get_hold(hold_id).status is HoldStatus.VOIDED

    def test_unknown_hold_is_not_found(self, ledger: Ledger) -> None:
        """Every move names a hold that must be there; a transaction's id is none."""
        outcome = ledger.transfer(debit="assets:a", credit="assets:b", amount=eur("1.00"), id=key_id(9))

        words = tell(
            ledger,
            [
                move
                for hold_id in (key_id(1), outcome.id)
                for move in (
                    Capture(hold=hold_id),
                    VoidHold(hold=hold_id),
                    ChangeHold(hold=hold_id, amount=eur("1.00")),
                    ReplaceHold(hold=hold_id),
                )
            ],
        )

        assert words == ["hold_not_found"] * 8

    def test_hold_is_raised_and_lowered(self, ledger: Ledger, wallet: str) -> None:
        """The new amount is the whole; raising needs available funds, lowering gives back."""
        hold_id = held(ledger, wallet, "30.00")

        ledger.change_hold(hold_id, eur("100.00"))
        refused = refusal(ledger, ChangeHold(hold=hold_id, amount=eur("100.01")))
        raised = available(ledger, wallet)
        ledger.change_hold(hold_id, eur("0.01"))

        assert (raised, told(refused), refused.details["short_by"]) == ("0.00", "insufficient_funds", "0.01")
        assert (available(ledger, wallet), pending(ledger, wallet)) == ("99.99", ("0.01", "0.00"))

    def test_hold_stays_above_what_was_captured(self, ledger: Ledger, wallet: str) -> None:
        """Lowering to the captured amount or below is refused: voiding lets the rest go."""
        hold_id = held(ledger, wallet, "30.00")
        ledger.capture(hold_id, amount=eur("10.00"))

        words = tell(
            ledger,
            [
                ChangeHold(hold=hold_id, amount=eur("9.99")),
                ChangeHold(hold=hold_id, amount=eur("10.00")),
                ChangeHold(hold=hold_id, amount=eur("10.01")),
            ],
        )

        assert words == ["capture_exceeds_hold", "capture_exceeds_hold", "applied"]
        assert pending(ledger, wallet) == ("0.01", "0.00")

    def test_frozen_account_holds_up_captures_but_not_voids(self, ledger: Ledger, wallet: str) -> None:
        """Letting go of a reservation moves nothing, so that a frozen account does not stop it."""
        hold_id = held(ledger, wallet, "30.00")
        ledger.change_account(wallet, status=AccountStatus.FROZEN)

        words = tell(
            ledger,
            [
                Capture(hold=hold_id),
                ChangeHold(hold=hold_id, amount=eur("1.00")),
                PlaceHold(lines=[Line(eur("1.00"), wallet, "income:sales")]),
                VoidHold(hold=hold_id),
            ],
        )

        assert words == ["account_frozen", "account_frozen", "account_frozen", "applied"]

    def test_wrong_currency_is_refused(self, ledger: Ledger, wallet: str) -> None:
        """A hold is captured and changed in its own currency."""
        hold_id = held(ledger, wallet, "30.00")

        words = tell(ledger, [Capture(hold=hold_id, amount=usd("1.00")), ChangeHold(hold=hold_id, amount=usd("1.00"))])

        assert words == ["currency_mismatch", "currency_mismatch"]
