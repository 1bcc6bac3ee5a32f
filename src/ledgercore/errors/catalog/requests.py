"""Requests that the ledger cannot read, or that are wrong in themselves."""

from typing import Final

from ledgercore.errors.category import Category
from ledgercore.errors.reason import Reason

INVALID_ARGUMENT: Final = Reason(
    "invalid_argument",
    Category.VALIDATION,
    "Invalid argument",
    description="Correct the named argument; `why` says what it may be.",
)
INVALID_ACCOUNT_PATH: Final = Reason(
    "invalid_account_path",
    Category.VALIDATION,
    "Invalid account path",
    description="Name accounts by segments of letters, digits and `_ - .`, joined by single colons.",
)
UNKNOWN_CURRENCY: Final = Reason(
    "unknown_currency",
    Category.VALIDATION,
    "Unknown currency",
    description="Use an ISO 4217 code, or register the asset before its first use.",
)
INVALID_ASSET: Final = Reason(
    "invalid_asset",
    Category.VALIDATION,
    "Invalid asset",
    description="Choose a code of 3 to 12 capitals and digits outside ISO 4217, and 0 to 18 decimals.",
)
INVALID_LEDGER_NAME: Final = Reason(
    "invalid_ledger_name",
    Category.VALIDATION,
    "Invalid ledger name",
    description="Choose a ledger name of the allowed characters and length.",
)
INVALID_LIMITS: Final = Reason(
    "invalid_limits",
    Category.VALIDATION,
    "Invalid balance limits",
    description="Give a minimum that is not above the maximum, both in the currency of the account.",
)
EMPTY_TRANSACTION: Final = Reason(
    "empty_transaction",
    Category.VALIDATION,
    "The transaction has no entries",
    description="Send at least one debit and one credit entry.",
)
UNBALANCED_TRANSACTION: Final = Reason(
    "unbalanced_transaction",
    Category.VALIDATION,
    "Debits and credits do not balance",
    description="Make debits equal credits in each currency; the details name where they differ.",
)
SAME_ACCOUNT_BOTH_SIDES: Final = Reason(
    "same_account_both_sides",
    Category.VALIDATION,
    "An entry debits and credits the same account",
    description="Use two different accounts; moving money to where it already is changes nothing.",
)
TOO_MANY_LINES: Final = Reason(
    "too_many_lines",
    Category.VALIDATION,
    "Too many lines in one transaction",
    description="Split the transaction; the details give the largest number of lines.",
)
INVALID_IDEMPOTENCY_KEY: Final = Reason(
    "invalid_idempotency_key",
    Category.VALIDATION,
    "Invalid idempotency key",
    description="Send a key of 1 to 255 characters, one for each intent.",
)
INVALID_METADATA: Final = Reason(
    "invalid_metadata",
    Category.VALIDATION,
    "Invalid metadata",
    description="Send a small JSON object without floats; the details name the part that is wrong.",
)
INVALID_REFERENCE: Final = Reason(
    "invalid_reference",
    Category.VALIDATION,
    "Invalid reference",
    description="Send a reference of 1 to 255 characters that can be stored as UTF-8.",
)
DATETIME_OUT_OF_RANGE: Final = Reason(
    "datetime_out_of_range",
    Category.VALIDATION,
    "The time is out of range",
    description="Use a time between the two given in the details.",
)
RECORDED_TIME_IN_FUTURE: Final = Reason(
    "recorded_time_in_future",
    Category.VALIDATION,
    "The recorded time is in the future",
    description="Ask for a recorded time that has passed; what will be recorded later is not known yet.",
)
INVALID_CURSOR: Final = Reason(
    "invalid_cursor",
    Category.VALIDATION,
    "Invalid cursor",
    description="Pass on the cursor of the previous page unchanged, or leave it out for the first page.",
)
INVALID_FILTER: Final = Reason(
    "invalid_filter",
    Category.VALIDATION,
    "Invalid filter",
    description="Filter by the fields and operators that the listing documents.",
)
INVALID_WEIGHTS: Final = Reason(
    "invalid_weights",
    Category.VALIDATION,
    "Invalid weights",
    description="Give whole or decimal weights that are not negative, at least one of them above zero.",
)
INVALID_RATE: Final = Reason(
    "invalid_rate",
    Category.VALIDATION,
    "Invalid exchange rate",
    description="Give a finite decimal above zero between two currencies, its source and an aware time.",
)
INVALID_TOLERANCE: Final = Reason(
    "invalid_tolerance",
    Category.VALIDATION,
    "Invalid capture tolerance",
    description="Give a tolerance that is not negative and in the currency of the hold.",
)
INVALID_EXPIRY: Final = Reason(
    "invalid_expiry",
    Category.VALIDATION,
    "Invalid expiry",
    description="Let a hold expire at a time after it was placed, with a UTC offset.",
)
INVALID_CAPTURE: Final = Reason(
    "invalid_capture",
    Category.VALIDATION,
    "Invalid capture",
    description="Capture an amount above zero in the currency of the hold, from entries that it has.",
)
MISSING_COLUMNS: Final = Reason(
    "missing_columns",
    Category.VALIDATION,
    "Columns are missing",
    description="Add the columns named in the details to the header of the file.",
)
INVALID_ENCODING: Final = Reason(
    "invalid_encoding",
    Category.VALIDATION,
    "The text is not UTF-8",
    description="Save the file as UTF-8; the details give the first place where it is not.",
)
INVALID_CSV: Final = Reason(
    "invalid_csv",
    Category.VALIDATION,
    "Invalid CSV",
    description="Mend the line named in the details, or write the file with a CSV library.",
)
INVALID_JSON: Final = Reason(
    "invalid_json",
    Category.VALIDATION,
    "Invalid JSON",
    description="Send JSON as RFC 8259 has it, without NaN, repeated keys or text after the end.",
)
UNKNOWN_FIELDS: Final = Reason(
    "unknown_fields",
    Category.VALIDATION,
    "Unknown fields",
    description="Remove or respell the fields named in the details; nothing is ignored silently.",
)
BATCH_TOO_LARGE: Final = Reason(
    "batch_too_large",
    Category.VALIDATION,
    "The batch is too large",
    description="Send smaller batches; the details give the largest size.",
)
INVALID_PROOF: Final = Reason(
    "invalid_proof",
    Category.VALIDATION,
    "The proof does not hold",
    description="Do not rely on the statement; fetch the proof again, and report it if it still fails.",
)
