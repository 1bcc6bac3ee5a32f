"""Bank accounts in PostgreSQL."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from attrs import asdict
from sqlalchemy import Connection, Row, any_, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Uuid

from ledgercore.banking.accounts import AccountStatus, AccountType, BankAccount
from ledgercore_postgres.banking.tables import ACCOUNTS
from ledgercore_postgres.driver_errors import translated_errors


class PostgresBankAccounts:
    """See the port `BankAccounts`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, account: BankAccount) -> None:
        """See the port."""
        # Behind a savepoint, so that the unit of work can go on after an external id that is taken.
        with translated_errors(), self._connection.begin_nested():
            self._connection.execute(insert(ACCOUNTS).values(_values(account)))

    def find(self, id: UUID) -> BankAccount | None:
        """See the port."""
        found = self._connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.id == id)).first()
        return None if found is None else _account(found)

    def lock(self, ids: Sequence[UUID]) -> Sequence[BankAccount]:
        """See the port."""
        wanted = bindparam("ids", value=sorted(set(ids)), type_=ARRAY(Uuid))
        found = self._connection.execute(
            # The key stays as it is, so whoever adds rows that refer to the account need not wait.
            select(ACCOUNTS)
            .where(ACCOUNTS.c.id == any_(wanted))
            .order_by(ACCOUNTS.c.id)
            .with_for_update(key_share=True)
        )
        return [_account(row) for row in found]

    def save(self, account: BankAccount) -> None:
        """See the port."""
        self._connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account.id).values(_values(account)))

    def list_of(self, user_id: UUID | None, *, login_id: UUID | None = None) -> Sequence[BankAccount]:
        """See the port."""
        found = select(ACCOUNTS).order_by(ACCOUNTS.c.id)
        if user_id is not None:
            found = found.where(ACCOUNTS.c.user_id == user_id)
        if login_id is not None:
            found = found.where(ACCOUNTS.c.user_bank_login_id == login_id)
        return [_account(row) for row in self._connection.execute(found)]


def _values(account: BankAccount) -> dict[str, Any]:
    return asdict(account, recurse=False)


def _account(row: Row[Any]) -> BankAccount:
    fields = row._asdict()
    numbers = {"credit_limit_minor": int(row.credit_limit_minor)}
    kinds = {"account_type": AccountType(row.account_type), "status": AccountStatus(row.status)}
    return BankAccount(**{**fields, **numbers, **kinds})
