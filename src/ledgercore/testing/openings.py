"""Accounts: opened explicitly or on first use, frozen, closed."""

import pytest

from ledgercore.errors import NotFoundError, ValidationError
from ledgercore.ledger.accounts import AccountStatus, AccountType, Limits, Opening
from ledgercore.ledger.commands import OpenAccount, Settings
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.ports import LedgerStore
from ledgercore.ledger.transactions import transfer
from ledgercore.testing.ledgers import (
    EUR,
    USD,
    LedgerContract,
    StoppedClock,
    applied,
    eur,
    everything,
    refusal,
    told,
    usd,
)


class OpeningContract(LedgerContract):
    """Accounts open explicitly, or on first use where the ledger says so."""

    def test_first_use_opens_by_the_longest_prefix(self, store: LedgerStore, ledger_name: str) -> None:
        """The longest known prefix, segment by segment, gives type and limits."""
        rules = Opening(
            on_first_use=True,
            types=(
                ("cards", AccountType.ASSET),
                ("cards:credit", AccountType.LIABILITY),
                ("cardsx", AccountType.EQUITY),
            ),
            limits=(("cards", Limits(minimum=0)), ("cards:credit", Limits(maximum=500))),
        )
        ledger = Ledger(store.create(ledger_name, Settings(opening=rules)))

        ledger.transfer(debit="cards:debit", credit="cards:credit:visa", amount=eur("5.00"))

        one, other = ledger.get_account("cards:debit"), ledger.get_account("cards:credit:visa")
        assert (one.type, one.limits) == (AccountType.ASSET, Limits(minimum=0))
        assert (other.type, other.limits) == (AccountType.LIABILITY, Limits(maximum=500))
        refused = refusal(ledger, transfer(debit="cards:debit", credit="cards:credit:visa", amount=eur("0.01")))
        assert refused.reason.code == "balance_above_maximum"

    def test_unknown_prefix_opens_nothing(self, ledger: Ledger) -> None:
        """An account that no rule gives a type is refused, and its counterpart is not opened either."""
        refused = refusal(ledger, transfer(debit="assets:new", credit="elsewhere:new", amount=eur("5.00")))

        assert refused.reason.code == "account_not_found"
        assert refused.details["account"] == "elsewhere:new"
        assert ledger.list_accounts().items == ()

    def test_strict_ledger_opens_nothing_by_itself(self, strict_ledger: Ledger) -> None:
        """Without opening on first use an unknown account is refused."""
        refused = refusal(strict_ledger, transfer(debit="assets:bank", credit="income:sales", amount=eur("5.00")))

        assert refused.reason.code == "account_not_found"

    def test_opened_account_is_what_was_asked_for(self, strict_ledger: Ledger, clock: StoppedClock) -> None:
        """Currency, type, limits and metadata stay; it starts empty and open."""
        found = strict_ledger.open_account(
            "cards:visa",
            USD,
            type=AccountType.LIABILITY,
            limits=Limits(-500, 10**38 - 1),
            metadata={"holder": "Zoë"},
        )

        assert (found.path, found.currency, found.type) == ("cards:visa", USD, AccountType.LIABILITY)
        assert (found.limits, found.metadata) == (Limits(-500, 10**38 - 1), {"holder": "Zoë"})
        assert (found.status, found.version, found.balance.posted) == (AccountStatus.OPEN, 0, usd("0.00"))
        assert found.opened_at <= clock.now

    def test_account_opens_once(self, strict_ledger: Ledger) -> None:
        """A path names one account for ever."""
        strict_ledger.open_account("assets:bank", EUR)
        before = everything(strict_ledger.journal)

        with pytest.raises(Exception, match="already exists"):
            strict_ledger.open_account("assets:bank", USD)

        assert everything(strict_ledger.journal) == before

    def test_type_is_needed_where_no_rule_gives_one(self, strict_ledger: Ledger) -> None:
        """An explicit opening without a type follows the rules, or is refused."""
        with pytest.raises(ValidationError) as caught:
            strict_ledger.open_account("elsewhere:bank", EUR)

        assert caught.value.code == "invalid_account_type"
        assert caught.value.details["field"] == "type"

    def test_account_takes_its_own_currency_only(self, ledger: Ledger) -> None:
        """Another currency is refused, naming the account and both."""
        ledger.transfer(debit="assets:bank", credit="income:sales", amount=eur("5.00"))

        refused = refusal(ledger, transfer(debit="assets:bank", credit="income:other", amount=usd("5.00")))

        assert refused.reason.code == "currency_mismatch"
        assert refused.details == {"account": "assets:bank", "account_currency": "EUR", "currency": "USD"}
        assert ledger.journal.find_account("income:other") is None

    def test_account_may_be_opened_and_used_in_one_batch(self, strict_ledger: Ledger) -> None:
        """Each command of a batch sees what those before it did."""
        outcomes = strict_ledger.post_all(
            [
                OpenAccount(path="assets:bank", currency=EUR),
                OpenAccount(path="income:sales", currency=EUR, limits=Limits(maximum=500)),
                transfer(debit="assets:bank", credit="income:sales", amount=eur("5.00")),
                transfer(debit="assets:bank", credit="income:sales", amount=eur("0.01")),
            ]
        )

        assert [told(outcome) for outcome in outcomes] == ["applied", "applied", "posted", "balance_above_maximum"]

    def test_settings_can_change(self, strict_ledger: Ledger) -> None:
        """New settings count from the next command on, and are part of the ledger's state."""
        settings = Settings(opening=Opening(on_first_use=True, types=(("x", AccountType.EQUITY),)))

        strict_ledger.change_settings(settings)
        strict_ledger.transfer(debit="x:1", credit="x:2", amount=eur("1.00"))

        assert strict_ledger.state().settings == settings
        assert strict_ledger.get_account("x:1").type is AccountType.EQUITY

    def test_settings_count_for_every_holder_of_the_ledger(self, store: LedgerStore, ledger_name: str) -> None:
        """Who opened the ledger before a change of settings decides by the new ones, for refusals too."""
        early = Ledger(store.create(ledger_name))
        refusal(early, transfer(debit="assets:a", credit="assets:b", amount=eur("1.00")))
        late = Ledger(store.journal(ledger_name))

        late.change_settings(Settings(opening=Opening(on_first_use=True)))

        applied(early, transfer(debit="assets:a", credit="assets:b", amount=eur("1.00")))


class StatusContract(LedgerContract):
    """Frozen accounts refuse for a while, closed ones for good."""

    def test_frozen_account_refuses_entries_until_it_is_open_again(self, ledger: Ledger, wallet: str) -> None:
        """Freezing holds up both sides, and is undone."""
        ledger.change_account(wallet, status=AccountStatus.FROZEN)
        before = everything(ledger.journal)
        out = refusal(ledger, transfer(debit=wallet, credit="income:sales", amount=eur("1.00")))
        into = refusal(ledger, transfer(debit="assets:bank", credit=wallet, amount=eur("1.00")))
        assert (told(out), told(into)) == ("account_frozen", "account_frozen")
        assert everything(ledger.journal) == before

        ledger.change_account(wallet, status=AccountStatus.OPEN)

        applied(ledger, transfer(debit=wallet, credit="income:sales", amount=eur("1.00")))

    def test_closed_account_stays_closed(self, ledger: Ledger) -> None:
        """A closed account takes neither entries nor changes."""
        ledger.open_account("assets:till", EUR)
        ledger.change_account("assets:till", status=AccountStatus.CLOSED)

        entry = refusal(ledger, transfer(debit="assets:till", credit="income:sales", amount=eur("1.00")))
        with pytest.raises(Exception, match="closed"):
            ledger.change_account("assets:till", status=AccountStatus.OPEN)

        assert told(entry) == "account_closed"
        assert ledger.get_account("assets:till").status is AccountStatus.CLOSED

    def test_account_closes_only_empty(self, ledger: Ledger, wallet: str) -> None:
        """A balance or a hold keeps an account open."""
        with pytest.raises(Exception, match="not empty") as caught:
            ledger.change_account(wallet, status=AccountStatus.CLOSED)
        assert caught.value.details["balance"] == "100.00"  # type: ignore[attr-defined]
        ledger.transfer(debit=wallet, credit="income:sales", amount=eur("100.00"))
        ledger.hold(debit="assets:bank", credit=wallet, amount=eur("1.00"))
        with pytest.raises(Exception, match="not empty"):
            ledger.change_account(wallet, status=AccountStatus.CLOSED)

    def test_change_of_an_unknown_account_is_refused(self, ledger: Ledger) -> None:
        """What is not there cannot be frozen."""
        with pytest.raises(NotFoundError):
            ledger.change_account("assets:nowhere", status=AccountStatus.FROZEN)

    def test_what_is_not_named_stays(self, ledger: Ledger, wallet: str) -> None:
        """A change of the status keeps limits and metadata, and the other way round."""
        ledger.change_account(wallet, metadata={"note": "seen"})
        ledger.change_account(wallet, status=AccountStatus.FROZEN)
        found = ledger.change_account(wallet, limits=Limits(maximum=10**6))

        assert (found.status, found.limits, found.metadata) == (
            AccountStatus.FROZEN,
            Limits(maximum=10**6),
            {"note": "seen"},
        )
