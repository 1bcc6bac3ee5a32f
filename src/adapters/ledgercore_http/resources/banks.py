"""Banks and their branches: for everybody to choose from, for admins to keep."""

from typing import Final

from ledgercore.banking.banks_administration import BRANCH_FIELDS, FIELDS
from ledgercore.banking.documents import bank_document, branch_document
from ledgercore.errors.catalog import (
    BANK_ALREADY_EXISTS,
    BANK_NOT_FOUND,
    BRANCH_ALREADY_EXISTS,
    FORBIDDEN_ADDRESS,
    INVALID_BANK,
    INVALID_BIC,
    INVALID_CURSOR,
    INVALID_FILTER,
    INVALID_IBAN,
    INVALID_NAME_FORMAT,
    INVALID_ROUTING_NUMBER,
    INVALID_STATUS,
    INVALID_UUID_FORMAT,
)
from ledgercore.identity.access import admin, bearer
from ledgercore.identity.service_tokens import Scope
from ledgercore.ledger.documents import check_object
from ledgercore_http.answers import Answer
from ledgercore_http.call import Call
from ledgercore_http.parameters import CURSOR, LIMIT, path_id
from ledgercore_http.routes import Body, Routes, Success
from ledgercore_http.schemas import banking as schemas
from ledgercore_http.schemas.building import array
from ledgercore_http.schemas.identity import done
from ledgercore_http.schemas.values import PAGED

ROUTES = Routes("banks", "Banks that users can have accounts at, and their branches.")
READ: Final = bearer(Scope.BANKING_READ)
KEEP: Final = admin(Scope.BANKING_WRITE)
_FIELDS: Final = frozenset({*FIELDS, "client_secret"})
_REFUSALS: Final = (INVALID_NAME_FORMAT, INVALID_STATUS, INVALID_BANK, FORBIDDEN_ADDRESS, BANK_ALREADY_EXISTS)


@ROUTES.route(
    "GET",
    "/banks",
    access=READ,
    query=(LIMIT, CURSOR),
    success=Success(schema=array(schemas.BANK), example=[schemas.BANK_EXAMPLE], metadata=PAGED),
    reasons=(INVALID_FILTER, INVALID_CURSOR),
)
def list_banks(call: Call) -> Answer:
    """List banks in the order they were added."""
    return call.page(
        call.bank.banking.banks.page(cursor=call.query["cursor"], limit=call.query["limit"]), bank_document
    )


@ROUTES.route(
    "POST",
    "/banks",
    access=KEEP,
    body=Body(schema=schemas.BANK_ASKED, example=schemas.BANK_ASKED_EXAMPLE),
    success=Success(status=201, schema=schemas.BANK, example=schemas.BANK_EXAMPLE, metadata=done("created")),
    reasons=_REFUSALS,
)
def create_bank(call: Call) -> Answer:
    """Add a bank, with how we reach it if we can."""
    document = call.body
    check_object(document, _FIELDS, required=("name", "country", "code"))
    return call.answer(bank_document(call.bank.banking.banks.add(document, actor=call.actor)), action="created")


@ROUTES.route(
    "GET",
    "/banks/{id}",
    access=READ,
    success=Success(schema=schemas.BANK, example=schemas.BANK_EXAMPLE, metadata=done("retrieved")),
    reasons=(INVALID_UUID_FORMAT, BANK_NOT_FOUND),
)
def get_bank(call: Call) -> Answer:
    """Show a bank."""
    return call.answer(bank_document(call.bank.banking.banks.get(path_id(call.path["id"]))), action="retrieved")


@ROUTES.route(
    "PUT",
    "/banks/{id}",
    access=KEEP,
    body=Body(schema=schemas.BANK_CHANGE, example=schemas.BANK_CHANGE_EXAMPLE),
    success=Success(schema=schemas.BANK, example=schemas.BANK_EXAMPLE, metadata=done("updated")),
    reasons=(INVALID_UUID_FORMAT, BANK_NOT_FOUND, *_REFUSALS),
)
def change_bank(call: Call) -> Answer:
    """Change a bank; what is left out stays."""
    document = call.body
    check_object(document, _FIELDS)
    changed = call.bank.banking.banks.change(path_id(call.path["id"]), document, actor=call.actor)
    return call.answer(bank_document(changed), action="updated")


@ROUTES.route(
    "GET",
    "/banks/{id}/branches",
    access=READ,
    success=Success(schema=array(schemas.BRANCH), example=[schemas.BRANCH_EXAMPLE], metadata=done("listed")),
    reasons=(INVALID_UUID_FORMAT, BANK_NOT_FOUND),
)
def list_branches(call: Call) -> Answer:
    """List the branches of a bank."""
    found = call.bank.banking.banks.branches(path_id(call.path["id"]))
    return call.answer([branch_document(branch) for branch in found], action="listed")


@ROUTES.route(
    "POST",
    "/banks/{id}/branches",
    access=KEEP,
    body=Body(schema=schemas.BRANCH_ASKED, example=schemas.BRANCH_ASKED_EXAMPLE),
    success=Success(status=201, schema=schemas.BRANCH, example=schemas.BRANCH_EXAMPLE, metadata=done("created")),
    reasons=(
        INVALID_UUID_FORMAT,
        INVALID_NAME_FORMAT,
        INVALID_BANK,
        INVALID_IBAN,
        INVALID_BIC,
        INVALID_ROUTING_NUMBER,
        BANK_NOT_FOUND,
        BRANCH_ALREADY_EXISTS,
    ),
)
def create_branch(call: Call) -> Answer:
    """Add a branch to a bank."""
    document = call.body
    check_object(document, frozenset(BRANCH_FIELDS), required=("name", "country"))
    made = call.bank.banking.banks.add_branch(path_id(call.path["id"]), document, actor=call.actor)
    return call.answer(branch_document(made), action="created")
