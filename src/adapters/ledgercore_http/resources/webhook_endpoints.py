"""Webhook endpoints: addresses that a user's events, or the records of a ledger, are delivered to."""

from typing import Any, Final

from ledgercore.errors import ValidationError
from ledgercore.errors.catalog import (
    DELIVERY_NOT_FOUND,
    FORBIDDEN_ADDRESS,
    INVALID_ARGUMENT,
    INVALID_CURSOR,
    INVALID_EVENT_TYPE,
    INVALID_FILTER,
    INVALID_LEDGER_NAME,
    INVALID_UUID_FORMAT,
    LEDGER_NOT_FOUND,
    MISSING_FIELDS,
    WEBHOOK_NOT_FOUND,
)
from ledgercore.events.documents import delivery_document, new_webhook_document, webhook_document
from ledgercore.events.webhooks import EndpointStatus
from ledgercore.identity.access import bearer
from ledgercore.identity.service_tokens import Scope
from ledgercore.ledger.documents import check_object, refused, whole_from
from ledgercore_http.answers import Answer
from ledgercore_http.call import Call
from ledgercore_http.parameters import CURSOR, LIMIT, path_id
from ledgercore_http.routes import Body, Routes, Success
from ledgercore_http.schemas import webhooks as schemas
from ledgercore_http.schemas.building import array
from ledgercore_http.schemas.identity import done
from ledgercore_http.schemas.values import PAGED

ROUTES = Routes("webhooks", "Webhooks: what happened, delivered to an address of yours and signed.")
ACCESS: Final = bearer(Scope.WEBHOOKS_WRITE)
_ASKED: Final = frozenset({"url", "types", "ledger"})
_CHANGES: Final = frozenset({"url", "types", "status"})
_STATUSES: Final = tuple(status.value for status in EndpointStatus)


@ROUTES.route(
    "POST",
    "/webhook-endpoints",
    access=ACCESS,
    body=Body(schema=schemas.WEBHOOK_ASKED, example=schemas.WEBHOOK_ASKED_EXAMPLE),
    success=Success(
        status=201, schema=schemas.NEW_WEBHOOK, example=schemas.NEW_WEBHOOK_EXAMPLE, metadata=done("created")
    ),
    reasons=(INVALID_ARGUMENT, FORBIDDEN_ADDRESS, INVALID_EVENT_TYPE, INVALID_LEDGER_NAME, LEDGER_NOT_FOUND),
)
def create_webhook(call: Call) -> Answer:
    """Add a webhook.

    Your events from now on are delivered to it, or the records of a ledger that you may read. Its secret is in this
    answer and never shown again.
    """
    document = call.body
    check_object(document, _ASKED, required=("url",))
    new = call.bank.webhooks.create(
        by=call.principal,
        url=_text(document["url"], "url"),
        types=_types(document.get("types")) or (),
        ledger=None if document.get("ledger") is None else _text(document["ledger"], "ledger"),
        actor=call.actor,
    )
    return call.answer(new_webhook_document(new), action="created")


@ROUTES.route(
    "GET",
    "/webhook-endpoints",
    access=ACCESS,
    query=(LIMIT, CURSOR),
    success=Success(schema=array(schemas.WEBHOOK), example=[schemas.WEBHOOK_EXAMPLE], metadata=PAGED),
    reasons=(INVALID_FILTER, INVALID_CURSOR),
)
def list_webhooks(call: Call) -> Answer:
    """List your webhooks."""
    limit = call.query["limit"]
    return call.page(
        call.bank.webhooks.page(by=call.principal, cursor=call.query["cursor"], limit=limit), webhook_document
    )


@ROUTES.route(
    "GET",
    "/webhook-endpoints/{id}",
    access=ACCESS,
    success=Success(schema=schemas.WEBHOOK, example=schemas.WEBHOOK_EXAMPLE),
    reasons=(INVALID_UUID_FORMAT, WEBHOOK_NOT_FOUND),
)
def get_webhook(call: Call) -> Answer:
    """Get a webhook."""
    return call.answer(webhook_document(call.bank.webhooks.get(path_id(call.path["id"]), by=call.principal)))


@ROUTES.route(
    "PATCH",
    "/webhook-endpoints/{id}",
    access=ACCESS,
    body=Body(schema=schemas.WEBHOOK_CHANGE, example=schemas.WEBHOOK_CHANGE_EXAMPLE),
    success=Success(schema=schemas.WEBHOOK, example=schemas.WEBHOOK_EXAMPLE, metadata=done("changed")),
    reasons=(
        INVALID_UUID_FORMAT,
        INVALID_ARGUMENT,
        FORBIDDEN_ADDRESS,
        INVALID_EVENT_TYPE,
        WEBHOOK_NOT_FOUND,
        LEDGER_NOT_FOUND,
    ),
)
def change_webhook(call: Call) -> Answer:
    """Change a webhook, disable it, or enable it again.

    What happens while it is disabled is delivered once it is enabled.
    """
    document = call.body
    check_object(document, _CHANGES)
    url, status = document.get("url"), document.get("status")
    if all(document.get(name) is None for name in _CHANGES):
        raise ValidationError(MISSING_FIELDS, field="url", fields=sorted(_CHANGES), why="at least one is needed")
    if status is not None and status not in _STATUSES:
        raise refused(status, "status", " or ".join(_STATUSES))
    endpoint = call.bank.webhooks.change(
        path_id(call.path["id"]),
        by=call.principal,
        url=None if url is None else _text(url, "url"),
        types=_types(document.get("types")),
        active=None if status is None else status == EndpointStatus.ACTIVE,
        actor=call.actor,
    )
    return call.answer(webhook_document(endpoint), action="changed")


@ROUTES.route(
    "DELETE",
    "/webhook-endpoints/{id}",
    access=ACCESS,
    success=Success(schema=schemas.WEBHOOK, example=schemas.WEBHOOK_EXAMPLE, metadata=done("removed")),
    reasons=(INVALID_UUID_FORMAT, WEBHOOK_NOT_FOUND),
)
def remove_webhook(call: Call) -> Answer:
    """Remove a webhook with its delivery log."""
    endpoint = call.bank.webhooks.remove(path_id(call.path["id"]), by=call.principal, actor=call.actor)
    return call.answer(webhook_document(endpoint), action="removed")


@ROUTES.route(
    "POST",
    "/webhook-endpoints/{id}/rotate",
    access=ACCESS,
    success=Success(schema=schemas.NEW_WEBHOOK, example=schemas.NEW_WEBHOOK_EXAMPLE, metadata=done("rotated")),
    reasons=(INVALID_UUID_FORMAT, WEBHOOK_NOT_FOUND),
)
def rotate_webhook_secret(call: Call) -> Answer:
    """Give a webhook a new secret.

    It is in this answer and never shown again. For a day deliveries carry signatures by both, the new and the old.
    """
    new = call.bank.webhooks.rotate(path_id(call.path["id"]), by=call.principal, actor=call.actor)
    return call.answer(new_webhook_document(new), action="rotated")


@ROUTES.route(
    "GET",
    "/webhook-endpoints/{id}/deliveries",
    access=ACCESS,
    query=(LIMIT, CURSOR),
    success=Success(schema=array(schemas.DELIVERY), example=[schemas.DELIVERY_EXAMPLE], metadata=PAGED),
    reasons=(INVALID_UUID_FORMAT, INVALID_FILTER, INVALID_CURSOR, WEBHOOK_NOT_FOUND),
)
def list_deliveries(call: Call) -> Answer:
    """List what was delivered, newest first, with every attempt."""
    limit = call.query["limit"]
    found = call.bank.webhooks.deliveries(
        path_id(call.path["id"]), by=call.principal, cursor=call.query["cursor"], limit=limit
    )
    return call.page(found, delivery_document)


@ROUTES.route(
    "POST",
    "/webhook-endpoints/{id}/deliveries/{delivery_id}/redeliver",
    access=ACCESS,
    success=Success(
        status=202, schema=schemas.DELIVERY, example=schemas.DELIVERY_EXAMPLE, metadata=done("redelivered")
    ),
    reasons=(INVALID_UUID_FORMAT, WEBHOOK_NOT_FOUND, DELIVERY_NOT_FOUND),
)
def redeliver(call: Call) -> Answer:
    """Send one delivery again, under the id that it had."""
    id, delivery_id = path_id(call.path["id"]), path_id(call.path["delivery_id"], "delivery_id")
    delivery = call.bank.webhooks.redeliver(id, delivery_id, by=call.principal, actor=call.actor)
    return call.answer(delivery_document(delivery), action="redelivered")


@ROUTES.route(
    "POST",
    "/webhook-endpoints/{id}/replay",
    access=ACCESS,
    body=Body(schema=schemas.REPLAY, example=schemas.REPLAY_EXAMPLE),
    success=Success(status=202, schema=schemas.WEBHOOK, example=schemas.WEBHOOK_EXAMPLE, metadata=done("replayed")),
    reasons=(INVALID_UUID_FORMAT, INVALID_ARGUMENT, WEBHOOK_NOT_FOUND),
)
def replay_webhook(call: Call) -> Answer:
    """Deliver everything again from the event of a number on, under the ids that they had."""
    check_object(call.body, frozenset({"from_number"}), required=("from_number",))
    number = whole_from(call.body["from_number"], field="from_number")
    assert number is not None
    endpoint = call.bank.webhooks.replay(path_id(call.path["id"]), number, by=call.principal, actor=call.actor)
    return call.answer(webhook_document(endpoint), action="replayed")


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str) or not value:
        raise refused(value, field, "a text")
    return value


def _types(value: Any) -> list[Any] | None:
    if value is None or isinstance(value, list):
        return value
    raise refused(value, "types", "a JSON array of texts")
