"""Accounts from the command line."""

import pytest


def test_an_account_is_opened_with_type_limits_and_metadata(books):
    """All of it comes back when the account is shown."""
    books(
        "account", "open", "loans:ann", "EUR", "--type", "asset", "--minimum", "-10.00", "--maximum", "2500",
        "--metadata", "contract=17",
    )  # fmt: skip

    shown = books.json("account", "show", "loans:ann")

    assert (shown["type"], shown["minimum"], shown["maximum"]) == ("asset", "-10.00", "2500.00")
    assert shown["metadata"] == {"contract": "17"}
    assert shown["posted"] == "0.00"


def test_accounts_are_listed_by_prefix_and_page(books):
    """A cursor leads on; people are told how to use it."""
    first = books.json("account", "list", "--limit", "1")
    second = books.json("account", "list", "--limit", "1", "--cursor", first["next_cursor"])
    below = books.json("account", "list", "wallets")
    told = books("account", "list", "--limit", "1")

    assert [page["items"][0]["account"] for page in (first, second)] == ["assets:bank", "wallets:ann"]
    assert second["next_cursor"] is None
    assert [item["account"] for item in below["items"]] == ["wallets:ann"]
    assert told.err == f"more: --cursor {first['next_cursor']}\n"


def test_a_frozen_account_refuses_until_it_is_unfrozen(books):
    """Freezing is for a while."""
    books("account", "freeze", "wallets:ann")
    frozen = books("post", "assets:bank", "wallets:ann", "1.00", "EUR")
    books("account", "unfreeze", "wallets:ann")
    thawed = books("post", "assets:bank", "wallets:ann", "1.00", "EUR")

    assert (frozen.status, thawed.status) == (5, 0)
    assert frozen.err.startswith("error: account_frozen: ")


def test_only_an_empty_account_is_closed(books):
    """And then for good."""
    full = books("account", "close", "wallets:ann")
    books("post", "wallets:ann", "assets:bank", "100.00", "EUR")
    empty = books("account", "close", "wallets:ann")
    reopened = books("account", "unfreeze", "wallets:ann")

    assert (full.status, empty.status, reopened.status) == (5, 0, 5)
    assert books.json("account", "show", "wallets:ann")["status"] == "closed"


def test_limits_change_one_at_a_time(books):
    """The one that is not given stays; `none` takes one away."""
    books("account", "limit", "wallets:ann", "--maximum", "150.00")
    both = books.json("account", "show", "wallets:ann")
    books("account", "limit", "wallets:ann", "--minimum", "none")
    one = books.json("account", "show", "wallets:ann")

    assert (both["minimum"], both["maximum"]) == ("0.00", "150.00")
    assert "minimum" not in one
    assert one["maximum"] == "150.00"


@pytest.mark.parametrize("command", ["freeze", "unfreeze", "close", "show"])
def test_an_account_that_is_not_there_is_not_found(books, command):
    """Status 3."""
    assert books("account", command, "wallets:bob").status == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ("open", "loans:ann", "EUR"),
        ("open", "loans::ann", "EUR", "--type", "asset"),
        ("open", "loans:ann", "EUX", "--type", "asset"),
        ("open", "loans:ann", "EUR", "--type", "debt"),
        ("open", "loans:ann", "EUR", "--type", "asset", "--minimum", "5", "--maximum", "4"),
        ("open", "loans:ann", "EUR", "--type", "asset", "--metadata", "contract"),
        ("limit", "wallets:ann"),
        ("limit", "wallets:ann", "--minimum", "1e3"),
        ("list", "--limit", "0"),
        ("list", "--cursor", "tomorrow"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_is_refused(books, arguments):
    """Status 2, one line, and nothing is written."""
    before = books.ledger.state().number

    result = books("account", *arguments)

    assert result.status == 2
    assert result.err.startswith("error: ")
    assert books.ledger.state().number == before


def test_balances_count_what_is_pending(books):
    """Posted, pending and available stand below one another."""
    books("hold", "place", "wallets:ann", "assets:bank", "30.00", "EUR")

    lines = books("account", "show", "wallets:ann").out.splitlines()

    assert [line.split()[-1] for line in lines if line.startswith(("posted", "pending out", "available"))] == [
        "100.00", "30.00", "70.00",
    ]  # fmt: skip
