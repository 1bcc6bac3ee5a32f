"""What goes wrong at the bank because somebody asked for it: so many times, on paths that start so."""

from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum
from typing import Final

from attrs import define, evolve, field

from ledgercore_sandbox.books import Books, State
from ledgercore_sandbox.generating import Names


class FaultKind(StrEnum):
    """The ways a bank fails; `FAULTS` says what each does."""

    TOO_MANY_REQUESTS = "429"
    SERVER_ERROR = "500"
    TIMEOUT = "timeout"
    GARBAGE = "garbage"
    TOKEN_EXPIRY_MID_PAGE = "token_expiry_mid_page"
    DUPLICATE_ROWS = "duplicate_rows"
    LATE_ROWS = "late_rows"
    AMEND_PENDING = "amend_pending"
    DROP_PENDING = "drop_pending"
    WRONG_BALANCE = "wrong_balance"


INSTEAD: Final = (FaultKind.TOO_MANY_REQUESTS, FaultKind.SERVER_ERROR, FaultKind.TIMEOUT, FaultKind.GARBAGE)
"""What may come in place of any answer."""
FAULTS: Final = {
    FaultKind.TOO_MANY_REQUESTS: "Refused with status 429 and Retry-After of `seconds`.",
    FaultKind.SERVER_ERROR: "Refused with status 500.",
    FaultKind.TIMEOUT: "No answer for `seconds`, then status 504.",
    FaultKind.GARBAGE: "Status 200 with a body that is no JSON.",
    FaultKind.TOKEN_EXPIRY_MID_PAGE: "The access token expires when a page after the first is asked for.",
    FaultKind.DUPLICATE_ROWS: "Each transaction of a page stands on it twice.",
    FaultKind.LATE_ROWS: "After a page of transactions, one turns up that was made before the newest of that page.",
    FaultKind.AMEND_PENDING: "After a page of transactions, a pending one costs 1.00 more.",
    FaultKind.DROP_PENDING: "After a page of transactions, a pending one is gone.",
    FaultKind.WRONG_BALANCE: "A balance is told 1.00 too high.",
}
OFF_BY_MINOR: Final = 100
LATE_BY: Final = timedelta(days=2)


@define(kw_only=True)
class Fault:
    """One that is to happen `times` more, to requests whose path starts with `path`."""

    kind: FaultKind
    times: int = 1
    path: str = "/"
    seconds: int = 1


@define
class Faults:
    """The faults that are still to happen, in the order they were asked for."""

    waiting: list[Fault] = field(factory=list)

    def take(self, path: str, kinds: Collection[FaultKind]) -> Fault | None:
        """The first of these kinds that is due on a path, counted as happened; `None` when all is well."""
        for fault in self.waiting:
            if fault.kind in kinds and path.startswith(fault.path):
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None

    def happens(self, path: str, kind: FaultKind) -> bool:
        """Whether a fault of one kind is due, counted as happened."""
        return self.take(path, (kind,)) is not None


def change_behind_a_page(books: Books, names: Names, faults: Faults, *, path: str, account_id: str) -> None:
    """Do to an account what is to happen after one of its pages was told."""
    pending = books.pending(account_id)
    if pending and faults.happens(path, FaultKind.AMEND_PENDING):
        books.amend(pending[0].id, amount_minor=pending[0].amount_minor - OFF_BY_MINOR)
    if pending and faults.happens(path, FaultKind.DROP_PENDING):
        books.drop(pending[-1].id)
    booked = [row for row in books.created_after(account_id, None, before=None, limit=50) if row.state is State.BOOKED]
    if booked and faults.happens(path, FaultKind.LATE_ROWS):
        newest, at = booked[-1], booked[-1].created_at - LATE_BY
        row_id = names.row(books.account(account_id).brand)
        books.write(evolve(newest, id=row_id, created_at=at, booked_at=at, end_to_end_id=None, metadata={}))
