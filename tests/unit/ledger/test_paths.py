"""Account paths."""

import pytest

from ledgercore.errors import ValidationError
from ledgercore.ledger.paths import account_path, check_path, check_prefix, is_below, is_path, parents_of


@pytest.mark.parametrize(
    "path", ["a", "assets:bank:checking", "A.b_c-9", "0:1", "x" * 255, ":".join("abcdefghijklmnop")]
)
def test_path_is_itself(path):
    """Segments of letters, digits and `_ - .`, up to 16 of them and 255 characters."""
    assert (check_path(path), account_path(path), check_prefix(path), is_path(path)) == (path, path, path, True)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("", "empty"),
        (":", "segments hold"),
        ("a:", "segments hold"),
        (":a", "segments hold"),
        ("a::b", "segments hold"),
        ("a b", "segments hold"),
        ("a\n", "segments hold"),
        ("a\x00", "segments hold"),
        ("ä", "segments hold"),
        ("\ud800", "segments hold"),
        ("x" * 256, "256 characters"),
        (":".join("abcdefghijklmnopq"), "17 segments"),
        (5, "not int"),
        (None, "not NoneType"),
        (["a"], "not list"),
    ],
)
def test_wrong_path_is_refused_and_shown_in_print(path, why):
    """The refusal names the field, shows the path without control characters, and says what is wrong."""
    with pytest.raises(ValidationError) as caught:
        check_path(path, field="debit")

    details = caught.value.details
    assert (caught.value.code, details["field"]) == ("invalid_account_path", "debit")
    assert why in str(details["why"])
    assert str(details["path"]).isascii()
    assert "\x00" not in str(details["path"])
    assert not (isinstance(path, str) and is_path(path))


def test_prefix_may_be_nothing():
    """No prefix holds every account; a wrong one is refused."""
    assert check_prefix("") == ""
    assert is_below("assets:bank", "")
    with pytest.raises(ValidationError) as caught:
        check_prefix("a:")
    assert caught.value.details["field"] == "prefix"


def test_parents_stop_above_the_account():
    """The topmost comes first, and a path is not its own parent."""
    assert parents_of("a") == ()
    assert parents_of("a:b:c") == ("a", "a:b")
