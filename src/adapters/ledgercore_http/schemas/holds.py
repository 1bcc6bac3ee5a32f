"""Holds: placed, changed, captured, let go, replaced."""

from typing import Any, Final

from ledgercore.errors.catalog import (
    CAPTURE_EXCEEDS_HOLD,
    HOLD_ALREADY_CLOSED,
    HOLD_EXPIRED,
    HOLD_GROUP_NOT_FOUND,
    HOLD_NOT_EXPIRED,
    HOLD_NOT_FOUND,
    INVALID_CAPTURE,
    INVALID_EXPIRY,
    INVALID_REFERENCE,
    INVALID_TOLERANCE,
)
from ledgercore.ledger.holds import TOLERANCE_BPS_MAX, HoldStatus
from ledgercore_http.schemas.building import (
    BOOLEAN,
    DECIMAL,
    MOMENT,
    UUID,
    array,
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
    DESCRIPTION,
    EFFECT_REASONS,
    ENTRY_REASONS,
    EXAMPLE_ID,
    EXAMPLE_TIME,
    GROUP,
    KEY,
    LINE_EXAMPLE,
    LINE_REASONS,
    LINES_ASKED,
    METADATA,
    MOMENT_REASONS,
    MONEY,
    NAMES_ASKED,
    NUMBER,
    PART_ASKED,
    TEXT_REASONS,
)

_TOLERANCE: Final = whole(
    "By how much captures may exceed the hold, in hundredths of a percent.", minimum=0, maximum=TOLERANCE_BPS_MAX
)
NEW_HOLD: Final = asked(
    {"lines": LINES_ASKED},
    {
        **NAMES_ASKED,
        "expires_at": MOMENT,
        "tolerance_bps": _TOLERANCE,
        "group": GROUP,
        "description": DESCRIPTION,
        "metadata": METADATA,
    },
    description="Lines to reserve; nothing is posted.",
)
HOLD_ASKED: Final = component("NewHold", NEW_HOLD)
HOLD_EXAMPLE: Final = {"description": "Order 17", "group": "order-17", "lines": [LINE_EXAMPLE]}
HOLD_CHANGE: Final = needing(
    asked(
        {},
        {**NAMES_ASKED, **PART_ASKED},
        description="What the hold shall reserve in total: an amount for a hold of one line, else all its lines.",
    ),
    "amount",
    "lines",
)
HOLD_CHANGE_ASKED: Final = component("HoldChange", HOLD_CHANGE)
HOLD_CHANGE_EXAMPLE: Final = {"amount": "150.00", "currency": "EUR"}
NEW_CAPTURE: Final = asked(
    {},
    {**NAMES_ASKED, **PART_ASKED, "final": BOOLEAN, "effective_at": MOMENT, "description": DESCRIPTION},
    description="What to post: an amount of a hold of one line, or lines of it, or all that remains. "
    "A `final` capture lets the rest go.",
)
CAPTURE_ASKED: Final = component("NewCapture", NEW_CAPTURE)
CAPTURE_EXAMPLE: Final = {"amount": "80.00", "currency": "EUR"}
NAMES_ONLY: Final = asked({}, NAMES_ASKED, description="Nothing but the name of the command.")
NAME_ASKED: Final = component("CommandName", NAMES_ONLY)
NEW_REPLACEMENT: Final = asked({}, {**NAMES_ASKED, "expires_at": MOMENT}, description="When the new hold expires.")
REPLACEMENT_ASKED: Final = component("NewReplacement", NEW_REPLACEMENT)
REPLACEMENT_EXAMPLE: Final[dict[str, Any]] = {}

HELD_LINE: Final = component(
    "HeldLine",
    record({**MONEY, "captured": DECIMAL, "remaining": DECIMAL}, {"debit": ACCOUNT, "credit": ACCOUNT}),
)
_ALWAYS: Final = {
    "id": UUID,
    "status": one_of(HoldStatus),
    "tolerance_bps": _TOLERANCE,
    "lines": array(HELD_LINE, minItems=1),
}
_SOMETIMES: Final = {"expires_at": MOMENT, "group": GROUP, "description": DESCRIPTION, "metadata": METADATA}
HOLD: Final = component(
    "Hold",
    record(
        {**_ALWAYS, "placed_at": MOMENT},
        {**_SOMETIMES, "replaces": UUID},
        description="A hold as it stands; one whose time has passed shows as expired.",
    ),
)
CHANGED_HOLD: Final = component(
    "ChangedHold",
    record(
        {**_ALWAYS, "placed_at": MOMENT, "changed_at": MOMENT},
        {**_SOMETIMES, "replaces": UUID},
        description="A hold as the change left it.",
    ),
)
PLACED_HOLD: Final = component(
    "PlacedHold",
    record(
        {**_ALWAYS, "number": NUMBER, "recorded_at": MOMENT},
        {**_SOMETIMES, "key": KEY, "placed_at": MOMENT, "replaces": UUID},
        description="A hold as it was placed.",
    ),
)
_GROUP_CLOSED: Final = {"id": UUID, "number": NUMBER, "recorded_at": MOMENT, "group": GROUP}
CAPTURED_GROUP: Final = component(
    "CapturedGroup", record({**_GROUP_CLOSED, "captured": array(UUID, minItems=1)}, {"key": KEY})
)
VOIDED_GROUP: Final = component(
    "VoidedGroup", record({**_GROUP_CLOSED, "voided": array(UUID, minItems=1)}, {"key": KEY})
)

_HELD_LINE: Final = {**LINE_EXAMPLE, "amount_minor": "12000", "captured": "0.00", "remaining": "120.00"}
_HELD: Final = {
    "id": EXAMPLE_ID,
    "status": "open",
    "tolerance_bps": 0,
    "group": "order-17",
    "description": "Order 17",
    "lines": [_HELD_LINE],
}
HOLD_READ_EXAMPLE: Final[dict[str, Any]] = {**_HELD, "placed_at": EXAMPLE_TIME}
CHANGED_EXAMPLE: Final[dict[str, Any]] = {
    **HOLD_READ_EXAMPLE,
    "changed_at": EXAMPLE_TIME,
    "lines": [{**_HELD_LINE, "amount": "150.00", "amount_minor": "15000", "remaining": "150.00"}],
}
PLACED_EXAMPLE: Final[dict[str, Any]] = {**_HELD, "number": 3, "recorded_at": EXAMPLE_TIME}
VOIDED_EXAMPLE: Final[dict[str, Any]] = {**HOLD_READ_EXAMPLE, "status": "voided"}
REPLACED_EXAMPLE: Final[dict[str, Any]] = {
    **PLACED_EXAMPLE,
    "id": "01970000-0000-7000-8000-000000000009",
    "number": 9,
    "placed_at": EXAMPLE_TIME,
    "replaces": EXAMPLE_ID,
}
CAPTURED_EXAMPLE: Final[dict[str, Any]] = {
    "id": "01970000-0000-7000-8000-000000000009",
    "number": 4,
    "kind": "hold.captured",
    "effective_at": EXAMPLE_TIME,
    "recorded_at": EXAMPLE_TIME,
    "description": "Order 17",
    "captures": EXAMPLE_ID,
    "lines": [
        {
            **LINE_EXAMPLE,
            "amount": "80.00",
            "amount_minor": "8000",
            "debit_balance": "80.00",
            "credit_balance": "80.00",
        }
    ],
}
_GROUP_EXAMPLE: Final = {
    "id": "01970000-0000-7000-8000-000000000009",
    "number": 6,
    "recorded_at": EXAMPLE_TIME,
    "group": "order-17",
}
CAPTURED_GROUP_EXAMPLE: Final[dict[str, Any]] = {**_GROUP_EXAMPLE, "captured": [EXAMPLE_ID]}
VOIDED_GROUP_EXAMPLE: Final[dict[str, Any]] = {**_GROUP_EXAMPLE, "voided": [EXAMPLE_ID]}

PLACING_REASONS: Final = (
    *COMMAND_REASONS,
    *TEXT_REASONS,
    *LINE_REASONS,
    *MOMENT_REASONS,
    *ENTRY_REASONS,
    INVALID_TOLERANCE,
    INVALID_EXPIRY,
)
CLOSING_REASONS: Final = (*COMMAND_REASONS, HOLD_NOT_FOUND, HOLD_ALREADY_CLOSED, HOLD_EXPIRED)
CHANGING_REASONS: Final = (*CLOSING_REASONS, *LINE_REASONS, *ENTRY_REASONS, INVALID_CAPTURE, CAPTURE_EXCEEDS_HOLD)
CAPTURING_REASONS: Final = (*CHANGING_REASONS, *TEXT_REASONS, *EFFECT_REASONS)
REPLACING_REASONS: Final = (
    *COMMAND_REASONS,
    *MOMENT_REASONS,
    *ENTRY_REASONS,
    HOLD_NOT_FOUND,
    HOLD_NOT_EXPIRED,
    INVALID_EXPIRY,
)
VOIDING_GROUP_REASONS: Final = (*COMMAND_REASONS, INVALID_REFERENCE, HOLD_GROUP_NOT_FOUND)
CAPTURING_GROUP_REASONS: Final = (*VOIDING_GROUP_REASONS, *ENTRY_REASONS, *EFFECT_REASONS)
