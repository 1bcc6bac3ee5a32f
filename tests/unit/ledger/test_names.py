"""Ledgers' names."""

import pytest

from ledgercore.errors import ValidationError
from ledgercore.ledger.names import check_ledger_name


@pytest.mark.parametrize("name", ["a", "Books-2026", "0", "a.b_c-d", "x" * 63])
def test_name_is_itself(name):
    """1 to 63 letters, digits and `_ . -`, beginning with a letter or digit."""
    assert check_ledger_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", ".", "_", "a b", "a\n", "ä", "a:b", "x" * 64, "\x00", "\ud800", None, 5])
def test_wrong_name_is_refused(name):
    """The refusal shows the name as Python would write it."""
    with pytest.raises(ValidationError) as caught:
        check_ledger_name(name)

    assert (caught.value.code, caught.value.details["field"]) == ("invalid_ledger_name", "ledger")
    str(caught.value).encode()
