"""Making proofs from a journal, for outsiders who check them with `proof` or with code of their own.

A proof holds about log2(records of the batch) hashes for the record and for the opening of each of its
accounts, and 64 bytes for each batch from the oldest of them to the head.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from ledgercore.errors import NotFoundError, ValidationError
from ledgercore.errors.catalog import INVALID_PROOF, TRANSACTION_NOT_FOUND
from ledgercore.ledger.log.chain import GENESIS, LogEntry
from ledgercore.ledger.log.encoding import microseconds
from ledgercore.ledger.log.logged import JournalRow, read_row
from ledgercore.ledger.log.merkle import inclusion_path
from ledgercore.ledger.log.records import ACCOUNT_OPENED
from ledgercore.ledger.log.restoring import record_leaves
from ledgercore.ledger.ports import Journal, JournalReader
from ledgercore.ledger.proofs.checking import (
    CONSISTENCY_FORMAT,
    HEAD_FORMAT,
    PROOF_FORMAT,
    spell_entry,
)
from ledgercore.ledger.proofs.statements import account_numbers, statement

_OPENED: Final = ACCOUNT_OPENED.encode()


def prove(journal: Journal, transaction_id: UUID, *, since: bytes | None = None, paths: bool = True) -> dict[str, Any]:
    """A proof that a transaction is in the ledger; raises `transaction_not_found`.

    It leads to the present head, so that any head kept since the transaction checks it; with an
    older head as `since` it also shows that the present one continues it (`invalid_proof` when
    it does not). `paths` adds the openings that tie account numbers to paths and currencies.
    """
    with journal.snapshot() as snapshot:
        posted = snapshot.find_transaction(transaction_id)
        if posted is None:
            raise NotFoundError(TRANSACTION_NOT_FOUND, transaction_id=transaction_id)
        return _proof(snapshot, posted.number, since, paths=paths)


def prove_record(journal: Journal, number: int, *, since: bytes | None = None, paths: bool = True) -> dict[str, Any]:
    """A proof of any record, by its number in the log; else as `prove`."""
    with journal.snapshot() as snapshot:
        return _proof(snapshot, number, since, paths=paths)


def prove_consistency(journal: Journal, older: bytes, newer: bytes | None = None) -> dict[str, Any]:
    """A proof that a head, the present one by default, commits to all that an older one committed to.

    Raises `invalid_proof` when one of them is not a head of this ledger, or `older` is the newer.
    """
    with journal.snapshot() as snapshot:
        before = _batch_of_head(snapshot, older)
        last = snapshot.state().batch if newer is None else _batch_of_head(snapshot, newer)
        if last < before:
            raise ValidationError(INVALID_PROOF, part="newer", why="it is the older of the two")
        entries = list(snapshot.log_entries(after_batch=before, limit=last - before)) if last > before else []
        return {
            "format": CONSISTENCY_FORMAT,
            "older": {"batch": before, "head": older.hex()},
            "newer": {"batch": last, "head": (entries[-1].head if entries else older).hex()},
            "entries": [_spell(entry) for entry in entries],
        }


def head_statement(journal: JournalReader) -> dict[str, Any]:
    """Where the ledger stands, small enough to keep, print or publish: it commits to every record so far."""
    state = journal.state()
    return {
        "format": HEAD_FORMAT,
        "ledger": state.name,
        "batch": state.batch,
        "number": state.number,
        "head": state.head.hex(),
        "recorded_at": state.recorded_at and state.recorded_at.isoformat(),
    }


def _proof(journal: JournalReader, number: int, since: bytes | None, *, paths: bool) -> dict[str, Any]:
    entry = journal.batch_of(number)
    if entry is None:
        raise NotFoundError(TRANSACTION_NOT_FOUND, number=number)
    rows, record = _included(journal, entry, number)
    openings = sorted(_openings(journal, rows)) if paths else []
    batches = [entry.batch, *(item["batch"] for _, _, item in openings)]
    start = min(batches) if since is None else min(*batches, _batch_of_head(journal, since) + 1)
    before = GENESIS if start == 1 else next(journal.log_entries(after_batch=start - 2, limit=1)).head
    entries = list(journal.log_entries(after_batch=start - 1))
    return {
        "format": PROOF_FORMAT,
        "record": record,
        "openings": [item for _, _, item in openings],
        "log": {
            "before": before.hex(),
            "entries": [_spell(each) for each in entries],
            "head": entries[-1].head.hex(),
        },
        "says": statement(rows, {account: opening.body or {} for account, opening, _ in openings}),
    }


def _included(journal: JournalReader, entry: LogEntry, number: int) -> tuple[list[JournalRow], dict[str, Any]]:
    """A record's rows, and its bytes with the path to its batch's root."""
    batch = list(journal.rows(after_number=entry.first_number - 1, through_number=entry.last_number))
    mine = [row for row in batch if int.from_bytes(row[4:12]) == number]
    path = inclusion_path(record_leaves(batch), number - entry.first_number)
    return [read_row(row) for row in mine], {
        "batch": entry.batch,
        "rows": b"".join(mine).hex(),
        "path": [sibling.hex() for _, sibling in path],
    }


def _openings(journal: JournalReader, rows: Sequence[JournalRow]) -> Iterator[tuple[int, JournalRow, dict[str, Any]]]:
    """The opening of each account that the rows name."""
    if not (wanted := account_numbers(rows)):
        return
    posted = journal.find_transaction(rows[0].id)
    assert posted is not None
    path_of: dict[int, str | None] = {}
    for row, line in zip(rows, posted.lines, strict=True):
        for number, path in ((row.debit_account, line.line.debit), (row.credit_account, line.line.credit)):
            if number is not None:
                path_of[number] = path
    for number in wanted:
        account = journal.find_account(path_of[number] or "")
        assert account is not None
        entry, opening = _opening_of(journal, number, account.opened_at)
        yield number, opening, _included(journal, entry, opening.number)[1]


def _opening_of(journal: JournalReader, account: int, opened_at: datetime) -> tuple[LogEntry, JournalRow]:
    """Where an account was opened: in the first batch recorded at that time or later, or soon after it."""
    low, high = 0, journal.state().batch
    while low < high:
        middle = (low + high) // 2
        entry = next(journal.log_entries(after_batch=middle, limit=1))
        if entry.recorded_at < opened_at:
            low = middle + 1
        else:
            high = middle
    while True:
        entry = next(journal.log_entries(after_batch=low, limit=1))
        for row in list(journal.rows(after_number=entry.first_number - 1, through_number=entry.last_number)):
            if row[22:23] == _OPENED and ((opening := read_row(row)).body or {}).get("account_number") == account:
                return entry, opening
        low = entry.batch


def _batch_of_head(journal: JournalReader, head: bytes) -> int:
    if head == GENESIS:
        return 0
    for entry in journal.log_entries():
        if entry.head == head:
            return entry.batch
    raise ValidationError(INVALID_PROOF, part="head", head=head.hex(), why="this ledger never had this head")


def _spell(entry: LogEntry) -> str:
    return spell_entry(entry.batch, entry.first_number, entry.last_number, microseconds(entry.recorded_at), entry.root)
