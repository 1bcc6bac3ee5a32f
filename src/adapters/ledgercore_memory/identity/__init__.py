"""Identity in memory: users, sessions, service tokens, memberships, the audit log and kept answers."""

from ledgercore_memory.identity.store import MemoryIdentityStore

__all__ = ["MemoryIdentityStore"]
