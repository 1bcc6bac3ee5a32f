"""Asks that arrive at the same time leave together: gathered commits, for threads and asyncio."""

from ledgercore_gather.gatherer import Failed, Gatherer
from ledgercore_gather.journal import GatheredJournal, append_each

__all__ = ["Failed", "GatheredJournal", "Gatherer", "append_each"]
