"""Bank logins in memory."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from ledgercore.banking.logins import BankLogin
from ledgercore.banking.ports import PendingConsent
from ledgercore_memory.banking.state import State


class MemoryBankLogins:
    """See the port `BankLogins`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, login: BankLogin) -> None:
        """See the port."""
        self.save(login)

    def find(self, id: UUID) -> BankLogin | None:
        """See the port."""
        return self._state.logins.get(id)

    def find_same(self, user_id: UUID, branch_id: UUID, username: str) -> BankLogin | None:
        """See the port."""
        wanted = (user_id, branch_id, username)
        return next(
            (
                login
                for login in self._state.logins.values()
                if (login.user_id, login.bank_branch_id, login.username) == wanted
            ),
            None,
        )

    def save(self, login: BankLogin) -> None:
        """See the port."""
        self._state.logins[login.id] = login

    def list_of(self, user_id: UUID | None, *, after: UUID | None, limit: int) -> Sequence[BankLogin]:
        """See the port."""
        found = (
            login
            for login in self._state.logins.values()
            if user_id in (None, login.user_id) and (after is None or login.id > after)
        )
        return sorted(found, key=attrgetter("id"))[:limit]

    def list_due(self, now: datetime, *, limit: int) -> Sequence[BankLogin]:
        """See the port."""
        due = [
            (login.next_sync_at, login.id, login)
            for login in self._state.logins.values()
            if login.next_sync_at is not None and login.next_sync_at <= now
        ]
        return [login for _, _, login in sorted(due, key=lambda each: each[:2])][:limit]

    def add_consent(self, consent: PendingConsent) -> None:
        """See the port."""
        for digest, other in list(self._state.consents.items()):
            if other.bank_login_id == consent.bank_login_id:
                del self._state.consents[digest]
        self._state.consents[consent.state_digest] = consent

    def take_consent(self, state_digest: bytes) -> PendingConsent | None:
        """See the port."""
        return self._state.consents.pop(state_digest, None)
