"""What banking needs from a store."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from ledgercore.banking.accounts import BankAccount
from ledgercore.statements.ports import Work as StatementsWork


class BankAccounts(Protocol):
    """Bank accounts of users."""

    def add(self, account: BankAccount) -> None:
        """Store a new account; raises `account_already_linked` for an external id that its login has already."""
        ...

    def find(self, id: UUID) -> BankAccount | None:
        """An account; not locked."""
        ...

    def lock(self, ids: Sequence[UUID]) -> Sequence[BankAccount]:
        """Those of the accounts that are there, by id, each locked until the end of the unit of work."""
        ...

    def save(self, account: BankAccount) -> None:
        """Replace an account."""
        ...

    def list_of(self, user_id: UUID | None, *, login_id: UUID | None = None) -> Sequence[BankAccount]:
        """The accounts of a user, or of all, and of one login if it is named; by id."""
        ...


class Work(StatementsWork, Protocol):
    """A unit of work with banks."""

    @property
    def accounts(self) -> BankAccounts: ...


class Store(Protocol):
    """Where banking is kept with everything else."""

    def begin(self) -> AbstractContextManager[Work]:
        """A unit of work: committed at the end of the block, undone by an exception."""
        ...
