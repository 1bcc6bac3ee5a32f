"""Reading what was imported and matched, page by page."""

from uuid import UUID

from attrs import frozen

from ledgercore.errors import NotFoundError
from ledgercore.errors.catalog import ACCOUNT_NOT_FOUND, MATCH_NOT_FOUND, STATEMENT_NOT_FOUND
from ledgercore.money import Currency
from ledgercore.pages import Page, check_limit, decode_cursor, page_of
from ledgercore.statements.lines import StatementLine, StatementRecord
from ledgercore.statements.matches import Match
from ledgercore.statements.ports import Store, Work


@frozen
class ImportedStatements:
    """Statements, lines and matches of ledgers as they are kept."""

    store: Store

    def currency_of(self, ledger: str, account: str) -> Currency:
        """What the amounts of an account are in; raises `account_not_found`."""
        with self.store.begin() as work:
            return _currency(work, ledger, account)

    def get(self, ledger: str, id: UUID) -> StatementRecord:
        """An imported statement; raises `statement_not_found`."""
        with self.store.begin() as work:
            return _existing(work, ledger, id)

    def page(
        self, ledger: str, *, account: str | None = None, cursor: str | None = None, limit: int = 100
    ) -> Page[StatementRecord]:
        """Statements in the order they were imported, of one account or of all."""
        after = None if cursor is None else decode_cursor("statements", cursor, UUID)[0]
        with self.store.begin() as work:
            found = work.statements.list_records(ledger, account=account, after=after, limit=check_limit(limit) + 1)
        return page_of(found, limit, "statements", lambda record: (str(record.id),))

    def lines(self, ledger: str, account: str, *, cursor: str | None = None, limit: int = 100) -> Page[StatementLine]:
        """The lines of an account in the order they were stored; raises `account_not_found`."""
        after = _line_after(cursor)
        with self.store.begin() as work:
            _currency(work, ledger, account)
            found = work.statements.list_lines(ledger, account, after=after, limit=check_limit(limit) + 1)
        return page_of(found, limit, "statement_lines", lambda line: (line.number,))

    def get_line(self, ledger: str, account: str, number: int) -> StatementLine:
        """The line of an account that has a number; raises `statement_not_found`."""
        with self.store.begin() as work:
            found = work.statements.list_lines(ledger, account, after=number - 1, limit=1)
        if not found or found[0].number != number:
            raise NotFoundError(STATEMENT_NOT_FOUND, line=number, account=account, ledger=ledger)
        return found[0]

    def lines_of(self, ledger: str, id: UUID, *, cursor: str | None = None, limit: int = 100) -> Page[StatementLine]:
        """The lines that a statement was the first to tell; raises `statement_not_found`."""
        after = _line_after(cursor)
        with self.store.begin() as work:
            account = _existing(work, ledger, id).account
            found = work.statements.list_lines(
                ledger, account, statement_id=id, after=after, limit=check_limit(limit) + 1
            )
        return page_of(found, limit, "statement_lines", lambda line: (line.number,))

    def get_match(self, ledger: str, account: str, id: UUID) -> Match:
        """A match of an account, standing or undone; raises `match_not_found`."""
        with self.store.begin() as work:
            found = work.statements.find_match(ledger, id)
        if found is None or found.account != account:
            raise NotFoundError(MATCH_NOT_FOUND, id=id, ledger=ledger)
        return found

    def matches(
        self, ledger: str, account: str, *, standing_only: bool = True, cursor: str | None = None, limit: int = 100
    ) -> Page[Match]:
        """Matches of an account in the order they were made; raises `account_not_found`."""
        after = None if cursor is None else decode_cursor("matches", cursor, UUID)[0]
        with self.store.begin() as work:
            _currency(work, ledger, account)
            found = work.statements.list_matches(
                ledger, account, after=after, limit=check_limit(limit) + 1, standing_only=standing_only
            )
        return page_of(found, limit, "matches", lambda match: (str(match.id),))


def _line_after(cursor: str | None) -> int:
    return 0 if cursor is None else int(decode_cursor("statement_lines", cursor, int)[0])


def _currency(work: Work, ledger: str, account: str) -> Currency:
    kept = work.ledgers.journal(ledger).find_account(account)
    if kept is None:
        raise NotFoundError(ACCOUNT_NOT_FOUND, account=account, ledger=ledger)
    return kept.currency


def _existing(work: Work, ledger: str, id: UUID) -> StatementRecord:
    found = work.statements.find(ledger, id)
    if found is None:
        raise NotFoundError(STATEMENT_NOT_FOUND, id=id, ledger=ledger)
    return found
