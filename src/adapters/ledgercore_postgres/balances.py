"""Balances at a point on both time axes, by index walks of bounded length.

Entries that came in effective order have an index for each account in which recorded order and
effective order agree; late ones have another. The first of the former that counts after the wanted
time is found by halving the journal's numbers. It bounds a stretch of the journal that counts whole,
and the balance at its end was stored with the entry that made it. Only late entries recorded after
that are added one by one.
"""

from typing import Final

BALANCES_NOW: Final = """
    SELECT path, type, currency, exponent, balance::text
    FROM accounts
    WHERE ledger_id = :ledger AND {which}
    ORDER BY path
"""

BY_PATHS: Final = "path = ANY(:paths)"
BELOW: Final = "(path = :prefix OR (path >= :prefix || ':' AND path < :prefix || ';'))"
ALL: Final = "TRUE"
OPENED_BY: Final = " AND opened_at <= :recorded_at"
"""What was not open at a recorded time is not listed for it: the same question always has the same answer."""


def _sides(branch: str, *, last: str = "") -> str:
    """A query of both sides of an account's entries, each from its own indexes."""
    branches = [branch.format(side="debit", late=1), branch.format(side="credit", late=2)]
    return " UNION ALL ".join(f"({part})" for part in branches) + last


_NEXT_IN_ORDER: Final = _sides(
    """
    SELECT j.number, j.effective_at FROM journal AS j
    WHERE j.ledger_id = :ledger AND j.{side}_account = a.account AND (j.flags & {late}) = 0
      AND j.number > here.number AND j.number <= here.last_number
    ORDER BY j.number LIMIT 1
    """,
    last=" ORDER BY number LIMIT 1",
)
_LAST_BALANCE: Final = " UNION ALL ".join(
    _sides(
        """
        SELECT j.number, j.line, j.{side}_balance AS balance FROM journal AS j
        WHERE j.ledger_id = :ledger AND j.{side}_account = a.account AND (j.flags & {late}) """
        + in_order
        + """ AND j.number <= bound.number
        ORDER BY j.number DESC, j.line DESC LIMIT 1
        """
    )
    for in_order in ("= 0", "<> 0")
)
_LATE: Final = _sides(
    """
    SELECT CASE WHEN (a.type IN ('asset', 'expense')) = ('{side}' = 'debit') THEN j.amount ELSE -j.amount END AS raised
    FROM journal AS j
    WHERE j.ledger_id = :ledger AND j.{side}_account = a.account AND (j.flags & {late}) <> 0
      AND j.effective_at <= :effective_at AND j.number > bound.number AND j.number <= :last_number
    """
)

# In the search, entries in order up to `low` count; those above `high` do not, or are not asked for.
BALANCES_AT: Final = f"""
    SELECT a.path, a.type, a.currency, a.exponent, (coalesce(upto.balance, 0) + late.total)::text
    FROM accounts AS a
    CROSS JOIN LATERAL (
        WITH RECURSIVE search (low, high) AS (
            SELECT CASE WHEN a.latest_effective_at <= :effective_at THEN CAST(:last_number AS bigint) ELSE 0 END,
                CAST(:last_number AS bigint)
            UNION ALL
            SELECT CASE WHEN probe.effective_at <= :effective_at THEN probe.number ELSE here.low END,
                CASE WHEN probe.effective_at <= :effective_at THEN here.last_number ELSE here.number END
            FROM (SELECT low, (low + high) / 2 AS number, high AS last_number FROM search WHERE low < high) AS here
            LEFT JOIN LATERAL ({_NEXT_IN_ORDER}) AS probe ON TRUE
        )
        SELECT coalesce(probe.number - 1, here.last_number) AS number
        FROM (SELECT max(low) AS number, CAST(:last_number AS bigint) AS last_number FROM search) AS here
        LEFT JOIN LATERAL ({_NEXT_IN_ORDER}) AS probe ON TRUE
    ) AS bound
    LEFT JOIN LATERAL (
        SELECT entry.balance FROM ({_LAST_BALANCE}) AS entry
        ORDER BY entry.number DESC, entry.line DESC LIMIT 1
    ) AS upto ON TRUE
    CROSS JOIN LATERAL (SELECT coalesce(sum(raised), 0) AS total FROM ({_LATE}) AS entry) AS late
    WHERE a.ledger_id = :ledger AND {{which}}
    ORDER BY a.path
"""
