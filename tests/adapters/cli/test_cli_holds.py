"""The life of a hold from the command line."""

import pytest


@pytest.fixture
def held(books):
    """A console whose wallet has 40.00 of its 100.00 EUR held under the key `room`."""
    arguments = ("hold", "place", "wallets:ann", "assets:bank", "40.00", "EUR", "--key", "room")
    assert books(*arguments, "--group", "trip", "--expires-at", "2026-03-02T12:00:00Z").status == 0
    return books


def test_a_hold_reserves_and_posts_nothing(held):
    """Available goes down, posted stays."""
    balance = held.json("balance", "wallets:ann")
    shown = held.json("hold", "show", "key:room")

    assert (balance["posted"], balance["available"]) == ("100.00", "60.00")
    assert (shown["status"], shown["group"]) == ("open", "trip")
    assert shown["lines"][0]["remaining"] == "40.00"


def test_a_hold_is_captured_in_parts(held):
    """The last part may let the rest go."""
    first = held.json("hold", "capture", "key:room", "15.00")
    held("hold", "capture", "key:room", "10.00", "--final", "--description", "Room 7")
    shown = held.json("hold", "show", "key:room")

    assert first["captures"] == shown["id"]
    assert (shown["status"], shown["lines"][0]["captured"]) == ("captured", "25.00")
    assert held.json("balance", "wallets:ann")["available"] == "75.00"


def test_a_hold_is_raised_and_lowered(held):
    """To a new amount in total, within what is available."""
    raised, beyond = held.json("hold", "change", "key:room", "90.00"), held("hold", "change", "key:room", "100.01")

    assert raised["lines"][0]["remaining"] == "90.00"
    assert beyond.status == 5


def test_a_voided_hold_cannot_be_captured(held):
    """Its end is final."""
    voided, captured = held.json("hold", "void", "key:room"), held("hold", "capture", "key:room")

    assert voided["status"] == "voided"
    assert captured.status == 4
    assert captured.err.startswith("error: hold_already_closed: ")


def test_an_expired_hold_is_placed_again(held, clock):
    """Time ends it; its remainder may be reserved anew."""
    clock.forward(days=2)

    late = held("hold", "capture", "key:room")
    expired = held.json("hold", "list", "--status", "expired")
    replaced = held.json("hold", "replace", "key:room", "--key", "room-again")

    assert late.status == 5
    assert [item["status"] for item in expired["items"]] == ["expired"]
    assert replaced["replaces"] == expired["items"][0]["id"]
    assert replaced["status"] == "open"


def test_holds_whose_time_has_passed_are_let_go_on_demand(held, clock):
    """The count says how many; asking again finds none."""
    clock.forward(days=2)

    first, again = held.json("hold", "expire"), held("hold", "expire")

    assert first == {"expired": 1}
    assert again.out == "0 expired\n"


@pytest.mark.parametrize(("command", "status"), [("capture-group", "captured"), ("void-group", "voided")])
def test_a_group_ends_together(held, command, status):
    """Every open hold of it, in one command that can be repeated."""
    held("hold", "place", "wallets:ann", "assets:bank", "10.00", "EUR", "--group", "trip")

    first = held.json("hold", command, "trip", "--key", "end")
    again = held("hold", command, "trip", "--key", "end")

    assert first["replayed"] is False
    assert "(replayed)" in again.out
    assert {item["status"] for item in held.json("hold", "list", "--group", "trip")["items"]} == {status}


def test_a_hold_of_several_lines_comes_from_a_file(books, write):
    """And is captured by lines."""
    lines = [
        {"debit": "wallets:ann", "credit": "income:fares", "amount": "20.00", "currency": "EUR"},
        {"debit": "wallets:ann", "credit": "income:tips", "amount": "2.00", "currency": "EUR"},
    ]
    placed = books.json("hold", "place", "--file", write("hold.json", {"key": "ride", "lines": lines}))

    captured = books.json("hold", "capture", "key:ride", "--lines", write("lines.json", {"lines": lines[:1]}))

    assert len(placed["lines"]) == 2
    assert captured["lines"][0]["credit"] == "income:fares"
    assert books.json("hold", "show", "key:ride")["lines"][1]["remaining"] == "2.00"


def test_holds_are_listed_by_account(held):
    """For people in a table, for programs with what remains."""
    assert "room" not in held("hold", "list", "--account", "wallets:bob").out
    assert "40.00" in held("hold", "list", "--account", "wallets:ann").out


def test_a_tolerance_lets_a_capture_exceed_the_hold(books):
    """By so many hundredths of a percent, and no more."""
    books("hold", "place", "wallets:ann", "assets:bank", "20.00", "EUR", "--tolerance-bps", "1500", "--key", "meal")

    beyond = books("hold", "capture", "key:meal", "23.01")
    within = books("hold", "capture", "key:meal", "23.00")

    assert (beyond.status, within.status) == (5, 0)
    assert beyond.err.startswith("error: capture_exceeds_hold: ")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("place",), 2),
        (("place", "wallets:ann", "assets:bank", "1.00"), 2),
        (("place", "wallets:ann", "assets:bank", "1.00", "EUR", "--expires-at", "2020-01-01T00:00:00Z"), 2),
        (("place", "wallets:ann", "assets:bank", "1.00", "EUR", "--tolerance-bps", "-1"), 2),
        (("place", "wallets:ann", "assets:bank", "100.01", "EUR"), 5),
        (("show", "key:nothing"), 3),
        (("show", "not-a-uuid"), 2),
        (("capture", "0191d3c0-0000-7000-8000-000000000001"), 3),
        (("change", "key:nothing", "1.00"), 3),
        (("void-group", "nobody"), 3),
        (("list", "--status", "lost"), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_what_cannot_be_done_is_told_by_its_kind(books, arguments, status):
    """Validation, business rule, not found."""
    result = books("hold", *arguments)

    assert result.status == status
    assert result.out == ""
