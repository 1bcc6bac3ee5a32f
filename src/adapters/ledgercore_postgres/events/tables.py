"""The tables of events as SQLAlchemy Core sees them; the migrations are what creates them."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from ledgercore_postgres.tables import METADATA

_MOMENT: Final = DateTime(timezone=True)

EVENTS: Final = Table(
    "events",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Uuid, nullable=False),
    Column("occurred_at", _MOMENT, nullable=False),
    Column("type", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("owner_id", Uuid),
    Column("data", JSON, nullable=False),
)

ENDPOINTS: Final = Table(
    "webhook_endpoints",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", Uuid, nullable=False),
    Column("url", Text, nullable=False),
    Column("types", ARRAY(Text), nullable=False),
    Column("ledger", Text),
    Column("after_number", BigInteger, nullable=False),
    Column("replays", Integer, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("previous_secret", LargeBinary),
    Column("previous_until", _MOMENT),
    Column("status", Text, nullable=False),
    Column("disabled_reason", Text),
    Column("failing", Boolean, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    Column("updated_at", _MOMENT, nullable=False),
)

DELIVERIES: Final = Table(
    "webhook_deliveries",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("endpoint_id", Uuid, nullable=False),
    Column("replay", Integer, nullable=False),
    Column("event_number", BigInteger, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", JSON, nullable=False),
    Column("next_attempt_at", _MOMENT),
    Column("created_at", _MOMENT, nullable=False),
)

RECEIVED: Final = Table(
    "webhooks_received",
    METADATA,
    Column("provider", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("sent_at", _MOMENT, nullable=False),
    Column("received_at", _MOMENT, nullable=False),
    Column("body", JSON, nullable=False),
)
