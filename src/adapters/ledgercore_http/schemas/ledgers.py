"""Ledgers: where they stand, their settings, their periods."""

from typing import Any, Final

from ledgercore.errors.catalog import (
    ASSET_ALREADY_REGISTERED,
    INVALID_ACCOUNT_PATH,
    INVALID_ACCOUNT_TYPE,
    INVALID_ASSET,
    INVALID_LIMITS,
    PERIOD_ALREADY_CLOSED,
)
from ledgercore.money import EXPONENT_MAX
from ledgercore_http.schemas.building import (
    BOOLEAN,
    MINOR,
    MOMENT,
    UUID,
    asked,
    component,
    or_null,
    record,
    text,
    whole,
)
from ledgercore_http.schemas.values import (
    ACCOUNT,
    COMMAND_REASONS,
    CURRENCY,
    EXAMPLE_HASH,
    EXAMPLE_ID,
    EXAMPLE_TIME,
    HASH,
    KEY,
    LIMITS_ASKED,
    MOMENT_REASONS,
    NAMES_ASKED,
    NUMBER,
    TYPE,
)

_BY_PREFIX: Final = {"propertyNames": ACCOUNT}
SETTINGS_ASKED: Final = component(
    "NewSettings",
    asked(
        {},
        {
            "on_first_use": BOOLEAN,
            "types": {"type": "object", "additionalProperties": TYPE, **_BY_PREFIX},
            "limits": {"type": "object", "additionalProperties": or_null(LIMITS_ASKED), **_BY_PREFIX},
            "assets": {
                "type": "object",
                "additionalProperties": whole(minimum=0, maximum=EXPONENT_MAX),
                "propertyNames": CURRENCY,
            },
        },
        description="How accounts open on first use, their types and limits by the longest prefix of their path, and "
        "the decimals of assets that ISO 4217 does not have. What is left out has its default.",
    ),
)
SETTINGS_EXAMPLE: Final[dict[str, Any]] = {
    "on_first_use": True,
    "types": {
        "assets": "asset",
        "liabilities": "liability",
        "equity": "equity",
        "income": "income",
        "expenses": "expense",
    },
    "limits": {"assets:cash": {"minimum_minor": "0"}},
    "assets": {"GOLD": 3},
}
SETTINGS: Final = component(
    "Settings",
    record(
        {
            "on_first_use": BOOLEAN,
            "types": {"type": "object", "additionalProperties": TYPE},
            "limits": {
                "type": "object",
                "additionalProperties": component(
                    "Limits", record({}, {"minimum_minor": MINOR, "maximum_minor": MINOR})
                ),
            },
            "assets": {"type": "object", "additionalProperties": whole(minimum=0, maximum=EXPONENT_MAX)},
        }
    ),
)
LEDGER: Final = component(
    "LedgerState",
    record(
        {
            "ledger": text(),
            "records": whole(minimum=0),
            "batches": whole(minimum=0),
            "head": HASH,
            "accounts": whole(minimum=0),
            "settings": SETTINGS,
        },
        {"recorded_at": MOMENT, "closed_through": MOMENT},
        description="Where a ledger stands.",
    ),
)
LEDGER_EXAMPLE: Final[dict[str, Any]] = {
    "ledger": "shop",
    "records": 3,
    "batches": 1,
    "head": EXAMPLE_HASH,
    "recorded_at": EXAMPLE_TIME,
    "accounts": 2,
    "settings": SETTINGS_EXAMPLE,
}
PERIOD_ASKED: Final = component(
    "PeriodEnd",
    asked({"through": MOMENT}, NAMES_ASKED, description="Nothing may count at or before this time from now on."),
)
PERIOD_IN_BATCH: Final = asked({"through": MOMENT}, NAMES_ASKED)
PERIOD_EXAMPLE: Final = {"through": "2025-12-31T23:59:59+00:00"}
PERIOD: Final = component(
    "ClosedPeriod",
    record({"id": UUID, "number": NUMBER, "recorded_at": MOMENT, "closed_through": MOMENT}, {"key": KEY}),
)
PERIOD_CLOSED_EXAMPLE: Final[dict[str, Any]] = {
    "id": EXAMPLE_ID,
    "number": 4,
    "recorded_at": EXAMPLE_TIME,
    "closed_through": "2025-12-31T23:59:59+00:00",
}

SETTINGS_REASONS: Final = (
    *COMMAND_REASONS,
    INVALID_ACCOUNT_PATH,
    INVALID_ACCOUNT_TYPE,
    INVALID_LIMITS,
    INVALID_ASSET,
    ASSET_ALREADY_REGISTERED,
)
PERIOD_REASONS: Final = (*COMMAND_REASONS, *MOMENT_REASONS, PERIOD_ALREADY_CLOSED)
