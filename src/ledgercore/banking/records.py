"""What others learn of banking: events for users, entries of the audit log."""

from typing import Any

from ledgercore.banking.accounts import BankAccount
from ledgercore.banking.findings import Finding
from ledgercore.banking.logins import BankLogin
from ledgercore.events.events import Event
from ledgercore.identity.audit import Actor, AuditEvent
from ledgercore.ledger.documents import amount_text
from ledgercore.money import Money


def login_event(what: str, login: BankLogin) -> Event:
    """A login was connected, disconnected, synced, or failed."""
    data = {"bank_login_id": str(login.id), "status": login.status, "reason": login.status_reason}
    return Event(type=f"bank_login.{what}", subject=f"bank_login:{login.id}", data=data, owner_id=login.user_id)


def login_audited(action: str, login: BankLogin, actor: Actor, **details: Any) -> AuditEvent:
    """Something happened to a login."""
    told = {"user_id": login.user_id, **details}
    return AuditEvent(action=action, actor=actor, target=f"bank_login:{login.id}", details=told)


def balance_changed(account: BankAccount, balance: Money) -> Event:
    """An account has another balance."""
    data = {"account_id": str(account.id), "balance": amount_text(balance), "currency": account.currency}
    return Event(type="balance.changed", subject=f"account:{account.id}", data=data, owner_id=account.user_id)


def account_synced(account: BankAccount, balance: Money) -> Event:
    """An account is as the bank knows it."""
    data = {
        "account_id": str(account.id),
        "balance": amount_text(balance),
        "currency": account.currency,
        "last_sync_at": None if account.last_sync_at is None else account.last_sync_at.isoformat(),
    }
    return Event(type="account.synced", subject=f"account:{account.id}", data=data, owner_id=account.user_id)


def finding_event(finding: Finding, account: BankAccount) -> Event:
    """Something about an account does not agree."""
    data = {"finding_id": str(finding.id), "account_id": str(account.id), "kind": finding.kind, **finding.details}
    return Event(type="bank.finding", subject=f"account:{account.id}", data=data, owner_id=account.user_id)


def finding_audited(finding: Finding, actor: Actor) -> AuditEvent:
    """The same for the audit log."""
    details = {"finding_id": finding.id, "kind": finding.kind, **finding.details}
    return AuditEvent(action="bank_finding", actor=actor, target=f"account:{finding.account_id}", details=details)
