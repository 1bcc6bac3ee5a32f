"""What the Berlin-Group-shaped API tells of accounts, balances and transactions (NextGenPSD2 AIS 1.3.11)."""

from typing import Any

from ledgercore.money import currency
from ledgercore.money.parsing import format_amount
from ledgercore_sandbox.books import Account, Balance, Row, State

ACCOUNTS = "/bg/v1/accounts"


def account_document(account: Account, *, sees_balances: bool, sees_transactions: bool) -> dict[str, Any]:
    """An account's details, with links to what may be seen of it."""
    links = {}
    if sees_balances:
        links["balances"] = {"href": f"{ACCOUNTS}/{account.id}/balances"}
    if sees_transactions:
        links["transactions"] = {"href": f"{ACCOUNTS}/{account.id}/transactions"}
    return {
        "resourceId": account.id,
        "iban": account.iban,
        "currency": account.currency,
        "name": "Current account",
        "product": "Sandbox current",
        "cashAccountType": "CACC",
        "status": "enabled",
        "usage": "PRIV",
        "ownerName": account.name,
        "_links": links,
    }


def balance_documents(account: Account, balance: Balance, *, off_by_minor: int = 0) -> list[dict[str, Any]]:
    """The booked balance, and the one with all that is pending."""
    kinds = {"interimBooked": balance.booked_minor, "expected": balance.expected_minor}
    return [
        {"balanceType": kind, "balanceAmount": _amount(minor + off_by_minor, account.currency)}
        for kind, minor in kinds.items()
    ]


def account_reference(account: Account) -> dict[str, str]:
    """How other documents name an account."""
    return {"iban": account.iban, "currency": account.currency}


def transaction_document(row: Row, account_currency: str) -> dict[str, Any]:
    """A transaction; only a booked one has ids of the bank and dates of booking."""
    document: dict[str, Any] = {
        "transactionAmount": _amount(row.amount_minor, account_currency),
        "remittanceInformationUnstructured": row.description[:140],
        "bankTransactionCode": "PMNT-CCRD-POSD" if row.merchant else "PMNT-RCDT-ESCT",
    }
    if row.state is State.BOOKED:
        day = row.booked_on.isoformat()
        document |= {"transactionId": row.id, "entryReference": row.id[:35], "bookingDate": day, "valueDate": day}
    else:
        document["valueDate"] = row.created_at.date().isoformat()
    if row.end_to_end_id is not None:
        document["endToEndId"] = row.end_to_end_id[:35]
    if row.counterparty is not None:
        document["creditorName" if row.amount_minor < 0 else "debtorName"] = row.counterparty[:70]
    return document


def _amount(minor: int, code: str) -> dict[str, str]:
    return {"currency": code, "amount": format_amount(minor, currency(code))}
