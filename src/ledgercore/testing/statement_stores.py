"""The suite for a store of statements: every promise of its port, and the use cases over it."""

from ledgercore.testing.statement_imports import ImportContract
from ledgercore.testing.statement_matches import ReconciliationContract
from ledgercore.testing.statement_reading import ReadingContract


class StatementStoreContract(ImportContract, ReadingContract, ReconciliationContract):
    """Subclass it, override the fixtures `store` and `statements`, and run pytest."""
