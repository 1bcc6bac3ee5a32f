"""Proofs that others can check without us, and the log as events."""

from typing import Any, Final

from ledgercore.errors.catalog import INVALID_FILTER, INVALID_PROOF, INVALID_UUID_FORMAT, TRANSACTION_NOT_FOUND
from ledgercore.ledger.log.records import KIND_NAMES
from ledgercore.ledger.proofs.checking import CONSISTENCY_FORMAT, HEAD_FORMAT, PROOF_FORMAT
from ledgercore_http.schemas.building import (
    ANY_OBJECT,
    BOOLEAN,
    MOMENT,
    UUID,
    array,
    component,
    one_of,
    or_null,
    record,
    text,
    whole,
)
from ledgercore_http.schemas.values import EXAMPLE_HASH, EXAMPLE_ID, EXAMPLE_TIME, HASH, NUMBER

_HEX: Final = text(pattern="^([0-9a-f]{2})+$")
_ENTRIES: Final = array(text("An entry of the log in hexadecimal digits.", pattern="^[0-9a-f]{128}$"))
HEAD: Final = component(
    "Head",
    record(
        {
            "format": {"const": HEAD_FORMAT},
            "ledger": text(),
            "batch": whole(minimum=0),
            "number": whole(minimum=0),
            "head": HASH,
            "recorded_at": or_null(MOMENT),
        },
        description="Where the ledger stands; keep or publish it, it commits to every record so far.",
    ),
)
_INCLUDED: Final = component(
    "IncludedRecord",
    record({"batch": whole(minimum=1), "rows": _HEX, "path": array(HASH)}),
)
PROOF: Final = component(
    "Proof",
    record(
        {
            "format": {"const": PROOF_FORMAT},
            "record": _INCLUDED,
            "openings": array(_INCLUDED),
            "log": record({"before": HASH, "entries": _ENTRIES, "head": HASH}),
            "says": ANY_OBJECT,
        },
        description="A record's bytes, the hashes that lead to its batch's root, and the log from there to the head.",
    ),
)
_END: Final = component("LogEnd", record({"batch": whole(minimum=0), "head": HASH}))
CONSISTENCY: Final = component(
    "Consistency",
    record(
        {"format": {"const": CONSISTENCY_FORMAT}, "older": _END, "newer": _END, "entries": _ENTRIES},
        description="The log between two heads: the newer commits to all that the older did.",
    ),
)
EVENT: Final = component(
    "Event",
    record(
        {
            "number": NUMBER,
            "type": one_of(KIND_NAMES.values()),
            "version": whole("Of the data's shape.", minimum=1),
            "id": UUID,
            "recorded_at": MOMENT,
            "data": ANY_OBJECT,
        },
        description="A record of the log.",
    ),
)
EVENTS_METADATA: Final = record(
    {
        "pagination": component(
            "EventPagination",
            record(
                {
                    "type": {"const": "offset"},
                    "limit": whole(minimum=1, maximum=1_000),
                    "has_more": BOOLEAN,
                    "next_after": whole("Ask for what comes after this number next.", minimum=0),
                }
            ),
        )
    }
)

HEAD_EXAMPLE: Final[dict[str, Any]] = {
    "format": HEAD_FORMAT,
    "ledger": "shop",
    "batch": 1,
    "number": 3,
    "head": EXAMPLE_HASH,
    "recorded_at": EXAMPLE_TIME,
}
_ENTRY: Final = "0000000000000001" * 2 + "0000000000000003" + "00064c06d2a44400" + EXAMPLE_HASH
PROOF_EXAMPLE: Final[dict[str, Any]] = {
    "format": PROOF_FORMAT,
    "record": {"batch": 1, "rows": "0013", "path": [EXAMPLE_HASH]},
    "openings": [],
    "log": {"before": "0" * 64, "entries": [_ENTRY], "head": EXAMPLE_HASH},
    "says": {"number": 3, "kind": "transaction.posted", "id": EXAMPLE_ID},
}
CONSISTENCY_EXAMPLE: Final[dict[str, Any]] = {
    "format": CONSISTENCY_FORMAT,
    "older": {"batch": 0, "head": "0" * 64},
    "newer": {"batch": 1, "head": EXAMPLE_HASH},
    "entries": [_ENTRY],
}
EVENT_EXAMPLE: Final[dict[str, Any]] = {
    "number": 3,
    "type": "transaction.posted",
    "version": 1,
    "id": EXAMPLE_ID,
    "recorded_at": EXAMPLE_TIME,
    "data": {
        "effective_at": EXAMPLE_TIME,
        "lines": [{"debit_account": 1, "credit_account": 2, "amount_minor": "12000"}],
    },
}
PROOF_REASONS: Final = (INVALID_PROOF, INVALID_UUID_FORMAT, INVALID_FILTER, TRANSACTION_NOT_FOUND)
