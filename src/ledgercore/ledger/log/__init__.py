"""The append-only log: records, their bytes and hashes, and what follows from them."""
