"""Ledgers: where one stands, what it is told about itself, and the periods that it closes."""

from ledgercore.identity.access import LEDGER_MANAGE, LEDGER_READ
from ledgercore.ledger.applied_documents import closed_document
from ledgercore.ledger.command_documents import period_close_from, settings_document, settings_from
from ledgercore.ledger.commands import ChangeSettings
from ledgercore.ledger.report_documents import state_document
from ledgercore.money import ISO
from ledgercore_http.answers import Answer
from ledgercore_http.call import Call
from ledgercore_http.routes import Body, Routes, Success
from ledgercore_http.schemas import ledgers as schemas

ROUTES = Routes("books", "Where a ledger stands, what it is told about itself, and the periods that it closes.")


@ROUTES.route(
    "GET",
    "/ledgers/{ledger}",
    access=LEDGER_READ,
    success=Success(schema=schemas.LEDGER, example=schemas.LEDGER_EXAMPLE),
)
def get_ledger(call: Call) -> Answer:
    """Read where a ledger stands: its last record, the head that commits to all of them, its settings."""
    state = call.ledger.state()
    return call.answer({**state_document(state), "settings": settings_document(state.settings)})


@ROUTES.route(
    "PUT",
    "/ledgers/{ledger}/settings",
    access=LEDGER_MANAGE,
    body=Body(schema=schemas.SETTINGS_ASKED, example=schemas.SETTINGS_EXAMPLE),
    success=Success(schema=schemas.SETTINGS, example=schemas.SETTINGS_EXAMPLE),
    reasons=schemas.SETTINGS_REASONS,
)
def replace_settings(call: Call) -> Answer:
    """Replace a ledger's settings.

    Assets that are registered stay, whether or not they are named again.
    """
    book = call.books.open(call.path["ledger"])
    current = book.ledger.state().settings
    wanted = settings_from(call.body, current.currencies(ISO))
    if wanted != current:
        call.administer(ChangeSettings(settings=wanted), "settings_changed")
        book.read_currencies()
    return call.answer(settings_document(wanted))


@ROUTES.route(
    "POST",
    "/ledgers/{ledger}/periods",
    access=LEDGER_MANAGE,
    body=Body(schema=schemas.PERIOD_ASKED, example=schemas.PERIOD_EXAMPLE),
    success=Success(status=201, schema=schemas.PERIOD, example=schemas.PERIOD_CLOSED_EXAMPLE),
    reasons=schemas.PERIOD_REASONS,
    named_by_key=True,
)
def close_period(call: Call) -> Answer:
    """Close a period.

    Every entry that would count at or before its end is refused from now on; this cannot be undone.
    """
    command = period_close_from(call.named(call.body))
    outcome = call.administer(command, "period_closed")
    return call.applied(closed_document(command, outcome), outcome)
