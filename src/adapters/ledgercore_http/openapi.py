"""The OpenAPI 3.1 document, made from the table of routes and the catalog of errors."""

import inspect
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from ledgercore.errors import error_for, problem
from ledgercore.errors.catalog import (
    CATALOG,
    COMMIT_OUTCOME_UNKNOWN,
    DATABASE_UNAVAILABLE,
    FORBIDDEN,
    IDEMPOTENCY_KEY_REUSED,
    INSUFFICIENT_PERMISSIONS,
    INTERNAL_SERVER_ERROR,
    INVALID_ARGUMENT,
    INVALID_AUDIENCE,
    INVALID_ENCODING,
    INVALID_IDEMPOTENCY_KEY,
    INVALID_ISSUER,
    INVALID_JSON,
    INVALID_TOKEN,
    INVALID_TOKEN_TYPE,
    LEDGER_NOT_FOUND,
    MISSING_FIELDS,
    MISSING_REQUIRED_CLAIMS,
    PAYLOAD_TOO_LARGE,
    RATE_LIMIT_EXCEEDED,
    REQUEST_HEADER_FIELDS_TOO_LARGE,
    REQUEST_TIMEOUT,
    SERVICE_OVERLOADED,
    TIMEOUT,
    TOKEN_EXPIRED,
    TOKEN_NOT_YET_VALID,
    TOKEN_REVOKED,
    UNKNOWN_FIELDS,
    UNSUPPORTED_API_VERSION,
    UNSUPPORTED_MEDIA_TYPE,
    URI_TOO_LONG,
)
from ledgercore.errors.category import Category
from ledgercore.errors.reason import Reason
from ledgercore.identity.access import PUBLIC
from ledgercore_http.failures import PROBLEM_TYPE
from ledgercore_http.routes import JSON, Parameter, Route, Routes
from ledgercore_http.schemas.building import (
    ANY_OBJECT,
    BOOLEAN,
    COMPONENTS,
    MOMENT,
    component,
    one_of,
    record,
    text,
    whole,
)

EXAMPLE_TIME: Final = "2026-03-02T09:00:00+00:00"
EXAMPLE_CORRELATION: Final = "4f0c1bd5a7e84d31b7a50c1f6f3ad2a1"
_PATH_PARAMETER: Final = re.compile(r"\{(\w+)\}")

PATH_PARAMETERS: Final[dict[str, tuple[Any, str, str]]] = {
    "ledger": (text(pattern="^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"), "The ledger's name.", "shop"),
    "path": (
        text(pattern=r"^[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+){0,15}$", maxLength=255),
        "The account's path.",
        "assets:bank",
    ),
    "id": (text(format="uuid"), "The id.", "01970000-0000-7000-8000-000000000001"),
    "user_id": (text(format="uuid"), "The user's id.", "01970000-0000-7000-8000-000000000002"),
    "delivery_id": (text(format="uuid"), "The delivery's id.", "01970000-0000-7000-8000-000000000022"),
    "number": (text(pattern="^[0-9]{1,18}$"), "The record's number in the log.", "2"),
    "group": (text(minLength=1, maxLength=255), "The name that the holds share.", "order-17"),
    "reason": (one_of(CATALOG), "The code of a reason.", "hold_expired"),
    "category": (one_of(Category), "A category of reasons.", "conflict"),
}

PROBLEM: Final = component(
    "Problem",
    record(
        {
            "type": text("The address that names the reason.", format="uri"),
            "title": text(),
            "status": whole(minimum=400, maximum=599),
            "detail": text(),
            "instance": text("This occurrence."),
            "code": text("The same as `reason`."),
            "reason": one_of(CATALOG),
            "category": one_of(Category),
            "retryable": BOOLEAN,
            "details": ANY_OBJECT,
            "timestamp": MOMENT,
        },
        {
            "correlation_id": text(),
            "retry_after_ms": whole(minimum=0),
            "max_retry_attempts": whole(minimum=0),
        },
        description="Problem details (RFC 9457).",
    ),
)
_HEADERS: Final = {
    "X-Correlation-Id": {"schema": {"type": "string"}, "description": "The request's name, yours or ours."},
}
_RATE_HEADERS: Final = {
    "X-RateLimit-Limit": {"schema": {"type": "integer"}, "description": "How many requests fit at once."},
    "X-RateLimit-Remaining": {"schema": {"type": "integer"}, "description": "How many more may follow at once."},
    "X-RateLimit-Reset": {"schema": {"type": "integer"}, "description": "When all fit again, in Unix seconds."},
}


def openapi_document(tables: Sequence[Routes], *, version: str, public_url: str) -> dict[str, Any]:
    """The whole document: every route with its examples and every problem that it may answer with."""
    paths: dict[str, dict[str, Any]] = {}
    told: dict[Reason, None] = {}
    for table in tables:
        for route in table.table:
            told |= dict.fromkeys(reasons_of_route(route))
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ledgercore",
            "version": version,
            "description": "A double-entry ledger with holds, limits, idempotency and proofs, and who may use it.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{"url": f"{public_url}/api/v1"}, {"url": f"{public_url}/api"}],
        "tags": [{"name": table.tag, "description": table.description} for table in tables],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(COMPONENTS.items())),
            "examples": {reason.code: {"summary": reason.title, "value": example_problem(reason)} for reason in told},
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access token from `POST /auth/login`, or a service token (`lc_…`).",
                }
            },
        },
    }


def reasons_of_route(route: Route) -> list[Reason]:
    """Every reason that a route may answer with: its own, and those of what it does on the way."""
    reasons = [*route.reasons, UNSUPPORTED_API_VERSION, URI_TOO_LONG, REQUEST_HEADER_FIELDS_TOO_LARGE]
    # Any request may carry a body, whether or not the route reads it.
    reasons += [PAYLOAD_TOO_LARGE, REQUEST_TIMEOUT, UNKNOWN_FIELDS, INTERNAL_SERVER_ERROR, TIMEOUT]
    if route.access is not PUBLIC:
        reasons += [
            INVALID_TOKEN,
            TOKEN_EXPIRED,
            TOKEN_REVOKED,
            INVALID_TOKEN_TYPE,
            MISSING_REQUIRED_CLAIMS,
            INVALID_ISSUER,
            INVALID_AUDIENCE,
            TOKEN_NOT_YET_VALID,
            INSUFFICIENT_PERMISSIONS,
            FORBIDDEN,
        ]
    if route.access.ledger is not None:
        reasons.append(LEDGER_NOT_FOUND)
    if not route.unlimited:
        reasons += [RATE_LIMIT_EXCEEDED, SERVICE_OVERLOADED, DATABASE_UNAVAILABLE]
    if route.method != "GET":
        reasons.append(COMMIT_OUTCOME_UNKNOWN)
    if route.query:
        reasons.append(INVALID_ARGUMENT)
    if route.body is not None:
        reasons += [INVALID_JSON, INVALID_ENCODING, MISSING_FIELDS, UNSUPPORTED_MEDIA_TYPE]
    if any(parameter.required for parameter in route.query):
        reasons.append(MISSING_FIELDS)
    if route.takes_key:
        reasons += [INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_REUSED]
    return list(dict.fromkeys(reasons))


def _operation(route: Route) -> dict[str, Any]:
    summary, _, description = inspect.cleandoc(route.handler.__doc__ or "").partition("\n\n")
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": summary.rstrip("."),
        "parameters": [*_path_parameters(route), *map(_query_parameter, route.query), *_header_parameters(route)],
        "responses": _responses(route),
        "security": [] if route.access is PUBLIC else [{"bearer": []}],
    }
    if description:
        operation["description"] = description
    if route.body is not None:
        operation["requestBody"] = {
            "required": not route.body.optional,
            "content": {
                content_type: {"schema": route.body.schema, "example": route.body.example}
                # What is no JSON at all is described by the schema too; beside JSON, another form has no schema.
                if content_type == JSON or JSON not in route.body.content_types
                else {"schema": {"type": "string"}}
                for content_type in route.body.content_types
            },
        }
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    found = []
    for name in _PATH_PARAMETER.findall(route.path):
        schema, description, example = PATH_PARAMETERS[name]
        found.append(
            {
                "name": name, "in": "path", "required": True,
                "schema": schema, "description": description, "example": example,
            }
        )  # fmt: skip
    return found


def _query_parameter(parameter: Parameter) -> dict[str, Any]:
    found = {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "schema": parameter.schema,
        "description": parameter.description,
    }
    if parameter.example is not None:
        found["example"] = parameter.example
    return found


def _header_parameters(route: Route) -> list[dict[str, Any]]:
    if not route.takes_key:
        return []
    kept = "for ever, in its ledger" if route.named_by_key else "for 24 hours"
    return [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": text(minLength=1, maxLength=255, pattern="^[!-~]([ -~]*[!-~])?$"),
            "description": f"Your name for this intent. A repeat with the same body gets the same answer; kept {kept}.",
            "example": "order-17",
        }
    ]


def _responses(route: Route) -> dict[str, Any]:
    responses = {str(route.success.status): _success(route), **_problems(reasons_of_route(route))}
    unwell = route.success.unwell
    if unwell is not None:
        responses[str(unwell.status)]["content"][unwell.content_type] = {
            "schema": unwell.schema,
            "example": unwell.example,
        }
    return responses


def _success(route: Route) -> dict[str, Any]:
    success = route.success
    content: dict[str, Any] = {"schema": success.schema, "example": success.example}
    if not success.raw:
        properties = {"data": success.schema, "success": {"const": True}, "timestamp": MOMENT}
        optional = {"message": text()}
        example = {"data": success.example, "success": True, "timestamp": EXAMPLE_TIME}
        if success.metadata is not None:
            optional["metadata"] = dict(success.metadata)
        content = {"schema": record(properties, optional), "example": example}
    response: dict[str, Any] = {
        "description": "Done.",
        "headers": {**_HEADERS, **({} if route.unlimited else _RATE_HEADERS), **_replay_header(route)},
        "content": {success.content_type: content},
    }
    if success.links:
        response["links"] = dict(success.links)
    return response


def _replay_header(route: Route) -> dict[str, Any]:
    if not route.takes_key:
        return {}
    return {
        "Idempotency-Replayed": {
            "schema": {"type": "string", "enum": ["true"]},
            "description": "Present when this is the answer to an earlier request under the same key.",
        }
    }


def _problems(reasons: Iterable[Reason]) -> dict[str, Any]:
    by_status: dict[int, list[Reason]] = {}
    for reason in reasons:
        by_status.setdefault(reason.http_status, []).append(reason)
    return {str(status): _problem_response(found) for status, found in sorted(by_status.items())}


def _problem_response(reasons: Sequence[Reason]) -> dict[str, Any]:
    headers: dict[str, Any] = dict(_HEADERS)
    if any(reason.retryable for reason in reasons):
        headers["Retry-After"] = {"schema": {"type": "integer"}, "description": "Whole seconds to wait."}
    if reasons[0].category is Category.AUTHENTICATION:
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}, "description": "RFC 6750."}
    return {
        "description": "; ".join(f"`{reason.code}`: {reason.title}" for reason in reasons),
        "headers": headers,
        "content": {
            PROBLEM_TYPE: {
                "schema": PROBLEM,
                "examples": {reason.code: {"$ref": f"#/components/examples/{reason.code}"} for reason in reasons},
            }
        },
    }


def example_problem(reason: Reason) -> dict[str, Any]:
    """What an answer with a reason looks like."""
    return problem(
        error_for(reason),
        instance=f"req_{EXAMPLE_CORRELATION}",
        correlation_id=EXAMPLE_CORRELATION,
        timestamp=datetime.fromisoformat(EXAMPLE_TIME),
    )
