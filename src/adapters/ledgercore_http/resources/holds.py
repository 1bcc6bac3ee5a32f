"""Holds: reserve amounts, then capture them, let them go, or see them expire."""

from uuid import UUID

from ledgercore.errors.catalog import (
    ACCOUNT_NOT_FOUND,
    HOLD_NOT_FOUND,
    INVALID_ACCOUNT_PATH,
    INVALID_REFERENCE,
    INVALID_UUID_FORMAT,
)
from ledgercore.identity.access import LEDGER_POST, LEDGER_READ
from ledgercore.ledger.applied_documents import (
    changed_document,
    group_document,
    placed_document,
    record_of,
    replaced_document,
)
from ledgercore.ledger.command_documents import (
    capture_from,
    group_capture_from,
    group_void_from,
    hold_change_from,
    replacement_from,
    void_from,
)
from ledgercore.ledger.documents import hold_document, hold_from
from ledgercore.ledger.holds import HoldStatus
from ledgercore_http.answers import Answer
from ledgercore_http.call import Call
from ledgercore_http.parameters import CURSOR, LIMIT, checked_parameter, choice_parameter, path_id
from ledgercore_http.resources.transactions import posted
from ledgercore_http.routes import Body, Routes, Success
from ledgercore_http.schemas import holds as schemas
from ledgercore_http.schemas.building import array
from ledgercore_http.schemas.transactions import TRANSACTION
from ledgercore_http.schemas.values import ACCOUNT, GROUP, LIST_REASONS, PAGED, link

ROUTES = Routes("holds", "Amounts that are reserved, and nothing posted: to be captured, voided or left to expire.")

_NAME_ONLY = Body(schema=schemas.NAME_ASKED, example={}, optional=True)
_NEXT = {
    name: link(operation, id="id")
    for name, operation in (
        ("get", "get_hold"),
        ("change", "change_hold"),
        ("capture", "capture_hold"),
        ("void", "void_hold"),
    )
}


@ROUTES.route(
    "POST",
    "/ledgers/{ledger}/holds",
    access=LEDGER_POST,
    body=Body(schema=schemas.HOLD_ASKED, example=schemas.HOLD_EXAMPLE),
    success=Success(status=201, schema=schemas.PLACED_HOLD, example=schemas.PLACED_EXAMPLE, links=_NEXT),
    reasons=(*schemas.PLACING_REASONS, INVALID_REFERENCE),
    named_by_key=True,
)
async def create_hold(call: Call) -> Answer:
    """Place a hold.

    Its lines are reserved until it is captured, voided or has expired. Its id is that of the command.
    """
    command = await call.command(hold_from)
    outcome = await call.post(command)
    return call.applied(placed_document(command, outcome), outcome)


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/holds",
    access=LEDGER_READ,
    query=(
        choice_parameter("status", HoldStatus, "With this status."),
        checked_parameter("group", GROUP, "Of this group."),
        checked_parameter("account", ACCOUNT, "That reserve on this account."),
        CURSOR,
        LIMIT,
    ),
    success=Success(schema=array(schemas.HOLD), example=[schemas.HOLD_READ_EXAMPLE], metadata=PAGED),
    reasons=(*LIST_REASONS, INVALID_REFERENCE, INVALID_ACCOUNT_PATH, ACCOUNT_NOT_FOUND),
)
def list_holds(call: Call) -> Answer:
    """List holds by id."""
    query = call.query
    page = call.ledger.list_holds(
        status=None if query["status"] is None else HoldStatus(query["status"]),
        group=query["group"],
        account=query["account"],
        cursor=query["cursor"],
        limit=query["limit"],
    )
    return call.page(page, hold_document)


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/holds/{id}",
    access=LEDGER_READ,
    success=Success(schema=schemas.HOLD, example=schemas.HOLD_READ_EXAMPLE),
    reasons=(INVALID_UUID_FORMAT, HOLD_NOT_FOUND),
)
def get_hold(call: Call) -> Answer:
    """Read a hold."""
    return call.answer(hold_document(call.ledger.get_hold(_hold_id(call))))


@ROUTES.route(
    "PATCH",
    "/ledgers/{ledger}/holds/{id}",
    access=LEDGER_POST,
    body=Body(schema=schemas.HOLD_CHANGE_ASKED, example=schemas.HOLD_CHANGE_EXAMPLE),
    success=Success(schema=schemas.CHANGED_HOLD, example=schemas.CHANGED_EXAMPLE),
    reasons=schemas.CHANGING_REASONS,
    named_by_key=True,
)
async def change_hold(call: Call) -> Answer:
    """Raise or lower a hold.

    To an amount in total for a hold of one line, or to lines that name the same accounts; never below what was
    captured already.
    """
    hold_id = _hold_id(call)
    command = await call.command(lambda document, known: hold_change_from(document, hold_id, known))
    outcome = await call.post(command)
    ledger = (await call.book()).ledger
    hold, change = await call.in_thread(lambda: (ledger.get_hold(hold_id), record_of(ledger.journal, outcome)))
    return call.applied(changed_document(hold, change), outcome)


@ROUTES.route(
    "POST",
    "/ledgers/{ledger}/holds/{id}/capture",
    access=LEDGER_POST,
    body=Body(schema=schemas.CAPTURE_ASKED, example=schemas.CAPTURE_EXAMPLE, optional=True),
    success=Success(
        status=201,
        schema=TRANSACTION,
        example=schemas.CAPTURED_EXAMPLE,
        links={"get": link("get_transaction", id="id"), "hold": link("get_hold", id="captures")},
    ),
    reasons=schemas.CAPTURING_REASONS,
    named_by_key=True,
)
async def capture_hold(call: Call) -> Answer:
    """Capture a hold.

    What remains of it, an amount of it, or lines of it, within its tolerance. The answer is the transaction that was
    posted.
    """
    hold_id = _hold_id(call)
    command = await call.command(lambda document, known: capture_from(document, hold_id, known))
    return await posted(call, await call.post(command))


@ROUTES.route(
    "POST",
    "/ledgers/{ledger}/holds/{id}/void",
    access=LEDGER_POST,
    body=_NAME_ONLY,
    success=Success(schema=schemas.HOLD, example=schemas.VOIDED_EXAMPLE, links={"get": link("get_hold", id="id")}),
    reasons=schemas.CLOSING_REASONS,
    named_by_key=True,
)
async def void_hold(call: Call) -> Answer:
    """Void a hold: let go of what it still reserves."""
    hold_id = _hold_id(call)
    outcome = await call.post(await call.command(lambda document, _: void_from(document, hold_id)))
    ledger = (await call.book()).ledger
    # A voided hold stays as it is, so that a repeat of the command is answered alike.
    return call.applied(hold_document(await call.in_thread(ledger.get_hold, hold_id)), outcome)


@ROUTES.route(
    "POST",
    "/ledgers/{ledger}/holds/{id}/replacement",
    access=LEDGER_POST,
    body=Body(schema=schemas.REPLACEMENT_ASKED, example=schemas.REPLACEMENT_EXAMPLE, optional=True),
    success=Success(status=201, schema=schemas.PLACED_HOLD, example=schemas.REPLACED_EXAMPLE, links=_NEXT),
    reasons=schemas.REPLACING_REASONS,
    named_by_key=True,
)
async def replace_hold(call: Call) -> Answer:
    """Place an expired hold's remainder again, as a new hold."""
    hold_id = _hold_id(call)
    outcome = await call.post(await call.command(lambda document, _: replacement_from(document, hold_id)))
    journal = (await call.book()).ledger.journal
    return call.applied(replaced_document(await call.in_thread(record_of, journal, outcome)), outcome)


@ROUTES.route(
    "POST",
    "/ledgers/{ledger}/hold-groups/{group}/capture",
    access=LEDGER_POST,
    body=_NAME_ONLY,
    success=Success(schema=schemas.CAPTURED_GROUP, example=schemas.CAPTURED_GROUP_EXAMPLE),
    reasons=schemas.CAPTURING_GROUP_REASONS,
    named_by_key=True,
)
async def capture_hold_group(call: Call) -> Answer:
    """Capture a group of holds: what remains of each open one, or nothing.

    Groups whose name has a slash are captured by a batch.
    """
    outcome = await call.post(await call.command(lambda document, _: group_capture_from(document, call.path["group"])))
    journal = (await call.book()).ledger.journal
    return call.applied(group_document(await call.in_thread(record_of, journal, outcome)), outcome)


@ROUTES.route(
    "POST",
    "/ledgers/{ledger}/hold-groups/{group}/void",
    access=LEDGER_POST,
    body=_NAME_ONLY,
    success=Success(schema=schemas.VOIDED_GROUP, example=schemas.VOIDED_GROUP_EXAMPLE),
    reasons=schemas.VOIDING_GROUP_REASONS,
    named_by_key=True,
)
async def void_hold_group(call: Call) -> Answer:
    """Void a group of holds: each open one, or none.

    Groups whose name has a slash are voided by a batch.
    """
    outcome = await call.post(await call.command(lambda document, _: group_void_from(document, call.path["group"])))
    journal = (await call.book()).ledger.journal
    return call.applied(group_document(await call.in_thread(record_of, journal, outcome)), outcome)


def _hold_id(call: Call) -> UUID:
    return path_id(call.path["id"])
