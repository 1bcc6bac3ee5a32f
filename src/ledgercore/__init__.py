"""A financial core for Python: a double-entry ledger with holds, limits, idempotency and proofs.

The names below are loaded when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ledgercore.errors import LedgercoreError as LedgercoreError
    from ledgercore.ledger.accounts import Account as Account
    from ledgercore.ledger.accounts import AccountStatus as AccountStatus
    from ledgercore.ledger.accounts import AccountType as AccountType
    from ledgercore.ledger.accounts import Balance as Balance
    from ledgercore.ledger.accounts import Limits as Limits
    from ledgercore.ledger.accounts import Opening as Opening
    from ledgercore.ledger.accounts import Side as Side
    from ledgercore.ledger.commands import ChangeAccount as ChangeAccount
    from ledgercore.ledger.commands import ClosePeriod as ClosePeriod
    from ledgercore.ledger.commands import Group as Group
    from ledgercore.ledger.commands import OpenAccount as OpenAccount
    from ledgercore.ledger.commands import Reversal as Reversal
    from ledgercore.ledger.commands import Settings as Settings
    from ledgercore.ledger.holds import Capture as Capture
    from ledgercore.ledger.holds import CaptureGroup as CaptureGroup
    from ledgercore.ledger.holds import ChangeHold as ChangeHold
    from ledgercore.ledger.holds import PlaceHold as PlaceHold
    from ledgercore.ledger.holds import ReplaceHold as ReplaceHold
    from ledgercore.ledger.holds import VoidGroup as VoidGroup
    from ledgercore.ledger.holds import VoidHold as VoidHold
    from ledgercore.ledger.ledger import Ledger as Ledger
    from ledgercore.ledger.outcomes import Applied as Applied
    from ledgercore.ledger.outcomes import GroupOutcome as GroupOutcome
    from ledgercore.ledger.outcomes import Posted as Posted
    from ledgercore.ledger.outcomes import Refused as Refused
    from ledgercore.ledger.transactions import Line as Line
    from ledgercore.ledger.transactions import Precondition as Precondition
    from ledgercore.ledger.transactions import Transaction as Transaction
    from ledgercore.ledger.transactions import credit as credit
    from ledgercore.ledger.transactions import debit as debit
    from ledgercore.ledger.transactions import transfer as transfer
    from ledgercore.money import Currency as Currency
    from ledgercore.money import Money as Money
    from ledgercore.money import Rate as Rate
    from ledgercore.money import currency as currency

_HOMES: Final = {
    "ledgercore.errors": ("LedgercoreError",),
    "ledgercore.ledger.accounts": (
        "Account", "AccountStatus", "AccountType", "Balance", "Limits", "Opening", "Side",
    ),
    "ledgercore.ledger.commands": ("ChangeAccount", "ClosePeriod", "Group", "OpenAccount", "Reversal", "Settings"),
    "ledgercore.ledger.holds": (
        "Capture", "CaptureGroup", "ChangeHold", "PlaceHold", "ReplaceHold", "VoidGroup", "VoidHold",
    ),
    "ledgercore.ledger.ledger": ("Ledger",),
    "ledgercore.ledger.outcomes": ("Applied", "GroupOutcome", "Posted", "Refused"),
    "ledgercore.ledger.transactions": ("Line", "Precondition", "Transaction", "credit", "debit", "transfer"),
    "ledgercore.money": ("Currency", "Money", "Rate", "currency"),
}  # fmt: skip
_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names}
__all__ = ["__version__", *sorted(_HOME_OF)]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)
