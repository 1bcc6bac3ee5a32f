"""Banks and branches in PostgreSQL."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from attrs import asdict
from sqlalchemy import Connection, Row, Update, insert, select, update
from sqlalchemy.sql.dml import Insert

from ledgercore.banking.banks import Bank, BankStatus, Branch, Integration
from ledgercore_postgres.banking.tables import BANKS, BRANCHES
from ledgercore_postgres.driver_errors import translated_errors


class PostgresBanks:
    """See the port `Banks`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, bank: Bank) -> None:
        """See the port."""
        self._store(insert(BANKS).values(asdict(bank, recurse=False)))

    def find(self, id: UUID) -> Bank | None:
        """See the port."""
        found = self._connection.execute(select(BANKS).where(BANKS.c.id == id).with_for_update(key_share=True)).first()
        return None if found is None else _bank(found)

    def find_by_code(self, code: str) -> Bank | None:
        """See the port."""
        found = self._connection.execute(select(BANKS).where(BANKS.c.code == code)).first()
        return None if found is None else _bank(found)

    def save(self, bank: Bank) -> None:
        """See the port."""
        self._store(update(BANKS).where(BANKS.c.id == bank.id).values(asdict(bank, recurse=False)))

    def list_after(self, id: UUID | None, *, limit: int) -> Sequence[Bank]:
        """See the port."""
        found = select(BANKS).order_by(BANKS.c.id).limit(limit)
        if id is not None:
            found = found.where(BANKS.c.id > id)
        return [_bank(row) for row in self._connection.execute(found)]

    def add_branch(self, branch: Branch) -> None:
        """See the port."""
        self._store(insert(BRANCHES).values(asdict(branch, recurse=False)))

    def find_branch(self, id: UUID) -> Branch | None:
        """See the port."""
        found = self._connection.execute(select(BRANCHES).where(BRANCHES.c.id == id)).first()
        return None if found is None else Branch(**found._asdict())

    def list_branches(self, bank_id: UUID) -> Sequence[Branch]:
        """See the port."""
        found = select(BRANCHES).where(BRANCHES.c.bank_id == bank_id).order_by(BRANCHES.c.id)
        return [Branch(**row._asdict()) for row in self._connection.execute(found)]

    def _store(self, statement: Insert | Update) -> None:
        # Behind a savepoint, so that the unit of work can go on after a name that is taken.
        with translated_errors(), self._connection.begin_nested():
            self._connection.execute(statement)


def _bank(row: Row[Any]) -> Bank:
    kinds = {"status": BankStatus(row.status), "integration": Integration(row.integration)}
    return Bank(**{**row._asdict(), **kinds})
