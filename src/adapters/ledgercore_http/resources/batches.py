"""Batches: many commands in one commit."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ledgercore.errors import ValidationError, error_for
from ledgercore.errors.catalog import BATCH_TOO_LARGE, GROUP_REFUSED, INVALID_ARGUMENT, UNKNOWN_CURRENCY
from ledgercore.identity.access import LEDGER_MANAGE, LEDGER_POST, check_access
from ledgercore.ledger.command_documents import command_from
from ledgercore.ledger.commands import BATCH_MAX, BatchItem, ClosePeriod, flatten
from ledgercore.ledger.documents import check_object, parse_json, refused, within
from ledgercore.ledger.outcomes import Applied, GroupOutcome, Outcome, Refused
from ledgercore.ledger.report_documents import outcome_document
from ledgercore.money import Currencies
from ledgercore_http.answers import Answer, success
from ledgercore_http.books import Book
from ledgercore_http.call import Call
from ledgercore_http.parameters import choice_parameter
from ledgercore_http.routes import JSON, NDJSON, Body, Routes, Success
from ledgercore_http.schemas import batches as schemas

ROUTES = Routes("batches", "Many commands at once: each by itself and in order, or all of them or none.")
_FIELDS: Final = frozenset({"items", "atomic"})


@ROUTES.route(
    "POST",
    "/ledgers/{ledger}/batches",
    access=LEDGER_POST,
    body=Body(schema=schemas.BATCH_ASKED, example=schemas.BATCH_EXAMPLE, content_types=(JSON, NDJSON), is_batch=True),
    query=(choice_parameter("atomic", ("true", "false"), "As in the body; for NDJSON, which has no place for it."),),
    success=Success(schema=schemas.OUTCOMES, example=schemas.OUTCOMES_EXAMPLE, metadata=schemas.COUNTS),
    reasons=schemas.BATCH_REASONS,
    named_by_key=True,
)
def create_batch(call: Call) -> Answer:
    """Carry out many commands in one commit.

    Each item happens wholly or not at all, in order, and has its own outcome; a `group` happens as one. An `atomic`
    batch happens as a whole, or is refused with the reason and `index` of the item that broke it. NDJSON has one item
    on each line.

    Items without an `id` or `key` of their own are named `<Idempotency-Key>/<index>`, those of groups
    `<Idempotency-Key>/<index>/<index>`. Closing a period takes the right to manage the ledger.
    """
    book = call.books.open(call.path["ledger"])
    documents, atomic = _read(call)
    commands = _commands(book, documents, call.idempotency_key)
    if any(type(command) is ClosePeriod for command in flatten(commands)):
        check_access(LEDGER_MANAGE, call.principal, call.standing, call.path["ledger"])
        outcomes = call.administer_all(commands, "period_closed", atomic=atomic)
    else:
        outcomes = book.ledger.post_all(commands, atomic=atomic)
    if atomic:
        _raise_refusal(call, outcomes)
    return _answer(call, outcomes)


def _read(call: Call) -> tuple[Sequence[Any], bool]:
    atomic = call.query["atomic"] == "true"
    if call.content_type == NDJSON:
        documents: Sequence[Any] = list(_read_lines(call.raw_body))
    else:
        body = call.body
        check_object(body, _FIELDS, required=("items",))
        documents, asked = body["items"], body.get("atomic")
        if not isinstance(documents, list):
            raise refused(documents, "items", "a JSON array")
        if asked is not None and not isinstance(asked, bool):
            raise refused(asked, "atomic", "true or false")
        atomic = atomic or bool(asked)
    if not documents:
        raise ValidationError(INVALID_ARGUMENT, field="items", why="a batch has at least one item")
    if len(documents) > BATCH_MAX:
        raise ValidationError(BATCH_TOO_LARGE, field="items", commands=len(documents), commands_max=BATCH_MAX)
    return documents, atomic


def _read_lines(data: bytes) -> Iterator[Any]:
    for number, line in enumerate(data.split(b"\n"), 1):
        if line and not line.isspace():
            try:
                yield parse_json(line, field="body")
            except ValidationError as error:
                raise ValidationError(error.reason, **{**error.details, "line": number}) from error


def _commands(book: Book, documents: Sequence[Any], key: str | None) -> list[BatchItem]:
    """The commands; an asset that was registered meanwhile is looked up again."""
    known = book.known_currencies
    try:
        return _decoded(documents, key, book.read_currencies() if known is None else known)
    except ValidationError as error:
        if known is None or error.reason is not UNKNOWN_CURRENCY:
            raise
    return _decoded(documents, key, book.read_currencies())


def _decoded(documents: Sequence[Any], key: str | None, currencies: Currencies) -> list[BatchItem]:
    items: list[BatchItem] = []
    for document in documents:
        try:
            named = document if key is None else _named(document, f"{key}/{len(items)}")
            items.append(command_from(named, currencies))
        except ValidationError:
            with within(f"items[{len(items)}]"):
                raise
    return items


def _named(document: Any, key: str) -> Any:
    """A document under a name that follows from the batch's, unless it has one."""
    if not isinstance(document, Mapping) or document.get("id") is not None or document.get("key") is not None:
        return document
    group = document.get("group")
    if document.get("type") is None and isinstance(group, list):
        return {**document, "group": [_named(member, f"{key}/{index}") for index, member in enumerate(group)]}
    return {**document, "key": key}


def _raise_refusal(call: Call, outcomes: Sequence[Outcome]) -> None:
    """Raise why an atomic batch was refused: the reason of the command that broke it."""
    refusals = [
        (index, outcome)
        for index, item in enumerate(outcomes)
        for outcome in _each(item)
        if isinstance(outcome, Refused)
    ]
    if refusals:
        index, refusal = next((refusal for refusal in refusals if refusal[1].reason is not GROUP_REFUSED), refusals[0])
        call.refused_before = refusal.replayed
        raise error_for(refusal.reason, {**refusal.details, "index": index})


def _answer(call: Call, outcomes: Sequence[Outcome]) -> Answer:
    each = [outcome for item in outcomes for outcome in _each(item)]
    applied = [outcome for outcome in each if isinstance(outcome, Applied)]
    replayed = sum(outcome.replayed for outcome in applied)
    answer = success(
        {"outcomes": [outcome_document(outcome) for outcome in outcomes]},
        at=max((outcome.recorded_at for outcome in applied), default=call.began_at),
        metadata={"applied": len(applied) - replayed, "replayed": replayed, "refused": len(each) - len(applied)},
    )
    return answer.replayed if all(outcome.replayed for outcome in each) else answer


def _each(outcome: Outcome) -> Sequence[Applied | Refused]:
    return outcome.outcomes if isinstance(outcome, GroupOutcome) else (outcome,)
