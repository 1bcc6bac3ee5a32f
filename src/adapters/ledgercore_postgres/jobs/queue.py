"""What workers take jobs from, in PostgreSQL: rows that others hold are passed over, so nobody waits for anybody."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import Cursor
from sqlalchemy import Connection, Engine, update

from ledgercore.clock import Clock
from ledgercore.jobs.documents import failure_document
from ledgercore.jobs.jobs import Claim, Failure
from ledgercore.jobs.leases import taken_back
from ledgercore_postgres.database import borrowed, driver_cursor, teach_arrays
from ledgercore_postgres.driver_errors import translated_errors
from ledgercore_postgres.jobs.tables import FIELDS, JOBS, job_of, values_of
from ledgercore_postgres.loading import ask
from ledgercore_postgres.parameters import Integers, Uuids

TAKEN_BACK_MAX: Final = 100
"""How many lapsed jobs are taken back at most before jobs are given out."""

_LAPSED: Final = (
    f"SELECT {FIELDS} FROM jobs WHERE state = 'running' AND queue = %s AND leased_until <= %s"
    f" ORDER BY leased_until LIMIT {TAKEN_BACK_MAX} FOR UPDATE SKIP LOCKED"
)
# A suspect is given out alone, as `given_together` has it.
_CLAIM: Final = (
    "WITH ready AS MATERIALIZED (SELECT id, priority, run_at, suspect"
    " FROM jobs WHERE state = 'waiting' AND queue = %s AND run_at <= %s AND kind = ANY(%s)"
    " ORDER BY priority, run_at, id LIMIT %s FOR UPDATE SKIP LOCKED"
    "), first AS MATERIALIZED (SELECT id, suspect FROM ready ORDER BY priority, run_at, id LIMIT 1)"
    " UPDATE jobs SET state = 'running', attempts = attempts + 1, leased_until = %s FROM ready, first"
    " WHERE jobs.id = ready.id AND (ready.id = first.id OR NOT (ready.suspect OR first.suspect))"
    f" RETURNING {FIELDS}"
)
_EXTEND: Final = (
    "WITH kept AS MATERIALIZED (SELECT jobs.id FROM unnest(%b, %b) AS claimed (id, attempt)"
    " JOIN jobs ON jobs.id = claimed.id AND jobs.attempts = claimed.attempt AND jobs.state = 'running'"
    " FOR UPDATE OF jobs SKIP LOCKED)"
    " UPDATE jobs SET leased_until = %s FROM kept WHERE jobs.id = kept.id"
    f" RETURNING {FIELDS}"
)
_FAIL: Final = (
    "UPDATE jobs SET state = %s, leased_until = NULL, finished_at = %s, run_at = coalesce(%s, run_at),"
    " failures = %s::json, suspect = false WHERE id = %s AND attempts = %s AND state = 'running'"
)
_RELEASE: Final = (
    "UPDATE jobs SET state = 'waiting', leased_until = NULL, attempts = attempts - 1"
    " FROM unnest(%b, %b) AS claimed (id, attempt)"
    " WHERE jobs.id = claimed.id AND jobs.attempts = claimed.attempt AND jobs.state = 'running'"
)


class PostgresJobQueue:
    """See the port `JobQueue`."""

    def __init__(self, engine: Engine, *, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        teach_arrays(engine)

    def claim(self, queue: str, *, kinds: Sequence[str], limit: int, lease: timedelta) -> Sequence[Claim]:
        """See the port. Two statements in one trip, unless there is something to take back."""
        now = self._clock()
        wanted = (queue, now, list(kinds))
        with self._cursor() as (connection, cursor):
            with cursor.connection.pipeline():
                lapsed = ask(cursor, _LAPSED, (queue, now))
                answer = ask(cursor, _CLAIM, (*wanted, limit, now + lease))
            taken = answer.fetchall()
            left_behind = lapsed.fetchall()
            for row in left_behind:
                job = taken_back(job_of(row), now=now)
                connection.execute(update(JOBS).where(JOBS.c.id == job.id).values(values_of(job)))
            if left_behind and not taken:
                taken = cursor.execute(_CLAIM, (*wanted, limit, now + lease)).fetchall()
        jobs = sorted(map(job_of, taken), key=lambda job: (job.priority, job.run_at, job.id))
        return [Claim(job=job) for job in jobs]

    def extend(self, claims: Sequence[Claim], *, lease: timedelta) -> Sequence[Claim]:
        """See the port. One statement; jobs that their handlers have locked are passed over."""
        with self._cursor() as (_, cursor):
            kept = cursor.execute(_EXTEND, (*_attempts(claims), self._clock() + lease)).fetchall()
        return [Claim(job=job_of(row)) for row in kept]

    def fail(self, claim: Claim, failure: Failure, *, retry_at: datetime | None) -> None:
        """See the port."""
        state, finished_at = ("waiting", None) if retry_at is not None else ("dead", self._clock())
        failures = json.dumps([failure_document(each) for each in (*claim.job.failures, failure)])
        with self._cursor() as (_, cursor):
            cursor.execute(_FAIL, (state, finished_at, retry_at, failures, claim.job.id, claim.attempt))

    def release(self, claims: Sequence[Claim]) -> None:
        """See the port."""
        with self._cursor() as (_, cursor):
            cursor.execute(_RELEASE, _attempts(claims))

    @contextmanager
    def _cursor(self) -> Iterator[tuple[Connection, Cursor[Any]]]:
        with borrowed(self._engine) as connection, translated_errors():
            yield connection, driver_cursor(connection)


def _attempts(claims: Sequence[Claim]) -> tuple[Uuids, Integers]:
    """Claims as two arrays, by id, so that nobody waits for one another in a circle."""
    ordered = sorted(claims, key=lambda claim: claim.job.id)
    return Uuids(claim.job.id.bytes for claim in ordered), Integers(claim.attempt for claim in ordered)
