"""The audit log: who did what, for admins."""

from typing import Final

from ledgercore.errors import ValidationError, shortened
from ledgercore.errors.catalog import DATETIME_OUT_OF_RANGE, INVALID_CURSOR, INVALID_DATETIME_FORMAT, INVALID_FILTER
from ledgercore.identity.access import admin
from ledgercore.identity.audit import ACTIONS, AuditFilter
from ledgercore.identity.documents import audit_document
from ledgercore.identity.service_tokens import Scope
from ledgercore_http.answers import Answer, pagination
from ledgercore_http.call import Call
from ledgercore_http.parameters import CURSOR, LIMIT, moment_parameter, pattern_parameter
from ledgercore_http.routes import Parameter, Routes, Success
from ledgercore_http.schemas import administration as schemas
from ledgercore_http.schemas.building import array, one_of
from ledgercore_http.schemas.identity import USER_ID, done
from ledgercore_http.schemas.values import PAGINATION

ROUTES = Routes("audit", "What happened: an append-only log that is chained by its hashes.")
ACCESS: Final = admin(Scope.AUDIT_READ)
_NAME: Final = r"^[^\s\u0000-\u001f\u007f-\u009f]{1,300}$"


def _read_action(value: str, name: str) -> str:
    if value not in ACTIONS:
        raise ValidationError(INVALID_FILTER, field=name, value=shortened(value), allowed=list(ACTIONS))
    return value


ACTION: Final = Parameter(
    name="action", schema=one_of(ACTIONS), read=_read_action, description="What was done.", example="user_login"
)
ACTOR: Final = pattern_parameter("actor", _NAME, "Who did it.", example=f"user:{USER_ID}")
TARGET: Final = pattern_parameter("target", _NAME, "What it was done to.", example=f"user:{USER_ID}")
CORRELATION: Final = pattern_parameter("correlation_id", _NAME, "The request in which it was done.")
SINCE: Final = moment_parameter("since", "Not before this time.")
UNTIL: Final = moment_parameter("until", "Not after this time.")


@ROUTES.route(
    "GET",
    "/audit",
    access=ACCESS,
    query=(ACTION, ACTOR, TARGET, CORRELATION, SINCE, UNTIL, LIMIT, CURSOR),
    success=Success(
        schema=array(schemas.AUDIT_ENTRY),
        example=[schemas.AUDIT_ENTRY_EXAMPLE],
        metadata=done("listed", PAGINATION),
    ),
    reasons=(INVALID_FILTER, INVALID_CURSOR, INVALID_DATETIME_FORMAT, DATETIME_OUT_OF_RANGE),
)
def list_audit(call: Call) -> Answer:
    """List what happened, newest first."""
    limit = call.query["limit"]
    wanted = AuditFilter(
        **{name: call.query[name] for name in ("action", "actor", "target", "correlation_id", "since", "until")}
    )
    page = call.identity.audit.page(wanted, cursor=call.query["cursor"], limit=limit)
    return call.answer(
        [audit_document(entry) for entry in page.items], action="listed", pagination=pagination(page, limit)
    )


@ROUTES.route(
    "GET",
    "/audit/verification",
    access=ACCESS,
    success=Success(schema=schemas.AUDIT_VERIFIED, example=schemas.AUDIT_VERIFIED_EXAMPLE, metadata=done("verified")),
)
def verify_audit(call: Call) -> Answer:
    """Verify the whole log: whether anything was changed, moved or taken out since it was recorded."""
    broken = call.identity.audit.verify()
    return call.answer(
        {"sound": broken is None, "first_broken": None if broken is None else broken.log.batch}, action="verified"
    )
