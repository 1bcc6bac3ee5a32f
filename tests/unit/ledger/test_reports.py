"""Reports from balances made by hand."""

from ledgercore.ledger.accounts import AccountType
from ledgercore.ledger.queries import NOW, AccountBalance
from ledgercore.ledger.reports import balance_sheet, income_statement, tree, trial_balance
from ledgercore.money import Money, currency

EUR, USD = currency("EUR"), currency("USD")


def balance(path, minor, type_, of=EUR):
    return AccountBalance(path=path, type=AccountType(type_), currency=of, posted=Money(minor, of))


BOOKS = [
    balance("assets:bank", 900, "asset"),
    balance("assets:bank:usd", 50, "asset", USD),
    balance("assets:till", -20, "asset"),
    balance("equity:owner", 500, "equity"),
    balance("equity:usd", 50, "equity", USD),
    balance("expenses:rent", 120, "expense"),
    balance("income:sales", 400, "income"),
    balance("liabilities:loan", 100, "liability"),
]


def test_trial_balance_puts_each_balance_on_a_side():
    """An overdrawn asset stands among the credits; sums agree in each currency."""
    report = trial_balance(BOOKS, at=NOW)

    sides = {line.path: (line.debit.minor, line.credit.minor) for line in report.lines}
    assert sides["assets:till"] == (0, 20)
    assert sides["income:sales"] == (0, 400)
    assert {str(total) for total in report.debits.values()} == {"10.20 EUR", "0.50 USD"}
    assert report.is_balanced
    assert not trial_balance(BOOKS[:-1], at=NOW).is_balanced
    assert trial_balance([], at=NOW).is_balanced


def test_balance_sheet_counts_the_result_as_equity():
    """Assets 880 are liabilities 100, equity 500 and a result of 280."""
    report = balance_sheet(BOOKS, at=NOW)

    totals = report.totals[EUR]
    assert [totals.assets.minor, totals.liabilities.minor, totals.equity.minor, totals.result.minor] == [
        880,
        100,
        500,
        280,
    ]
    assert report.is_balanced
    assert list(report.totals) == [EUR, USD]
    assert not balance_sheet(BOOKS[:-1], at=NOW).is_balanced


def test_income_statement_is_what_moved():
    """Accounts that were not there before began at nothing."""
    before = [balance("income:sales", 150, "income"), balance("assets:bank", 1, "asset")]

    report = income_statement(before, BOOKS, since=None, until=None)

    assert [(line.path, line.total.minor) for line in report.income] == [("income", 250), ("income:sales", 250)]
    assert [(line.path, line.total.minor) for line in report.expenses] == [("expenses", 120), ("expenses:rent", 120)]
    assert report.results == {EUR: Money(130, EUR)}


def test_tree_totals_every_node_in_each_currency():
    """A node above accounts has a line for each currency; an account may be a node too."""
    found = [(line.path, line.depth, line.is_account, str(line.total)) for line in tree(BOOKS, AccountType.ASSET)]

    assert found == [
        ("assets", 0, False, "8.80 EUR"),
        ("assets", 0, False, "0.50 USD"),
        ("assets:bank", 1, True, "9.00 EUR"),
        ("assets:bank", 1, False, "0.50 USD"),
        ("assets:bank:usd", 2, True, "0.50 USD"),
        ("assets:till", 1, True, "-0.20 EUR"),
    ]


def test_tree_is_ordered_by_segments():
    """What lies below an account follows it at once, whatever characters its siblings have."""
    paths = ["a", "a-b", "a:b", "a.b"]

    assert [line.path for line in tree([balance(path, 1, "asset") for path in paths])] == ["a", "a:b", "a-b", "a.b"]
