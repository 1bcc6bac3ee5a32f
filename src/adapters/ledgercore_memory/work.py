"""Units of work in memory, beside the ledgers of a store: one after the other, undone by copies."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from uuid import UUID

from attrs import astuple, field, fields, frozen

from ledgercore.clock import Clock
from ledgercore.identity.principals import Standing, Subject
from ledgercore.ids import TimeOrderedIds
from ledgercore.ledger.commands import Settings
from ledgercore_memory.banking.accounts import MemoryBankAccounts
from ledgercore_memory.banking.banks import MemoryBanks
from ledgercore_memory.banking.logins import MemoryBankLogins
from ledgercore_memory.banking.rows import MemoryBankRows, MemoryFindings
from ledgercore_memory.banking.state import State as BankingState
from ledgercore_memory.events.outbox import MemoryEvents
from ledgercore_memory.events.state import State as EventsState
from ledgercore_memory.events.webhooks import MemoryWebhooks
from ledgercore_memory.identity.answers import MemoryAnswers
from ledgercore_memory.identity.audit import MemoryAuditLog
from ledgercore_memory.identity.members import MemoryMembers
from ledgercore_memory.identity.service_tokens import MemoryServiceTokens
from ledgercore_memory.identity.sessions import MemorySessions
from ledgercore_memory.identity.standings import standing_of
from ledgercore_memory.identity.state import State
from ledgercore_memory.identity.users import MemoryUsers
from ledgercore_memory.jobs.jobs import MemoryJobs
from ledgercore_memory.jobs.state import State as JobsState
from ledgercore_memory.journal import MemoryJournal
from ledgercore_memory.payments.payments import MemoryPayments
from ledgercore_memory.payments.state import State as PaymentsState
from ledgercore_memory.statements.state import StatementsState
from ledgercore_memory.statements.statements import MemoryStatements
from ledgercore_memory.store import MemoryStore
from ledgercore_memory.undoing import undone_after_error


class MemoryLedgers:
    """See the port `Ledgers`: a ledger that is used here is used by nobody else until the unit of work ends."""

    def __init__(self, store: MemoryStore, unit: ExitStack) -> None:
        self._store = store
        self._unit = unit

    def create(self, name: str, settings: Settings | None = None) -> MemoryJournal:
        """See the port."""
        self._unit.enter_context(self._store.creating(name, settings))
        return self.journal(name)

    def journal(self, name: str) -> MemoryJournal:
        """See the port."""
        journal = self._store.journal(name)
        self._unit.enter_context(journal.undoable())
        return journal


@frozen(kw_only=True)
class States:
    """What each context keeps; a unit of work that fails gives all of it back."""

    identity: State = field(factory=State)
    statements: StatementsState = field(factory=StatementsState)
    jobs: JobsState = field(factory=JobsState)
    events: EventsState = field(factory=EventsState)
    banking: BankingState = field(factory=BankingState)
    payments: PaymentsState = field(factory=PaymentsState)


class MemoryWork:
    """See the ports named `Work`."""

    def __init__(
        self, states: States, *, store: MemoryStore, unit: ExitStack, clock: Clock, ids: TimeOrderedIds
    ) -> None:
        self.users = MemoryUsers(states.identity)
        self.sessions = MemorySessions(states.identity)
        self.tokens = MemoryServiceTokens(states.identity)
        self.members = MemoryMembers(states.identity, store)
        self.audit = MemoryAuditLog(states.identity, clock=clock, ids=ids)
        self.answers = MemoryAnswers(states.identity)
        self.ledgers = MemoryLedgers(store, unit)
        self.statements = MemoryStatements(states.statements, clock=clock, ids=ids)
        self.jobs = MemoryJobs(states.jobs, clock=clock, ids=ids)
        self.banks = MemoryBanks(states.banking)
        self.bank_logins = MemoryBankLogins(states.banking)
        self.accounts = MemoryBankAccounts(states.banking)
        self.bank_rows = MemoryBankRows(states.banking)
        self.findings = MemoryFindings(states.banking)
        self.payments = MemoryPayments(states.payments)
        self.events = MemoryEvents(states.events, clock=clock, ids=ids)
        self.webhooks = MemoryWebhooks(states.events)


class MemoryWorkStore:
    """Keeps the promises of the `IdentityStore` port, and of those above it, without outliving the process."""

    def __init__(self, store: MemoryStore, *, clock: Clock, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self._store = store
        self._clock = clock
        self._ids = TimeOrderedIds(random_bytes)
        self._states = States()
        self._lock = threading.RLock()

    @contextmanager
    def begin(self) -> Iterator[MemoryWork]:
        """See the port. Others wait until the unit of work ends."""
        with self._lock, ExitStack() as unit:
            for state in astuple(self._states, recurse=False):
                unit.enter_context(undone_after_error(state, *(kept.name for kept in fields(type(state)))))
            yield MemoryWork(self._states, store=self._store, unit=unit, clock=self._clock, ids=self._ids)

    def standings(self, subjects: Sequence[Subject]) -> Sequence[Standing]:
        """See the port."""
        with self._lock:
            ledgers = set(self._store.names())
            return [standing_of(self._states.identity, subject, ledgers) for subject in subjects]

    def touch_tokens(self, used: Sequence[tuple[UUID, datetime]]) -> None:
        """See the port."""
        with self._lock:
            tokens = MemoryServiceTokens(self._states.identity)
            for id, used_at in used:
                tokens.touch(id, used_at)
