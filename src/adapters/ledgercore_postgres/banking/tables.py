"""The tables of banking as SQLAlchemy Core sees them; the migrations are what creates them."""

from typing import Final

from sqlalchemy import Column, DateTime, Integer, LargeBinary, Numeric, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSON

from ledgercore_postgres.tables import METADATA

_AMOUNT: Final = Numeric(38, 0)
_MOMENT: Final = DateTime(timezone=True)

BANKS: Final = Table(
    "banks",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("integration", Text, nullable=False),
    Column("logo_url", Text),
    Column("api_url", Text),
    Column("authorize_url", Text),
    Column("token_url", Text),
    Column("client_id", Text),
    Column("sealed_client_secret", LargeBinary),
    Column("inserted_at", _MOMENT, nullable=False),
    Column("updated_at", _MOMENT, nullable=False),
)

BRANCHES: Final = Table(
    "bank_branches",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("bank_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("iban", Text),
    Column("swift_code", Text),
    Column("routing_number", Text),
    Column("inserted_at", _MOMENT, nullable=False),
    Column("updated_at", _MOMENT, nullable=False),
)

LOGINS: Final = Table(
    "bank_logins",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("bank_branch_id", Uuid, nullable=False),
    Column("username", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_reason", Text),
    Column("sync_frequency_seconds", Integer, nullable=False),
    Column("sealed_tokens", LargeBinary),
    Column("tokens_version", Integer, nullable=False),
    Column("token_expires_at", _MOMENT),
    Column("consent_expires_at", _MOMENT),
    Column("last_sync_at", _MOMENT),
    Column("next_sync_at", _MOMENT),
    Column("last_run_at", _MOMENT),
    Column("run_id", Uuid),
    Column("run_started_at", _MOMENT),
    Column("run_leased_until", _MOMENT),
    Column("inserted_at", _MOMENT, nullable=False),
    Column("updated_at", _MOMENT, nullable=False),
)

CONSENTS: Final = Table(
    "bank_consents",
    METADATA,
    Column("state_digest", LargeBinary, primary_key=True),
    Column("bank_login_id", Uuid, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("expires_at", _MOMENT, nullable=False),
)

ACCOUNTS: Final = Table(
    "bank_accounts",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("user_bank_login_id", Uuid, nullable=False),
    Column("currency", Text, nullable=False),
    Column("account_type", Text, nullable=False),
    Column("account_name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("last_four", Text),
    Column("external_account_id", Text),
    Column("iban", Text),
    Column("credit_limit_minor", _AMOUNT, nullable=False),
    Column("last_sync_at", _MOMENT),
    Column("sync_cursor", Text),
    Column("inserted_at", _MOMENT, nullable=False),
    Column("updated_at", _MOMENT, nullable=False),
)

ROWS: Final = Table(
    "bank_rows",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("external_id", Text),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("signed_minor", _AMOUNT, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    Column("transaction_id", Uuid),
    Column("payment_id", Uuid),
    Column("listing_id", Uuid, nullable=False),
    Column("body", JSON, nullable=False),
)

FINDINGS: Final = Table(
    "bank_findings",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("details", JSON, nullable=False),
    Column("found_at", _MOMENT, nullable=False),
    Column("seen_at", _MOMENT, nullable=False),
    Column("resolved_at", _MOMENT),
)
