"""The use cases beside ledgers and identity in one value, also inside a unit of work that somebody else has begun."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from attrs import evolve, field, frozen

from ledgercore.banking.ports import Exchanges
from ledgercore.banking.runs import Surroundings
from ledgercore.banking.use_cases import Banking
from ledgercore.clock import Clock
from ledgercore.events.delivering import WebhookDelivering
from ledgercore.events.incoming import IncomingWebhooks
from ledgercore.events.received import Provider
from ledgercore.events.relaying import Relay
from ledgercore.events.webhook_administration import AddressCheck, WebhookAdministration
from ledgercore.http_messages import HttpSender
from ledgercore.identity.secrets import Sealer
from ledgercore.jobs.administration import JobAdministration
from ledgercore.payments.limits import PaymentLimits
from ledgercore.payments.ports import Store, Work
from ledgercore.payments.use_cases import Payments
from ledgercore.statements.importing import StatementImport
from ledgercore.statements.ports import StatementReader
from ledgercore.statements.reading import ImportedStatements
from ledgercore.statements.reconciling import Reconciler

LEDGER: str = "bank"
"""The ledger that bank accounts are in, unless a deployment names another."""

CALLBACK_PATH: str = "/api/bank-logins/callback"
BANK_REDIRECT_URL: str = f"http://127.0.0.1:4000{CALLBACK_PATH}"
"""Where users come back to from their banks, unless the service has a public address."""


@frozen(kw_only=True)
class Bank:
    """Jobs, events, statements, banking and payments, each over the same store."""

    store: Store
    clock: Clock
    random_bytes: Callable[[int], bytes]
    sealer: Sealer
    statement_reader: StatementReader
    addresses: AddressCheck
    sender: HttpSender
    exchanges: Exchanges
    ledger: str = LEDGER
    bank_redirect_url: str = BANK_REDIRECT_URL
    payment_limits: PaymentLimits = field(factory=PaymentLimits)
    webhook_secrets: Mapping[Provider, Sequence[str]] = field(factory=dict, repr=False)

    @property
    def webhooks(self) -> WebhookAdministration:
        """Addresses that users want to be told at."""
        return WebhookAdministration(
            store=self.store,
            clock=self.clock,
            random_bytes=self.random_bytes,
            sealer=self.sealer,
            addresses=self.addresses,
        )

    @property
    def incoming_webhooks(self) -> IncomingWebhooks:
        """What providers tell us."""
        return IncomingWebhooks(store=self.store, clock=self.clock, secrets=self.webhook_secrets)

    @property
    def webhook_delivering(self) -> WebhookDelivering:
        """From deliveries to their receivers."""
        return WebhookDelivering(store=self.store, clock=self.clock, sender=self.sender, sealer=self.sealer)

    @property
    def relay(self) -> Relay:
        """From events to deliveries."""
        return Relay(store=self.store, clock=self.clock, random_bytes=self.random_bytes)

    @property
    def jobs(self) -> JobAdministration:
        """Background jobs."""
        return JobAdministration(store=self.store, clock=self.clock)

    @property
    def statements(self) -> ImportedStatements:
        """What was imported and matched."""
        return ImportedStatements(self.store)

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
    def banking(self) -> Banking:
        """Banks, connections to them, accounts there."""
        around = Surroundings(
            store=self.store,
            clock=self.clock,
            random_bytes=self.random_bytes,
            sealer=self.sealer,
            exchanges=self.exchanges,
            redirect_url=self.bank_redirect_url,
        )
        return Banking(around=around, addresses=self.addresses, ledger=self.ledger)

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
