"""Bank accounts in memory."""

from collections.abc import Sequence
from operator import attrgetter
from uuid import UUID

from ledgercore.banking.accounts import BankAccount
from ledgercore.errors import ConflictError
from ledgercore.errors.catalog import ACCOUNT_ALREADY_LINKED
from ledgercore_memory.banking.state import State


class MemoryBankAccounts:
    """See the port `BankAccounts`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, account: BankAccount) -> None:
        """See the port."""
        taken = {
            (other.user_bank_login_id, other.external_account_id)
            for other in self._state.accounts.values()
            if other.external_account_id is not None
        }
        if (account.user_bank_login_id, account.external_account_id) in taken:
            raise ConflictError(ACCOUNT_ALREADY_LINKED, field="external_account_id")
        self._state.accounts[account.id] = account

    def find(self, id: UUID) -> BankAccount | None:
        """See the port."""
        return self._state.accounts.get(id)

    def lock(self, ids: Sequence[UUID]) -> Sequence[BankAccount]:
        """See the port."""
        return [self._state.accounts[id] for id in sorted(set(ids)) if id in self._state.accounts]

    def save(self, account: BankAccount) -> None:
        """See the port."""
        self._state.accounts[account.id] = account

    def list_of(self, user_id: UUID | None, *, login_id: UUID | None = None) -> Sequence[BankAccount]:
        """See the port."""
        found = (
            account
            for account in self._state.accounts.values()
            if user_id in (None, account.user_id) and login_id in (None, account.user_bank_login_id)
        )
        return sorted(found, key=attrgetter("id"))
