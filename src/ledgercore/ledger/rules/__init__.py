"""The rules of the ledger: one pure engine and what it decides by."""
