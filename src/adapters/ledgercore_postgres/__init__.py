"""Ledgers, identity and rate limits in PostgreSQL, on SQLAlchemy Core and psycopg 3."""

from ledgercore_postgres.database import connect
from ledgercore_postgres.jobs.queue import PostgresJobQueue
from ledgercore_postgres.migration import migrate
from ledgercore_postgres.rate_limits import PostgresRateLimiter
from ledgercore_postgres.store import PostgresStore
from ledgercore_postgres.work import PostgresWorkStore

__all__ = ["PostgresJobQueue", "PostgresRateLimiter", "PostgresStore", "PostgresWorkStore", "connect", "migrate"]
