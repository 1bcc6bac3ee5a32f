"""Transactions: post one, find them, reverse them."""

from typing import Any
from uuid import UUID

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import (
    ACCOUNT_NOT_FOUND,
    INVALID_ACCOUNT_PATH,
    INVALID_FILTER,
    INVALID_IDEMPOTENCY_KEY,
    INVALID_JSON,
    INVALID_METADATA,
    INVALID_REFERENCE,
    INVALID_UUID_FORMAT,
    TRANSACTION_NOT_FOUND,
)
from ledgercore.identity.access import LEDGER_POST, LEDGER_READ
from ledgercore.ledger.applied_documents import posted_document
from ledgercore.ledger.command_documents import reversal_from
from ledgercore.ledger.commands import identity_of_key
from ledgercore.ledger.documents import object_from, parse_json, transaction_document, transaction_from
from ledgercore.ledger.outcomes import Applied
from ledgercore.ledger.queries import TransactionFilter
from ledgercore.ledger.texts import check_key
from ledgercore.pages import Page
from ledgercore_http.answers import Answer
from ledgercore_http.call import Call
from ledgercore_http.parameters import CURSOR, LIMIT, checked_parameter, moment_parameter, path_id, read_whole
from ledgercore_http.routes import Body, Parameter, Routes, Success
from ledgercore_http.schemas import transactions as schemas
from ledgercore_http.schemas.building import array, text
from ledgercore_http.schemas.values import (
    ACCOUNT,
    KEY,
    LIST_REASONS,
    MOMENT_REASONS,
    PAGED,
    REFERENCE,
    link,
)

ROUTES = Routes("transactions", "Money that moved: n debit and m credit entries that balance in every currency.")


def _read_metadata(value: str, name: str) -> Any:
    return object_from(parse_json(value, field=name), field=name)


def _minor_parameter(name: str, description: str) -> Parameter:
    return Parameter(name=name, schema=text(pattern="^[0-9]{1,38}$"), read=read_whole, description=description)


FILTERS = (
    checked_parameter("account", ACCOUNT, "With an entry on this account."),
    checked_parameter("reference", REFERENCE, "With this reference."),
    Parameter(
        name="metadata",
        schema=text(contentMediaType="application/json"),
        read=_read_metadata,
        description="With metadata that contain this JSON object.",
        example='{"order": "17"}',
    ),
    _minor_parameter("amount_minor_min", "With a line of at least so many minor units."),
    _minor_parameter("amount_minor_max", "With a line of at most so many minor units."),
    moment_parameter("effective_from", "Effective then or later."),
    moment_parameter("effective_to", "Effective then or earlier."),
    moment_parameter("recorded_from", "Recorded then or later."),
    moment_parameter("recorded_to", "Recorded then or earlier."),
)
BY_KEY = checked_parameter("key", KEY, "The one posted under this key; not together with other filters.")


@ROUTES.route(
    "POST",
    "/ledgers/{ledger}/transactions",
    access=LEDGER_POST,
    body=Body(schema=schemas.TRANSACTION_ASKED, example=schemas.TRANSACTION_EXAMPLE),
    success=Success(
        status=201,
        schema=schemas.POSTED,
        example=schemas.POSTED_EXAMPLE,
        links={
            "get": link("get_transaction", id="id"),
            "reverse": link("reverse_transaction", id="id"),
            "prove": link("prove_transaction", id="id"),
        },
    ),
    reasons=schemas.POSTING_REASONS,
    named_by_key=True,
)
async def create_transaction(call: Call) -> Answer:
    """Post a transaction.

    It is posted whole or not at all. Its name is the `Idempotency-Key`, or an `id` or `key` in the body.
    """
    command = await call.command(transaction_from)
    outcome = await call.post(command)
    return call.applied(posted_document(command, outcome), outcome)


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/transactions",
    access=LEDGER_READ,
    query=(*FILTERS, BY_KEY, CURSOR, LIMIT),
    success=Success(schema=array(schemas.TRANSACTION), example=[schemas.TRANSACTION_READ_EXAMPLE], metadata=PAGED),
    reasons=(
        *LIST_REASONS,
        *MOMENT_REASONS,
        INVALID_REFERENCE,
        INVALID_METADATA,
        INVALID_JSON,
        INVALID_IDEMPOTENCY_KEY,
        INVALID_ACCOUNT_PATH,
        ACCOUNT_NOT_FOUND,
    ),
)
def list_transactions(call: Call) -> Answer:
    """List transactions, newest first.

    Every filter that is given must fit. Entries on an account that is not there are refused rather than not found.
    """
    filters = {parameter.name: call.query[parameter.name] for parameter in FILTERS}
    key, cursor = call.query["key"], call.query["cursor"]
    if key is None:
        page = call.ledger.list_transactions(cursor=cursor, limit=call.query["limit"], **filters)
        return call.page(page, transaction_document)
    if cursor is not None or TransactionFilter(**filters) != TransactionFilter():
        raise ValidationError(INVALID_FILTER, field="key", value=shortened(key), why="a key is asked for alone")
    check_key(key)
    found = call.ledger.journal.find_transaction(UUID(bytes=identity_of_key(key)))
    return call.page(Page(() if found is None else (found,)), transaction_document)


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/transactions/{id}",
    access=LEDGER_READ,
    success=Success(schema=schemas.TRANSACTION, example=schemas.TRANSACTION_READ_EXAMPLE),
    reasons=(INVALID_UUID_FORMAT, TRANSACTION_NOT_FOUND),
)
def get_transaction(call: Call) -> Answer:
    """Read a transaction."""
    return call.answer(transaction_document(call.ledger.get_transaction(path_id(call.path["id"]))))


@ROUTES.route(
    "POST",
    "/ledgers/{ledger}/transactions/{id}/reversals",
    access=LEDGER_POST,
    body=Body(schema=schemas.REVERSAL_ASKED, example=schemas.REVERSAL_EXAMPLE, optional=True),
    success=Success(
        status=201,
        schema=schemas.TRANSACTION,
        example=schemas.REVERSED_EXAMPLE,
        links={"get": link("get_transaction", id="id")},
    ),
    reasons=schemas.REVERSAL_REASONS,
    named_by_key=True,
)
async def reverse_transaction(call: Call) -> Answer:
    """Reverse a transaction.

    What remains of it, an amount of it, or lines of it; never more in total than it posted. The answer is the new
    transaction.
    """
    transaction = path_id(call.path["id"])
    command = await call.command(lambda document, known: reversal_from(document, transaction, known))
    return await posted(call, await call.post(command))


async def posted(call: Call, outcome: Applied) -> Answer:
    """The transaction that a command posted; nothing changes it afterwards."""
    book = await call.book()
    transaction = await call.in_thread(book.ledger.get_transaction, outcome.id)
    return call.applied(transaction_document(transaction), outcome)
