"""Ledgers, identity and rate limits in memory: what other adapters are held against, and stores for tests."""

from ledgercore_memory.identity import MemoryIdentityStore
from ledgercore_memory.journal import MemoryJournal
from ledgercore_memory.rate_limits import MemoryRateLimiter
from ledgercore_memory.store import MemoryStore

__all__ = ["MemoryIdentityStore", "MemoryJournal", "MemoryRateLimiter", "MemoryStore"]
