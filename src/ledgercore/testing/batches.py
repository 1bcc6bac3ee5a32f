"""Batches and groups in them: independent, atomic, and what a refused group leaves behind."""

import pytest

from ledgercore.errors import LedgercoreError
from ledgercore.ledger.accounts import AccountStatus, Limits, Opening
from ledgercore.ledger.commands import (
    BatchItem,
    ChangeAccount,
    ChangeSettings,
    ClosePeriod,
    Group,
    OpenAccount,
    Reversal,
    Settings,
)
from ledgercore.ledger.holds import Capture, ChangeHold, PlaceHold, VoidHold
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.outcomes import GroupOutcome
from ledgercore.ledger.transactions import Line, Transaction, transfer
from ledgercore.testing.ledgers import (
    EUR,
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
)


def pay(wallet: str, amount: str, **options: object) -> Transaction:
    """Money from the wallet to sales."""
    return transfer(debit=wallet, credit="income:sales", amount=eur(amount), **options)  # type: ignore[arg-type]


class BatchContract(LedgerContract):
    """Independent commands are refused one by one, atomic ones together."""

    def test_refused_commands_do_not_hold_up_others(self, ledger: Ledger, wallet: str) -> None:
        """One outcome for each item, in order."""
        words = tell(ledger, [pay(wallet, "60.00"), pay(wallet, "60.00"), pay(wallet, "40.00")])

        assert words == ["posted", "insufficient_funds", "posted"]
        assert posted(ledger, wallet) == "0.00"

    def test_atomic_batch_happens_whole_or_not_at_all(self, ledger: Ledger, wallet: str) -> None:
        """A single refusal refuses everything; others are told which command broke it."""
        before = everything(ledger.journal)

        outcomes = ledger.post_all([pay(wallet, "60.00"), pay(wallet, "60.00"), pay(wallet, "1.00")], atomic=True)

        assert [told(outcome) for outcome in outcomes] == ["group_refused", "insufficient_funds", "group_refused"]
        assert outcomes[0].details == {"command": 1, "reason": "insufficient_funds"}  # type: ignore[union-attr]
        assert everything(ledger.journal) == before
        assert tell(ledger, [pay(wallet, "60.00"), pay(wallet, "40.00")], atomic=True) == ["posted", "posted"]

    def test_groups_are_atomic_by_themselves(self, ledger: Ledger, wallet: str) -> None:
        """A group that fails leaves what was before and after it in the batch."""
        words = tell(
            ledger,
            [
                pay(wallet, "10.00"),
                Group([pay(wallet, "10.00"), pay(wallet, "100.00")]),
                Group([pay(wallet, "20.00"), pay(wallet, "30.00")]),
                pay(wallet, "40.00"),
            ],
        )

        assert words == ["posted", ["group_refused", "insufficient_funds"], ["posted", "posted"], "posted"]
        assert posted(ledger, wallet) == "0.00"

    def test_group_tells_why_it_was_refused(self, ledger: Ledger, wallet: str) -> None:
        """The refusal of a group is that of the command which broke it."""
        [outcome] = ledger.post_all([Group([pay(wallet, "10.00"), pay(wallet, "100.00")])])

        assert isinstance(outcome, GroupOutcome)
        with pytest.raises(LedgercoreError) as caught:
            outcome.or_raise()
        assert caught.value.code == "insufficient_funds"

    def test_empty_group_is_carried_out(self, ledger: Ledger) -> None:
        """No commands, no outcomes, no record."""
        before = ledger.state()

        assert tell(ledger, [Group([])]) == [[]]
        assert ledger.state() == before

    def test_groups_inside_an_atomic_batch_share_its_fate(self, ledger: Ledger, wallet: str) -> None:
        """Atomic is atomic: a later refusal undoes an earlier group."""
        words = tell(ledger, [Group([pay(wallet, "10.00")]), pay(wallet, "100.00")], atomic=True)

        assert words == [["group_refused"], "insufficient_funds"]
        assert posted(ledger, wallet) == "100.00"

    def test_refused_group_undoes_every_kind_of_command(self, ledger: Ledger, wallet: str) -> None:
        """Openings, holds, captures, changes, reversals, settings and lock dates are all put back."""
        transaction = ledger.transfer(debit=wallet, credit="income:sales", amount=eur("30.00"))
        hold_id = ledger.hold(debit=wallet, credit="income:sales", amount=eur("30.00")).id
        voided = ledger.hold(debit=wallet, credit="income:sales", amount=eur("5.00")).id
        before = everything(ledger.journal)

        words = tell(
            ledger,
            [
                Group(
                    [
                        OpenAccount(path="assets:explicit", currency=EUR),
                        transfer(debit="assets:first-use", credit="assets:explicit", amount=eur("1.00")),
                        PlaceHold(lines=[Line(eur("1.00"), wallet, "assets:held")], id=key_id(1)),
                        Capture(hold=key_id(1)),
                        Capture(hold=hold_id, amount=eur("10.00")),
                        ChangeHold(hold=hold_id, amount=eur("12.00")),
                        VoidHold(hold=voided),
                        Reversal(transaction=transaction.id, amount=eur("7.00")),
                        ChangeAccount(path=wallet, limits=Limits(minimum=100), metadata={"a": 1}),
                        ChangeAccount(path="assets:first-use", status=AccountStatus.FROZEN),
                        ChangeSettings(settings=Settings(opening=Opening())),
                        ClosePeriod(through=day(1)),
                        transfer(debit="assets:bank", credit="elsewhere", amount=eur("1.00")),
                    ]
                )
            ],
        )

        assert words == [["group_refused"] * 12 + ["account_not_found"]]
        # The hold's id was a name: the refusal is kept under it, and nothing else.
        assert everything(ledger.journal) == before
        assert tell(ledger, [Reversal(transaction=transaction.id), Capture(hold=hold_id)]) == ["posted", "posted"]
        assert posted(ledger, wallet) == "70.00"

    def test_refused_group_leaves_its_batch_sound(self, ledger: Ledger, wallet: str) -> None:
        """Commands after a refused group decide on the facts from before it, those of the same batch included."""
        batch: list[BatchItem] = [
            transfer(debit="assets:new", credit=wallet, amount=eur("5.00"), id=key_id(1)),
            PlaceHold(lines=[Line(eur("20.00"), wallet, "income:sales")], id=key_id(2)),
            Group(
                [
                    Reversal(transaction=key_id(1)),
                    Capture(hold=key_id(2)),
                    transfer(debit="assets:newer", credit="assets:new", amount=eur("1.00")),
                    pay(wallet, "500.00"),
                ]
            ),
            Reversal(transaction=key_id(1)),
            Capture(hold=key_id(2)),
            pay(wallet, "80.01"),
            pay(wallet, "80.00"),
        ]

        words = tell(ledger, batch)

        assert words == [
            "posted", "applied", ["group_refused"] * 3 + ["insufficient_funds"], "posted", "posted",
            "insufficient_funds", "posted",
        ]  # fmt: skip
        assert (posted(ledger, wallet), posted(ledger, "assets:new")) == ("0.00", "0.00")
        assert ledger.journal.find_account("assets:newer") is None

    def test_all_refusals_of_a_group_are_told(self, ledger: Ledger, wallet: str) -> None:
        """Each command that would have failed by itself says why; the first is the one that is named."""
        words = tell(ledger, [Group([pay(wallet, "1.00"), pay(wallet, "200.00"), Capture(hold=key_id(1))])])

        assert words == [["group_refused", "insufficient_funds", "hold_not_found"]]


class RefusedGroupContract(LedgerContract):
    """Names of a refused group are kept."""

    def test_members_of_a_refused_group_stay_refused(self, ledger: Ledger, wallet: str) -> None:
        """A late repeat of one member can never apply after its caller was told no."""
        members = [pay(wallet, "10.00", key="good"), pay(wallet, "500.00", key="bad")]
        tell(ledger, [Group(members)])

        again = tell(ledger, [members[0], Group(members)])

        assert again == ["group_refused again", ["group_refused again", "insufficient_funds again"]]
        assert posted(ledger, wallet) == "100.00"

    def test_members_stay_refused_within_their_batch(self, ledger: Ledger, wallet: str) -> None:
        """A repeat in the same batch gets the same answer; other content is a conflict."""
        members = [pay(wallet, "10.00", key="good"), pay(wallet, "500.00", key="bad")]

        words = tell(ledger, [Group(members), members[0], pay(wallet, "11.00", key="good")])

        assert words == [["group_refused", "insufficient_funds"], "group_refused again", "idempotency_key_reused"]

    def test_repeat_inside_a_group_is_one_command(self, ledger: Ledger, wallet: str) -> None:
        """The same name twice in a group is carried out once."""
        words = tell(ledger, [Group([pay(wallet, "60.00", key="a"), pay(wallet, "60.00", key="a")])])

        assert words == [["posted", "posted again"]]
        assert posted(ledger, wallet) == "40.00"

    def test_repeat_inside_a_refused_group_is_refused_too(self, ledger: Ledger, wallet: str) -> None:
        """What repeats a member of the group shares its fate, now and later."""
        member = pay(wallet, "10.00", key="a")
        group = Group([member, member, pay(wallet, "500.00")])

        words = tell(ledger, [group, group])

        first = ["group_refused", "group_refused", "insufficient_funds"]
        assert words == [first, ["group_refused again", "group_refused again", "insufficient_funds"]]
        assert posted(ledger, wallet) == "100.00"

    def test_applied_command_stays_applied_when_repeated_in_a_refused_group(self, ledger: Ledger, wallet: str) -> None:
        """A repeat of what was done before the group stays done, in this batch or an earlier one."""
        early, late = pay(wallet, "10.00", key="early"), pay(wallet, "20.00", key="late")
        applied(ledger, early)

        words = tell(ledger, [late, Group([early, late, pay(wallet, "500.00")])])

        assert words == ["posted", ["posted again", "posted again", "insufficient_funds"]]
        assert tell(ledger, [early, late]) == ["posted again", "posted again"]
        assert posted(ledger, wallet) == "70.00"

    def test_reused_name_refuses_the_group(self, ledger: Ledger, wallet: str) -> None:
        """A conflict of one member is a refusal like others; the name keeps its first meaning."""
        first = pay(wallet, "10.00", key="taken")
        applied(ledger, first)

        words = tell(ledger, [Group([pay(wallet, "1.00", key="new"), pay(wallet, "2.00", key="taken")]), first])

        assert words == [["group_refused", "idempotency_key_reused"], "posted again"]
        assert told(refusal(ledger, pay(wallet, "1.00", key="new"))) == "group_refused again"
