"""The tables of payments as SQLAlchemy Core sees them; the migrations are what creates them."""

from typing import Final

from sqlalchemy import Column, DateTime, Integer, Numeric, SmallInteger, Table, Text, Uuid

from ledgercore_postgres.tables import METADATA

_AMOUNT: Final = Numeric(38, 0)
_MOMENT: Final = DateTime(timezone=True)

PAYMENTS: Final = Table(
    "payments",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("user_bank_account_id", Uuid, nullable=False),
    Column("minor", _AMOUNT, nullable=False),
    Column("currency", Text, nullable=False),
    Column("exponent", SmallInteger, nullable=False),
    Column("direction", Text, nullable=False),
    Column("payment_type", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("failure", Text),
    Column("posted_at", _MOMENT),
    Column("transaction_id", Uuid),
    Column("external_transaction_id", Text),
    Column("inserted_at", _MOMENT, nullable=False),
    Column("updated_at", _MOMENT, nullable=False),
)

RETURNS: Final = Table(
    "payment_returns",
    METADATA,
    Column("payment_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("minor", _AMOUNT, nullable=False),
    Column("currency", Text, nullable=False),
    Column("exponent", SmallInteger, nullable=False),
    Column("transaction_id", Uuid, nullable=False),
    Column("returned_at", _MOMENT, nullable=False),
)
