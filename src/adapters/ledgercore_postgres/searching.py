"""Finding transactions by account, amount, time, reference and metadata."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, and_, cast, exists, literal, select, text, union_all
from sqlalchemy.dialects.postgresql import JSONB

from ledgercore.ledger.log.records import POSTING_KINDS
from ledgercore.ledger.queries import TransactionFilter
from ledgercore_postgres.registers import ENTRIES
from ledgercore_postgres.tables import JOURNAL


def newest_numbers(
    connection: Connection,
    ledger_id: int,
    wanted: TransactionFilter,
    account: int | None,
    *,
    before: int,
    limit: int,
) -> list[int]:
    """The numbers of fitting transactions below a number, newest first; `account` is the wanted one's number."""
    conditions = _conditions(ledger_id, wanted, before)
    if account is None:
        sides = [select(JOURNAL.c.number).where(*conditions)]
    else:
        sides = [
            select(JOURNAL.c.number).where(text(entries).bindparams(account=account), *conditions)
            for entries in (entries.replace("%(account)s", ":account") for entries in ENTRIES)
        ]
    newest = [side.order_by(JOURNAL.c.number.desc()).distinct().limit(limit).subquery() for side in sides]
    merged = union_all(*(select(side.c.number) for side in newest)).subquery()
    statement = select(merged.c.number).distinct().order_by(merged.c.number.desc()).limit(limit)
    return list(connection.execute(statement).scalars())


def _conditions(ledger_id: int, wanted: TransactionFilter, before: int) -> list[Any]:
    found: list[Any] = [
        JOURNAL.c.ledger_id == ledger_id,
        JOURNAL.c.number < before,
        JOURNAL.c.kind.in_(POSTING_KINDS),
    ]
    if wanted.amount_minor_min is not None:
        found.append(JOURNAL.c.amount >= _exact(wanted.amount_minor_min))
    if wanted.amount_minor_max is not None:
        found.append(JOURNAL.c.amount <= _exact(wanted.amount_minor_max))
    for column, since, until in (
        (JOURNAL.c.effective_at, wanted.effective_from, wanted.effective_to),
        (JOURNAL.c.recorded_at, wanted.recorded_from, wanted.recorded_to),
    ):
        if since is not None:
            found.append(column >= since)
        if until is not None:
            found.append(column <= until)
    header = JOURNAL.alias()
    if wanted.reference is not None:
        found.append(_header_fits(header, ledger_id, header.c.reference == wanted.reference))
    if wanted.metadata is not None:
        contains = cast(header.c.metadata, JSONB).contains(dict(wanted.metadata))
        found.append(_header_fits(header, ledger_id, and_(header.c.metadata.is_not(None), contains)))
    return found


def _exact(minor: int) -> Any:
    """An amount as a parameter: a plain integer would be sent as `bigint`, which ends at 19 digits."""
    return literal(Decimal(minor), JOURNAL.c.amount.type)


def _header_fits(header: Any, ledger_id: int, condition: Any) -> Any:
    return exists(
        select(header.c.number).where(
            header.c.ledger_id == ledger_id,
            header.c.number == JOURNAL.c.number,
            header.c.line == 0,
            condition,
        )
    )
