"""The use cases beside ledgers and identity in one value, also inside a unit of work that somebody else has begun."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import evolve, field, frozen

from ledgercore.clock import Clock
from ledgercore.identity.secrets import Sealer
from ledgercore.jobs.administration import JobAdministration
from ledgercore.payments.limits import PaymentLimits
from ledgercore.payments.ports import Store, Work
from ledgercore.payments.use_cases import Payments
from ledgercore.statements.importing import StatementImport
from ledgercore.statements.ports import StatementReader
from ledgercore.statements.reconciling import Reconciler

LEDGER: str = "bank"
"""The ledger that bank accounts are in, unless a deployment names another."""


@frozen(kw_only=True)
class Bank:
    """Jobs, events, statements, banking and payments, each over the same store."""

    store: Store
    clock: Clock
    random_bytes: Callable[[int], bytes]
    sealer: Sealer
    statement_reader: StatementReader
    ledger: str = LEDGER
    payment_limits: PaymentLimits = field(factory=PaymentLimits)

    @property
    def jobs(self) -> JobAdministration:
        """Background jobs."""
        return JobAdministration(store=self.store, clock=self.clock)

    @property
    def statement_import(self) -> StatementImport:
        """Files of statements."""
        return StatementImport(
            store=self.store, reader=self.statement_reader, clock=self.clock, random_bytes=self.random_bytes
        )

    @property
    def reconciler(self) -> Reconciler:
        """Statements and the ledger's entries, brought together."""
        return Reconciler(store=self.store, clock=self.clock, random_bytes=self.random_bytes)

    @property
    def payments(self) -> Payments:
        """Payments."""
        return Payments(
            store=self.store,
            clock=self.clock,
            random_bytes=self.random_bytes,
            ledger=self.ledger,
            limits=self.payment_limits,
        )

    def within(self, work: Work) -> "Bank":
        """The same use cases inside a unit of work: what they do is committed or undone with it."""
        return evolve(self, store=JoinedStore(work))


@frozen
class JoinedStore:
    """A store whose units of work are all part of one that is open already."""

    work: Work

    @contextmanager
    def begin(self) -> Iterator[Work]:
        """The open unit of work; whoever has begun it commits."""
        yield self.work
