"""Records as they are read back from the log, and the views that readers get of them."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from ledgercore.ledger.accounts import AccountState, Side
from ledgercore.ledger.log.encoding import decode_amount, moment_of, split_row
from ledgercore.ledger.log.records import CAPTURE, EFFECTIVE_WHEN_RECORDED, POSTING_KINDS, REFUSED, REVERSAL
from ledgercore.ledger.queries import AccountEntry
from ledgercore.ledger.rules.working_set import Known
from ledgercore.ledger.transactions import Line, PostedLine, PostedTransaction
from ledgercore.money import Money

AccountOf: TypeAlias = Callable[[int], AccountState]
"""Finds an account by its number in the ledger."""


class JournalRow(NamedTuple):
    """One stored row, its fields read: a line of a transaction, or a record that posts nothing."""

    number: int
    line: int
    kind: str
    id: UUID
    effective_at: datetime
    recorded_at: datetime
    flags: int
    debit_account: int | None
    credit_account: int | None
    amount: int | None
    debit_balance: int | None
    credit_balance: int | None
    key: str | None
    description: str | None
    reference: str | None
    metadata: Mapping[str, Any] | None
    subject: UUID | None
    fingerprint: bytes | None
    body: Mapping[str, Any] | None

    @property
    def named_effective(self) -> bool:
        """Whether the caller named an effective time."""
        return not self.flags & EFFECTIVE_WHEN_RECORDED


def read_row(row: bytes) -> JournalRow:
    """Read a stored row's bytes; raises `ValueError` when they are none."""
    (
        number, line, kind, id_, effective_at, recorded_at, flags, debit, credit,
        amount, debit_balance, credit_balance, key, description, reference, metadata, subject, fingerprint, body,
    ) = split_row(row)  # fmt: skip
    if None in (number, line, kind, id_, effective_at, recorded_at, flags):
        raise ValueError("a field that every row has is missing")
    return JournalRow(
        _integer(number),
        _integer(line),
        kind.decode(),  # type: ignore[union-attr]
        UUID(bytes=id_),
        moment_of(_integer(effective_at)),
        moment_of(_integer(recorded_at)),
        _integer(flags),
        None if debit is None else _integer(debit),
        None if credit is None else _integer(credit),
        None if amount is None else decode_amount(amount),
        None if debit_balance is None else decode_amount(debit_balance),
        None if credit_balance is None else decode_amount(credit_balance),
        None if key is None else key.decode(),
        None if description is None else description.decode(),
        None if reference is None else reference.decode(),
        None if metadata is None else json.loads(metadata),
        None if subject is None else UUID(bytes=subject),
        fingerprint,
        None if body is None else json.loads(body),
    )


def by_record(rows: Iterable[JournalRow]) -> Iterator[list[JournalRow]]:
    """Rows in the order of the log, gathered by record."""
    gathered: list[JournalRow] = []
    for row in rows:
        if gathered and row.number != gathered[0].number:
            yield gathered
            gathered = []
        gathered.append(row)
    if gathered:
        yield gathered


def posted_of(rows: Sequence[JournalRow], account_of: AccountOf) -> PostedTransaction:
    """The transaction that a record's rows are."""
    first = rows[0]
    return PostedTransaction(
        id=first.id,
        number=first.number,
        kind=first.kind,
        lines=tuple(_posted_line(row, account_of) for row in rows),
        effective_at=first.effective_at,
        recorded_at=first.recorded_at,
        key=first.key,
        description=first.description,
        reference=first.reference,
        metadata=first.metadata,
        reverses=first.subject if first.kind == REVERSAL else None,
        captures=first.subject if first.kind == CAPTURE else None,
    )


def known_of(rows: Sequence[JournalRow], account_of: AccountOf) -> Known:
    """What the record's id was used for and how it ended."""
    first = rows[0]
    posts = first.kind in POSTING_KINDS
    return Known(
        kind=first.kind,
        number=first.number,
        recorded_at=first.recorded_at,
        fingerprint=first.fingerprint,
        posted=posted_of(rows, account_of) if posts and first.fingerprint is None else None,
        named_effective=first.named_effective,
        refusal=(first.body["reason"], first.body["details"]) if first.kind == REFUSED and first.body else None,
    )


def entry_of(row: JournalRow, state: AccountState, account_of: AccountOf) -> AccountEntry:
    """A row as an entry of one of its accounts."""
    is_debit = row.debit_account == state.number
    other = row.credit_account if is_debit else row.debit_account
    balance = row.debit_balance if is_debit else row.credit_balance
    assert row.amount is not None
    assert balance is not None
    return AccountEntry(
        number=row.number,
        line=row.line,
        transaction_id=row.id,
        kind=row.kind,
        side=Side.DEBIT if is_debit else Side.CREDIT,
        amount=Money(row.amount, state.currency),
        balance=Money(balance, state.currency),
        counterpart=None if other is None else account_of(other).path,
        effective_at=row.effective_at,
        recorded_at=row.recorded_at,
        description=row.description,
    )


def _posted_line(row: JournalRow, account_of: AccountOf) -> PostedLine:
    debit = None if row.debit_account is None else account_of(row.debit_account)
    credit = None if row.credit_account is None else account_of(row.credit_account)
    state = debit or credit
    assert state is not None
    assert row.amount is not None
    currency = state.currency
    return PostedLine(
        line=Line(
            Money(row.amount, currency),
            debit=None if debit is None else debit.path,
            credit=None if credit is None else credit.path,
        ),
        debit_balance=None if row.debit_balance is None else Money(row.debit_balance, currency),
        credit_balance=None if row.credit_balance is None else Money(row.credit_balance, currency),
    )


def _integer(data: bytes | None) -> int:
    return int.from_bytes(data or b"", signed=True)
