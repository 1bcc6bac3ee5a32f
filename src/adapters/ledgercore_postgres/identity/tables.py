"""The tables of identity as SQLAlchemy Core sees them; the migrations are what creates them."""

from typing import Final

from sqlalchemy import BigInteger, Column, Computed, DateTime, Integer, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from ledgercore_postgres.tables import METADATA

_MOMENT: Final = DateTime(timezone=True)

USERS: Final = Table(
    "users",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("email", Text, nullable=False),
    Column("full_name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("inserted_at", _MOMENT, nullable=False),
    Column("updated_at", _MOMENT, nullable=False),
)

SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("token_id", Text, nullable=False),
    Column("started_at", _MOMENT, nullable=False),
    Column("rotated_at", _MOMENT, nullable=False),
    Column("expires_at", _MOMENT, nullable=False),
    Column("revoked_at", _MOMENT),
)

SERVICE_TOKENS: Final = Table(
    "service_tokens",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("ledgers", ARRAY(Text)),
    Column("issued_at", _MOMENT, nullable=False),
    Column("expires_at", _MOMENT),
    Column("revoked_at", _MOMENT),
    Column("last_used_at", _MOMENT),
)

MEMBERSHIPS: Final = Table(
    "memberships",
    METADATA,
    Column("ledger_id", Integer, primary_key=True),
    Column("user_id", Uuid, primary_key=True),
    Column("access", Text, nullable=False),
    Column("granted_at", _MOMENT, nullable=False),
)

AUDIT: Final = Table(
    "audit",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("recorded_at", _MOMENT, nullable=False),
    Column("action", Text, Computed("body ->> 'action'"), nullable=False),
    Column("actor", Text, Computed("body ->> 'actor'"), nullable=False),
    Column("target", Text, Computed("body ->> 'target'")),
    Column("correlation_id", Text, Computed("body ->> 'correlation_id'")),
    Column("body", JSON, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("head", LargeBinary, nullable=False),
)

ANSWERS: Final = Table(
    "answers",
    METADATA,
    Column("scope", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("sealed", LargeBinary),
    Column("claimed_at", _MOMENT, nullable=False),
)

RATE_LIMITS: Final = Table(
    "rate_limits",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("even_at", _MOMENT, nullable=False),
    Column("judged_at", _MOMENT, nullable=False),
    Column("weight", BigInteger, nullable=False),
    Column("burst", BigInteger, nullable=False),
    Column("asked", BigInteger, nullable=False),
    Column("granted", BigInteger, nullable=False),
)
