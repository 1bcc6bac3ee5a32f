"""What statements and reconciliation need from a store, and from whoever reads files."""

from typing import Protocol

from ledgercore.events.ports import Work as EventsWork


class Work(EventsWork, Protocol):
    """A unit of work with statements."""
