"""Jobs in the unit of work that causes or completes them, in PostgreSQL."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor
from sqlalchemy import Connection, select, update

from ledgercore.clock import EPOCH, Clock
from ledgercore.errors import ConflictError
from ledgercore.errors.catalog import JOB_LEASE_LOST
from ledgercore.ids import TimeOrderedIds
from ledgercore.jobs.jobs import Claim, Job, JobState, NewJob
from ledgercore.jobs.ports import JobFilter, QueueCounts
from ledgercore_postgres.database import driver_cursor
from ledgercore_postgres.jobs.tables import COLUMNS, FIELDS, JOBS, job_of, values_of
from ledgercore_postgres.loading import ask
from ledgercore_postgres.parameters import Integers, Moments, Texts, Uuids

_INTENTS: Final = 0x1ED6E6
"""The class of the advisory locks that stand for kinds and keys."""

# Whoever enqueues the same intent waits here until it is seen whether the other one did. Two intents may share a
# number, and then wait without need.
_LOCK_INTENTS: Final = "SELECT pg_advisory_xact_lock(%s, number) FROM unnest(%b) AS intents (number)"
_TWINS: Final = (
    "SELECT wanted.kind, wanted.key, found.id FROM unnest(%b, %b, %b) AS wanted (kind, key, since),"
    " LATERAL (SELECT id FROM jobs WHERE kind = wanted.kind AND unique_key = wanted.key AND enqueued_at > wanted.since"
    " AND state NOT IN ('cancelled', 'dead') ORDER BY enqueued_at DESC, id DESC LIMIT 1) AS found"
)
_LAST_OF: Final = (
    f"SELECT {FIELDS} FROM unnest(%b) AS wanted (key), LATERAL (SELECT * FROM jobs"
    " WHERE kind = %s AND unique_key = wanted.key ORDER BY enqueued_at DESC, id DESC LIMIT 1) AS jobs"
)
# As one text, whatever is missing in a job and however many there are; the arguments are texts in it, so that they
# may say whatever JSON can.
_INSERT: Final = (
    "INSERT INTO jobs (id, kind, arguments, queue, priority, state, run_at, attempts, enqueued_at, unique_key,"
    " failures, suspect, correlation_id)"
    " SELECT id, kind, arguments::json, queue, priority, 'waiting', run_at, 0, %s, unique_key, '[]', false,"
    " correlation_id"
    " FROM json_to_recordset(%s::json) AS new (id uuid, kind text, arguments text, queue text, priority smallint,"
    " run_at timestamptz, unique_key text, correlation_id text)"
)
_COMPLETE: Final = (
    "UPDATE jobs SET state = 'done', finished_at = %s, leased_until = NULL FROM unnest(%b, %b) AS claimed (id, attempt)"
    " WHERE jobs.id = claimed.id AND jobs.attempts = claimed.attempt AND jobs.state = 'running'"
)
# Each part by an index of its own that holds only such jobs.
_COUNTS: Final = (
    "SELECT queue, 'waiting', count(*), min(run_at) FILTER (WHERE run_at <= %s) FROM jobs WHERE state = 'waiting'"
    " GROUP BY queue"
    " UNION ALL SELECT queue, 'running', count(*), NULL FROM jobs WHERE state = 'running' GROUP BY queue"
    " UNION ALL SELECT queue, 'dead', count(*), NULL FROM jobs WHERE state = 'dead' GROUP BY queue"
)

_PRUNE: Final = (
    "DELETE FROM jobs WHERE id = ANY(ARRAY(SELECT id FROM jobs WHERE state IN ('done', 'cancelled')"
    " AND finished_at < %s ORDER BY finished_at LIMIT %s FOR UPDATE SKIP LOCKED))"
)


class PostgresJobs:
    """See the port `Jobs`."""

    def __init__(self, connection: Connection, *, clock: Clock, ids: TimeOrderedIds) -> None:
        self._connection = connection
        self._clock = clock
        self._ids = ids

    def enqueue(self, new: Sequence[NewJob]) -> Sequence[UUID]:
        """See the port. One statement, and two more when there are unique ones, however many they are."""
        if not new:
            return []
        now = self._clock()
        cursor = driver_cursor(self._connection)
        known = _twins(cursor, new, now=now)
        draw = self._ids.batch(now)
        ids: list[UUID] = []
        rows: list[dict[str, Any]] = []
        for each in new:
            drawn = UUID(bytes=draw())
            id = drawn if each.unique_key is None else known.setdefault((each.kind, each.unique_key), drawn)
            if id == drawn:
                rows.append(_row(each, id, now))
            ids.append(id)
        if rows:
            cursor.execute(_INSERT, (now, json.dumps(rows)))
        return ids

    def complete(self, claims: Sequence[Claim]) -> None:
        """See the port. One statement, however many they are."""
        claims = sorted(claims, key=lambda claim: claim.job.id)
        ids, attempts = Uuids(claim.job.id.bytes for claim in claims), Integers(claim.attempt for claim in claims)
        completed = driver_cursor(self._connection).execute(_COMPLETE, (self._clock(), ids, attempts)).rowcount
        if completed < len(claims):
            raise ConflictError(
                JOB_LEASE_LOST, job_ids=[claim.job.id for claim in claims], lost=len(claims) - completed
            )

    def find(self, id: UUID) -> Job | None:
        """See the port."""
        found = self._connection.execute(select(*COLUMNS).where(JOBS.c.id == id).with_for_update()).first()
        return None if found is None else job_of(found)

    def save(self, job: Job) -> None:
        """See the port."""
        self._connection.execute(update(JOBS).where(JOBS.c.id == job.id).values(values_of(job)))

    def last_of(self, kind: str, unique_keys: Sequence[str]) -> Mapping[str, Job]:
        """See the port."""
        found = driver_cursor(self._connection).execute(_LAST_OF, (Texts(sorted(set(unique_keys))), kind))
        return {str(job.unique_key): job for job in map(job_of, found.fetchall())}

    def list_after(self, wanted: JobFilter, *, after: UUID | None, limit: int) -> Sequence[Job]:
        """See the port."""
        columns = ((JOBS.c.queue, wanted.queue), (JOBS.c.kind, wanted.kind), (JOBS.c.state, wanted.state))
        fitting = [column == value for column, value in columns if value is not None]
        bound = () if after is None else (JOBS.c.id < after,)
        found = select(*COLUMNS).where(*fitting, *bound).order_by(JOBS.c.id.desc()).limit(limit)
        return [job_of(row) for row in self._connection.execute(found)]

    def counts(self) -> Sequence[QueueCounts]:
        """See the port."""
        states: dict[str, dict[JobState, int]] = {}
        oldest: dict[str, datetime] = {}
        for queue, state, count, ready_at in driver_cursor(self._connection).execute(_COUNTS, (self._clock(),)):
            states.setdefault(queue, {})[JobState(state)] = count
            if ready_at is not None:
                oldest[queue] = ready_at
        return [
            QueueCounts(queue=queue, states=states[queue], oldest_ready_at=oldest.get(queue))
            for queue in sorted(states)
        ]

    def prune(self, *, finished_before: datetime, limit: int) -> int:
        """See the port. Jobs that somebody else holds are passed over."""
        return driver_cursor(self._connection).execute(_PRUNE, (finished_before, limit)).rowcount


def _twins(cursor: Cursor[Any], new: Iterable[NewJob], *, now: datetime) -> dict[tuple[str, str], UUID]:
    """What there is of unique jobs already. From here until the unit of work ends nobody else enqueues them."""
    since = {
        (each.kind, each.unique_key): EPOCH if each.unique_for is None else now - each.unique_for
        for each in new
        if each.unique_key is not None
    }
    if not since:
        return {}
    with cursor.connection.pipeline():
        cursor.execute(_LOCK_INTENTS, (_INTENTS, Integers(sorted({_number(*intent) for intent in since}))))
        wanted = (Texts(kind for kind, _ in since), Texts(key for _, key in since), Moments(since.values()))
        answer = ask(cursor, _TWINS, wanted)
    return {(kind, key): id for kind, key, id in answer.fetchall()}


def _number(kind: str, key: str) -> int:
    return int.from_bytes(blake2b(f"{kind}\n{key}".encode(), digest_size=4).digest(), signed=True)


def _row(new: NewJob, id: UUID, now: datetime) -> dict[str, Any]:
    return {
        "id": str(id),
        "kind": new.kind,
        "arguments": json.dumps(dict(new.arguments), allow_nan=False),
        "queue": new.queue,
        "priority": new.priority,
        "run_at": (now if new.run_at is None else new.run_at).isoformat(),
        "unique_key": new.unique_key,
        "correlation_id": new.correlation_id,
    }
