"""The suite for statements: what is kept of them, and what a repeat does."""

import os
from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import pytest

from ledgercore.errors import BusinessRuleError, NotFoundError, ValidationError
from ledgercore.errors.catalog import (
    ACCOUNT_NOT_FOUND,
    LEDGER_NOT_FOUND,
    MALFORMED_STATEMENT,
    STATEMENT_CURRENCY_MISMATCH,
)
from ledgercore.identity.audit import OPERATOR
from ledgercore.ledger.ledger import Ledger
from ledgercore.statements.importing import Imported, StatementImport
from ledgercore.statements.ports import Store
from ledgercore.statements.statements import Balance, BalanceKind, Direction, EntryDetail, Statement, StatementEntry
from ledgercore.testing.ledgers import USD, LedgerContract, StoppedClock, eur, usd

BANK: Final = "assets:bank"
IBAN: Final = "DE02120300000000202051"
FIRST: Final = date(2026, 3, 2)


def said(minor: str, *, on: date = FIRST, **fields: Any) -> StatementEntry:
    """A line of a statement: euros, with a minus for a debit."""
    direction = Direction.DEBIT if minor.startswith("-") else Direction.CREDIT
    defaults: dict[str, Any] = {"booked_on": on, "value_on": on, "position": "line 1", "text": "rent"}
    return StatementEntry(direction=direction, amount=eur(minor.removeprefix("-")), **{**defaults, **fields})


def statement(
    *entries: StatementEntry, opening: str = "0.00", closing: str = "0.00", on: date = FIRST, **fields: Any
) -> Statement:
    """A statement of the account for one day, with balances of these euros."""
    return Statement(
        format="test",
        account=fields.pop("account", IBAN),
        currency=fields.pop("currency", "EUR"),
        opening=Balance(kind=BalanceKind.OPENING, amount=eur(opening), on=on),
        closing=Balance(kind=BalanceKind.CLOSING, amount=eur(closing), on=on),
        entries=entries,
        **fields,
    )


class StatementsContract(LedgerContract):
    """The fixtures; subclasses override `store` and `statements`, and `clock` if they like."""

    @pytest.fixture
    def statements(self) -> Store:
        """Where statements are kept, in the database of the ledgers of `store`; every adapter says for itself."""
        raise NotImplementedError("override the fixture `statements`")

    @pytest.fixture
    def bank_ledger(self, ledger: Ledger) -> Ledger:
        """A ledger with a bank account in it."""
        ledger.transfer(debit=BANK, credit="equity:start", amount=eur("100.00"))
        return ledger

    @pytest.fixture
    def importing(self, statements: Store, clock: StoppedClock) -> StatementImport:
        """Takes lists of statements for files: whatever the bytes, these are what was read."""
        return StatementImport(
            store=statements, reader=lambda *_, **__: self.in_file, clock=clock, random_bytes=os.urandom
        )

    in_file: Sequence[Statement] = ()


@pytest.mark.usefixtures("bank_ledger")
class ImportContract(StatementsContract):
    """Keeping what banks have said."""

    def keep(self, importing: StatementImport, ledger: str, *found: Statement) -> list[Imported]:
        """Import statements as if one file held them."""
        return list(importing.store_all(found, ledger=ledger, account=BANK, file_name="march.sta", actor=OPERATOR))

    def texts(self, statements: Store, ledger: str) -> list[str]:
        """What the lines of the account say, in their order."""
        with statements.begin() as work:
            return [line.said.text for line in work.statements.list_lines(ledger, BANK, limit=100)]

    def test_lines_come_back_as_the_bank_said_them(
        self, importing: StatementImport, statements: Store, ledger_name: str
    ) -> None:
        """With everything that reconciliation looks at."""
        detail = EntryDetail(direction=Direction.DEBIT, end_to_end_id="E2E 1", structured_reference="RF18539007547034")
        entry = said(
            "-12.50", bank_id="B1", reference="R1", counterparty="Åcme", counterparty_account=IBAN, details=(detail,),
            is_reversal=True,
        )  # fmt: skip

        [imported] = self.keep(importing, ledger_name, statement(entry, opening="20.00", closing="7.50", number="7"))

        record = imported.record
        assert (record.opening_minor, record.closing_minor, record.difference_minor) == (2000, 750, 0)
        assert (record.number, record.lines_added, record.entries_count) == ("7", 1, 1)
        with statements.begin() as work:
            [line] = work.statements.list_lines(ledger_name, BANK, limit=10)
            assert work.statements.find(ledger_name, record.id) == record
            assert work.statements.find_lines(ledger_name, BANK, [line.id]) == [line]
            assert work.statements.sum_of_lines(ledger_name, BANK) == (1, -1250)
        assert (line.number, line.statement_id, line.said.signed_minor) == (1, record.id, -1250)
        assert line.said.references == ("R1", "B1", "E2E 1")
        assert line.said.structured_references == ("RF18539007547034",)
        assert (line.said.counterparty, line.said.is_reversal, line.said.on) == ("Åcme", True, FIRST)

    def test_same_statement_again_is_no_work(
        self, importing: StatementImport, statements: Store, ledger_name: str
    ) -> None:
        """Whatever its file is called."""
        found = statement(said("5.00"), closing="5.00")

        [first], [again] = self.keep(importing, ledger_name, found), self.keep(importing, ledger_name, found)

        assert (first.is_new, again.is_new, again.record) == (True, False, first.record)
        assert self.texts(statements, ledger_name) == ["rent"]

    def test_overlapping_statements_add_only_what_is_new(
        self, importing: StatementImport, statements: Store, ledger_name: str
    ) -> None:
        """Identical twins within one statement are two lines, and stay two."""
        twin, later = said("-9.90", text="coffee"), said("1.00", text="gift", on=date(2026, 3, 3))

        [first] = self.keep(importing, ledger_name, statement(twin, twin))
        [second] = self.keep(importing, ledger_name, statement(twin, twin, later))

        assert (first.record.lines_added, second.record.lines_added) == (2, 1)
        assert self.texts(statements, ledger_name) == ["coffee", "coffee", "gift"]

    def test_the_banks_number_names_a_line(self, importing: StatementImport, ledger_name: str) -> None:
        """Though its text was worded differently the second time."""
        self.keep(importing, ledger_name, statement(said("5.00", bank_id="77", text="RENT MARCH")))
        [again] = self.keep(
            importing, ledger_name, statement(said("5.00", bank_id="77", text="Rent, March"), number="2")
        )

        assert (again.is_new, again.record.lines_added) == (True, 0)

    def test_pending_entries_are_counted_and_not_kept(
        self, importing: StatementImport, statements: Store, ledger_name: str
    ) -> None:
        """They may never be booked."""
        [done] = self.keep(importing, ledger_name, statement(said("5.00", is_pending=True), said("1.00", text="tip")))

        assert (done.record.entries_count, done.record.pending_count) == (1, 1)
        assert self.texts(statements, ledger_name) == ["tip"]

    def test_a_failing_statement_takes_the_whole_file_with_it(
        self, importing: StatementImport, statements: Store, ledger_name: str
    ) -> None:
        """Nothing of the statements before it is stored."""
        dollars = Statement(
            format="test", account=IBAN, currency="USD",
            entries=(StatementEntry(direction=Direction.CREDIT, amount=usd("1.00"), booked_on=FIRST, value_on=FIRST,
                                    position="line 9"),),
        )  # fmt: skip

        with pytest.raises(BusinessRuleError) as caught:
            self.keep(importing, ledger_name, statement(said("5.00")), dollars)

        assert caught.value.reason is STATEMENT_CURRENCY_MISMATCH
        assert caught.value.details["found"] == [USD.code]
        assert self.texts(statements, ledger_name) == []

    def test_an_account_that_is_not_there_is_refused(self, importing: StatementImport, ledger_name: str) -> None:
        """And so is a ledger."""
        with pytest.raises(NotFoundError) as unknown_account:
            importing.store_all([], ledger=ledger_name, account="assets:other", file_name="f", actor=OPERATOR)
        with pytest.raises(NotFoundError) as unknown_ledger:
            importing.read(b"", ledger="nowhere", account=BANK)

        assert unknown_account.value.reason is ACCOUNT_NOT_FOUND
        assert unknown_ledger.value.reason is LEDGER_NOT_FOUND

    def test_a_file_about_several_accounts_needs_one_named(self, importing: StatementImport, ledger_name: str) -> None:
        """Or a stranger's lines would be taken for ours."""
        self.in_file = [statement(), statement(account="OTHER")]

        with pytest.raises(ValidationError) as several:
            importing.read(b"", ledger=ledger_name, account=BANK)
        with pytest.raises(ValidationError) as none:
            importing.read(b"", ledger=ledger_name, account=BANK, bank_account="NEITHER")

        assert several.value.reason is none.value.reason is MALFORMED_STATEMENT
        assert several.value.details["accounts"] == [IBAN, "OTHER"]
        assert importing.read(b"", ledger=ledger_name, account=BANK, bank_account="OTHER") == [self.in_file[1]]

    def test_records_are_listed_by_account_in_order(
        self, importing: StatementImport, statements: Store, ledger_name: str
    ) -> None:
        """Page after page."""
        found = [statement(said(f"{number}.00"), number=str(number)) for number in (1, 2, 3)]
        ids = [each.record.id for each in self.keep(importing, ledger_name, *found)]

        with statements.begin() as work:
            listed = work.statements.list_records
            assert [each.id for each in listed(ledger_name, account=None, after=None, limit=2)] == ids[:2]
            assert [each.id for each in listed(ledger_name, account=BANK, after=ids[1], limit=2)] == ids[2:]
            assert listed(ledger_name, account="assets:other", after=None, limit=2) == []
            of_second = work.statements.list_lines(ledger_name, BANK, statement_id=ids[1], limit=9)
            assert [line.number for line in of_second] == [2]
            assert [line.number for line in work.statements.list_lines(ledger_name, BANK, after=2, limit=9)] == [3]
            assert work.statements.find(ledger_name, UUID(int=1)) is None

    def test_import_is_told_in_events_and_the_audit_log(
        self, importing: StatementImport, statements: Store, ledger_name: str
    ) -> None:
        """Once, not for the repeat."""
        with statements.begin() as work:
            before = work.events.last_number()

        for _ in range(2):
            self.keep(importing, ledger_name, statement(said("5.00")))

        with statements.begin() as work:
            told = work.events.list_after(before, types=frozenset({"statement.imported"}), limit=10)
        assert [each.event.data["lines_added"] for each in told if each.event.data["ledger"] == ledger_name] == [1]
