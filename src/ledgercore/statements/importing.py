"""Importing files of statements: all of a file or nothing, and nothing twice."""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from ledgercore.clock import Clock
from ledgercore.errors import BusinessRuleError, NotFoundError, ValidationError, shortened
from ledgercore.errors.catalog import ACCOUNT_NOT_FOUND, MALFORMED_STATEMENT, STATEMENT_CURRENCY_MISMATCH
from ledgercore.events.events import Event
from ledgercore.identity.audit import Actor, AuditEvent
from ledgercore.ids import TimeOrderedIds
from ledgercore.ledger.accounts import Account
from ledgercore.ledger.texts import fault_in
from ledgercore.money import Currency
from ledgercore.statements.lines import NewLine, StatementRecord, lines_of, statement_digest
from ledgercore.statements.ports import StatementReader, Store, Work
from ledgercore.statements.statements import Balance, Statement

FILE_NAME_LENGTH_MAX: Final = 255


@frozen
class Imported:
    """A statement of a file: as it is kept, and whether it was there before."""

    record: StatementRecord
    is_new: bool


@frozen(kw_only=True)
class StatementImport:
    """Reads files for accounts of ledgers."""

    store: Store
    reader: StatementReader
    clock: Clock
    random_bytes: Callable[[int], bytes]

    def read(
        self,
        data: bytes,
        *,
        ledger: str,
        account: str,
        format: str | None = None,
        dialect: str | None = None,
        bank_account: str | None = None,
    ) -> Sequence[Statement]:
        """The statements of a file, of one bank account, to be stored for an account of a ledger.

        Raises `ledger_not_found`, `account_not_found`, `unknown_statement_format`, and `malformed_statement`, also
        when the file is about several bank accounts and none is named.
        """
        with self.store.begin() as work:
            currency = _kept_account(work, ledger, account).currency.code
        found = self.reader(data, format=format, dialect=dialect, currency=currency)
        names = list(dict.fromkeys(statement.account for statement in found))
        if bank_account is None and len(names) > 1:
            raise ValidationError(
                MALFORMED_STATEMENT, field="bank_account", accounts=names,
                why="the file is about several accounts: name the one to import",
            )  # fmt: skip
        wanted = [statement for statement in found if bank_account in (None, statement.account)]
        if not wanted:
            raise ValidationError(
                MALFORMED_STATEMENT, field="bank_account", value=shortened(bank_account), accounts=names,
                why="the file has no statement of this account",
            )  # fmt: skip
        return wanted

    def store_all(
        self, statements: Sequence[Statement], *, ledger: str, account: str, file_name: str, actor: Actor
    ) -> Sequence[Imported]:
        """Keep what statements say of an account of a ledger, in one unit of work.

        A statement that was imported before adds nothing, nor does a line that another one has told. Raises
        `account_not_found`, `ledger_not_found` and `statement_currency_mismatch`; then nothing is stored.
        """
        name = "".join(letter for letter in file_name if not fault_in(letter, 1))[:FILE_NAME_LENGTH_MAX]
        with self.store.begin() as work:
            kept = _kept_account(work, ledger, account)
            work.statements.lock_account(ledger, account)
            draw = TimeOrderedIds(self.random_bytes).batch(self.clock())
            done = [self._store_one(work, each, ledger, kept, name, UUID(bytes=draw())) for each in statements]
            fresh = [each.record for each in done if each.is_new]
            if fresh:
                _tell(work, fresh, actor)
        return done

    def _store_one(
        self, work: Work, statement: Statement, ledger: str, account: Account, name: str, id: UUID
    ) -> Imported:
        lines = tuple(lines_of(statement))
        _check_currency(statement, lines, account)
        digest = statement_digest(statement, lines)
        known = work.statements.find_same(ledger, account.path, digest)
        if known is not None:
            return Imported(known, is_new=False)
        record = self._record(statement, ledger=ledger, account=account, digest=digest, name=name, id=id)
        return Imported(evolve(record, lines_added=work.statements.add(record, lines)), is_new=True)

    def _record(
        self, statement: Statement, *, ledger: str, account: Account, digest: bytes, name: str, id: UUID
    ) -> StatementRecord:
        opening, closing, difference = statement.opening, statement.closing, statement.difference
        warnings = [*statement.warnings, *(f"{each.position}: {text}" for each in statement.entries
                                           for text in each.warnings)]  # fmt: skip
        return StatementRecord(
            id=id,
            ledger=ledger,
            account=account.path,
            digest=digest,
            format=statement.format,
            file_name=name,
            imported_at=self.clock(),
            bank_account=statement.account,
            reference=statement.reference,
            number=statement.number,
            currency=account.currency.code,
            exponent=account.currency.exponent,
            opening_minor=_minor_in(account.currency, opening),
            opening_on=None if opening is None else opening.on,
            closing_minor=_minor_in(account.currency, closing),
            closing_on=None if closing is None else closing.on,
            difference_minor=None if difference is None else difference.minor,
            entries_count=len(statement.booked),
            pending_count=len(statement.entries) - len(statement.booked),
            lines_added=0,
            warnings=tuple(warnings),
        )


def _kept_account(work: Work, ledger: str, account: str) -> Account:
    kept = work.ledgers.journal(ledger).find_account(account)
    if kept is None:
        raise NotFoundError(ACCOUNT_NOT_FOUND, account=account, ledger=ledger)
    return kept


def _check_currency(statement: Statement, lines: Sequence[NewLine], account: Account) -> None:
    foreign = {line.amount.currency.code for line in lines} - {account.currency.code}
    if statement.currency not in (None, account.currency.code):
        foreign.add(str(statement.currency))
    if foreign:
        raise BusinessRuleError(
            STATEMENT_CURRENCY_MISMATCH, account=account.path, currency=account.currency.code, found=sorted(foreign)
        )


def _minor_in(currency: Currency, balance: Balance | None) -> int | None:
    """A balance in minor units; banks also give some in other currencies, which say nothing of this account."""
    return None if balance is None or balance.amount.currency != currency else balance.amount.minor


def _tell(work: Work, records: Sequence[StatementRecord], actor: Actor) -> None:
    work.events.publish_all(
        [
            Event(
                type="statement.imported",
                subject=f"statement:{record.id}",
                data={"ledger": record.ledger, "account": record.account, "lines_added": record.lines_added},
            )
            for record in records
        ]
    )
    first = records[0]
    work.audit.append(
        AuditEvent(
            action="statement_imported",
            actor=actor,
            target=f"ledger:{first.ledger}",
            details={
                "account": first.account,
                "statements": [str(record.id) for record in records],
                "lines_added": sum(record.lines_added for record in records),
            },
        )
    )
