"""The body of an error response: problem details of RFC 9457."""

from datetime import datetime

from ledgercore.errors.category import Category
from ledgercore.errors.details import JsonValue
from ledgercore.errors.exceptions import LedgercoreError

_MS_PER_SECOND = 1000


def problem(
    error: LedgercoreError, *, instance: str, correlation_id: str | None, timestamp: datetime
) -> dict[str, JsonValue]:
    """Describe an error as RFC 9457 problem details (`application/problem+json`).

    `instance` names this occurrence (`req_…`) and `timestamp` is when it happened. `retry_after_ms`
    and `max_retry_attempts` appear only when trying again makes sense. What went wrong inside us
    stays in the log: a system error shows its title and no details.
    """
    reason = error.reason
    is_internal = reason.category is Category.SYSTEM
    body: dict[str, JsonValue] = {
        "type": reason.type_uri,
        "title": reason.title,
        "status": reason.http_status,
        "detail": reason.title if is_internal else str(error),
        "instance": instance,
        "code": reason.code,
        "reason": reason.code,
        "category": reason.category.value,
        "retryable": reason.retryable,
        "details": {} if is_internal else dict(error.details),
        "timestamp": timestamp.isoformat(),
    }
    if correlation_id is not None:
        body["correlation_id"] = correlation_id
    if reason.retryable:
        body["retry_after_ms"] = _retry_after_ms(error)
        body["max_retry_attempts"] = reason.retries_max
    return body


def retry_after_seconds(error: LedgercoreError) -> int | None:
    """The `Retry-After` header of RFC 9110: whole seconds rounded up, or `None` for no header."""
    return -(-_retry_after_ms(error) // _MS_PER_SECOND) if error.retryable else None


def _retry_after_ms(error: LedgercoreError) -> int:
    """The wait that the raiser worked out (a rate limit knows it exactly), else that of the reason."""
    known = error.details.get("retry_after_ms")
    return known if isinstance(known, int) else error.reason.retry_delay_ms
