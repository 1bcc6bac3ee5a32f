"""A ledger as its users see it: verbs of the trade over a journal that keeps the books."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import frozen

from ledgercore.errors import NotFoundError
from ledgercore.errors.catalog import ACCOUNT_NOT_FOUND, HOLD_NOT_FOUND, TRANSACTION_NOT_FOUND
from ledgercore.ledger.accounts import NO_LIMITS, Account, AccountStatus, AccountType, Balance, Limits
from ledgercore.ledger.commands import (
    AnyCommand,
    BatchItem,
    ChangeAccount,
    ChangeSettings,
    ClosePeriod,
    OpenAccount,
    Reversal,
    Settings,
    identity_of_key,
)
from ledgercore.ledger.events import events_of
from ledgercore.ledger.holds import Capture, ChangeHold, Hold, PlaceHold, ReplaceHold, VoidHold
from ledgercore.ledger.outcomes import Applied, GroupOutcome, Outcome, Posted
from ledgercore.ledger.ports import Journal
from ledgercore.ledger.queries import (
    AccountBalance,
    AccountEntry,
    AsOf,
    Event,
    HoldFilter,
    LedgerState,
    TransactionFilter,
)
from ledgercore.ledger.reports import (
    BalanceSheet,
    IncomeStatement,
    TreeLine,
    TrialBalance,
    balance_sheet,
    income_statement,
    tree,
    trial_balance,
)
from ledgercore.ledger.texts import check_key
from ledgercore.ledger.transactions import Line, PostedTransaction, Transaction, transfer
from ledgercore.money import Currency, Money
from ledgercore.pages import Page


@frozen
class Ledger:
    """A closed book of accounts.

    The verbs for one command raise where `post_all` would report; each takes `id` or `key` to make a
    repeat harmless. Whatever a journal promises about batches holds for them too.
    """

    journal: Journal

    @property
    def name(self) -> str:
        """The ledger's name."""
        return self.journal.name

    def post_all(self, batch: Sequence[BatchItem], *, atomic: bool = False) -> Sequence[Outcome]:
        """Carry out each command wholly or not at all, in order; one outcome each.

        With `atomic` all of them happen or none; a `Group` inside the batch is atomic by itself.
        """
        return self.journal.append(batch, atomic=atomic)

    def post(self, transaction: Transaction) -> Posted:
        """Post one transaction, or raise why it was refused."""
        outcome = self._apply(transaction)
        assert isinstance(outcome, Posted)
        return outcome

    def transfer(self, *, debit: str, credit: str, amount: Money, **fields: Any) -> Posted:
        """Post one amount: debit one account and credit another."""
        return self.post(transfer(debit=debit, credit=credit, amount=amount, **fields))

    def reverse(
        self,
        transaction: UUID,
        *,
        amount: Money | None = None,
        lines: Iterable[Line] = (),
        effective_at: datetime | None = None,
        description: str | None = None,
        id: UUID | None = None,
        key: str | None = None,
    ) -> Posted:
        """Undo what remains of a transaction, or a part of it, by a new one."""
        outcome = self._apply(
            Reversal(
                transaction=transaction,
                amount=amount,
                lines=lines,
                effective_at=effective_at,
                description=description,
                id=id,
                key=key,
            )
        )
        assert isinstance(outcome, Posted)
        return outcome

    def hold(
        self,
        *,
        debit: str,
        credit: str,
        amount: Money,
        expires_at: datetime | None = None,
        tolerance_bps: int = 0,
        group: str | None = None,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        id: UUID | None = None,
        key: str | None = None,
    ) -> Applied:
        """Reserve one amount between two accounts; `place` takes several lines."""
        return self.place(
            PlaceHold(
                lines=[Line(amount, debit, credit)],
                expires_at=expires_at,
                tolerance_bps=tolerance_bps,
                group=group,
                description=description,
                metadata=metadata,
                id=id,
                key=key,
            )
        )

    def place(self, hold: PlaceHold) -> Applied:
        """Reserve a hold's lines; the outcome's id is the hold's."""
        return self._apply(hold)

    def change_hold(self, hold: UUID, amount: Money, *, id: UUID | None = None, key: str | None = None) -> Applied:
        """Raise or lower a hold of one line to a new amount."""
        return self._apply(ChangeHold(hold=hold, amount=amount, id=id, key=key))

    def capture(
        self,
        hold: UUID,
        *,
        amount: Money | None = None,
        lines: Iterable[Line] = (),
        final: bool = False,
        effective_at: datetime | None = None,
        description: str | None = None,
        id: UUID | None = None,
        key: str | None = None,
    ) -> Posted:
        """Post all of a hold or a part of it; `final` lets the rest go."""
        outcome = self._apply(
            Capture(
                hold=hold,
                amount=amount,
                lines=lines,
                final=final,
                effective_at=effective_at,
                description=description,
                id=id,
                key=key,
            )
        )
        assert isinstance(outcome, Posted)
        return outcome

    def void(self, hold: UUID, *, id: UUID | None = None, key: str | None = None) -> Applied:
        """Let go of what a hold still reserves."""
        return self._apply(VoidHold(hold=hold, id=id, key=key))

    def replace_hold(
        self,
        hold: UUID,
        *,
        expires_at: datetime | None = None,
        id: UUID | None = None,
        key: str | None = None,
    ) -> Applied:
        """Place an expired hold's remainder again."""
        return self._apply(ReplaceHold(hold=hold, expires_at=expires_at, id=id, key=key))

    def expire_holds(self) -> int:
        """Let go of every hold whose time has passed; returns how many there were."""
        return self.journal.expire_holds()

    def open_account(
        self,
        path: str,
        currency: Currency,
        *,
        type: AccountType | None = None,
        limits: Limits = NO_LIMITS,
        metadata: Mapping[str, Any] | None = None,
        id: UUID | None = None,
        key: str | None = None,
    ) -> Account:
        """Open an account; without a `type` the ledger's rules decide by the path."""
        self._apply(
            OpenAccount(path=path, currency=currency, type=type, limits=limits, metadata=metadata, id=id, key=key)
        )
        return self.get_account(path)

    def change_account(
        self,
        path: str,
        *,
        status: AccountStatus | None = None,
        limits: Limits | None = None,
        metadata: Mapping[str, Any] | None = None,
        id: UUID | None = None,
        key: str | None = None,
    ) -> Account:
        """Freeze, unfreeze or close an account, or give it other limits or metadata."""
        self._apply(ChangeAccount(path=path, status=status, limits=limits, metadata=metadata, id=id, key=key))
        return self.get_account(path)

    def close_period(self, through: datetime, *, id: UUID | None = None, key: str | None = None) -> Applied:
        """Refuse from now on every entry that would count at or before `through`."""
        return self._apply(ClosePeriod(through=through, id=id, key=key))

    def change_settings(self, settings: Settings) -> Applied:
        """Replace the ledger's settings."""
        return self._apply(ChangeSettings(settings=settings))

    def state(self) -> LedgerState:
        """Where the ledger stands: its last record, its head, its lock date."""
        return self.journal.state()

    def get_account(self, path: str) -> Account:
        """An account with its balances now; raises `account_not_found`."""
        found = self.journal.find_account(path)
        if found is None:
            raise NotFoundError(ACCOUNT_NOT_FOUND, account=path)
        return found

    def list_accounts(self, *, prefix: str = "", cursor: str | None = None, limit: int = 100) -> Page[Account]:
        """Accounts at or below a prefix, by path."""
        return self.journal.list_accounts(prefix=prefix, cursor=cursor, limit=limit)

    def balance(self, path: str) -> Balance:
        """Posted, pending and available, now; raises `account_not_found`."""
        return self.get_account(path).balance

    def balance_at(
        self, path: str, *, effective_at: datetime | None = None, recorded_at: datetime | None = None
    ) -> Money:
        """The posted balance as of an effective time, a recorded time, or both."""
        at = AsOf(effective_at=effective_at, recorded_at=recorded_at)
        return self.journal.balances([path], at=at)[0].posted

    def balances(
        self, *, prefix: str = "", effective_at: datetime | None = None, recorded_at: datetime | None = None
    ) -> list[AccountBalance]:
        """Posted balances at or below a prefix, all from one moment."""
        return self.journal.balances(prefix=prefix, at=AsOf(effective_at=effective_at, recorded_at=recorded_at))

    def totals(
        self, *, prefix: str = "", effective_at: datetime | None = None, recorded_at: datetime | None = None
    ) -> tuple[TreeLine, ...]:
        """Accounts at or below a prefix and the nodes above them, each with its total in each currency."""
        return tree(self.balances(prefix=prefix, effective_at=effective_at, recorded_at=recorded_at))

    def list_entries(
        self, path: str, *, cursor: str | None = None, limit: int = 100, newest_first: bool = False
    ) -> Page[AccountEntry]:
        """An account's entries in recorded order, each with the running balance."""
        return self.journal.list_entries(path, cursor=cursor, limit=limit, newest_first=newest_first)

    def get_transaction(self, id: UUID) -> PostedTransaction:
        """A posted transaction; raises `transaction_not_found`."""
        found = self.journal.find_transaction(id)
        if found is None:
            raise NotFoundError(TRANSACTION_NOT_FOUND, transaction_id=id)
        return found

    def get_transaction_by_key(self, key: str) -> PostedTransaction:
        """The transaction posted under a key; raises `transaction_not_found`."""
        check_key(key)
        return self.get_transaction(UUID(bytes=identity_of_key(key)))

    def list_transactions(
        self, *, cursor: str | None = None, limit: int = 100, **wanted: Any
    ) -> Page[PostedTransaction]:
        """Transactions newest first; keywords are the fields of `TransactionFilter`."""
        return self.journal.list_transactions(TransactionFilter(**wanted), cursor=cursor, limit=limit)

    def get_hold(self, id: UUID) -> Hold:
        """A hold; raises `hold_not_found`."""
        found = self.journal.find_hold(id)
        if found is None:
            raise NotFoundError(HOLD_NOT_FOUND, hold_id=id)
        return found

    def list_holds(self, *, cursor: str | None = None, limit: int = 100, **wanted: Any) -> Page[Hold]:
        """Holds by id; keywords are the fields of `HoldFilter`."""
        return self.journal.list_holds(HoldFilter(**wanted), cursor=cursor, limit=limit)

    def events(self, *, after_number: int = 0, types: Iterable[str] = (), limit: int = 1_000) -> Iterator[Event]:
        """What happened after a record, in order; `types` selects, the number resumes."""
        return events_of(self.journal, after_number=after_number, types=frozenset(types), limit=limit)

    def trial_balance(
        self, *, prefix: str = "", effective_at: datetime | None = None, recorded_at: datetime | None = None
    ) -> TrialBalance:
        """Every account's balance on its side, and totals that agree in each currency."""
        at = AsOf(effective_at=effective_at, recorded_at=recorded_at)
        return trial_balance(self.journal.balances(prefix=prefix, at=at), at=at)

    def balance_sheet(
        self, *, effective_at: datetime | None = None, recorded_at: datetime | None = None
    ) -> BalanceSheet:
        """Assets against liabilities and equity, with the result so far as part of equity."""
        at = AsOf(effective_at=effective_at, recorded_at=recorded_at)
        return balance_sheet(self.journal.balances(at=at), at=at)

    def income_statement(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        recorded_at: datetime | None = None,
    ) -> IncomeStatement:
        """Income less expenses that became effective after `since` and by `until`."""
        if recorded_at is not None:
            self.journal.seal(recorded_at)
        with self.journal.snapshot() as journal:
            before = [] if since is None else journal.balances(at=AsOf(effective_at=since, recorded_at=recorded_at))
            after = journal.balances(at=AsOf(effective_at=until, recorded_at=recorded_at))
        return income_statement(before, after, since=since, until=until)

    def _apply(self, command: AnyCommand) -> Applied:
        [outcome] = self.post_all([command])
        assert not isinstance(outcome, GroupOutcome)
        return outcome.or_raise()
