"""Bank logins in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import asdict
from sqlalchemy import Connection, Row, delete, insert, select, text, update

from ledgercore.banking.logins import BankLogin, LoginStatus, Run
from ledgercore.banking.ports import PendingConsent
from ledgercore_postgres.banking.tables import CONSENTS, LOGINS

_LOCK_NAME: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


class PostgresBankLogins:
    """See the port `BankLogins`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, login: BankLogin) -> None:
        """See the port."""
        self._connection.execute(insert(LOGINS).values(_values(login)))

    def find(self, id: UUID) -> BankLogin | None:
        """See the port."""
        found = self._connection.execute(
            select(LOGINS).where(LOGINS.c.id == id).with_for_update(key_share=True)
        ).first()
        return None if found is None else _login(found)

    def find_same(self, user_id: UUID, branch_id: UUID, username: str) -> BankLogin | None:
        """See the port."""
        self._connection.execute(_LOCK_NAME, {"name": f"bank_logins {user_id} {branch_id} {username}"})
        found = self._connection.execute(
            select(LOGINS)
            .where(LOGINS.c.user_id == user_id, LOGINS.c.bank_branch_id == branch_id, LOGINS.c.username == username)
            .with_for_update(key_share=True)
        ).first()
        return None if found is None else _login(found)

    def save(self, login: BankLogin) -> None:
        """See the port."""
        self._connection.execute(update(LOGINS).where(LOGINS.c.id == login.id).values(_values(login)))

    def list_of(self, user_id: UUID | None, *, after: UUID | None, limit: int) -> Sequence[BankLogin]:
        """See the port."""
        found = select(LOGINS).order_by(LOGINS.c.id).limit(limit)
        if user_id is not None:
            found = found.where(LOGINS.c.user_id == user_id)
        if after is not None:
            found = found.where(LOGINS.c.id > after)
        return [_login(row) for row in self._connection.execute(found)]

    def list_due(self, now: datetime, *, limit: int) -> Sequence[BankLogin]:
        """See the port."""
        due = select(LOGINS).where(LOGINS.c.next_sync_at <= now).order_by(LOGINS.c.next_sync_at, LOGINS.c.id)
        return [_login(row) for row in self._connection.execute(due.limit(limit))]

    def add_consent(self, consent: PendingConsent) -> None:
        """See the port."""
        self._connection.execute(delete(CONSENTS).where(CONSENTS.c.bank_login_id == consent.bank_login_id))
        self._connection.execute(insert(CONSENTS).values(asdict(consent, recurse=False)))

    def take_consent(self, state_digest: bytes) -> PendingConsent | None:
        """See the port."""
        found = self._connection.execute(
            delete(CONSENTS).where(CONSENTS.c.state_digest == state_digest).returning(*CONSENTS.c)
        ).first()
        return None if found is None else PendingConsent(**found._asdict())


def _values(login: BankLogin) -> dict[str, Any]:
    fields = asdict(login, recurse=False)
    run = fields.pop("run")
    return {
        **fields,
        "run_id": run and run.id,
        "run_started_at": run and run.started_at,
        "run_leased_until": run and run.leased_until,
    }


def _login(row: Row[Any]) -> BankLogin:
    fields = row._asdict()
    id, started_at, leased_until = (fields.pop(f"run_{name}") for name in ("id", "started_at", "leased_until"))
    run = None if id is None else Run(id=id, started_at=started_at, leased_until=leased_until)
    return BankLogin(**{**fields, "status": LoginStatus(row.status)}, run=run)
