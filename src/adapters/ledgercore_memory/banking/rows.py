"""What banks told, and what did not agree, in memory."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from ledgercore.banking.findings import DIFFERENCE, Finding, RowSums
from ledgercore.banking.rows import BankRow, RowState
from ledgercore_memory.banking.state import State


class MemoryBankRows:
    """See the port `BankRows`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def find_related(
        self, account_id: UUID, *, external_ids: Sequence[str], fingerprints: Sequence[bytes]
    ) -> Sequence[BankRow]:
        """See the port."""
        ids, prints = set(external_ids), set(fingerprints)
        return [
            row
            for row in self._of(account_id)
            if row.state is RowState.PENDING
            or (row.fingerprint in prints if row.seen.external_id is None else row.seen.external_id in ids)
        ]

    def find_linked(self, payment_ids: Sequence[UUID]) -> Sequence[BankRow]:
        """See the port."""
        return [row for row in self._state.rows.values() if row.payment_id in set(payment_ids)]

    def save_all(self, rows: Sequence[BankRow]) -> None:
        """See the port."""
        self._state.rows.update({row.id: row for row in rows})

    def list_unseen(self, account_id: UUID, *, listing_id: UUID, since: datetime) -> Sequence[BankRow]:
        """See the port."""
        return [
            row
            for row in self._of(account_id)
            if row.listing_id != listing_id
            and row.seen.created_at >= since
            and (row.state is RowState.PENDING or (row.state is RowState.BOOKED and row.seen.external_id is None))
        ]

    def sums(self, account_id: UUID) -> RowSums:
        """See the port."""
        booked = [row for row in self._of(account_id) if row.transaction_id is not None]
        return RowSums(
            posted=sum(row.signed_minor for row in booked if row.payment_id is None),
            linked=sum(row.signed_minor for row in booked if row.payment_id is not None),
            pending=sum(row.signed_minor for row in self._of(account_id) if row.state is RowState.PENDING),
            first_at=min((row.seen.created_at for row in self._of(account_id)), default=None),
        )

    def list_of(self, account_id: UUID, *, after: UUID | None, limit: int) -> Sequence[BankRow]:
        """See the port."""
        return [row for row in self._of(account_id) if after is None or row.id > after][:limit]

    def _of(self, account_id: UUID) -> list[BankRow]:
        found = (row for row in self._state.rows.values() if row.account_id == account_id)
        return sorted(found, key=attrgetter("id"))


class MemoryFindings:
    """See the port `Findings`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add_all(self, findings: Sequence[Finding]) -> None:
        """See the port."""
        self._state.findings.update({finding.id: finding for finding in findings})

    def find_difference(self, account_id: UUID) -> Finding | None:
        """See the port."""
        return next(
            (
                found
                for found in self._state.findings.values()
                if found.account_id == account_id and found.kind == DIFFERENCE and found.resolved_at is None
            ),
            None,
        )

    def save(self, finding: Finding) -> None:
        """See the port."""
        self._state.findings[finding.id] = finding

    def list_before(self, account_id: UUID, *, before: UUID | None, limit: int) -> Sequence[Finding]:
        """See the port."""
        found = (
            each
            for each in self._state.findings.values()
            if each.account_id == account_id and (before is None or each.id < before)
        )
        return sorted(found, key=attrgetter("id"), reverse=True)[:limit]
