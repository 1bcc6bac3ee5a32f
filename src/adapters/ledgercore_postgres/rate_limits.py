"""Rate limits in PostgreSQL: exact among all processes that share the database, by its clock."""

import threading
from collections.abc import Iterator, Mapping, Sequence, Sized
from datetime import datetime
from typing import Any, Final

from psycopg import Cursor
from sqlalchemy import Engine

from ledgercore.clock import TICK
from ledgercore.rate_limits import Quota, Take, Taken, decide_take
from ledgercore_postgres.database import borrowed_alone, driver_cursor, teach_arrays
from ledgercore_postgres.parameters import BigIntegers, Texts

SWEEP_EVERY: Final = 500
"""After so many keys twice as many are looked at, and what is even again is forgotten: the table stays in bounds."""

# Each row is judged by the time at which its turn has come, and keeps what its caller is told from. What was
# asked and under which quota reaches the judgement of a row that is there through `excluded`. Rows are locked in
# the order they are sent in, which is that of the keys.
_TAKE: Final = (
    "INSERT INTO rate_limits AS kept (key, even_at, judged_at, weight, burst, asked, granted)"
    " SELECT key, at + least(asked, burst) * weight * interval '1 microsecond', at, weight, burst, asked,"
    " least(asked, burst) FROM (SELECT clock_timestamp() AS at) AS now,"
    " unnest(%b, %b, %b, %b) AS wanted (key, weight, burst, asked)"
    " ON CONFLICT (key) DO UPDATE SET (even_at, judged_at, weight, burst, asked, granted) = ("
    "SELECT before + let_through * excluded.weight * interval '1 microsecond', at,"
    " excluded.weight, excluded.burst, excluded.asked, let_through"
    " FROM (SELECT clock_timestamp() AS at) AS now,"
    " LATERAL (SELECT greatest(kept.even_at, at) AS before) AS account,"
    " LATERAL (SELECT excluded.burst - CAST(ceil(extract(epoch FROM before - at) * 1000000 / excluded.weight)"
    " AS bigint) AS free) AS room,"
    " LATERAL (SELECT least(excluded.asked, greatest(free, 0)) AS let_through) AS judged)"
    " RETURNING key, even_at, judged_at, granted"
)
# Never waiting for a row, since rows are not met in the order of their keys here.
_SWEEP: Final = (
    "WITH looked_at AS MATERIALIZED (SELECT key FROM rate_limits WHERE key > %s ORDER BY key LIMIT %s),"
    " forgotten AS (DELETE FROM rate_limits WHERE ctid = ANY (ARRAY("
    "SELECT even.ctid FROM looked_at, LATERAL (SELECT ctid FROM rate_limits WHERE key = looked_at.key"
    " AND even_at <= clock_timestamp() LIMIT 1 FOR UPDATE SKIP LOCKED) AS even)))"
    " SELECT coalesce(max(key), '') FROM looked_at"
)


class PostgresRateLimiter:
    """Keeps the promises of the `RateLimiter` port; what it knows is lost with the server, and only then."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._judged_count = 0
        self._swept_through = ""
        teach_arrays(engine)

    def take(self, takes: Sequence[Take]) -> Sequence[Taken]:
        """See the port. One statement, unless a key comes with several quotas."""
        answers: dict[int, Taken] = {}
        waiting = dict(enumerate(takes))
        while waiting:
            quotas, places = _next_round(waiting)
            with borrowed_alone(self._engine) as connection:
                cursor = driver_cursor(connection)
                for key, even_at, judged_at, granted in _take(cursor, quotas, places):
                    before = even_at - granted * quotas[key].interval
                    answers.update(zip(places[key], _told(before, quotas[key], judged_at), strict=False))
                self._sweep(cursor, len(places))
            waiting = {place: take for place, take in waiting.items() if place not in answers}
        return [answers[place] for place in range(len(takes))]

    def _sweep(self, cursor: Cursor[Any], judged_count: int) -> None:
        """Now and then forget some keys that are even again."""
        with self._lock:
            self._judged_count += judged_count
            if self._judged_count < SWEEP_EVERY:
                return
            keys_count, self._judged_count = 2 * self._judged_count, 0
        [(self._swept_through,)] = cursor.execute(_SWEEP, (self._swept_through, keys_count)).fetchall()


def _next_round(waiting: Mapping[int, Take]) -> tuple[dict[str, Quota], dict[str, list[int]]]:
    """Each key with a quota, and the places of the requests up to the first under another one."""
    quotas: dict[str, Quota] = {}
    places: dict[str, list[int]] = {}
    later = set()
    for place, take in waiting.items():
        if quotas.setdefault(take.key, take.quota) != take.quota:
            later.add(take.key)
        if take.key not in later:
            places.setdefault(take.key, []).append(place)
    return quotas, places


def _take(cursor: Cursor[Any], quotas: Mapping[str, Quota], places: Mapping[str, Sized]) -> list[Any]:
    keys = sorted(places)
    columns = (
        Texts(keys),
        BigIntegers(quotas[key].interval // TICK for key in keys),
        BigIntegers(quotas[key].limit for key in keys),
        BigIntegers(len(places[key]) for key in keys),
    )
    return cursor.execute(_TAKE, columns).fetchall()


def _told(even_at: datetime, quota: Quota, now: datetime) -> Iterator[Taken]:
    """What each of the requests on a key is told, as they were judged there."""
    while True:
        taken, even_at = decide_take(even_at, quota, now)
        yield taken
