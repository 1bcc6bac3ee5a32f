"""Banks, logins, accounts and what does not agree, as JSON documents; no secret is in any of them."""

from typing import TYPE_CHECKING, Any

from ledgercore.banking.banks import Bank, Branch
from ledgercore.banking.findings import Finding
from ledgercore.banking.logins import BankLogin
from ledgercore.ledger.accounts import Side
from ledgercore.ledger.documents import amount_text
from ledgercore.ledger.queries import AccountEntry
from ledgercore.money import Money

if TYPE_CHECKING:
    from ledgercore.banking.accounts_administration import AccountWithBalance


def bank_document(bank: Bank) -> dict[str, Any]:
    """A bank; its client's secret only as whether there is one."""
    return {
        "id": str(bank.id),
        "name": bank.name,
        "country": bank.country,
        "code": bank.code,
        "status": bank.status.value,
        "integration": bank.integration.value,
        "logo_url": bank.logo_url,
        "api_url": bank.api_url,
        "authorize_url": bank.authorize_url,
        "token_url": bank.token_url,
        "client_id": bank.client_id,
        "has_client_secret": bank.sealed_client_secret is not None,
        "inserted_at": bank.inserted_at.isoformat(),
        "updated_at": bank.updated_at.isoformat(),
    }


def branch_document(branch: Branch) -> dict[str, Any]:
    """A branch."""
    return {
        "id": str(branch.id),
        "bank_id": str(branch.bank_id),
        "name": branch.name,
        "country": branch.country,
        "iban": branch.iban,
        "swift_code": branch.swift_code,
        "routing_number": branch.routing_number,
        "inserted_at": branch.inserted_at.isoformat(),
        "updated_at": branch.updated_at.isoformat(),
    }


def login_document(login: BankLogin) -> dict[str, Any]:
    """A login without its tokens."""
    return {
        "id": str(login.id),
        "user_id": str(login.user_id),
        "bank_branch_id": str(login.bank_branch_id),
        "username": login.username,
        "status": login.status.value,
        "status_reason": login.status_reason,
        "sync_frequency": login.sync_frequency_seconds,
        "consent_expires_at": login.consent_expires_at and login.consent_expires_at.isoformat(),
        "last_sync_at": login.last_sync_at and login.last_sync_at.isoformat(),
        "next_sync_at": login.next_sync_at and login.next_sync_at.isoformat(),
        "inserted_at": login.inserted_at.isoformat(),
        "updated_at": login.updated_at.isoformat(),
    }


def account_document(found: "AccountWithBalance") -> dict[str, Any]:
    """An account with what the ledger says is in it."""
    account = found.account
    return {
        "id": str(account.id),
        "user_id": str(account.user_id),
        "user_bank_login_id": str(account.user_bank_login_id),
        "account_name": account.account_name,
        "account_type": account.account_type.value,
        "status": account.status.value,
        "currency": account.currency,
        "balance": amount_text(found.balance),
        "credit_limit": amount_text(Money(account.credit_limit_minor, found.balance.currency)),
        "last_four": account.last_four,
        "iban": account.iban,
        "external_account_id": account.external_account_id,
        "last_sync_at": account.last_sync_at and account.last_sync_at.isoformat(),
        "inserted_at": account.inserted_at.isoformat(),
        "updated_at": account.updated_at.isoformat(),
    }


def entry_document(entry: AccountEntry) -> dict[str, Any]:
    """What moved an account, as its owner sees it: credits raise it, debits lower it."""
    return {
        "id": str(entry.transaction_id),
        "amount": amount_text(entry.amount),
        "currency": entry.amount.currency.code,
        "direction": "CREDIT" if entry.side is Side.CREDIT else "DEBIT",
        "description": entry.description,
        "balance": amount_text(entry.balance),
        "posted_at": entry.effective_at.isoformat(),
        "recorded_at": entry.recorded_at.isoformat(),
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    """Something that does not agree, with its parts."""
    return {
        "id": str(finding.id),
        "account_id": str(finding.account_id),
        "kind": finding.kind,
        "details": dict(finding.details),
        "found_at": finding.found_at.isoformat(),
        "seen_at": finding.seen_at.isoformat(),
        "resolved_at": finding.resolved_at and finding.resolved_at.isoformat(),
    }
