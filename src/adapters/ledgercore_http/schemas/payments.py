"""Payments in the document."""

from typing import Any, Final

from ledgercore.banking.accounts import AccountStatus, AccountType
from ledgercore.payments.payments import DESCRIPTION_LENGTH_MAX, PaymentStatus, PaymentType
from ledgercore.statements.statements import Direction
from ledgercore_http.routes import JsonSchema
from ledgercore_http.schemas.building import (
    BOOLEAN,
    DECIMAL,
    MOMENT,
    UUID,
    array,
    asked,
    component,
    one_of,
    or_null,
    record,
    text,
    whole,
)
from ledgercore_http.schemas.identity import TIME, USER_ID, trimmed
from ledgercore_http.schemas.values import AMOUNT_ASKED, CURRENCY

PAYMENT_ID: Final = "01970000-0000-7000-8000-00000000000a"
ACCOUNT_ID: Final = "01970000-0000-7000-8000-00000000000b"
TRANSACTION_ID: Final = "01970000-0000-8000-8000-00000000000c"
DIRECTION: Final = one_of(Direction, "CREDIT pays into the account, DEBIT out of it.")

_ASKED: Final[dict[str, JsonSchema]] = {
    "amount": AMOUNT_ASKED,
    "direction": DIRECTION,
    "payment_type": one_of(PaymentType),
    "description": trimmed(DESCRIPTION_LENGTH_MAX, "1 to 255 characters."),
    "user_bank_account_id": UUID,
}
NEW_PAYMENT_ASKED: Final = component(
    "NewPayment", record(_ASKED, description="A payment, in the currency of its account.")
)
_TRIED_AMOUNT: Final = {
    "anyOf": [text(pattern=r"^-?[0-9]{1,38}(\.[0-9]{1,18})?$"), whole(minimum=-(10**38) + 1, maximum=10**38 - 1)],
    "description": "As for a payment; what is not above zero is told in the answer.",
}
PAYMENT_TRIED: Final = component(
    "PaymentTried", record({**_ASKED, "amount": _TRIED_AMOUNT}, description="A payment that nothing comes of yet.")
)
NEW_PAYMENT_EXAMPLE: Final = {
    "amount": "12.50",
    "direction": "CREDIT",
    "payment_type": "DEPOSIT",
    "description": "Pocket money",
    "user_bank_account_id": ACCOUNT_ID,
}
RETURN_ASKED: Final = component(
    "NewReturn", asked({}, {"amount": AMOUNT_ASKED}, description="All that is left, or less.")
)
RETURN_EXAMPLE: Final = {"amount": "5.00"}

PAYMENT: Final = component(
    "Payment",
    record(
        {
            "id": UUID,
            "amount": DECIMAL,
            "currency": CURRENCY,
            "direction": DIRECTION,
            "description": text(),
            "payment_type": one_of(PaymentType),
            "status": one_of(PaymentStatus),
            "posted_at": or_null(MOMENT),
            "transaction_id": or_null({**UUID, "description": "The transaction of the bank's ledger that it is."}),
            "external_transaction_id": or_null(text()),
            "user_bank_account_id": UUID,
            "user_id": UUID,
            "inserted_at": MOMENT,
            "updated_at": MOMENT,
        },
        {"failure": text("The reason for which it failed.")},
        description="A payment.",
    ),
)
PAYMENT_EXAMPLE: Final[dict[str, Any]] = {
    "id": PAYMENT_ID,
    "amount": "12.50",
    "currency": "EUR",
    "direction": "CREDIT",
    "description": "Pocket money",
    "payment_type": "DEPOSIT",
    "status": "PENDING",
    "posted_at": None,
    "transaction_id": None,
    "external_transaction_id": None,
    "user_bank_account_id": ACCOUNT_ID,
    "user_id": USER_ID,
    "inserted_at": TIME,
    "updated_at": TIME,
}
COMPLETED_EXAMPLE: Final = {
    **PAYMENT_EXAMPLE,
    "status": "COMPLETED",
    "posted_at": TIME,
    "transaction_id": TRANSACTION_ID,
}
CANCELLED_EXAMPLE: Final = {**PAYMENT_EXAMPLE, "status": "CANCELLED"}
PAYMENTS: Final = array(PAYMENT)
PAYMENT_PAGINATION: Final = record(
    {
        "page": whole(minimum=1),
        "page_size": whole(minimum=1, maximum=100),
        "total_count": whole(minimum=0),
        "total_pages": whole(minimum=0),
        "has_next": BOOLEAN,
        "has_prev": BOOLEAN,
    }
)
STANDING: Final = record({"payment": PAYMENT, "can_process": BOOLEAN, "is_duplicate": BOOLEAN})
STANDING_EXAMPLE: Final = {"payment": PAYMENT_EXAMPLE, "can_process": True, "is_duplicate": False}
RETURN: Final = component(
    "PaymentReturn",
    record(
        {
            "payment_id": UUID,
            "number": whole("Counts the returns of the payment.", minimum=1),
            "amount": DECIMAL,
            "currency": CURRENCY,
            "transaction_id": UUID,
            "returned_at": MOMENT,
        },
        description="What came back of a payment.",
    ),
)
RETURNED_EXAMPLE: Final = {
    "payment_id": PAYMENT_ID,
    "number": 1,
    "amount": "5.00",
    "currency": "EUR",
    "transaction_id": TRANSACTION_ID,
    "returned_at": TIME,
}

_TRIED: Final = {
    "amount": text("As it was sent."),
    "direction": DIRECTION,
    "description": text(),
    "payment_type": one_of(PaymentType),
    "user_bank_account_id": UUID,
}
DRY_RUN: Final = component(
    "PaymentDryRun",
    record(
        {
            "valid": BOOLEAN,
            "message": text(),
            "payment": record(_TRIED),
            "account": or_null(
                record(
                    {
                        "id": UUID,
                        "account_name": text(),
                        "account_type": one_of(AccountType),
                        "status": one_of(AccountStatus),
                        "currency": CURRENCY,
                        "balance": DECIMAL,
                    }
                )
            ),
        },
        {"error": record({"reason": text("As in the list of problems."), "message": text(), "code": whole()})},
        description="What would become of a payment at this moment.",
    ),
)
DRY_RUN_EXAMPLE: Final = {
    "valid": False,
    "message": "Payment validation failed",
    "payment": {**NEW_PAYMENT_EXAMPLE, "direction": "DEBIT"},
    "account": {
        "id": ACCOUNT_ID,
        "account_name": "Everyday",
        "account_type": "CHECKING",
        "status": "ACTIVE",
        "currency": "EUR",
        "balance": "10.00",
    },
    "error": {"reason": "insufficient_funds", "message": "Insufficient funds for this transaction", "code": 422},
}

_COUNTS: Final = {name: whole(minimum=0) for name in ("total", "active", "frozen", "suspended")}
_HEALTH: Final = record(
    {
        "account_id": UUID,
        "currency": CURRENCY,
        "balance": DECIMAL,
        "daily_limit": DECIMAL,
        "daily_spent": DECIMAL,
        "daily_remaining": DECIMAL,
        "utilization_percent": whole("Of the daily limit, rounded down.", minimum=0),
        "is_healthy": BOOLEAN,
        "can_make_payments": BOOLEAN,
    }
)
STATS: Final = component(
    "PaymentStats",
    record(
        {
            "financial_health": record(
                {
                    "user_id": or_null(UUID),
                    "total_balance": or_null({**DECIMAL, "description": "`null` where there are several currencies."}),
                    "balances": {"type": "object", "additionalProperties": DECIMAL},
                    **{f"{name}_accounts": schema for name, schema in _COUNTS.items()},
                    "is_healthy": BOOLEAN,
                    "can_make_payments": BOOLEAN,
                    "accounts": array(_HEALTH),
                }
            ),
            "payments": record({status.value: whole(minimum=0) for status in PaymentStatus}),
            "recent_payments": array(PAYMENT, maxItems=10),
        },
        description="How a user stands, or everybody.",
    ),
)
STATS_EXAMPLE: Final = {
    "financial_health": {
        "user_id": USER_ID,
        "total_balance": "12.50",
        "balances": {"EUR": "12.50"},
        "total_accounts": 1,
        "active_accounts": 1,
        "frozen_accounts": 0,
        "suspended_accounts": 0,
        "is_healthy": True,
        "can_make_payments": True,
        "accounts": [
            {
                "account_id": ACCOUNT_ID,
                "currency": "EUR",
                "balance": "12.50",
                "daily_limit": "1000.00",
                "daily_spent": "0.00",
                "daily_remaining": "1000.00",
                "utilization_percent": 0,
                "is_healthy": True,
                "can_make_payments": True,
            }
        ],
    },
    "payments": {"PENDING": 0, "PROCESSING": 0, "COMPLETED": 1, "FAILED": 0, "CANCELLED": 0},
    "recent_payments": [COMPLETED_EXAMPLE],
}
