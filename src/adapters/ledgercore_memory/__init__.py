"""Ledgers in memory: the reference that other adapters are held against, and a store for tests."""

from ledgercore_memory.journal import MemoryJournal
from ledgercore_memory.store import MemoryStore

__all__ = ["MemoryJournal", "MemoryStore"]
