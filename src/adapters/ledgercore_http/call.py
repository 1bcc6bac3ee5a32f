"""One request on its way through: admitted, read, carried out, answered."""

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar

from litestar import Request

from ledgercore.bank import Bank
from ledgercore.errors import AuthenticationError, ValidationError, error_for
from ledgercore.errors.catalog import (
    INVALID_IDEMPOTENCY_KEY,
    INVALID_TOKEN,
    RATE_LIMIT_EXCEEDED,
    UNKNOWN_CURRENCY,
)
from ledgercore.identity.access import PUBLIC, check_access
from ledgercore.identity.audit import Actor, AuditEvent
from ledgercore.identity.identity import Identity
from ledgercore.identity.principals import Principal, Standing
from ledgercore.ledger.commands import AnyCommand, BatchItem
from ledgercore.ledger.ledger import Ledger
from ledgercore.ledger.outcomes import Applied, Outcome, Refused
from ledgercore.ledger.texts import check_key
from ledgercore.money import Currencies
from ledgercore.pages import Page
from ledgercore.payments.ports import Work
from ledgercore.rate_limits import Quota, Take, Taken
from ledgercore_http.admission import NOBODY, Admission
from ledgercore_http.answers import Answer, pagination, success
from ledgercore_http.books import Book, Books
from ledgercore_http.edge import network_of
from ledgercore_http.ports import Service
from ledgercore_http.reading import check_content_type, parse_object, read_body, read_query
from ledgercore_http.routes import Route

IDEMPOTENCY_HEADER: Final = "idempotency-key"
_Result = TypeVar("_Result")


class Call:
    """What a handler works with. `path` and `query` are the request's parameters, `raw_body` its bytes.

    `began_at` is when the request came in, `hashed` what the hashing of its route gave, `prepared` what was done
    before it; `refused_before` says that a refusal is the answer to an earlier request under the same key. `work` is
    the unit of work that keeps the answer, if one does; `identity` and `bank` are part of it.
    """

    def __init__(
        self,
        request: Request[Any, Any, Any],
        route: Route,
        service: Service,
        books: Books,
        admission: Admission,
    ) -> None:
        self.request = request
        self.route = route
        self.service = service
        self.books = books
        self.work: Work | None = None
        self.began_at = service.clock()
        self.hashed: Any = None
        self.prepared: Any = None
        self.refused_before = False
        self._admission = admission
        self.path: Mapping[str, str] = request.path_params
        self.query: Mapping[str, Any] = {}
        self.raw_body = b""
        self.content_type = ""
        self.standing: Standing = NOBODY
        self._principal: Principal | None = None
        self._body: dict[str, Any] | None = None

    @property
    def identity(self) -> Identity:
        """The use cases of identity."""
        return self.service.identity if self.work is None else self.service.identity.within(self.work)

    @property
    def bank(self) -> Bank:
        """The use cases beside ledgers and identity."""
        return self.service.bank if self.work is None else self.service.bank.within(self.work)

    @property
    def correlation_id(self) -> str:
        """The name of this request, the caller's or ours."""
        name: str = self.request.scope["state"]["correlation_id"]
        return name

    @property
    def address(self) -> str:
        """The client's address, as the trusted proxies tell it."""
        address: str = self.request.scope["state"]["address"]
        return address

    @property
    def principal(self) -> Principal:
        """Who acts; only routes that are not public have one."""
        assert self._principal is not None
        return self._principal

    @property
    def actor(self) -> Actor:
        """Who acts, as the audit log writes it."""
        name = "anonymous" if self._principal is None else self._principal.name
        return Actor(name=name, source=self.address, correlation_id=self.correlation_id)

    @property
    def actor_scope(self) -> str:
        """Whose keys and noise are kept apart from everybody else's: the principal, or the client's address."""
        return f"address:{self.address}" if self._principal is None else self._principal.name

    @property
    def bearer(self) -> str:
        """The token of the request; raises `invalid_token` unless there is one."""
        values = self.request.headers.getall("authorization", [])
        scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
        if scheme.lower() != "bearer" or not token.strip():
            raise AuthenticationError(INVALID_TOKEN, why="one header `Authorization: Bearer <token>` is expected")
        return token.strip()

    @property
    def idempotency_key(self) -> str | None:
        """The key of the header, checked; raises `invalid_idempotency_key`."""
        keys = self.request.headers.getall(IDEMPOTENCY_HEADER, [])
        if not keys:
            return None
        if len(keys) > 1 or not keys[0].isascii() or not keys[0].isprintable():
            raise ValidationError(INVALID_IDEMPOTENCY_KEY, field="Idempotency-Key", why="one key of printable ASCII")
        return check_key(keys[0])

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object of the body; an optional one that was left out is empty."""
        if self._body is None:
            self._body = parse_object(self.raw_body) if self.raw_body else {}
        return self._body

    def answer(
        self, data: Any, *, action: str | None = None, message: str | None = None, pagination: Any = None
    ) -> Answer:
        """Data in the envelope of every success, with the status of the route; `action` says what was done."""
        metadata = {} if action is None else {"action": action}
        if pagination is not None:
            metadata["pagination"] = pagination
        return success(
            data, at=self.service.clock(), status=self.route.success.status, message=message, metadata=metadata or None
        )

    def page(self, found: Page[_Result], document: Callable[[_Result], Any]) -> Answer:
        """A page of items, and how to get the next."""
        items = [document(item) for item in found.items]
        return self.answer(items, pagination=pagination(found, self.query["limit"]))

    def applied(self, data: Any, outcome: Applied) -> Answer:
        """What a command answers: nothing that a repeat of it would find changed, and marked on a repeat."""
        answer = success(data, at=outcome.recorded_at, status=self.route.success.status)
        return answer.replayed if outcome.replayed else answer

    async def admit(self) -> None:
        """Let the request in, or raise why not: who it is, how often they ask, what they may do.

        Raises `AuthenticationError`, `AuthorizationError`, `ledger_not_found` and `rate_limit_exceeded`.
        """
        service, limits = self.service, self.service.limits
        ledger = self.path.get("ledger")
        subject, refused = None, None
        if self.route.access is not PUBLIC:
            try:
                subject = service.identity.authenticator.subject_of(self.bearer, ledger=ledger, now=service.clock())
            except AuthenticationError as error:
                refused = error
        if self.route.unlimited:
            quota, account = None, ""
        elif subject is None:
            quota, account = limits.per_address, f"address:{network_of(self.address)}"
        elif subject.token_digest is not None:
            quota, account = limits.per_token, f"token:{subject.token_digest.hex()}"
        else:
            quota, account = limits.per_user, f"user:{subject.user_id}"
        admitted = await self._admission.ask(subject, () if quota is None else (Take(account, quota),))
        if admitted.taken:
            self._note_rate(admitted.taken[0], account)
        if refused is not None:
            raise refused
        self.standing = admitted.standing
        if subject is not None:
            self._principal = service.identity.authenticator.principal_of(
                subject, admitted.standing, now=service.clock()
            )
            state = self.request.scope["state"]
            state["principal"], state["principal_kind"] = self._principal.name, self._principal.kind
        check_access(self.route.access, self._principal, admitted.standing, ledger)

    async def read(self) -> None:
        """Read the query and the body; raises `ValidationError`."""
        self.query = read_query(
            list(self.request.query_params.multi_items()) if self.request.scope["query_string"] else [],
            {parameter.name: parameter for parameter in self.route.query},
        )
        if self.route.takes_key:
            _ = self.idempotency_key
        body = self.route.body
        limits = self.service.limits
        bytes_max = limits.batch_bytes if body is not None and body.is_batch else limits.body_bytes
        self.raw_body = await read_body(
            self.request.receive,
            declared=self.request.headers.get("content-length"),
            bytes_max=bytes_max,
            seconds_max=limits.body_seconds,
        )
        if body is None or (body.optional and not self.raw_body):
            return
        self.content_type = check_content_type(self.request.headers.get("content-type"), body)

    async def in_thread(self, work: Callable[..., _Result], *arguments: Any) -> _Result:
        """Do what may wait for the database beside the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.service.executor, functools.partial(work, *arguments))

    async def book(self) -> Book:
        """The ledger of the path, in use."""
        name = self.path["ledger"]
        book = self.books.find(name)
        return await self.in_thread(self.books.open, name) if book is None else book

    @property
    def ledger(self) -> Ledger:
        """The ledger of the path; for handlers that run in a thread."""
        return self.books.open(self.path["ledger"]).ledger

    @property
    def currencies(self) -> Currencies:
        """The currencies of the ledger of the path; for handlers that run in a thread."""
        return self.books.open(self.path["ledger"]).read_currencies()

    async def command(self, read: Callable[[dict[str, Any], Currencies], _Result]) -> _Result:
        """The command that the body describes; an asset that was registered meanwhile is looked up again."""
        book = await self.book()
        document = self.named(self.body)
        known = book.known_currencies
        if known is None:
            known = await self.in_thread(book.read_currencies)
        try:
            return read(document, known)
        except ValidationError as error:
            if error.reason is not UNKNOWN_CURRENCY:
                raise
        return read(document, await self.in_thread(book.read_currencies))

    def named(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """A command's document under the header's key, if there is one; `invalid_idempotency_key` for two names."""
        key = self.idempotency_key
        if key is None:
            return dict(document)
        if document.get("id") is not None or document.get("key") not in (None, key):
            raise ValidationError(
                INVALID_IDEMPOTENCY_KEY, field="Idempotency-Key", why="the body names the command differently"
            )
        return {**document, "key": key}

    async def post(self, item: Any) -> Applied:
        """Carry out one command, with others that arrive now; raises why it was refused."""
        book = await self.book()
        return self._or_raise(await book.post(item))

    def administer(self, command: AnyCommand, action: str) -> Applied:
        """Carry out one command that only managers may give, or raise why it was refused. For handlers in a thread."""
        [outcome] = self.administer_all([command], action)
        return self._or_raise(outcome)

    def administer_all(self, batch: Sequence[BatchItem], action: str, *, atomic: bool = False) -> Sequence[Outcome]:
        """Carry out commands that only managers may give; the audit log tells of them in the same commit."""
        ledger = self.path["ledger"]
        with self.identity.store.begin() as work:
            outcomes = work.ledgers.journal(ledger).append(batch, atomic=atomic)
            if any(isinstance(outcome, Applied) and not outcome.replayed for outcome in outcomes):
                work.audit.append(AuditEvent(action=action, actor=self.actor, target=f"ledger:{ledger}"))
        return outcomes

    def _or_raise(self, outcome: Outcome) -> Applied:
        if isinstance(outcome, Refused):
            self.refused_before = outcome.replayed
            raise outcome.error
        assert isinstance(outcome, Applied)
        return outcome

    def take(self, account: str, quota: Quota | None) -> None:
        """Take from one more account; raises `rate_limit_exceeded`. For handlers that run in a thread."""
        if quota is not None:
            [taken] = self.service.limiter.take([Take(account, quota)])
            self._note_rate(taken, account)

    def _note_rate(self, taken: Taken, account: str) -> None:
        self.request.scope["state"]["taken"] = taken
        if not taken.allowed:
            # A quota is ours to tell; the account names the caller, who knows it.
            raise error_for(
                RATE_LIMIT_EXCEEDED,
                {
                    "scope": account.partition(":")[0],
                    "limit": taken.limit,
                    "retry_after_ms": max(-(-taken.retry_after // timedelta(milliseconds=1)), 1),
                },
            )
