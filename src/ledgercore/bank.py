"""The use cases beside ledgers and identity in one value, also inside a unit of work that somebody else has begun."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import evolve, frozen

from ledgercore.clock import Clock
from ledgercore.identity.secrets import Sealer
from ledgercore.payments.ports import Store, Work

LEDGER: str = "bank"
"""The ledger that bank accounts are in, unless a deployment names another."""


@frozen(kw_only=True)
class Bank:
    """Jobs, events, statements, banking and payments, each over the same store."""

    store: Store
    clock: Clock
    random_bytes: Callable[[int], bytes]
    sealer: Sealer
    ledger: str = LEDGER

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
