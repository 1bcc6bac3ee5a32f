"""Statement files and the reconciliation with them."""

from typing import Final

from ledgercore.errors.category import Category
from ledgercore.errors.reason import Reason

MALFORMED_STATEMENT: Final = Reason(
    "malformed_statement",
    Category.VALIDATION,
    "The statement file cannot be read",
    description="Nothing of the file was stored; the details say where it stops making sense.",
)
UNKNOWN_STATEMENT_FORMAT: Final = Reason(
    "unknown_statement_format",
    Category.VALIDATION,
    "The format of the statement file is not known",
    description="Name the format, or the dialect of a CSV file; the details list them.",
)
STATEMENT_CURRENCY_MISMATCH: Final = Reason(
    "statement_currency_mismatch",
    Category.BUSINESS_RULE,
    "The statement is of another currency than the account",
    description="Import it for an account of its currency.",
)
STATEMENT_NOT_FOUND: Final = Reason(
    "statement_not_found",
    Category.NOT_FOUND,
    "Statement not found",
    description="There is no statement, line or file of this id in this ledger.",
)
MATCH_NOT_FOUND: Final = Reason(
    "match_not_found",
    Category.NOT_FOUND,
    "Match not found",
    description="There is no match of this id in this ledger.",
)
MATCH_ALREADY_UNDONE: Final = Reason(
    "match_already_undone",
    Category.CONFLICT,
    "The match was undone before",
    description="Nothing is left to undo; match anew what it explained.",
)
INVALID_ALLOCATION: Final = Reason(
    "invalid_allocation",
    Category.VALIDATION,
    "The allocation does not add up",
    description="Lines and transactions must come to the same sum; the details give both.",
)
OVER_ALLOCATED: Final = Reason(
    "over_allocated",
    Category.BUSINESS_RULE,
    "More is allocated than is open",
    description="Allocate at most what other matches have left; the details give it.",
)
