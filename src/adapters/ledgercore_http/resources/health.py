"""Health and metrics: what orchestrators and operators ask; nothing of it counts for a rate limit."""

import time
from collections.abc import Mapping
from typing import Final

from ledgercore.identity.access import PUBLIC
from ledgercore_http.answers import Answer, bare
from ledgercore_http.call import Call
from ledgercore_http.routes import Routes, Success
from ledgercore_http.schemas import service as schemas

ROUTES = Routes("health", "Whether the service is well; unlimited.")
METRICS_TYPE: Final = "text/plain; version=0.0.4"
ERROR: Final = "error"
_STARTED: Final = time.monotonic()


@ROUTES.route(
    "GET",
    "/health",
    access=PUBLIC,
    success=Success(schema=schemas.HEALTH, example=schemas.HEALTH_EXAMPLE, raw=True),
    unlimited=True,
)
async def health(call: Call) -> Answer:
    """Say that the process answers, and which version it is."""
    return bare({"status": "ok", "timestamp": _now(call), "version": call.service.version, "uptime": _uptime()})


@ROUTES.route(
    "GET",
    "/health/detailed",
    access=PUBLIC,
    success=Success(
        schema=schemas.detailed("ok"),
        example=schemas.detailed_example("ok", disk="ok"),
        raw=True,
        unwell=Success(
            status=503, schema=schemas.detailed("degraded"), example=schemas.detailed_example("degraded", disk=ERROR)
        ),
    ),
    unlimited=True,
)
def health_detailed(call: Call) -> Answer:
    """Look at the database, memory and disk; a warning is not yet an error."""
    checks = call.service.probe.detailed()
    status, http_status = _judged(checks, well="ok", unwell="degraded")
    document = {
        "status": status,
        "timestamp": _now(call),
        "version": call.service.version,
        "uptime": _uptime(),
        "checks": checks,
    }
    return bare(document, status=http_status)


@ROUTES.route(
    "GET",
    "/health/ready",
    access=PUBLIC,
    success=Success(
        schema=schemas.readiness("ready"),
        example=schemas.readiness_example("ready", database="ok"),
        raw=True,
        unwell=Success(
            status=503,
            schema=schemas.readiness("not_ready"),
            example=schemas.readiness_example("not_ready", database=ERROR),
        ),
    ),
    unlimited=True,
)
def health_ready(call: Call) -> Answer:
    """Say whether requests can be served: the database is there, with the schema of this version."""
    checks = call.service.probe.ready()
    status, http_status = _judged(checks, well="ready", unwell="not_ready")
    return bare({"status": status, "timestamp": _now(call), "checks": checks}, status=http_status)


@ROUTES.route(
    "GET",
    "/health/live",
    access=PUBLIC,
    success=Success(schema=schemas.LIVENESS, example=schemas.LIVENESS_EXAMPLE, raw=True),
    unlimited=True,
)
async def health_live(call: Call) -> Answer:
    """Say that the process lives, whatever the database does."""
    return bare({"status": "alive", "timestamp": _now(call), "uptime": _uptime()})


@ROUTES.route(
    "GET",
    "/metrics",
    access=PUBLIC,
    success=Success(schema=schemas.METRICS, example=schemas.METRICS_EXAMPLE, raw=True, content_type="text/plain"),
    unlimited=True,
)
def metrics(call: Call) -> Answer:
    """Show the metrics of this process as Prometheus reads them."""
    return Answer(body=call.service.render_metrics(), content_type=METRICS_TYPE)


@ROUTES.route(
    "GET",
    "/metrics/health",
    access=PUBLIC,
    success=Success(schema=schemas.METRICS_HEALTH, example=schemas.METRICS_HEALTH_EXAMPLE),
    unlimited=True,
)
def metrics_health(call: Call) -> Answer:
    """Say whether what the metrics are about is well."""
    database = call.service.probe.ready()["database"]
    return call.answer(
        {
            "status": "unhealthy" if database == ERROR else "healthy",
            "service": "ledgercore",
            "timestamp": _now(call),
            "prometheus": "enabled",
            "checks": {"database": database, "cache": "none"},
        }
    )


def _judged(checks: Mapping[str, str], *, well: str, unwell: str) -> tuple[str, int]:
    return (unwell, 503) if ERROR in checks.values() else (well, 200)


def _now(call: Call) -> str:
    return call.service.clock().isoformat()


def _uptime() -> int:
    return int(time.monotonic() - _STARTED)
