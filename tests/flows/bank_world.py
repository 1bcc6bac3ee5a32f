"""A bank in a database with workers in processes of their own: what tests of its faults have in common."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx2
from attrs import define, evolve, field
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from ledgercore.bank import Bank
from ledgercore.banking.accounts import BankAccount
from ledgercore.banking.banks import Bank as OtherBank
from ledgercore.banking.breaker import CircuitState
from ledgercore.banking.findings import Finding
from ledgercore.banking.logins import RUN_WINDOW, BankLogin
from ledgercore.banking.postings import opening_key, signed_minor_of
from ledgercore.banking.rows import BankRow, RowState
from ledgercore.banking.runs import bank_of
from ledgercore.banking.sync_jobs import enqueue_sync
from ledgercore.http_messages import HttpRequest, HttpResponse
from ledgercore.identity.access import Operator
from ledgercore.identity.audit import OPERATOR, first_broken
from ledgercore.identity.principals import Principal
from ledgercore.identity.users import Role
from ledgercore.jobs.jobs import Job, JobState
from ledgercore.jobs.ports import JobFilter
from ledgercore.jobs.running import LEASE, Ran, Runner
from ledgercore.ledger.commands import identity_of_key
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.log.records import TRANSACTION
from ledgercore.ledger.proofs.verification import verify
from ledgercore.payments.payments import Payment, PaymentStatus
from ledgercore.payments.processing import JOB_KIND, JOB_QUEUE
from ledgercore.statements.statements import Direction
from ledgercore.testing.identity_people import someone
from ledgercore.testing.payments_people import funded_account, payment
from ledgercore_app.bank import bank_over
from ledgercore_app.databases import Server
from ledgercore_app.handlers import handlers_of
from ledgercore_app.secret_keys import read_secrets, sealer_of
from ledgercore_app.service_settings import ServiceSettings
from ledgercore_embedded import attach
from ledgercore_outbound import AddressGuard, Exchanger, Outbound
from ledgercore_outbound.transport import Bounds
from ledgercore_postgres import PostgresJobQueue, PostgresStore, PostgresWorkStore
from ledgercore_sandbox import CLIENT_ID, CLIENT_SECRET, Sandbox

PROGRAM = Path(__file__).with_name("bank_worker.py")
SECONDS_MAX = 60
LEDGER = "bank"
OPENING = 10_000
SLOW_SECONDS = 0.5
LEASE_SECONDS = int(LEASE.total_seconds())
WINDOW_SECONDS = int(RUN_WINDOW.total_seconds())
ENVIRONMENT = {
    "LEDGERCORE_SECRET": secrets.token_hex(64),
    "LEDGERCORE_PRIVATE_ADDRESSES": "allowed",
    "LEDGERCORE_PAYMENT_LIMITS": "CHECKING:1000000",
}
UNFINISHED = text("SELECT count(*) FROM jobs WHERE state IN ('waiting', 'running') AND queue = :queue")


def until(reached: Callable[[], bool]) -> None:
    """Wait for something that comes; a database that is away for now may still tell."""
    end = time.monotonic() + SECONDS_MAX
    while True:
        with suppress(OperationalError):
            if reached():
                return
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


@define
class Time:
    """The system's time, as far ahead as it was put."""

    ahead_seconds: float = 0

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead_seconds)

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.ahead_seconds += seconds


def _environment(more: dict[str, str]) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LEDGERCORE_")}
    return {**clean, **ENVIRONMENT, **more}


class Mortals:
    """Workers that do what there is to do in a queue, each in a process that dies when it is told to."""

    def __init__(self, url: str) -> None:
        self._parent = subprocess.Popen(
            [sys.executable, str(PROGRAM), url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment({}),
        )  # fmt: skip

    def work(self, queue: str, *, at: Time, death: dict[str, Any] | None = None) -> bool:
        """Have one work; whether it came to the end of what there was to do, rather than to its own."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        order = {"queue": queue, "ahead_seconds": at.ahead_seconds, "death": death}
        self._parent.stdin.write(json.dumps(order) + "\n")
        self._parent.stdin.flush()
        status = int(self._parent.stdout.readline())
        assert status in (0, -signal.SIGKILL), f"a worker failed with {status}"
        return status == 0

    def close(self) -> None:
        """Let the last one go."""
        self._parent.communicate(timeout=SECONDS_MAX)


@contextmanager
def working(url: str, lanes: str) -> Iterator[subprocess.Popen[str]]:
    """A worker that goes on until it is told to end, which it must do by itself and well."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), url, lanes], stderr=subprocess.PIPE, text=True, env=_environment({})
    )
    try:
        yield process
        assert process.poll() is None, "it ended before it was told to"
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=SECONDS_MAX)
        assert process.returncode == 0, told
    finally:
        process.kill()
        process.communicate()


class OwnServer:
    """A server of PostgreSQL that is there to be killed, and comes back under the same address."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._uses = ExitStack()
        self.url = ""
        self.start()

    def start(self) -> None:
        """Start it, or start it again."""
        server = attach(self._directory)
        self._uses.callback(server.close)
        assert self.url in ("", server.url)
        self.url = server.url

    def kill(self, number: int) -> None:
        """End it by a signal: SIGQUIT is what `pg_ctl stop -m immediate` sends."""
        found = self._directory / "cluster" / "postmaster.pid"
        os.kill(int(found.read_text().splitlines()[0]), number)

    def close(self) -> None:
        """End it for good."""
        self._uses.close()


@define
class Meddled:
    """A way to banks on which something happens once, behind the next request of a name."""

    outbound: Outbound
    name: str = ""
    act: Callable[[], None] | None = None

    def meddle(self, name: str, act: Callable[[], None]) -> None:
        """Let something happen behind the next request of a name."""
        self.name, self.act = name, act

    def send(self, request: HttpRequest) -> HttpResponse:
        """See the protocol `HttpSender`."""
        answer = self.outbound.send(request)
        if self.act is not None and request.name == self.name:
            act, self.act = self.act, None
            act()
        return answer


@define
class BankWorld:
    """A bank's use cases over a database, and what is true of it whatever has happened."""

    url: str
    engine: Engine
    time: Time = field(factory=Time)
    store: PostgresWorkStore = field(init=False)
    bank: Bank = field(init=False)
    runner: Runner = field(init=False)
    outbound: Outbound = field(init=False)
    sender: "Meddled" = field(init=False)
    exchanger: Exchanger = field(init=False)

    def __attrs_post_init__(self) -> None:
        settings = ServiceSettings.from_environment(ENVIRONMENT)
        sealer = sealer_of(read_secrets(settings, Server(self.url)))
        self.store = PostgresWorkStore(self.engine, clock=self.time)
        bank = bank_over(self.store, sealer=sealer, service_settings=settings, clock=self.time)
        # As it is, but that nobody waits as long for slow banks, nor before trying again.
        bounds = Bounds(read_seconds=SLOW_SECONDS, total_seconds=2 * SLOW_SECONDS)
        self.outbound = Outbound(guard=AddressGuard(allow_private=True), bounds=bounds)
        self.sender = Meddled(self.outbound)
        self.exchanger = Exchanger(sender=self.sender, clock=self.time, sleep=lambda _: None)
        self.bank = evolve(bank, exchanges=self.exchanger)
        self.runner = Runner(
            store=self.store,
            queue=PostgresJobQueue(self.engine, clock=self.time),
            handlers=handlers_of(self.bank),
            clock=self.time,
            random=lambda: 0.0,
        )

    @property
    def ledger(self) -> Ledger:
        """The bank's ledger."""
        return Ledger(PostgresStore(self.engine, clock=self.time).journal(LEDGER))

    def unfinished(self, queue: str) -> int:
        """How many jobs of a queue are waiting or running."""
        with self.engine.connect() as connection:
            return int(connection.execute(UNFINISHED, {"queue": queue}).scalar_one())

    def jobs(self, kind: str) -> list[Job]:
        """All jobs of a kind, newest first."""
        with self.store.begin() as work:
            return list(work.jobs.list_after(JobFilter(kind=kind), after=None, limit=10_000))

    def finish(self, mortals: Mortals, queue: str) -> None:
        """Have fresh workers do what is left, as soon as the leases of what was left have lapsed."""
        for _ in range(10):
            self.time.forward(LEASE_SECONDS + 1)
            assert mortals.work(queue, at=self.time)
            if not self.unfinished(queue):
                return
        raise AssertionError("something is never done")

    def told(self, *types: str) -> Counter[tuple[str, str]]:
        """How often each event of some types was published of what."""
        with self.store.begin() as work:
            found = work.events.list_after(0, types=frozenset(types), limit=100_000)
        return Counter((stored.event.type, stored.event.subject) for stored in found)

    def audited(self, *actions: str) -> Counter[tuple[str, str]]:
        """How often the audit log has each of some actions on what; the log itself is proved first."""
        with self.store.begin() as work:
            entries = list(work.audit.entries())
        assert first_broken(entries) is None
        found = [json.loads(entry.body) for entry in entries]
        return Counter((each["action"], each["target"]) for each in found if each["action"] in actions)

    def check_sound(self) -> None:
        """Everything in the ledger follows from its log."""
        verified = verify(self.ledger.journal)
        assert verified.sound, verified.divergences

    def balance(self, account: BankAccount) -> int:
        """Minor units in an account."""
        return self.ledger.get_account(account.path).balance.posted.minor


class PayingWorld(BankWorld):
    """Accounts with money in them, and payments that workers carry out."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.accounts = [funded_account(self.store, str(OPENING), ledger=LEDGER) for _ in range(3)]
        self.made: list[Payment] = []

    def schedule(self, count: int, *, amount: str | None = None) -> list[Payment]:
        """Leave new payments to the workers: of each five two credits, over all accounts."""
        made = [
            payment(
                self.accounts[number % len(self.accounts)],
                amount or f"{1 + number % 7}.{number % 100:02}",
                direction=Direction.CREDIT if number % 5 < 2 else Direction.DEBIT,
                inserted_at=self.time(),
            )
            for number in range(len(self.made), len(self.made) + count)
        ]
        with self.store.begin() as work:
            processing = self.bank.within(work).payments.processing
            for each in made:
                work.payments.add(each)
                processing.schedule(each.id, by=Operator(), actor=OPERATOR)
        self.made += made
        return made

    def check_completed(self, payments: Sequence[Payment]) -> None:
        """Each of them is COMPLETED, and no job about them is left."""
        with self.store.begin() as work:
            found = [work.payments.find(each.id) for each in payments]
        assert {each and each.status for each in found} == {PaymentStatus.COMPLETED}
        assert self.unfinished(JOB_QUEUE) == 0

    def check_each_once(self) -> None:
        """Every payment was carried out once, and everything that tells of it agrees to the last unit."""
        ids = [each.id for each in self.made]
        self.check_completed(self.made)
        self.check_sound()
        rows = [row for row in self.ledger.journal.read_rows(limit=100_000) if row.kind == TRANSACTION]
        posted = Counter(row.key for row in rows if row.key and row.key.startswith("payment:"))
        assert posted == Counter(f"payment:{id}" for id in ids)
        subjects = [f"payment:{id}" for id in ids]
        assert self.told("payment.completed", "payment.failed") == Counter(
            ("payment.completed", subject) for subject in subjects
        )
        assert self.audited("payment_processed", "payment_failed") == Counter(
            ("payment_processed", subject) for subject in subjects
        )
        assert Counter(job.arguments["payment_id"] for job in self.jobs(JOB_KIND)) == Counter(map(str, ids))
        assert {job.state for job in self.jobs(JOB_KIND)} == {JobState.DONE}
        for account in self.accounts:
            moved = [each for each in self.made if each.user_bank_account_id == account.id]
            assert self.balance(account) == 100 * OPENING + sum(
                each.direction.sign * each.amount.minor for each in moved
            )


@define
class SyncedWorld(BankWorld):
    """A bank outside whose accounts are synchronised, and users who have let us in."""

    sandbox: Sandbox = field(kw_only=True)

    def connect(self, kind: str = "monzo") -> BankLogin:
        """The whole way of a new user who connects a new bank; leaves a job to the workers."""
        brand, address = ("bg" if kind == "berlin_group" else kind), self.sandbox.url
        user, banks = someone(), self.bank.banking.banks
        with self.store.begin() as work:
            work.users.add(user)
        bank = banks.add(
            {
                "name": f"Bank {user.id}", "country": "GB", "code": f"S_{str(user.id)[-12:].upper()}",
                "integration": kind, "api_url": f"{address}/{brand}", "authorize_url": f"{address}/{brand}/authorize",
                "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
            },
            actor=OPERATOR,
        )  # fmt: skip
        branch = banks.add_branch(bank.id, {"name": "Main", "country": "GB"}, actor=OPERATOR)
        return self._agree(user.id, branch.id)

    def connect_again(self, login: BankLogin) -> BankLogin:
        """The same way of a user whom the bank lets in no more."""
        return self._agree(login.user_id, login.bank_branch_id)

    def _agree(self, user_id: UUID, branch_id: UUID) -> BankLogin:
        connecting = self.bank.banking.connecting
        wish = connecting.ask(
            {"bank_branch_id": str(branch_id), "username": "alice01"},
            by=Principal(user_id=user_id, email="alice@example.com", role=Role.USER, scopes=None),
            user_address="192.0.2.1",
        )
        begun = connecting.begin(wish, actor=OPERATOR)
        answer = httpx2.get(f"{begun.authorization_url}&auto=yes", trust_env=False)
        told = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
        login = connecting.finish(state=told["state"], code=told["code"], actor=OPERATOR)
        self.sandbox.control.approve()
        return login

    def bank_of(self, login: BankLogin) -> OtherBank:
        """The bank of a login."""
        with self.store.begin() as work:
            return bank_of(work, login)

    def circuit_of(self, login: BankLogin) -> CircuitState:
        """Whether the bank of a login is let alone for now."""
        return self.exchanger.circuit_of(self.bank_of(login).code).state(self.time())

    def ask_again(self, login: BankLogin) -> None:
        """Leave another synchronisation to the workers, after the window of the last one."""
        self.time.forward(WINDOW_SECONDS + 1)
        with self.store.begin() as work:
            enqueue_sync(work, login)

    def drain(self) -> list[Ran]:
        """Do what may begin now in this very process."""
        return list(self.runner.drain(["banking"]))

    def told_account(self, kind: str = "monzo") -> Mapping[str, Any]:
        """The account as the bank knows it."""
        brand = "bg" if kind == "berlin_group" else kind
        return next(each for each in self.sandbox.control.accounts() if each["bank"] == brand)

    def make(self, amount_minor: int, **fields: Any) -> str:
        """Something new at the bank."""
        return self.sandbox.control.make_transaction(self.told_account()["id"], amount_minor=amount_minor, **fields)

    def login(self, login: BankLogin) -> BankLogin:
        """The login as it is now."""
        return self.bank.banking.logins.get(login.id, by=Operator())

    def account(self, login: BankLogin) -> BankAccount:
        """The account that was found there."""
        with self.store.begin() as work:
            [account] = work.accounts.list_of(None, login_id=login.id)
        return account

    def rows(self, login: BankLogin) -> list[BankRow]:
        """What we know of its transactions."""
        with self.store.begin() as work:
            return list(work.bank_rows.list_of(self.account(login).id, after=None, limit=10_000))

    def findings(self, login: BankLogin) -> list[Finding]:
        """What did not agree, oldest first."""
        page = self.bank.banking.accounts.findings(self.account(login).id, by=Operator())
        return list(reversed(page.items))

    def check_posted_is_known(self, login: BankLogin) -> None:
        """What is in the ledger is what the rows say that are here, each posted once: at any moment."""
        account, ledger = self.account(login), self.ledger
        booked = [row for row in self.rows(login) if row.state is RowState.BOOKED]
        opening = ledger.journal.find_transaction(UUID(bytes=identity_of_key(opening_key(account))))
        came = 0 if opening is None else signed_minor_of(opening, account.path)
        assert self.balance(account) == came + sum(row.signed_minor for row in booked)
        ids = [row.transaction_id for row in booked if row.signed_minor]
        assert len(set(ids)) == len(ids)
        assert None not in ids

    def check_agrees(self, login: BankLogin, kind: str = "monzo") -> None:
        """Every transaction of the bank is here once, and its balance is the ledger's to the last unit."""
        self.check_posted_is_known(login)
        told, rows = self.told_account(kind), self.rows(login)
        theirs = self.sandbox.control.transactions(told["id"])
        for state in (RowState.BOOKED, RowState.PENDING):
            known = Counter((row.seen.external_id, row.signed_minor) for row in rows if row.state is state)
            wanted = Counter(
                (each["id"], each["amount_minor"]) for each in theirs if each["state"] == state.value.lower()
            )
            if kind == "berlin_group" and state is RowState.PENDING:
                wanted = Counter((None, minor) for (_, minor), count in wanted.items() for _ in range(count))
            assert known == wanted, (known - wanted, wanted - known)
        assert self.balance(self.account(login)) == told["booked_minor"]
        assert not [found for found in self.findings(login) if found.resolved_at is None]
