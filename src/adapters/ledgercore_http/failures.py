"""Failures: whatever went wrong becomes problem details (RFC 9457), and nothing of our insides leaves."""

from typing import Any, Final

import msgspec
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException

from ledgercore.clock import Clock
from ledgercore.errors import InternalError, LedgercoreError, NotFoundError, ValidationError, problem
from ledgercore.errors import retry_after_seconds as retry_after
from ledgercore.errors.catalog import (
    INTERNAL_SERVER_ERROR,
    MALFORMED_REQUEST,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
)
from ledgercore.errors.category import Category
from ledgercore_http.answers import Answer

PROBLEM_TYPE: Final = "application/problem+json"


def reason_of(error: BaseException) -> LedgercoreError:
    """An error of the catalog for anything that was raised."""
    if isinstance(error, LedgercoreError):
        return error
    if isinstance(error, MethodNotAllowedException):
        return ValidationError(METHOD_NOT_ALLOWED, allow=(error.headers or {}).get("allow", ""))
    if isinstance(error, NotFoundException):
        return NotFoundError(NOT_FOUND)
    if isinstance(error, HTTPException) and error.status_code < 500:
        return ValidationError(MALFORMED_REQUEST)
    return InternalError(INTERNAL_SERVER_ERROR)


def problem_answer(error: LedgercoreError, *, correlation_id: str, clock: Clock, why: str | None = None) -> Answer:
    """The answer that reports an error; `why` is what only a development server tells."""
    body: dict[str, Any] = problem(
        error, instance=f"req_{correlation_id}", correlation_id=correlation_id, timestamp=clock()
    )
    if why is not None:
        body["details"] = {"why": why}
    headers = {}
    if (seconds := retry_after(error)) is not None:
        headers["Retry-After"] = str(max(seconds, 1))
    if error.reason.category is Category.AUTHENTICATION:
        headers["WWW-Authenticate"] = f'Bearer error="invalid_token", error_description="{error.reason.title}"'
    if error.reason is METHOD_NOT_ALLOWED:
        headers["Allow"] = str(error.details["allow"])
    return Answer(
        body=msgspec.json.encode(body), status=error.reason.http_status, content_type=PROBLEM_TYPE, headers=headers
    )
