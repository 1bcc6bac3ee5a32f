"""Synchronising with a bank over real HTTP, on both stores: whatever the bank does, and wherever a worker ends."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from attrs import define, evolve, field

from ledgercore.banking.accounts import AccountStatus, BankAccount
from ledgercore.banking.accounts_administration import AccountWithBalance
from ledgercore.banking.findings import DIFFERENCE, Finding
from ledgercore.banking.logins import BankLogin, LoginStatus
from ledgercore.banking.ports import Store
from ledgercore.banking.rows import BankRow, RowState
from ledgercore.banking.runs import OpenRun, Surroundings, bank_of
from ledgercore.banking.syncing import Synced, SyncStatus
from ledgercore.banking.use_cases import Banking
from ledgercore.errors import BusinessRuleError, ConflictError, ExternalDependencyError, LedgercoreError
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR, AuditFilter
from ledgercore.identity.principals import Principal
from ledgercore.identity.users import Role
from ledgercore.jobs.jobs import NewJob
from ledgercore.jobs.ports import JobFilter
from ledgercore.jobs.running import Runner
from ledgercore.ledger.accounts import Side
from ledgercore.ledger.transactions import transfer
from ledgercore.money import Money
from ledgercore.money.currency import ISO
from ledgercore.testing import StoppedClock
from ledgercore.testing.identity_people import new_id, someone
from ledgercore.testing.ledgers import MONDAY
from ledgercore_crypto import AesGcmSealer
from ledgercore_crypto.sealing import SealingKey
from ledgercore_memory import MemoryJobQueue, MemoryStore, MemoryWorkStore
from ledgercore_outbound import AddressGuard, Exchanger, Outbound
from ledgercore_postgres import PostgresWorkStore
from ledgercore_sandbox import CLIENT_ID, CLIENT_SECRET, Sandbox, running_sandbox

ROWS = 110
"""More than a page of a hundred."""
BY = Operator()


class Killed(BaseException):
    """The worker's end, which nobody catches."""


@define
class Watched:
    """A store that ends the worker at the beginning or at the end of its n-th unit of work."""

    store: Store
    dies_before: int | None = None
    dies_after: int | None = None
    begun: int = 0

    @contextmanager
    def begin(self) -> Iterator[Any]:
        self.begun += 1
        number = self.begun
        if number == self.dies_before:
            raise Killed
        with self.store.begin() as work:
            yield work
            if number == self.dies_after:
                # Not committed any more: all that it did is undone.
                raise Killed


@define
class World:
    """A user, a bank over HTTP, and the use cases between them."""

    clock: StoppedClock
    store: Store
    sandbox: Sandbox
    http: httpx2.Client
    outbound: Outbound
    ledger: str
    kind: str = "monzo"
    exchanges: Any = field(init=False)
    banking: Banking = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.exchanges = Exchanger(sender=self.outbound, clock=self.clock, sleep=lambda _: None)
        self.banking = self.over(self.store)

    def over(self, store: Any, exchanges: Any = None) -> Banking:
        """The use cases over another store."""
        around = Surroundings(
            store=store,
            clock=self.clock,
            random_bytes=os.urandom,
            sealer=AesGcmSealer([SealingKey("test", b"k" * 32)]),
            exchanges=exchanges or self.exchanges,
            redirect_url="http://127.0.0.1:9/back",
        )
        return Banking(around=around, addresses=AddressGuard(allow_private=True), ledger=self.ledger)

    def connect(self, *, decision: str = "yes", **attrs: Any) -> BankLogin:
        """The whole way of a user who connects the bank."""
        user = someone()
        with self.store.begin() as work:
            work.users.add(user)
        principal = Principal(user_id=user.id, email=user.email, role=Role.USER, scopes=None)
        brand = "bg" if self.kind == "berlin_group" else "monzo"
        bank = self.banking.banks.add(
            {
                "name": f"Sandbox {user.id}", "country": "GB", "code": f"S_{str(user.id)[-12:].upper()}",
                "integration": self.kind, "api_url": f"{self.sandbox.url}/{brand}",
                "authorize_url": f"{self.sandbox.url}/{brand}/authorize", "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
            },
            actor=OPERATOR,
        )  # fmt: skip
        branch = self.banking.banks.add_branch(bank.id, {"name": "Main", "country": "GB"}, actor=OPERATOR)
        wish = self.banking.connecting.ask(
            {"bank_branch_id": str(branch.id), "username": "alice01", **attrs},
            by=principal, user_address="192.0.2.1",
        )  # fmt: skip
        begun = self.banking.connecting.begin(wish, actor=OPERATOR)
        answer = self.http.get(f"{begun.authorization_url}&auto={decision}")
        assert answer.status_code == 303, answer.text
        told = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
        login = self.banking.connecting.finish(state=told["state"], code=told["code"], actor=OPERATOR)
        if decision == "yes":
            self.sandbox.control.approve()
        return login

    def sync(self, login: BankLogin, banking: Banking | None = None) -> Synced:
        """One synchronisation, later than the last one's window."""
        if self.login(login).last_run_at is not None:
            self.clock.forward(seconds=301)
        return (banking or self.banking).sync.run(login.id, actor=OPERATOR)

    def late_sync(self, login: BankLogin, banking: Banking | None = None) -> Synced:
        """A synchronisation after every lease has lapsed."""
        self.clock.forward(seconds=301)
        return (banking or self.banking).sync.run(login.id, actor=OPERATOR)

    @property
    def told(self) -> dict[str, Any]:
        """The account as the bank knows it."""
        brand = "bg" if self.kind == "berlin_group" else "monzo"
        return next(each for each in self.sandbox.control.accounts() if each["bank"] == brand)

    def make(self, amount_minor: int, **fields: Any) -> str:
        """Something new at the bank."""
        return self.sandbox.control.make_transaction(self.told["id"], amount_minor=amount_minor, **fields)

    def account(self, login: BankLogin) -> AccountWithBalance:
        """The account as we know it."""
        [account] = self.banking.accounts.list_of(by=BY, user_id=login.user_id)
        return account

    def rows(self, account: BankAccount) -> list[BankRow]:
        """What we know of its transactions."""
        with self.store.begin() as work:
            return list(work.bank_rows.list_of(account.id, after=None, limit=1_000))

    def findings(self, account: BankAccount) -> list[Finding]:
        """What did not agree, oldest first."""
        return list(reversed(self.banking.accounts.findings(account.id, by=BY).items))

    def login(self, login: BankLogin) -> BankLogin:
        """The login as it is now."""
        return self.banking.logins.get(login.id, by=BY)

    def check_agrees(self, login: BankLogin, *, is_whole: bool = True) -> None:
        """Every transaction of the bank is here once, and its balance is the ledger's to the last unit.

        Where the import is not whole, it begins with the first one that the bank would still tell of.
        """
        found, told = self.account(login), self.told
        rows = self.rows(found.account)
        booked = {row.seen.external_id: row.signed_minor for row in rows if row.state is RowState.BOOKED}
        earliest = min(row.seen.created_at for row in rows)
        theirs = [
            each
            for each in self.sandbox.control.transactions(told["id"])
            if is_whole or datetime.fromisoformat(each["created_at"]) >= earliest
        ]
        assert is_whole or len(theirs) > ROWS // 2
        assert booked == {each["id"]: each["amount_minor"] for each in theirs if each["state"] == "booked"}
        assert len(booked) == sum(row.state is RowState.BOOKED for row in rows)
        pending = [row.signed_minor for row in rows if row.state is RowState.PENDING]
        assert sorted(pending) == sorted(each["amount_minor"] for each in theirs if each["state"] == "pending")
        assert found.balance.minor == told["booked_minor"]
        with self.store.begin() as work:
            journal = work.ledgers.journal(self.ledger)
            state = journal.find_account(found.account.path)
            entries = sum(
                (1 if entry.side is Side.CREDIT else -1) * entry.amount.minor for entry in self._entries(found.account)
            )
        assert state is not None
        assert state.balance.posted.minor == entries
        assert state.limits.minimum == 0

    def _entries(self, account: BankAccount) -> list[Any]:
        entries: list[Any] = []
        cursor = None
        while True:
            page = self.banking.accounts.entries(account.id, by=BY, cursor=cursor, limit=500)
            entries += page.items
            if page.next_cursor is None:
                return entries
            cursor = page.next_cursor


@pytest.fixture(scope="module")
def http() -> Iterator[httpx2.Client]:
    with httpx2.Client(timeout=10, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def outbound() -> Iterator[Outbound]:
    with Outbound(guard=AddressGuard(allow_private=True)) as outbound:
        yield outbound


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(MONDAY)


@pytest.fixture
def sandbox(clock: StoppedClock) -> Iterator[Sandbox]:
    with running_sandbox(clock=lambda: clock.now, transactions=ROWS) as running:
        yield running


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest, clock: StoppedClock) -> Any:
    """Both stores."""
    if request.param == "memory":
        return MemoryWorkStore(MemoryStore(clock=clock), clock=clock)
    return PostgresWorkStore(request.getfixturevalue("shared_engine"), clock=clock)


@pytest.fixture
def memory(clock: StoppedClock) -> MemoryWorkStore:
    """The quicker one."""
    return MemoryWorkStore(MemoryStore(clock=clock), clock=clock)


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> str:
    return f"bank-{os.urandom(6).hex()}"


@pytest.fixture
def world(
    clock: StoppedClock, store: Store, sandbox: Sandbox, http: httpx2.Client, outbound: Outbound, ledger: str
) -> World:
    return World(clock, store, sandbox, http, outbound, ledger)


@pytest.fixture
def quick(
    clock: StoppedClock, memory: Store, sandbox: Sandbox, http: httpx2.Client, outbound: Outbound, ledger: str
) -> World:
    """The same in memory alone."""
    return World(clock, memory, sandbox, http, outbound, ledger)


class TestFirstSynchronisation:
    """From a connection to an account that can be paid from."""

    @pytest.mark.parametrize("kind", ["monzo", "berlin_group"])
    def test_account_is_as_the_bank_knows_it(self, world: World, kind: str) -> None:
        """Every row is here once, and an opening balance stands for what was before them."""
        world.kind = kind
        login = world.connect()

        ended = world.sync(login)

        assert ended.status is SyncStatus.COMPLETED
        world.check_agrees(login)
        found = world.account(login)
        assert found.account.status is AccountStatus.ACTIVE
        assert found.account.last_sync_at is not None
        assert found.account.sync_cursor is None
        assert world.findings(found.account) == []
        synced = world.login(login)
        assert synced.status is LoginStatus.ACTIVE
        assert synced.run is None
        assert synced.next_sync_at is not None
        opening = list(reversed(world._entries(found.account)))[-1]
        assert opening.description == "opening balance, as of the bank"

    def test_old_rows_may_not_be_told_any_more(self, world: World) -> None:
        """Monzo tells everything for five minutes, then 90 days: the opening balance stands for the rest."""
        login = world.connect()

        ended = world.late_sync(login)

        assert ended.status is SyncStatus.COMPLETED
        world.check_agrees(login, is_whole=False)

    def test_second_run_in_the_window_does_nothing(self, quick: World) -> None:
        """At most one in 300 seconds."""
        login = quick.connect()
        quick.sync(login)

        again = quick.banking.sync.run(login.id, actor=OPERATOR)

        assert again.status is SyncStatus.SKIPPED

    def test_later_runs_take_in_what_is_new(self, world: World) -> None:
        """New rows, and pending ones that were booked at another amount or declined."""
        login = world.connect()
        world.make(-500, description="tip")
        declined = world.make(-700, description="no")
        world.sync(login)
        world.check_agrees(login)
        pending = [each for each in world.sandbox.control.transactions(world.told["id"]) if each["state"] == "pending"]

        tip = next(each for each in pending if each["description"] == "tip")
        world.sandbox.control.settle(tip["id"], amount_minor=-650)
        world.sandbox.control.decline(declined)
        world.make(12_345, booked=True, description="salary")
        world.sync(login)

        world.check_agrees(login)
        rows = {row.seen.external_id: row for row in world.rows(world.account(login).account)}
        assert rows[tip["id"]].signed_minor == -650
        assert [past.seen.money.minor for past in rows[tip["id"]].history] == [500]
        assert rows[declined].state is RowState.DECLINED
        assert rows[declined].transaction_id is None

    def test_nothing_new_changes_nothing(self, world: World) -> None:
        """A further run posts nothing and tells no balance."""
        login = world.connect()
        world.sync(login)
        before = world._entries(world.account(login).account)
        with world.store.begin() as work:
            number = work.events.last_number()

        world.sync(login)

        assert world._entries(world.account(login).account) == before
        with world.store.begin() as work:
            told = work.events.list_after(number, owner_id=login.user_id, limit=100)
        assert [each.event.type for each in told] == ["account.synced", "bank_login.synced"]

    def test_bank_is_right_below_the_floor(self, world: World) -> None:
        """A card payment that overdraws the account at the bank overdraws it here; the floor stays for payments."""
        login = world.connect()
        world.sync(login)
        world.make(-world.told["booked_minor"] - 5_000, booked=True, description="overdrawn")

        world.sync(login)

        world.check_agrees(login)
        assert world.account(login).balance.minor == -5_000

    def test_audit_tells_of_it(self, quick: World) -> None:
        """Connecting, connected, synced."""
        login = quick.connect()
        quick.sync(login)

        with quick.store.begin() as work:
            wanted = AuditFilter(target=f"bank_login:{login.id}")
            entries = work.audit.list_before(wanted, before=None, limit=10)
        actions = [b'"bank_login_synced"', b'"bank_login_connected"', b'"bank_login_connecting"']
        assert all(action in entry.body for action, entry in zip(actions, entries, strict=True))


class TestBerlinGroup:
    """Pending rows without ids, which get one when they are booked."""

    def test_pending_becomes_booked_under_an_id(self, world: World) -> None:
        """Known again by its end-to-end id, at another amount too."""
        world.kind = "berlin_group"
        login = world.connect()
        row_id = world.make(-1_500, description="hotel", end_to_end_id="E2E-HOTEL", counterparty="Hotel")
        world.sync(login)
        world.check_agrees(login)

        new_id = world.sandbox.control.settle(
            row_id, amount_minor=-1_750, new_id="00000000-0000-4000-8000-00000000abcd"
        )
        world.sync(login)

        world.check_agrees(login)
        hotel = [row for row in world.rows(world.account(login).account) if row.seen.description == "hotel"]
        assert [(row.state, row.seen.external_id) for row in hotel] == [(RowState.BOOKED, new_id)]


class TestFaults:
    """Whatever goes wrong at the bank, the next attempt ends as if it had not."""

    @pytest.mark.parametrize("kind", ["429", "500", "garbage"])
    @pytest.mark.parametrize("path", ["/monzo/accounts", "/monzo/transactions", "/monzo/balance"])
    def test_refusals_are_tried_again(self, quick: World, kind: str, path: str) -> None:
        """By the exchange, or by the next attempt of the job."""
        login = quick.connect()
        quick.sandbox.control.fault(kind, path=path, times=1)

        for _ in range(3):
            try:
                ended = quick.sync(login)
                break
            except ExternalDependencyError:
                continue

        assert ended.status is SyncStatus.COMPLETED
        quick.check_agrees(login, is_whole=False)

    def test_job_fails_while_the_bank_is_down(self, quick: World) -> None:
        """With a reason that is tried again; the next attempt goes on at once, inside the window."""
        login = quick.connect()
        quick.sandbox.control.fault("500", path="/monzo/balance", times=100)

        with pytest.raises(ExternalDependencyError) as caught:
            quick.sync(login)
        quick.sandbox.control.clear_faults()
        quick.clock.forward(seconds=31)
        ended = quick.banking.sync.run(login.id, actor=OPERATOR)

        assert caught.value.reason.retryable
        assert ended.status is SyncStatus.COMPLETED
        quick.check_agrees(login)

    def test_token_ends_between_pages(self, world: World) -> None:
        """It is refreshed, and the old refresh token is good for nothing any more."""
        login = world.connect()
        world.sandbox.control.fault("token_expiry_mid_page", path="/monzo/transactions")

        world.sync(login)

        world.check_agrees(login)
        assert world.login(login).tokens_version == login.tokens_version + 1

    @pytest.mark.parametrize("kind", ["duplicate_rows", "late_rows", "amend_pending", "drop_pending"])
    @pytest.mark.parametrize("bank", ["monzo", "berlin_group"])
    def test_rows_that_change_behind_us(self, world: World, kind: str, bank: str) -> None:
        """Twice on a page, late, another amount, gone: after the next run everything is as the bank has it."""
        world.kind = bank
        login = world.connect()
        world.make(-333, description="pending one")
        world.sandbox.control.fault(kind, path="/", times=3)

        world.sync(login)
        world.sandbox.control.clear_faults()
        world.sync(login)

        world.check_agrees(login)
        assert all(found.resolved_at is not None for found in world.findings(world.account(login).account))

    def test_wrong_balance_is_a_finding(self, world: World) -> None:
        """Noted with its parts, corrected never, resolved when the balances agree again."""
        login = world.connect()
        world.sync(login)
        world.make(-1_000, description="pending")
        before = world._entries(world.account(login).account)
        world.sandbox.control.fault("wrong_balance", path="/monzo/balance")

        world.sync(login)

        account = world.account(login).account
        [found] = world.findings(account)
        assert (found.kind, found.resolved_at) == (DIFFERENCE, None)
        parts = {name: int(value) for name, value in found.details.items() if name.endswith("_minor")}
        assert parts["difference_minor"] == 100
        assert parts["bank_minor"] - parts["pending_minor"] - 100 == parts["ledger_minor"]
        assert world._entries(account) == before
        world.sync(login)
        [resolved] = world.findings(account)
        assert resolved.id == found.id
        assert resolved.resolved_at is not None

    def test_revoked_login_is_in_error(self, world: World) -> None:
        """Until its user connects again; the job is done, for nothing would help."""
        login = world.connect()
        world.sync(login)
        world.sandbox.control.revoke(world.told["customer_id"])

        ended = world.sync(login)

        failed = world.login(login)
        assert (ended.status, ended.reason) == (SyncStatus.FAILED, "consent_expired")
        assert (failed.status, failed.status_reason) == (LoginStatus.ERROR, "consent_expired")
        assert failed.sealed_tokens is None
        with pytest.raises(BusinessRuleError) as caught:
            world.sync(login)
        assert caught.value.code == "bank_not_connected"


class TestOwnPayments:
    """What we paid ourselves is in the ledger before the bank tells of it."""

    def test_row_that_names_a_payment_is_it(self, world: World) -> None:
        """It is linked, not posted again; until then it is on its way, which is no difference."""
        login = world.connect()
        world.sync(login)
        found = world.account(login)
        payment_id = found.account.id
        with world.store.begin() as work:
            pay = transfer(
                debit=found.account.path, credit="clearing:payments:GBP", amount=Money(2_500, ISO.get("GBP")),
                key=f"payment:{payment_id}",
            )  # fmt: skip
            work.ledgers.journal(world.ledger).append([pay])[0].or_raise()
        world.sync(login)
        assert world.findings(found.account) == []

        world.make(-2_500, booked=True, description=f"Payment {payment_id}")
        world.sync(login)

        world.check_agrees(login)
        assert world.findings(found.account) == []
        [linked] = [row for row in world.rows(found.account) if row.payment_id is not None]
        assert linked.payment_id == payment_id


class TestKilled:
    """A worker that ends anywhere; whoever comes next ends in the same state."""

    @pytest.mark.parametrize("moment", ["dies_before", "dies_after"])
    def test_at_any_step_nothing_is_lost_or_doubled(self, quick: World, moment: str) -> None:
        """At each unit of work in turn, until a run gets through."""
        login = quick.connect()
        quick.make(-400, description="pending")
        for step in range(1, 40):
            watched = Watched(quick.store, **{moment: step})
            try:
                ended = quick.late_sync(login, quick.over(watched))
            except Killed:
                # Somebody else is not kept out for longer than the lease.
                continue
            if watched.begun < step:
                break
        else:
            pytest.fail("a run has fewer steps than that")

        assert ended.status is SyncStatus.COMPLETED
        quick.check_agrees(login, is_whole=False)

    @pytest.mark.parametrize("step", [1, 2, 4, 6, 8])
    def test_in_the_database_too(self, world: World, step: int) -> None:
        """What was not committed is not there."""
        login = world.connect()
        with pytest.raises(Killed):
            world.late_sync(login, world.over(Watched(world.store, dies_after=step)))

        ended = world.late_sync(login)

        assert ended.status is SyncStatus.COMPLETED
        world.check_agrees(login, is_whole=False)

    def test_lease_keeps_others_out_until_it_lapses(self, quick: World) -> None:
        """Then they go on where it ended."""
        login = quick.connect()
        with pytest.raises(Killed):
            quick.late_sync(login, quick.over(Watched(quick.store, dies_before=5)))
        run = quick.login(login).run

        early = quick.banking.sync.run(login.id, actor=OPERATOR)
        quick.clock.forward(seconds=121)
        late = quick.banking.sync.run(login.id, actor=OPERATOR)

        assert run is not None
        assert (early.status, late.status) == (SyncStatus.SKIPPED, SyncStatus.COMPLETED)
        assert quick.account(login).account.last_sync_at == run.started_at

    def test_who_was_overtaken_stops(self, quick: World) -> None:
        """The first one finds out in its next unit of work, which is undone."""
        login = quick.connect()
        clock, banking = quick.clock, quick.banking

        class Slow:
            """A bank so slow that the lease lapses, and another worker comes."""

            overtaken = False

            def run(self, exchange: Any, *, bank: str) -> Any:
                answer = quick.exchanges.run(exchange, bank=bank)
                if not self.overtaken:
                    self.overtaken = True
                    clock.forward(seconds=121)
                    banking.sync.run(login.id, actor=OPERATOR)
                return answer

        with pytest.raises(ConflictError) as caught:
            quick.late_sync(login, quick.over(quick.store, Slow()))

        assert caught.value.code == "job_lease_lost"
        quick.check_agrees(login, is_whole=False)


class TestAtOnce:
    """Several at the same time."""

    def test_one_of_two_synchronises(self, world: World) -> None:
        """The other finds nothing to do."""
        login = world.connect()
        world.clock.forward(seconds=301)
        ended: list[Any] = []

        def sync() -> None:
            try:
                ended.append(world.banking.sync.run(login.id, actor=OPERATOR).status)
            except LedgercoreError as error:
                ended.append(error.code)

        threads = [threading.Thread(target=sync) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(ended) == [SyncStatus.COMPLETED, SyncStatus.SKIPPED]
        world.check_agrees(login, is_whole=False)

    def test_of_two_who_refresh_one_wins(self, world: World) -> None:
        """The other uses the winner's tokens, although its own refresh token is spent."""
        login = world.connect()
        with world.store.begin() as work:
            found = work.bank_logins.find(login.id)
            assert found is not None
            bank = bank_of(work, found)
        around = world.banking.around
        first, second = (OpenRun(around, found, bank, around.client_of(bank)) for _ in range(2))

        first.refresh()
        second.refresh()

        assert second.login.tokens_version == first.login.tokens_version == login.tokens_version + 1
        assert second.login.open_tokens(around.sealer) == first.login.open_tokens(around.sealer)
        assert len(second.ask(second.client.list_accounts)) == 1


class TestJobs:
    """What workers do, and when."""

    def run(self, world: World, queue: str = "banking") -> list[tuple[str, str]]:
        """Do what may begin on a queue; gives kinds and outcomes."""
        assert isinstance(world.store, MemoryWorkStore)
        runner = Runner(
            store=world.store,
            queue=MemoryJobQueue(world.store),
            handlers=world.banking.handlers.all,
            clock=world.clock,
            random=lambda: 0.0,
        )
        return [(ran.job.kind, ran.outcome) for ran in runner.run_once(queue)]

    def enqueue(self, world: World, kind: str, queue: str = "banking", **arguments: str) -> None:
        with world.store.begin() as work:
            work.jobs.enqueue([NewJob(kind=kind, queue=queue, arguments=arguments)])

    def test_connecting_synchronises(self, quick: World) -> None:
        """The job that was enqueued with the tokens is done once."""
        login = quick.connect()

        assert self.run(quick) == [("sync_bank_login", "success")]

        quick.check_agrees(login)
        assert self.run(quick) == []

    def test_job_is_tried_again_while_the_bank_is_down(self, quick: World) -> None:
        """By the catalog, and goes on where it was left."""
        login = quick.connect()
        quick.sandbox.control.fault("500", path="/monzo/transactions", times=100)
        assert self.run(quick) == [("sync_bank_login", "failure")]
        quick.sandbox.control.clear_faults()
        quick.clock.forward(seconds=60)

        assert self.run(quick) == [("sync_bank_login", "success")]

        quick.check_agrees(login)

    @pytest.mark.parametrize("ends", ["revoked", "disconnected"])
    def test_login_that_lets_us_in_no_more_is_no_dead_letter(self, quick: World, ends: str) -> None:
        """The login says what is wrong, or its user has ended it."""
        login = quick.connect()
        if ends == "revoked":
            quick.sandbox.control.revoke(quick.told["customer_id"])
        else:
            quick.banking.logins.disconnect(login.id, by=BY, actor=OPERATOR)

        assert self.run(quick) == [("sync_bank_login", "success")]

    def test_unknown_login_is_a_dead_letter(self, quick: World) -> None:
        """Nobody made such a job."""
        self.enqueue(quick, "sync_bank_login", bank_login_id=str(new_id()))
        self.enqueue(quick, "sync_bank_login")

        assert [self.run(quick), self.run(quick)] == [[("sync_bank_login", "dead_letter")]] * 2

    def test_due_logins_are_scheduled_by_their_frequency(self, quick: World) -> None:
        """Each when its time has come, and once."""
        login = quick.connect(sync_frequency=600)
        self.run(quick)
        quick.clock.forward(seconds=599)
        self.enqueue(quick, "schedule_due_syncs")
        assert self.run(quick) == [("schedule_due_syncs", "success")]
        assert self.run(quick) == []

        quick.clock.forward(seconds=2)
        self.enqueue(quick, "schedule_due_syncs")
        self.run(quick)

        assert self.run(quick) == [("sync_bank_login", "success")]
        assert quick.login(login).last_sync_at == quick.login(login).last_run_at

    def test_report_of_a_provider_has_us_look(self, quick: World) -> None:
        """At the logins of that user at that bank, and no others."""
        login = quick.connect()
        self.run(quick)
        quick.make(-4_200, booked=True)
        quick.clock.forward(seconds=301)
        with quick.store.begin() as work:
            bank_id = str(bank_of(work, login).id)
        told = {"user_id": str(login.user_id), "bank_id": bank_id, "accounts_synced": "1"}
        self.enqueue(quick, "bank_sync_reported", "default", **{**told, "bank_id": str(new_id())})
        self.enqueue(quick, "bank_sync_reported", "default", **told)

        assert self.run(quick, "default") == [("bank_sync_reported", "success")] * 2

        assert self.run(quick) == [("sync_bank_login", "success")]
        assert self.run(quick) == []
        quick.check_agrees(login)

    def test_user_who_has_not_agreed_yet_is_waited_for(self, quick: World) -> None:
        """Monzo's app asks once more: the tokens are good, and we ask again soon."""
        login = quick.connect(decision="later")

        waiting = quick.sync(login)
        quick.sandbox.control.approve()
        ended = quick.sync(login)

        assert (waiting.status, waiting.reason) == (SyncStatus.FAILED, "consent_pending")
        assert ended.status is SyncStatus.COMPLETED
        quick.check_agrees(login, is_whole=False)


class TestSecrets:
    """Tokens are nowhere but sealed in their row."""

    def test_tokens_are_told_to_nobody(self, quick: World, caplog: pytest.LogCaptureFixture) -> None:
        """Not in logs, values as text, jobs, events or the audit log."""
        caplog.set_level(logging.DEBUG)
        login = quick.connect()
        quick.sandbox.control.fault("500", path="/monzo/transactions", times=100)
        with pytest.raises(ExternalDependencyError) as caught:
            quick.sync(login)
        tokens = quick.login(login).open_tokens(quick.banking.around.sealer)
        secrets = [tokens.access_token, tokens.refresh_token, CLIENT_SECRET]

        with quick.store.begin() as work:
            told = [
                *work.events.list_after(0, limit=1_000),
                *(entry.body for entry in work.audit.entries()),
                *work.jobs.list_after(JobFilter(), after=None, limit=100),
                quick.login(login),
                work.banks.list_after(None, limit=10),
                tokens,
                caught.value,
                caught.value.details,
                caplog.text,
            ]
        for secret in secrets:
            assert secret is not None
            assert not [each for each in told if secret in repr(each) or secret in str(each)]

    def test_tokens_of_another_login_are_refused(self, quick: World) -> None:
        """They are sealed for their row."""
        first, second = quick.connect(), quick.connect()
        swapped = evolve(quick.login(first), sealed_tokens=quick.login(second).sealed_tokens)

        with pytest.raises(LedgercoreError) as caught:
            swapped.open_tokens(quick.banking.around.sealer)

        assert caught.value.code == "internal_server_error"


class TestConnecting:
    """States are good once, for ten minutes, and for one user."""

    def begun(self, world: World, wait_seconds: int = 0) -> dict[str, str]:
        login = world.connect()
        principal = Principal(user_id=login.user_id, email="alice@example.com", role=Role.USER)
        wish = world.banking.connecting.ask(
            {"bank_branch_id": str(login.bank_branch_id), "username": "alice01"}, by=principal
        )
        begun = world.banking.connecting.begin(wish, actor=OPERATOR)
        assert begun.login.id == login.id
        answer = world.http.get(f"{begun.authorization_url}&auto=yes")
        world.clock.forward(seconds=wait_seconds)
        return {name: each[0] for name, each in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    def test_state_is_good_once(self, world: World) -> None:
        """Not even after a failure."""
        told = self.begun(world)
        world.banking.connecting.finish(state=told["state"], code=told["code"], actor=OPERATOR)

        with pytest.raises(LedgercoreError) as caught:
            world.banking.connecting.finish(state=told["state"], code=told["code"], actor=OPERATOR)

        assert caught.value.code == "invalid_consent_state"

    def test_state_is_good_for_ten_minutes(self, quick: World) -> None:
        """No longer."""
        told = self.begun(quick, wait_seconds=601)

        with pytest.raises(LedgercoreError) as caught:
            quick.banking.connecting.finish(state=told["state"], code=told["code"], actor=OPERATOR)

        assert caught.value.code == "invalid_consent_state"

    def test_state_is_good_for_its_user(self, quick: World) -> None:
        """Another who comes back with it gets nothing, and it is used up."""
        told = self.begun(quick)
        stranger = Principal(user_id=someone().id, email="stranger@example.com", role=Role.ADMIN, scopes=None)

        for by in (stranger, None):
            with pytest.raises(LedgercoreError) as caught:
                quick.banking.connecting.finish(state=told["state"], code=told["code"], by=by, actor=OPERATOR)
            assert caught.value.code == "invalid_consent_state"

    def test_user_who_says_no(self, quick: World) -> None:
        """The bank's code comes back."""
        told = self.begun(quick)

        with pytest.raises(BusinessRuleError) as caught:
            quick.banking.connecting.finish(state=told["state"], refusal="access_denied", actor=OPERATOR)

        assert (caught.value.code, caught.value.details["bank_code"]) == ("consent_denied", "access_denied")

    def test_disconnected_login_has_no_tokens(self, world: World) -> None:
        """And a job that was waiting has nothing to do."""
        login = world.connect()

        ended = world.banking.logins.disconnect(login.id, by=BY, actor=OPERATOR)

        assert (ended.status, ended.sealed_tokens, ended.next_sync_at) == (LoginStatus.INACTIVE, None, None)
        with pytest.raises(BusinessRuleError):
            world.sync(login)
