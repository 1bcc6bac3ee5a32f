"""Ledgers that are in use: found once, and the posts and reads that arrive together carried out together."""

from collections import OrderedDict
from threading import Lock
from typing import Any, Final

from ledgercore.errors import NotFoundError
from ledgercore.errors.catalog import ACCOUNT_NOT_FOUND
from ledgercore.ledger.accounts import Account
from ledgercore.ledger.commands import BatchItem
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.outcomes import Outcome
from ledgercore.ledger.paths import check_path
from ledgercore.ledger.ports import Journal
from ledgercore.money import ISO, Currencies
from ledgercore_http.ports import Service

OPEN_MAX: Final = 10_000


class Book:
    """One ledger in use."""

    def __init__(self, journal: Journal, service: Service) -> None:
        self.ledger = Ledger(journal)
        self._posts = service.gather_posts(journal)
        self._accounts: Any = service.gather(journal.find_accounts)
        self._currencies: Currencies | None = None

    async def post(self, item: BatchItem) -> Outcome:
        """Carry out one command in the next batch; its own outcome comes after its own commit."""
        outcome: Outcome = await self._posts.ask(item)
        return outcome

    async def account(self, path: str) -> Account:
        """An account with its balances now; raises `account_not_found` and `invalid_account_path`."""
        check_path(path)
        found: Account | None = await self._accounts.ask(path)
        if found is None:
            raise NotFoundError(ACCOUNT_NOT_FOUND, account=path)
        return found

    @property
    def known_currencies(self) -> Currencies | None:
        """The currencies as they were last read."""
        return self._currencies

    def read_currencies(self) -> Currencies:
        """The currencies of the ledger: those of ISO 4217 and its own assets."""
        self._currencies = self.ledger.state().settings.currencies(ISO)
        return self._currencies

    def close(self) -> None:
        """Carry out what was accepted."""
        self._posts.close()
        self._accounts.close()


class Books:
    """The ledgers in use, the least lately used let go beyond ten thousand."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._open: OrderedDict[str, Book] = OrderedDict()
        self._lock = Lock()

    def find(self, name: str) -> Book | None:
        """A ledger that was used before."""
        with self._lock:
            book = self._open.get(name)
            if book is not None:
                self._open.move_to_end(name)
            return book

    def open(self, name: str) -> Book:
        """A ledger; raises `ledger_not_found`. Asks the database the first time."""
        book = self.find(name)
        if book is not None:
            return book
        fresh = Book(self._service.journals.journal(name), self._service)
        with self._lock:
            book = self._open.setdefault(name, fresh)
            forgotten = self._open.popitem(last=False)[1] if len(self._open) > OPEN_MAX else None
        if forgotten is not None:
            forgotten.close()
        return book

    def close(self) -> None:
        """Carry out what was accepted for any of them."""
        with self._lock:
            books = list(self._open.values())
            self._open.clear()
        for book in books:
            book.close()
