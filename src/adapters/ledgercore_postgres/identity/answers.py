"""Kept answers in PostgreSQL: of twins under one key, the unique index makes the later one wait."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from ledgercore.identity.answers import KEPT_FOR, KeptAnswer
from ledgercore_postgres.database import driver_cursor
from ledgercore_postgres.loading import ask

FORGOTTEN_MAX: Final = 2
"""How many answers are forgotten at most with each that is claimed: more than one, so that the table can shrink."""

# An answer that is kept stays as it is, yet locked, so that it can be read next. One without an answer can
# only be this unit of work's own.
_CLAIM: Final = (
    "INSERT INTO answers AS kept (scope, key, fingerprint, claimed_at) VALUES (%s, %s, %s, %s)"
    " ON CONFLICT (scope, key) DO UPDATE"
    " SET fingerprint = excluded.fingerprint, sealed = NULL, claimed_at = excluded.claimed_at"
    " WHERE kept.sealed IS NULL OR kept.claimed_at < %s"
    " RETURNING true"
)
_KEPT: Final = "SELECT fingerprint, sealed FROM answers WHERE scope = %s AND key = %s"
_KEEP: Final = "UPDATE answers SET sealed = %s WHERE scope = %s AND key = %s AND sealed IS NULL"
# Only after the claim and never waiting: whoever claims holds none of the others' rows yet. One at a time, since
# a list of places is looked up by reading the whole table when that was never analysed.
_FORGET: Final = (
    "DELETE FROM answers WHERE ctid = (SELECT ctid FROM answers WHERE claimed_at < %s"
    " ORDER BY claimed_at LIMIT 1 FOR UPDATE SKIP LOCKED)"
)


class PostgresAnswers:
    """See the port `Answers`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(self, scope: str, key: str, fingerprint: bytes, *, now: datetime) -> KeptAnswer | None:
        """See the port."""
        cursor = driver_cursor(self._connection)
        kept_since = now - KEPT_FOR
        with cursor.connection.pipeline():
            claimed = ask(cursor, _CLAIM, (scope, key, fingerprint, now, kept_since))
            for _ in range(FORGOTTEN_MAX):
                cursor.execute(_FORGET, (kept_since,))
        if claimed.fetchone() is not None:
            return None
        found = cursor.execute(_KEPT, (scope, key)).fetchone()
        assert found is not None, "claiming has locked it"
        return KeptAnswer(fingerprint=found[0], sealed=found[1])

    def keep(self, scope: str, key: str, sealed: bytes) -> None:
        """See the port."""
        kept = driver_cursor(self._connection).execute(_KEEP, (sealed, scope, key)).rowcount
        assert kept == 1, "a key is claimed before an answer is kept under it, once"
