"""The suite for what is read back of statements: pages of records, lines and matches."""

from collections.abc import Callable
from typing import Any

import pytest

from ledgercore.errors import NotFoundError
from ledgercore.errors.catalog import ACCOUNT_NOT_FOUND, MATCH_NOT_FOUND, STATEMENT_NOT_FOUND
from ledgercore.errors.reason import Reason
from ledgercore.identity.audit import OPERATOR
from ledgercore.ledger.ledger import Ledger
from ledgercore.pages import Page
from ledgercore.statements.importing import StatementImport
from ledgercore.statements.ports import Store
from ledgercore.statements.reading import ImportedStatements
from ledgercore.statements.reconciling import Reconciler
from ledgercore.testing.ledgers import EUR, StoppedClock
from ledgercore.testing.statement_imports import BANK, StatementsContract, said, statement
from ledgercore.testing.statement_matches import NOWHERE


def everything(page: Callable[..., Page[Any]]) -> list[Any]:
    """All items of a list, one page after the other."""
    found, cursor = list[Any](), None
    while True:
        part = page(cursor=cursor, limit=1)
        found += part.items
        cursor = part.next_cursor
        if cursor is None:
            return found


@pytest.mark.usefixtures("bank_ledger")
class ReadingContract(StatementsContract):
    """Reading what was imported and matched."""

    @pytest.fixture
    def kept(self, statements: Store) -> ImportedStatements:
        """What is kept."""
        return ImportedStatements(statements)

    def test_statements_and_their_lines_come_in_pages(
        self, importing: StatementImport, kept: ImportedStatements, ledger_name: str
    ) -> None:
        """Lines belong to the statement that told them first."""
        rent, gift, coffee = said("5.00"), said("1.00", text="gift"), said("-2.00", text="coffee")
        first, second = (
            each.record
            for each in importing.store_all(
                [statement(rent, gift), statement(rent, gift, coffee)],
                ledger=ledger_name, account=BANK, file_name="f", actor=OPERATOR,
            )
        )  # fmt: skip

        assert everything(lambda **page: kept.page(ledger_name, **page)) == [first, second]
        assert kept.page(ledger_name, account="assets:other").items == ()
        assert kept.get(ledger_name, second.id) == second
        texts = [line.said.text for line in everything(lambda **page: kept.lines(ledger_name, BANK, **page))]
        assert texts == ["rent", "gift", "coffee"]
        assert kept.get_line(ledger_name, BANK, 2).said.text == "gift"
        of_second = everything(lambda **page: kept.lines_of(ledger_name, second.id, **page))
        assert [line.said.text for line in of_second] == ["coffee"]
        assert kept.currency_of(ledger_name, BANK) == EUR

    def test_matches_come_in_pages(
        self,
        importing: StatementImport,
        kept: ImportedStatements,
        statements: Store,
        bank_ledger: Ledger,
        ledger_name: str,
        clock: StoppedClock,
    ) -> None:
        """Standing ones, or all."""
        found = statement(said("1.00"), said("2.00"))
        importing.store_all([found], ledger=ledger_name, account=BANK, file_name="f", actor=OPERATOR)
        reconciler = Reconciler(store=statements, clock=clock, random_bytes=importing.random_bytes)
        made = []
        for line in kept.lines(ledger_name, BANK).items:
            paid = bank_ledger.transfer(debit=BANK, credit="income:sales", amount=line.said.amount).id
            clock.forward(seconds=1)
            made.append(
                reconciler.match(
                    ledger_name, BANK, lines=[(line.id, None)], transactions=[(paid, None)], actor=OPERATOR
                )
            )
        undone = reconciler.undo(ledger_name, made[0].id, actor=OPERATOR)

        assert everything(lambda **page: kept.matches(ledger_name, BANK, **page)) == made[1:]
        assert everything(lambda **page: kept.matches(ledger_name, BANK, standing_only=False, **page)) == [
            undone, made[1],
        ]  # fmt: skip
        assert kept.get_match(ledger_name, BANK, undone.id) == undone
        with pytest.raises(NotFoundError) as elsewhere:
            kept.get_match(ledger_name, "equity:start", undone.id)
        assert elsewhere.value.reason is MATCH_NOT_FOUND

    def test_what_is_not_there_is_told(self, kept: ImportedStatements, ledger_name: str) -> None:
        """By its own reason."""
        asked: list[tuple[Callable[[], object], Reason]] = [
            (lambda: kept.get(ledger_name, NOWHERE), STATEMENT_NOT_FOUND),
            (lambda: kept.lines_of(ledger_name, NOWHERE), STATEMENT_NOT_FOUND),
            (lambda: kept.get_line(ledger_name, BANK, 0), STATEMENT_NOT_FOUND),
            (lambda: kept.get_line(ledger_name, BANK, 1), STATEMENT_NOT_FOUND),
            (lambda: kept.get_match(ledger_name, BANK, NOWHERE), MATCH_NOT_FOUND),
            (lambda: kept.lines(ledger_name, "assets:other"), ACCOUNT_NOT_FOUND),
            (lambda: kept.matches(ledger_name, "assets:other"), ACCOUNT_NOT_FOUND),
            (lambda: kept.currency_of(ledger_name, "assets:other"), ACCOUNT_NOT_FOUND),
        ]
        for ask, reason in asked:
            with pytest.raises(NotFoundError) as caught:
                ask()
            assert caught.value.reason is reason
