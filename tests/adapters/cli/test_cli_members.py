"""Members of ledgers from the command line, on PostgreSQL."""

import pytest


def test_a_member_is_granted_an_access_in_the_chosen_ledger(people):
    """A second grant takes the place of the first."""
    people("ledger", "create", "shop")
    first = people("member", "grant", "bob@example.com", "reader", "--ledger", "shop")
    second = people.json("member", "grant", "bob@example.com", "WRITER", "--ledger", "shop")

    in_shop, in_main = people.json("member", "list", "--ledger", "shop"), people.json("member", "list")

    assert first.out == "bob@example.com is reader of shop\n"
    assert (second["ledger"], second["access"]) == ("shop", "writer")
    assert in_shop == {"items": [second], "next_cursor": None}
    assert in_main["items"] == []


def test_members_are_listed_by_email(people):
    """Deleted ones too: what they were stays on record."""
    people.json("member", "grant", "bob@example.com", "writer")
    people.json("member", "grant", "ada@example.com", "owner")
    people.json("user", "delete", "bob@example.com", "--yes")

    listed = people("member", "list").out.splitlines()

    assert [line.split()[:2] for line in listed[2:]] == [["ada@example.com", "owner"], ["bob@example.com", "writer"]]


def test_without_members_the_list_says_how_to_add_one(people):
    """An empty answer helps on."""
    assert "ledgercore member grant" in people("member", "list").out


def test_a_member_who_is_revoked_is_none(people):
    """Another time there is nothing to revoke."""
    people.json("member", "grant", "bob@example.com", "writer")

    revoked, again = people("member", "revoke", "bob@example.com"), people("member", "revoke", "bob@example.com")

    assert revoked.out == "bob@example.com is no member of main any more\n"
    assert again.status == 3
    assert people.json("member", "list")["items"] == []


@pytest.mark.parametrize("line", ["grant ada@example.com reader", "revoke ada@example.com"])
def test_a_ledger_keeps_its_last_owner(people, line):
    """Status 5, and the owner stays."""
    people.json("member", "grant", "ada@example.com", "owner")

    result = people("member", *line.split(), "--json")

    assert (result.status, result.problem["code"]) == (5, "last_owner")
    [member] = people.json("member", "list")["items"]
    assert member["access"] == "owner"


@pytest.mark.parametrize(
    ("line", "status", "code"),
    [
        ("grant nobody@example.com reader", 3, "user_not_found"),
        ("grant bob@example.com boss", 2, "invalid_access"),
        ("grant bob@example.com reader --ledger none", 3, "ledger_not_found"),
        ("revoke bob@example.com --ledger none", 3, "ledger_not_found"),
        ("revoke nobody@example.com", 3, "user_not_found"),
        ("list --ledger none", 3, "ledger_not_found"),
    ],
)
def test_what_is_not_there_is_named(people, line, status, code):
    """With its reason."""
    result = people("member", *line.split(), "--json")

    assert (result.status, result.problem["code"]) == (status, code)


def test_grants_are_recorded(people):
    """Who was made what, in which ledger."""
    granted = people.json("member", "grant", "bob@example.com", "writer")
    people.json("member", "revoke", "bob@example.com")

    revoked_entry, granted_entry = people.json("audit", "list", "--target", "ledger:main", "--limit", "2")["items"]

    assert (granted_entry["action"], granted_entry["details"]) == (
        "member_granted", {"user_id": granted["user_id"], "access": "writer"},
    )  # fmt: skip
    assert (revoked_entry["action"], revoked_entry["actor"]) == ("member_revoked", "operator")
