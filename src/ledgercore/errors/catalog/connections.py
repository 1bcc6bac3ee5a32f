"""Banks, the users' connections to them, and addresses outside that are called."""

from typing import Final

from ledgercore.errors.category import Category
from ledgercore.errors.reason import Reason

FORBIDDEN_ADDRESS: Final = Reason(
    "forbidden_address",
    Category.VALIDATION,
    "The address must not be called",
    description="Use an https address of a public host; the details say what is wrong with this one.",
)
CIRCUIT_OPEN: Final = Reason(
    "circuit_open",
    Category.EXTERNAL_DEPENDENCY,
    "The service failed repeatedly and is not called for now",
    description="Try again after the time in the details.",
)
BANK_RATE_LIMITED: Final = Reason(
    "bank_rate_limited",
    Category.EXTERNAL_DEPENDENCY,
    "The bank wants fewer requests",
    description="Try again after the time in the details.",
)
CONSENT_EXPIRED: Final = Reason(
    "consent_expired",
    Category.BUSINESS_RULE,
    "The bank no longer lets us in",
    description="Connect the bank again: the user has to agree anew.",
)
