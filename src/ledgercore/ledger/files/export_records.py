"""A record of the log as a JSON document from which its very bytes can be made again.

Account numbers become paths: an account's number is the place of its opening among all openings, so
whoever reads an export from its beginning knows them all.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from ledgercore.ledger.accounts import AccountState, AccountType
from ledgercore.ledger.documents import present
from ledgercore.ledger.log.chain import LogEntry
from ledgercore.ledger.log.encoding import encode_record, microseconds
from ledgercore.ledger.log.logged import JournalRow, read_row
from ledgercore.ledger.log.records import (
    ACCOUNT_OPENED,
    CREDIT_LATE,
    DEBIT_LATE,
    EFFECTIVE_WHEN_RECORDED,
    KIND_NAMES,
    POSTING_KINDS,
    Record,
    RecordLine,
)
from ledgercore.money import Currency, format_amount, known_currency

_KINDS: Final[Mapping[str, str]] = {name: kind for kind, name in KIND_NAMES.items()}
_FLAGS: Final[Mapping[str, int]] = {
    "debit_late": DEBIT_LATE,
    "credit_late": CREDIT_LATE,
    "effective_when_recorded": EFFECTIVE_WHEN_RECORDED,
}


class AccountBook:
    """The accounts that were opened so far, by number and by path."""

    def __init__(self) -> None:
        self.by_number: dict[int, AccountState] = {}
        self.by_path: dict[str, AccountState] = {}

    def learn(self, kind: str, body: Mapping[str, Any] | None, opened_at: datetime) -> None:
        """Take notice of a record if it opens an account; raises `KeyError`, `TypeError` or `ValueError`."""
        if kind != ACCOUNT_OPENED or body is None:
            return
        state = AccountState(
            number=len(self.by_number) + 1,
            path=body["account"],
            currency=known_currency(body["currency"], body["exponent"]),
            type=AccountType(body["type"]),
            opened_at=opened_at,
        )
        self.by_number[state.number] = self.by_path[state.path] = state


def record_document(rows: Sequence[JournalRow], book: AccountBook) -> dict[str, Any]:
    """The document of a record; raises `KeyError` for an account that was not opened before."""
    first = rows[0]
    book.learn(first.kind, first.body, first.effective_at)
    return present(
        record=first.number,
        kind=KIND_NAMES[first.kind],
        id=str(first.id),
        effective_at=first.effective_at.isoformat(),
        key=first.key,
        description=first.description,
        reference=first.reference,
        metadata=first.metadata,
        subject=first.subject and str(first.subject),
        fingerprint=first.fingerprint and first.fingerprint.hex(),
        body=first.body,
        lines=[_line_document(row, book) for row in rows] if first.kind in POSTING_KINDS else None,
    )


def record_rows(document: Mapping[str, Any], book: AccountBook, recorded_at: datetime) -> list[bytes]:
    """The rows that a document stands for.

    Raises `ValueError`, `KeyError`, `TypeError` or `AttributeError` for a document that
    `record_document` has not written, down to its last field.
    """
    kind = _KINDS[document["kind"]]
    effective_at = datetime.fromisoformat(document["effective_at"])
    book.learn(kind, document.get("body"), effective_at)
    record = Record(
        kind,
        UUID(document["id"]).bytes,
        effective_at,
        [_record_line(line, book) for line in document.get("lines", ())],
        document.get("key"),
        document.get("description"),
        document.get("reference"),
        document.get("metadata"),
        UUID(document["subject"]).bytes if "subject" in document else None,
        bytes.fromhex(document["fingerprint"]) if "fingerprint" in document else None,
        document.get("body"),
    )
    record.number = document["record"]
    try:
        rows = encode_record(record, microseconds(recorded_at))
    except Exception as error:
        raise ValueError(f"it cannot be written as rows: {type(error).__name__}") from error
    # Whatever the bytes do not say (a field too many, an amount that disagrees with its minor units)
    # would not be noticed by their hash.
    if _without_learning([read_row(row) for row in rows], book) != document:
        raise ValueError("it is not what its own bytes say")
    return rows


def entry_document(entry: LogEntry) -> dict[str, Any]:
    """The document of a batch, which stands before its records."""
    return {
        "batch": entry.batch,
        "first_record": entry.first_number,
        "last_record": entry.last_number,
        "recorded_at": entry.recorded_at.isoformat(),
        "root": entry.root.hex(),
        "head": entry.head.hex(),
    }


def entry_from(document: Mapping[str, Any]) -> LogEntry:
    """The log entry that a document stands for; raises as `record_rows` does."""
    entry = LogEntry(
        batch=document["batch"],
        first_number=document["first_record"],
        last_number=document["last_record"],
        recorded_at=datetime.fromisoformat(document["recorded_at"]),
        root=bytes.fromhex(document["root"]),
        head=bytes.fromhex(document["head"]),
    )
    numbers = (entry.batch, entry.first_number, entry.last_number)
    if entry_document(entry) != document or any(type(number) is not int for number in numbers):
        raise ValueError("it is no batch")
    return entry


def _without_learning(rows: Sequence[JournalRow], book: AccountBook) -> dict[str, Any]:
    if rows[0].kind == ACCOUNT_OPENED:
        return record_document(rows, AccountBook())
    return record_document(rows, book)


def _line_document(row: JournalRow, book: AccountBook) -> dict[str, Any]:
    debit = None if row.debit_account is None else book.by_number[row.debit_account]
    credit = None if row.credit_account is None else book.by_number[row.credit_account]
    state = debit or credit
    if state is None or row.amount is None:
        raise ValueError("a line has an amount and an account")
    currency = state.currency
    return present(
        debit=debit and debit.path,
        credit=credit and credit.path,
        amount=format_amount(row.amount, currency),
        amount_minor=str(row.amount),
        currency=currency.code,
        debit_balance=None if row.debit_balance is None else format_amount(row.debit_balance, currency),
        credit_balance=None if row.credit_balance is None else format_amount(row.credit_balance, currency),
        flags=[name for name, flag in _FLAGS.items() if row.flags & flag] or None,
    )


def _record_line(document: Mapping[str, Any], book: AccountBook) -> RecordLine:
    debit = book.by_path[document["debit"]] if "debit" in document else None
    credit = book.by_path[document["credit"]] if "credit" in document else None
    state = debit or credit
    if state is None:
        raise ValueError("a line names an account")
    flags = sum(_FLAGS[name] for name in document.get("flags", ()))
    return (
        debit,
        credit,
        int(document["amount_minor"]),
        _minor(document.get("debit_balance"), state.currency),
        _minor(document.get("credit_balance"), state.currency),
        flags,
    )


def _minor(text: str | None, currency: Currency) -> int | None:
    """Read what `format_amount` wrote; how it is spelled is checked with the whole document."""
    if text is None:
        return None
    minor = int(text.replace(".", "", 1))
    return minor if currency.exponent or "." not in text else None
