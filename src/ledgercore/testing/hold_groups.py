"""Groups of holds: captured or voided together, all or none."""

from datetime import timedelta
from uuid import UUID

from ledgercore.ledger.accounts import AccountStatus
from ledgercore.ledger.commands import ChangeAccount, Group
from ledgercore.ledger.holds import CaptureGroup, HoldStatus, PlaceHold, ReplaceHold, VoidGroup
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.transactions import Line, transfer
from ledgercore.testing.ledgers import (
    LedgerContract,
    StoppedClock,
    applied,
    available,
    eur,
    everything,
    key_id,
    pending,
    posted,
    refusal,
    tell,
    told,
)


def grouped(ledger: Ledger, wallet: str, *amounts: str, payee: str = "income:sales") -> list[UUID]:
    """Holds of one group, in the order of their ids."""
    lines = [Line(eur(amount), wallet, payee) for amount in amounts]
    return [ledger.place(PlaceHold(lines=[line], group="trip")).id for line in lines]


class HoldGroupContract(LedgerContract):
    """What concerns a group concerns each of its open holds, or none."""

    def test_group_is_captured_whole(self, ledger: Ledger, wallet: str) -> None:
        """Each open hold posts what remains of it; one record names them all."""
        one, two = grouped(ledger, wallet, "30.00", "20.00")
        ledger.capture(one, amount=eur("10.00"))

        outcome = applied(ledger, CaptureGroup(group="trip", key="captured"))

        assert (posted(ledger, wallet), pending(ledger, wallet)) == ("50.00", ("0.00", "0.00"))
        assert [ledger.get_hold(hold_id).status for hold_id in (one, two)] == [HoldStatus.CAPTURED] * 2
        assert told(applied(ledger, CaptureGroup(group="trip", key="captured"))) == "applied again"
        assert outcome.number == ledger.state().number

    def test_group_is_voided_whole(self, ledger: Ledger, wallet: str) -> None:
        """Each open hold lets go of what remains of it."""
        grouped(ledger, wallet, "30.00", "20.00")

        applied(ledger, VoidGroup(group="trip"))

        assert (posted(ledger, wallet), available(ledger, wallet)) == ("100.00", "100.00")

    def test_one_hold_that_cannot_be_captured_stops_all(self, ledger: Ledger, wallet: str) -> None:
        """A frozen payee refuses the whole group and leaves everything as it was."""
        grouped(ledger, wallet, "30.00")
        grouped(ledger, wallet, "20.00", payee="income:other")
        ledger.change_account("income:other", status=AccountStatus.FROZEN)
        before = everything(ledger.journal)

        refused = refusal(ledger, CaptureGroup(group="trip"))

        assert (told(refused), refused.details["account"]) == ("account_frozen", "income:other")
        assert everything(ledger.journal) == before

    def test_refused_group_capture_leaves_its_batch_sound(self, ledger: Ledger, wallet: str) -> None:
        """Commands after the refused one find the accounts as they were before it."""
        grouped(ledger, wallet, "30.00")
        grouped(ledger, wallet, "20.00", payee="income:other")

        words = tell(
            ledger,
            [
                ChangeAccount(path="income:other", status=AccountStatus.FROZEN),
                CaptureGroup(group="trip", key="refused"),
                ChangeAccount(path="income:other", status=AccountStatus.OPEN),
                transfer(debit=wallet, credit="income:sales", amount=eur("50.01")),
                CaptureGroup(group="trip", key="refused"),
                CaptureGroup(group="trip"),
            ],
        )

        assert words == [
            "applied", "account_frozen", "applied", "insufficient_funds", "account_frozen again", "applied",
        ]  # fmt: skip
        assert posted(ledger, wallet) == "50.00"

    def test_group_without_open_holds_is_not_found(self, ledger: Ledger, wallet: str) -> None:
        """A group is its open holds: none left, nothing to capture."""
        grouped(ledger, wallet, "30.00")
        applied(ledger, VoidGroup(group="trip"))

        words = tell(ledger, [CaptureGroup(group="trip"), VoidGroup(group="trip"), VoidGroup(group="other")])

        assert words == ["hold_group_not_found"] * 3

    def test_expired_holds_are_not_part_of_it(self, ledger: Ledger, wallet: str, clock: StoppedClock) -> None:
        """A hold whose time has passed is left out; placed again it belongs to the group again."""
        line = Line(eur("30.00"), wallet, "income:sales")
        hold_id = ledger.place(PlaceHold(lines=[line], group="trip", expires_at=clock.now + timedelta(hours=1))).id
        grouped(ledger, wallet, "20.00")
        clock.forward(hours=1)

        words = tell(
            ledger,
            [
                CaptureGroup(group="trip"),
                CaptureGroup(group="trip"),
                ReplaceHold(hold=hold_id),
                CaptureGroup(group="trip"),
            ],
        )

        assert words == ["applied", "hold_group_not_found", "applied", "applied"]
        assert posted(ledger, wallet) == "50.00"

    def test_holds_placed_in_the_batch_belong_to_it(self, ledger: Ledger, wallet: str) -> None:
        """A group captured in a batch includes holds placed before in the same batch."""
        lines = [Line(eur("10.00"), wallet, "income:sales")]

        words = tell(
            ledger,
            [
                PlaceHold(lines=lines, group="trip", id=key_id(1)),
                PlaceHold(lines=lines, group="trip", id=key_id(2)),
                CaptureGroup(group="trip"),
            ],
        )

        assert words == ["applied"] * 3
        assert posted(ledger, wallet) == "80.00"

    def test_refused_batch_group_takes_back_captures(self, ledger: Ledger, wallet: str) -> None:
        """A group of commands that fails after a group capture undoes that too."""
        grouped(ledger, wallet, "30.00", "20.00")
        before = everything(ledger.journal)

        words = tell(
            ledger,
            [
                Group(
                    [
                        CaptureGroup(group="trip"),
                        PlaceHold(lines=[Line(eur("1.00"), wallet, "assets:new")], group="trip"),
                        transfer(debit=wallet, credit="income:sales", amount=eur("49.01")),
                    ]
                )
            ],
        )

        assert words == [["group_refused", "group_refused", "insufficient_funds"]]
        assert everything(ledger.journal) == before
