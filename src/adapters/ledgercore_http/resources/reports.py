"""Reports, each from one moment of the books."""

from ledgercore.errors.catalog import INVALID_ACCOUNT_PATH
from ledgercore.identity.access import LEDGER_READ
from ledgercore.ledger.report_documents import (
    balance_sheet_document,
    income_statement_document,
    tree_document,
    trial_balance_document,
)
from ledgercore_http.answers import Answer
from ledgercore_http.call import Call
from ledgercore_http.parameters import EFFECTIVE_AT, RECORDED_AT, moment_parameter
from ledgercore_http.resources.accounts import PREFIX
from ledgercore_http.routes import Routes, Success
from ledgercore_http.schemas import reports as schemas
from ledgercore_http.schemas.values import AS_OF_REASONS

ROUTES = Routes("reports", "Trial balance, balance sheet, income statement and totals, at any point of both times.")


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/reports/trial-balance",
    access=LEDGER_READ,
    query=(PREFIX, EFFECTIVE_AT, RECORDED_AT),
    success=Success(schema=schemas.TRIAL_BALANCE, example=schemas.TRIAL_BALANCE_EXAMPLE),
    reasons=(INVALID_ACCOUNT_PATH, *AS_OF_REASONS),
)
def get_trial_balance(call: Call) -> Answer:
    """Read the trial balance: every account's balance on its side."""
    return call.answer(trial_balance_document(call.ledger.trial_balance(**call.query)))


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/reports/balance-sheet",
    access=LEDGER_READ,
    query=(EFFECTIVE_AT, RECORDED_AT),
    success=Success(schema=schemas.BALANCE_SHEET, example=schemas.BALANCE_SHEET_EXAMPLE),
    reasons=AS_OF_REASONS,
)
def get_balance_sheet(call: Call) -> Answer:
    """Read the balance sheet: assets against liabilities and equity."""
    return call.answer(balance_sheet_document(call.ledger.balance_sheet(**call.query)))


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/reports/income-statement",
    access=LEDGER_READ,
    query=(
        moment_parameter("since", "Count what became effective after then."),
        moment_parameter("until", "Count what became effective by then."),
        RECORDED_AT,
    ),
    success=Success(schema=schemas.INCOME_STATEMENT, example=schemas.INCOME_STATEMENT_EXAMPLE),
    reasons=AS_OF_REASONS,
)
def get_income_statement(call: Call) -> Answer:
    """Read the income statement of a period."""
    return call.answer(income_statement_document(call.ledger.income_statement(**call.query)))


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/reports/totals",
    access=LEDGER_READ,
    query=(PREFIX, EFFECTIVE_AT, RECORDED_AT),
    success=Success(schema=schemas.TOTALS, example=schemas.TOTALS_EXAMPLE),
    reasons=(INVALID_ACCOUNT_PATH, *AS_OF_REASONS),
)
def get_totals(call: Call) -> Answer:
    """Read totals along the tree of accounts, in each currency."""
    return call.answer(tree_document(call.ledger.totals(**call.query)))
