"""The tables as SQLAlchemy Core sees them; the migrations are what creates them."""

from typing import Final

from sqlalchemy import (
    CHAR,
    BigInteger,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON

METADATA: Final = MetaData()
_AMOUNT: Final = Numeric(38, 0)
_MOMENT: Final = DateTime(timezone=True)

LEDGERS: Final = Table(
    "ledgers",
    METADATA,
    Column("ledger_id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
)

HEADS: Final = Table(
    "heads",
    METADATA,
    Column("ledger_id", Integer, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("batch", BigInteger, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("recorded_at", _MOMENT),
    Column("sealed_at", _MOMENT),
    Column("closed_through", _MOMENT),
    Column("accounts_count", Integer, nullable=False),
    Column("settings", JSON, nullable=False),
)

ACCOUNTS: Final = Table(
    "accounts",
    METADATA,
    Column("ledger_id", Integer, primary_key=True),
    Column("account", Integer, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("latest_effective_at", _MOMENT),
    Column("opened_at", _MOMENT, nullable=False),
    Column("exponent", SmallInteger, nullable=False),
    Column("balance", _AMOUNT, nullable=False),
    Column("pending_debits", _AMOUNT, nullable=False),
    Column("pending_credits", _AMOUNT, nullable=False),
    Column("minimum", _AMOUNT),
    Column("maximum", _AMOUNT),
    Column("type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("metadata", JSON),
)

JOURNAL: Final = Table(
    "journal",
    METADATA,
    Column("ledger_id", Integer, primary_key=True),
    Column("debit_account", Integer),
    Column("number", BigInteger, primary_key=True),
    Column("effective_at", _MOMENT, nullable=False),
    Column("recorded_at", _MOMENT, nullable=False),
    Column("credit_account", Integer),
    Column("line", SmallInteger, primary_key=True),
    Column("flags", SmallInteger, nullable=False),
    Column("kind", CHAR(1), nullable=False),
    Column("id", Uuid, nullable=False),
    Column("amount", _AMOUNT),
    Column("debit_balance", _AMOUNT),
    Column("credit_balance", _AMOUNT),
    Column("key", Text),
    Column("description", Text),
    Column("reference", Text),
    Column("metadata", JSON),
    Column("subject", Uuid),
    Column("fingerprint", LargeBinary),
    Column("body", JSON),
)

LOG: Final = Table(
    "log",
    METADATA,
    Column("ledger_id", Integer, primary_key=True),
    Column("batch", BigInteger, primary_key=True),
    Column("first_number", BigInteger, nullable=False),
    Column("last_number", BigInteger, nullable=False),
    Column("recorded_at", _MOMENT, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("head", LargeBinary, nullable=False),
)

HOLDS: Final = Table(
    "holds",
    METADATA,
    Column("ledger_id", Integer, primary_key=True),
    Column("hold_id", Uuid, primary_key=True),
    Column("status", Text, nullable=False),
    Column("placed_at", _MOMENT, nullable=False),
    Column("expires_at", _MOMENT),
    Column("tolerance_bps", Integer, nullable=False),
    Column("hold_group", Text),
    Column("lines", JSON, nullable=False),
    Column("accounts", ARRAY(Text), nullable=False),
    Column("description", Text),
    Column("metadata", JSON),
    Column("replaces", Uuid),
)
