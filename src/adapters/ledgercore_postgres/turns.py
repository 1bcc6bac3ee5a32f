"""Whose turn it is to number: the audit log and the events are numbered in the order of commits, without gaps.

One lock for both, so that no two units of work wait for one another in a circle, whichever of the two they write to
first. It is held until the unit of work ends, and so are the numbers that were given out under it.
"""

from collections.abc import Sequence
from typing import Any, Final, LiteralString

from psycopg import Cursor

from ledgercore_postgres.loading import ask

_LOCK: Final = 0x1ED6E2C1
_TAKE_TURN: Final = "SELECT pg_advisory_xact_lock(%s)"


def take_turn(cursor: Cursor[Any], last: LiteralString) -> Sequence[Any] | None:
    """Wait until nobody else numbers, and read the last row by the statement `last`, which sees what they stored."""
    with cursor.connection.pipeline():
        cursor.execute(_TAKE_TURN, (_LOCK,))
        answer = ask(cursor, last, ())
    return answer.fetchone()
