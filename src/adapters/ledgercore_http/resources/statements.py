"""Statements of banks: import them, read them, and reconcile the ledger with them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from ledgercore.identity.access import LEDGER_POST, LEDGER_READ
from ledgercore.ledger.documents import check_object
from ledgercore.ledger.paths import check_path
from ledgercore.money import Currency
from ledgercore.statements.documents import (
    imported_document,
    line_document,
    match_document,
    parts_from,
    proposal_document,
    reconciled_document,
    reconciliation_document,
    rules_from,
    statement_document,
    unmatched_document,
)
from ledgercore.statements.importing import FILE_NAME_LENGTH_MAX
from ledgercore.statements.matching import WINDOW_DAYS_MAX
from ledgercore.statements.statements import Statement
from ledgercore_http.answers import Answer
from ledgercore_http.call import Call
from ledgercore_http.parameters import CURSOR, LIMIT, checked_parameter, path_id, read_flag, read_whole, text_parameter
from ledgercore_http.routes import Body, Parameter, Routes, Success
from ledgercore_http.schemas import statements as schemas
from ledgercore_http.schemas.building import BOOLEAN, array, text, whole
from ledgercore_http.schemas.values import ACCOUNT, LIST_REASONS, PAGED, link

ROUTES = Routes("statements", "What banks say, and which entries of the ledger it explains.")
FILE_TYPES: Final = ("application/octet-stream", "text/plain", "application/xml", "text/csv")
_FIELDS: Final = frozenset({"lines", "transactions"})
_RULES: Final = (
    Parameter(
        name="window_days",
        schema=whole(minimum=0, maximum=WINDOW_DAYS_MAX),
        read=read_whole,
        description="How many days apart a line and a transaction may be (default 5).",
    ),
    checked_parameter("tolerance", text(pattern=r"^[0-9]{1,38}(\.[0-9]{1,18})?$"), "By how much amounts may differ."),
    checked_parameter("tolerance_account", ACCOUNT, "Where such differences would be booked."),
)
_UNDONE: Final = Parameter(name="undone", schema=BOOLEAN, read=read_flag, description="Undone ones too.", default=False)


def _account_parameter(description: str, *, required: bool) -> Parameter:
    return Parameter(
        name="account",
        schema=ACCOUNT,
        read=lambda value, _: check_path(value),
        description=description,
        required=required,
        example="assets:bank",
    )


def _read_file(call: Call) -> Sequence[Statement]:
    query = call.query
    return call.bank.statement_import.read(
        call.raw_body,
        ledger=call.path["ledger"],
        account=query["account"],
        format=query["format"],
        dialect=query["dialect"],
        bank_account=query["bank_account"],
    )


@ROUTES.route(
    "POST",
    "/ledgers/{ledger}/statements",
    access=LEDGER_POST,
    query=(
        _account_parameter("The account that the statements are of.", required=True),
        text_parameter("format", "How to read the file, if it does not tell: `csv`, `qif-dmy`, …", maxLength=30),
        text_parameter("dialect", "The dialect of a CSV file: a bank's name, or your own as JSON.", maxLength=2_000),
        text_parameter("bank_account", "The only one to import, of a file about several.", maxLength=100),
        text_parameter("file_name", "What the file is called, to tell it from others.", maxLength=FILE_NAME_LENGTH_MAX),
    ),
    body=Body(schema=schemas.FILE, example=schemas.FILE_EXAMPLE, content_types=FILE_TYPES, is_batch=True),
    success=Success(status=201, schema=schemas.IMPORTED, example=schemas.IMPORTED_EXAMPLE),
    reasons=schemas.IMPORT_REASONS,
    before=_read_file,
)
def import_statements(call: Call) -> Answer:
    """Import the statements of a file: all of them, or none.

    The body is the file itself: MT940, MT942, CAMT.052 to 054, OFX, QFX, QIF or CSV. A statement that was imported
    before adds nothing, and nor does a line that another one has told, so that files may be sent again and may overlap.
    """
    imported = call.bank.statement_import.store_all(
        call.prepared,
        ledger=call.path["ledger"],
        account=call.query["account"],
        file_name=call.query["file_name"] or "",
        actor=call.actor,
    )
    return call.answer([imported_document(each) for each in imported])


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/statements",
    access=LEDGER_READ,
    query=(_account_parameter("Only those of this account.", required=False), CURSOR, LIMIT),
    success=Success(schema=array(schemas.STATEMENT), example=[schemas.STATEMENT_EXAMPLE], metadata=PAGED),
    reasons=(*LIST_REASONS, *schemas.DESK_REASONS),
)
def list_statements(call: Call) -> Answer:
    """List statements in the order they were imported."""
    return call.page(call.bank.statements.page(call.path["ledger"], **call.query), statement_document)


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/statements/{id}",
    access=LEDGER_READ,
    success=Success(schema=schemas.STATEMENT, example=schemas.STATEMENT_EXAMPLE),
    reasons=schemas.STATEMENT_REASONS,
)
def get_statement(call: Call) -> Answer:
    """Read a statement."""
    return call.answer(statement_document(call.bank.statements.get(call.path["ledger"], path_id(call.path["id"]))))


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/statements/{id}/lines",
    access=LEDGER_READ,
    query=(CURSOR, LIMIT),
    success=Success(schema=array(schemas.LINE), example=[schemas.LINE_EXAMPLE], metadata=PAGED),
    reasons=(*LIST_REASONS, *schemas.STATEMENT_REASONS),
)
def list_statement_lines(call: Call) -> Answer:
    """List the lines that a statement was the first to tell, in order."""
    page = call.bank.statements.lines_of(call.path["ledger"], path_id(call.path["id"]), **call.query)
    return call.page(page, line_document)


@ROUTES.route(
    "POST",
    "/ledgers/{ledger}/reconciliation/{path}/runs",
    access=LEDGER_POST,
    body=Body(schema=schemas.RULES_ASKED, example=schemas.RULES_EXAMPLE, optional=True),
    success=Success(schema=schemas.RECONCILED, example=schemas.RECONCILED_EXAMPLE),
    reasons=(*schemas.RULES_REASONS, *schemas.BOOKING_REASONS),
)
def reconcile(call: Call) -> Answer:
    """Make every match that is certain, and suggest the others.

    Lines and transactions are matched by ids, then by structured reference, by amount and counterparty, by sums of up
    to ten, and last within a tolerance, whose differences are booked to the account that is named for them.
    """
    path, currency = _account(call)
    rules = rules_from(call.body, currency)
    done = call.bank.reconciler.run(call.path["ledger"], path, rules, actor=call.actor)
    return call.answer(reconciled_document(done, currency))


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/reconciliation/{path}/suggestions",
    access=LEDGER_READ,
    query=_RULES,
    success=Success(schema=array(schemas.PROPOSAL), example=[schemas.PROPOSAL_EXAMPLE]),
    reasons=schemas.RULES_REASONS,
)
def list_suggestions(call: Call) -> Answer:
    """List the matches that a run would make, and those that somebody has to decide."""
    path, currency = _account(call)
    proposals = call.bank.reconciler.suggest(call.path["ledger"], path, rules_from(call.query, currency))
    return call.answer([proposal_document(each, currency) for each in proposals])


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/reconciliation/{path}/unmatched",
    access=LEDGER_READ,
    success=Success(schema=schemas.UNMATCHED, example=schemas.UNMATCHED_EXAMPLE),
    reasons=schemas.DESK_REASONS,
)
def list_unmatched(call: Call) -> Answer:
    """List the lines and transactions that nothing explains, or not wholly."""
    path, currency = _account(call)
    return call.answer(unmatched_document(call.bank.reconciler.unmatched(call.path["ledger"], path), currency))


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/reconciliation/{path}/matches",
    access=LEDGER_READ,
    query=(_UNDONE, CURSOR, LIMIT),
    success=Success(schema=array(schemas.MATCH), example=[schemas.MATCH_EXAMPLE], metadata=PAGED),
    reasons=(*LIST_REASONS, *schemas.DESK_REASONS),
)
def list_matches(call: Call) -> Answer:
    """List the matches of an account in the order they were made."""
    path, currency = _account(call)
    query = call.query
    page = call.bank.statements.matches(
        call.path["ledger"], path, standing_only=not query["undone"], cursor=query["cursor"], limit=query["limit"]
    )
    return call.page(page, lambda match: match_document(match, currency))


@ROUTES.route(
    "POST",
    "/ledgers/{ledger}/reconciliation/{path}/matches",
    access=LEDGER_POST,
    body=Body(schema=schemas.MATCH_ASKED, example=schemas.MATCH_ASKED_EXAMPLE),
    success=Success(
        status=201,
        schema=schemas.MATCH,
        example=schemas.MATCH_EXAMPLE,
        links={"undo": link("undo_match", path="account", id="id")},
    ),
    reasons=schemas.MATCH_REASONS,
)
def create_match(call: Call) -> Answer:
    """Match lines and transactions, wholly or in part; both sides come to the same."""
    path, currency = _account(call)
    check_object(call.body, _FIELDS, required=("lines", "transactions"))
    made = call.bank.reconciler.match(call.path["ledger"], path, **_parts(call.body, currency), actor=call.actor)
    return call.answer(match_document(made, currency))


@ROUTES.route(
    "DELETE",
    "/ledgers/{ledger}/reconciliation/{path}/matches/{id}",
    access=LEDGER_POST,
    success=Success(schema=schemas.MATCH, example=schemas.UNDONE_EXAMPLE),
    reasons=schemas.UNDO_REASONS,
)
def undo_match(call: Call) -> Answer:
    """Undo a match: what it explained is open again, and what it booked is reversed. It stays on record."""
    ledger, (path, currency) = call.path["ledger"], _account(call)
    found = call.bank.statements.get_match(ledger, path, path_id(call.path["id"]))
    return call.answer(match_document(call.bank.reconciler.undo(ledger, found.id, actor=call.actor), currency))


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}/reconciliation/{path}/proof",
    access=LEDGER_READ,
    success=Success(schema=schemas.PROOF, example=schemas.PROOF_EXAMPLE),
    reasons=schemas.DESK_REASONS,
)
def prove_reconciliation(call: Call) -> Answer:
    """Prove that opening, matched and unmatched come to the closing balance, at the bank and in the ledger."""
    proof = call.bank.reconciler.proof(call.path["ledger"], check_path(call.path["path"]))
    return call.answer(reconciliation_document(proof))


def _account(call: Call) -> tuple[str, Currency]:
    """The account of the path, and what its amounts are in."""
    path = check_path(call.path["path"])
    return path, call.bank.statements.currency_of(call.path["ledger"], path)


def _parts(body: Mapping[str, Any], currency: Currency) -> dict[str, list[tuple[UUID, int | None]]]:
    return {name: parts_from(body[name], currency, field=name) for name in sorted(_FIELDS)}
