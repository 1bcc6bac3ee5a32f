"""Everything that banking keeps, by what it is found by."""

from uuid import UUID

from attrs import define, field

from ledgercore.banking.accounts import BankAccount
from ledgercore.banking.banks import Bank, Branch
from ledgercore.banking.findings import Finding
from ledgercore.banking.logins import BankLogin
from ledgercore.banking.ports import PendingConsent
from ledgercore.banking.rows import BankRow


@define
class State:
    """What is kept; all of it frozen, in dictionaries."""

    banks: dict[UUID, Bank] = field(factory=dict)
    branches: dict[UUID, Branch] = field(factory=dict)
    logins: dict[UUID, BankLogin] = field(factory=dict)
    consents: dict[bytes, PendingConsent] = field(factory=dict)
    accounts: dict[UUID, BankAccount] = field(factory=dict)
    rows: dict[UUID, BankRow] = field(factory=dict)
    findings: dict[UUID, Finding] = field(factory=dict)
