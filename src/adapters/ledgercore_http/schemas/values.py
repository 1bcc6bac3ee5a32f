"""Values that the ledger's documents share, and the reasons that its routes share."""

from typing import Final

from ledgercore.errors.catalog import (
    ACCOUNT_CLOSED,
    ACCOUNT_FROZEN,
    ACCOUNT_NOT_FOUND,
    BALANCE_ABOVE_MAXIMUM,
    BALANCE_OVERFLOW,
    BALANCE_PRECONDITION_FAILED,
    COMMIT_OUTCOME_UNKNOWN,
    CURRENCY_MISMATCH,
    DATETIME_OUT_OF_RANGE,
    EMPTY_TRANSACTION,
    INSUFFICIENT_FUNDS,
    INVALID_ACCOUNT_PATH,
    INVALID_ACCOUNT_TYPE,
    INVALID_AMOUNT_FORMAT,
    INVALID_ARGUMENT,
    INVALID_CURRENCY_FORMAT,
    INVALID_CURSOR,
    INVALID_DATETIME_FORMAT,
    INVALID_DESCRIPTION_FORMAT,
    INVALID_FILTER,
    INVALID_METADATA,
    INVALID_REFERENCE,
    INVALID_UUID_FORMAT,
    PERIOD_CLOSED,
    RECORDED_TIME_IN_FUTURE,
    SAME_ACCOUNT_BOTH_SIDES,
    TOO_MANY_LINES,
    TOO_MUCH_CONTENTION,
    UNBALANCED_TRANSACTION,
    UNKNOWN_CURRENCY,
    VERSION_PRECONDITION_FAILED,
)
from ledgercore.errors.reason import Reason
from ledgercore.ledger.accounts import AccountType
from ledgercore.ledger.holds import GROUP_LENGTH_MAX
from ledgercore.ledger.log.records import KIND_NAMES, POSTING_KINDS
from ledgercore.ledger.paths import PATH_LENGTH_MAX
from ledgercore.ledger.texts import DESCRIPTION_LENGTH_MAX, KEY_LENGTH_MAX, REFERENCE_LENGTH_MAX
from ledgercore.ledger.transactions import LINES_MAX
from ledgercore.pages import PAGE_SIZE_MAX
from ledgercore_http.routes import JsonSchema
from ledgercore_http.schemas.building import (
    BOOLEAN,
    DECIMAL,
    MINOR,
    UUID,
    array,
    asked,
    component,
    needing,
    one_of,
    or_null,
    record,
    text,
    whole,
)

NO_NUL: Final = r"^[^\u0000]*$"
ACCOUNT: Final = text(
    "An account's path.", pattern="^[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+){0,15}$", maxLength=PATH_LENGTH_MAX
)
CURRENCY: Final = text("A code of ISO 4217, or an asset that the ledger registered.", pattern="^[A-Z][A-Z0-9]{2,11}$")
TYPE: Final = one_of(AccountType)
KEY: Final = text("Your name for the intent.", minLength=1, maxLength=KEY_LENGTH_MAX, pattern=NO_NUL)
DESCRIPTION: Final = text("Free text.", maxLength=DESCRIPTION_LENGTH_MAX, pattern=NO_NUL)
REFERENCE: Final = text("Your own number for it.", minLength=1, maxLength=REFERENCE_LENGTH_MAX, pattern=NO_NUL)
GROUP: Final = text("A name that holds share.", minLength=1, maxLength=GROUP_LENGTH_MAX, pattern=NO_NUL)
METADATA: Final[JsonSchema] = {
    "type": "object",
    "additionalProperties": True,
    "propertyNames": text(minLength=1, maxLength=KEY_LENGTH_MAX, pattern=NO_NUL),
    "description": "Anything of yours up to 16 KiB and 8 levels, numbers with decimals as text.",
}
NUMBER: Final = whole("The place in the ledger's log.", minimum=1)
HASH: Final = text("32 bytes in hexadecimal digits.", pattern="^[0-9a-f]{64}$")
AMOUNT_ASKED: Final[JsonSchema] = {
    "anyOf": [
        text(pattern=r"^[0-9]{1,38}(\.[0-9]{1,18})?$"),
        whole(minimum=1, maximum=10**38 - 1),
    ],
    "description": "Decimal text above zero with at most the decimals of its currency, or whole units.",
}
MINOR_ASKED: Final[JsonSchema] = {
    "anyOf": [text(pattern="^-?[0-9]{1,38}$"), whole(minimum=-(10**38) + 1, maximum=10**38 - 1)],
    "description": "Minor units, as text or as a number.",
}
NAMES_ASKED: Final[dict[str, JsonSchema]] = {"id": UUID, "key": KEY}
"""How a command is named: by one of both, or by the `Idempotency-Key`."""
MONEY: Final[dict[str, JsonSchema]] = {"amount": DECIMAL, "amount_minor": MINOR, "currency": CURRENCY}

LINE_ASKED: Final = component(
    "NewLine",
    needing(
        asked(
            {"amount": AMOUNT_ASKED, "currency": CURRENCY},
            {"debit": ACCOUNT, "credit": ACCOUNT},
            description="An amount that debits an account, credits an account, or moves between two.",
        ),
        "debit",
        "credit",
    ),
)
LINES_ASKED: Final = array(LINE_ASKED, minItems=1, maxItems=LINES_MAX)
LINE_EXAMPLE: Final = {"debit": "assets:bank", "credit": "income:sales", "amount": "120.00", "currency": "EUR"}
PART_ASKED: Final[dict[str, JsonSchema]] = {"amount": AMOUNT_ASKED, "currency": CURRENCY, "lines": LINES_ASKED}
"""A part of a transaction or a hold: an amount of one line, or lines."""
LIMITS_ASKED: Final = component(
    "NewLimits",
    asked(
        {},
        {"minimum_minor": MINOR_ASKED, "maximum_minor": MINOR_ASKED},
        description="The least and the most that the available balance may be, in the direction of the normal side.",
    ),
)
POSTING_KIND: Final = one_of(sorted(KIND_NAMES[kind] for kind in POSTING_KINDS))

EXAMPLE_ID: Final = "01970000-0000-7000-8000-000000000001"
EXAMPLE_TIME: Final = "2026-03-02T09:00:00+00:00"
EXAMPLE_HASH: Final = "5f2b51ca2fdc5baa31ec02e002f69aec0a03ebcd3d5a9a1a0f1d0f5f8a3b9c70"

PAGINATION: Final = component(
    "Pagination",
    record(
        {
            "type": {"const": "keyset"},
            "limit": whole(minimum=1, maximum=PAGE_SIZE_MAX),
            "has_more": BOOLEAN,
            "next_cursor": or_null(text("Leads to the next page; opaque.")),
        }
    ),
)
PAGED: Final = record({"pagination": PAGINATION})

COMMAND_REASONS: Final[tuple[Reason, ...]] = (
    INVALID_UUID_FORMAT,
    INVALID_ARGUMENT,
    COMMIT_OUTCOME_UNKNOWN,
    TOO_MUCH_CONTENTION,
)
TEXT_REASONS: Final[tuple[Reason, ...]] = (INVALID_DESCRIPTION_FORMAT, INVALID_REFERENCE, INVALID_METADATA)
MOMENT_REASONS: Final[tuple[Reason, ...]] = (INVALID_DATETIME_FORMAT, DATETIME_OUT_OF_RANGE)
LINE_REASONS: Final[tuple[Reason, ...]] = (
    EMPTY_TRANSACTION, TOO_MANY_LINES, UNBALANCED_TRANSACTION, SAME_ACCOUNT_BOTH_SIDES,
    INVALID_AMOUNT_FORMAT, INVALID_CURRENCY_FORMAT, UNKNOWN_CURRENCY, INVALID_ACCOUNT_PATH,
)  # fmt: skip
ENTRY_REASONS: Final[tuple[Reason, ...]] = (
    ACCOUNT_NOT_FOUND, ACCOUNT_FROZEN, ACCOUNT_CLOSED, CURRENCY_MISMATCH, INSUFFICIENT_FUNDS,
    BALANCE_ABOVE_MAXIMUM, BALANCE_OVERFLOW, INVALID_ACCOUNT_TYPE,
)  # fmt: skip
"""Why an account may not take an entry."""
EFFECT_REASONS: Final[tuple[Reason, ...]] = (PERIOD_CLOSED, *MOMENT_REASONS)
PRECONDITION_REASONS: Final[tuple[Reason, ...]] = (BALANCE_PRECONDITION_FAILED, VERSION_PRECONDITION_FAILED)
LIST_REASONS: Final[tuple[Reason, ...]] = (INVALID_FILTER, INVALID_CURSOR)
AS_OF_REASONS: Final[tuple[Reason, ...]] = (*MOMENT_REASONS, RECORDED_TIME_IN_FUTURE)


def link(operation: str, **parameters: str) -> dict[str, object]:
    """What can be done next with an answer of the same ledger; `id="id"` takes that field of the data."""
    found = {name: f"$response.body#/data/{field}" for name, field in parameters.items()}
    return {"operationId": operation, "parameters": {"ledger": "$request.path.ledger", **found}}
