"""Payments, bank accounts and the services behind them."""

from typing import Final

from ledgercore.errors.category import Category
from ledgercore.errors.reason import Reason

INVALID_AMOUNT_FORMAT: Final = Reason(
    "invalid_amount_format",
    Category.VALIDATION,
    "Invalid amount format",
    description="Send a plain decimal text such as `12.34` with no more decimals than the currency has.",
)
AMOUNT_TOO_SMALL: Final = Reason(
    "amount_too_small",
    Category.VALIDATION,
    "Amount is too small",
    description="Send at least the minimum given in the details.",
)
MISSING_FIELDS: Final = Reason(
    "missing_fields",
    Category.VALIDATION,
    "Required fields are missing",
    description="Add the fields named in the details.",
)
INVALID_DIRECTION: Final = Reason(
    "invalid_direction", Category.VALIDATION, "Invalid payment direction", description="Use CREDIT or DEBIT."
)
INVALID_PAYMENT_TYPE: Final = Reason(
    "invalid_payment_type",
    Category.VALIDATION,
    "Invalid payment type",
    description="Use TRANSFER, PAYMENT, DEPOSIT or WITHDRAWAL.",
)
INVALID_STATUS: Final = Reason(
    "invalid_status",
    Category.VALIDATION,
    "Invalid status",
    description="Use one of the statuses in the details.",
)
INVALID_UUID_FORMAT: Final = Reason(
    "invalid_uuid_format",
    Category.VALIDATION,
    "Invalid UUID format",
    description="Send the id as 32 hexadecimal digits in groups of 8-4-4-4-12.",
)
INVALID_DATETIME_FORMAT: Final = Reason(
    "invalid_datetime_format",
    Category.VALIDATION,
    "Invalid datetime format",
    description="Send an ISO 8601 time with its UTC offset.",
)
INVALID_CURRENCY_FORMAT: Final = Reason(
    "invalid_currency_format",
    Category.VALIDATION,
    "Invalid currency format",
    description="Send the code in capitals, such as `EUR`.",
)
INVALID_ACCOUNT_TYPE: Final = Reason(
    "invalid_account_type",
    Category.VALIDATION,
    "Invalid account type",
    description="Use one of the account types in the details.",
)
INVALID_ACCOUNT_NAME_FORMAT: Final = Reason(
    "invalid_account_name_format",
    Category.VALIDATION,
    "Invalid account name format",
    description="Send a name of 1 to 100 characters.",
)
DESCRIPTION_REQUIRED: Final = Reason(
    "description_required",
    Category.VALIDATION,
    "Description is required",
    description="Say in a few words what the payment is for.",
)
DESCRIPTION_TOO_LONG: Final = Reason(
    "description_too_long",
    Category.VALIDATION,
    "Description is too long",
    description="Shorten the description to the length in the details.",
)
INVALID_DESCRIPTION_FORMAT: Final = Reason(
    "invalid_description_format",
    Category.VALIDATION,
    "Invalid description format",
    description="Send text that can be stored as UTF-8, no longer than the details say.",
)
WEBHOOK_PROCESSING_FAILED: Final = Reason(
    "webhook_processing_failed",
    Category.VALIDATION,
    "Webhook processing failed",
    description="Check the signature, the time and the body of the webhook.",
)
INVALID_REASON_FORMAT: Final = Reason(
    "invalid_reason_format",
    Category.VALIDATION,
    "Invalid error reason format",
    description="Look reasons up by a code from this list.",
)
INVALID_CATEGORY: Final = Reason(
    "invalid_category",
    Category.VALIDATION,
    "Invalid error category",
    description="Use one of the eight categories of this list.",
)
INVALID_CATEGORY_FORMAT: Final = Reason(
    "invalid_category_format",
    Category.VALIDATION,
    "Invalid error category format",
    description="Write the category in lower case with underscores.",
)

ACCOUNT_NOT_FOUND: Final = Reason(
    "account_not_found",
    Category.NOT_FOUND,
    "Account not found",
    description="Check the account, or open it first.",
)
PAYMENT_NOT_FOUND: Final = Reason(
    "payment_not_found", Category.NOT_FOUND, "Payment not found", description="Check the payment id."
)
BANK_NOT_FOUND: Final = Reason(
    "bank_not_found",
    Category.NOT_FOUND,
    "Bank not found",
    description="Check the bank id, or choose from the list of banks.",
)

ALREADY_PROCESSED: Final = Reason(
    "already_processed",
    Category.CONFLICT,
    "Resource has already been processed",
    description="Read the resource: its state is final.",
)
PAYMENT_NOT_COMPLETED: Final = Reason(
    "payment_not_completed",
    Category.CONFLICT,
    "The payment is not completed",
    description="Return completed payments only; cancel one that is still pending.",
)
DUPLICATE_TRANSACTION: Final = Reason(
    "duplicate_transaction",
    Category.CONFLICT,
    "Duplicate transaction",
    description="Compare it with the earlier one in the details; if it is another, change the description.",
)

INSUFFICIENT_FUNDS: Final = Reason(
    "insufficient_funds",
    Category.BUSINESS_RULE,
    "Insufficient funds for this transaction",
    description="Fund the account or send less; the details give what is available and what was asked for.",
)
ACCOUNT_INACTIVE: Final = Reason(
    "account_inactive",
    Category.BUSINESS_RULE,
    "Account is inactive",
    description="Activate the account, or use another.",
)
ACCOUNT_FROZEN: Final = Reason(
    "account_frozen",
    Category.BUSINESS_RULE,
    "Account is frozen",
    description="Unfreeze the account, or use another.",
)
ACCOUNT_SUSPENDED: Final = Reason(
    "account_suspended",
    Category.BUSINESS_RULE,
    "Account is suspended",
    description="Ask support to lift the suspension.",
)
DAILY_LIMIT_EXCEEDED: Final = Reason(
    "daily_limit_exceeded",
    Category.BUSINESS_RULE,
    "Daily payment limit exceeded",
    description="Wait for the next day or send less; the details give what is left.",
)
AMOUNT_EXCEEDS_LIMIT: Final = Reason(
    "amount_exceeds_limit",
    Category.BUSINESS_RULE,
    "Payment amount exceeds single transaction limit",
    description="Send at most the limit given in the details.",
)
NEGATIVE_AMOUNT: Final = Reason(
    "negative_amount",
    Category.BUSINESS_RULE,
    "Payment amount cannot be negative",
    description="Send an amount above zero; the direction says which way it goes.",
)
NEGATIVE_BALANCE: Final = Reason(
    "negative_balance",
    Category.BUSINESS_RULE,
    "Account balance cannot be negative",
    description="Send less, or use an account with a credit limit.",
)
CURRENCY_MISMATCH: Final = Reason(
    "currency_mismatch",
    Category.BUSINESS_RULE,
    "Payment currency does not match account currency",
    description="Use an amount in the currency of the account, or exchange it first.",
)

TIMEOUT: Final = Reason(
    "timeout",
    Category.EXTERNAL_DEPENDENCY,
    "Request timeout",
    description="Try again after the delay with the same idempotency key.",
)
SERVICE_UNAVAILABLE: Final = Reason(
    "service_unavailable",
    Category.EXTERNAL_DEPENDENCY,
    "Service temporarily unavailable",
    description="Try again after the delay.",
)
BANK_API_ERROR: Final = Reason(
    "bank_api_error",
    Category.EXTERNAL_DEPENDENCY,
    "Bank API error",
    description="Try again after the delay; if it stays, ask the bank.",
)
PAYMENT_PROVIDER_ERROR: Final = Reason(
    "payment_provider_error",
    Category.EXTERNAL_DEPENDENCY,
    "Payment provider error",
    description="Try again after the delay with the same idempotency key.",
)

INTERNAL_SERVER_ERROR: Final = Reason(
    "internal_server_error",
    Category.SYSTEM,
    "An unexpected error occurred",
    description="Try again after the delay; if it stays, report the correlation id.",
)
DATABASE_ERROR: Final = Reason(
    "database_error",
    Category.SYSTEM,
    "Database error",
    description="Try again after the delay; if it stays, report the correlation id.",
)
CONFIGURATION_ERROR: Final = Reason(
    "configuration_error",
    Category.SYSTEM,
    "Configuration error",
    description="Ask the operator to correct the configuration named in the log.",
)
