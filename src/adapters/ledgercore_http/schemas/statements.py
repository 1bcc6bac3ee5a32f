"""Statements of banks, and their reconciliation with the ledger."""

from typing import Any, Final

from ledgercore.errors.catalog import (
    ACCOUNT_NOT_FOUND,
    INVALID_ACCOUNT_PATH,
    INVALID_ALLOCATION,
    INVALID_AMOUNT_FORMAT,
    INVALID_ARGUMENT,
    INVALID_FILTER,
    INVALID_UUID_FORMAT,
    MALFORMED_STATEMENT,
    MATCH_ALREADY_UNDONE,
    MATCH_NOT_FOUND,
    OVER_ALLOCATED,
    PERIOD_CLOSED,
    SAME_ACCOUNT_BOTH_SIDES,
    STATEMENT_CURRENCY_MISMATCH,
    STATEMENT_NOT_FOUND,
    TOO_MUCH_CONTENTION,
    TRANSACTION_NOT_FOUND,
    UNKNOWN_STATEMENT_FORMAT,
)
from ledgercore.errors.reason import Reason
from ledgercore.statements.matches import Stage
from ledgercore.statements.matching import WINDOW_DAYS_MAX
from ledgercore.statements.statements import Direction
from ledgercore_http.routes import JsonSchema
from ledgercore_http.schemas.building import (
    ANY_OBJECT,
    BOOLEAN,
    DECIMAL,
    MINOR,
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
from ledgercore_http.schemas.values import ACCOUNT, CURRENCY, ENTRY_REASONS, EXAMPLE_ID, EXAMPLE_TIME

_DAY: Final = text("A day as year, month and day.", format="date")
_COUNT: Final = whole(minimum=0)
_SIGNED: Final = text("Decimal text, with a minus for what lowers the account.", pattern=r"^-?[0-9]+(\.[0-9]+)?$")


def _amounts(*names: str) -> dict[str, JsonSchema]:
    """An amount and its minor units."""
    return {name: schema for each in names for name, schema in ((each, DECIMAL), (f"{each}_minor", MINOR))}


FILE: Final = text("The file as the bank gave it, in whatever encoding it has.", format="binary")
FILE_EXAMPLE: Final = "\r\n".join(
    [
        ":20:MARCH",
        ":25:12030000/202051",
        ":28C:1/1",
        ":60F:C260301EUR0,00",
        ":61:2603020302C120,00NTRFINV-17",
        ":86:?20Invoice 17?32Ada Example",
        ":62F:C260302EUR120,00",
        "-",
    ]
)
_STATEMENT: Final[dict[str, JsonSchema]] = {
    "id": UUID,
    "account": ACCOUNT,
    "format": text("What it was read from, such as `mt940` or `camt.053.001.08`."),
    "file_name": text("As it was given."),
    "imported_at": MOMENT,
    "currency": CURRENCY,
    "entries_count": whole("Booked entries.", minimum=0),
    "pending_count": whole("Entries that the bank had not booked; these are not kept.", minimum=0),
    "lines_added": whole("Entries that no earlier statement had told.", minimum=0),
    "warnings": array(text("What was read in spite of a fault.")),
}
_STATEMENT_MAYBE: Final[dict[str, JsonSchema]] = {
    "bank_account": text("What the file calls the account."),
    "reference": text(),
    "number": text(),
    **_amounts("opening", "closing"),
    "opening_on": _DAY,
    "closing_on": _DAY,
    "difference": text("What opening and entries miss the closing balance by.", pattern=DECIMAL["pattern"]),
    "difference_minor": MINOR,
}
STATEMENT: Final = component("Statement", record(_STATEMENT, _STATEMENT_MAYBE))
STATEMENT_EXAMPLE: Final[dict[str, Any]] = {
    "id": EXAMPLE_ID,
    "account": "assets:bank",
    "format": "mt940",
    "file_name": "march.sta",
    "imported_at": EXAMPLE_TIME,
    "bank_account": "12030000/202051",
    "reference": "MARCH",
    "number": "1/1",
    "currency": "EUR",
    "opening": "0.00",
    "opening_minor": "0",
    "opening_on": "2026-03-01",
    "closing": "120.00",
    "closing_minor": "12000",
    "closing_on": "2026-03-02",
    "difference": "0.00",
    "difference_minor": "0",
    "entries_count": 1,
    "pending_count": 0,
    "lines_added": 1,
    "warnings": [],
}
IMPORTED: Final = array(
    component(
        "ImportedStatement",
        record({**_STATEMENT, "is_new": BOOLEAN}, _STATEMENT_MAYBE, description="`is_new` if it was not there before."),
    )
)
IMPORTED_EXAMPLE: Final = [{**STATEMENT_EXAMPLE, "is_new": True}]

_LINE: Final[dict[str, JsonSchema]] = {
    "id": UUID,
    "number": whole("The place among the lines of its account.", minimum=1),
    "statement_id": UUID,
    "direction": one_of(Direction),
    **_amounts("amount"),
    "currency": CURRENCY,
    "text": text(),
    "references": array(text()),
    "structured_references": array(text()),
    "is_reversal": BOOLEAN,
}
_LINE_MAYBE: Final[dict[str, JsonSchema]] = {
    "booked_on": _DAY,
    "value_on": _DAY,
    "counterparty": text(),
    "counterparty_account": text(),
    "bank_id": text("The bank's own name of it."),
}
LINE: Final = component("StatementLine", record(_LINE, _LINE_MAYBE))
LINE_EXAMPLE: Final[dict[str, Any]] = {
    "id": "01970000-0000-7000-8000-000000000031",
    "number": 1,
    "statement_id": EXAMPLE_ID,
    "direction": "CREDIT",
    "amount": "120.00",
    "amount_minor": "12000",
    "currency": "EUR",
    "booked_on": "2026-03-02",
    "value_on": "2026-03-02",
    "text": "Invoice 17",
    "counterparty": "Ada Example",
    "references": ["INV-17"],
    "structured_references": [],
    "is_reversal": False,
}

RULES_ASKED: Final = component(
    "ReconciliationRules",
    asked(
        {},
        {
            "window_days": whole("How many days apart the two may be (default 5).", minimum=0, maximum=WINDOW_DAYS_MAX),
            "tolerance": text("By how much amounts may differ.", pattern=r"^[0-9]{1,38}(\.[0-9]{1,18})?$"),
            "tolerance_account": {**ACCOUNT, "description": "Where such differences are booked."},
        },
        description="`tolerance` and `tolerance_account` are given together.",
    ),
)
RULES_EXAMPLE: Final = {"window_days": 5, "tolerance": "0.10", "tolerance_account": "expenses:bank-fees"}
_PARTS: Final = array(
    component(
        "MatchedPart",
        record({"id": UUID, **_amounts("amount")}, description="How much of a line or transaction is explained."),
    )
)
_WHY: Final[JsonSchema] = {**ANY_OBJECT, "description": "What it goes by."}
_TRANSACTION_ID: Final = "01970000-0000-7000-8000-000000000032"
_PARTS_EXAMPLE: Final[dict[str, Any]] = {
    "lines": [{"id": LINE_EXAMPLE["id"], "amount": "120.00", "amount_minor": "12000"}],
    "transactions": [{"id": _TRANSACTION_ID, "amount": "120.00", "amount_minor": "12000"}],
}
MATCH: Final = component(
    "Match",
    record(
        {
            "id": UUID,
            "account": ACCOUNT,
            "stage": one_of(Stage),
            "currency": CURRENCY,
            "lines": _PARTS,
            "transactions": _PARTS,
            "why": _WHY,
            "made_at": MOMENT,
            "made_by": text(),
        },
        {
            **_amounts("tolerance"),
            "tolerance_account": ACCOUNT,
            "tolerance_transaction_id": UUID,
            "undone_at": MOMENT,
            "undone_by": text(),
        },
        description="Lines and transactions that explain each other to the last unit.",
    ),
)
MATCH_EXAMPLE: Final[dict[str, Any]] = {
    "id": "01970000-0000-7000-8000-000000000033",
    "account": "assets:bank",
    "stage": "ids",
    "currency": "EUR",
    **_PARTS_EXAMPLE,
    "why": {"reference": "INV-17"},
    "made_at": EXAMPLE_TIME,
    "made_by": "user:01970000-0000-7000-8000-000000000002",
}
UNDONE_EXAMPLE: Final = {**MATCH_EXAMPLE, "undone_at": EXAMPLE_TIME, "undone_by": MATCH_EXAMPLE["made_by"]}
PROPOSAL: Final = component(
    "Suggestion",
    record(
        {
            "stage": one_of(Stage),
            "currency": CURRENCY,
            "lines": _PARTS,
            "transactions": _PARTS,
            "why": _WHY,
            **_amounts("tolerance"),
            "rivals": whole("How many others would explain the same as well.", minimum=0),
            "is_partial": BOOLEAN,
            "is_certain": BOOLEAN,
        },
        description="A match that could be made; a run makes those that are certain.",
    ),
)
PROPOSAL_EXAMPLE: Final[dict[str, Any]] = {
    "stage": "amount_and_counterparty",
    "currency": "EUR",
    **_PARTS_EXAMPLE,
    "why": {"amount_minor": "12000", "days": 1, "counterparty": "not named"},
    "tolerance": "0.00",
    "tolerance_minor": "0",
    "rivals": 1,
    "is_partial": False,
    "is_certain": False,
}
RECONCILED: Final = record({"made": array(MATCH), "suggested": array(PROPOSAL)})
RECONCILED_EXAMPLE: Final = {"made": [MATCH_EXAMPLE], "suggested": []}
_PART_ASKED: Final = array(
    component(
        "NewMatchedPart",
        asked({"id": UUID}, {"amount": _SIGNED}, description="Without an amount, all that is open of it."),
    ),
    minItems=1,
)
MATCH_ASKED: Final = component("NewMatch", asked({"lines": _PART_ASKED, "transactions": _PART_ASKED}))
MATCH_ASKED_EXAMPLE: Final[dict[str, Any]] = {
    "lines": [{"id": LINE_EXAMPLE["id"], "amount": "120.00"}],
    "transactions": [{"id": _TRANSACTION_ID}],
}
_OPEN: Final = _amounts("open")
UNMATCHED: Final = record(
    {
        "lines": array(component("UnmatchedLine", record({**_LINE, **_OPEN}, _LINE_MAYBE))),
        "transactions": array(
            component(
                "UnmatchedTransaction",
                record(
                    {
                        "id": UUID,
                        "effective_on": _DAY,
                        "text": text(),
                        **_amounts("amount"),
                        **_OPEN,
                        "currency": CURRENCY,
                    }
                ),
            )
        ),
    },
    description="What nothing explains; `open` is what is left of each.",
)
UNMATCHED_EXAMPLE: Final[dict[str, Any]] = {
    "lines": [{**LINE_EXAMPLE, "open": "120.00", "open_minor": "12000"}],
    "transactions": [],
}
_SIDE: Final = component(
    "ReconciledSide",
    record(
        {
            **{name: or_null(schema) for name, schema in _amounts("opening", "closing", "difference").items()},
            **_amounts("matched", "unmatched"),
            "matched_count": _COUNT,
            "unmatched_count": _COUNT,
        },
        description="Opening + matched + unmatched - closing = difference; `null` where the bank gave no balance.",
    ),
)
PROOF: Final = component(
    "Reconciliation",
    record(
        {
            "account": ACCOUNT,
            "currency": CURRENCY,
            "is_proved": BOOLEAN,
            "bank": _SIDE,
            "book": _SIDE,
            "gaps": array(text("Where a statement is missing.")),
        }
    ),
)
_SIDE_EXAMPLE: Final[dict[str, Any]] = {
    "opening": "0.00",
    "opening_minor": "0",
    "matched": "120.00",
    "matched_minor": "12000",
    "matched_count": 1,
    "unmatched": "0.00",
    "unmatched_minor": "0",
    "unmatched_count": 0,
    "closing": "120.00",
    "closing_minor": "12000",
    "difference": "0.00",
    "difference_minor": "0",
}
PROOF_EXAMPLE: Final[dict[str, Any]] = {
    "account": "assets:bank",
    "currency": "EUR",
    "is_proved": True,
    "bank": _SIDE_EXAMPLE,
    "book": _SIDE_EXAMPLE,
    "gaps": [],
}

_ACCOUNT_REASONS: Final[tuple[Reason, ...]] = (INVALID_ACCOUNT_PATH, ACCOUNT_NOT_FOUND)
IMPORT_REASONS: Final[tuple[Reason, ...]] = (
    *_ACCOUNT_REASONS, MALFORMED_STATEMENT, UNKNOWN_STATEMENT_FORMAT, INVALID_ARGUMENT, STATEMENT_CURRENCY_MISMATCH,
    TOO_MUCH_CONTENTION,
)  # fmt: skip
STATEMENT_REASONS: Final[tuple[Reason, ...]] = (INVALID_UUID_FORMAT, STATEMENT_NOT_FOUND)
DESK_REASONS: Final[tuple[Reason, ...]] = (*_ACCOUNT_REASONS, TOO_MUCH_CONTENTION)
RULES_REASONS: Final[tuple[Reason, ...]] = (*DESK_REASONS, INVALID_ARGUMENT, INVALID_AMOUNT_FORMAT, INVALID_FILTER)
BOOKING_REASONS: Final[tuple[Reason, ...]] = (*ENTRY_REASONS, SAME_ACCOUNT_BOTH_SIDES, PERIOD_CLOSED)
"""Why a tolerated difference may not be booked, or booked back."""
MATCH_REASONS: Final[tuple[Reason, ...]] = (
    *DESK_REASONS, INVALID_ARGUMENT, INVALID_UUID_FORMAT, INVALID_AMOUNT_FORMAT, INVALID_ALLOCATION, OVER_ALLOCATED,
    STATEMENT_NOT_FOUND, TRANSACTION_NOT_FOUND,
)  # fmt: skip
UNDO_REASONS: Final[tuple[Reason, ...]] = (
    *DESK_REASONS, INVALID_UUID_FORMAT, MATCH_NOT_FOUND, MATCH_ALREADY_UNDONE, *BOOKING_REASONS,
)  # fmt: skip
