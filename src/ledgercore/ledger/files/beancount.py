"""A ledger as a journal for beancount, whose `bean-check` then judges every balance by itself."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from ledgercore.ledger.accounts import AccountState, AccountType
from ledgercore.ledger.files.journal_texts import EffectiveOrder, JournalEntry, aligned, one_line
from ledgercore.ledger.files.text_lines import nothing
from ledgercore.ledger.ports import JournalReader
from ledgercore.money import Currency, format_amount

ROOTS: Final = {
    AccountType.ASSET: "Assets",
    AccountType.LIABILITY: "Liabilities",
    AccountType.EQUITY: "Equity",
    AccountType.INCOME: "Income",
    AccountType.EXPENSE: "Expenses",
}
_ESCAPES: Final = {"-": "--", "_": "-u", ".": "-d"}
_ESCAPED: Final = re.compile(r"[-_.]")
_KEYWORDS: Final = frozenset({"TRUE", "FALSE", "NULL"})


def beancount_lines(journal: JournalReader, *, advance: Callable[[int], None] = nothing) -> Iterator[str]:
    """The journal line by line: accounts opened, then transactions as they count, each month's balances after it.

    Debits are positive. `account_name` gives the names. A `balance` directive with tolerance 0 stands
    at the first day after each month for every account that the month moved; an account with others
    below it is asserted together with them, as beancount adds them up.
    """
    order = EffectiveOrder(journal, advance=advance)
    names = {state.path: account_name(state) for state in order.accounts}
    yield f"; Ledger {order.state.name} through record {order.state.number}, head {order.state.head.hex()}\n"
    yield f'option "title" "{order.state.name}"\n\n'
    balances = _Balances(order.accounts, names)
    first_days = balances.first_days(order.first_days())
    for state in order.accounts:
        yield f"{first_days[names[state.path]].isoformat()} open {names[state.path]} {commodity(state.currency)}\n"
        yield f'  path: "{state.path}"\n'
    month: date | None = None
    for entry in order:
        if month is not None and entry.day >= (after := _next_month(month)):
            yield from balances.assertions(after)
        month = entry.day
        balances.move(entry)
        yield "\n"
        yield from _transaction(entry, names)
    if month is not None:
        yield from balances.assertions(_next_month(month))


def account_name(state: AccountState) -> str:
    """An account's name in beancount; different accounts never share one.

    The root is the account's type. A path that begins with the root's own word (`assets:bank`) goes on
    after it (`Assets:Bank`); of any other path the first segment is marked by a hyphen at its end
    (`customer:12`: `Liabilities:Customer-:12`). Segments begin with a capital; `-`, `_` and `.` inside
    become `--`, `-u` and `-d`. A segment that begins with a capital already, or with one of those
    three, has `X-x` put before it.
    """
    root = ROOTS[state.type]
    segments = state.path.split(":")
    if segments[0] == root.lower():
        # The root alone is no account there.
        return ":".join((root, *map(_component, segments[1:]))) if segments[1:] else f"{root}:X-r"
    return ":".join((root, f"{_component(segments[0])}-", *map(_component, segments[1:])))


def commodity(currency: Currency) -> str:
    """A code as beancount reads it; its words for truth and nothing get a suffix that no code has."""
    return f"{currency.code}-X" if currency.code in _KEYWORDS else currency.code


class _Balances:
    """Running balances, each account's with those below it in its currency."""

    def __init__(self, accounts: Sequence[AccountState], names: Mapping[str, str]) -> None:
        self._currencies = {names[state.path]: state.currency for state in accounts}
        self._minor = dict.fromkeys(self._currencies, 0)
        self._touched: set[str] = set()
        self._reach = {state.path: list(self._counted_in(names[state.path])) for state in accounts}

    def move(self, entry: JournalEntry) -> None:
        for posting in entry.postings:
            for name in self._reach[posting.account.path]:
                self._minor[name] += posting.minor
                self._touched.add(name)

    def first_days(self, used: Mapping[str, date]) -> dict[str, date]:
        """When each must be open: from its own first day, or that of the first it is asserted together with."""
        days: dict[str, date] = {}
        for path, names in self._reach.items():
            for name in names:
                days[name] = min(days.get(name, used[path]), used[path])
        return days

    def _counted_in(self, name: str) -> Iterator[str]:
        currency = self._currencies[name]
        while name:
            if self._currencies.get(name) == currency:
                yield name
            name = name.rpartition(":")[0]

    def assertions(self, day: date) -> Iterator[str]:
        yield "\n"
        for name in sorted(self._touched):
            currency = self._currencies[name]
            amount = format_amount(self._minor[name], currency)
            yield f"{day.isoformat()} balance {name}  {amount} ~ 0 {commodity(currency)}\n"
        self._touched.clear()


def _transaction(entry: JournalEntry, names: dict[str, str]) -> Iterator[str]:
    yield f"{entry.day.isoformat()} * {_quoted(entry.description or '')}\n"
    yield f"  record: {entry.number}\n"
    for name, value in (("id", str(entry.id)), ("key", entry.key), ("reference", entry.reference)):
        if value is not None:
            yield f"  {name}: {_quoted(value)}\n"
    rows = []
    for posting in entry.postings:
        currency = posting.account.currency
        amount = f"{format_amount(posting.minor, currency)} {commodity(currency)}"
        rows.append((names[posting.account.path], amount))
    for line in aligned(rows):
        yield f"{line}\n"


def _quoted(text: str) -> str:
    return '"' + one_line(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _component(segment: str) -> str:
    escaped = _ESCAPED.sub(lambda found: _ESCAPES[found.group()], segment)
    first = segment[0]
    if first.isdigit():
        return escaped
    return f"{first.upper()}{escaped[1:]}" if first.islower() else f"X-x{escaped}"


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
