"""Ledgers, identity and rate limits in memory: what other adapters are held against, and stores for tests."""

from ledgercore_memory.jobs.queue import MemoryJobQueue
from ledgercore_memory.journal import MemoryJournal
from ledgercore_memory.rate_limits import MemoryRateLimiter
from ledgercore_memory.store import MemoryStore
from ledgercore_memory.work import MemoryWorkStore

__all__ = ["MemoryJobQueue", "MemoryJournal", "MemoryRateLimiter", "MemoryStore", "MemoryWorkStore"]
