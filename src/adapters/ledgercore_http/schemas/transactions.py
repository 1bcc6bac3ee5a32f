"""Transactions and what reverses them."""

from typing import Any, Final

from ledgercore.errors.catalog import (
    INVALID_CAPTURE,
    REVERSAL_EXCEEDS_REMAINDER,
    TRANSACTION_ALREADY_REVERSED,
    TRANSACTION_NOT_FOUND,
    TRANSACTION_NOT_REVERSIBLE,
)
from ledgercore_http.schemas.building import DECIMAL, MOMENT, UUID, array, asked, component, record, whole
from ledgercore_http.schemas.values import (
    ACCOUNT,
    COMMAND_REASONS,
    DESCRIPTION,
    EFFECT_REASONS,
    ENTRY_REASONS,
    EXAMPLE_ID,
    EXAMPLE_TIME,
    KEY,
    LINE_EXAMPLE,
    LINE_REASONS,
    LINES_ASKED,
    METADATA,
    MINOR_ASKED,
    MONEY,
    NAMES_ASKED,
    NUMBER,
    PART_ASKED,
    POSTING_KIND,
    PRECONDITION_REASONS,
    REFERENCE,
    TEXT_REASONS,
)

PRECONDITION_ASKED: Final = component(
    "NewPrecondition",
    asked(
        {"account": ACCOUNT},
        {"balance_minor": MINOR_ASKED, "version": whole("How many entries it has.", minimum=-(10**38) + 1)},
        description="What an account must look like just before: its posted balance, its version, or both.",
    ),
)
NEW_TRANSACTION: Final = asked(
    {"lines": LINES_ASKED},
    {
        **NAMES_ASKED,
        "effective_at": MOMENT,
        "description": DESCRIPTION,
        "reference": REFERENCE,
        "metadata": METADATA,
        "preconditions": array(PRECONDITION_ASKED),
    },
    description="A transaction to post.",
)
TRANSACTION_ASKED: Final = component("NewTransaction", NEW_TRANSACTION)
TRANSACTION_EXAMPLE: Final = {"description": "Order 17", "reference": "order-17", "lines": [LINE_EXAMPLE]}
NEW_REVERSAL: Final = asked(
    {},
    {**NAMES_ASKED, **PART_ASKED, "effective_at": MOMENT, "description": DESCRIPTION},
    description="What to undo: an amount of a transaction of one line, or lines of it, or all that remains.",
)
REVERSAL_ASKED: Final = component("NewReversal", NEW_REVERSAL)
REVERSAL_EXAMPLE: Final = {"amount": "20.00", "currency": "EUR", "description": "Partial refund"}

LINE: Final = component(
    "Line",
    record(
        MONEY,
        {"debit": ACCOUNT, "credit": ACCOUNT, "debit_balance": DECIMAL, "credit_balance": DECIMAL},
        description="A posted line; the balances are those of the accounts just after it.",
    ),
)
TRANSACTION: Final = component(
    "Transaction",
    record(
        {
            "id": UUID,
            "number": NUMBER,
            "kind": POSTING_KIND,
            "effective_at": MOMENT,
            "recorded_at": MOMENT,
            "lines": array(LINE, minItems=1),
        },
        {
            "key": KEY,
            "description": DESCRIPTION,
            "reference": REFERENCE,
            "metadata": METADATA,
            "reverses": UUID,
            "captures": UUID,
        },
        description="A transaction that was posted; `reverses` and `captures` name what it came from.",
    ),
)
POSTED: Final = component(
    "PostedTransaction",
    record(
        {
            "id": UUID,
            "number": NUMBER,
            "kind": POSTING_KIND,
            "recorded_at": MOMENT,
            "lines": array(component("PostedLine", record(MONEY, {"debit": ACCOUNT, "credit": ACCOUNT})), minItems=1),
        },
        {
            "key": KEY,
            "effective_at": MOMENT,
            "description": DESCRIPTION,
            "reference": REFERENCE,
            "metadata": METADATA,
        },
        description="A transaction as it was posted just now; it counts from now on unless it says `effective_at`.",
    ),
)
_POSTED_LINE: Final = {**LINE_EXAMPLE, "amount_minor": "12000"}
POSTED_EXAMPLE: Final[dict[str, Any]] = {
    "id": EXAMPLE_ID,
    "number": 3,
    "kind": "transaction.posted",
    "recorded_at": EXAMPLE_TIME,
    "description": "Order 17",
    "reference": "order-17",
    "lines": [_POSTED_LINE],
}
TRANSACTION_READ_EXAMPLE: Final[dict[str, Any]] = {
    **POSTED_EXAMPLE,
    "effective_at": EXAMPLE_TIME,
    "lines": [{**_POSTED_LINE, "debit_balance": "120.00", "credit_balance": "120.00"}],
}
REVERSED_EXAMPLE: Final[dict[str, Any]] = {
    "id": "01970000-0000-7000-8000-000000000009",
    "number": 4,
    "kind": "transaction.reversed",
    "effective_at": EXAMPLE_TIME,
    "recorded_at": EXAMPLE_TIME,
    "description": "Partial refund",
    "reverses": EXAMPLE_ID,
    "lines": [
        {
            "debit": "income:sales",
            "credit": "assets:bank",
            "amount": "20.00",
            "amount_minor": "2000",
            "currency": "EUR",
            "debit_balance": "100.00",
            "credit_balance": "100.00",
        }
    ],
}

POSTING_REASONS: Final = (
    *COMMAND_REASONS,
    *TEXT_REASONS,
    *LINE_REASONS,
    *EFFECT_REASONS,
    *PRECONDITION_REASONS,
    *ENTRY_REASONS,
)
REVERSAL_REASONS: Final = (
    *COMMAND_REASONS,
    *TEXT_REASONS,
    *LINE_REASONS,
    *EFFECT_REASONS,
    *ENTRY_REASONS,
    INVALID_CAPTURE,
    TRANSACTION_NOT_FOUND,
    TRANSACTION_ALREADY_REVERSED,
    TRANSACTION_NOT_REVERSIBLE,
    REVERSAL_EXCEEDS_REMAINDER,
)
