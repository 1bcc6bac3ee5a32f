"""What a log says about its own earlier records: ids used once, and reversals within what they reverse.

Both need records from anywhere before. The first pass keeps 8 bytes for each id and the lines of
reversals; a second pass, which only looks at ids, finds the few records that are needed after all.
"""

from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

from ledgercore.ledger.log.logged import JournalRow, read_row
from ledgercore.ledger.log.records import CAPTURE, REVERSAL, TRANSACTION
from ledgercore.ledger.ports import JournalReader
from ledgercore.ledger.proofs.laws import JOURNAL, KEYS, Divergence, diverges

_BUCKETS: Final = 256
_Pair: TypeAlias = tuple[int | None, int | None]


class Lookback:
    """Ids and reversals seen so far."""

    def __init__(self) -> None:
        # Equal ids have equal hashes, so only ids whose hashes repeat have to be compared themselves.
        self._hashes = tuple(array("q") for _ in range(_BUCKETS))
        self._reversals: dict[bytes, list[JournalRow]] = {}

    def see(self, identity: bytes) -> None:
        """Remember that a record has this id."""
        hashed = hash(identity)
        self._hashes[hashed % _BUCKETS].append(hashed)

    def note(self, rows: Sequence[JournalRow]) -> None:
        """Remember what a record takes back, if it is a reversal."""
        if rows[0].kind == REVERSAL:
            subject = rows[0].subject
            self._reversals.setdefault(b"" if subject is None else subject.bytes, []).extend(rows)

    def faults(self, journal: JournalReader) -> Iterator[Divergence]:
        """Each id that was used twice, and each reversal beyond its original; reads the log again if it must."""
        repeated = self._repeated()
        numbers: dict[bytes, int] = {}
        originals: dict[bytes, list[JournalRow]] = {}
        for row in journal.rows() if repeated or self._reversals else ():
            identity = row[27:43]
            if repeated and hash(identity) in repeated:
                number = int.from_bytes(row[4:12])
                first = numbers.setdefault(identity, number)
                if first != number:
                    yield diverges(KEYS, f"id {identity.hex()}", number, "an id of its own", f"that of record {first}")
            if identity in self._reversals:
                try:
                    originals.setdefault(identity, []).append(read_row(row))
                except ValueError:
                    originals.pop(identity, None)
        for subject, reversals in self._reversals.items():
            yield from _reversal_faults(reversals, originals.get(subject, ()))

    def _repeated(self) -> set[int]:
        repeated: set[int] = set()
        for bucket in self._hashes:
            if len(set(bucket)) < len(bucket):
                ordered = sorted(bucket)
                repeated.update(left for left, right in pairwise(ordered) if left == right)
        return repeated


def _reversal_faults(reversals: Sequence[JournalRow], original: Sequence[JournalRow]) -> Iterator[Divergence]:
    first = reversals[0]
    if not original or original[0].kind not in (TRANSACTION, CAPTURE) or original[0].number >= first.number:
        yield diverges(JOURNAL, "reversal", first.number, "a transaction before it", first.subject)
        return
    remaining: dict[_Pair, int] = {}
    for row in original:
        pair = (row.debit_account, row.credit_account)
        remaining[pair] = remaining.get(pair, 0) + (row.amount or 0)
    for row in reversals:
        pair = (row.credit_account, row.debit_account)
        left = remaining.get(pair, 0)
        if (row.amount or 0) > left:
            yield diverges(
                JOURNAL, f"reversal of {row.subject or first.subject}", row.number, f"at most {left}", row.amount
            )
        remaining[pair] = left - (row.amount or 0)
