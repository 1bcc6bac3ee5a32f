"""The commands of ledgercore for a terminal."""
