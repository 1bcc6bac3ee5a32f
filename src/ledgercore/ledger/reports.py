"""Reports from balances: trial balance, balance sheet, income statement, and totals along the tree."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from attrs import evolve, frozen

from ledgercore.ledger.accounts import AccountType
from ledgercore.ledger.paths import parents_of
from ledgercore.ledger.queries import AccountBalance, AsOf
from ledgercore.money import Currency, Money


@frozen(kw_only=True)
class TrialLine:
    """An account in a trial balance: its balance stands on one of the two sides."""

    path: str
    type: AccountType
    debit: Money
    credit: Money


@frozen(kw_only=True)
class TrialBalance:
    """Every account's balance as debit or credit; the totals agree in each currency."""

    at: AsOf
    lines: tuple[TrialLine, ...]
    debits: Mapping[Currency, Money]
    credits: Mapping[Currency, Money]

    @property
    def is_balanced(self) -> bool:
        """Whether debits equal credits in every currency, as they must in a whole ledger."""
        return self.debits == self.credits


@frozen(kw_only=True)
class TreeLine:
    """An account, or a node above accounts with the total of what is below it, in one currency."""

    path: str
    depth: int
    is_account: bool
    total: Money


@frozen(kw_only=True)
class BalanceSheet:
    """What is owned, what is owed, and what remains to the owners.

    `result` is income less expenses that no closing entry has moved to equity yet; it is part of
    equity, so that in each currency assets equal liabilities plus equity plus result.
    """

    at: AsOf
    assets: tuple[TreeLine, ...]
    liabilities: tuple[TreeLine, ...]
    equity: tuple[TreeLine, ...]
    totals: Mapping[Currency, "SheetTotals"]

    @property
    def is_balanced(self) -> bool:
        """Whether both sides agree in every currency."""
        return all(total.is_balanced for total in self.totals.values())


@frozen(kw_only=True)
class SheetTotals:
    """A balance sheet's totals in one currency."""

    assets: Money
    liabilities: Money
    equity: Money
    result: Money

    @property
    def is_balanced(self) -> bool:
        """Whether assets equal liabilities, equity and result."""
        return self.assets == self.liabilities + self.equity + self.result


@frozen(kw_only=True)
class IncomeStatement:
    """Income and expenses of a period, and what remains, in each currency."""

    since: datetime | None
    until: datetime | None
    income: tuple[TreeLine, ...]
    expenses: tuple[TreeLine, ...]
    results: Mapping[Currency, Money]


def trial_balance(balances: Iterable[AccountBalance], *, at: AsOf) -> TrialBalance:
    """Put every balance on its side: a debit where debits exceed credits."""
    lines = []
    debits: dict[Currency, Money] = {}
    credits: dict[Currency, Money] = {}
    for balance in balances:
        signed, zero = balance.debits_minus_credits, Money.zero(balance.currency)
        line = TrialLine(
            path=balance.path,
            type=balance.type,
            debit=signed if signed.minor > 0 else zero,
            credit=-signed if signed.minor < 0 else zero,
        )
        lines.append(line)
        debits[balance.currency] = debits.get(balance.currency, zero) + line.debit
        credits[balance.currency] = credits.get(balance.currency, zero) + line.credit
    return TrialBalance(at=at, lines=tuple(lines), debits=debits, credits=credits)


def balance_sheet(balances: Sequence[AccountBalance], *, at: AsOf) -> BalanceSheet:
    """Assets against liabilities and equity."""
    totals = {}
    for currency in sorted({balance.currency for balance in balances}, key=str):
        of = {type_: _total(balances, type_, currency) for type_ in AccountType}
        totals[currency] = SheetTotals(
            assets=of[AccountType.ASSET],
            liabilities=of[AccountType.LIABILITY],
            equity=of[AccountType.EQUITY],
            result=of[AccountType.INCOME] - of[AccountType.EXPENSE],
        )
    return BalanceSheet(
        at=at,
        assets=tree(balances, AccountType.ASSET),
        liabilities=tree(balances, AccountType.LIABILITY),
        equity=tree(balances, AccountType.EQUITY),
        totals=totals,
    )


def income_statement(
    before: Iterable[AccountBalance],
    after: Iterable[AccountBalance],
    *,
    since: datetime | None,
    until: datetime | None,
) -> IncomeStatement:
    """What income and expense accounts moved between two points."""
    start = {balance.path: balance.posted for balance in before}
    moved = [
        evolve(balance, posted=balance.posted - start.get(balance.path, Money.zero(balance.currency)))
        for balance in after
        if balance.type in (AccountType.INCOME, AccountType.EXPENSE)
    ]
    currencies = sorted({balance.currency for balance in moved}, key=str)
    return IncomeStatement(
        since=since,
        until=until,
        income=tree(moved, AccountType.INCOME),
        expenses=tree(moved, AccountType.EXPENSE),
        results={
            currency: _total(moved, AccountType.INCOME, currency) - _total(moved, AccountType.EXPENSE, currency)
            for currency in currencies
        },
    )


def tree(balances: Iterable[AccountBalance], type: AccountType | None = None) -> tuple[TreeLine, ...]:
    """Accounts and the nodes above them, each with its total, by path; a node has a line for each currency."""
    totals: dict[tuple[str, Currency], int] = defaultdict(int)
    accounts: set[tuple[str, Currency]] = set()
    for balance in balances:
        if type is None or balance.type is type:
            accounts.add((balance.path, balance.currency))
            for path in (*parents_of(balance.path), balance.path):
                totals[path, balance.currency] += balance.posted.minor
    return tuple(
        TreeLine(
            path=path,
            depth=path.count(":"),
            is_account=(path, currency) in accounts,
            total=Money(minor, currency),
        )
        for (path, currency), minor in sorted(totals.items(), key=lambda item: (item[0][0].split(":"), str(item[0][1])))
    )


def _total(balances: Iterable[AccountBalance], type: AccountType, currency: Currency) -> Money:
    minor = sum(balance.posted.minor for balance in balances if balance.type is type and balance.currency == currency)
    return Money(minor, currency)
