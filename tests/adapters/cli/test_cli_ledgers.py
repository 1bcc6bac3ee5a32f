"""Ledgers, assets and periods from the command line."""

import pytest


def test_a_ledger_is_created_with_its_rules(console):
    """Prefixes, minimums and assets end up in the ledger's settings."""
    created = console.json(
        "ledger", "create", "shop", "--open", "customer=liability", "--minimum", "customer=0", "--asset", "BTC=8"
    )

    settings = console.json("ledger", "settings", "--ledger", "shop")
    assert created["created"] is True
    assert settings["on_first_use"] is True
    assert ["customer", "liability"] in settings["types"]
    assert settings["limits"] == [["customer", "0", None]]
    assert settings["assets"] == [["BTC", 8]]


def test_a_ledger_opens_accounts_explicitly_unless_told_otherwise(console):
    """A misspelt account is no new account."""
    console("ledger", "create")

    refused = console("post", "assets:bank", "income:sales", "1.00", "EUR")

    assert refused.status == 3
    assert refused.err.startswith("error: account_not_found: ")


@pytest.mark.parametrize("option", ["--open-on-first-use", "--open=customer=liability"])
def test_a_ledger_opens_accounts_on_first_use_where_it_says_so(console, option):
    """Either by the flag or by naming a prefix."""
    console("ledger", "create", option)

    assert console("post", "assets:bank", "income:sales", "1.00", "EUR").status == 0


def test_creating_a_ledger_again_is_a_conflict(books):
    """Unless the caller says that one which exists will do."""
    again, accepted = books("ledger", "create"), books.json("ledger", "create", "--if-missing")

    assert again.status == 4
    assert accepted["created"] is False
    assert accepted["accounts"] == 2


def test_settings_are_changed_one_by_one(books):
    """What is not given stays."""
    changed = books.json("ledger", "settings", "--open-explicitly", "--asset", "ETH=18")

    assert changed["on_first_use"] is False
    assert ["wallets", "liability"] in changed["types"]
    assert changed["assets"] == [["ETH", 18]]


def test_looking_at_settings_writes_nothing(books):
    """Only a change is a record."""
    before = books.ledger.state().number

    books("ledger", "settings")

    assert books.ledger.state().number == before


def test_ledgers_are_listed_with_their_sizes(books):
    """For people and for programs."""
    books("ledger", "create", "other")

    listed = books.json("ledger", "list")

    assert [(item["ledger"], item["accounts"]) for item in listed["items"]] == [("main", 2), ("other", 0)]
    assert "main" in books("ledger", "list").out


def test_without_ledgers_the_list_says_how_to_create_one(console):
    """An empty answer helps on."""
    assert "ledgercore ledger create" in console("ledger", "list").out


def test_an_asset_can_be_posted_once_registered(books):
    """Beyond ISO 4217 a ledger knows only what it was told."""
    unknown = books("post", "assets:vault", "equity:capital", "0.00000001", "BTC")
    registered = books("asset", "register", "BTC", "8")
    posted = books("post", "assets:vault", "equity:capital", "0.00000001", "BTC")

    assert [unknown.status, registered.status, posted.status] == [2, 0, 0]
    assert books.json("asset", "list")["items"] == [{"code": "BTC", "exponent": 8}]


def test_registering_an_asset_again_is_a_repeat_or_a_conflict(books):
    """The same decimals change nothing; others contradict."""
    books("asset", "register", "BTC", "8")
    before = books.ledger.state().number

    same, other = books("asset", "register", "BTC", "8"), books("asset", "register", "BTC", "9")

    assert (same.status, other.status) == (0, 4)
    assert books.ledger.state().number == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("asset", "register", "BTC", "eight"),
        ("asset", "register", "EUR", "3"),
        ("ledger", "settings", "--open", "customer"),
        ("ledger", "settings", "--open", "customer=wallet"),
        ("ledger", "settings", "--open", "a=asset", "--open", "a=income"),
        ("ledger", "settings", "--minimum", "wallets=0.50"),
        ("ledger", "settings", "--minimum", "wallets=" + "9" * 39),
        ("ledger", "create", "no spaces"),
        ("period", "close", "2026-01-31"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_read_is_refused_and_changes_nothing(books, arguments):
    """Status 2 and a catalogued reason on one line."""
    before = books.ledger.state().number

    result = books(*arguments)

    assert result.status == 2
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1
    assert books.ledger.state().number == before


def test_a_closed_period_refuses_entries(books):
    """Closing moves the lock date; it shows in the ledger."""
    closed = books("period", "close", "2026-01-31T23:59:59Z")

    late = books("post", "assets:bank", "wallets:ann", "1.00", "EUR", "--effective-at", "2026-01-15T00:00:00Z")
    assert closed.status == 0
    assert late.status == 5
    assert late.err.startswith("error: period_closed: ")
    assert books.json("ledger", "show")["closed_through"] == "2026-01-31T23:59:59+00:00"
