"""The catalog of reasons: complete, unambiguous, and as documented."""

import re

import pytest

from ledgercore.errors import Category, DeadLetter, Reason, catalog
from ledgercore.errors.catalog import CATALOG, find_reason, reasons_of

BANK_REASONS = [
    ("invalid_amount_format", "validation", 400, "Invalid amount format"),
    ("missing_fields", "validation", 400, "Required fields are missing"),
    ("invalid_direction", "validation", 400, "Invalid payment direction"),
    ("invalid_email_format", "validation", 400, "Invalid email format"),
    ("invalid_password_format", "validation", 400, "Invalid password format"),
    ("invalid_uuid_format", "validation", 400, "Invalid UUID format"),
    ("invalid_datetime_format", "validation", 400, "Invalid datetime format"),
    ("invalid_name_format", "validation", 400, "Invalid name format"),
    ("invalid_role", "validation", 400, "Invalid role"),
    ("invalid_status", "validation", 400, "Invalid status"),
    ("invalid_payment_type", "validation", 400, "Invalid payment type"),
    ("invalid_currency_format", "validation", 400, "Invalid currency format"),
    ("invalid_account_type", "validation", 400, "Invalid account type"),
    ("invalid_description_format", "validation", 400, "Invalid description format"),
    ("invalid_account_name_format", "validation", 400, "Invalid account name format"),
    ("amount_too_small", "validation", 400, "Amount is too small"),
    ("description_required", "validation", 400, "Description is required"),
    ("description_too_long", "validation", 400, "Description is too long"),
    ("webhook_processing_failed", "validation", 400, "Webhook processing failed"),
    ("invalid_reason_format", "validation", 400, "Invalid error reason format"),
    ("invalid_category", "validation", 400, "Invalid error category"),
    ("invalid_category_format", "validation", 400, "Invalid error category format"),
    ("user_not_found", "not_found", 404, "User not found"),
    ("account_not_found", "not_found", 404, "Account not found"),
    ("payment_not_found", "not_found", 404, "Payment not found"),
    ("token_not_found", "not_found", 404, "Token not found"),
    ("bank_not_found", "not_found", 404, "Bank not found"),
    ("invalid_credentials", "authentication", 401, "Invalid credentials"),
    ("invalid_password", "authentication", 401, "Invalid password"),
    ("invalid_token", "authentication", 401, "Invalid token"),
    ("token_expired", "authentication", 401, "Token has expired"),
    ("token_revoked", "authentication", 401, "Token has been revoked"),
    ("invalid_token_type", "authentication", 401, "Invalid token type"),
    ("invalid_refresh_token_format", "authentication", 401, "Invalid refresh token format"),
    ("invalid_issuer", "authentication", 401, "Invalid token issuer"),
    ("invalid_audience", "authentication", 401, "Invalid token audience"),
    ("token_not_yet_valid", "authentication", 401, "Token not yet valid"),
    ("missing_required_claims", "authentication", 401, "Missing required token claims"),
    ("unauthorized", "authentication", 401, "Unauthorized access"),
    ("forbidden", "authorization", 403, "Access forbidden"),
    ("insufficient_permissions", "authorization", 403, "Insufficient permissions"),
    ("unauthorized_access", "authorization", 403, "Unauthorized access to account"),
    ("email_already_exists", "conflict", 409, "Email already exists"),
    ("already_processed", "conflict", 409, "Resource has already been processed"),
    ("duplicate_transaction", "conflict", 409, "Duplicate transaction"),
    ("payment_not_completed", "conflict", 409, "The payment is not completed"),
    ("insufficient_funds", "business_rule", 422, "Insufficient funds for this transaction"),
    ("account_inactive", "business_rule", 422, "Account is inactive"),
    ("daily_limit_exceeded", "business_rule", 422, "Daily payment limit exceeded"),
    ("amount_exceeds_limit", "business_rule", 422, "Payment amount exceeds single transaction limit"),
    ("negative_amount", "business_rule", 422, "Payment amount cannot be negative"),
    ("negative_balance", "business_rule", 422, "Account balance cannot be negative"),
    ("currency_mismatch", "business_rule", 422, "Payment currency does not match account currency"),
    ("account_frozen", "business_rule", 422, "Account is frozen"),
    ("account_suspended", "business_rule", 422, "Account is suspended"),
    ("timeout", "external_dependency", 503, "Request timeout"),
    ("service_unavailable", "external_dependency", 503, "Service temporarily unavailable"),
    ("bank_api_error", "external_dependency", 503, "Bank API error"),
    ("payment_provider_error", "external_dependency", 503, "Payment provider error"),
    ("internal_server_error", "system", 500, "An unexpected error occurred"),
    ("database_error", "system", 500, "Database error"),
    ("configuration_error", "system", 500, "Configuration error"),
]

PROTOCOL_REASONS = [
    ("malformed_request", "validation", 400, False),
    ("method_not_allowed", "validation", 405, False),
    ("not_acceptable", "validation", 406, False),
    ("payload_too_large", "validation", 413, False),
    ("uri_too_long", "validation", 414, False),
    ("unsupported_media_type", "validation", 415, False),
    ("request_header_fields_too_large", "validation", 431, False),
    ("request_timeout", "validation", 408, False),
    ("unsupported_api_version", "validation", 400, False),
    ("not_found", "not_found", 404, False),
    ("rate_limit_exceeded", "business_rule", 429, True),
    ("service_overloaded", "external_dependency", 503, True),
]

LEDGER_REASONS = {
    "validation": """
        invalid_account_path unknown_currency invalid_asset empty_transaction unbalanced_transaction
        same_account_both_sides too_many_lines invalid_idempotency_key invalid_metadata invalid_reference
        datetime_out_of_range invalid_ledger_name invalid_limits invalid_cursor invalid_filter invalid_weights
        invalid_rate invalid_tolerance invalid_expiry invalid_capture missing_columns invalid_encoding
        invalid_csv invalid_json unknown_fields batch_too_large recorded_time_in_future invalid_proof
        invalid_argument
    """,
    "not_found": "ledger_not_found transaction_not_found hold_not_found hold_group_not_found",
    "conflict": """
        idempotency_key_reused ledger_already_exists account_already_exists asset_already_registered
        balance_precondition_failed version_precondition_failed hold_already_closed export_diverges
    """,
    "business_rule": """
        balance_above_maximum balance_overflow account_closed account_not_empty hold_expired hold_not_expired
        capture_exceeds_hold reversal_exceeds_remainder transaction_already_reversed
        transaction_not_reversible period_closed period_already_closed group_refused
    """,
    "external_dependency": "database_unavailable commit_outcome_unknown too_much_contention",
    "system": """
        unsafe_durability schema_outdated schema_too_new embedded_server_failed isolation_unsupported
        log_diverged
    """,
}

IDENTITY_REASONS = {
    "validation": "invalid_scope invalid_access invalid_sort",
    "not_found": "service_token_not_found member_not_found",
    "conflict": "invalid_status_change",
    "business_rule": "last_owner last_admin",
}

NOT_MENDED_BY_REPEATING = {
    "unsafe_durability",
    "schema_outdated",
    "schema_too_new",
    "isolation_unsupported",
    "log_diverged",
}

CONNECTION_REASONS = {
    "validation": """
        forbidden_address unknown_bank_kind invalid_iban invalid_bic invalid_routing_number invalid_bank
        invalid_consent_state
    """,
    "not_found": "branch_not_found bank_login_not_found",
    "conflict": "account_already_linked bank_already_exists branch_already_exists",
    "business_rule": """
        consent_expired consent_pending consent_denied history_window_closed bank_refused bank_not_connected
    """,
    "external_dependency": "circuit_open bank_rate_limited",
}

STATEMENT_REASONS = {
    "validation": "malformed_statement unknown_statement_format invalid_allocation",
    "not_found": "statement_not_found match_not_found",
    "conflict": "match_already_undone",
    "business_rule": "statement_currency_mismatch over_allocated",
}

JOB_REASONS = {
    "validation": "unknown_job_kind invalid_schedule",
    "not_found": "job_not_found",
    "conflict": "invalid_job_state job_lease_lost job_cancelled",
    "system": "job_abandoned",
}

EVENT_REASONS = {
    "validation": "invalid_event_type",
    "not_found": "webhook_not_found delivery_not_found",
    "business_rule": "webhook_gone",
    "external_dependency": "webhook_refused",
}

OUR_REASONS = [
    (code, category)
    for reasons in (
        LEDGER_REASONS, IDENTITY_REASONS, CONNECTION_REASONS, STATEMENT_REASONS, JOB_REASONS, EVENT_REASONS,
    )
    for category, codes in reasons.items()
    for code in codes.split()
]  # fmt: skip


@pytest.mark.parametrize(("code", "category", "status", "title"), BANK_REASONS)
def test_bank_reasons_are_as_documented(code: str, category: str, status: int, title: str) -> None:
    """Clients of the bank API find every code with its category, status and title."""
    reason = CATALOG[code]

    assert (reason.category.value, reason.http_status, reason.title) == (category, status, title)
    assert reason.retryable is (category in ("external_dependency", "system"))


@pytest.mark.parametrize(("code", "category", "status", "retryable"), PROTOCOL_REASONS)
def test_protocol_reasons_have_the_status_of_http(code: str, category: str, status: int, retryable: bool) -> None:
    """What HTTP itself refuses keeps the status that RFC 9110 or RFC 6585 gives it."""
    reason = CATALOG[code]

    assert (reason.category.value, reason.http_status, reason.retryable) == (category, status, retryable)


@pytest.mark.parametrize(("code", "category"), OUR_REASONS)
def test_our_own_reasons_follow_their_category(code: str, category: str) -> None:
    """Our own reasons depart from their category only where repeating cannot help."""
    reason = CATALOG[code]

    assert reason.category is Category(category)
    assert reason.http_status == reason.category.http_status
    assert reason.retryable is (reason.category.retryable and code not in NOT_MENDED_BY_REPEATING)


def test_catalog_holds_nothing_else() -> None:
    """A new reason is entered in these tables, and so read by a second pair of eyes."""
    assert set(CATALOG) == {row[0] for row in (*BANK_REASONS, *PROTOCOL_REASONS, *OUR_REASONS)}


@pytest.mark.parametrize("reason", CATALOG.values(), ids=lambda reason: reason.code)
def test_each_reason_is_a_constant_named_by_its_code(reason: Reason) -> None:
    """Code, constant, key and address are one name; the title and what to do are written down."""
    assert getattr(catalog, reason.code.upper()) is reason
    assert find_reason(reason.code) is reason
    assert re.fullmatch("[a-z][a-z0-9_]*", reason.code)
    assert reason.type_uri == f"https://ledgercore.dev/problems/{reason.code}"
    assert reason.title[0].isupper()
    assert not reason.title.endswith(".")
    assert reason.description.endswith(".")


def test_no_two_constants_share_a_code() -> None:
    """A code that was given twice would silently hide one of the reasons."""
    constants = [value for value in vars(catalog).values() if isinstance(value, Reason)]

    assert len(constants) == len(CATALOG)


def test_find_reason_may_find_none() -> None:
    """An unknown code is no error here: the caller decides what it means."""
    assert find_reason("no_such_reason") is None


def test_reasons_of_categories_make_up_the_catalog() -> None:
    """Each reason is listed under exactly one category, in the order of the catalog."""
    listed = [reason for category in Category for reason in reasons_of(category)]

    assert sorted(reason.code for reason in listed) == sorted(CATALOG)
    assert [reason.code for reason in reasons_of(Category.AUTHORIZATION)] == [
        "forbidden",
        "insufficient_permissions",
        "unauthorized_access",
    ]


def test_a_rate_limit_is_waited_out_and_breaks_no_circuit() -> None:
    """A retryable refusal has the waits of an outage, but is none."""
    reason = CATALOG["rate_limit_exceeded"]

    assert (reason.retries_max, reason.retry_delay_ms, reason.retry_factor) == (3, 1000, 2)
    assert reason.dead_letter is DeadLetter.AFTER_RETRIES
    assert not reason.breaks_circuit


def test_a_wrong_setup_is_never_retried() -> None:
    """A failure that stays has no waits, goes to the dead letters at once and still breaks the circuit."""
    reason = CATALOG["unsafe_durability"]

    assert (reason.retries_max, reason.retry_delay_ms) == (0, 0)
    assert reason.dead_letter is DeadLetter.AT_ONCE
    assert reason.breaks_circuit
