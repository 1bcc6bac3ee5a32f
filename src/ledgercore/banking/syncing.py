"""Synchronising a login: its accounts, their transactions and balances, in small units of work around conversations."""

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from ledgercore.banking.account_sync import AccountSync
from ledgercore.banking.accounts import AccountStatus, AccountType, BankAccount
from ledgercore.banking.ledger_accounts import ensure_ledger, opening_of
from ledgercore.banking.logins import SYNC_FREQUENCY_SECONDS_MIN, BankLogin
from ledgercore.banking.observations import AccountSeen
from ledgercore.banking.ports import Work
from ledgercore.banking.records import login_audited, login_event
from ledgercore.banking.runs import OpenRun, Surroundings, bank_of, claim_run, next_sync_at
from ledgercore.errors import BusinessRuleError, LedgercoreError
from ledgercore.errors.catalog import CONSENT_EXPIRED, CONSENT_PENDING
from ledgercore.identity.audit import Actor

NAME_LENGTH_MAX: Final = 100


class SyncStatus(StrEnum):
    """How it ended: through, not begun because another is under way or just was, or given up until the user acts."""

    COMPLETED = "completed"
    SKIPPED = "skipped"
    FAILED = "failed"


@frozen(kw_only=True)
class Synced:
    """What became of a synchronisation; `reason` is the code for which it failed."""

    status: SyncStatus
    reason: str | None = None


def _nothing(_: Work) -> None:
    """Nothing to do in the last unit of work."""


@frozen(kw_only=True)
class BankSync:
    """Synchronises logins. `ledger` is the bank's."""

    around: Surroundings
    ledger: str

    def run(self, login_id: UUID, *, actor: Actor, finish: Callable[[Work], None] = _nothing) -> Synced:
        """Synchronise a login once; `finish` is done in the last unit of work, whatever it ends in.

        What a worker that ended in the middle has left is gone on with, as soon as its lease has lapsed. When the bank
        lets us in no more, the login is in ERROR until its user connects again. Raises `bank_login_not_found`,
        `bank_not_connected`, `job_lease_lost`, and what banks raise.
        """
        run = self._begin(login_id, finish)
        if run is None:
            return Synced(status=SyncStatus.SKIPPED)
        try:
            self._go_through(run)
            self._end(run, actor, finish)
        except LedgercoreError as error:
            if error.reason not in (CONSENT_EXPIRED, CONSENT_PENDING):
                run.let_go(error)
                raise
            return self._fail(run, error, actor, finish)
        return Synced(status=SyncStatus.COMPLETED)

    def _begin(self, login_id: UUID, finish: Callable[[Work], None]) -> OpenRun | None:
        with self.around.store.begin() as work:
            now = self.around.clock()
            login = claim_run(work, login_id, now=now, new_id=lambda: self.around.new_id(now))
            if login is None:
                finish(work)
                return None
            bank = bank_of(work, login)
            return OpenRun(self.around, login, bank, self.around.client_of(bank))

    def _go_through(self, run: OpenRun) -> None:
        ends_at = run.login.consent_expires_at
        if ends_at is not None and ends_at <= self.around.clock():
            raise BusinessRuleError(CONSENT_EXPIRED, bank_login_id=run.login.id, consent_expires_at=ends_at)
        told = {seen.external_id: seen for seen in run.ask(run.client.list_accounts)}
        for account in self._keep_accounts(run, list(told.values())):
            seen = told.get(account.external_account_id or "")
            is_done = account.last_sync_at == run.run.started_at
            if seen is not None and not is_done and account.status is not AccountStatus.CLOSED:
                AccountSync(around=self.around, ledger=self.ledger, run=run, seen=seen).go_through(account)

    def _keep_accounts(self, run: OpenRun, told: list[AccountSeen]) -> list[BankAccount]:
        """Open accounts that are new, and bring the others up to date; gives all of the login."""
        with run.step() as work:
            known = {
                account.external_account_id: account for account in work.accounts.list_of(None, login_id=run.login.id)
            }
            opened = [self._new_account(run, seen) for seen in told if seen.external_id not in known]
            for account in opened:
                work.accounts.add(account)
            changed = [(known[seen.external_id], seen) for seen in told if seen.external_id in known]
            for locked in work.accounts.lock([account.id for account, _ in changed]):
                seen = next(seen for account, seen in changed if account.id == locked.id)
                updated = self._updated(locked, seen)
                if updated != locked:
                    work.accounts.save(updated)
            if opened:
                journal = ensure_ledger(work, self.ledger)
                for outcome in journal.append([opening_of(account, is_imported=False) for account in opened]):
                    outcome.or_raise()
            return list(work.accounts.list_of(None, login_id=run.login.id))

    def _new_account(self, run: OpenRun, seen: AccountSeen) -> BankAccount:
        """An account that the bank tells of first; INACTIVE until all of its past is here."""
        now = self.around.clock()
        four = seen.last_four
        return BankAccount(
            id=self.around.new_id(now),
            user_id=run.login.user_id,
            user_bank_login_id=run.login.id,
            currency=seen.currency,
            account_type=AccountType(seen.account_type),
            account_name=seen.name.strip()[:NAME_LENGTH_MAX] or seen.external_id[:NAME_LENGTH_MAX],
            status=AccountStatus.CLOSED if seen.is_closed else AccountStatus.INACTIVE,
            inserted_at=now,
            updated_at=now,
            last_four=four if four is not None and four.isascii() and four.isdecimal() and len(four) == 4 else None,
            external_account_id=seen.external_id,
            iban=seen.iban,
        )

    def _updated(self, account: BankAccount, seen: AccountSeen) -> BankAccount:
        status = AccountStatus.CLOSED if seen.is_closed else account.status
        if (status, seen.iban) == (account.status, account.iban):
            return account
        return evolve(account, status=status, iban=seen.iban, updated_at=self.around.clock())

    def _end(self, run: OpenRun, actor: Actor, finish: Callable[[Work], None]) -> None:
        started_at = run.run.started_at
        with run.step() as work:
            login = work.bank_logins.find(run.login.id)
            assert login is not None, "the step has found it"
            now = self.around.clock()
            login = evolve(
                login,
                run=None,
                last_sync_at=started_at,
                next_sync_at=next_sync_at(login, now),
                status_reason=None,
                updated_at=now,
            )
            work.bank_logins.save(login)
            finish(work)
            work.events.publish_all([login_event("synced", login)])
            work.audit.append(login_audited("bank_login_synced", login, actor))

    def _fail(self, run: OpenRun, error: LedgercoreError, actor: Actor, finish: Callable[[Work], None]) -> Synced:
        with run.step() as work:
            login = work.bank_logins.find(run.login.id)
            assert login is not None, "the step has found it"
            failed = self._failed(login, error)
            work.bank_logins.save(failed)
            finish(work)
            work.events.publish_all([login_event("failed", failed)])
            work.audit.append(login_audited("bank_login_failed", failed, actor, reason=error.code))
        return Synced(status=SyncStatus.FAILED, reason=error.code)

    def _failed(self, login: BankLogin, error: LedgercoreError) -> BankLogin:
        now = self.around.clock()
        if error.reason is CONSENT_EXPIRED:
            return login.failed(error.code, now=now)
        # The user has not agreed in the bank's app yet: the tokens are good, and we ask again soon.
        soon = now + timedelta(seconds=SYNC_FREQUENCY_SECONDS_MIN)
        return evolve(login, run=None, status_reason=error.code, next_sync_at=soon, updated_at=now)
