"""Runs: synchronisations of a login that at most one worker goes on with at a time, and the tokens they use."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from attrs import define, evolve, frozen

from ledgercore.banking.banks import Bank, Integration
from ledgercore.banking.clients.client import BankClient, Registration
from ledgercore.banking.clients.kinds import client_of
from ledgercore.banking.exchange import Exchange
from ledgercore.banking.logins import RUN_LEASE, RUN_WINDOW, BankLogin, LoginStatus, Run
from ledgercore.banking.observations import Tokens
from ledgercore.banking.ports import Exchanges, Store, Work
from ledgercore.clock import Clock
from ledgercore.errors import (
    AuthenticationError,
    BusinessRuleError,
    ConflictError,
    InternalError,
    LedgercoreError,
    NotFoundError,
)
from ledgercore.errors.catalog import (
    BANK_LOGIN_NOT_FOUND,
    BANK_NOT_CONNECTED,
    CONSENT_EXPIRED,
    INTERNAL_SERVER_ERROR,
    JOB_LEASE_LOST,
)
from ledgercore.identity.secrets import Sealer
from ledgercore.ids import TimeOrderedIds

Result = TypeVar("Result")


@frozen(kw_only=True)
class Surroundings:
    """What every use case that speaks with banks needs. `redirect_url` is where users come back to."""

    store: Store
    clock: Clock
    random_bytes: Callable[[int], bytes]
    sealer: Sealer
    exchanges: Exchanges
    redirect_url: str

    def new_id(self, now: datetime) -> UUID:
        """A new time-ordered id."""
        return TimeOrderedIds(self.random_bytes).one(now)

    def client_of(self, bank: Bank) -> BankClient:
        """The client that speaks a bank's language; raises `bank_not_connected` where there is none."""
        if bank.integration is Integration.NONE or not (bank.api_url and bank.authorize_url and bank.client_id):
            raise BusinessRuleError(BANK_NOT_CONNECTED, bank_id=bank.id, why="the bank has no interface that we know")
        secret = bank.sealed_client_secret
        return client_of(
            bank.integration,
            Registration(
                api_url=bank.api_url,
                authorize_url=bank.authorize_url,
                token_url=bank.token_url,
                client_id=bank.client_id,
                client_secret="" if secret is None else self.sealer.open(secret, context=bank.secret_context).decode(),
                redirect_url=self.redirect_url,
            ),
        )


def bank_of(work: Work, login: BankLogin) -> Bank:
    """The bank that a login is at."""
    branch = work.banks.find_branch(login.bank_branch_id)
    bank = None if branch is None else work.banks.find(branch.bank_id)
    if bank is None:
        raise InternalError(INTERNAL_SERVER_ERROR, why="the login's bank is not there", bank_login_id=login.id)
    return bank


def is_with_us(work: Work, login: BankLogin) -> bool:
    """Whether the user of a login is neither suspended nor deleted."""
    user = work.users.find(login.user_id)
    return user is not None and user.is_active


def claim_run(work: Work, login_id: UUID, *, now: datetime, new_id: Callable[[], UUID]) -> BankLogin | None:
    """Begin a run of a login, or go on with one that was left; `None` when there is nothing to do now.

    Nothing is to do while another worker is at it, or when the last run began less than 300 seconds ago and is
    through. Raises `bank_login_not_found` and `bank_not_connected`.
    """
    login = work.bank_logins.find(login_id)
    if login is None:
        raise NotFoundError(BANK_LOGIN_NOT_FOUND, bank_login_id=login_id)
    if login.status is not LoginStatus.ACTIVE or login.sealed_tokens is None:
        raise BusinessRuleError(BANK_NOT_CONNECTED, bank_login_id=login_id, status=login.status)
    if not is_with_us(work, login):
        raise BusinessRuleError(BANK_NOT_CONNECTED, bank_login_id=login_id, why="its user is shut out")
    if login.run is not None and login.run.leased_until > now:
        return None
    if login.run is None and login.last_run_at is not None and now - login.last_run_at < RUN_WINDOW:
        return None
    left = login.run or Run(id=new_id(), started_at=now, leased_until=now)
    login = evolve(login, run=evolve(left, leased_until=now + RUN_LEASE), last_run_at=left.started_at)
    work.bank_logins.save(login)
    return login


@define
class OpenRun:
    """A run that this worker goes on with, from one unit of work to the next."""

    around: Surroundings
    login: BankLogin
    bank: Bank
    client: BankClient

    @property
    def run(self) -> Run:
        """The run, with the lease that this worker has."""
        assert self.login.run is not None
        return self.login.run

    @contextmanager
    def step(self) -> Iterator[Work]:
        """A unit of work of the run, which keeps its lease.

        Raises `job_lease_lost` when another worker goes on with the run, or the login was disconnected.
        """
        with self.around.store.begin() as work:
            login = work.bank_logins.find(self.login.id)
            if login is None or login.run != self.run:
                raise ConflictError(JOB_LEASE_LOST, bank_login_id=self.login.id)
            now = self.around.clock()
            if self.run.leased_until - now < RUN_LEASE / 2:
                login = evolve(login, run=evolve(self.run, leased_until=now + RUN_LEASE))
                work.bank_logins.save(login)
            yield work
        self.login = login

    def ask(self, make: Callable[[Tokens], Exchange[Result]]) -> Result:
        """Hold a conversation with the bank, with new tokens if the old ones are at their end.

        Raises `consent_expired` when the bank takes none of them.
        """
        if self.login.needs_refresh(self.around.clock()):
            self.refresh()
        try:
            return self._run(make(self._tokens))
        except AuthenticationError:
            self.refresh()
        try:
            return self._run(make(self._tokens))
        except AuthenticationError as error:
            raise BusinessRuleError(CONSENT_EXPIRED, bank_login_id=self.login.id, why=error.code) from error

    def refresh(self) -> None:
        """Replace the tokens. Of two who do so at once one wins, and the other uses the winner's.

        Raises `consent_expired`, and `bank_not_connected` when the login was disconnected meanwhile.
        """
        used = self.login.tokens_version
        if self._use_newer(used):
            return
        try:
            tokens = self._run(self.client.refresh(self._tokens, now=self.around.clock()))
        except BusinessRuleError:
            if not self._use_newer(used):
                raise
            return
        with self.around.store.begin() as work:
            login = work.bank_logins.find(self.login.id)
            if login is not None and login.tokens_version == used:
                login = login.with_tokens(tokens, sealer=self.around.sealer, now=self.around.clock())
                work.bank_logins.save(login)
        self._take_tokens_of(login)

    def let_go(self, error: LedgercoreError) -> None:
        """Let another attempt go on at once, or end the run when none would help."""
        # Whoever cannot say so either leaves it to the lease, which lapses by itself.
        with suppress(LedgercoreError), self.around.store.begin() as work:
            login = work.bank_logins.find(self.login.id)
            if login is not None and login.run == self.run:
                run = evolve(self.run, leased_until=self.around.clock()) if error.reason.retryable else None
                work.bank_logins.save(evolve(login, run=run))

    @property
    def _tokens(self) -> Tokens:
        return self.login.open_tokens(self.around.sealer)

    def _run(self, exchange: Exchange[Result]) -> Result:
        return self.around.exchanges.run(exchange, bank=self.bank.code)

    def _use_newer(self, used: int) -> bool:
        """Take over the tokens of whoever was quicker; false when nobody was."""
        with self.around.store.begin() as work:
            login = work.bank_logins.find(self.login.id)
        if login is None or login.tokens_version == used:
            return False
        self._take_tokens_of(login)
        return True

    def _take_tokens_of(self, login: BankLogin | None) -> None:
        if login is None or login.sealed_tokens is None:
            raise BusinessRuleError(BANK_NOT_CONNECTED, bank_login_id=self.login.id)
        self.login = evolve(
            self.login,
            sealed_tokens=login.sealed_tokens,
            tokens_version=login.tokens_version,
            token_expires_at=login.token_expires_at,
        )


def next_sync_at(login: BankLogin, now: datetime) -> datetime:
    """When a login is to be synchronised again."""
    return now + timedelta(seconds=login.sync_frequency_seconds)
