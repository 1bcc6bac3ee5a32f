"""The tables of statements as SQLAlchemy Core sees them; the migrations are what creates them."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from ledgercore_postgres.tables import METADATA

_MOMENT: Final = DateTime(timezone=True)
_MINOR: Final = Numeric(38, 0)

STATEMENTS: Final = Table(
    "statements",
    METADATA,
    Column("ledger_id", Integer, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("account", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("format", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("imported_at", _MOMENT, nullable=False),
    Column("bank_account", Text),
    Column("reference", Text),
    Column("number", Text),
    Column("currency", Text, nullable=False),
    Column("exponent", SmallInteger, nullable=False),
    Column("opening_minor", _MINOR),
    Column("opening_on", Date),
    Column("closing_minor", _MINOR),
    Column("closing_on", Date),
    Column("difference_minor", _MINOR),
    Column("entries_count", Integer, nullable=False),
    Column("pending_count", Integer, nullable=False),
    Column("lines_added", Integer, nullable=False),
    Column("warnings", ARRAY(Text), nullable=False),
)

STATEMENT_LINES: Final = Table(
    "statement_lines",
    METADATA,
    Column("ledger_id", Integer, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("account", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("statement_id", Uuid, nullable=False),
    Column("identity", LargeBinary, nullable=False),
    Column("direction", Text, nullable=False),
    Column("amount", _MINOR, nullable=False),
    Column("currency", Text, nullable=False),
    Column("exponent", SmallInteger, nullable=False),
    Column("booked_on", Date),
    Column("value_on", Date),
    Column("text", Text, nullable=False),
    Column("counterparty", Text),
    Column("counterparty_account", Text),
    Column("bank_id", Text),
    Column("references", ARRAY(Text), nullable=False),
    Column("structured_references", ARRAY(Text), nullable=False),
    Column("is_reversal", Boolean, nullable=False),
)

MATCHES: Final = Table(
    "matches",
    METADATA,
    Column("ledger_id", Integer, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("account", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("made_at", _MOMENT, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("why", JSON, nullable=False),
    Column("tolerance_minor", _MINOR, nullable=False),
    Column("tolerance_account", Text),
    Column("tolerance_transaction_id", Uuid),
    Column("undone_at", _MOMENT),
    Column("undone_by", Text),
)

MATCH_PARTS: Final = Table(
    "match_parts",
    METADATA,
    Column("ledger_id", Integer, primary_key=True),
    Column("match_id", Uuid, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("item_id", Uuid, primary_key=True),
    Column("account", Text, nullable=False),
    Column("signed_minor", _MINOR, nullable=False),
    Column("stands", Boolean, nullable=False),
)
