"""A ledger as a journal for hledger, whose `check --strict` then judges every balance by itself."""

from collections.abc import Callable, Iterator
from typing import Final

from ledgercore.ledger.accounts import AccountType
from ledgercore.ledger.files.journal_texts import EffectiveOrder, JournalEntry, aligned, one_line
from ledgercore.ledger.files.text_lines import nothing
from ledgercore.ledger.ports import JournalReader
from ledgercore.money import Currency, format_amount

_TYPES: Final = {
    AccountType.ASSET: "Asset",
    AccountType.LIABILITY: "Liability",
    AccountType.EQUITY: "Equity",
    AccountType.INCOME: "Revenue",
    AccountType.EXPENSE: "Expense",
}


def hledger_lines(journal: JournalReader, *, advance: Callable[[int], None] = nothing) -> Iterator[str]:
    """The journal line by line: commodities and accounts declared, then transactions as they count.

    Debits are positive. Account names are the paths themselves. `==` asserts each account's balance
    after its last posting of every month. The code of a transaction is its number in the log.
    """
    order = EffectiveOrder(journal, advance=advance)
    yield f"; Ledger {order.state.name} through record {order.state.number}, head {order.state.head.hex()}\n"
    yield "decimal-mark .\n\n"
    for currency in sorted({state.currency for state in order.accounts}, key=str):
        sample = format_amount(1_000 * 10**currency.exponent, currency)
        yield f"commodity {sample}{'' if currency.exponent else '.'} {commodity(currency)}\n"
    yield "\n"
    for state in order.accounts:
        yield f"account {state.path}  ; type: {_TYPES[state.type]}\n"
    for entry in order:
        yield "\n"
        yield from _transaction(entry)


def commodity(currency: Currency) -> str:
    """A code as hledger reads it: quoted unless it is letters only."""
    return currency.code if currency.code.isalpha() else f'"{currency.code}"'


def _transaction(entry: JournalEntry) -> Iterator[str]:
    description = one_line(entry.description or "").replace(";", ",")
    yield f"{entry.day.isoformat()} * ({entry.number}) {description}".rstrip() + "\n"
    for name, value in (("id", str(entry.id)), ("key", entry.key), ("reference", entry.reference)):
        if value is not None:
            yield f"    ; {name}: {one_line(value)}\n"
    rows = []
    for posting in entry.postings:
        currency = posting.account.currency
        amount = f"{format_amount(posting.minor, currency)} {commodity(currency)}"
        if posting.asserted is not None:
            amount += f" == {format_amount(posting.asserted, currency)} {commodity(currency)}"
        rows.append((posting.account.path, amount))
    for line in aligned(rows):
        yield f"{line}\n"
