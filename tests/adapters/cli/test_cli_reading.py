"""Balances, registers, transactions, events and reports from the command line."""

import pytest


@pytest.fixture
def year(books):
    """A console in front of some sales and costs, one of them counted back to January."""
    books("post", "assets:bank", "income:sales:shop", "50.00", "EUR", "--effective-at", "2026-01-10T00:00:00Z")
    books("post", "expenses:rent", "assets:bank", "20.00", "EUR", "--reference", "lease", "--metadata", "house=7")
    books("post", "assets:dollars", "equity:capital", "8.00", "USD")
    return books


def test_a_balance_now_is_posted_pending_and_available(year):
    """In minor units as well, for programs."""
    found = year.json("balance", "assets:bank")

    assert (found["posted"], found["posted_minor"], found["available"]) == ("130.00", "13000", "130.00")
    assert "130.00" in year("balance", "assets:bank").out


def test_a_balance_at_a_time_counts_what_was_effective_or_recorded_by_then(year):
    """Both axes, alone and together."""
    january = ("--effective-at", "2026-01-31T00:00:00Z")
    recorded = year.json("events", "--after", "4")["items"][0]["recorded_at"]

    assert year.json("balance", "assets:bank", *january)["amount"] == "50.00"
    assert year.json("balance", "assets:bank", "--recorded-at", "2026-02-01T00:00:00Z")["amount"] == "0.00"
    assert year.json("balance", "assets:bank", "--recorded-at", recorded)["amount"] == "150.00"
    assert "effective by 2026-01-31T00:00:00+00:00" in year("balance", "assets:bank", *january).out


def test_a_recorded_time_to_come_is_refused(year):
    """Nobody knows yet what will be recorded by then."""
    result = year("balance", "assets:bank", "--recorded-at", "2027-01-01T00:00:00Z")

    assert result.status == 2
    assert result.err.startswith("error: recorded_time_in_future: ")


def test_balances_are_listed_below_a_prefix_and_add_up_along_the_tree(year):
    """A node has a line for each currency."""
    listed = year.json("balances", "assets")
    tree = year.json("balances", "assets", "--tree")
    drawn = year("balances", "assets", "--tree").out.splitlines()

    assert [(item["account"], item["amount"]) for item in listed["items"]] == [
        ("assets:bank", "130.00"), ("assets:dollars", "8.00"),
    ]  # fmt: skip
    assert [(item["account"], item["amount"], item["currency"]) for item in tree["items"]][:2] == [
        ("assets", "130.00", "EUR"), ("assets", "8.00", "USD"),
    ]  # fmt: skip
    assert any(line.startswith("  bank ") for line in drawn)


def test_a_register_runs_forwards_and_backwards_by_pages(year):
    """Each entry has the balance just after it."""
    first = year.json("register", "assets:bank", "--limit", "2")
    rest = year.json("register", "assets:bank", "--limit", "2", "--cursor", first["next_cursor"])
    backwards = year.json("register", "assets:bank", "--newest-first", "--limit", "1")

    assert [item["balance"] for item in (*first["items"], *rest["items"])] == ["100.00", "150.00", "130.00"]
    assert rest["next_cursor"] is None
    assert backwards["items"][0]["side"] == "credit"
    assert "more: --cursor" in year("register", "assets:bank", "--limit", "1").err


def test_a_cursor_of_another_page_is_refused(year):
    """Forwards and backwards are different walks."""
    cursor = year.json("register", "assets:bank", "--limit", "1")["next_cursor"]

    assert year("register", "assets:bank", "--newest-first", "--cursor", cursor).status == 2


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ((), 4),
        (("--reference", "lease"), 1),
        (("--metadata", "house=7"), 1),
        (("--metadata", "house=8"), 0),
        (("--account", "assets:bank"), 3),
        (("--minor-min", "5000"), 2),
        (("--minor-max", "1999"), 1),
        (("--effective-to", "2026-02-01T00:00:00Z"), 1),
        (("--recorded-from", "2026-02-01T00:00:00Z", "--account", "expenses:rent"), 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_transactions_are_searched_by_what_they_carry(year, options, count):
    """Everything that is given must fit."""
    found = year.json("transaction", "search", *options)
    told = year("transaction", "search", *options)

    assert len(found["items"]) == count
    assert told.status == 0
    assert ("no transactions" in told.out) is (count == 0)


def test_events_resume_after_a_number(year):
    """Of all types or of some."""
    first = year.json("events", "--limit", "2")
    after = year.json("events", "--after", first["next_cursor"])
    posted = year.json("events", "--type", "transaction.posted")
    told = year("events", "--limit", "2")

    assert [item["number"] for item in (*first["items"], *after["items"])] == list(
        range(1, year.ledger.state().number + 1)
    )
    assert after["next_cursor"] is None
    assert {item["type"] for item in posted["items"]} == {"transaction.posted"}
    assert told.err == "more: --after 2\n"


def test_a_trial_balance_agrees_in_each_currency(year):
    """Totals stand below the rule; a part of the accounts need not balance."""
    whole, part = year.json("report", "trial-balance"), year("report", "trial-balance", "assets")

    assert whole["balanced"] is True
    assert {total["currency"]: (total["debit"], total["credit"]) for total in whole["totals"]} == {
        "EUR": ("150.00", "150.00"), "USD": ("8.00", "8.00"),
    }  # fmt: skip
    assert "not all accounts are here" in part.out


def test_a_balance_sheet_shows_the_result_as_part_of_equity(year):
    """Assets equal liabilities, equity and result."""
    sheet = year.json("report", "balance-sheet")
    told = year("report", "balance-sheet").out

    euros = next(total for total in sheet["totals"] if total["currency"] == "EUR")
    assert euros == {
        "currency": "EUR",
        "assets": "130.00",
        "liabilities": "100.00",
        "equity": "0.00",
        "result": "30.00",
    }
    assert sheet["balanced"] is True
    assert "assets equal liabilities, equity and result" in told


def test_an_income_statement_counts_one_period(year):
    """What became effective after `since` and by `until`."""
    all_year = year.json("report", "income-statement")
    january = year.json(
        "report", "income-statement", "--since", "2025-12-31T23:59:59Z", "--until", "2026-01-31T23:59:59Z"
    )
    told = year("report", "income-statement", "--until", "2026-01-31T23:59:59Z")

    assert [result["amount"] for result in all_year["results"]] == ["30.00"]
    assert [result["amount"] for result in january["results"]] == ["50.00"]
    assert told.out.startswith("Income statement, until 2026-01-31T23:59:59+00:00")


@pytest.mark.parametrize("command", ["balance", "register"])
def test_an_account_that_is_not_there_is_not_found(year, command):
    """Status 3."""
    assert year(command, "assets:moon").status == 3
