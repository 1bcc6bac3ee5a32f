"""Banks and branches in memory."""

from collections.abc import Sequence
from operator import attrgetter
from uuid import UUID

from ledgercore.banking.banks import Bank, Branch
from ledgercore.errors import ConflictError
from ledgercore.errors.catalog import BANK_ALREADY_EXISTS, BRANCH_ALREADY_EXISTS
from ledgercore_memory.banking.state import State


class MemoryBanks:
    """See the port `Banks`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, bank: Bank) -> None:
        """See the port."""
        self.save(bank)

    def find(self, id: UUID) -> Bank | None:
        """See the port."""
        return self._state.banks.get(id)

    def find_by_code(self, code: str) -> Bank | None:
        """See the port."""
        return next((bank for bank in self._state.banks.values() if bank.code == code), None)

    def save(self, bank: Bank) -> None:
        """See the port."""
        others = [other for other in self._state.banks.values() if other.id != bank.id]
        for name in ("name", "code"):
            if getattr(bank, name) in {getattr(other, name) for other in others}:
                raise ConflictError(BANK_ALREADY_EXISTS, field=name)
        self._state.banks[bank.id] = bank

    def list_after(self, id: UUID | None, *, limit: int) -> Sequence[Bank]:
        """See the port."""
        found = sorted(self._state.banks.values(), key=attrgetter("id"))
        return [bank for bank in found if id is None or bank.id > id][:limit]

    def add_branch(self, branch: Branch) -> None:
        """See the port."""
        for name in ("iban", "swift_code"):
            taken = {getattr(other, name) for other in self._state.branches.values()} - {None}
            if getattr(branch, name) in taken:
                raise ConflictError(BRANCH_ALREADY_EXISTS, field=name)
        self._state.branches[branch.id] = branch

    def find_branch(self, id: UUID) -> Branch | None:
        """See the port."""
        return self._state.branches.get(id)

    def list_branches(self, bank_id: UUID) -> Sequence[Branch]:
        """See the port."""
        found = (branch for branch in self._state.branches.values() if branch.bank_id == bank_id)
        return sorted(found, key=attrgetter("id"))
