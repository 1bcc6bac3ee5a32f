"""The suite for reconciliation: matches that are made, undone and proved."""

import os
from datetime import date
from typing import Any, Final
from uuid import UUID

import pytest

from ledgercore.errors import BusinessRuleError, ConflictError, LedgercoreError, NotFoundError
from ledgercore.errors.catalog import (
    ACCOUNT_NOT_FOUND,
    CURRENCY_MISMATCH,
    INVALID_ALLOCATION,
    MATCH_ALREADY_UNDONE,
    MATCH_NOT_FOUND,
    OVER_ALLOCATED,
    STATEMENT_NOT_FOUND,
    TRANSACTION_NOT_FOUND,
)
from ledgercore.identity.audit import OPERATOR
from ledgercore.ledger.ledger import Ledger
from ledgercore.statements.importing import StatementImport
from ledgercore.statements.lines import StatementLine
from ledgercore.statements.matches import Stage
from ledgercore.statements.matching import MatchingRules
from ledgercore.statements.ports import Store
from ledgercore.statements.reconciling import Reconciler
from ledgercore.testing.ledgers import USD, StoppedClock, eur
from ledgercore.testing.statement_imports import BANK, StatementsContract, said, statement

FEES: Final = "expenses:fees"
TOLERANT: Final = MatchingRules(tolerance_minor=10, tolerance_account=FEES)
NOWHERE: Final = UUID(int=7)


class ReconciliationContract(StatementsContract):
    """Bringing statements and ledger together."""

    @pytest.fixture
    def reconciler(self, statements: Store, clock: StoppedClock) -> Reconciler:
        """Matches at the test's time."""
        return Reconciler(store=statements, clock=clock, random_bytes=os.urandom)

    @pytest.fixture
    def start(self, importing: StatementImport, bank_ledger: Ledger, ledger_name: str) -> Any:  # noqa: ARG002
        """Imports one statement of the account, which opens with the 100.00 that the ledger has."""

        def imported(*entries: Any, closing: str = "100.00") -> list[StatementLine]:
            found = statement(*entries, opening="100.00", closing=closing)
            importing.store_all([found], ledger=ledger_name, account=BANK, file_name="f", actor=OPERATOR)
            with importing.store.begin() as work:
                return list(work.statements.list_lines(ledger_name, BANK, limit=100))

        return imported

    def post(self, ledger: Ledger, amount: str, **fields: Any) -> UUID:
        """Money into the account, or out of it with a minus; returns the transaction."""
        debit, credit = (BANK, "income:sales") if not amount.startswith("-") else ("income:sales", BANK)
        return ledger.transfer(debit=debit, credit=credit, amount=eur(amount.removeprefix("-")), **fields).id

    def test_certain_matches_are_made_and_others_suggested(
        self, reconciler: Reconciler, start: Any, bank_ledger: Ledger, ledger_name: str
    ) -> None:
        """Each says by which stage, and what it went by."""
        start(said("30.00", reference="INV-1"), said("-5.00", text="cash"), closing="125.00")
        by_reference = self.post(bank_ledger, "30.00", reference="INV-1")
        self.post(bank_ledger, "-5.00")

        done = reconciler.run(ledger_name, BANK, MatchingRules(), actor=OPERATOR)

        [made], [suggested] = done.made, done.suggested
        assert (made.stage, made.why, made.made_by) == (Stage.IDS, {"reference": "INV-1"}, "operator")
        assert [part.id for part in made.transactions] == [by_reference]
        assert (suggested.stage, suggested.is_certain) == (Stage.AMOUNT_AND_COUNTERPARTY, False)
        again = reconciler.run(ledger_name, BANK, MatchingRules(), actor=OPERATOR)
        assert (again.made, again.suggested) == ((), (suggested,))
        assert reconciler.suggest(ledger_name, BANK, MatchingRules()) == [suggested]

    def test_both_sides_are_proved(
        self, reconciler: Reconciler, start: Any, bank_ledger: Ledger, ledger_name: str
    ) -> None:
        """Opening + matched + unmatched = closing, whatever is matched."""
        start(said("30.00", reference="INV-1"), said("-5.00"), closing="125.00")
        self.post(bank_ledger, "30.00", reference="INV-1")
        self.post(bank_ledger, "-7.00", description="on its way")
        reconciler.run(ledger_name, BANK, MatchingRules(), actor=OPERATOR)

        proof = reconciler.proof(ledger_name, BANK)

        bank, book = proof.bank, proof.book
        assert (bank.opening_minor, bank.matched_minor, bank.unmatched_minor, bank.closing_minor) == (
            10_000, 3_000, -500, 12_500,
        )  # fmt: skip
        assert (book.opening_minor, book.matched_minor, book.unmatched_minor, book.closing_minor) == (
            0, 3_000, 9_300, 12_300,
        )  # fmt: skip
        assert (bank.matched_count, bank.unmatched_count, book.matched_count, book.unmatched_count) == (1, 1, 1, 2)
        assert (bank.difference_minor, book.difference_minor, proof.is_proved, proof.gaps) == (0, 0, True, ())

    def test_a_missing_statement_shows(
        self, reconciler: Reconciler, start: Any, importing: StatementImport, ledger_name: str
    ) -> None:
        """The proof says which statement does not go on from another."""
        start(said("1.00"), closing="101.00")
        later = statement(said("2.00"), opening="150.00", closing="152.00", number="3", on=date(2026, 4, 1))
        importing.store_all([later], ledger=ledger_name, account=BANK, file_name="april.sta", actor=OPERATOR)

        proof = reconciler.proof(ledger_name, BANK)

        assert (proof.bank.difference_minor, proof.is_proved) == (-4_900, False)
        assert proof.gaps == ("april.sta: statement 3 opens where none has closed",)

    @pytest.mark.usefixtures("bank_ledger")
    def test_without_balances_the_bank_proves_nothing(self, reconciler: Reconciler, ledger_name: str) -> None:
        """And contradicts nothing."""
        proof = reconciler.proof(ledger_name, BANK)

        assert (proof.bank.difference_minor, proof.book.difference_minor, proof.is_proved) == (None, 0, True)

    def test_parts_are_matched_by_hand_until_nothing_is_left(
        self, reconciler: Reconciler, start: Any, bank_ledger: Ledger, ledger_name: str
    ) -> None:
        """Two payments for one line, the second in part."""
        [line] = start(said("30.00"), closing="130.00")
        small, large = self.post(bank_ledger, "10.00"), self.post(bank_ledger, "50.00")

        first = reconciler.match(
            ledger_name, BANK, lines=[(line.id, 1_000)], transactions=[(small, 1_000)], actor=OPERATOR
        )
        reconciler.match(ledger_name, BANK, lines=[(line.id, 2_000)], transactions=[(large, 2_000)], actor=OPERATOR)

        assert first.stage is Stage.MANUAL
        proof = reconciler.proof(ledger_name, BANK)
        assert (proof.bank.unmatched_minor, proof.book.unmatched_minor) == (0, 13_000)
        with pytest.raises(BusinessRuleError) as caught:
            reconciler.match(ledger_name, BANK, lines=[(line.id, 1)], transactions=[(large, 1)], actor=OPERATOR)
        assert caught.value.reason is OVER_ALLOCATED

    def test_all_that_is_open_is_matched_by_hand(
        self, reconciler: Reconciler, start: Any, bank_ledger: Ledger, ledger_name: str
    ) -> None:
        """Without saying how much that is; what is left is listed on both sides."""
        [line] = start(said("30.00"), closing="130.00")
        small, large = self.post(bank_ledger, "10.00"), self.post(bank_ledger, "50.00")
        reconciler.match(ledger_name, BANK, lines=[(line.id, 1_000)], transactions=[(small, None)], actor=OPERATOR)

        left = reconciler.unmatched(ledger_name, BANK)
        rest = reconciler.match(
            ledger_name, BANK, lines=[(line.id, None)], transactions=[(large, 2_000)], actor=OPERATOR
        )

        assert [(each.line.id, each.open_minor) for each in left.lines] == [(line.id, 2_000)]
        assert sorted(each.open_minor for each in left.items) == [5_000, 10_000]
        assert [part.signed_minor for part in rest.lines] == [2_000]
        left = reconciler.unmatched(ledger_name, BANK)
        assert ([*left.lines], sorted(each.open_minor for each in left.items)) == ([], [3_000, 10_000])
        with pytest.raises(BusinessRuleError) as caught:
            reconciler.match(ledger_name, BANK, lines=[(line.id, None)], transactions=[(large, None)], actor=OPERATOR)
        assert caught.value.reason is OVER_ALLOCATED

    @pytest.mark.parametrize(
        ("lines", "transactions", "reason"),
        [
            ([("line", 1_000)], [("transaction", 999)], INVALID_ALLOCATION),
            ([("line", 500), ("line", 500)], [("transaction", 1_000)], INVALID_ALLOCATION),
            ([("line", 0)], [("transaction", 0)], INVALID_ALLOCATION),
            ([], [("transaction", 0)], INVALID_ALLOCATION),
            ([("line", -1_000)], [("transaction", -1_000)], OVER_ALLOCATED),
            ([("line", 9_000)], [("transaction", 9_000)], OVER_ALLOCATED),
            ([("nowhere", 1)], [("transaction", 1)], STATEMENT_NOT_FOUND),
            ([("line", 1)], [("nowhere", 1)], TRANSACTION_NOT_FOUND),
        ],
    )
    def test_allocations_that_cannot_be_are_refused(
        self, reconciler: Reconciler, start: Any, bank_ledger: Ledger, ledger_name: str, lines: Any, transactions: Any,
        reason: Any,
    ) -> None:  # fmt: skip
        """And nothing is matched."""
        [line] = start(said("30.00"), closing="130.00")
        ids = {"line": line.id, "transaction": self.post(bank_ledger, "50.00"), "nowhere": NOWHERE}

        with pytest.raises(LedgercoreError) as caught:
            reconciler.match(
                ledger_name,
                BANK,
                lines=[(ids[name], minor) for name, minor in lines],
                transactions=[(ids[name], minor) for name, minor in transactions],
                actor=OPERATOR,
            )

        assert caught.value.reason is reason
        assert reconciler.proof(ledger_name, BANK).bank.matched_count == 0

    def test_a_tolerated_difference_is_booked_and_undone_by_reversal(
        self,
        reconciler: Reconciler,
        start: Any,
        statements: Store,
        bank_ledger: Ledger,
        ledger_name: str,
        clock: StoppedClock,
    ) -> None:
        """Ledger and bank agree after the match, and differ again after it is undone."""
        start(said("-20.05", counterparty="Acme"), closing="79.95")
        self.post(bank_ledger, "-20.00", description="acme")

        [match] = reconciler.run(ledger_name, BANK, TOLERANT, actor=OPERATOR).made

        assert (match.stage, match.tolerance_minor, match.tolerance_account) == (Stage.TOLERANCE, -5, FEES)
        assert bank_ledger.balance(BANK).posted == eur("79.95")
        assert bank_ledger.balance(FEES).posted == eur("0.05")
        assert reconciler.proof(ledger_name, BANK).is_proved
        clock.forward(seconds=1)
        undone = reconciler.undo(ledger_name, match.id, actor=OPERATOR)
        assert (undone.undone_by, bank_ledger.balance(BANK).posted) == ("operator", eur("80.00"))
        assert reconciler.proof(ledger_name, BANK).bank.matched_count == 0
        [again] = reconciler.run(ledger_name, BANK, TOLERANT, actor=OPERATOR).made
        assert [part.id for part in again.lines] == [part.id for part in match.lines]
        with statements.begin() as work:
            listed = work.statements.list_matches
            assert [each.id for each in listed(ledger_name, BANK, after=None, limit=9)] == [again.id]
            everything = listed(ledger_name, BANK, after=None, limit=9, standing_only=False)
            assert everything == [undone, again]
            assert listed(ledger_name, BANK, after=match.id, limit=9, standing_only=False) == [again]

    def test_a_difference_that_may_not_be_booked_undoes_the_whole_run(
        self, reconciler: Reconciler, start: Any, bank_ledger: Ledger, ledger_name: str
    ) -> None:
        """Matches that need no booking too."""
        start(said("30.00", reference="INV-1"), said("-20.05", counterparty="Acme"), closing="109.95")
        self.post(bank_ledger, "30.00", reference="INV-1")
        self.post(bank_ledger, "-20.00", description="acme")
        bank_ledger.open_account(FEES, USD)

        with pytest.raises(BusinessRuleError) as caught:
            reconciler.run(ledger_name, BANK, TOLERANT, actor=OPERATOR)

        assert caught.value.reason is CURRENCY_MISMATCH
        assert reconciler.proof(ledger_name, BANK).bank.matched_count == 0

    @pytest.mark.usefixtures("bank_ledger")
    def test_no_account_is_no_reconciliation(self, reconciler: Reconciler, ledger_name: str) -> None:
        """Nothing is known of it."""
        with pytest.raises(NotFoundError) as caught:
            reconciler.proof(ledger_name, "assets:other")

        assert caught.value.reason is ACCOUNT_NOT_FOUND

    def test_what_was_reversed_in_part_still_explains(
        self, reconciler: Reconciler, start: Any, bank_ledger: Ledger, ledger_name: str
    ) -> None:
        """The bank has seen both."""
        start(said("30.00", reference="INV-1"), said("-10.00", text="refund"), closing="120.00")
        paid = self.post(bank_ledger, "30.00", reference="INV-1")
        bank_ledger.reverse(paid, amount=eur("10.00"))

        done = reconciler.run(ledger_name, BANK, MatchingRules(), actor=OPERATOR)

        assert ([each.stage for each in done.made], len(done.suggested)) == ([Stage.IDS], 1)

    def test_a_match_is_undone_once(
        self, reconciler: Reconciler, start: Any, bank_ledger: Ledger, ledger_name: str
    ) -> None:
        """And only where it is."""
        [line] = start(said("30.00"), closing="130.00")
        paid = self.post(bank_ledger, "30.00")
        match = reconciler.match(
            ledger_name, BANK, lines=[(line.id, 3_000)], transactions=[(paid, 3_000)], actor=OPERATOR
        )
        reconciler.undo(ledger_name, match.id, actor=OPERATOR)

        with pytest.raises(ConflictError) as twice:
            reconciler.undo(ledger_name, match.id, actor=OPERATOR)
        with pytest.raises(NotFoundError) as absent:
            reconciler.undo(ledger_name, NOWHERE, actor=OPERATOR)

        assert (twice.value.reason, absent.value.reason) == (MATCH_ALREADY_UNDONE, MATCH_NOT_FOUND)

    def test_what_was_reversed_explains_nothing(
        self, reconciler: Reconciler, start: Any, bank_ledger: Ledger, ledger_name: str
    ) -> None:
        """A transaction and its whole reversal are no candidates for lines of the same amount."""
        start(said("30.00", reference="INV-1"), said("-30.00"), closing="100.00")
        mistaken = self.post(bank_ledger, "30.00", reference="INV-1")
        bank_ledger.reverse(mistaken)

        done = reconciler.run(ledger_name, BANK, MatchingRules(), actor=OPERATOR)

        assert (done.made, done.suggested) == ((), ())

    def test_matching_is_told_in_the_audit_log(
        self, reconciler: Reconciler, start: Any, statements: Store, bank_ledger: Ledger, ledger_name: str
    ) -> None:
        """With the matches that were made."""
        start(said("30.00", reference="INV-1"), closing="130.00")
        self.post(bank_ledger, "30.00", reference="INV-1")

        [match] = reconciler.run(ledger_name, BANK, MatchingRules(), actor=OPERATOR).made

        with statements.begin() as work:
            told = [
                entry.body.decode() for entry in work.audit.entries() if f"ledger:{ledger_name}" in entry.body.decode()
            ]
        assert str(match.id) in told[-1]
        assert "lines_matched" in told[-1]
