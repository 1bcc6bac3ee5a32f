"""Bank statements: what they say, that they add up, and which entries of the ledger they explain."""
