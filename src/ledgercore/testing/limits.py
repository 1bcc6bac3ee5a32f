"""Limits: the least and the most an account may hold, posted and reserved."""

from typing import Any

from ledgercore.ledger.accounts import AccountType, Limits
from ledgercore.ledger.commands import ChangeAccount
from ledgercore.ledger.holds import Capture
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.transactions import Transaction, credit, debit, transfer
from ledgercore.testing.ledgers import (
    EUR,
    LedgerContract,
    applied,
    available,
    eur,
    everything,
    posted,
    refusal,
    tell,
    told,
)


class LimitContract(LedgerContract):
    """No batch, hold or capture takes an account past its limits."""

    def test_exactly_what_is_available_may_go(self, ledger: Ledger, wallet: str) -> None:
        """The last cent may leave; one more may not, and the refusal says by how much."""
        before = everything(ledger.journal)
        refused = refusal(ledger, transfer(debit=wallet, credit="income:sales", amount=eur("100.01")))
        assert refused.reason.code == "insufficient_funds"
        assert refused.details == {
            "account": wallet, "currency": "EUR", "available": "100.00", "requested": "100.01", "short_by": "0.01",
            "minimum": "0.00",
        }  # fmt: skip
        assert everything(ledger.journal) == before

        applied(ledger, transfer(debit=wallet, credit="income:sales", amount=eur("100.00")))

        assert available(ledger, wallet) == "0.00"

    def test_minimum_may_be_below_zero(self, ledger: Ledger) -> None:
        """An overdraft is a negative minimum."""
        ledger.open_account("liabilities:giro", EUR, limits=Limits(minimum=-5000))

        words = tell(
            ledger,
            [
                transfer(debit="liabilities:giro", credit="assets:cash", amount=eur("50.00")),
                transfer(debit="liabilities:giro", credit="assets:cash", amount=eur("0.01")),
            ],
        )

        assert words == ["posted", "insufficient_funds"]
        assert posted(ledger, "liabilities:giro") == "-50.00"

    def test_maximum_binds_what_comes_in(self, ledger: Ledger) -> None:
        """A maximum counts towards the normal side, whichever that is."""
        ledger.open_account("assets:till", EUR, limits=Limits(maximum=1000))

        words = tell(
            ledger,
            [
                transfer(debit="assets:till", credit="income:sales", amount=eur("10.00")),
                transfer(debit="assets:till", credit="income:sales", amount=eur("0.01")),
                transfer(debit="assets:bank", credit="assets:till", amount=eur("3.00")),
                transfer(debit="assets:till", credit="income:sales", amount=eur("3.00")),
            ],
        )

        assert words == ["posted", "balance_above_maximum", "posted", "posted"]

    def test_net_effect_of_a_transaction_counts(self, ledger: Ledger) -> None:
        """Several lines on one account are added up before its limits are asked."""
        ledger.open_account("assets:till", EUR, limits=Limits(minimum=0))
        ledger.transfer(debit="assets:till", credit="income:sales", amount=eur("10.00"))
        lines = [
            debit("expenses:a", eur("10.01")),
            credit("assets:till", eur("5.00")),
            credit("assets:till", eur("5.01")),
        ]

        refused = refusal(ledger, Transaction(lines=lines))

        assert (refused.reason.code, refused.details["short_by"]) == ("insufficient_funds", "0.01")

    def test_earlier_command_of_the_batch_pays_for_a_later_one(self, ledger: Ledger, wallet: str) -> None:
        """Limits are asked in the order of the batch."""
        spend = transfer(debit=wallet, credit="income:sales", amount=eur("150.00"))
        earn = transfer(debit="assets:bank", credit=wallet, amount=eur("50.00"))

        assert tell(ledger, [spend, earn, spend]) == ["insufficient_funds", "posted", "posted"]

    def test_hold_reserves_against_the_minimum(self, ledger: Ledger, wallet: str) -> None:
        """What is held cannot be spent, nor held again."""
        ledger.hold(debit=wallet, credit="income:sales", amount=eur("60.00"))

        assert available(ledger, wallet) == "40.00"
        assert posted(ledger, wallet) == "100.00"
        spend = refusal(ledger, transfer(debit=wallet, credit="income:sales", amount=eur("40.01")))
        assert spend.details["available"] == "40.00"
        applied(ledger, transfer(debit=wallet, credit="income:sales", amount=eur("40.00")))

    def test_hold_reserves_against_the_maximum(self, ledger: Ledger) -> None:
        """Room that a hold will fill is not there for others."""
        ledger.open_account("assets:till", EUR, limits=Limits(maximum=1000))
        hold = ledger.hold(debit="assets:till", credit="income:sales", amount=eur("6.00"))

        refused = refusal(ledger, transfer(debit="assets:till", credit="income:sales", amount=eur("4.01")))
        applied(ledger, transfer(debit="assets:till", credit="income:sales", amount=eur("4.00")))
        ledger.capture(hold.id)

        assert (refused.reason.code, refused.details["over_by"]) == ("balance_above_maximum", "0.01")
        assert posted(ledger, "assets:till") == "10.00"

    def test_incoming_hold_is_not_available_yet(self, ledger: Ledger, wallet: str) -> None:
        """What is only promised cannot be spent."""
        ledger.hold(debit="assets:bank", credit=wallet, amount=eur("50.00"))

        refused = refusal(ledger, transfer(debit=wallet, credit="income:sales", amount=eur("100.01")))

        assert told(refused) == "insufficient_funds"

    def test_limit_set_below_the_balance_binds_only_towards_it(self, ledger: Ledger, wallet: str) -> None:
        """An account beyond a new limit may always come back, step by step, but not go further."""
        ledger.change_account(wallet, limits=Limits(minimum=20000, maximum=30000))

        words = tell(
            ledger,
            [
                transfer(debit=wallet, credit="income:sales", amount=eur("0.01")),
                transfer(debit="assets:bank", credit=wallet, amount=eur("0.01")),
            ],
        )

        assert words == ["insufficient_funds", "posted"]

    def test_hold_from_before_a_new_limit_may_be_captured(self, ledger: Ledger, wallet: str) -> None:
        """What was reserved stays reserved, whatever the limits became meanwhile; the tolerance does not."""
        hold = ledger.hold(debit=wallet, credit="income:sales", amount=eur("100.00"), tolerance_bps=1000)
        ledger.change_account(wallet, limits=Limits(minimum=5000))

        with_excess = refusal(ledger, Capture(hold=hold.id, amount=eur("100.01")))
        ledger.capture(hold.id)

        assert told(with_excess) == "insufficient_funds"
        assert posted(ledger, wallet) == "0.00"

    def test_limits_change_within_a_batch(self, ledger: Ledger, wallet: str) -> None:
        """New limits count from the next command on."""
        spend = transfer(debit=wallet, credit="income:sales", amount=eur("100.01"))

        words = tell(ledger, [spend, ChangeAccount(path=wallet, limits=Limits()), spend])

        assert words == ["insufficient_funds", "applied", "posted"]

    def test_assets_with_a_minimum_are_bound_on_the_credit_side(self, ledger: Ledger) -> None:
        """The side that lowers a balance depends on the account's type."""
        for type_, lowers in ((AccountType.ASSET, "credit"), (AccountType.EQUITY, "debit")):
            path = f"x:{type_.value}"
            ledger.open_account(path, EUR, type=type_, limits=Limits(minimum=0))
            sides: dict[str, Any] = {"debit": "assets:bank", "credit": "assets:bank", lowers: path}

            refused = refusal(ledger, transfer(amount=eur("0.01"), **sides))

            assert (told(refused), refused.details["account"]) == ("insufficient_funds", path)
