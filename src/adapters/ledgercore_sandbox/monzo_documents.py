"""What the Monzo-shaped API tells of accounts and transactions."""

from datetime import datetime
from typing import Any, Final

from ledgercore_sandbox.books import Account, Customer, Merchant, Row, State

_EMOJI: Final = {"eating_out": "🍞", "groceries": "🥕", "transport": "🚋", "shopping": "📚"}


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def account_document(account: Account, customer: Customer) -> dict[str, Any]:
    """An account of the list."""
    number = account.iban[-8:]
    return {
        "id": account.id,
        "closed": False,
        "created": timestamp(account.opened_at),
        "description": customer.id,
        "type": "uk_retail",
        "currency": account.currency,
        "country_code": "GB",
        "owners": [
            {
                "user_id": customer.id,
                "preferred_name": customer.name,
                "preferred_first_name": customer.name.partition(" ")[0],
            }
        ],
        "account_number": number,
        "sort_code": account.iban[8:14],
        "payment_details": {
            "locale_uk": {"account_number": number, "sort_code": account.iban[8:14]},
            "iban": {"unformatted": account.iban, "bic": "MONZGB2L"},
        },
    }


def transaction_document(row: Row, currency: str, *, with_merchant: bool = False) -> dict[str, Any]:
    """A transaction; a pending one has an empty `settled`, only a declined one has `decline_reason`."""
    document: dict[str, Any] = {
        "id": row.id,
        "account_id": row.account_id,
        "amount": row.amount_minor,
        "amount_is_pending": row.state is State.PENDING,
        "category": row.merchant.category if row.merchant else "transfers",
        "counterparty": {"name": row.counterparty} if row.counterparty and not row.merchant else {},
        "created": timestamp(row.created_at),
        "currency": currency,
        "description": row.description,
        "is_load": False,
        "local_amount": row.amount_minor,
        "local_currency": currency,
        "merchant": _merchant(row.merchant, whole=with_merchant),
        "metadata": row.metadata,
        "notes": row.metadata.get("notes", ""),
        "scheme": "mastercard" if row.merchant else "payport_faster_payments",
        "settled": timestamp(row.booked_at) if row.booked_at else "",
        "updated": timestamp(row.booked_at or row.created_at),
    }
    if row.decline_reason is not None:
        document["decline_reason"] = row.decline_reason
    return document


def created_event(row: Row, currency: str) -> dict[str, Any]:
    """What webhooks are told of a new transaction."""
    return {"type": "transaction.created", "data": transaction_document(row, currency, with_merchant=True)}


def _merchant(merchant: Merchant | None, *, whole: bool) -> Any:
    if merchant is None or not whole:
        return merchant and merchant.id
    return {
        "id": merchant.id,
        "group_id": merchant.id.replace("merch_", "grp_"),
        "name": merchant.name,
        "logo": "",
        "emoji": _EMOJI.get(merchant.category, "💷"),
        "category": merchant.category,
        "online": False,
        "atm": False,
        "address": {
            "address": "1 High Street",
            "city": "London",
            "country": "GB",
            "latitude": 51.5,
            "longitude": -0.1,
            "postcode": "N1 1AA",
            "region": "Greater London",
        },
    }
