"""An account's register: its entries in recorded order, each with the running balance."""

from typing import Any, Final

from psycopg import Cursor

from ledgercore.ledger.log.logged import JournalRow
from ledgercore_postgres import loading

EVERYTHING: Final = 2**62
"""Above every record's number."""

# What an account's entries are found by, each part in an index of its own.
ENTRIES: Final = (
    "debit_account = %(account)s AND (flags & 1) = 0",
    "debit_account = %(account)s AND (flags & 1) <> 0",
    "credit_account = %(account)s AND (flags & 2) = 0",
    "credit_account = %(account)s AND (flags & 2) <> 0",
)


def entry_rows(
    cursor: Cursor[Any],
    ledger_id: int,
    account: int,
    after: tuple[int, int] | None,
    limit: int,
    newest_first: bool,
) -> list[JournalRow]:
    """The rows of an account's next entries after a place, in recorded order or against it."""
    comparison, order = ("<", "DESC") if newest_first else (">", "ASC")
    bound = after or ((EVERYTHING, 0) if newest_first else (0, 0))
    part = (
        f"(SELECT {loading.ROW_FIELDS} FROM journal WHERE ledger_id = %(ledger)s AND {{entries}}"
        f" AND (number, line) {comparison} (%(number)s, %(line)s)"
        f" ORDER BY number {order}, line {order} LIMIT %(limit)s)"
    )
    parts = " UNION ALL ".join(part.format(entries=entries) for entries in ENTRIES)
    cursor.execute(
        f"{parts} ORDER BY number {order}, line {order} LIMIT %(limit)s",
        {"ledger": ledger_id, "account": account, "number": bound[0], "line": bound[1], "limit": limit},
    )
    rows = [loading.journal_row(row) for row in cursor.fetchall()]
    if not rows:
        return rows
    return _with_descriptions(cursor, ledger_id, rows)


def _with_descriptions(cursor: Cursor[Any], ledger_id: int, rows: list[JournalRow]) -> list[JournalRow]:
    """Lines after a transaction's first carry no description of their own: take the first's."""
    later = [row.number for row in rows if row.line]
    if not later:
        return rows
    cursor.execute(
        "SELECT number, description FROM journal WHERE ledger_id = %s AND number = ANY(%s) AND line = 0",
        (ledger_id, later),
    )
    descriptions = dict(cursor.fetchall())
    return [row._replace(description=descriptions[row.number]) if row.line else row for row in rows]
