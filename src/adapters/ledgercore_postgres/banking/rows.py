"""What banks told, and what did not agree, in PostgreSQL."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import asdict
from sqlalchemy import Connection, Row, any_, bindparam, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Uuid

from ledgercore.banking.findings import DIFFERENCE, Finding, RowSums
from ledgercore.banking.rows import BankRow, RowState, row_document, row_from
from ledgercore_postgres.banking.tables import FINDINGS, ROWS

# Each part has an index of its own, which a condition with OR between them would not use.
_RELATED: Final = text(
    "SELECT * FROM bank_rows WHERE id IN ("
    " SELECT id FROM bank_rows WHERE account_id = :account_id AND external_id = ANY(:external_ids)"
    " UNION SELECT id FROM bank_rows"
    "  WHERE account_id = :account_id AND external_id IS NULL AND fingerprint = ANY(:fingerprints)"
    " UNION SELECT id FROM bank_rows WHERE account_id = :account_id AND state = 'PENDING'"
    ") ORDER BY id"
)
_SAVE: Final = text(
    "INSERT INTO bank_rows"
    " (id, account_id, external_id, fingerprint, state, signed_minor, created_at, transaction_id, payment_id,"
    "  listing_id, body)"
    " SELECT id, account_id, external_id, decode(fingerprint, 'hex'), state, signed_minor, created_at, transaction_id,"
    "  payment_id, listing_id, body"
    " FROM json_to_recordset(CAST(:rows AS json)) AS told ("
    "  id uuid, account_id uuid, external_id text, fingerprint text, state text, signed_minor numeric(38, 0),"
    "  created_at timestamptz, transaction_id uuid, payment_id uuid, listing_id uuid, body json)"
    " ON CONFLICT (id) DO UPDATE SET"
    " external_id = excluded.external_id, fingerprint = excluded.fingerprint, state = excluded.state,"
    " signed_minor = excluded.signed_minor, created_at = excluded.created_at,"
    " transaction_id = excluded.transaction_id, payment_id = excluded.payment_id,"
    " listing_id = excluded.listing_id, body = excluded.body"
)


class PostgresBankRows:
    """See the port `BankRows`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find_related(
        self, account_id: UUID, *, external_ids: Sequence[str], fingerprints: Sequence[bytes]
    ) -> Sequence[BankRow]:
        """See the port."""
        wanted = {
            "account_id": account_id,
            "external_ids": list(external_ids),
            "fingerprints": list(fingerprints),
        }
        return [_row(found) for found in self._connection.execute(_RELATED, wanted)]

    def find_linked(self, payment_ids: Sequence[UUID]) -> Sequence[BankRow]:
        """See the port."""
        wanted = bindparam("ids", value=list(payment_ids), type_=ARRAY(Uuid))
        found = select(ROWS).where(ROWS.c.payment_id == any_(wanted)).order_by(ROWS.c.id)
        return [_row(row) for row in self._connection.execute(found)]

    def save_all(self, rows: Sequence[BankRow]) -> None:
        """See the port."""
        if rows:
            self._connection.execute(_SAVE, {"rows": json.dumps([_document(row) for row in rows], ensure_ascii=False)})

    def list_unseen(self, account_id: UUID, *, listing_id: UUID, since: datetime) -> Sequence[BankRow]:
        """See the port."""
        pending = ROWS.c.state == RowState.PENDING
        unnamed = (ROWS.c.state == RowState.BOOKED) & ROWS.c.external_id.is_(None)
        of = (ROWS.c.account_id == account_id, ROWS.c.listing_id != listing_id, ROWS.c.created_at >= since)
        found = select(ROWS).where(*of, or_(pending, unnamed)).order_by(ROWS.c.id)
        return [_row(row) for row in self._connection.execute(found)]

    def sums(self, account_id: UUID) -> RowSums:
        """See the port."""
        posted = ROWS.c.transaction_id.is_not(None) & ROWS.c.payment_id.is_(None)
        linked = ROWS.c.payment_id.is_not(None)
        pending = ROWS.c.state == RowState.PENDING
        of = [func.coalesce(func.sum(ROWS.c.signed_minor).filter(each), 0) for each in (posted, linked, pending)]
        sums = select(*of, func.min(ROWS.c.created_at)).where(ROWS.c.account_id == account_id)
        found = self._connection.execute(sums).one()
        return RowSums(posted=int(found[0]), linked=int(found[1]), pending=int(found[2]), first_at=found[3])

    def list_of(self, account_id: UUID, *, after: UUID | None, limit: int) -> Sequence[BankRow]:
        """See the port."""
        found = select(ROWS).where(ROWS.c.account_id == account_id).order_by(ROWS.c.id).limit(limit)
        if after is not None:
            found = found.where(ROWS.c.id > after)
        return [_row(row) for row in self._connection.execute(found)]


class PostgresFindings:
    """See the port `Findings`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_all(self, findings: Sequence[Finding]) -> None:
        """See the port."""
        if findings:
            self._connection.execute(insert(FINDINGS), [asdict(finding, recurse=False) for finding in findings])

    def find_difference(self, account_id: UUID) -> Finding | None:
        """See the port."""
        found = self._connection.execute(
            select(FINDINGS).where(
                FINDINGS.c.account_id == account_id,
                FINDINGS.c.kind == text(f"'{DIFFERENCE}'"),
                FINDINGS.c.resolved_at.is_(None),
            )
        ).first()
        return None if found is None else Finding(**found._asdict())

    def save(self, finding: Finding) -> None:
        """See the port."""
        values = asdict(finding, recurse=False)
        self._connection.execute(update(FINDINGS).where(FINDINGS.c.id == finding.id).values(values))

    def list_before(self, account_id: UUID, *, before: UUID | None, limit: int) -> Sequence[Finding]:
        """See the port."""
        found = select(FINDINGS).where(FINDINGS.c.account_id == account_id).order_by(FINDINGS.c.id.desc()).limit(limit)
        if before is not None:
            found = found.where(FINDINGS.c.id < before)
        return [Finding(**row._asdict()) for row in self._connection.execute(found)]


def _document(row: BankRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "account_id": str(row.account_id),
        "external_id": row.seen.external_id,
        "fingerprint": row.fingerprint.hex(),
        "state": row.state,
        "signed_minor": str(row.signed_minor),
        "created_at": row.seen.created_at.isoformat(),
        "transaction_id": None if row.transaction_id is None else str(row.transaction_id),
        "payment_id": None if row.payment_id is None else str(row.payment_id),
        "listing_id": str(row.listing_id),
        "body": row_document(row),
    }


def _row(found: Row[Any]) -> BankRow:
    return row_from(
        found.body,
        id=found.id,
        account_id=found.account_id,
        state=RowState(found.state),
        signed_minor=int(found.signed_minor),
        listing_id=found.listing_id,
        transaction_id=found.transaction_id,
        payment_id=found.payment_id,
    )
