"""Ledgers' names."""

import re
from typing import Final

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import INVALID_LEDGER_NAME

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", re.ASCII)


def check_ledger_name(name: str) -> str:
    """Return a name of 1 to 63 letters, digits and `_ . -`; raises `invalid_ledger_name` otherwise."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValidationError(
            INVALID_LEDGER_NAME, field="ledger", value=repr(name)[:60],
            why="1 to 63 letters, digits and _ . - , beginning with a letter or digit",
        )  # fmt: skip
    return name
