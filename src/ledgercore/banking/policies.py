"""Who may do what to bank accounts and logins: pure answers from values alone."""

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from ledgercore.banking.accounts import AccountStatus, BankAccount
from ledgercore.identity.access import Caller
from ledgercore.identity.principals import Principal
from ledgercore.identity.users import Role

OWN: Final = frozenset({"account_name", "status"})
"""What owners change of their accounts."""
FIXED: Final = frozenset({"currency", "account_type", "user_bank_login_id", "external_account_id"})
"""What only admins and support may name when they change an account."""
_OURS: Final = frozenset({AccountStatus.FROZEN, AccountStatus.SUSPENDED})


def can_view_account(by: Caller, owner_id: UUID) -> bool:
    """Admins, support, owners, and whoever sits at the server; the same for an account's transactions and logins."""
    return not isinstance(by, Principal) or by.role in (Role.ADMIN, Role.SUPPORT) or by.user_id == owner_id


def can_sync_account(by: Caller, owner_id: UUID) -> bool:
    """The same."""
    return can_view_account(by, owner_id)


def can_create_bank_account(by: Caller, attrs: Mapping[str, Any]) -> bool:
    """Any user who names a login."""
    return isinstance(by, Principal) and bool(attrs.get("user_bank_login_id"))


def can_list_bank_accounts(by: Caller, owner_id: UUID | None) -> bool:
    """Any user their own; admins, support and operators those of anybody."""
    if not isinstance(by, Principal):
        return True
    return by.role in (Role.ADMIN, Role.SUPPORT) or by.user_id == owner_id


def can_update_bank_account(by: Caller, owner_id: UUID, names: Collection[str]) -> bool:
    """Admins and support; owners their account's name and status, and nothing that is fixed."""
    if not isinstance(by, Principal) or by.role in (Role.ADMIN, Role.SUPPORT):
        return True
    return by.user_id == owner_id and not OWN.isdisjoint(names) and FIXED.isdisjoint(names)


def can_set_status(by: Caller, account: BankAccount, status: AccountStatus) -> bool:
    """Freezing, suspending and their undoing are for admins and support, not for owners."""
    if not isinstance(by, Principal) or by.role in (Role.ADMIN, Role.SUPPORT):
        return True
    return account.status not in _OURS and status not in _OURS
