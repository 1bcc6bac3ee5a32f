"""Ledgers, identity and rate limits in PostgreSQL, on SQLAlchemy Core and psycopg 3."""

from ledgercore_postgres.database import connect
from ledgercore_postgres.identity.store import PostgresIdentityStore
from ledgercore_postgres.migration import migrate
from ledgercore_postgres.rate_limits import PostgresRateLimiter
from ledgercore_postgres.store import PostgresStore

__all__ = ["PostgresIdentityStore", "PostgresRateLimiter", "PostgresStore", "connect", "migrate"]
