"""The proof of a reconciliation: opening + matched + unmatched = closing, on both sides."""

from collections.abc import Sequence

from attrs import frozen

from ledgercore.ledger.accounts import Account
from ledgercore.statements.lines import StatementRecord
from ledgercore.statements.matches import BookItem
from ledgercore.statements.ports import Work

CHUNK = 1_000


@frozen(kw_only=True)
class Side:
    """One side in minor units: what it began with, what matches explain, what nothing explains, where it ends.

    `closing_minor` is the bank's or the ledger's own figure; `difference_minor` is what the sum misses it by, zero
    when the proof holds. Both are `None` where the bank has given no balances.
    """

    opening_minor: int | None
    matched_minor: int
    matched_count: int
    unmatched_minor: int
    unmatched_count: int
    closing_minor: int | None

    @property
    def difference_minor(self) -> int | None:
        """Opening + matched + unmatched - closing."""
        if self.opening_minor is None or self.closing_minor is None:
            return None
        return self.opening_minor + self.matched_minor + self.unmatched_minor - self.closing_minor


@frozen(kw_only=True)
class Reconciliation:
    """How an account stands between its bank and its ledger.

    `gaps` say where a statement is missing, if the lines do not lead from the first opening to the last closing.
    """

    account: str
    currency: str
    exponent: int
    bank: Side
    book: Side
    gaps: tuple[str, ...]

    @property
    def is_proved(self) -> bool:
        """Whether both sides add up, and matches explain the same on both."""
        return (
            self.bank.difference_minor in (None, 0)
            and self.book.difference_minor == 0
            and self.bank.matched_minor == self.book.matched_minor
        )


def prove(work: Work, account: Account, items: Sequence[BookItem], *, ledger: str) -> Reconciliation:
    """Add everything up anew: the lines as stored, the entries as the ledger has them."""
    statements = work.statements
    records = _with_balances(work, ledger, account.path)
    lines_count, lines_minor = statements.sum_of_lines(ledger, account.path)
    open_lines = statements.open_lines(ledger, account.path)
    unmatched = sum(minor for _, minor in open_lines)
    allocated = statements.allocated(ledger, account.path)
    left = [item.signed_minor - allocated.get(item.transaction_id, 0) for item in items]
    bank = Side(
        opening_minor=records[0].opening_minor if records else None,
        matched_minor=lines_minor - unmatched,
        matched_count=lines_count - len(open_lines),
        unmatched_minor=unmatched,
        unmatched_count=len(open_lines),
        closing_minor=records[-1].closing_minor if records else None,
    )
    book = Side(
        opening_minor=0,
        matched_minor=sum(allocated.values()),
        matched_count=sum(1 for minor in left if not minor),
        unmatched_minor=sum(left),
        unmatched_count=sum(1 for minor in left if minor),
        closing_minor=account.balance.posted.minor,
    )
    return Reconciliation(
        account=account.path,
        currency=account.currency.code,
        exponent=account.currency.exponent,
        bank=bank,
        book=book,
        gaps=tuple(_gaps(records)) if bank.difference_minor else (),
    )


def _with_balances(work: Work, ledger: str, account: str) -> list[StatementRecord]:
    """The statements that have balances, in the order of their days and, within one, as they were imported."""
    found: list[StatementRecord] = []
    after = None
    while chunk := work.statements.list_records(ledger, account=account, after=after, limit=CHUNK):
        found += [each for each in chunk if each.opening_minor is not None and each.closing_minor is not None]
        after = chunk[-1].id
    return sorted(
        found,
        key=lambda each: (
            each.opening_on or each.imported_at.date(),
            each.closing_on or each.imported_at.date(),
            each.id,
        ),
    )


def _gaps(records: Sequence[StatementRecord]) -> list[str]:
    """Where a statement does not open with what an earlier one closed with."""
    gaps: list[str] = []
    closings = {records[0].opening_minor} if records else set()
    for record in records:
        if record.opening_minor not in closings:
            gaps.append(f"{record.file_name}: statement {record.number or record.id} opens where none has closed")
        closings.add(record.closing_minor)
    return gaps
