"""Laws that every record obeys by itself, whatever came before it: shape, balance, names.

The engine makes records that obey them; here they are asked of what is stored, without the engine.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import CATALOG
from ledgercore.ledger.accounts import AccountState
from ledgercore.ledger.commands import FINGERPRINT_BYTES, identity_of_key
from ledgercore.ledger.log.logged import JournalRow
from ledgercore.ledger.log.records import KIND_NAMES, POSTING_KINDS, REFUSED
from ledgercore.money import Currency

CHAIN: Final = "chain"
JOURNAL: Final = "journal"
BALANCES: Final = "balances"
ACCOUNTS: Final = "accounts"
HOLDS: Final = "holds"
HEAD: Final = "head"
KEYS: Final = "keys"
SETTINGS: Final = "settings"

AREAS: Final[Mapping[str, str]] = {
    CHAIN: "each batch's entry follows the one before and commits to exactly its records",
    JOURNAL: "every record is there once, is whole and balances, and follows from those before",
    BALANCES: "the balance stored with each entry is the sum of the entries so far",
    ACCOUNTS: "each account is as its opening, changes, entries and holds left it",
    HOLDS: "each hold is as its placing, changes, captures and end left it",
    HEAD: "the ledger's head names the last record and batch, the lock date and the count of accounts",
    KEYS: "each id and key was used once and leads to its record",
    SETTINGS: "the ledger's settings are those told last",
}
"""What is verified, and what holds where nothing diverges."""

UNREADABLE: Final = (AssertionError, AttributeError, KeyError, TypeError, ValidationError, ValueError)
"""What reading raises where the core knows no such value; faults of the database are not among them."""

_OF_THE_RECORD: Final = ("id", "kind", "effective_at", "recorded_at")
_ON_THE_FIRST_LINE: Final = ("key", "description", "reference", "metadata", "subject", "fingerprint", "body")


@frozen(kw_only=True)
class Divergence:
    """Something stored that does not follow from the log: where, what follows, what was found."""

    area: str
    where: str
    number: int | None = None
    expected: str
    found: str

    def __str__(self) -> str:
        at = "" if self.number is None else f" at record {self.number}"
        return f"{self.area}: {self.where}{at}: {self.expected} follows from the log, {self.found} is stored"


def diverges(area: str, where: str, number: int | None, expected: object, found: object) -> Divergence:
    """A divergence of any two values."""
    return Divergence(area=area, where=where, number=number, expected=_shown(expected), found=_shown(found))


def record_faults(rows: Sequence[JournalRow], accounts: Mapping[int, AccountState]) -> Iterator[Divergence]:
    """Each way in which a record breaks a law by itself; `accounts` are those opened so far."""
    record = rows[0]
    if record.kind not in KIND_NAMES:
        yield diverges(JOURNAL, "kind", record.number, "a kind of record", record.kind)
    yield from _shape_faults(rows)
    if record.key is not None and record.id.bytes != identity_of_key(record.key):
        yield diverges(KEYS, f"id of key {record.key!r}", record.number, identity_of_key(record.key).hex(), record.id)
    if record.kind == REFUSED:
        yield from _refusal_faults(record)
    if record.kind in POSTING_KINDS:
        yield from _balance_faults(rows, accounts)


def _shape_faults(rows: Sequence[JournalRow]) -> Iterator[Divergence]:
    first = rows[0]
    posts = first.kind in POSTING_KINDS
    for index, row in enumerate(rows):
        if row.line != index:
            yield diverges(JOURNAL, "line", row.number, index, row.line)
        if not posts and (index or (row.amount, row.debit_account, row.credit_account) != (None, None, None)):
            yield diverges(JOURNAL, "lines", row.number, "none in a record that posts nothing", f"line {row.line}")
        if posts and (row.amount is None or row.amount <= 0):
            yield diverges(JOURNAL, "amount", row.number, "an amount above zero", row.amount)
        if posts and row.debit_account is None and row.credit_account is None:
            yield diverges(JOURNAL, "account", row.number, "an account to debit or to credit", None)
        for name in _OF_THE_RECORD if index else ():
            if getattr(row, name) != getattr(first, name):
                yield diverges(JOURNAL, f"{name} of line {index}", row.number, getattr(first, name), getattr(row, name))
        for name in _ON_THE_FIRST_LINE if index else ():
            if getattr(row, name) is not None:
                yield diverges(JOURNAL, f"{name} of line {index}", row.number, None, getattr(row, name))


def _refusal_faults(record: JournalRow) -> Iterator[Divergence]:
    if record.fingerprint is None or len(record.fingerprint) != FINGERPRINT_BYTES:
        found = None if record.fingerprint is None else record.fingerprint.hex()
        yield diverges(KEYS, "fingerprint of a refusal", record.number, f"{FINGERPRINT_BYTES} bytes", found)
    body = record.body or {}
    if body.get("reason") not in CATALOG or not isinstance(body.get("details"), Mapping):
        yield diverges(JOURNAL, "body", record.number, "a catalogued reason and its details", body)


def _balance_faults(rows: Sequence[JournalRow], accounts: Mapping[int, AccountState]) -> Iterator[Divergence]:
    difference: dict[Currency, int] = {}
    debited, credited = set(), set()
    unknown = {number for row in rows for number in (row.debit_account, row.credit_account)} - accounts.keys() - {None}
    if unknown:
        known = "accounts that were opened before"
        yield diverges(JOURNAL, "account", rows[0].number, known, ", ".join(map(str, unknown)))
        return
    for row in rows:
        debit = None if row.debit_account is None else accounts[row.debit_account]
        credit = None if row.credit_account is None else accounts[row.credit_account]
        if debit is not None and credit is not None and debit.currency != credit.currency:
            yield diverges(JOURNAL, f"currency of line {row.line}", row.number, debit.currency, credit.currency)
        for state, sign in ((debit, 1), (credit, -1)):
            if state is not None and row.amount is not None:
                difference[state.currency] = difference.get(state.currency, 0) + sign * row.amount
        debited.add(row.debit_account)
        credited.add(row.credit_account)
    for currency, minor in difference.items():
        if minor:
            yield diverges(JOURNAL, f"balance in {currency}", rows[0].number, "debits equal to credits", f"{minor:+d}")
    if both := (debited & credited) - {None}:
        yield diverges(
            JOURNAL, "account", rows[0].number, "one side of an account", f"both of {min(filter(None, both))}"
        )


def _shown(value: object) -> str:
    return "nothing" if value is None else str(value)
