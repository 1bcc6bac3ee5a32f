"""What callers send about bank accounts, brought into one form before it is checked.

As in identity's: each function keeps the names it knows, anything but a mapping counts as an empty one, and values of
the wrong type or kind stay as they are, so that the checks that follow can name them.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from ledgercore.banking.accounts import AccountStatus

NAME_LENGTH_MAX: Final = 100
_CURRENCY: Final = re.compile(r"[A-Za-z]{3}", re.ASCII)


def bank_account_attrs(attrs: object) -> dict[str, Any]:
    """What is sent of a new account; its status is ACTIVE, and what is in it the ledger knows."""
    kept = _kept(
        attrs,
        (
            "currency", "account_type", "account_name", "user_bank_login_id", "user_id", "last_four",
            "external_account_id", "iban", "credit_limit",
        ),
    )  # fmt: skip
    return {**kept, "status": AccountStatus.ACTIVE}


def bank_account_update_attrs(attrs: object) -> dict[str, Any]:
    """What may be changed of an account."""
    return _kept(attrs, ("account_name", "status", "credit_limit"))


def _kept(attrs: object, names: Collection[str]) -> dict[str, Any]:
    if not isinstance(attrs, Mapping):
        return {}
    kept = {str(name): value for name, value in attrs.items() if str(name) in names}
    return {name: _TRANSFORMS[name](value) if name in _TRANSFORMS else value for name, value in kept.items()}


def _currency(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) and _CURRENCY.fullmatch(value.strip()) else value


def _name(value: object) -> object:
    return value.strip() if isinstance(value, str) and len(value.strip()) <= NAME_LENGTH_MAX else value


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


def _identifier(value: object) -> object:
    return "".join(value.split()).upper() if isinstance(value, str) else value


_TRANSFORMS: Final = {
    "currency": _currency,
    "account_name": _name,
    "account_type": _upper,
    "status": _upper,
    "iban": _identifier,
}
