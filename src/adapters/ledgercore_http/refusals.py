"""Refusals that the audit log keeps: who was not let in, may not do what was asked, or asked too often."""

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from ledgercore.errors import LedgercoreError
from ledgercore.errors.catalog import INVALID_JSON, RATE_LIMIT_EXCEEDED
from ledgercore.errors.category import Category
from ledgercore.identity.audit import AuditEvent
from ledgercore_http.ports import Service

if TYPE_CHECKING:
    from ledgercore_http.call import Call

ONCE_IN_SECONDS: Final = 60.0
REMEMBERED_MAX: Final = 10_000
_BY_CATEGORY: Final = {
    Category.AUTHENTICATION: "authentication_failure",
    Category.AUTHORIZATION: "authorization_failure",
}
_BY_REASON: Final = {RATE_LIMIT_EXCEEDED.code: "rate_limit_exceeded", INVALID_JSON.code: "malformed_json_request"}
_NOISY: Final = frozenset({"rate_limit_exceeded", "malformed_json_request"})


class Refusals:
    """Writes them down; what one client can repeat without end, once a minute for each client."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._noted: OrderedDict[tuple[str, str], float] = OrderedDict()

    async def note(self, call: "Call", error: LedgercoreError) -> None:
        """Record a refusal, if it is one of these; a database that is away does not hide it."""
        action = _BY_REASON.get(error.code) or _BY_CATEGORY.get(error.reason.category)
        if action is None or (action in _NOISY and self._was_noted(action, call.actor_scope)):
            return
        event = AuditEvent(
            action=action,
            actor=call.actor,
            target=call.request.scope["state"].get("target"),
            details={"reason": error.code, "method": call.route.method, "route": call.route.path},
        )
        try:
            await call.in_thread(self._service.identity.audit.record, event)
        except LedgercoreError as failure:
            self._service.telemetry.request_broke(failure, correlation_id=call.correlation_id)

    def _was_noted(self, action: str, who: str) -> bool:
        now = time.monotonic()
        before = self._noted.get((action, who))
        if before is not None and now - before < ONCE_IN_SECONDS:
            return True
        self._noted[action, who] = now
        self._noted.move_to_end((action, who))
        if len(self._noted) > REMEMBERED_MAX:
            self._noted.popitem(last=False)
        return False
