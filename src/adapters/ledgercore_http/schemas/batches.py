"""Batches: many commands at once, each as a typed document."""

from typing import Any, Final

from ledgercore.errors.catalog import (
    BATCH_TOO_LARGE,
    GROUP_REFUSED,
    IDEMPOTENCY_KEY_REUSED,
)
from ledgercore.ledger.commands import BATCH_MAX
from ledgercore_http.routes import JsonSchema
from ledgercore_http.schemas.accounts import (
    ACCOUNT_CHANGE,
    CHANGING_ACCOUNT_REASONS,
    NEW_ACCOUNT_IN_BATCH,
    OPENING_REASONS,
)
from ledgercore_http.schemas.building import (
    ANY_OBJECT,
    BOOLEAN,
    MOMENT,
    UUID,
    array,
    asked,
    component,
    record,
    text,
    whole,
)
from ledgercore_http.schemas.holds import (
    CAPTURING_GROUP_REASONS,
    CAPTURING_REASONS,
    HOLD_CHANGE,
    NAMES_ONLY,
    NEW_CAPTURE,
    NEW_HOLD,
    NEW_REPLACEMENT,
    PLACING_REASONS,
    REPLACING_REASONS,
    VOIDING_GROUP_REASONS,
)
from ledgercore_http.schemas.ledgers import PERIOD_IN_BATCH, PERIOD_REASONS
from ledgercore_http.schemas.transactions import NEW_REVERSAL, NEW_TRANSACTION, POSTING_REASONS, REVERSAL_REASONS
from ledgercore_http.schemas.values import ACCOUNT, EXAMPLE_ID, EXAMPLE_TIME, GROUP, LINE_EXAMPLE, NUMBER

_HOLD: Final[dict[str, JsonSchema]] = {"hold": UUID}
_GROUP: Final[dict[str, JsonSchema]] = {"group": GROUP}


def _typed(name: str, about: dict[str, JsonSchema], schema: dict[str, Any], title: str) -> JsonSchema:
    """A document that says what it asks for and what it is about, with the fields of its own route."""
    return component(
        title,
        {
            **schema,
            "properties": {"type": {"const": name}, **about, **schema["properties"]},
            "required": ["type", *about, *schema.get("required", ())],
        },
    )


_TRANSACTION: Final = component(
    "TransactionCommand",
    {**NEW_TRANSACTION, "properties": {"type": {"const": "transaction"}, **NEW_TRANSACTION["properties"]}},
)
COMMAND: Final = component(
    "Command",
    {
        "anyOf": [
            _TRANSACTION,
            _typed("reversal", {"transaction": UUID}, NEW_REVERSAL, "ReversalCommand"),
            _typed("hold", {}, NEW_HOLD, "HoldCommand"),
            _typed("hold_change", _HOLD, HOLD_CHANGE, "HoldChangeCommand"),
            _typed("capture", _HOLD, NEW_CAPTURE, "CaptureCommand"),
            _typed("void", _HOLD, NAMES_ONLY, "VoidCommand"),
            _typed("hold_replacement", _HOLD, NEW_REPLACEMENT, "HoldReplacementCommand"),
            _typed("group_capture", _GROUP, NAMES_ONLY, "GroupCaptureCommand"),
            _typed("group_void", _GROUP, NAMES_ONLY, "GroupVoidCommand"),
            _typed("account", {}, NEW_ACCOUNT_IN_BATCH, "AccountCommand"),
            _typed("account_change", {"account": ACCOUNT}, ACCOUNT_CHANGE, "AccountChangeCommand"),
            _typed("period_close", {}, PERIOD_IN_BATCH, "PeriodCloseCommand"),
        ]
    },
)
GROUP_OF_COMMANDS: Final = component(
    "CommandGroup",
    record({"group": array(COMMAND, minItems=1, maxItems=BATCH_MAX)}, description="All of them happen, or none does."),
)
BATCH_ASKED: Final = component(
    "NewBatch",
    asked(
        {"items": array({"anyOf": [COMMAND, GROUP_OF_COMMANDS]}, minItems=1, maxItems=BATCH_MAX)},
        {"atomic": BOOLEAN},
        description="Commands in order; an `atomic` batch happens as a whole or not at all.",
    ),
)
BATCH_EXAMPLE: Final[dict[str, Any]] = {
    "items": [
        {"key": "order-18", "lines": [LINE_EXAMPLE]},
        {
            "group": [
                {"type": "hold", "key": "order-19", "lines": [LINE_EXAMPLE]},
                {"type": "account", "account": "assets:till", "currency": "EUR", "account_type": "asset"},
            ]
        },
    ]
}

APPLIED: Final = component(
    "Applied",
    record(
        {
            "outcome": {"const": "applied"},
            "id": UUID,
            "number": NUMBER,
            "recorded_at": MOMENT,
            "replayed": BOOLEAN,
        }
    ),
)
REFUSED: Final = component(
    "Refused",
    record(
        {
            "outcome": {"const": "refused"},
            "code": text("The code of a reason."),
            "title": text(),
            "details": ANY_OBJECT,
            "replayed": BOOLEAN,
        }
    ),
)
_ONE: Final[dict[str, Any]] = {"anyOf": [APPLIED, REFUSED]}
OUTCOMES: Final = component(
    "Outcomes",
    record(
        {
            "outcomes": array(
                {"anyOf": [APPLIED, REFUSED, component("GroupOutcome", record({"outcomes": array(_ONE)}))]}
            )
        },
        description="What became of each item, in order.",
    ),
)
COUNTS: Final = component(
    "BatchCounts",
    record(
        {"applied": whole(minimum=0), "replayed": whole(minimum=0), "refused": whole(minimum=0)},
        description="Commands that took effect now, that had done so before, and that did not.",
    ),
)
_APPLIED: Final = {
    "outcome": "applied",
    "id": EXAMPLE_ID,
    "number": 3,
    "recorded_at": EXAMPLE_TIME,
    "replayed": False,
}
OUTCOMES_EXAMPLE: Final[dict[str, Any]] = {
    "outcomes": [
        _APPLIED,
        {
            "outcome": "refused",
            "code": "account_frozen",
            "title": "Account is frozen",
            "details": {"account": "assets:bank"},
            "replayed": False,
        },
    ]
}
BATCH_REASONS: Final = tuple(
    dict.fromkeys(
        (
            *POSTING_REASONS,
            *REVERSAL_REASONS,
            *PLACING_REASONS,
            *CAPTURING_REASONS,
            *REPLACING_REASONS,
            *VOIDING_GROUP_REASONS,
            *CAPTURING_GROUP_REASONS,
            *OPENING_REASONS,
            *CHANGING_ACCOUNT_REASONS,
            *PERIOD_REASONS,
            BATCH_TOO_LARGE,
            GROUP_REFUSED,
            IDEMPOTENCY_KEY_REUSED,
        )
    )
)
