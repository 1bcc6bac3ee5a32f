"""Accounts, their balances and their entries."""

from typing import Any, Final

from ledgercore.errors.catalog import (
    ACCOUNT_ALREADY_EXISTS,
    ACCOUNT_CLOSED,
    ACCOUNT_NOT_EMPTY,
    ACCOUNT_NOT_FOUND,
    INVALID_ACCOUNT_PATH,
    INVALID_ACCOUNT_TYPE,
    INVALID_CURRENCY_FORMAT,
    INVALID_LIMITS,
    INVALID_METADATA,
    INVALID_STATUS,
    UNKNOWN_CURRENCY,
)
from ledgercore.ledger.accounts import AccountStatus, Side
from ledgercore_http.routes import JsonSchema
from ledgercore_http.schemas.building import (
    DECIMAL,
    MINOR,
    MOMENT,
    UUID,
    asked,
    component,
    needing,
    one_of,
    record,
    whole,
)
from ledgercore_http.schemas.values import (
    ACCOUNT,
    COMMAND_REASONS,
    CURRENCY,
    DESCRIPTION,
    EXAMPLE_ID,
    EXAMPLE_TIME,
    LIMITS_ASKED,
    METADATA,
    MONEY,
    NAMES_ASKED,
    NUMBER,
    TYPE,
)

_STATUS: Final = one_of(AccountStatus)
_OPENING: Final[dict[str, JsonSchema]] = {**NAMES_ASKED, "limits": LIMITS_ASKED, "metadata": METADATA}
ACCOUNT_ASKED: Final = component(
    "NewAccount",
    asked(
        {"account": ACCOUNT, "currency": CURRENCY},
        {"type": TYPE, **_OPENING},
        description="An account to open; without a type the ledger's settings decide by the path.",
    ),
)
NEW_ACCOUNT_IN_BATCH: Final = asked({"account": ACCOUNT, "currency": CURRENCY}, {"account_type": TYPE, **_OPENING})
ACCOUNT_EXAMPLE: Final = {
    "account": "assets:cash",
    "currency": "EUR",
    "type": "asset",
    "limits": {"minimum_minor": "0"},
}
ACCOUNT_CHANGE: Final = needing(
    asked(
        {},
        {**NAMES_ASKED, "status": _STATUS, "limits": LIMITS_ASKED, "metadata": METADATA},
        description="Another status, limits that replace both, or metadata; at least one of them.",
    ),
    "status",
    "limits",
    "metadata",
)
ACCOUNT_CHANGE_ASKED: Final = component("AccountChange", ACCOUNT_CHANGE)
ACCOUNT_CHANGE_EXAMPLE: Final = {"metadata": {"purpose": "daily takings"}}

ACCOUNT_READ: Final = component(
    "Account",
    record(
        {
            "account": ACCOUNT,
            "type": TYPE,
            "normal_side": one_of(Side),
            "currency": CURRENCY,
            "status": _STATUS,
            "posted": DECIMAL,
            "posted_minor": MINOR,
            "pending_debits": DECIMAL,
            "pending_credits": DECIMAL,
            "available": DECIMAL,
            "available_minor": MINOR,
            "version": whole("How many entries it has.", minimum=0),
            "opened_at": MOMENT,
        },
        {"minimum": DECIMAL, "maximum": DECIMAL, "metadata": METADATA, "latest_effective_at": MOMENT},
        description="An account; balances and limits count in the direction of its normal side.",
    ),
)
OPENED_EXAMPLE: Final[dict[str, Any]] = {
    "account": "assets:cash",
    "type": "asset",
    "normal_side": "debit",
    "currency": "EUR",
    "status": "open",
    "posted": "0.00",
    "posted_minor": "0",
    "pending_debits": "0.00",
    "pending_credits": "0.00",
    "available": "0.00",
    "available_minor": "0",
    "minimum": "0.00",
    "version": 0,
    "opened_at": EXAMPLE_TIME,
}
ACCOUNT_READ_EXAMPLE: Final[dict[str, Any]] = {
    **OPENED_EXAMPLE,
    "posted": "120.00",
    "posted_minor": "12000",
    "available": "120.00",
    "available_minor": "12000",
    "version": 1,
    "latest_effective_at": EXAMPLE_TIME,
}

BALANCE: Final = component(
    "Balance",
    record(
        {"account": ACCOUNT, "type": TYPE, "currency": CURRENCY, "posted": DECIMAL, "posted_minor": MINOR},
        {
            "pending_debits": DECIMAL,
            "pending_credits": DECIMAL,
            "available": DECIMAL,
            "available_minor": MINOR,
            "version": whole("How many entries the account has.", minimum=0),
        },
        description="A balance in the direction of the account's normal side; what is pending and available is known "
        "of the present alone.",
    ),
)
BALANCE_EXAMPLE: Final[dict[str, Any]] = {
    "account": "assets:cash",
    "type": "asset",
    "currency": "EUR",
    "posted": "120.00",
    "posted_minor": "12000",
    "pending_debits": "0.00",
    "pending_credits": "20.00",
    "available": "100.00",
    "available_minor": "10000",
    "version": 1,
}
BALANCE_AT: Final = component(
    "BalanceAt",
    record(
        {"account": ACCOUNT, "type": TYPE, "currency": CURRENCY, "posted": DECIMAL, "posted_minor": MINOR},
        description="A posted balance at some point, in the direction of the account's normal side.",
    ),
)
BALANCE_AT_EXAMPLE: Final[dict[str, Any]] = {
    name: BALANCE_EXAMPLE[name] for name in ("account", "type", "currency", "posted", "posted_minor")
}
ENTRY: Final = component(
    "Entry",
    record(
        {
            "number": NUMBER,
            "line": whole("The line of the transaction, from 0.", minimum=0),
            "transaction_id": UUID,
            "side": one_of(Side),
            **MONEY,
            "balance": DECIMAL,
            "balance_minor": MINOR,
            "effective_at": MOMENT,
            "recorded_at": MOMENT,
        },
        {"counterpart": ACCOUNT, "description": DESCRIPTION},
        description="An entry of an account, with the balance just after it.",
    ),
)
ENTRY_EXAMPLE: Final[dict[str, Any]] = {
    "number": 3,
    "line": 0,
    "transaction_id": EXAMPLE_ID,
    "side": "debit",
    "amount": "120.00",
    "amount_minor": "12000",
    "currency": "EUR",
    "balance": "120.00",
    "balance_minor": "12000",
    "counterpart": "income:sales",
    "effective_at": EXAMPLE_TIME,
    "recorded_at": EXAMPLE_TIME,
    "description": "Order 17",
}

OPENING_REASONS: Final = (
    *COMMAND_REASONS,
    INVALID_ACCOUNT_PATH,
    INVALID_ACCOUNT_TYPE,
    INVALID_CURRENCY_FORMAT,
    UNKNOWN_CURRENCY,
    INVALID_LIMITS,
    INVALID_METADATA,
    ACCOUNT_ALREADY_EXISTS,
)
CHANGING_ACCOUNT_REASONS: Final = (
    *COMMAND_REASONS,
    INVALID_ACCOUNT_PATH,
    INVALID_STATUS,
    INVALID_LIMITS,
    INVALID_METADATA,
    ACCOUNT_NOT_FOUND,
    ACCOUNT_CLOSED,
    ACCOUNT_NOT_EMPTY,
)
