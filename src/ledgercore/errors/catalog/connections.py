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
CONSENT_PENDING: Final = Reason(
    "consent_pending",
    Category.BUSINESS_RULE,
    "The user has not let us in yet",
    description="Ask the user to agree in the bank's own app, then try again.",
)
HISTORY_WINDOW_CLOSED: Final = Reason(
    "history_window_closed",
    Category.BUSINESS_RULE,
    "The bank no longer shows transactions from so long ago",
    description="Ask for later ones, or connect the bank again and read older ones at once.",
)
BANK_REFUSED: Final = Reason(
    "bank_refused",
    Category.BUSINESS_RULE,
    "The bank refuses the request",
    description="Sending it again changes nothing; the details give the bank's own code.",
)
UNKNOWN_BANK_KIND: Final = Reason(
    "unknown_bank_kind",
    Category.VALIDATION,
    "Nobody here speaks this kind of bank's language",
    description="Use one of the kinds in the details.",
)
ACCOUNT_ALREADY_LINKED: Final = Reason(
    "account_already_linked",
    Category.CONFLICT,
    "The login has this account already",
    description="Use the account there is; its external id is the bank's name of it.",
)
BANK_ALREADY_EXISTS: Final = Reason(
    "bank_already_exists",
    Category.CONFLICT,
    "A bank has this name or code already",
    description="Choose another name and code, or change the bank there is.",
)
BRANCH_ALREADY_EXISTS: Final = Reason(
    "branch_already_exists",
    Category.CONFLICT,
    "A branch has this IBAN or BIC already",
    description="Use the branch there is, or correct the number.",
)
BRANCH_NOT_FOUND: Final = Reason(
    "branch_not_found",
    Category.NOT_FOUND,
    "Branch not found",
    description="Check the branch id, or choose from the branches of a bank.",
)
BANK_LOGIN_NOT_FOUND: Final = Reason(
    "bank_login_not_found",
    Category.NOT_FOUND,
    "Bank login not found",
    description="Check the id, or connect the bank first.",
)
INVALID_BANK: Final = Reason(
    "invalid_bank",
    Category.VALIDATION,
    "The bank, branch or login cannot be like this",
    description="Correct the field in the details.",
)
INVALID_CONSENT_STATE: Final = Reason(
    "invalid_consent_state",
    Category.VALIDATION,
    "The connection was not begun here, was made before, or took too long",
    description="Begin again: a state is good once, for ten minutes, and for the user who began.",
)
CONSENT_DENIED: Final = Reason(
    "consent_denied",
    Category.BUSINESS_RULE,
    "The bank says that it was not allowed to let us in",
    description="Begin again if this was a mistake; the details give the bank's own code.",
)
BANK_NOT_CONNECTED: Final = Reason(
    "bank_not_connected",
    Category.BUSINESS_RULE,
    "The bank is not connected",
    description="Connect the bank first; one without an interface cannot be connected at all.",
)
INVALID_IBAN: Final = Reason(
    "invalid_iban",
    Category.VALIDATION,
    "Invalid IBAN",
    description="Correct the number of the account; `why` says what is wrong with it.",
)
INVALID_BIC: Final = Reason(
    "invalid_bic",
    Category.VALIDATION,
    "Invalid BIC",
    description="Send the 8 or 11 characters by which SWIFT knows the bank.",
)
INVALID_ROUTING_NUMBER: Final = Reason(
    "invalid_routing_number",
    Category.VALIDATION,
    "Invalid routing number",
    description="Send the 9 digits of the bank; `why` says what is wrong with these.",
)
