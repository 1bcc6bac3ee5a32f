"""Checking proofs offline: from the document alone, without a database and without a secret.

A proof holds a record's bytes, the hashes that lead from it to its batch's Merkle root, and the
entries of the log that lead from there to a head. Whoever kept that head knows that the record
was in the ledger then, at this place and with these bytes. `docs/proofs.md` spells out the format, and
checks a proof in forty lines that use nothing of ours. `proving` makes the documents.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from attrs import frozen

from ledgercore.errors import LedgercoreError, ValidationError
from ledgercore.errors.catalog import INVALID_PROOF
from ledgercore.ledger.log.chain import GENESIS, next_head
from ledgercore.ledger.log.encoding import ROW_FIELDS, moment_of
from ledgercore.ledger.log.logged import JournalRow, read_row
from ledgercore.ledger.log.merkle import leaf_hash, root_from
from ledgercore.ledger.log.records import ACCOUNT_OPENED
from ledgercore.ledger.proofs.statements import account_numbers, statement
from ledgercore.ledger.texts import encode_json

PROOF_FORMAT: Final = "ledgercore proof 1"
CONSISTENCY_FORMAT: Final = "ledgercore consistency 1"
HEAD_FORMAT: Final = "ledgercore head 1"

_ENTRY: Final = struct.Struct(">qqqq32s")


class ProvenEntry(NamedTuple):
    """An entry of the log as a proof carries it, and the head that follows from it."""

    batch: int
    first_number: int
    last_number: int
    recorded: int
    root: bytes
    head: bytes


@frozen(kw_only=True)
class Checked:
    """What a proof shows: `says` is the record, `head` of `head_batch` commits to it.

    `trusted_batch` is where the head that the caller trusts stands in the proof's log.
    """

    says: Mapping[str, Any]
    batch: int
    head: bytes
    head_batch: int
    trusted_batch: int | None

    @property
    def committed(self) -> bool:
        """Whether the trusted head commits to the record; otherwise the record only continues it."""
        return self.trusted_batch is not None and self.trusted_batch >= self.batch


@frozen(kw_only=True)
class Continued:
    """A newer head that commits to all that an older head committed to."""

    older_batch: int
    older_head: bytes
    newer_batch: int
    newer_head: bytes


def read_document(data: bytes | str) -> Any:
    """Parse a file's content; raises `invalid_proof` for what is not JSON or repeats a name."""
    try:
        return json.loads(data, object_pairs_hook=_without_repeats)
    except (RecursionError, ValueError) as error:
        raise _refused("document", f"not JSON: {error}") from error


def check(document: Any, *, trusted_head: bytes | None = None) -> Checked:
    """Recompute everything that a proof says; raises `invalid_proof` with what does not fit.

    Without a trusted head the proof only fits in itself: compare `head` with one you trust.
    """
    parts = _object(document, "document", ("format", "record", "openings", "log", "says"))
    _format(parts, PROOF_FORMAT)
    log = _object(parts["log"], "log", ("before", "entries", "head"))
    entries = _entries(log["entries"], _hash(log["before"], "log.before"), "log.entries")
    if not entries or entries[-1].head != _hash(log["head"], "log.head"):
        raise _refused("log.head", "it does not follow from the entries")
    by_batch = {entry.batch: entry for entry in entries}
    record = _included(parts["record"], by_batch, "record")
    openings = _openings(parts["openings"], by_batch, record)
    try:
        says = statement(record, openings)
        same = encode_json(parts["says"]) == encode_json(says)
    except (ArithmeticError, AttributeError, KeyError, LedgercoreError, RecursionError, TypeError, ValueError) as error:
        raise _refused("says", f"the record cannot be read: {error}") from error
    if not same:
        raise _refused("says", "it is not what the record's bytes say")
    return Checked(
        says=says,
        batch=parts["record"]["batch"],
        head=entries[-1].head,
        head_batch=entries[-1].batch,
        trusted_batch=_place_of(trusted_head, entries, log["before"]),
    )


def check_consistency(document: Any, *, older: bytes | None = None, newer: bytes | None = None) -> Continued:
    """Recompute how a newer head follows from an older one; raises `invalid_proof`.

    `older` and `newer` are the heads that the caller knows; the document must be about them.
    """
    parts = _object(document, "document", ("format", "older", "newer", "entries"))
    _format(parts, CONSISTENCY_FORMAT)
    ends = []
    for name, known in (("older", older), ("newer", newer)):
        end = _object(parts[name], name, ("batch", "head"))
        head = _hash(end["head"], f"{name}.head")
        if known is not None and head != known:
            raise _refused(f"{name}.head", "it is not the head that you know")
        ends.append((_whole(end["batch"], f"{name}.batch"), head))
    entries = _entries(parts["entries"], ends[0][1], "entries")
    reached = (entries[-1].batch, entries[-1].head) if entries else ends[0]
    if reached != ends[1] or (entries and entries[0].batch != ends[0][0] + 1):
        raise _refused("entries", "they do not lead from the older head to the newer one")
    return Continued(older_batch=ends[0][0], older_head=ends[0][1], newer_batch=ends[1][0], newer_head=ends[1][1])


def check_head(document: Any) -> tuple[int, bytes]:
    """Read a statement of a head: its batch and the head itself; raises `invalid_proof`."""
    parts = _object(document, "document", ("format", "ledger", "batch", "number", "head", "recorded_at"))
    _format(parts, HEAD_FORMAT)
    return _whole(parts["batch"], "batch"), _hash(parts["head"], "head")


def spell_entry(batch: int, first_number: int, last_number: int, recorded: int, root: bytes) -> str:
    """An entry of the log as a proof carries it."""
    return _ENTRY.pack(batch, first_number, last_number, recorded, root).hex()


def _entries(value: object, before: bytes, part: str) -> list[ProvenEntry]:
    """Follow the chain from a head: each entry continues the one before it."""
    if not isinstance(value, list):
        raise _refused(part, "an array is expected")
    found: list[ProvenEntry] = []
    head = before
    for index, spelled in enumerate(value):
        batch, first, last, recorded, root = _ENTRY.unpack(_hex(spelled, f"{part}[{index}]", _ENTRY.size))
        if found:
            follows = batch == found[-1].batch + 1 and first == found[-1].last_number + 1
        else:
            follows = (batch == 1) == (head == GENESIS) and (first == 1 or batch > 1)
        if not follows or batch < 1 or last < first:
            raise _refused(f"{part}[{index}]", "it does not continue the entry before")
        try:
            recorded_at = moment_of(recorded)
        except ValueError as error:
            raise _refused(f"{part}[{index}]", str(error)) from error
        head = next_head(head, batch=batch, first=first, last=last, recorded_at=recorded_at, root=root)
        found.append(ProvenEntry(batch, first, last, recorded, root, head))
    return found


def _included(value: object, by_batch: Mapping[int, ProvenEntry], part: str) -> list[JournalRow]:
    """The rows of a record that its batch's root commits to."""
    parts = _object(value, part, ("batch", "rows", "path"))
    entry = by_batch.get(_whole(parts["batch"], f"{part}.batch"))
    if entry is None:
        raise _refused(f"{part}.batch", "no entry of the log has this batch")
    data = _hex(parts["rows"], f"{part}.rows")
    try:
        rows = [read_row(row) for row in _split(data)]
    except (RecursionError, ValueError) as error:
        raise _refused(f"{part}.rows", str(error)) from error
    first = rows[0]
    if any((row.number, row.line) != (first.number, index) for index, row in enumerate(rows)):
        raise _refused(f"{part}.rows", "they are not the lines of one record")
    if not entry.first_number <= first.number <= entry.last_number:
        raise _refused(f"{part}.rows", "the record's number is not in the batch")
    if first.recorded_at != moment_of(entry.recorded):
        raise _refused(f"{part}.rows", "the record's time is not that of the batch")
    if not isinstance(parts["path"], list):
        raise _refused(f"{part}.path", "an array is expected")
    path = [_hash(sibling, f"{part}.path[{index}]") for index, sibling in enumerate(parts["path"])]
    sides = _sides(first.number - entry.first_number, entry.last_number - entry.first_number + 1)
    if len(sides) != len(path) or root_from(leaf_hash(data), list(zip(sides, path, strict=True))) != entry.root:
        raise _refused(f"{part}.path", "it does not lead from the record to the batch's root")
    return rows


def _openings(
    value: object, by_batch: Mapping[int, ProvenEntry], record: Sequence[JournalRow]
) -> dict[int, Mapping[str, Any]]:
    """What the openings say of the record's accounts, by number: of all of them, or of none."""
    if not isinstance(value, list):
        raise _refused("openings", "an array is expected")
    found: dict[int, Mapping[str, Any]] = {}
    for index, item in enumerate(value):
        part = f"openings[{index}]"
        [opening] = _included(item, by_batch, part)[:1]
        body = opening.body
        if opening.kind != ACCOUNT_OPENED or not isinstance(body, Mapping) or opening.number >= record[0].number:
            raise _refused(part, "it is not the opening of an account before the record")
        number = body.get("account_number")
        if type(number) is not int or (found and number <= max(found)):
            raise _refused(part, "the openings are not in the order of their accounts")
        found[number] = body
    if found and found.keys() != account_numbers(record):
        raise _refused("openings", "they are not those of the record's accounts")
    return found


def _place_of(trusted: bytes | None, entries: Sequence[ProvenEntry], before: str) -> int | None:
    if trusted is None:
        return None
    places = {entry.head: entry.batch for entry in entries} | {bytes.fromhex(before): entries[0].batch - 1}
    if trusted not in places:
        raise _refused("log", "it does not contain the head that you trust")
    return places[trusted]


def _sides(index: int, count: int) -> list[bool]:
    """For each sibling on the way up whether it stands on the left; an odd last node goes up alone."""
    sides = []
    while count > 1:
        if index ^ 1 < count:
            sides.append(bool(index & 1))
        index, count = index // 2, (count + 1) // 2
    return sides


def _split(data: bytes) -> list[bytes]:
    """Cut a record's bytes into its rows: each has so many fields, and each field its length."""
    rows = []
    start = at = 0
    while at < len(data):
        for _ in ROW_FIELDS:
            length = int.from_bytes(data[at : at + 4], signed=True)
            at += 4 + max(length, 0)
        rows.append(data[start:at])
        start = at
    if not rows or at != len(data):
        raise ValueError("the rows are cut off")
    return rows


def _format(parts: Mapping[str, Any], wanted: str) -> None:
    if parts["format"] != wanted:
        raise _refused("format", f"{wanted!r} is expected")


def _object(value: object, part: str, names: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or value.keys() != set(names):
        raise _refused(part, f"an object with {', '.join(names)} is expected")
    return value


def _whole(value: object, part: str) -> int:
    if type(value) is not int:
        raise _refused(part, "a whole number is expected")
    return value


def _hash(value: object, part: str) -> bytes:
    return _hex(value, part, 32)


def _hex(value: object, part: str, size: int | None = None) -> bytes:
    try:
        data = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        data = b""
    # One spelling for one value: small letters, no blanks.
    if not data or data.hex() != value or len(data) != (size or len(data)):
        raise _refused(part, f"{'' if size is None else f'{size} '}bytes in hexadecimal are expected")
    return data


def _without_repeats(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is repeated")
    return found


def _refused(part: str, why: str) -> ValidationError:
    return ValidationError(INVALID_PROOF, part=part, why=why)
