"""A small company's March: its books, its bank's statement, and the two brought together, in each adapter.

Sales of 120.00 and 80.00 are paid under their references, a payout to six makers leaves as one sum of 210.00, the rent
of 400.00 costs 0.35 more at the bank, one customer pays 59.00 without a word, and 12.90 are gone that nobody knows of.
"""

import os
from datetime import UTC, date, datetime
from typing import Any

import pytest

from ledgercore import Ledger, Money, currency
from ledgercore.identity.audit import OPERATOR
from ledgercore.statements.importing import StatementImport
from ledgercore.statements.matches import Stage
from ledgercore.statements.matching import MatchingRules
from ledgercore.statements.reading import ImportedStatements
from ledgercore.statements.reconciling import Reconciler
from ledgercore_memory import MemoryStore, MemoryWorkStore
from ledgercore_postgres import PostgresWorkStore
from ledgercore_statements.reading import read_statements

EUR = currency("EUR")
BANK, MAKERS = "assets:bank", "liabilities:makers"
RULES = MatchingRules(tolerance_minor=50, tolerance_account="expenses:bank-fees")
PAYOUT = {"ann": "20.00", "ben": "25.00", "cleo": "31.00", "dan": "36.50", "eve": "42.50", "fay": "55.00"}
STATEMENT = """\
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>M3</MsgId>
<CreDtTm>2026-03-31T18:00:00Z</CreDtTm></GrpHdr><Stmt><Id>2026-03</Id><ElctrncSeqNb>3</ElctrncSeqNb>
<Acct><Id><IBAN>DE02120300000000202051</IBAN></Id><Ccy>EUR</Ccy></Acct>
{opening}{closing}{entries}</Stmt></BkToCstmrStmt></Document>"""
ENTRY = """<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>{on}</Dt></BookgDt><ValDt><Dt>{on}</Dt></ValDt><AcctSvcrRef>{id}</AcctSvcrRef><NtryDtls><TxDtls>
<RltdPties>{party}</RltdPties><RmtInf>{what}</RmtInf></TxDtls></NtryDtls></Ntry>"""
REFERENCE = "<Strd><CdtrRefInf><Ref>{}</Ref></CdtrRefInf></Strd>"


def balance(kind: str, amount: str, on: str) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{on}</Dt></Dt></Bal>'
    )


def entry(number: int, amount: str, on: str, *, who: str = "", reference: str = "", text: str = "") -> str:
    """An entry of the statement; a minus is money that went out."""
    sign = "DBIT" if amount.startswith("-") else "CRDT"
    side = "Cdtr" if sign == "DBIT" else "Dbtr"
    party = f"<{side}><Pty><Nm>{who}</Nm></Pty></{side}>" if who else ""
    what = REFERENCE.format(reference) if reference else f"<Ustrd>{text}</Ustrd>"
    return ENTRY.format(
        amount=amount.removeprefix("-"), sign=sign, on=f"2026-03-{on}", id=f"B{number}", party=party, what=what
    )


MARCH = STATEMENT.format(
    opening=balance("OPBD", "1000.00", "2026-02-28"),
    closing=balance("CLBD", "635.75", "2026-03-31"),
    entries="".join(
        [
            entry(1, "120.00", "03", who="Weber GmbH", reference="RF18539007547034"),
            entry(2, "80.00", "09", who="Iris Blum", reference="RF712348231"),
            entry(3, "-210.00", "12", text="SAMMELUEBERWEISUNG"),
            entry(4, "-400.35", "16", who="Haus und Hof"),
            entry(5, "59.00", "20", text="danke"),
            entry(6, "-12.90", "27", who="CARD 4711", text="?"),
        ]
    ),
).encode()


@pytest.fixture
def work_store(store: Any, clock: Any) -> Any:
    """Units of work over the ledgers of each adapter."""
    if isinstance(store, MemoryStore):
        return MemoryWorkStore(store, clock=clock)
    return PostgresWorkStore(store.engine, clock=clock)


@pytest.fixture
def books(ledger: Ledger) -> Ledger:
    """What the company has booked."""

    def book(debit: str, credit: str, amount: str, day: int, **fields: str) -> None:
        at = datetime(2026, 3, day, 9, tzinfo=UTC)
        ledger.transfer(debit=debit, credit=credit, amount=Money.of(amount, EUR), effective_at=at, **fields)

    at = datetime(2026, 2, 1, tzinfo=UTC)
    ledger.transfer(debit=BANK, credit="equity:owner", amount=Money.of("1000.00", EUR), effective_at=at)
    book(BANK, "income:sales", "120.00", 1, reference="RF18 5390 0754 7034", description="Invoice 17, Weber GmbH")
    book(BANK, "income:sales", "80.00", 8, reference="RF712348231", description="Invoice 18, Iris Blum")
    for name, amount in PAYOUT.items():
        book(MAKERS, BANK, amount, 11, description=f"Payout to {name}")
    book("expenses:rent", BANK, "400.00", 15, description="Rent of March, Haus und Hof")
    book(BANK, "income:sales", "59.00", 18, description="Invoice 19, Otto Kern")
    return ledger


def test_a_month_is_brought_together(books: Ledger, work_store: Any, clock: Any) -> None:
    """Four lines explain themselves, one is decided by hand, one stays open; and both sides add up.

    Bank: 1000.00 + (120.00 + 80.00 - 210.00 - 400.35 + 59.00) - 12.90 = 635.75.
    Ledger: 0.00 + (120.00 + 80.00 - 210.00 - 400.00 - 0.35 + 59.00) + 1000.00 = 648.65, 12.90 more than the bank.
    """
    clock.now = datetime(2026, 4, 1, 8, tzinfo=UTC)
    importing = StatementImport(store=work_store, reader=read_statements, clock=clock, random_bytes=os.urandom)
    reconciler = Reconciler(store=work_store, clock=clock, random_bytes=os.urandom)

    found = importing.read(MARCH, ledger="books", account=BANK)
    [imported] = importing.store_all(found, ledger="books", account=BANK, file_name="march.xml", actor=OPERATOR)
    done = reconciler.run("books", BANK, RULES, actor=OPERATOR)

    assert (imported.record.lines_added, imported.record.difference_minor) == (6, 0)
    assert [each.stage for each in done.made] == [
        Stage.STRUCTURED_REFERENCE, Stage.STRUCTURED_REFERENCE, Stage.BATCH_SUM, Stage.TOLERANCE,
    ]  # fmt: skip
    assert len(done.made[2].transactions) == len(PAYOUT)
    assert str(books.balance("expenses:bank-fees").posted) == "0.35 EUR"
    [suggested] = done.suggested
    assert (suggested.stage, suggested.why["counterparty"]) == (Stage.AMOUNT_AND_COUNTERPARTY, "not named")

    reconciler.match(
        "books",
        BANK,
        lines=[(part.id, None) for part in suggested.lines],
        transactions=[(part.id, None) for part in suggested.transactions],
        actor=OPERATOR,
    )

    left = reconciler.unmatched("books", BANK)
    assert [(each.line.said.counterparty, each.open_minor) for each in left.lines] == [("CARD 4711", -1_290)]
    # What the owner paid in was before the first statement, which opens with it.
    assert [each.open_minor for each in left.items] == [100_000]
    proof = reconciler.proof("books", BANK)
    assert proof.is_proved
    bank, book = proof.bank, proof.book
    assert (bank.opening_minor, bank.matched_minor, bank.unmatched_minor, bank.closing_minor) == (
        100_000, -35_135, -1_290, 63_575,
    )  # fmt: skip
    assert (book.opening_minor, book.matched_minor, book.unmatched_minor, book.closing_minor) == (
        0, -35_135, 100_000, 64_865,
    )  # fmt: skip
    lines = ImportedStatements(work_store).lines("books", BANK).items
    assert [line.said.on for line in lines] == [date(2026, 3, day) for day in (3, 9, 12, 16, 20, 27)]
