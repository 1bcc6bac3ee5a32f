"""Ledgers by name, kept for as long as the process lives."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ledgercore.clock import Clock
from ledgercore.errors import ConflictError, NotFoundError
from ledgercore.errors.catalog import LEDGER_ALREADY_EXISTS, LEDGER_NOT_FOUND
from ledgercore.ledger.commands import ChangeSettings, Settings
from ledgercore.ledger.names import check_ledger_name
from ledgercore_memory.journal import MemoryJournal


class MemoryStore:
    """Keeps the promises of the `LedgerStore` port without outliving the process."""

    def __init__(self, *, clock: Clock, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = clock
        self._random_bytes = random_bytes
        self._journals: dict[str, MemoryJournal] = {}
        self._lock = threading.Lock()

    def create(self, name: str, settings: Settings | None = None) -> MemoryJournal:
        """See the port."""
        journal = self.create_empty(name)
        journal.append([ChangeSettings(settings=settings or Settings())])
        return journal

    def create_empty(self, name: str) -> MemoryJournal:
        """A ledger that has recorded nothing yet, into which an export may be restored."""
        check_ledger_name(name)
        with self._lock:
            if name in self._journals:
                raise ConflictError(LEDGER_ALREADY_EXISTS, ledger=name)
            journal = self._journals[name] = MemoryJournal(name, clock=self._clock, random_bytes=self._random_bytes)
        return journal

    @contextmanager
    def creating(self, name: str, settings: Settings | None = None) -> Iterator[MemoryJournal]:
        """A new ledger that is not there any more when the block fails."""
        journal = self.create(name, settings)
        try:
            yield journal
        except BaseException:
            with self._lock:
                del self._journals[name]
            raise

    def journal(self, name: str) -> MemoryJournal:
        """See the port."""
        try:
            return self._journals[check_ledger_name(name)]
        except KeyError:
            raise NotFoundError(LEDGER_NOT_FOUND, ledger=name) from None

    def names(self) -> Sequence[str]:
        """See the port."""
        return sorted(self._journals)
