"""The types of events that the bank publishes; those of a ledger are the kinds of its records."""

from typing import Final

BANK_TYPES: Final = frozenset(
    {
        "payment.created", "payment.processing", "payment.completed", "payment.failed", "payment.cancelled",
        "payment.returned", "balance.changed", "bank_login.connected", "bank_login.disconnected", "bank_login.failed",
        "bank_login.synced", "account.synced", "bank.finding", "statement.imported",
    }
)  # fmt: skip
"""Every type that users can subscribe to."""
