"""What every suite stands on: a clock that stands still, fresh ledgers, and short words for money."""

import itertools
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from ledgercore.ledger.accounts import AccountType, Limits, Opening
from ledgercore.ledger.commands import BatchItem, Settings
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.outcomes import Applied, GroupOutcome, Outcome, Refused
from ledgercore.ledger.ports import JournalReader, LedgerStore
from ledgercore.ledger.queries import NOW, HoldFilter, TransactionFilter
from ledgercore.money import Money, currency

EUR: Final = currency("EUR")
USD: Final = currency("USD")
OPENING: Final = Settings(opening=Opening(on_first_use=True))
"""Settings of a ledger whose accounts open on first use."""

MONDAY: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""When the tests begin."""

_numbers: Final = itertools.count(1)


class StoppedClock:
    """A clock that moves only when told to, or by a microsecond whenever it is read."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def forward(self, **delta: float) -> datetime:
        """Let time pass; returns the time that it is then."""
        self.now += timedelta(**delta)
        return self.now


class LedgerContract:
    """The fixtures; subclasses override `store`, and `clock` if they like."""

    @pytest.fixture
    def clock(self) -> StoppedClock:
        """The time that the store and the tests go by."""
        return StoppedClock(MONDAY)

    @pytest.fixture
    def store(self, clock: StoppedClock) -> LedgerStore:
        """Where ledgers are kept; every adapter says for itself."""
        raise NotImplementedError("override the fixture `store`")

    @pytest.fixture
    def ledger_name(self) -> str:
        """A name that no ledger had before in this process, nor begins with; a database may outlive a test."""
        return f"ledger-{next(_numbers):06}"

    @pytest.fixture
    def ledger(self, store: LedgerStore, ledger_name: str) -> Ledger:
        """A ledger that opens accounts on first use."""
        return Ledger(store.create(ledger_name, OPENING))

    @pytest.fixture
    def strict_ledger(self, store: LedgerStore, ledger_name: str) -> Ledger:
        """A ledger whose accounts are opened one by one."""
        return Ledger(store.create(f"{ledger_name}-strict"))

    @pytest.fixture
    def wallet(self, ledger: Ledger) -> str:
        """An account with 100.00 euros that cannot be overdrawn."""
        path = "liabilities:wallets:alice"
        ledger.open_account(path, EUR, type=AccountType.LIABILITY, limits=Limits(minimum=0))
        ledger.transfer(debit="assets:bank", credit=path, amount=eur("100.00"), key="first money")
        return path


def eur(amount: str) -> Money:
    """Euros."""
    return Money.of(amount, EUR)


def usd(amount: str) -> Money:
    """Dollars."""
    return Money.of(amount, USD)


def day(number: int, hour: int = 12) -> datetime:
    """A day of February 2026, before the tests begin."""
    return datetime(2026, 2, number, hour, tzinfo=UTC)


def key_id(number: int) -> UUID:
    """An id as a caller could have drawn it."""
    return UUID(int=0x0190_0000_0000_7000_8000_0000_0000_0000 + number)


def posted(ledger: Ledger, path: str) -> str:
    """The posted balance in text, without its currency."""
    return str(ledger.balance(path).posted.decimal)


def available(ledger: Ledger, path: str) -> str:
    """The available balance in text, without its currency."""
    return str(ledger.balance(path).available.decimal)


def pending(ledger: Ledger, path: str) -> tuple[str, str]:
    """What holds would debit and credit, in text."""
    balance = ledger.balance(path)
    return str(balance.pending_debits.decimal), str(balance.pending_credits.decimal)


def told(outcome: Outcome) -> Any:
    """An outcome in a word: what it did, or the code of the reason; a group's in a list."""
    if isinstance(outcome, GroupOutcome):
        return [told(each) for each in outcome.outcomes]
    word = outcome.reason.code if isinstance(outcome, Refused) else type(outcome).__name__.lower()
    return f"{word} again" if outcome.replayed else word


def tell(ledger: Ledger, batch: Sequence[BatchItem], *, atomic: bool = False) -> list[Any]:
    """Post a batch and tell each outcome in a word."""
    return [told(outcome) for outcome in ledger.post_all(batch, atomic=atomic)]


def refusal(ledger: Ledger, item: BatchItem) -> Refused:
    """The refusal of an item posted by itself."""
    [outcome] = ledger.post_all([item])
    assert isinstance(outcome, Refused), f"not refused but {outcome}"
    return outcome


def applied(ledger: Ledger, item: BatchItem) -> Applied:
    """The outcome of an item that took effect by itself."""
    [outcome] = ledger.post_all([item])
    assert isinstance(outcome, Applied), f"not applied but {outcome}"
    return outcome


def everything(journal: JournalReader) -> tuple[Any, ...]:
    """All that can be read of a ledger but its log: what a refusal must leave as it was."""
    return (
        list(pages(journal.list_accounts)),
        journal.balances(at=NOW),
        list(pages(journal.list_transactions, TransactionFilter())),
        list(pages(journal.list_holds, HoldFilter())),
        journal.state().closed_through,
        journal.state().settings,
    )


def pages(listing: Any, *arguments: Any, limit: int = 1_000, **options: Any) -> Iterator[Any]:
    """All items of a listing, page after page."""
    cursor = None
    while True:
        page = listing(*arguments, limit=limit, cursor=cursor, **options)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return
