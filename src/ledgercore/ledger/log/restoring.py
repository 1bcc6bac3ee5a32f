"""Taking over a batch of another copy of a ledger: only as a whole, and only if it is what it says."""

from collections.abc import Sequence

from ledgercore.errors import ConflictError
from ledgercore.errors.catalog import EXPORT_DIVERGES
from ledgercore.ledger.log.chain import GENESIS, LogEntry, head_after
from ledgercore.ledger.log.logged import JournalRow, by_record, read_row
from ledgercore.ledger.log.merkle import leaf_hash, tree_root
from ledgercore.ledger.log.projection import Projection


def check_batch(
    entry: LogEntry, rows: Sequence[bytes], *, batch: int, number: int, head: bytes = GENESIS
) -> list[list[JournalRow]]:
    """Read the batch's records; raises `export_diverges` unless it continues the log and is complete."""
    if entry.batch != batch + 1 or entry.first_number != number + 1:
        raise _diverges(entry, "it does not continue the log", expected_batch=batch + 1, expected_number=number + 1)
    if entry.head != head_after(head, entry):
        raise _diverges(entry, "its head does not follow from the one before")
    try:
        records = list(by_record(read_row(row) for row in rows))
    except ValueError as error:
        raise _diverges(entry, f"a row cannot be read: {error}") from error
    numbers = [record[0].number for record in records]
    if numbers != list(range(entry.first_number, entry.last_number + 1)):
        raise _diverges(entry, "records are missing or out of order")
    if tree_root(record_leaves(rows)) != entry.root:
        raise _diverges(entry, "its records are not those that the log committed to")
    return records


def apply_checked(projection: Projection, entry: LogEntry, records: Sequence[Sequence[JournalRow]]) -> None:
    """Derive what follows from the batch; raises `export_diverges` where it contradicts itself."""
    for record in records:
        for divergence in projection.apply(record):
            raise _diverges(entry, str(divergence))


def record_leaves(rows: Sequence[bytes]) -> list[bytes]:
    """The leaf hash of each record among rows in the order of the log."""
    leaves: list[bytes] = []
    gathered: list[bytes] = []
    number = b""
    for row in rows:
        # A row begins with its number: four bytes of length and eight of the number itself.
        if row[4:12] != number and gathered:
            leaves.append(leaf_hash(b"".join(gathered)))
            gathered.clear()
        number = row[4:12]
        gathered.append(row)
    if gathered:
        leaves.append(leaf_hash(b"".join(gathered)))
    return leaves


def _diverges(entry: LogEntry, why: str, **details: object) -> ConflictError:
    return ConflictError(EXPORT_DIVERGES, batch=entry.batch, first_number=entry.first_number, why=why, **details)
