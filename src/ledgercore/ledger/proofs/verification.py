"""Deriving a whole ledger again from its log, and naming where what is stored diverges.

The rows stream by once, in the order of the log; their bytes are those that were hashed, and in a
database they are the very columns that readers see. Memory holds the accounts, the holds, what
reversals take back, and eight bytes for each record's id; it does not grow with amounts, texts or
lines. A second, lighter pass looks up the transactions that were reversed, where there are any.

What does not follow from the log is not verified: a ledger's name, its time of creation, and how
far recorded times are sealed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Final
from uuid import UUID

from attrs import frozen

from ledgercore.ledger.log.chain import GENESIS, LogEntry, head_after
from ledgercore.ledger.log.encoding import microseconds
from ledgercore.ledger.log.logged import JournalRow, read_row
from ledgercore.ledger.log.merkle import tree_root
from ledgercore.ledger.log.projection import Projection
from ledgercore.ledger.log.records import POSTING_KINDS
from ledgercore.ledger.ports import Journal, JournalReader
from ledgercore.ledger.proofs.comparing import account_faults, head_faults, hold_faults
from ledgercore.ledger.proofs.laws import AREAS, CHAIN, JOURNAL, KEYS, SETTINGS, UNREADABLE, Divergence, diverges
from ledgercore.ledger.proofs.lookback import Lookback
from ledgercore.ledger.queries import LedgerState

ENTRIES_AT_A_TIME: Final = 10_000
RECORDS_BETWEEN_REPORTS: Final = 4_096
LOOKED_UP: Final = 64
"""Transactions, spread over the log, that are also looked up by their ids."""

_BEFORE_ALL: Final = -(2**62)
_Progress = Callable[[int, int], None]


@frozen(kw_only=True)
class Verification:
    """What was looked at, and the first divergence in each area where there is one."""

    ledger: str
    records: int
    batches: int
    accounts: int
    holds: int
    head: bytes
    divergences: Mapping[str, Divergence]

    @property
    def sound(self) -> bool:
        """Whether everything stored follows from the log."""
        return not self.divergences


def verify(
    journal: Journal, *, kept_heads: Mapping[int, bytes] | None = None, progress: _Progress | None = None
) -> Verification:
    """Derive chain, journal, balances, accounts, holds, head, keys and settings again, from one snapshot.

    `kept_heads` are heads by batch that somebody kept elsewhere: each must still be where it was,
    which also finds a log that was rewritten consistently from end to end. `progress` is called now
    and then with the number of records done and of all.
    """
    with journal.snapshot() as snapshot:
        return _Verifier(snapshot, kept_heads or {}, progress or _silent).run()


class _Verifier:
    """One verification in progress."""

    def __init__(self, journal: JournalReader, kept_heads: Mapping[int, bytes], progress: _Progress) -> None:
        self.journal = journal
        self.kept_heads = dict(kept_heads)
        self.progress = progress
        self.found: dict[str, Divergence] = {}
        self.projection = Projection()
        self.lookback = Lookback()
        self.number = 0
        self.records = 0
        self.batches = 0
        self.last: LogEntry | None = None
        self.leaves: list[bytes] = []
        self.to_look_up: dict[int, bytes] = {}

    def run(self) -> Verification:
        """Walk the log, look back where it refers back, and compare."""
        state = self._state()
        self.records_expected = 0 if state is None else state.number
        self.look_up_every = self.records_expected // LOOKED_UP or 1
        self._walk()
        for batch, head in self.kept_heads.items():
            self._note(diverges(CHAIN, f"head of batch {batch}", None, head.hex(), None))
        self._note_all(self.lookback.faults(self.journal))
        self._look_up()
        self._note_all(account_faults(self.projection, self.journal))
        self._note_all(hold_faults(self.projection, self.journal))
        if state is not None:
            self._note_all(head_faults(self.projection, self.last, state))
        self.progress(self.records, self.records)
        return Verification(
            ledger=self.journal.name,
            records=self.records,
            batches=self.batches,
            accounts=len(self.projection.accounts),
            holds=len(self.projection.holds),
            head=GENESIS if self.last is None else self.last.head,
            divergences={area: self.found[area] for area in AREAS if area in self.found},
        )

    def _state(self) -> LedgerState | None:
        try:
            return self.journal.state()
        except UNREADABLE as error:
            self._note(diverges(SETTINGS, "settings", None, "settings that can be read", error))
            return None

    def _walk(self) -> None:
        after_batch = through = _BEFORE_ALL
        while entries := list(self.journal.log_entries(after_batch=after_batch, limit=ENTRIES_AT_A_TIME)):
            after_batch = entries[-1].batch
            after, through = through, max(through, *(entry.last_number for entry in entries))
            self._walk_batches(entries, self.journal.rows(after_number=after, through_number=through))
        for record in _records(self.journal.rows(after_number=through)):
            self._note(diverges(JOURNAL, "record", _number(record), None, "a record beyond the log's last entry"))
            self._take(record, recorded=0)

    def _walk_batches(self, entries: Iterable[LogEntry], rows: Iterable[bytes]) -> None:
        waiting = iter(entries)
        entry = next(waiting, None)
        recorded = 0 if entry is None else microseconds(entry.recorded_at)
        for record in _records(rows):
            number = _number(record)
            while entry is not None and number > entry.last_number:
                self._close(entry)
                entry = next(waiting, None)
                recorded = 0 if entry is None else microseconds(entry.recorded_at)
            if entry is None or number < entry.first_number:
                self._note(diverges(JOURNAL, "record", number, None, "a record that no entry of the log names"))
            else:
                data = record[0] if len(record) == 1 else b"".join(record)
                self.leaves.append(sha256(b"\x00" + data).digest())
            self._take(record, recorded)
        if entry is not None:
            self._close(entry)
        for late in waiting:
            self._close(late)

    def _take(self, record: Sequence[bytes], recorded: int) -> None:
        number = _number(record)
        if number != self.number + 1:
            self._note(diverges(JOURNAL, "record", self.number + 1, "a record", f"record {number} comes next"))
        self.number = number
        self.records += 1
        if not self.records % RECORDS_BETWEEN_REPORTS:
            self.progress(self.records, max(self.records, self.records_expected))
        first = record[0]
        identity = first[27:43]
        self.lookback.see(identity)
        if len(record) == 1 and self.projection.apply_transfer(first, recorded):
            if not number % self.look_up_every:
                self._remember(number, identity)
            return
        try:
            rows = [read_row(row) for row in record]
        except ValueError as error:
            self._note(diverges(JOURNAL, "row", number, "a row that can be read", error))
            return
        self._note_all(self.projection.apply(rows))
        self._look_closely(rows, recorded)

    def _look_closely(self, rows: Sequence[JournalRow], recorded: int) -> None:
        first = rows[0]
        if microseconds(first.recorded_at) != recorded:
            self._note(diverges(JOURNAL, "recorded_at", first.number, "the time of its batch", first.recorded_at))
        self.lookback.note(rows)
        if first.kind in POSTING_KINDS and not first.number % self.look_up_every:
            self._remember(first.number, first.id.bytes)

    def _remember(self, number: int, identity: bytes) -> None:
        if len(self.to_look_up) < 2 * LOOKED_UP:
            self.to_look_up[number] = identity

    def _close(self, entry: LogEntry) -> None:
        """Check a batch's entry now that all of its records have passed."""
        last = self.last
        batch, number, head = (0, 0, GENESIS) if last is None else (last.batch, last.last_number, last.head)
        for name, expected, found in (
            ("batch", batch + 1, entry.batch),
            ("first_number", number + 1, entry.first_number),
            ("root", tree_root(self.leaves).hex(), entry.root.hex()),
            ("head", head_after(head, entry).hex(), entry.head.hex()),
        ):
            if expected != found:
                self._note(diverges(CHAIN, f"{name} of batch {entry.batch}", None, expected, found))
        if last is not None and entry.recorded_at <= last.recorded_at:
            later = f"a time after {last.recorded_at}"
            self._note(diverges(CHAIN, f"recorded_at of batch {entry.batch}", None, later, entry.recorded_at))
        if len(self.leaves) != entry.last_number - entry.first_number + 1:
            named = f"records {entry.first_number} to {entry.last_number}"
            self._note(diverges(CHAIN, f"records of batch {entry.batch}", None, named, f"{len(self.leaves)} of them"))
        kept = self.kept_heads.pop(entry.batch, entry.head)
        if kept != entry.head:
            self._note(
                diverges(CHAIN, f"head of batch {entry.batch}, kept elsewhere,", None, kept.hex(), entry.head.hex())
            )
        self.batches += 1
        self.last = entry
        self.leaves = []

    def _look_up(self) -> None:
        for number, identity in self.to_look_up.items():
            try:
                found = self.journal.find_transaction(UUID(bytes=identity))
                leads_to: object = None if found is None else found.number
            except UNREADABLE as error:
                leads_to = error
            if leads_to != number:
                self._note(diverges(KEYS, f"id {UUID(bytes=identity)} leads to record", number, number, leads_to))
                return

    def _note_all(self, divergences: Iterable[Divergence]) -> None:
        for divergence in divergences:
            self._note(divergence)

    def _note(self, divergence: Divergence) -> None:
        self.found.setdefault(divergence.area, divergence)


def _records(rows: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Rows in the order of the log, gathered by record."""
    gathered: list[bytes] = []
    number = b""
    for row in rows:
        # A row begins with its number: four bytes of length and eight of the number itself.
        if row[4:12] != number:
            if gathered:
                yield gathered
            number = row[4:12]
            gathered = [row]
        else:
            gathered.append(row)
    if gathered:
        yield gathered


def _number(record: Sequence[bytes]) -> int:
    return int.from_bytes(record[0][4:12], signed=True)


def _silent(_: int, __: int) -> None:
    """Report to nobody."""
