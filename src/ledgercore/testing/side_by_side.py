"""Two stores, the same commands, the same time, the same ids: everything they say must be the same."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from attrs import define, field

from ledgercore.errors import LedgercoreError
from ledgercore.ledger.accounts import Account
from ledgercore.ledger.commands import BatchItem, Settings
from ledgercore.ledger.outcomes import Outcome
from ledgercore.ledger.ports import Journal, LedgerStore
from ledgercore.ledger.queries import NOW, AsOf, HoldFilter, TransactionFilter
from ledgercore.testing.balances import counted
from ledgercore.testing.ledgers import MONDAY, pages
from ledgercore.testing.logs import account_fields, check_derived


@define
class World:
    """The time and the randomness that the stores share; both move only between batches."""

    now: datetime = MONDAY
    draws: int = 0

    def clock(self) -> datetime:
        """The present, which stands still while a batch is posted."""
        return self.now

    def random_bytes(self, count: int) -> bytes:
        """The same bytes for the same batch, however often a store asks."""
        return sha256(b"%d" % self.draws).digest()[:count]

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


@define
class SideBySide:
    """One ledger in several stores that were made with the same `World`; the first is the reference."""

    world: World
    journals: list[Journal] = field(factory=list)

    @classmethod
    def create(cls, world: World, stores: Iterable[LedgerStore], name: str, settings: Settings) -> "SideBySide":
        """Start the ledger in each store."""
        return cls(world, [store.create(name, settings) for store in stores])

    def available(self, path: str) -> int:
        """What is available on an account; nothing where there is none."""
        found = self.journals[0].find_account(path)
        return 0 if found is None else found.balance.available.minor

    def post(self, batch: Sequence[BatchItem], *, atomic: bool = False) -> list[Outcome]:
        """Post to each; compare outcomes, heads, accounts and holds."""
        self.world.draws += 1
        outcomes: list[Outcome] = self.same(lambda journal: list(journal.append(batch, atomic=atomic)))
        self.same(lambda journal: journal.state())
        self.same(lambda journal: [account_fields(state) for state in journal.stored_accounts()])
        self.same(lambda journal: list(journal.stored_holds()))
        self.same(_accounts_now)
        return outcomes

    def compare_at(self, at: AsOf) -> None:
        """Compare every balance at a point, with one another and with the sum of the entries that count."""
        found = self.same(lambda journal: told(lambda: journal.balances(at=at)))
        if isinstance(found, str):
            return
        transactions = list(pages(self.journals[0].list_transactions, TransactionFilter()))
        for balance in found:
            assert balance.posted.minor == counted(transactions, balance.path, balance.type.normal_side, at)

    def compare_everything(self) -> None:
        """Compare logs, registers, searches and listings; and what is stored with what follows from the log."""
        self.same(lambda journal: list(journal.rows()))
        self.same(lambda journal: list(journal.log_entries()))
        self.same(lambda journal: journal.balances(at=NOW))
        self.same(lambda journal: list(pages(journal.list_transactions, TransactionFilter(), limit=7)))
        self.same(lambda journal: list(pages(journal.list_holds, HoldFilter(), limit=2)))
        for account in pages(self.journals[0].list_accounts):
            self.same(_register(account.path))
            self.same(_search(account.path))
        for journal in self.journals:
            check_derived(journal)

    def same(self, read: Callable[[Journal], Any]) -> Any:
        """What all of them answer."""
        reference, *others = (read(journal) for journal in self.journals)
        for other in others:
            assert other == reference
        return reference


def told(read: Callable[[], Any]) -> Any:
    """The answer, or the code of the reason why there is none."""
    try:
        return read()
    except LedgercoreError as error:
        return error.code


def _accounts_now(journal: Journal) -> list[Account]:
    return list(pages(journal.list_accounts, limit=3))


def _register(path: str) -> Callable[[Journal], Any]:
    return lambda journal: (
        list(pages(journal.list_entries, path, limit=5)),
        list(pages(journal.list_entries, path, limit=4, newest_first=True)),
    )


def _search(path: str) -> Callable[[Journal], Any]:
    return lambda journal: list(pages(journal.list_transactions, TransactionFilter(account=path), limit=3))
