"""Payments of users: asked for, tried, carried out, called off and taken back."""

from typing import Any, Final
from uuid import UUID

from ledgercore.errors.catalog import (
    ACCOUNT_FROZEN,
    ACCOUNT_INACTIVE,
    ACCOUNT_NOT_FOUND,
    ACCOUNT_SUSPENDED,
    ALREADY_PROCESSED,
    AMOUNT_EXCEEDS_LIMIT,
    BALANCE_OVERFLOW,
    DAILY_LIMIT_EXCEEDED,
    DATETIME_OUT_OF_RANGE,
    DUPLICATE_TRANSACTION,
    INSUFFICIENT_FUNDS,
    INVALID_AMOUNT_FORMAT,
    INVALID_DATETIME_FORMAT,
    INVALID_DESCRIPTION_FORMAT,
    INVALID_DIRECTION,
    INVALID_FILTER,
    INVALID_PAYMENT_TYPE,
    INVALID_STATUS,
    INVALID_UUID_FORMAT,
    NEGATIVE_AMOUNT,
    PAYMENT_NOT_COMPLETED,
    PAYMENT_NOT_FOUND,
    PERIOD_CLOSED,
    REVERSAL_EXCEEDS_REMAINDER,
    TOO_MUCH_CONTENTION,
    TRANSACTION_ALREADY_REVERSED,
    UNAUTHORIZED_ACCESS,
)
from ledgercore.identity.access import admin, bearer
from ledgercore.identity.normalizers import PAGE_SIZE, PAGE_SIZE_MAX, pagination_attrs
from ledgercore.identity.service_tokens import Scope
from ledgercore.ledger.documents import check_object
from ledgercore.payments.documents import (
    dry_run_document,
    payment_document,
    return_document,
    standing_document,
    stats_document,
)
from ledgercore.payments.normalizers import REQUIRED, payment_filter
from ledgercore.payments.payments import PaymentStatus, PaymentType
from ledgercore.statements.statements import Direction
from ledgercore_http.answers import Answer
from ledgercore_http.call import Call
from ledgercore_http.parameters import choice_parameter, path_id, read_id
from ledgercore_http.routes import Body, JsonSchema, Parameter, Routes, Success
from ledgercore_http.schemas import payments as schemas
from ledgercore_http.schemas.building import MOMENT, one_of, text, whole
from ledgercore_http.schemas.building import UUID as UUID_TEXT
from ledgercore_http.schemas.identity import done, or_blank, then

ROUTES = Routes("payments", "Payments from and to the bank accounts of users.")
READ: Final = bearer(Scope.PAYMENTS_READ)
WRITE: Final = bearer(Scope.PAYMENTS_WRITE)
FIELDS: Final = frozenset(REQUIRED)
EVERYBODY: Final = "all"

_MONEY_MOVES: Final = (PERIOD_CLOSED, BALANCE_OVERFLOW, TOO_MUCH_CONTENTION)
_FORM: Final = (
    INVALID_AMOUNT_FORMAT,
    INVALID_DIRECTION,
    INVALID_PAYMENT_TYPE,
    INVALID_DESCRIPTION_FORMAT,
    INVALID_UUID_FORMAT,
)
_ACCOUNT: Final = (ACCOUNT_INACTIVE, ACCOUNT_FROZEN, ACCOUNT_SUSPENDED)
_ONE: Final = (INVALID_UUID_FORMAT, PAYMENT_NOT_FOUND)


def _as_sent(name: str, schema: JsonSchema, description: str, **more: Any) -> Parameter:
    """A parameter that a normaliser reads."""
    return Parameter(name=name, schema=schema, read=lambda value, _: value, description=description, **more)


def _lenient(name: str, description: str, **bounds: Any) -> Parameter:
    """A whole number for which anything else counts as its default."""
    return _as_sent(name, {"anyOf": [whole(**bounds), text()]}, description)


def _read_whose(value: str, name: str) -> UUID | str:
    return EVERYBODY if value == EVERYBODY else read_id(value, name)


_AMOUNT: Final = text(pattern=r"^-?[0-9]{1,38}(\.[0-9]{1,18})?$")
FILTERS: Final = (
    _as_sent("status", or_blank(one_of(PaymentStatus)), "Only payments of this status."),
    _as_sent("direction", or_blank(one_of(Direction)), "Only payments in this direction."),
    _as_sent("payment_type", or_blank(one_of(PaymentType)), "Only payments of this type."),
    _as_sent("date_from", or_blank(MOMENT), "Not before this time: when it was posted or, before that, created.",
             example="2026-03-02T09:00:00+00:00"),
    _as_sent("date_to", or_blank(MOMENT), "Not after this time.", example="2026-03-03T09:00:00+00:00"),
    _as_sent("amount_min", or_blank(_AMOUNT), "Of at least so many units of its currency.", example="10"),
    _as_sent("amount_max", or_blank(_AMOUNT), "Of at most so many units of its currency.", example="99.99"),
)  # fmt: skip
PAGE: Final = (
    _lenient("page", "Which page; the first if it cannot be read.", minimum=1, default=1),
    _lenient(
        "page_size", "How many payments; the default if it cannot be read, and never above 100.",
        minimum=1, maximum=PAGE_SIZE_MAX, default=PAGE_SIZE,
    ),
)  # fmt: skip
MODE: Final = choice_parameter(
    "mode", ("sync", "async"), "Whether to wait until it is carried out, or to leave it to a worker.", default="sync"
)
WHOSE: Final = Parameter(
    name="user_id",
    schema={"anyOf": [UUID_TEXT, {"const": EVERYBODY}]},
    read=_read_whose,
    description="Whose figures, for admins: a user's, or `all`. One's own if left out.",
)


def _payment(action: str, example: Any = schemas.PAYMENT_EXAMPLE) -> Success:
    return Success(schema=schemas.PAYMENT, example=example, metadata=done(action))


@ROUTES.route(
    "POST",
    "/payments",
    access=WRITE,
    body=Body(schema=schemas.NEW_PAYMENT_ASKED, example=schemas.NEW_PAYMENT_EXAMPLE),
    success=Success(
        status=201,
        schema=schemas.PAYMENT,
        example=schemas.PAYMENT_EXAMPLE,
        metadata=done("created"),
        links={
            "get": then("get_payment", id="id"),
            "process": then("process_payment", id="id"),
            "cancel": then("cancel_payment", id="id"),
        },
    ),
    reasons=(
        *_FORM, *_ACCOUNT, ACCOUNT_NOT_FOUND, UNAUTHORIZED_ACCESS, NEGATIVE_AMOUNT, AMOUNT_EXCEEDS_LIMIT,
    ),
)  # fmt: skip
def create_payment(call: Call) -> Answer:
    """Ask for a payment from or to an account of one's own.

    Nothing moves before it is processed.
    """
    check_object(call.body, FIELDS)
    payment = call.bank.payments.creation.create(call.body, by=call.principal, actor=call.actor)
    return call.answer(payment_document(payment), action="created")


@ROUTES.route(
    "GET",
    "/payments",
    access=READ,
    query=(*PAGE, *FILTERS),
    success=Success(
        schema=schemas.PAYMENTS,
        example=[schemas.PAYMENT_EXAMPLE],
        metadata=done("listed", schemas.PAYMENT_PAGINATION),
    ),
    reasons=(
        INVALID_DIRECTION, INVALID_STATUS, INVALID_PAYMENT_TYPE, INVALID_DATETIME_FORMAT, DATETIME_OUT_OF_RANGE,
        INVALID_AMOUNT_FORMAT,
    ),
)  # fmt: skip
def list_payments(call: Call) -> Answer:
    """List one's own payments by page number, newest first."""
    by = call.principal
    page = call.bank.payments.reading.page(
        payment_filter(call.query, user_id=by.user_id), by=by, **pagination_attrs(call.query)
    )
    pagination = {
        "page": page.page,
        "page_size": page.page_size,
        "total_count": page.total_count,
        "total_pages": page.total_pages,
        "has_next": page.has_next,
        "has_prev": page.has_prev,
    }
    return call.answer([payment_document(each) for each in page.items], action="listed", pagination=pagination)


@ROUTES.route(
    "GET",
    "/payments/stats",
    access=READ,
    query=(WHOSE,),
    success=Success(schema=schemas.STATS, example=schemas.STATS_EXAMPLE, metadata=done("stats_retrieved")),
    reasons=(INVALID_UUID_FORMAT,),
)
def get_payment_stats(call: Call) -> Answer:
    """Tell how one stands: accounts, what is left of today's limits, and the last ten payments.

    Admins may ask for another user, or for all together.
    """
    asked = call.query["user_id"]
    user_id = call.principal.user_id if asked is None else None if asked == EVERYBODY else asked
    stats = call.bank.payments.reading.stats(user_id, by=call.principal)
    return call.answer(stats_document(stats), action="stats_retrieved")


@ROUTES.route(
    "POST",
    "/payments/validate",
    access=READ,
    body=Body(schema=schemas.PAYMENT_TRIED, example=schemas.NEW_PAYMENT_EXAMPLE),
    success=Success(schema=schemas.DRY_RUN, example=schemas.DRY_RUN_EXAMPLE, metadata=done("validated")),
    reasons=(*_FORM, ACCOUNT_NOT_FOUND),
)
def validate_payment(call: Call) -> Answer:
    """Tell what would become of a payment that is created and processed now; nothing is stored."""
    check_object(call.body, FIELDS)
    found = call.bank.payments.dry_runs.try_(call.body, by=call.principal)
    return call.answer(dry_run_document(found), action="validated")


@ROUTES.route("GET", "/payments/{id}", access=READ, success=_payment("retrieved"), reasons=_ONE)
def get_payment(call: Call) -> Answer:
    """Show a payment of one's own; admins and support see any."""
    payment = call.bank.payments.reading.get(path_id(call.path["id"]), by=call.principal)
    return call.answer(payment_document(payment), action="retrieved")


@ROUTES.route(
    "GET",
    "/payments/{id}/status",
    access=READ,
    success=Success(schema=schemas.STANDING, example=schemas.STANDING_EXAMPLE, metadata=done("status_retrieved")),
    reasons=_ONE,
)
def get_payment_status(call: Call) -> Answer:
    """Show a payment, whether one may process it, and whether one that looks alike was completed a moment ago."""
    standing = call.bank.payments.reading.standing(path_id(call.path["id"]), by=call.principal)
    return call.answer(standing_document(standing), action="status_retrieved")


@ROUTES.route(
    "POST",
    "/payments/{id}/process",
    access=WRITE,
    query=(MODE,),
    success=_payment("processed", schemas.COMPLETED_EXAMPLE),
    reasons=(
        *_ONE, *_ACCOUNT, INVALID_FILTER, ALREADY_PROCESSED, DUPLICATE_TRANSACTION, INSUFFICIENT_FUNDS,
        DAILY_LIMIT_EXCEEDED, AMOUNT_EXCEEDS_LIMIT, *_MONEY_MOVES,
    ),
)  # fmt: skip
def process_payment(call: Call) -> Answer:
    """Carry a payment out; it is COMPLETED then, or refused and still PENDING.

    With `mode=async` it is PROCESSING, until a worker completes it, or makes it FAILED.
    """
    id, processing = path_id(call.path["id"]), call.bank.payments.processing
    carry_out = processing.schedule if call.query["mode"] == "async" else processing.process
    return call.answer(payment_document(carry_out(id, by=call.principal, actor=call.actor)), action="processed")


@ROUTES.route(
    "POST",
    "/payments/{id}/return",
    access=admin(Scope.PAYMENTS_WRITE),
    body=Body(schema=schemas.RETURN_ASKED, example=schemas.RETURN_EXAMPLE, optional=True),
    success=Success(status=201, schema=schemas.RETURN, example=schemas.RETURNED_EXAMPLE, metadata=done("returned")),
    reasons=(
        *_ONE, PAYMENT_NOT_COMPLETED, ACCOUNT_INACTIVE, ACCOUNT_FROZEN, INVALID_AMOUNT_FORMAT, NEGATIVE_AMOUNT,
        INSUFFICIENT_FUNDS, REVERSAL_EXCEEDS_REMAINDER, TRANSACTION_ALREADY_REVERSED, *_MONEY_MOVES,
    ),
)  # fmt: skip
def return_payment(call: Call) -> Answer:
    """Give back what is left of a completed payment, or an amount of it.

    The payment stays as it is; a transaction of its own reverses the payment's.
    """
    check_object(call.body, frozenset({"amount"}))
    returned = call.bank.payments.returns.return_(
        path_id(call.path["id"]), call.body.get("amount"), by=call.principal, actor=call.actor
    )
    return call.answer(return_document(returned), action="returned")


@ROUTES.route(
    "DELETE",
    "/payments/{id}",
    access=WRITE,
    success=_payment("cancelled", schemas.CANCELLED_EXAMPLE),
    reasons=(*_ONE, ALREADY_PROCESSED),
)
def cancel_payment(call: Call) -> Answer:
    """Call off a payment that is still PENDING."""
    payment = call.bank.payments.cancellation.cancel(path_id(call.path["id"]), by=call.principal, actor=call.actor)
    return call.answer(payment_document(payment), action="cancelled")
