"""Failures of what keeps the ledger: databases, schemas, logs."""

from typing import Final

from ledgercore.errors.category import Category
from ledgercore.errors.reason import Reason

DATABASE_UNAVAILABLE: Final = Reason(
    "database_unavailable",
    Category.EXTERNAL_DEPENDENCY,
    "The database is unavailable",
    description="Try again later with the same idempotency key.",
)
COMMIT_OUTCOME_UNKNOWN: Final = Reason(
    "commit_outcome_unknown",
    Category.EXTERNAL_DEPENDENCY,
    "It is unknown whether the commit took place",
    description="Send the same request again under the same idempotency key: it is done only once.",
)
TOO_MUCH_CONTENTION: Final = Reason(
    "too_much_contention",
    Category.EXTERNAL_DEPENDENCY,
    "Too many requests compete for the same accounts",
    description="Try again after the delay; larger batches and fewer writers help.",
)

# A server that is set up wrongly, or data that is damaged, is not mended by trying again.
UNSAFE_DURABILITY: Final = Reason(
    "unsafe_durability",
    Category.SYSTEM,
    "The database could lose acknowledged commits",
    retryable=False,
    description="Switch on `fsync`, `full_page_writes` and `synchronous_commit` as the details say.",
)
SCHEMA_OUTDATED: Final = Reason(
    "schema_outdated",
    Category.SYSTEM,
    "The database schema is older than this version",
    retryable=False,
    description="Run the migrations before starting this version.",
)
SCHEMA_TOO_NEW: Final = Reason(
    "schema_too_new",
    Category.SYSTEM,
    "The database schema is newer than this version",
    retryable=False,
    description="Start the version that the schema was migrated to, or a later one.",
)
EMBEDDED_SERVER_FAILED: Final = Reason(
    "embedded_server_failed",
    Category.SYSTEM,
    "The embedded database server did not start",
    description="Read the server's log; check the data directory, its owner and the free space.",
)
ISOLATION_UNSUPPORTED: Final = Reason(
    "isolation_unsupported",
    Category.SYSTEM,
    "The isolation level is not supported",
    retryable=False,
    description="Hand in a connection with the isolation level given in the details.",
)
LOG_DIVERGED: Final = Reason(
    "log_diverged",
    Category.SYSTEM,
    "The ledger contradicts its log",
    retryable=False,
    description="Stop posting, run `verify` and restore what it names; the log is the record that counts.",
)
