"""The command line over a store in memory that outlives its commands, as a database would."""

import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from attrs import define, field, frozen

from ledgercore.bank import Bank
from ledgercore.clock import Clock
from ledgercore.identity.identity import Identity
from ledgercore.ledger.ledger import Ledger
from ledgercore.statements.credit_transfers import PaymentOrder
from ledgercore.statements.status_reports import StatusReport
from ledgercore_app.bank import bank_over
from ledgercore_app.cli import OWN_COMMANDS, Program
from ledgercore_app.databases import Memory
from ledgercore_app.identity import identity_over
from ledgercore_app.secret_keys import read_secrets, sealer_of, signer_of
from ledgercore_app.service_settings import ServiceSettings
from ledgercore_app.wiring import work_store_of
from ledgercore_cli.application import OK, Check, Migrated
from ledgercore_cli.main import run
from ledgercore_memory import MemoryStore

PASSWORD = "correct horse battery"
CHEAP = ServiceSettings(password_time_cost=1, password_memory_kib=8)


@define
class MemoryApplication:
    """What the composition root hands over, with one store for all commands."""

    clock: Clock
    store: MemoryStore
    identity: Identity
    bank: Bank
    version: str = "1.2.3"
    checks: Sequence[Check] = (Check("database", OK, "memory"),)
    opened: list[str | None] = field(factory=list)
    failure: BaseException | None = None

    def default_ledger(self) -> str:
        return "main"

    def default_database(self) -> str:
        return "memory"

    @contextmanager
    def open_store(self, database: str | None) -> Iterator[MemoryStore]:
        self.opened.append(database)
        if self.failure is not None:
            raise self.failure
        yield self.store

    @contextmanager
    def open_identity(self, database: str | None) -> Iterator[Identity]:
        self.opened.append(database)
        yield self.identity

    @contextmanager
    def open_bank(self, database: str | None) -> Iterator[Bank]:
        self.opened.append(database)
        yield self.bank

    def write_credit_transfers(self, order: PaymentOrder) -> bytes:
        return Program({}).write_credit_transfers(order)

    def read_status_report(self, data: bytes) -> StatusReport:
        return Program({}).read_status_report(data)

    def migrate(self, database: str | None) -> Migrated:
        return Migrated(database or "memory", None, "0001")

    def examine(self, database: str | None) -> Iterator[Check]:
        return iter(self.checks)


@frozen
class Result:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as the one JSON document that it is."""
        return json.loads(self.out)

    @property
    def problem(self) -> Mapping[str, Any]:
        """Standard error as the one problem document that it is."""
        found: Mapping[str, Any] = json.loads(self.err)
        return found


@frozen
class Console:
    """Runs commands against one application."""

    application: Any
    captured: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Result:
        self.captured.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            status = run(self.application, arguments, extra=OWN_COMMANDS)
        out, err = self.captured.readouterr()
        return Result(status, out, err)

    def json(self, *arguments: str, stdin: bytes = b"") -> Any:
        """The document that a command prints; it must have gone well."""
        result = self(*arguments, "--json", stdin=stdin)
        assert result.status == 0, result.err
        return result.document

    @property
    def ledger(self) -> Ledger:
        """The ledger that commands use."""
        return Ledger(self.application.store.journal("main"))


@pytest.fixture
def application(clock: Clock) -> MemoryApplication:
    """A program whose ledgers are in memory."""
    store = MemoryStore(clock=clock)
    signer = signer_of(CHEAP, read_secrets(CHEAP, Memory()))
    work, sealer = work_store_of(store, clock), sealer_of(read_secrets(CHEAP, Memory()))
    return MemoryApplication(
        clock=clock,
        store=store,
        identity=identity_over(work, signer=signer, service_settings=CHEAP, clock=clock),
        bank=bank_over(work, sealer=sealer, service_settings=CHEAP, clock=clock),
    )


@pytest.fixture
def console(application: MemoryApplication, capsys: pytest.CaptureFixture[str]) -> Console:
    """A console in front of a program without ledgers."""
    return Console(application, capsys)


@pytest.fixture
def books(console: Console) -> Console:
    """A console in front of the ledger main, in which a wallet holds 100.00 EUR and may not be overdrawn."""
    assert console("ledger", "create", "main", "--open", "wallets=liability", "--minimum", "wallets=0").status == 0
    assert console("post", "assets:bank", "wallets:ann", "100.00", "EUR", "--key", "top-up").status == 0
    return console


@pytest.fixture
def people(database_url: str, capsys: pytest.CaptureFixture[str]) -> Console:
    """A console in front of the real program, on a database where Ada is the admin, Bob a user, and main a ledger."""
    environment = {
        "LEDGERCORE_DATABASE_URL": database_url,
        "LEDGERCORE_PASSWORD_TIME_COST": str(CHEAP.password_time_cost),
        "LEDGERCORE_PASSWORD_MEMORY_KIB": str(CHEAP.password_memory_kib),
    }
    console = Console(Program(environment), capsys)
    assert console("ledger", "create").status == 0
    for name, role in (("Ada", "admin"), ("Bob", "user")):
        line = ("user", "create", f"{name.lower()}@example.com", "--name", name, "--role", role)
        assert console(*line, stdin=PASSWORD.encode()).status == 0
    return console


@pytest.fixture
def write(tmp_path) -> Callable[..., str]:
    """Writes a file and gives its path; what is not text is written as JSON."""

    def write(name: str, content: Any) -> str:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    return write
