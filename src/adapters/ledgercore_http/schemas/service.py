"""Health, metrics and the registry of problems in the document."""

from typing import Any, Final

from ledgercore.errors.catalog import CATALOG, EMAIL_ALREADY_EXISTS
from ledgercore.errors.category import Category
from ledgercore.errors.reason import Reason
from ledgercore_http.schemas.building import BOOLEAN, MOMENT, array, component, one_of, record, text, whole

TIME: Final = "2026-03-02T09:00:00+00:00"
STATE: Final = one_of(("ok", "warning", "error"))
_UPTIME: Final = whole("Seconds since the start of the process.", minimum=0)


def checks(*names: str) -> dict[str, Any]:
    """What was looked at, each ok, warning or error."""
    return record(dict.fromkeys(names, STATE))


HEALTH: Final = record({"status": {"const": "ok"}, "timestamp": MOMENT, "version": text(), "uptime": _UPTIME})
HEALTH_EXAMPLE: Final = {"status": "ok", "timestamp": TIME, "version": "1.0.0", "uptime": 86_400}


def detailed(status: str) -> dict[str, Any]:
    """Health with its checks."""
    return record({**HEALTH["properties"], "status": {"const": status}, "checks": checks("database", "memory", "disk")})


def detailed_example(status: str, disk: str) -> dict[str, Any]:
    """Health with its checks."""
    return {**HEALTH_EXAMPLE, "status": status, "checks": {"database": "ok", "memory": "ok", "disk": disk}}


def readiness(status: str) -> dict[str, Any]:
    """Whether requests can be served."""
    return record({"status": {"const": status}, "timestamp": MOMENT, "checks": checks("database", "application")})


def readiness_example(status: str, database: str) -> dict[str, Any]:
    """Whether requests can be served."""
    return {"status": status, "timestamp": TIME, "checks": {"database": database, "application": "ok"}}


LIVENESS: Final = record({"status": {"const": "alive"}, "timestamp": MOMENT, "uptime": _UPTIME})
LIVENESS_EXAMPLE: Final = {"status": "alive", "timestamp": TIME, "uptime": 86_400}
METRICS: Final = text("In the text format of Prometheus.")
METRICS_EXAMPLE: Final = "# HELP http_requests_total Requests.\n# TYPE http_requests_total counter\n"
METRICS_HEALTH: Final = record(
    {
        "status": one_of(("healthy", "unhealthy")),
        "service": text(),
        "timestamp": MOMENT,
        "prometheus": {"const": "enabled"},
        "checks": record({"database": STATE, "cache": text("`none`: nothing is cached between requests.")}),
    }
)
METRICS_HEALTH_EXAMPLE: Final = {
    "status": "healthy",
    "service": "ledgercore",
    "timestamp": TIME,
    "prometheus": "enabled",
    "checks": {"database": "ok", "cache": "none"},
}

ENTRY: Final = component(
    "ProblemType",
    record(
        {
            "code": one_of(CATALOG),
            "type": text(format="uri"),
            "status": whole(minimum=400, maximum=599),
            "title": text(),
            "category": one_of(Category),
            "retryable": BOOLEAN,
            "retry_delay_ms": whole(minimum=0),
            "max_retry_attempts": whole(minimum=0),
            "description": text("What to do about it."),
            "examples": array(text("The body of such an answer, as JSON text.")),
        },
        description="A reason for which requests are refused or fail.",
    ),
)
PROBLEMS: Final = record(
    {
        "problems": array(ENTRY),
        "categories": record({category.value: whole(minimum=0) for category in Category}),
    }
)
CATEGORY_METADATA: Final = record(
    {"category": one_of(Category), "total_errors": whole(minimum=0), "http_status": whole(minimum=400, maximum=599)}
)


def entry_document(reason: Reason, example: str) -> dict[str, Any]:
    """A reason as the registry tells it."""
    return {
        "code": reason.code,
        "type": reason.type_uri,
        "status": reason.http_status,
        "title": reason.title,
        "category": reason.category.value,
        "retryable": reason.retryable,
        "retry_delay_ms": reason.retry_delay_ms if reason.retryable else 0,
        "max_retry_attempts": reason.retries_max if reason.retryable else 0,
        "description": reason.description,
        "examples": [example],
    }


ENTRY_EXAMPLE: Final = entry_document(EMAIL_ALREADY_EXISTS, '{"code": "email_already_exists", "status": 409}')
