"""Refusals of the ledger: what does not exist, what contradicts, what a rule forbids."""

from typing import Final

from ledgercore.errors.category import Category
from ledgercore.errors.reason import Reason

LEDGER_NOT_FOUND: Final = Reason(
    "ledger_not_found",
    Category.NOT_FOUND,
    "Ledger not found",
    description="Check the name of the ledger, or create it first.",
)
TRANSACTION_NOT_FOUND: Final = Reason(
    "transaction_not_found",
    Category.NOT_FOUND,
    "Transaction not found",
    description="Check the transaction id and the ledger it was posted in.",
)
HOLD_NOT_FOUND: Final = Reason(
    "hold_not_found",
    Category.NOT_FOUND,
    "Hold not found",
    description="Check the hold id and the ledger it was placed in.",
)
HOLD_GROUP_NOT_FOUND: Final = Reason(
    "hold_group_not_found",
    Category.NOT_FOUND,
    "Hold group not found",
    description="Check the name of the group and the ledger its holds were placed in.",
)

IDEMPOTENCY_KEY_REUSED: Final = Reason(
    "idempotency_key_reused",
    Category.CONFLICT,
    "The idempotency key was used for another request",
    description="Take a new key for a new intent, or repeat the first request exactly; nothing was moved.",
)
LEDGER_ALREADY_EXISTS: Final = Reason(
    "ledger_already_exists",
    Category.CONFLICT,
    "The ledger already exists",
    description="Use the ledger that exists, or choose another name.",
)
ACCOUNT_ALREADY_EXISTS: Final = Reason(
    "account_already_exists",
    Category.CONFLICT,
    "The account already exists",
    description="Use the account that exists, or choose another path.",
)
ASSET_ALREADY_REGISTERED: Final = Reason(
    "asset_already_registered",
    Category.CONFLICT,
    "The asset is registered with other decimals",
    description="Use the registered number of decimals, or choose another code.",
)
BALANCE_PRECONDITION_FAILED: Final = Reason(
    "balance_precondition_failed",
    Category.CONFLICT,
    "The balance is not the expected one",
    description="Read the balance again, decide again, and send the request under a new key.",
)
VERSION_PRECONDITION_FAILED: Final = Reason(
    "version_precondition_failed",
    Category.CONFLICT,
    "The version is not the expected one",
    description="Read the account again, decide again, and send the request under a new key.",
)
HOLD_ALREADY_CLOSED: Final = Reason(
    "hold_already_closed",
    Category.CONFLICT,
    "The hold is already closed",
    description="Read the hold: it was captured, voided or expired before, as the details say.",
)
EXPORT_DIVERGES: Final = Reason(
    "export_diverges",
    Category.CONFLICT,
    "The export diverges from the ledger",
    description="Compare the export with the ledger from the first record named in the details on.",
)

BALANCE_ABOVE_MAXIMUM: Final = Reason(
    "balance_above_maximum",
    Category.BUSINESS_RULE,
    "The balance would rise above its maximum",
    description="Send less, or raise the maximum of the account; the details say by how much it is exceeded.",
)
BALANCE_OVERFLOW: Final = Reason(
    "balance_overflow",
    Category.BUSINESS_RULE,
    "The balance would exceed 38 digits",
    description="Spread the amounts over several accounts.",
)
ACCOUNT_CLOSED: Final = Reason(
    "account_closed",
    Category.BUSINESS_RULE,
    "Account is closed",
    description="Post to another account; a closed one takes no more entries.",
)
ACCOUNT_NOT_EMPTY: Final = Reason(
    "account_not_empty",
    Category.BUSINESS_RULE,
    "Account is not empty",
    description="Move the balance elsewhere and end the holds before closing the account.",
)
HOLD_EXPIRED: Final = Reason(
    "hold_expired",
    Category.BUSINESS_RULE,
    "The hold has expired",
    description="Place a new hold; what the expired one reserved is available again.",
)
HOLD_NOT_EXPIRED: Final = Reason(
    "hold_not_expired",
    Category.BUSINESS_RULE,
    "The hold has not expired yet",
    description="Wait until it expires, or void it.",
)
CAPTURE_EXCEEDS_HOLD: Final = Reason(
    "capture_exceeds_hold",
    Category.BUSINESS_RULE,
    "The capture exceeds the hold",
    description="Capture no more than remains, with the tolerance of the hold, or raise the hold first.",
)
REVERSAL_EXCEEDS_REMAINDER: Final = Reason(
    "reversal_exceeds_remainder",
    Category.BUSINESS_RULE,
    "The reversal exceeds what is left to reverse",
    description="Reverse no more than the remainder given in the details.",
)
TRANSACTION_ALREADY_REVERSED: Final = Reason(
    "transaction_already_reversed",
    Category.BUSINESS_RULE,
    "The transaction is already reversed",
    description="Nothing is left to do: the details name the reversal.",
)
TRANSACTION_NOT_REVERSIBLE: Final = Reason(
    "transaction_not_reversible",
    Category.BUSINESS_RULE,
    "The transaction cannot be reversed",
    description="Post a correcting transaction instead; reversals themselves are not reversed.",
)
PERIOD_CLOSED: Final = Reason(
    "period_closed",
    Category.BUSINESS_RULE,
    "The period is closed",
    description="Use an effective time after the end of the closed period.",
)
PERIOD_ALREADY_CLOSED: Final = Reason(
    "period_already_closed",
    Category.BUSINESS_RULE,
    "The period is already closed",
    description="Nothing is left to do, or close a period that ends later.",
)
GROUP_REFUSED: Final = Reason(
    "group_refused",
    Category.BUSINESS_RULE,
    "Refused together with its group",
    description="Mend the member named in the details; the others were refused only because of it.",
)
