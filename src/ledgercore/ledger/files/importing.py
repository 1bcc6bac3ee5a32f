"""Posting the rows of a file: in batches, each row under its own name, so that a file may be fed again at any time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from attrs import evolve, frozen

from ledgercore.errors import LedgercoreError, ValidationError, error_for
from ledgercore.errors.catalog import BATCH_TOO_LARGE, INVALID_ARGUMENT
from ledgercore.ledger.accounts import Account, AccountStatus, AccountType, Limits
from ledgercore.ledger.commands import BATCH_MAX, ChangeAccount, Settings
from ledgercore.ledger.files.csv_rows import Row, Source
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.outcomes import Refused
from ledgercore.ledger.paths import check_path, is_below
from ledgercore.ledger.transactions import Transaction
from ledgercore.money import Currency
from ledgercore.pages import PAGE_SIZE_MAX

BATCH_SIZE: Final = 8_000
LINES_MAX: Final = 4 * BATCH_SIZE
"""Lines in one batch: compound transactions fill it with fewer rows."""

Reject: TypeAlias = Callable[[int, Source, LedgercoreError], None]


@frozen(kw_only=True)
class ImportSummary:
    """What became of the rows: posted now, known from before, refused."""

    posted: int = 0
    replayed: int = 0
    rejected: int = 0

    @property
    def rows(self) -> int:
        """All rows that were read."""
        return self.posted + self.replayed + self.rejected


def import_rows(
    ledger: Ledger,
    rows: Iterable[Row],
    *,
    reject: Reject,
    batch_size: int = BATCH_SIZE,
    strict: bool = False,
    settled: Callable[[ImportSummary], None] = lambda _: None,
) -> ImportSummary:
    """Post every row in the order of the file and hand those that are refused to `reject`, in that order.

    Each row's id or key keeps it from being posted twice: an import that was cut off is simply begun
    again. With `strict` the first refusal is raised and nothing after it is posted; rows go one by one
    then. Whatever ends the reading of the file is raised after the rows before it have been posted.
    `settled` is told the sums after each batch.
    """
    if not 1 <= batch_size <= BATCH_MAX:
        raise ValidationError(BATCH_TOO_LARGE, field="batch_size", commands=batch_size, commands_max=BATCH_MAX)
    summary = ImportSummary()
    for batch in _batches(rows, 1 if strict else batch_size):
        summary, refusal = _post(ledger, batch, summary, reject)
        settled(summary)
        if strict and refusal is not None:
            raise refusal
    return summary


def prepare(
    ledger: Ledger,
    *,
    types: Iterable[tuple[str, AccountType]] = (),
    minimum: int | None = None,
    currency: Currency | None = None,
    prefixes: Sequence[str] = (),
) -> None:
    """Give a ledger the opening rules and the least balances that a file's rows shall meet.

    `types` are added to the rules for opening accounts on first use. `minimum` becomes the least
    available balance, in minor units, of every account at or below the prefixes: of those that will
    be opened, and of those that are there and not closed (only those in `currency`, where it is given).
    What is so already is not written again. Raises `invalid_limits` where an account's maximum is lower.
    """
    for prefix in prefixes:
        check_path(prefix, field="on")
    settings = ledger.state().settings
    wanted = _with_types(settings, tuple(types))
    if minimum is not None:
        wanted = _with_minimum(wanted, minimum, prefixes)
    if wanted != settings:
        ledger.change_settings(wanted)
    if minimum is None:
        return
    for accounts in _pages(ledger, prefixes):
        changes = [
            ChangeAccount(path=account.path, limits=evolve(account.limits, minimum=minimum))
            for account in accounts
            if account.limits.minimum != minimum
            and account.status is not AccountStatus.CLOSED
            and currency in (None, account.currency)
        ]
        for outcome in ledger.post_all(changes) if changes else ():
            outcome.or_raise()


def _post(
    ledger: Ledger, batch: Sequence[Row], summary: ImportSummary, reject: Reject
) -> tuple[ImportSummary, LedgercoreError | None]:
    """Post what can be posted of a batch; gives the new sums and the last refusal."""
    commands = [row.found for row in batch if isinstance(row.found, Transaction)]
    outcomes = iter(ledger.post_all(commands) if commands else ())
    posted, replayed, rejected = summary.posted, summary.replayed, summary.rejected
    last: LedgercoreError | None = None
    for row in batch:
        refusal: LedgercoreError | None = None
        if isinstance(row.found, LedgercoreError):
            refusal = row.found
        else:
            outcome = next(outcomes)
            if isinstance(outcome, Refused):
                refusal = error_for(outcome.reason, {**outcome.details, "line": row.line})
            elif outcome.replayed:  # type: ignore[union-attr]
                replayed += 1
            else:
                posted += 1
        if refusal is not None:
            rejected += 1
            last = refusal
            reject(row.line, row.source, refusal)
    return ImportSummary(posted=posted, replayed=replayed, rejected=rejected), last


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    lines = 0
    failure: Exception | None = None
    try:
        for row in rows:
            batch.append(row)
            lines += len(row.found.lines) if isinstance(row.found, Transaction) else 1
            if len(batch) >= size or lines >= LINES_MAX:
                yield batch
                batch = []
                lines = 0
    except Exception as error:
        # The rows before it are good: they are posted first.
        failure = error
    if batch:
        yield batch
    if failure is not None:
        raise failure


def _with_types(settings: Settings, types: tuple[tuple[str, AccountType], ...]) -> Settings:
    if not types:
        return settings
    merged = {**dict(settings.opening.types), **dict(types)}
    return evolve(settings, opening=evolve(settings.opening, on_first_use=True, types=tuple(merged.items())))


def _with_minimum(settings: Settings, minimum: int, prefixes: Sequence[str]) -> Settings:
    """The minimum for the prefixes and for every rule below them, whose longer prefix would go before."""
    limits = dict(settings.opening.limits)
    for prefix in {*prefixes, *(path for path in limits if any(is_below(path, above) for above in prefixes))}:
        limits[prefix] = evolve(limits.get(prefix, Limits()), minimum=minimum)
    return evolve(settings, opening=evolve(settings.opening, limits=tuple(sorted(limits.items()))))


def _pages(ledger: Ledger, prefixes: Sequence[str]) -> Iterator[Sequence[Account]]:
    for prefix in prefixes:
        cursor: str | None = None
        while True:
            page = ledger.list_accounts(prefix=prefix, cursor=cursor, limit=PAGE_SIZE_MAX)
            yield page.items
            cursor = page.next_cursor
            if cursor is None:
                break


def read_opening_rule(text: str) -> tuple[str, AccountType]:
    """Read `PREFIX=TYPE`; raises `invalid_argument`, `invalid_account_path` or `invalid_account_type`."""
    prefix, equals, name = text.partition("=")
    if not equals:
        raise ValidationError(INVALID_ARGUMENT, field="open", value=text[:60], why="PREFIX=TYPE is expected")
    return check_path(prefix, field="open"), AccountType.parse(name)
