"""An account with more transactions than one page of them has."""

import os

from ledgercore.identity.audit import OPERATOR
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.transactions import transfer
from ledgercore.statements.importing import StatementImport
from ledgercore.statements.matching import MatchingRules
from ledgercore.statements.reconciling import CHUNK, Reconciler
from ledgercore.testing.ledgers import eur
from ledgercore.testing.statement_imports import BANK, said, statement
from ledgercore_memory import MemoryWorkStore


def test_the_first_of_many_transactions_is_found_and_counted(memory_ledger: Ledger, memory_store, clock) -> None:
    """The oldest is on the last page."""
    store = MemoryWorkStore(memory_store, clock=clock)
    paid = [
        transfer(debit=BANK, credit="income:sales", amount=eur("1.00"), reference=f"INV-{n}", key=f"k{n}")
        for n in range(CHUNK + 1)
    ]
    memory_ledger.post_all(paid)
    importing = StatementImport(store=store, reader=lambda *_, **__: [], clock=clock, random_bytes=os.urandom)
    found = statement(said("1.00", reference="INV-0"))
    importing.store_all([found], ledger="books", account=BANK, file_name="f", actor=OPERATOR)
    reconciler = Reconciler(store=store, clock=clock, random_bytes=os.urandom)

    [made] = reconciler.run("books", BANK, MatchingRules(), actor=OPERATOR).made

    assert made.why == {"reference": "INV-0"}
    book = reconciler.proof("books", BANK).book
    assert (book.matched_count, book.unmatched_count, book.difference_minor) == (1, CHUNK, 0)
