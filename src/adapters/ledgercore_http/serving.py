"""From the table of routes to an application: the one way that every request takes."""

import asyncio
import hashlib
import inspect
from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from litestar import Litestar, Request, Response
from litestar.config.cors import CORSConfig
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.types import Method

from ledgercore.errors import ExternalDependencyError, LedgercoreError
from ledgercore.errors.catalog import TIMEOUT
from ledgercore.errors.category import Category
from ledgercore.identity.ports import Work
from ledgercore.payments.ports import Work as BankWork
from ledgercore_http.admission import Admission
from ledgercore_http.answers import Answer, read_answer, spell_answer
from ledgercore_http.books import Books
from ledgercore_http.call import IDEMPOTENCY_HEADER, Call
from ledgercore_http.edge import Edge
from ledgercore_http.failures import problem_answer, reason_of
from ledgercore_http.ports import Service
from ledgercore_http.refusals import Refusals
from ledgercore_http.routes import Route
from ledgercore_http.turns import Turns

PREFIXES: Final = ("/api/v1", "/api")
RATE_HEADERS: Final = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
CORS_MAX_AGE_SECONDS: Final = 86_400


def application(service: Service, routes: Sequence[Route], extra: Iterable[BaseRouteHandler] = ()) -> Edge:
    """The ASGI application that serves a table of routes; `extra` are pages beside it.

    Before the process may go, `drain` carries out every post that was accepted.
    """
    books, admission = Books(service), Admission(service)
    refusals, turns = Refusals(service), Turns()
    methods_of: dict[str, list[str]] = {}
    for route in routes:
        methods_of.setdefault(_template(route), []).append(route.method)

    def unrouted(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        return _response(_told(error, request.scope, service))

    litestar = Litestar(
        [
            # Before the routes, or the framework would put its own in their place.
            *(_tells_methods(template, methods) for template, methods in methods_of.items()),
            *(_endpoint(route, service, books, admission, refusals, turns) for route in routes),
            *extra,
        ],
        openapi_config=None,
        logging_config=None,
        # Bodies are read by the call, within the limits of the route.
        request_max_body_size=None,
        exception_handlers={Exception: unrouted},
        cors_config=_cors(service),
        debug=False,
    )

    def drain() -> None:
        books.close()
        admission.close()

    return Edge(litestar, service, drain=drain)


def _tells_methods(template: str, methods: Iterable[str]) -> HTTPRouteHandler:
    """Answers OPTIONS for a path; the framework's own answer knows only the first method that it was given."""
    allow = ", ".join(sorted(["OPTIONS", *methods]))

    async def options() -> Response[None]:
        return Response(None, status_code=204, headers={"Allow": allow})

    return HTTPRouteHandler([prefix + template for prefix in PREFIXES], http_method="OPTIONS", status_code=204)(options)


def _endpoint(
    route: Route, service: Service, books: Books, admission: Admission, refusals: Refusals, turns: Turns
) -> HTTPRouteHandler:
    template = _template(route)
    tracer = service.telemetry.tracer

    async def endpoint(request: Request[Any, Any, Any]) -> Response[bytes]:
        request.scope["state"]["route"] = route.path
        call = Call(request, route, service, books, admission)
        try:
            with tracer.continue_from(request.headers), tracer.span(f"{route.method} {route.path}"):
                async with asyncio.timeout(service.limits.request_seconds):
                    answer = await _carry_out(call, turns)
        except TimeoutError as error:
            late = ExternalDependencyError(TIMEOUT, seconds=service.limits.request_seconds)
            late.__cause__ = error
            answer = _told(late, request.scope, service)
        except Exception as error:
            answer = _told(error, request.scope, service)
            answer = answer.replayed if call.refused_before else answer
            await refusals.note(call, reason_of(error))
        return _response(answer)

    return HTTPRouteHandler(
        [prefix + template for prefix in PREFIXES],
        http_method=cast(Method, route.method),
        status_code=route.success.status,
        name=route.name,
    )(endpoint)


def _template(route: Route) -> str:
    return route.path.replace("}", ":str}")


async def _carry_out(call: Call, turns: Turns) -> Answer:
    await call.admit()
    await call.read()
    if call.route.hashing is not None:
        async with turns:
            call.hashed = await call.in_thread(call.route.hashing, call)
    is_keyed = call.route.keeps_answers and IDEMPOTENCY_HEADER in call.request.headers
    if call.route.before is not None:
        answer = await call.in_thread(_answered_before, call) if is_keyed else None
        if answer is not None:
            return answer
        call.prepared = await call.in_thread(call.route.before, call)
    if is_keyed:
        return await call.in_thread(_answered_once, call)
    handler = call.route.handler
    if inspect.iscoroutinefunction(handler):
        return cast(Answer, await handler(call))
    return await call.in_thread(cast(Any, handler), call)


def _answered_before(call: Call) -> Answer | None:
    """The answer that a request had before under its key, if it had one."""
    key = call.idempotency_key
    assert key is not None
    data = call.service.identity.find_answer(call.actor_scope, key, _fingerprint(call), sealer=call.service.sealer)
    return None if data is None else read_answer(data).replayed


def _answered_once(call: Call) -> Answer:
    """Carry out a request under its key, or give the answer that it had before."""

    def act(work: Work) -> bytes:
        # The store of identity and that of the bank are one.
        call.work = cast(BankWork, work)
        return spell_answer(cast(Answer, call.route.handler(call)))

    key = call.idempotency_key
    assert key is not None
    data, replayed = call.service.identity.answered_once(
        call.actor_scope, key, _fingerprint(call), sealer=call.service.sealer, run=act
    )
    answer = read_answer(data)
    return answer.replayed if replayed else answer


def _fingerprint(call: Call) -> bytes:
    """A digest of what is asked; keyed, since bodies hold passwords."""
    digest = hashlib.blake2b(key=call.service.fingerprint_key, digest_size=32)
    query: bytes = call.request.scope["query_string"]
    for data in (call.route.name.encode(), *(part.encode() for part in call.path.values()), query, call.raw_body):
        digest.update(len(data).to_bytes(8))
        digest.update(data)
    return digest.digest()


def _told(error: BaseException, scope: Any, service: Service) -> Answer:
    found = reason_of(error)
    state = scope["state"]
    state["reason"] = found.code
    why = None
    if found.reason.category is Category.SYSTEM:
        service.telemetry.request_broke(error, correlation_id=state["correlation_id"])
        why = None if service.production else _explained(error)
    return problem_answer(found, correlation_id=state["correlation_id"], clock=service.clock, why=why)


def _explained(error: BaseException) -> str:
    return str(error) if isinstance(error, LedgercoreError) else f"{type(error).__name__}: {error}"


def _response(answer: Answer) -> Response[bytes]:
    return Response(
        answer.body, status_code=answer.status, media_type=answer.content_type, headers=dict(answer.headers)
    )


def _cors(service: Service) -> CORSConfig | None:
    if not service.cors_origins:
        return None
    return CORSConfig(
        allow_origins=list(service.cors_origins),
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "X-Correlation-Id", "X-API-Version"],
        # Bearer tokens are sent by the page itself; no cookie of ours exists.
        allow_credentials=False,
        expose_headers=["X-Correlation-Id", "Idempotency-Replayed", "Retry-After", *RATE_HEADERS],
        max_age=CORS_MAX_AGE_SECONDS,
    )
