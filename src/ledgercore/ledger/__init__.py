"""The double-entry ledger: accounts, transactions, holds, and the log that proves them."""
