"""Holds that run out, and are placed again."""

from datetime import timedelta

from ledgercore.ledger.holds import (
    Capture,
    ChangeHold,
    HoldStatus,
    PlaceHold,
    ReplaceHold,
    VoidHold,
)
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.transactions import Line, transfer
from ledgercore.testing.holds import NOTHING, held
from ledgercore.testing.ledgers import (
    LedgerContract,
    StoppedClock,
    applied,
    available,
    eur,
    key_id,
    pending,
    posted,
    refusal,
    tell,
    told,
)


class ExpiryContract(LedgerContract):
    """Expiry depends on the clock alone, not on who swept when."""

    def test_expired_hold_no_longer_counts(self, ledger: Ledger, wallet: str, clock: StoppedClock) -> None:
        """From its end on a hold shows as expired and its amount as available, before anybody swept."""
        end = clock.now + timedelta(hours=1)
        hold_id = held(ledger, wallet, "30.00", expires_at=end)
        number = ledger.state().number
        clock.now = end - timedelta(microseconds=3)
        before = (available(ledger, wallet), ledger.get_hold(hold_id).status)

        clock.now = end - timedelta(microseconds=1)

        assert before == ("70.00", HoldStatus.OPEN)
        assert (ledger.get_hold(hold_id).status, available(ledger, wallet)) == (HoldStatus.EXPIRED, "100.00")
        assert pending(ledger, wallet) == NOTHING
        assert [account.balance.available for account in ledger.list_accounts(prefix=wallet).items] == [eur("100.00")]
        assert ledger.state().number == number

    def test_expired_hold_cannot_be_moved(self, ledger: Ledger, wallet: str, clock: StoppedClock) -> None:
        """Who comes late is told so, with the time."""
        hold_id = held(ledger, wallet, "30.00", expires_at=clock.now + timedelta(hours=1))
        clock.forward(hours=1)

        refusals = [
            refusal(ledger, move)
            for move in (Capture(hold=hold_id), VoidHold(hold=hold_id), ChangeHold(hold=hold_id, amount=eur("1.00")))
        ]

        assert [told(each) for each in refusals] == ["hold_expired"] * 3
        assert "expired_at" in refusals[0].details

    def test_next_batch_may_spend_what_an_expired_hold_reserved(
        self, ledger: Ledger, wallet: str, clock: StoppedClock
    ) -> None:
        """Funds come back at once and exactly once."""
        held(ledger, wallet, "100.00", expires_at=clock.now + timedelta(hours=1))
        spend = transfer(debit=wallet, credit="income:sales", amount=eur("100.00"))
        early = refusal(ledger, spend)
        clock.forward(hours=1)

        words = tell(ledger, [spend, spend])

        assert told(early) == "insufficient_funds"
        assert words == ["posted", "insufficient_funds"]
        assert pending(ledger, wallet) == NOTHING

    def test_sweeping_counts_what_it_let_go(self, ledger: Ledger, wallet: str, clock: StoppedClock) -> None:
        """Each hold is let go once; captured parts and other holds stay as they are."""
        part = held(ledger, wallet, "30.00", expires_at=clock.now + timedelta(hours=1))
        held(ledger, wallet, "10.00", expires_at=clock.now + timedelta(hours=1))
        later = held(ledger, wallet, "5.00", expires_at=clock.now + timedelta(hours=9))
        ledger.capture(part, amount=eur("20.00"))
        clock.forward(hours=2)

        swept = [ledger.expire_holds(), ledger.expire_holds()]

        assert swept == [2, 0]
        assert (posted(ledger, wallet), available(ledger, wallet)) == ("80.00", "75.00")
        assert (ledger.get_hold(part).status, ledger.get_hold(later).status) == (HoldStatus.EXPIRED, HoldStatus.OPEN)

    def test_many_holds_may_expire_at_once(self, ledger: Ledger, wallet: str, clock: StoppedClock) -> None:
        """However many ran out together, balances and the next batch know at once."""
        end = clock.now + timedelta(hours=1)
        line = Line(eur("0.10"), wallet, "income:sales")
        ledger.post_all([PlaceHold(lines=[line], expires_at=end) for _ in range(1000)])
        full = available(ledger, wallet)
        clock.forward(hours=1)

        shown = available(ledger, wallet)
        spent = told(applied(ledger, transfer(debit=wallet, credit="income:sales", amount=eur("100.00"))))

        assert (full, shown, spent) == ("0.00", "100.00", "posted")
        assert ledger.expire_holds() in (0, 500)
        assert pending(ledger, wallet) == NOTHING

    def test_many_holds_are_swept_at_once(self, ledger: Ledger, clock: StoppedClock) -> None:
        """One sweep lets go of all of them and says how many."""
        end = clock.now + timedelta(hours=1)
        line = Line(eur("0.10"), "assets:a", "assets:b")
        ledger.post_all([PlaceHold(lines=[line], expires_at=end) for _ in range(1001)])
        clock.forward(hours=1)

        assert ledger.expire_holds() == 1001
        assert ledger.expire_holds() == 0

    def test_expired_hold_is_placed_again(self, ledger: Ledger, wallet: str, clock: StoppedClock) -> None:
        """The remainder is reserved anew under the command's id; the old hold stays expired."""
        hold_id = held(ledger, wallet, "30.00", expires_at=clock.now + timedelta(hours=1), group="g", tolerance_bps=500)
        ledger.capture(hold_id, amount=eur("10.00"))
        early = refusal(ledger, ReplaceHold(hold=hold_id))
        clock.forward(hours=1)

        outcome = ledger.replace_hold(hold_id, id=key_id(5), expires_at=clock.now + timedelta(hours=1))

        found = ledger.get_hold(key_id(5))
        assert told(early) == "hold_not_expired"
        assert (outcome.id, found.replaces, found.group, found.tolerance_bps) == (key_id(5), hold_id, "g", 500)
        assert [line.line.amount for line in found.lines] == [eur("20.00")]
        assert ledger.get_hold(hold_id).status is HoldStatus.EXPIRED
        assert available(ledger, wallet) == "70.00"
        ledger.capture(key_id(5))
        assert posted(ledger, wallet) == "70.00"

    def test_hold_is_placed_again_in_the_batch_that_lets_it_go(
        self, ledger: Ledger, wallet: str, clock: StoppedClock
    ) -> None:
        """Expiry comes first in a batch, so that its commands see the funds and the expired hold."""
        hold_id = held(ledger, wallet, "100.00", expires_at=clock.now + timedelta(hours=1))
        clock.forward(hours=1)

        words = tell(
            ledger,
            [
                ReplaceHold(hold=hold_id, id=key_id(5)),
                transfer(debit=wallet, credit="income:sales", amount=eur("0.01")),
                Capture(hold=key_id(5)),
            ],
        )

        assert words == ["applied", "insufficient_funds", "posted"]
        assert (posted(ledger, wallet), pending(ledger, wallet)) == ("0.00", NOTHING)

    def test_placing_again_meets_the_limits(self, ledger: Ledger, wallet: str, clock: StoppedClock) -> None:
        """What was spent meanwhile is not there for the hold."""
        hold_id = held(ledger, wallet, "30.00", expires_at=clock.now + timedelta(hours=1))
        clock.forward(hours=1)
        ledger.transfer(debit=wallet, credit="income:sales", amount=eur("70.01"))

        refused = refusal(ledger, ReplaceHold(hold=hold_id))

        assert (told(refused), refused.details["short_by"]) == ("insufficient_funds", "0.01")

    def test_hold_ends_after_it_begins(self, ledger: Ledger, wallet: str, clock: StoppedClock) -> None:
        """An end that has passed is refused, for a new hold as for one placed again."""
        line = Line(eur("1.00"), wallet, "income:sales")

        refused = refusal(ledger, PlaceHold(lines=[line], expires_at=clock.now))

        assert (told(refused), refused.details["field"]) == ("invalid_expiry", "expires_at")
