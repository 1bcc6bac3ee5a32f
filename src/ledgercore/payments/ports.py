"""What payments need from a store."""

from contextlib import AbstractContextManager
from typing import Protocol

from ledgercore.banking.ports import Work as BankingWork


class Work(BankingWork, Protocol):
    """A unit of work with everything."""


class Store(Protocol):
    """Where everything is kept."""

    def begin(self) -> AbstractContextManager[Work]:
        """A unit of work: committed at the end of the block, undone by an exception."""
        ...
