"""Synchronising one account: its transactions page by page, then its balance beside the ledger's."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from ledgercore.banking.accounts import AccountStatus, BankAccount
from ledgercore.banking.findings import DIFFERENCE, Comparison, Finding, NewFinding
from ledgercore.banking.ledger_accounts import ensure_ledger
from ledgercore.banking.listings import HISTORY, OVERLAP, Position, position_from, since_of
from ledgercore.banking.merging import Listing, Merged, OwnPayment, mentions, merge_rows, without_vanished
from ledgercore.banking.observations import AccountSeen, BalanceSeen, RowSeen, RowsPage
from ledgercore.banking.ports import Work
from ledgercore.banking.postings import (
    commands_for,
    opening_commands,
    opening_key,
    payment_transaction_id,
    signed_minor_of,
)
from ledgercore.banking.records import account_synced, balance_changed, finding_audited, finding_event
from ledgercore.banking.rows import RowState, fingerprint_of
from ledgercore.banking.runs import OpenRun, Surroundings
from ledgercore.errors import BusinessRuleError, ConflictError, ExternalDependencyError
from ledgercore.errors.catalog import BANK_API_ERROR, HISTORY_WINDOW_CLOSED, JOB_LEASE_LOST
from ledgercore.events.events import Event
from ledgercore.identity.audit import Actor
from ledgercore.ids import TimeOrderedIds
from ledgercore.ledger.accounts import Account
from ledgercore.ledger.commands import BatchItem, identity_of_key
from ledgercore.ledger.ports import Journal
from ledgercore.money import Money
from ledgercore.money.currency import ISO

PAGES_MAX: Final = 100_000
"""How many pages a listing may have; a bank that gives more goes round in a circle."""
QUIET_TRIES_MAX: Final = 3
"""How often to look whether anything moved while an account was imported."""

SYSTEM: Final = Actor(name="system", source="bank sync")


@frozen(kw_only=True)
class AccountSync:
    """Synchronises an account that the bank tells of as `seen`, in units of work of a run."""

    around: Surroundings
    ledger: str
    run: OpenRun
    seen: AccountSeen

    def go_through(self, account: BankAccount) -> None:
        """Bring the account up to date; what an earlier attempt of the same run has done is not done again."""
        position = self._position(account)
        try:
            position = self._read_all(account.id, position)
        except BusinessRuleError as error:
            if error.reason is not HISTORY_WINDOW_CLOSED:
                raise
            # The bank tells everything only just after the user agreed.
            position = self._read_all(account.id, self._listing(self.around.clock() - HISTORY))
        balance = self._balance()
        if account.last_sync_at is None:
            position, balance = self._when_quiet(account.id, balance)
        self._settle(account.id, position, balance)

    def _position(self, account: BankAccount) -> Position:
        """Where to go on: where the run was left, or at the beginning of a new listing."""
        left = None if account.sync_cursor is None else position_from(account.sync_cursor)
        if left is not None and left.run_id == self.run.run.id:
            return left
        with self.run.step() as work:
            difference = work.findings.find_difference(account.id)
        since = since_of(
            account,
            oldest_pending_at=min(self._pending_since(account.id), default=None),
            has_difference=difference is not None,
            now=self.around.clock(),
        )
        return self._listing(since)

    def _listing(self, since: datetime) -> Position:
        return Position(run_id=self.run.run.id, listing_id=self.around.new_id(self.around.clock()), since=since)

    def _read_all(self, account_id: UUID, position: Position) -> Position:
        """Take in every page from a position on; gives the position at the end."""
        for _ in range(PAGES_MAX):
            if position.is_through:
                return position
            position = self._take_in(account_id, position, self._page(position))
        raise ExternalDependencyError(BANK_API_ERROR, why=f"more than {PAGES_MAX} pages")

    def _page(self, position: Position) -> RowsPage:
        return self.run.ask(
            lambda tokens: self.run.client.list_rows(tokens, self.seen, since=position.since, cursor=position.cursor)
        )

    def _balance(self) -> BalanceSeen:
        balance = self.run.ask(lambda tokens: self.run.client.read_balance(tokens, self.seen))
        if balance.money.currency.code != self.seen.currency:
            raise ExternalDependencyError(BANK_API_ERROR, why="the balance is in another currency than the account")
        return balance

    def _when_quiet(self, account_id: UUID, balance: BalanceSeen) -> tuple[Position, BalanceSeen]:
        """List again what may have changed, until the balance did not move meanwhile.

        What was booked between the last page and the balance would else be taken for older than all rows.
        """
        for _ in range(QUIET_TRIES_MAX):
            since = min([self.run.run.started_at - OVERLAP, *self._pending_since(account_id)])
            position = self._read_all(account_id, self._listing(since))
            before, balance = balance, self._balance()
            if before.money == balance.money:
                break
        return position, balance

    def _pending_since(self, account_id: UUID) -> list[datetime]:
        """When the account's pending rows were made."""
        with self.run.step() as work:
            known = work.bank_rows.find_related(account_id, external_ids=(), fingerprints=())
        return [row.seen.created_at for row in known if row.state is RowState.PENDING]

    def _take_in(self, account_id: UUID, position: Position, page: RowsPage) -> Position:
        """Store a page and post what it books, in one unit of work."""
        after = position.after_page(page.next_cursor)
        with self.run.step() as work:
            account = _locked(work, account_id)
            journal = ensure_ledger(work, self.ledger)
            now = self.around.clock()
            known = work.bank_rows.find_related(
                account_id,
                external_ids=[row.external_id for row in page.rows if row.external_id is not None],
                fingerprints=[fingerprint_of(row) for row in page.rows if row.external_id is None],
            )
            draw = TimeOrderedIds(self.around.random_bytes).batch(now)
            merged = merge_rows(
                known,
                page.rows,
                Listing(
                    id=position.listing_id,
                    account_id=account_id,
                    currency=account.currency,
                    now=now,
                    draw_id=lambda: UUID(bytes=draw()),
                    own=_own_payments(work, journal, account, page.rows),
                ),
            )
            work.bank_rows.save_all(merged.rows)
            work.accounts.save(evolve(account, sync_cursor=after.text()))
            events = self._post(journal, account, merged)
            self._tell(work, account, merged.findings, events, now=now)
        return after

    def _post(self, journal: Journal, account: BankAccount, merged: Merged) -> list[Event]:
        """Post what a page moves; gives the event of the new balance, if there is one."""
        if not merged.moves:
            return []
        at = _in_ledger(journal, account)
        _append(journal, commands_for(account, merged.moves, at=at))
        moved = sum(move.signed_minor for move in merged.moves)
        return [balance_changed(account, Money(at.balance.posted.minor + moved, at.currency))]

    def _settle(self, account_id: UUID, position: Position, balance: BalanceSeen) -> None:
        """End the account's part of the run: drop what vanished, open what is new, compare the balances."""
        with self.run.step() as work:
            account = _locked(work, account_id)
            journal = ensure_ledger(work, self.ledger)
            now = self.around.clock()
            unseen = work.bank_rows.list_unseen(account_id, listing_id=position.listing_id, since=position.since)
            merged = without_vanished(unseen, now=now)
            work.bank_rows.save_all(merged.rows)
            sums = work.bank_rows.sums(account_id)
            events = []
            if account.last_sync_at is None:
                pending = sums.pending if balance.includes_pending else 0
                opening = balance.money.minor - sums.posted - sums.linked - pending
                _append(journal, opening_commands(account, opening, first_at=sums.first_at))
                events.append(balance_changed(account, _in_ledger(journal, account).balance.posted))
            compared = Comparison(
                bank=balance.money.minor,
                includes_pending=balance.includes_pending,
                ledger=_in_ledger(journal, account).balance.posted.minor,
                opening=_opening_of(journal, account),
                sums=sums,
            )
            imported = account.last_sync_at is None and account.status is AccountStatus.INACTIVE
            account = evolve(
                account,
                status=AccountStatus.ACTIVE if imported else account.status,
                last_sync_at=self.run.run.started_at,
                sync_cursor=None,
                updated_at=now,
            )
            work.accounts.save(account)
            differences = self._compare(work, account, compared, now=now)
            events.append(account_synced(account, Money(compared.ledger, ISO.get(account.currency))))
            self._tell(work, account, (*merged.findings, *differences), events, now=now)

    def _compare(
        self, work: Work, account: BankAccount, compared: Comparison, *, now: datetime
    ) -> Sequence[NewFinding]:
        """Note a difference of the balances, or that they agree again; gives a difference that is new."""
        open_finding = work.findings.find_difference(account.id)
        if open_finding is None:
            return [NewFinding(kind=DIFFERENCE, details=compared.details)] if compared.difference else []
        if compared.difference:
            work.findings.save(evolve(open_finding, details=compared.details, seen_at=now))
        else:
            work.findings.save(evolve(open_finding, seen_at=now, resolved_at=now))
        return []

    def _tell(
        self, work: Work, account: BankAccount, found: Sequence[NewFinding], events: list[Event], *, now: datetime
    ) -> None:
        """Store what does not agree, and tell of it and of the rest; to be done last."""
        draw = TimeOrderedIds(self.around.random_bytes).batch(now)
        findings = [
            Finding(
                id=UUID(bytes=draw()), account_id=account.id, kind=new.kind, details=new.details, found_at=now,
                seen_at=now,
            )
            for new in found
        ]  # fmt: skip
        work.findings.add_all(findings)
        told = [*events, *(finding_event(finding, account) for finding in findings)]
        if told:
            work.events.publish_all(told)
        if findings:
            work.audit.append_all([finding_audited(finding, SYSTEM) for finding in findings])


def _locked(work: Work, account_id: UUID) -> BankAccount:
    for account in work.accounts.lock([account_id]):
        return account
    raise ConflictError(JOB_LEASE_LOST, account_id=account_id)


def _in_ledger(journal: Journal, account: BankAccount) -> Account:
    found = journal.find_account(account.path)
    assert found is not None, "it was opened with the account"
    return found


def _append(journal: Journal, commands: Sequence[BatchItem]) -> None:
    for outcome in journal.append(commands):
        outcome.or_raise()


def _opening_of(journal: Journal, account: BankAccount) -> int:
    opening = journal.find_transaction(UUID(bytes=identity_of_key(opening_key(account))))
    return 0 if opening is None else signed_minor_of(opening, account.path)


def _own_payments(
    work: Work, journal: Journal, account: BankAccount, rows: Sequence[RowSeen]
) -> Mapping[UUID, OwnPayment]:
    """Completed payments of ours on the account that rows mention and that no row is linked to yet."""
    ids = {id for row in rows for id in mentions(row)}
    found = {id: journal.find_transaction(payment_transaction_id(id)) for id in sorted(ids)}
    linked = {row.payment_id for row in work.bank_rows.find_linked(sorted(ids))} if ids else set()
    payments = [
        OwnPayment(payment_id=id, transaction_id=posted.id, signed_minor=signed_minor_of(posted, account.path))
        for id, posted in found.items()
        if posted is not None and id not in linked
    ]
    return {payment.payment_id: payment for payment in payments if payment.signed_minor}
