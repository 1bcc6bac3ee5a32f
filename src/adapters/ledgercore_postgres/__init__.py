"""Ledgers in PostgreSQL, on SQLAlchemy Core and psycopg 3."""

from ledgercore_postgres.database import connect
from ledgercore_postgres.migration import migrate
from ledgercore_postgres.store import PostgresStore

__all__ = ["PostgresStore", "connect", "migrate"]
