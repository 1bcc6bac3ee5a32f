"""Bank accounts: opened, changed and closed here; what is in them, the ledger says."""

from typing import Final

from ledgercore.banking.documents import account_document, entry_document, finding_document
from ledgercore.errors.catalog import (
    ACCOUNT_ALREADY_LINKED,
    ACCOUNT_INACTIVE,
    ACCOUNT_NOT_EMPTY,
    ACCOUNT_NOT_FOUND,
    BANK_LOGIN_NOT_FOUND,
    INVALID_ACCOUNT_NAME_FORMAT,
    INVALID_ACCOUNT_TYPE,
    INVALID_AMOUNT_FORMAT,
    INVALID_ARGUMENT,
    INVALID_CURRENCY_FORMAT,
    INVALID_CURSOR,
    INVALID_FILTER,
    INVALID_IBAN,
    INVALID_STATUS,
    INVALID_UUID_FORMAT,
    UNKNOWN_CURRENCY,
)
from ledgercore.identity.access import bearer
from ledgercore.identity.service_tokens import Scope
from ledgercore.ledger.documents import check_object
from ledgercore_http.answers import Answer
from ledgercore_http.call import Call
from ledgercore_http.parameters import CURSOR, LIMIT, path_id
from ledgercore_http.resources.bank_logins import OF_USER
from ledgercore_http.routes import Body, Routes, Success
from ledgercore_http.schemas import banking as schemas
from ledgercore_http.schemas.building import array
from ledgercore_http.schemas.identity import done
from ledgercore_http.schemas.values import PAGED

ROUTES = Routes("bank accounts", "Bank accounts of users, with what is in them and what does not agree.")
READ: Final = bearer(Scope.BANKING_READ)
WRITE: Final = bearer(Scope.BANKING_WRITE)
_ASKED: Final = frozenset(
    {"user_bank_login_id", "currency", "account_type", "account_name", "last_four", "external_account_id", "iban"}
)
_CHANGES: Final = frozenset({"account_name", "status", "credit_limit"})


@ROUTES.route(
    "GET",
    "/accounts",
    access=READ,
    query=(OF_USER,),
    success=Success(schema=array(schemas.ACCOUNT), example=[schemas.ACCOUNT_EXAMPLE], metadata=done("listed")),
    reasons=(INVALID_UUID_FORMAT,),
)
def list_bank_accounts(call: Call) -> Answer:
    """List bank accounts with their balances: one's own, or for admins and support another's."""
    found = call.bank.banking.accounts.list_of(by=call.principal, user_id=call.query["user_id"])
    return call.answer([account_document(each) for each in found], action="listed")


@ROUTES.route(
    "POST",
    "/accounts",
    access=WRITE,
    body=Body(schema=schemas.ACCOUNT_ASKED, example=schemas.ACCOUNT_ASKED_EXAMPLE),
    success=Success(status=201, schema=schemas.ACCOUNT, example=schemas.ACCOUNT_EXAMPLE, metadata=done("created")),
    reasons=(
        INVALID_UUID_FORMAT,
        INVALID_CURRENCY_FORMAT,
        UNKNOWN_CURRENCY,
        INVALID_ACCOUNT_TYPE,
        INVALID_ACCOUNT_NAME_FORMAT,
        INVALID_ARGUMENT,
        INVALID_IBAN,
        BANK_LOGIN_NOT_FOUND,
        ACCOUNT_ALREADY_LINKED,
    ),
)
def create_bank_account(call: Call) -> Answer:
    """Open a bank account for one of your logins; it is empty."""
    document = call.body
    check_object(document, _ASKED, required=("user_bank_login_id", "currency", "account_type", "account_name"))
    made = call.bank.banking.accounts.add(document, by=call.principal, actor=call.actor)
    return call.answer(account_document(made), action="created")


@ROUTES.route(
    "GET",
    "/accounts/{id}",
    access=READ,
    success=Success(schema=schemas.ACCOUNT, example=schemas.ACCOUNT_EXAMPLE, metadata=done("retrieved")),
    reasons=(INVALID_UUID_FORMAT, ACCOUNT_NOT_FOUND),
)
def get_bank_account(call: Call) -> Answer:
    """Show a bank account with its balance."""
    found = call.bank.banking.accounts.get(path_id(call.path["id"]), by=call.principal)
    return call.answer(account_document(found), action="retrieved")


@ROUTES.route(
    "PUT",
    "/accounts/{id}",
    access=WRITE,
    body=Body(schema=schemas.ACCOUNT_CHANGE, example=schemas.ACCOUNT_CHANGE_EXAMPLE),
    success=Success(schema=schemas.ACCOUNT, example=schemas.ACCOUNT_EXAMPLE, metadata=done("updated")),
    reasons=(
        INVALID_UUID_FORMAT,
        INVALID_ACCOUNT_NAME_FORMAT,
        INVALID_STATUS,
        INVALID_ARGUMENT,
        INVALID_AMOUNT_FORMAT,
        ACCOUNT_NOT_FOUND,
        ACCOUNT_INACTIVE,
        ACCOUNT_NOT_EMPTY,
    ),
)
def change_bank_account(call: Call) -> Answer:
    """Change the name or the status of a bank account.

    Freezing and suspending are for admins and support, credit limits for admins. CLOSED is for ever, and only for an
    empty account.
    """
    document = call.body
    check_object(document, _CHANGES)
    changed = call.bank.banking.accounts.change(path_id(call.path["id"]), document, by=call.principal, actor=call.actor)
    return call.answer(account_document(changed), action="updated")


@ROUTES.route(
    "GET",
    "/accounts/{id}/transactions",
    access=READ,
    query=(LIMIT, CURSOR),
    success=Success(schema=array(schemas.ENTRY), example=[schemas.ENTRY_EXAMPLE], metadata=PAGED),
    reasons=(INVALID_UUID_FORMAT, INVALID_FILTER, INVALID_CURSOR, ACCOUNT_NOT_FOUND),
)
def list_bank_account_transactions(call: Call) -> Answer:
    """List what moved a bank account, newest first: payments, and what the bank told of."""
    page = call.bank.banking.accounts.entries(
        path_id(call.path["id"]), by=call.principal, cursor=call.query["cursor"], limit=call.query["limit"]
    )
    return call.page(page, entry_document)


@ROUTES.route(
    "GET",
    "/accounts/{id}/findings",
    access=READ,
    query=(LIMIT, CURSOR),
    success=Success(schema=array(schemas.FINDING), example=[schemas.FINDING_EXAMPLE], metadata=PAGED),
    reasons=(INVALID_UUID_FORMAT, INVALID_FILTER, INVALID_CURSOR, ACCOUNT_NOT_FOUND),
)
def list_bank_findings(call: Call) -> Answer:
    """List what does not agree about a bank account, newest first; what is resolved says when."""
    page = call.bank.banking.accounts.findings(
        path_id(call.path["id"]), by=call.principal, cursor=call.query["cursor"], limit=call.query["limit"]
    )
    return call.page(page, finding_document)
